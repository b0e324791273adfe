"""Upgrades of stored documents: every current one gains the fields that are younger than it.

No record gets a version or another `updated_at` by that: the documents are brought up to date in
place, and the feed has one entry for all of them. Earlier versions stay as they were served.
"""

from collections.abc import Callable

import orjson
from sqlalchemy import Connection, and_, bindparam, func, select, update
from sqlalchemy.orm import Session

from api import documents
from api.core import clock
from api.database.transactions import transaction
from api.models import Dataset, Incident, Version
from api.models.tables import table
from api.records.feed import record_change
from schemas.record_fields import NEWEST, complete

_BATCH = 2000
_incidents, _versions = table(Incident), table(Version)
# By the versions' keys, upward: what others write meanwhile comes at the end.
_CURRENT = (
    select(_versions.c.pk, _versions.c.document)
    .join(
        _incidents,
        and_(
            _incidents.c.pk == _versions.c.incident_pk,
            _incidents.c.document_pk == _versions.c.pk,
        ),
    )
    .where(_versions.c.pk > bindparam("last"))
    .order_by(_versions.c.pk)
    .limit(_BATCH)
    .with_for_update(of=_versions)
)
_REWRITE = (
    update(_versions)
    .where(_versions.c.pk == bindparam("key"))
    .values(document=bindparam("completed"))
)


def number(session: Session) -> int:
    """Return how many records have documents to look at."""
    return session.scalar(select(func.count()).select_from(_incidents)) or 0


def run(progress: Callable[[int], None]) -> int:
    """Complete every current document, a transaction a batch; return how many lacked a field.

    Cut off, it starts again, and passes over what is done. PROGRESS is called with the number of
    records of each batch.
    """
    last, upgraded = 0, 0
    while True:
        with transaction() as session:
            rows = session.connection().execute(_CURRENT, {"last": last}).all()
            if not rows:
                _finish(session, upgraded)
                return upgraded
            upgraded += _rewrite(session.connection(), dict(map(tuple, rows)))
            last = rows[-1].pk
        progress(len(rows))


def _rewrite(connection: Connection, texts: dict[int, str]) -> int:
    """Complete the documents TEXTS, by the keys of their versions; return how many were not."""
    lacking = []
    for key, text in texts.items():
        document = orjson.loads(text)
        completed = complete(document)
        if completed is not document:
            lacking.append({"key": key, "completed": documents.dump(completed)})
    if lacking:
        connection.execute(_REWRITE, lacking)
    return len(lacking)


def _finish(session: Session, upgraded: int) -> None:
    """Note how far the documents have come, and announce it in the feed if any is public."""
    behind = (session.scalar(select(Dataset.newest_field).with_for_update()) or 0) < NEWEST
    session.execute(update(Dataset).values(newest_field=NEWEST))
    public = select(Incident.pk).where(Incident.public_from.is_not(None)).limit(1)
    if (behind or upgraded) and session.scalar(public) is not None:
        record_change(
            session,
            resource="incident",
            action="upgraded",
            id="",
            version=NEWEST,
            at=clock.now(),
        )
