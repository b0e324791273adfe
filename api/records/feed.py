"""The writing side of the change feed: public changes get their numbers as they are committed.

Verbs record a change while they work; numbers are assigned last, directly before the commit, so
that the lock on the one counter row is short and puts commits into the order of their numbers.
Whoever sees a number sees all before it.
"""

from typing import Any

from sqlalchemy import bindparam, event, update
from sqlalchemy.orm import Session

from api.database import statements
from api.models import Change, Dataset
from api.models.tables import table

_CHANGES = table(Change)
_COUNT = (
    update(Dataset)
    .values(
        version=Dataset.version + bindparam("changes"),
        published=Dataset.published + bindparam("incidents"),
    )
    .returning(Dataset.version)
)


def record_change(
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
    """Record a public change of the transaction; PUBLISHED is by how much their number changes."""
    session.info.setdefault("changes", []).append(
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


def assign_sequence_numbers(session: Session) -> None:
    """Assign the recorded changes their numbers.

    It runs directly before the commit, as others wait for the counter from then on; who has the
    lock on SQLite may call it earlier.
    """
    if session.in_nested_transaction():
        return  # a savepoint is no commit
    changes: list[dict[str, Any]] = session.info.pop("changes", [])
    published: int = session.info.pop("published", 0)
    if not changes:
        return
    session.flush()
    connection = session.connection()
    counted = {"changes": len(changes), "incidents": published}
    last: int = statements.run(connection, _COUNT, counted)[0][0]
    for seq, change in enumerate(changes, last - len(changes) + 1):
        change["seq"] = seq
    statements.insert_many(connection, _CHANGES, changes)
    session.info["dataset_version"] = last


def _discard(session: Session, _previous: object = None) -> None:
    session.info.pop("changes", None)
    session.info.pop("published", None)


event.listen(Session, "before_commit", assign_sequence_numbers)
event.listen(Session, "after_soft_rollback", _discard)
