"""Cursors: where a page ends, as one opaque word that leads on."""

import base64
import hashlib
from typing import Any

import orjson

from api.core.permissions import Actor
from schemas.errors import ErrorDetail
from schemas.query.parameters import QueryError

_LONGEST = 100  # characters of one part
_GREATEST = 2**53

DAMAGED = "The cursor is damaged; take it from a `next` link as it is."
FOREIGN = (
    "The cursor belongs to a query with other filters or another sort; start that query anew "
    "without a cursor."
)


def digest_of(criteria: dict[str, Any], match: str | None, actor: Actor) -> str:
    """Identify the filters of a query, so that a cursor is used with no others."""
    return digest(repr((sorted(criteria.items()), match, actor.pk)))


def digest(text: str) -> str:
    """Identify a query by what is written out of it, so that a cursor is used with no other."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def write(*parts: str | int) -> str:
    """Write PARTS as a cursor."""
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def read(cursor: str, *kinds: type) -> list[Any]:
    """Read a cursor whose parts are of KINDS; raise QueryError for one that `write` never wrote."""
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        parts = None
    if (
        not isinstance(parts, list)
        or [type(part) for part in parts] != list(kinds)
        or not all(map(_sound, parts))
        or write(*parts) != cursor
    ):
        raise refused(DAMAGED)
    return parts


def _sound(part: str | int) -> bool:
    if isinstance(part, str):
        return len(part) <= _LONGEST and "\x00" not in part
    return abs(part) < _GREATEST


def refused(detail: str) -> QueryError:
    """Make the error that refuses a cursor."""
    return QueryError({"cursor": [ErrorDetail("bad_cursor", detail)]})
