"""The newest changes of records, each as it stands now: what people subscribe to.

A record is there once, with its last public change and the version that was public before it. One
that is withdrawn, merged or erased by now shows nothing but that, when, and its code.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, bindparam, case, literal_column, select
from sqlalchemy.orm import aliased

from api import documents
from api.core.permissions import PUBLIC
from api.database.readers import Reader
from api.database.statements import InJsonList, json_list
from api.models import Change, Incident, Version
from api.models.tables import table
from api.queries.pages import page
from api.queries.results import ResolvedQuery

MOST = 50

_Later, _Into, _Before = aliased(Change), aliased(Incident), aliased(Version)
_OF_RECORDS: ColumnElement[str] = literal_column("'incident'")
_UPGRADED: ColumnElement[str] = literal_column("'upgraded'")
_PUBLISHED: ColumnElement[str] = literal_column("'published'")
_LATEST = (
    select(Change.id)
    .where(
        Change.resource == _OF_RECORDS,
        Change.action != _UPGRADED,
        ~select(_Later.seq)
        .where(_Later.id == Change.id, _Later.resource == _OF_RECORDS, _Later.seq > Change.seq)
        .exists(),
    )
    .order_by(Change.seq.desc())
    .limit(bindparam("limit"))
)
_BEFORE = (
    select(_Before.document)
    .where(
        _Before.incident_pk == Incident.pk,
        _Before.number < Version.number,
        _Before.number >= Incident.public_from,
        _Before.status == _PUBLISHED,
    )
    .order_by(_Before.number.desc())
    .limit(1)
    .scalar_subquery()
)
_IS_PUBLIC = Incident.status == _PUBLISHED
_STANDING = (
    select(
        Incident.id,
        Incident.status,
        Version.number,
        Version.action,
        Version.reason,
        Incident.updated_at,
        Incident.erased_at,
        Incident.withdrawal_code,
        select(_Into.id).where(_Into.pk == Incident.merged_into_pk).scalar_subquery(),
        case((_IS_PUBLIC, Version.document)),
        case((_IS_PUBLIC, _BEFORE)),
    )
    .join(Version, Version.pk == Incident.document_pk)
    .where(InJsonList(table(Incident).c.id, "ids"), Incident.public_from.is_not(None))
)


@dataclass(frozen=True, slots=True)
class LatestChange:
    """The last public change of a record.

    `document` is what it says now, None where it is not published any more: `action` is then
    `withdrawn`, `merged` (`into` the record named) or `erased`. `before` is the version that was
    public before, if there is one.
    """

    id: str
    version: int
    action: str
    at: str
    reason: str | None
    code: str | None
    into: str | None
    document: dict[str, Any] | None
    before: dict[str, Any] | None


def latest(reader: Reader, query: ResolvedQuery) -> list[LatestChange]:
    """Return the newest changes of what QUERY means, the newest first; at most MOST of them.

    What is not published any more matches no filter: it is there where the query has none.
    """
    limit = query.limit or MOST
    if query.criteria:
        newest = ResolvedQuery(query.criteria, query.match, sort="-updated_at", limit=limit)
        found = page(reader, newest, PUBLIC).documents
        return _standing(reader, [orjson.loads(document)["id"] for document in found])
    rows = reader.run(_LATEST, {"limit": limit})
    return _standing(reader, [id_ for (id_,) in rows])


def _standing(reader: Reader, ids: Sequence[str]) -> list[LatestChange]:
    """Return the last changes of the records IDS, in that order."""
    rows: Iterable[Any] = reader.run(_STANDING, {"ids": json_list(ids)}) if ids else ()
    changes = {row[0]: _change(row) for row in rows}
    return [changes[id_] for id_ in ids if id_ in changes]


def _change(row: Any) -> LatestChange:
    id_, status, version, action, reason, at, erased_at, code, into, document, before = row
    if document is None:
        action = "erased" if erased_at is not None else status
        leads = into if action == "merged" else None
        shown_code = code if action == "withdrawn" else None
        return LatestChange(
            id_, version, action, erased_at or at, None, shown_code, leads, None, None
        )
    return LatestChange(
        id_,
        version,
        action,
        at,
        reason,
        None,
        None,
        documents.load(document),
        None if before is None else documents.load(before),
    )
