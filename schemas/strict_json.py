"""Read JSON strictly: UTF-8, no NaN, no member named twice, at most sixteen levels of nesting."""

import json
import re
from typing import Any

MAX_DEPTH = 16


class ParseError(ValueError):
    """Says why bytes are not JSON as it is taken here, and where."""


def parse(body: bytes, line: int = 1) -> Any:
    """Parse BODY, which begins on a LINE; raise ParseError, and nothing else for any bytes."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError(f"Byte {error.start} is not UTF-8.") from None
    if _depth(body) > MAX_DEPTH:
        raise ParseError(f"More than {MAX_DEPTH} levels of nesting.")
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at") if text.strip() else "The body is empty"
        line += error.lineno - 1
        raise ParseError(f"{what}: line {line}, column {error.colno}.") from None


def _no_constant(name: str) -> None:
    raise ParseError(f"{name} is not JSON; write null where nothing is known.")


def _integer(digits: str) -> int | float:
    """Read a whole number; one too long for any field becomes a float that is out of range."""
    return int(digits) if len(digits) <= 20 else float("1e300")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ParseError(f"The member {twice[:40]!r} stands twice in one object.")
    return members


_decoder = json.JSONDecoder(
    parse_constant=_no_constant, object_pairs_hook=_no_repeats, parse_int=_integer
)


def _depth(body: bytes) -> int:
    """Count the deepest nesting, brackets inside strings left out."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return 0  # cannot be deeper
    # Without escapes a string ends at the next quote; all but quotes and brackets is dropped.
    marks = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _PLAIN)
    deepest = depth = 0
    for bracket in _STRINGS.sub(b"", marks):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
        if deepest > MAX_DEPTH:
            break
    return deepest


_PLAIN = bytes(set(range(256)) - set(b'"[]{}'))
_STRINGS = re.compile(rb'"[^"]*+"?')
