"""Erasure: what must go, goes from every version; the id and the dates stay.

A record erased as a whole answers 410 to everyone, its versions list numbers, dates and codes. A
field that is erased is taken out of every version, with the claims on it, and the record goes on
without it. Each erasure is noted (`records.erasure_log`), so that it can be applied again to a
restored backup (`reapply`).
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from api import documents
from api.core import clock
from api.core.permissions import OPERATOR, Actor
from api.database import advisory_locks
from api.geo import lookup
from api.models import Article, Erasure, Incident, ReferenceVersion, Version
from api.models.tables import table
from api.records import access, reading, references
from api.records.citations import article_columns, pass_on_address
from api.records.erasure_log import ERASED_DOCUMENT, ErasureEntry, identity, list_entries
from api.records.results import Row, WriteResult
from api.records.writer import RecordWriter
from api.search import indexed_text, indexer
from schemas import erasure, record_state
from schemas.article import embed
from schemas.record_fields import State, complete

_REASON = "erasure"


def erase_incident(session: Session, record: Row, actor: Actor, *, code: str) -> WriteResult:
    """Erase RECORD as a whole, and the drafts that correct it: no version holds anything more."""
    for draft in _find_corrections(session, record):
        erase_incident(session, draft, actor, code=code)
    at = clock.now()
    warnings = list(_warn_of_takeovers(session, record))
    writer = RecordWriter(session, actor, at=at)
    written = writer.replace(
        record,
        erasure.BLANK,
        {},
        status="withdrawn",
        action="erased",
        withdrawal_code=code,
        erased_at=at,
        review=None,
        public_from=record["public_from"],
    )
    versions = table(Version)
    session.connection().execute(
        update(versions)
        .where(versions.c.incident_pk == record["pk"])
        .values(document=ERASED_DOCUMENT, reason=None)
    )
    articles = table(Article)
    session.connection().execute(delete(articles).where(articles.c.draft_pk == record["pk"]))
    _record(session, "incident", record["id"], None, code, actor, at)
    written.warnings = warnings
    return written


def erase_fields(
    session: Session, record: Row, fields: Collection[str], actor: Actor, *, code: str
) -> WriteResult:
    """Take FIELDS (of `erasing.ERASABLE`) out of RECORD and its corrections, every version."""
    for draft in _find_corrections(session, record):
        erase_fields(session, draft, fields, actor, code=code)
    at = clock.now()
    point = _city_point(session, reading.current_document(session, record))
    writer = RecordWriter(session, actor, _REASON, at=at)
    _rewrite_versions(writer, record, lambda state: erasure.erased(state, fields, point))
    state = reading.current_state(session, record)
    owner = record["pk"] if record["public_from"] is None else None
    state, article_pks = writer.resolver.re_cite(state, {}, owner)
    action = "erased" if record["status"] == "published" else "changed"
    written = writer.replace(record, state, article_pks, status=record["status"], action=action)
    _record(session, "incident", record["id"], list(fields), code, actor, at)
    written.warnings = list(_warn_of_takeovers(session, record))
    return written


def erase_article(
    session: Session, article: Row, fields: Collection[str], actor: Actor, *, code: str
) -> dict[str, Any]:
    """Take FIELDS (none: all) out of an article and out of every record that ever showed it."""
    at = clock.now()
    connection, articles = session.connection(), table(Article)
    erased_fields = fields or erasure.ARTICLE_ERASABLE
    values = {
        name: None if name in erased_fields else article[name] for name in erasure.ARTICLE_ERASABLE
    }
    if values["url"] is None and values["title"] is None:
        values["title"] = erasure.ERASED
    columns = article_columns(values)
    if "url" not in erased_fields:
        del columns["address_sha256"]  # of two that are equal the older has it alone
    # Drafts may have copies of their own, under the same id.
    connection.execute(
        update(articles)
        .where(articles.c.id == article["id"])
        .values(**columns, version=articles.c.version + 1, updated_at=at)
    )
    if "url" in erased_fields:
        pass_on_address(connection, article["address_sha256"])
    stored = references.find(session, references.ARTICLES, article["id"])
    assert stored is not None
    for record in list(_find_showing(session, article["id"])):
        _rewrite_showing(session, record, embed(stored), actor, at)
    versions = table(ReferenceVersion)
    connection.execute(
        update(versions)
        .where(versions.c.resource == "article", versions.c.id == article["id"])
        .values(document=None, reason=None)
    )
    document = documents.article(stored)
    kind, number = references.ARTICLES, document["version"]
    references.add_version(
        session, kind, article["id"], number, "erased", actor, _REASON, at, document
    )
    _record(session, "article", article["id"], list(fields) or None, code, actor, at)
    return document


def _rewrite_showing(
    session: Session, record: Row, face: Mapping[str, Any], actor: Actor, at: str
) -> None:
    """Render every version of a record with what an article shows now."""
    writer = RecordWriter(session, actor, _REASON, at=at)
    _rewrite_versions(writer, record, lambda state: _reface(state, face))
    if record["status"] in ("draft", "published"):
        state = reading.current_state(session, record)
        action = "erased" if record["status"] == "published" else "changed"
        writer.replace(record, state, None, status=record["status"], action=action)


def reapply(session: Session, entries: Collection[ErasureEntry]) -> list[ErasureEntry]:
    """Apply those ENTRIES of another log that this database does not know.

    Returns those that it had something to erase for; they keep their time.
    """
    known = {identity(entry) for entry in list_entries(session)}
    ordered = sorted(entries, key=lambda entry: str(entry["at"]))
    return [entry for entry in ordered if identity(entry) not in known and _again(session, entry)]


def _again(session: Session, entry: ErasureEntry) -> bool:
    if entry["resource"] == "article":
        article = references.find(session, references.ARTICLES, entry["id"])
        if article is None:
            return False
        erase_article(session, article, entry["fields"] or (), OPERATOR, code=entry["code"])
    else:
        record = access.find(session, entry["id"], lock=True)
        if record is None or record["erased_at"] is not None:
            return False
        if entry["fields"] is None:
            erase_incident(session, record, OPERATOR, code=entry["code"])
        else:
            erase_fields(session, record, entry["fields"], OPERATOR, code=entry["code"])
    rows = table(Erasure)
    last = select(func.max(rows.c.pk)).scalar_subquery()
    session.connection().execute(update(rows).where(rows.c.pk == last).values(at=entry["at"]))
    return True


def _city_point(session: Session, document: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the point that stands for the record's city; a coarse one where there is none."""
    if document["latitude"] is None:
        return None
    if document["geonames_id"] is not None:
        place = lookup.place_by_id(session.connection(), document["geonames_id"])
        if place is not None:
            return place.latitude, place.longitude
    return round(document["latitude"], 1), round(document["longitude"], 1)


def _rewrite_versions(writer: RecordWriter, record: Row, erase: Callable[[State], State]) -> None:
    """Render every version of a record anew from what ERASE leaves of its state."""
    versions = table(Version)
    connection = writer.session.connection()
    rows = connection.execute(
        select(versions.c.pk, versions.c.document).where(versions.c.incident_pk == record["pk"])
    ).all()
    for pk, text in rows:
        document = orjson.loads(text)
        state = erase(record_state.state_of(complete(document)))
        fresh = documents.revise(document, state, writer.derive(record, state))
        connection.execute(
            update(versions).where(versions.c.pk == pk).values(document=documents.dump(fresh))
        )
        if pk == record["document_pk"]:
            entry = indexed_text.entry(record["pk"], record["sort_date"], complete(fresh))
            indexer.replace(connection, record, entry)


def _reface(state: State, face: Mapping[str, Any]) -> State:
    sources = [
        {**source, "article": face} if source["article"]["id"] == face["id"] else source
        for source in state["sources"]
    ]
    return {**state, "sources": sources}


def _find_corrections(session: Session, record: Row) -> list[Row]:
    """Return the drafts that correct a record: each began as a copy of it."""
    incidents = table(Incident)
    statement = (
        select(incidents)
        .where(incidents.c.corrects_pk == record["pk"], incidents.c.erased_at.is_(None))
        .order_by(incidents.c.pk)
        .with_for_update(key_share=True)
    )
    return [dict(row) for row in session.connection().execute(statement).mappings()]


def _warn_of_takeovers(session: Session, record: Row) -> Iterator[dict[str, Any]]:
    """Yield warnings of the records that RECORD was ever merged into: they keep what they took."""
    incidents, versions = table(Incident).c, table(Version).c
    merged = select(versions.pk).where(
        versions.incident_pk == record["pk"], versions.action == "merged"
    )
    if session.connection().execute(merged.limit(1)).first() is None:
        return
    names = select(versions.incident_pk).where(
        versions.document.contains(f'"{record["id"]}"', autoescape=True)
    )
    others = select(incidents.id).where(
        incidents.pk != record["pk"],
        incidents.corrects_pk.is_distinct_from(record["pk"]),
        or_(incidents.pk == record["merged_into_pk"], incidents.pk.in_(names)),
    )
    for (id_,) in session.connection().execute(others.order_by(incidents.pk)):
        yield {
            "pointer": "",
            "code": "taken_over",
            "detail": f"Incident {id_} took over what was merged into it, and its versions hold "
            "that still; what is to go from there is erased there.",
        }


def _find_showing(session: Session, article_id: str) -> Iterator[Row]:
    """Yield the records of which any version shows an article."""
    incidents, versions = table(Incident), table(Version).c
    shows = versions.document.contains(f'"article":{{"id":"{article_id}"', autoescape=True)
    statement = (
        select(incidents)
        .where(incidents.c.pk.in_(select(versions.incident_pk).where(shows)))
        .order_by(incidents.c.pk)
        .with_for_update(key_share=True)
    )
    for row in session.connection().execute(statement).mappings().all():
        yield dict(row)


def _record(
    session: Session,
    resource: str,
    id_: str,
    fields: list[str] | None,
    code: str,
    actor: Actor,
    at: str,
) -> None:
    # One at a time: the last one noted is this transaction's own until it ends.
    advisory_locks.hold(session.connection(), "erasures")
    session.connection().execute(
        insert(table(Erasure)).values(
            resource=resource, id=id_, fields=fields, code=code, actor_pk=actor.pk, at=at
        )
    )
