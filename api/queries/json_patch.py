"""Patches: what changed from one JSON document to another, as RFC 6902 writes it.

Members and items are compared one by one, so that each operation names one thing that a reader
would call a change. Nothing is said to be moved or copied: that two counts are equal by chance
tells nothing. Of two lists the items that both begin or end with are left alone.
"""

from collections.abc import Iterator
from itertools import takewhile
from typing import Any

import orjson

from schemas.errors import escape

Operation = dict[str, Any]


def between(old: Any, new: Any, path: str = "") -> list[Operation]:
    """Return the operations that make NEW of OLD, in the order to apply them."""
    if _same(old, new):
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        return list(_members(old, new, path))
    if isinstance(old, list) and isinstance(new, list):
        return list(_items(old, new, path))
    return [{"op": "replace", "path": path, "value": new}]


def _same(value: Any, other: Any) -> bool:
    """Compare as JSON: 1 is not true, though Python holds them to be equal."""
    return value is other or (value == other and orjson.dumps(value) == orjson.dumps(other))


def _members(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[Operation]:
    for name, value in old.items():
        here = f"{path}/{escape(name)}"
        if name in new:
            yield from between(value, new[name], here)
        else:
            yield {"op": "remove", "path": here}
    for name, value in new.items():
        if name not in old:
            yield {"op": "add", "path": f"{path}/{escape(name)}", "value": value}


def _items(old: list[Any], new: list[Any], path: str) -> Iterator[Operation]:
    """Yield the operations between two lists: what both begin and end with is left alone."""
    shorter = min(len(old), len(new))
    start = _common_start(old, new)
    end = min(_common_start(old[::-1], new[::-1]), shorter - start)
    for index in range(start, shorter - end):
        yield from between(old[index], new[index], f"{path}/{index}")
    for index in reversed(range(shorter - end, len(old) - end)):
        yield {"op": "remove", "path": f"{path}/{index}"}
    for index in range(shorter - end, len(new) - end):
        yield {"op": "add", "path": f"{path}/{index}", "value": new[index]}


def _common_start(old: list[Any], new: list[Any]) -> int:
    """Return how many items two lists begin with in common."""
    pairs = zip(old, new, strict=False)
    return sum(1 for _ in takewhile(lambda pair: _same(*pair), pairs))
