"""The feed: every public change at its place in one order, and the dataset version.

Verbs announce a change while they work; the number is given last, directly before the commit, so
that the lock on the one counter row is short and puts commits into the order of their numbers.
Whoever sees a number sees all before it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    case,
    event,
    literal_column,
    null,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from api.database import statements
from api.database.engines import Base, Reader, db, reader
from api.models import Change, Dataset, Incident, Version

Announced = dict[str, Any]

ACTIONS = ("created", "changed", "withdrawn", "merged", "restored", "erased", "vocabulary")


def now() -> str:
    """Tell the time as it is stored: RFC 3339, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def announce(
    session: Session,
    *,
    resource: str,
    action: str,
    id: str,  # noqa: A002 - the column's name
    version: int,
    version_pk: int | None = None,
    at: str,
    published: int = 0,
) -> None:
    """Note a public change of the transaction; PUBLISHED is by how much their number changes."""
    session.info.setdefault("announced", []).append(
        {
            "resource": resource,
            "action": action,
            "id": id,
            "version": version,
            "version_pk": version_pk,
            "at": at,
        }
    )
    session.info["published"] = session.info.get("published", 0) + published


def dataset_version(session: Session) -> int:
    """Read the last sequence number given."""
    return session.scalar(select(Dataset.version)) or 0


def last_version() -> int:
    """Tell the dataset version after the write that this request committed."""
    noted: int | None = db.session.info.pop("dataset_version", None)
    return standing_version() if noted is None else noted


def standing_version() -> int:
    """Tell the dataset version that a reader sees now."""
    return version_of(reader())


def version_of(source: Reader) -> int:
    """Tell the dataset version behind a reader."""
    found: int = source.run(LAST)[0][0]
    return found


LAST = select(Dataset.version)
_CHANGES = Base.metadata.tables[Change.__tablename__]
_COUNT = (
    update(Dataset)
    .values(
        version=Dataset.version + bindparam("changes"),
        published=Dataset.published + bindparam("incidents"),
    )
    .returning(Dataset.version)
)


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
        """Give the number to go on from, or None where nothing follows."""
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
    in any of its entries.
    """
    statement = _WITH_DOCUMENTS if documents else _BARE
    rows = reader.run(statement, {"since": since, "limit": limit})
    found = [Entry(*row[1:]) for row in rows if row[1] is not None]
    return Entries(found, rows[0][0])


def number(session: Session) -> None:
    """Give the announced changes their numbers.

    It runs directly before the commit, as others wait for the counter from then on; who has the
    lock on SQLite may call it earlier.
    """
    if session.in_nested_transaction():
        return  # a savepoint is no commit
    announced: list[Announced] = session.info.pop("announced", [])
    published: int = session.info.pop("published", 0)
    if not announced:
        return
    session.flush()
    connection = session.connection()
    counted = {"changes": len(announced), "incidents": published}
    last: int = statements.run(connection, _COUNT, counted)[0][0]
    first = last - len(announced) + 1
    for place, entry in enumerate(announced):
        entry["seq"] = first + place
    statements.insert_many(connection, _CHANGES, announced)
    session.info["dataset_version"] = last


def _forget(session: Session, _previous: object = None) -> None:
    session.info.pop("announced", None)
    session.info.pop("published", None)


event.listen(Session, "before_commit", number)
event.listen(Session, "after_soft_rollback", _forget)
