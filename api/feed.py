"""The feed: every public change at its place in one order, and the dataset version.

Verbs announce a change while they work; the number is given last, directly before the commit, so
that the lock on the one counter row is short and puts commits into the order of their numbers.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, event, select, update
from sqlalchemy.orm import Session

from api import statements
from api.db import Base, db, reader
from api.models import Change, Dataset

Announced = dict[str, Any]


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
    found: int = reader().run(LAST)[0][0]
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


def _number(session: Session) -> None:
    """Give the announced changes their numbers; runs directly before the commit."""
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


event.listen(Session, "before_commit", _number)
event.listen(Session, "after_soft_rollback", _forget)
