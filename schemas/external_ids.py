"""External ids: the numbers that an event has elsewhere, each in a scheme, as `acled:RUS1234`."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from schemas.errors import ErrorDetail, invalid
from schemas.fields import Slug, StrictSchema, Text

MAX_EXTERNAL_ID = 100


class ExternalIdSchema(StrictSchema):
    """The number that an event has elsewhere."""

    scheme = Slug(
        required=True, metadata={"description": "Who gave the number: a slug, such as `acled`."}
    )
    id = Text(
        MAX_EXTERNAL_ID,
        optional=False,
        required=True,
        metadata={"description": "The number, as it is written there; no semicolon."},
    )

    def check(self, data: dict[str, Any]) -> None:
        """Refuse the sign that separates the items of a list in a cell of CSV."""
        if ";" in data.get("id", ""):
            detail = "An external id has no semicolon: it separates ids in CSV."
            raise ValidationError(ErrorDetail("bad_character", detail), "id")


def read_external_id(text: str) -> dict[str, str]:
    """Return the members of an external id that is written in short."""
    scheme, id_ = map(str.strip, text.partition(":")[::2])
    if text and not (scheme and id_):
        raise invalid("bad_external_id", "It takes scheme:id, such as acled:RUS1234.")
    return {"scheme": scheme, "id": id_}


def spell_external_id(external_id: Mapping[str, str]) -> str:
    """Return an external id in short."""
    return f"{external_id['scheme']}:{external_id['id']}"
