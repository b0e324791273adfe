"""Releases as a request names them."""

import re
from typing import Any

from schemas.errors import invalid
from schemas.fields import Slug, StrictSchema, Text, check_text


class Doi(Text):
    """A DOI, such as `10.5281/zenodo.1234`, without resolver."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        text = check_text(value, 300).strip()
        if not re.fullmatch(r"10\.\d{4,9}/[\x21-\x7e]{1,200}", text):
            raise invalid("bad_doi", "It takes a DOI without resolver, such as 10.5281/zenodo.1.")
        return text


class ReleaseSchema(StrictSchema):
    """A release to make: its name is a slug, such as `2026-11`."""

    name = Slug(required=True)
    title = Text(300)
    doi = Doi()


class ReleaseChangeSchema(StrictSchema):
    """What of a release may change: the DOI that it is given later."""

    doi = Doi(required=True)
