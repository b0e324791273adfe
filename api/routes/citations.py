"""Citations of what has an address of its own, for reference managers."""

from collections.abc import Callable

import orjson
from flask import Response

from api.core.media_formats import Format
from api.exports.formats.citations import FORMATS, Citation
from api.exports.formats.registry import JSON
from api.http import negotiation
from api.http.openapi import answer as describe
from api.http.responses import respond
from schemas.query import values
from schemas.query.parameters import Parameter

OFFERED = {JSON.name: JSON, **FORMATS}
ANSWERS = [
    describe({"type": "array" if name == "csl" else "string"}, media_types=[format_.mimetype])
    for name, format_ in FORMATS.items()
]


def parameter() -> Parameter:
    """Return the parameter that asks for a citation."""
    return Parameter(
        values.one_of(OFFERED),
        "`json`, or its citation for reference managers, as Accept asks for it too.",
        "bibtex",
        default="json",
    )


def wanted() -> Format | None:
    """Return the format of the citation that the request asks for; None where it asks for JSON."""
    format_ = negotiation.choose(OFFERED, strict=False)
    return None if format_.write is None else format_


def answer(
    format_: Format, cite: Callable[[], Citation], *, etag: str, dataset_version: int, private: bool
) -> Response:
    """Answer with the citation that CITE makes."""
    body = b"".join(format_.chunks([[orjson.dumps(cite())]]))
    return respond(
        body,
        etag=etag,
        dataset_version=dataset_version,
        private=private,
        media_type=format_.media_type,
    )
