"""Rebuilding: the full-text indexes made anew from the stored documents."""

from collections.abc import Callable

import orjson
from sqlalchemy import Connection, bindparam, delete, func, select

from api.database import statements
from api.models import Incident, SearchState, Version, search_words
from api.search import indexed_text, indexer
from api.search.tokenizer import tokenizer_version
from schemas.record_fields import complete

_BATCH = 1000
_DOCUMENTS = (
    select(Incident.pk, Incident.sort_date, Version.document)
    .join(Version, Version.pk == Incident.document_pk)
    .where(Incident.pk > bindparam("last"), Incident.erased_at.is_(None))
    .order_by(Incident.pk)
    .limit(_BATCH)
)

Progress = Callable[[int, int], None]


def rebuild(connection: Connection, progress: Progress) -> int:
    """Make the indexes anew from the stored documents; return the number of records.

    PROGRESS is called with the numbers of records done and in all. The caller commits.
    """
    indexer.ENGINES[connection.dialect.name].create(connection)
    for model in (search_words, SearchState):
        connection.execute(delete(model))
    statements.run(connection, indexer.NOTE_VERSION, {"form": tokenizer_version()})
    total = connection.scalar(select(func.count()).select_from(Incident)) or 0
    done, last = 0, 0
    while rows := connection.execute(_DOCUMENTS, {"last": last}).all():
        indexer.add(
            connection,
            (
                indexed_text.entry(row.pk, row.sort_date, complete(orjson.loads(row.document)))
                for row in rows
            ),
        )
        done, last = done + len(rows), rows[-1].pk
        progress(done, total)
    return done
