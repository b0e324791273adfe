"""The change feed as it is read: every public change at its place in one order."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    case,
    literal_column,
    null,
    select,
    true,
    type_coerce,
)

from api.database.readers import Reader
from api.models import Change, Dataset, Incident, Version
from api.queries.results import MOST_BYTES

ACTIONS = (
    "created",
    "changed",
    "withdrawn",
    "merged",
    "restored",
    "erased",
    "vocabulary",
    "upgraded",
)


_AT_ONCE = 50  # changes that one statement reads with their documents


@dataclass(frozen=True, slots=True)
class Entry:
    """A change as the public reads it; DOCUMENT is None where there is none to show any more."""

    seq: int
    resource: str
    action: str
    id: str
    version: int
    at: str
    document: str | None


@dataclass(frozen=True, slots=True)
class Entries:
    """A stretch of the feed, and the last number given when it was read."""

    entries: list[Entry]
    last_seq: int

    @property
    def following(self) -> int | None:
        """Return the number to go on from, or None where nothing follows."""
        if not self.entries or self.entries[-1].seq >= self.last_seq:
            return None
        return self.entries[-1].seq


def _stretch(document: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """Select a stretch of the feed and the last number in one statement, hence one snapshot."""
    changes = (
        select(Change)
        .where(Change.seq > bindparam("since"))
        .order_by(Change.seq)
        .limit(bindparam("limit"))
        .subquery()
    )
    columns = ("seq", "resource", "action", "id", "version", "at")
    return (
        select(Dataset.version, *(changes.c[name] for name in columns), document)
        .select_from(Dataset)
        .outerjoin(changes, true())
        .outerjoin(Version, Version.pk == changes.c.version_pk)
        .outerjoin(Incident, Incident.pk == Version.incident_pk)
        .order_by(changes.c.seq)
    )


_PUBLISHED: ColumnElement[str] = literal_column("'published'")
# What was published then, of what is published now: a withdrawal takes back every version.
_SHOWN = and_(Incident.status == _PUBLISHED, Version.status == _PUBLISHED)
_WITH_DOCUMENTS = _stretch(case((_SHOWN, Version.document)))
_BARE = _stretch(type_coerce(null(), String))


def entries(reader: Reader, since: int, limit: int, *, documents: bool = True) -> Entries:
    """Read at most LIMIT changes after number SINCE, in order; without DOCUMENTS, what they are.

    Each carries the document of its own version. An incident that is not published now has none
    in any of its entries. They end before the limit where the documents are larger than MOST_BYTES.
    """
    if limit <= _AT_ONCE or not documents:
        return _part(reader, since, limit, documents=documents)
    with reader.snapshot():
        part = _part(reader, since, _AT_ONCE, documents=True)
        read, size = part.entries, _size(part)
        while part.following and len(read) < limit and size < MOST_BYTES:
            number = min(_AT_ONCE, limit - len(read))
            part = _part(reader, part.following, number, documents=True)
            read += part.entries
            size += _size(part)
    return Entries(read, part.last_seq)


def _size(part: Entries) -> int:
    return sum(len(entry.document or "") for entry in part.entries)


def _part(reader: Reader, since: int, limit: int, *, documents: bool) -> Entries:
    """Read a few changes by one statement."""
    statement = _WITH_DOCUMENTS if documents else _BARE
    rows = reader.run(statement, {"since": since, "limit": limit})
    changes = [Entry(*row[1:]) for row in rows if row[1] is not None]
    return Entries(changes, rows[0][0])
