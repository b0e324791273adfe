"""Bodies: read strictly, with the standard library's parser, before any schema sees them."""

from dataclasses import dataclass
from typing import Any

from flask import current_app, g, request
from marshmallow import ValidationError

from api.refusals import Refusal
from schemas import parsing
from schemas.faults import Fault
from schemas.fields import kind

JSON_TYPES = ("application/json",)
PATCH_TYPES = ("application/merge-patch+json", "application/json")


def media_type() -> str:
    """Give the body's media type without its parameters."""
    return request.mimetype.lower()


def read(limit: int) -> bytes:
    """Read the body, or give it again; refuse more than LIMIT bytes."""
    if "body" in g:
        return bytes(g.body)
    if request.content_length is not None and request.content_length > limit:
        raise _too_large(limit)
    body = request.stream.read(limit + 1)
    if len(body) > limit:
        raise _too_large(limit)
    g.body = body
    return body


def replayable() -> bool:
    """Tell whether the request's view can run again: its body is kept, or there is none."""
    return "body" in g or not request.content_length


def _too_large(limit: int) -> Refusal:
    return Refusal("too-large", f"The body is larger than the {limit:,} bytes that are taken here.")


@dataclass(frozen=True, slots=True)
class Body:
    """A body as it came and as what it says."""

    raw: bytes
    value: dict[str, Any]


def json_object(types: tuple[str, ...] = JSON_TYPES) -> Body:
    """Read the body as one JSON object of one of TYPES."""
    check_type(types)
    if request.content_encoding:
        raise Refusal(
            "unsupported-media-type", "Bodies are taken as they are: leave Content-Encoding out."
        )
    raw = read(current_app.config["MAX_BODY"])
    value = parse(raw)
    if not isinstance(value, dict):
        fault = Fault("wrong_type", f"This is {kind(value)}; it takes an object.")
        raise ValidationError({"_schema": [fault]})
    return Body(raw, value)


def optional_object() -> Body:
    """Read the body as a JSON object where there is one; none says nothing."""
    return json_object() if read(current_app.config["MAX_BODY"]) else Body(b"", {})


def check_type(types: tuple[str, ...]) -> None:
    """Refuse a body of another media type, saying what to add."""
    given = media_type()
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if given in types and charset in ("utf-8", "utf8"):
        return
    if given in types:
        raise Refusal("unsupported-media-type", "JSON is UTF-8: leave the charset out.")
    found = f"The body is sent as {given[:60]}" if given else "The body has no Content-Type"
    raise Refusal(
        "unsupported-media-type",
        f"{found}; this takes {' or '.join(types)}. With curl, add: -H 'Content-Type: {types[0]}'",
    )


def parse(body: bytes) -> Any:
    """Parse JSON strictly: UTF-8, no NaN, no member twice, at most 16 levels."""
    try:
        return parsing.parse(body)
    except parsing.ParseError as error:
        raise Refusal("malformed-json", str(error)) from None
