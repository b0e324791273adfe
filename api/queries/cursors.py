"""Cursors: where a page of a listing ends, as one opaque word that leads on.

Every listing's position is read and written here. One that was not written by the service is
refused as damaged, one of another query as foreign.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from api.core.permissions import Actor
from schemas.errors import ErrorDetail
from schemas.query.parameters import QueryError

_LONGEST = 100  # characters of one part
_GREATEST = 2**53
_DOC_ID = re.compile(r"[0-9]{1,19}")
LAST_DOC_ID = 2**63 - 1

DAMAGED = "The cursor is damaged; take it from a `next` link as it is."
_FOREIGN = (
    "The cursor belongs to a query with other filters or another sort; start that query anew "
    "without a cursor."
)
_OTHER_CLAIMS = "The cursor belongs to a query with other filters."
_OTHER_STATISTICS = "The cursor belongs to other statistics; start them anew without it."
_DATA_CHANGED = (
    "The data changed since the first page, and rows may have moved; start anew without a "
    "cursor, or ask for more rows at once with limit."
)


def digest_of(criteria: Mapping[str, Any], match: str | None, actor: Actor) -> str:
    """Return what identifies the filters of a query, so that a cursor is used with no others."""
    return digest(repr((sorted(criteria.items()), match, actor.pk)))


def digest(text: str) -> str:
    """Return what identifies a query by what is written out of it."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def refused(detail: str) -> QueryError:
    """Return the error that refuses a cursor."""
    return QueryError({"cursor": [ErrorDetail("bad_cursor", detail)]})


@dataclass(frozen=True, slots=True)
class PagePosition:
    """After which record a page of incidents starts."""

    value: str | int  # what the list is ordered by
    id: str

    def write(self, sort: str, digest: str) -> str:
        """Return it as a cursor."""
        return _write(sort, digest, self.value, self.id)

    @classmethod
    def read(
        cls, cursor: str, sort: str, type_: type[str] | type[int], digest: str
    ) -> "PagePosition":
        """Return the position of a CURSOR of a list with values of TYPE_. Raises QueryError."""
        # One of another order may hold a value of the other type.
        other = int if type_ is str else str
        try:
            parts: list[Any] = _read(cursor, str, str, type_, str)
        except QueryError:
            parts = _read(cursor, str, str, other, str)
        of_sort, of_digest, value, id_ = parts
        if (of_sort, of_digest) != (sort, digest) or type(value) is not type_:
            raise refused(_FOREIGN)
        return cls(value, id_)


@dataclass(frozen=True, slots=True)
class HitPosition:
    """Where a ranked page starts: between two ids of the index, after a hit's points and id."""

    first: int = 0
    last: int = LAST_DOC_ID
    points: int = -1
    doc_id: int = 0

    def write(self, sort: str, digest: str) -> str:
        """Return it as a cursor; ids of the index are too large for numbers of JSON."""
        doc_ids = (str(self.first), str(self.last), str(self.doc_id))
        return _write(sort, digest, *doc_ids, self.points)

    @classmethod
    def read(cls, cursor: str, sort: str, most_points: int, digest: str) -> "HitPosition":
        """Return the position of a CURSOR; a hit has at most MOST_POINTS. Raises QueryError."""
        of_sort, of_digest, *doc_ids, points = _read(cursor, str, str, str, str, str, int)
        if (of_sort, of_digest) != (sort, digest):
            raise refused(_FOREIGN)
        if not -1 <= points <= most_points or not all(map(_is_doc_id, doc_ids)):
            raise refused(DAMAGED)
        first, last, doc_id = map(int, doc_ids)
        return cls(first, last, points, doc_id)


def _is_doc_id(text: str) -> bool:
    return bool(_DOC_ID.fullmatch(text)) and int(text) <= LAST_DOC_ID


@dataclass(frozen=True, slots=True)
class ClaimPosition:
    """After which claim a page starts: its record, its source, its own number."""

    id: str
    source: int
    claim: int

    def write(self, digest: str) -> str:
        """Return it as a cursor."""
        return _write(digest, self.id, self.source, self.claim)

    @classmethod
    def read(cls, cursor: str, digest: str) -> "ClaimPosition":
        """Return the position of a CURSOR. Raises QueryError."""
        of_digest, *position = _read(cursor, str, str, int, int)
        if of_digest != digest:
            raise refused(_OTHER_CLAIMS)
        return cls(*position)


def write_row(digest: str, dataset_version: int, row: int) -> str:
    """Return the cursor of a page of statistics that starts at ROW."""
    return _write(digest, dataset_version, row)


def read_row(cursor: str, digest: str, dataset_version: int) -> int:
    """Return the row that a page of statistics starts at. Raises QueryError."""
    row: int
    of_digest, version, row = _read(cursor, str, int, int)
    if of_digest != digest or row < 0:
        raise refused(_OTHER_STATISTICS)
    if version != dataset_version:
        raise refused(_DATA_CHANGED)
    return row


def write_name(listing: str, id_: str) -> str:
    """Return the cursor of a page of a LISTING by id that starts after ID_."""
    return _write(listing, id_)


def read_name(cursor: str | None, listing: str, path: str) -> str:
    """Return the id that a page of the LISTING at PATH starts after. Raises QueryError."""
    if cursor is None:
        return ""
    of_listing, id_ = _read(cursor, str, str)
    if of_listing != listing:
        raise refused(f"The cursor belongs to another list than {path}.")
    return str(id_)


def write_number(number: int) -> str:
    """Return the cursor of a page that starts at the item of a NUMBER."""
    return _write(number)


def read_number(cursor: str | None) -> int:
    """Return the number of the item that a page starts at. Raises QueryError."""
    return 0 if cursor is None else int(_read(cursor, int)[0])


def read_version(cursor: str | None) -> int:
    """Return the version that a page of a history starts after, which is written plainly."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise refused(DAMAGED)
    return int(cursor)


def _write(*parts: str | int) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def _read(cursor: str, *types: type) -> list[Any]:
    """Return the parts of a cursor; raise QueryError for one that `_write` never wrote."""
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        parts = None
    if (
        not isinstance(parts, list)
        or [type(part) for part in parts] != list(types)
        or not all(map(_is_sound, parts))
        or _write(*parts) != cursor
    ):
        raise refused(DAMAGED)
    return parts


def _is_sound(part: str | int) -> bool:
    if isinstance(part, str):
        return len(part) <= _LONGEST and "\x00" not in part
    return abs(part) < _GREATEST
