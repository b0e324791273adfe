"""Versions of a record rendered anew: the one way in which history changes, for erasures alone."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, select, update

from api import documents
from api.documents import DerivedFields
from api.models import Version
from api.models.tables import table
from api.records.results import Row
from api.search import indexed_text, indexer
from schemas import record_state
from schemas.record_fields import State, complete

# Why an erasure made a version.
REASON = "erasure"


def rewrite_versions(
    connection: Connection,
    record: Row,
    erase: Callable[[State], State],
    derive: Callable[[Row, State], DerivedFields],
    notes: Mapping[str, Any] | None = None,
) -> int:
    """Render every version of a record anew from what ERASE leaves of its state.

    NOTES are members of the documents that no state has. Returns how many versions differ.
    """
    versions = table(Version)
    rows = connection.execute(
        select(versions.c.pk, versions.c.document).where(versions.c.incident_pk == record["pk"])
    ).all()
    number = 0
    for pk, text in rows:
        document = {**orjson.loads(text), **(notes or {})}
        state = erase(record_state.state_of(complete(document)))
        fresh = documents.revise(document, state, derive(record, state))
        dumped = documents.dump(fresh)
        if dumped == text:
            continue
        number += 1
        connection.execute(update(versions).where(versions.c.pk == pk).values(document=dumped))
        if pk == record["document_pk"]:
            entry = indexed_text.entry(record["pk"], record["sort_date"], complete(fresh))
            indexer.replace(connection, record, entry)
    return number
