"""Bodies: read strictly, with the standard library's parser, before any schema sees them."""

import json
import re
from dataclasses import dataclass
from typing import Any

from flask import current_app, g, request
from marshmallow import ValidationError

from api.refusals import Refusal
from schemas.faults import Fault
from schemas.fields import kind

MAX_DEPTH = 16
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
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal("malformed-json", f"Byte {error.start} is not UTF-8.") from None
    if _depth(text) > MAX_DEPTH:
        raise Refusal("malformed-json", f"More than {MAX_DEPTH} levels of nesting.")
    try:
        return json.loads(
            text, parse_constant=_no_constant, object_pairs_hook=_no_repeats, parse_int=_integer
        )
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at") if text.strip() else "The body is empty"
        where = f"line {error.lineno}, column {error.colno}"
        raise Refusal("malformed-json", f"{what}: {where}.") from None


def _no_constant(name: str) -> None:
    raise Refusal("malformed-json", f"{name} is not JSON; write null where nothing is known.")


def _integer(digits: str) -> int | float:
    """Read a whole number; one too long for any field becomes a float that is out of range."""
    return int(digits) if len(digits) <= 20 else float("1e300")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise Refusal("malformed-json", f"The member {twice[:40]!r} stands twice in one object.")
    return members


def _depth(text: str) -> int:
    """Count the deepest nesting, brackets inside strings left out."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0  # cannot be deeper; the common case, at the speed of C
    deepest = depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*+"')
_BRACKETS = re.compile(r"[\[\]{}]")
