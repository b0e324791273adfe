"""Erasure: what must go, goes from every version; the id and the dates stay.

A record erased as a whole answers 410 to everyone, its versions list numbers, dates and codes. A
field that is erased is taken out of every version, with the claims on it, and the record goes on
without it. Each erasure is noted (`records.erasure_log`), so that it can be applied again to a
restored backup (`records.reference_erasures`).
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from api.core import clock
from api.core.permissions import Actor
from api.geo import lookup
from api.models import Article, Incident, Version
from api.models.tables import table
from api.records import erased_texts, erasure_log, reading
from api.records.erasure_log import ERASED_DOCUMENT
from api.records.results import Row, WriteResult
from api.records.version_rewrites import REASON, rewrite_versions
from api.records.writer import RecordWriter
from schemas import erasure


def erase_incident(session: Session, record: Row, actor: Actor, *, code: str) -> WriteResult:
    """Erase RECORD as a whole, and the drafts that correct it: no version holds anything more."""
    for draft in _find_corrections(session, record):
        erase_incident(session, draft, actor, code=code)
    at = clock.now()
    taken_over = _find_takeovers(session, record)
    partners = erased_texts.partners(session, record) | taken_over.keys()
    erased_texts.erase_notes(session, record, erasure.NOTES, partners)
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
        .values(document=ERASED_DOCUMENT)
    )
    articles = table(Article)
    session.connection().execute(delete(articles).where(articles.c.draft_pk == record["pk"]))
    erased_texts.erase_answers(session, record["id"])
    erasure_log.add(session, "incident", record["id"], None, code, actor, at)
    written.warnings = _warnings(taken_over)
    return written


def erase_fields(
    session: Session, record: Row, fields: Collection[str], actor: Actor, *, code: str
) -> WriteResult:
    """Take FIELDS (of `erasing.ERASABLE`) out of RECORD and its corrections, every version."""
    for draft in _find_corrections(session, record):
        erase_fields(session, draft, fields, actor, code=code)
    at = clock.now()
    taken_over = _find_takeovers(session, record)
    partners = erased_texts.partners(session, record) | taken_over.keys()
    erased_texts.erase_notes(session, record, fields, partners)
    point = _city_point(session, reading.current_document(session, record))
    writer = RecordWriter(session, actor, REASON, at=at)
    notes = {"review": None} if any(name in fields for name in erasure.NOTES) else {}
    rewrite_versions(
        session.connection(),
        record,
        lambda state: erasure.erased(state, fields, point),
        writer.derive,
        notes,
    )
    state = reading.current_state(session, record)
    owner = record["pk"] if record["public_from"] is None else None
    state, article_pks = writer.resolver.re_cite(state, {}, owner)
    action = "erased" if record["status"] == "published" else "changed"
    written = writer.replace(
        record, state, article_pks, status=record["status"], action=action, **notes
    )
    erased_texts.erase_answers(session, record["id"])
    erasure_log.add(session, "incident", record["id"], list(fields), code, actor, at)
    written.warnings = _warnings(taken_over)
    return written


def _city_point(session: Session, document: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return the point that stands for the record's city; a coarse one where there is none."""
    if document["latitude"] is None:
        return None
    if document["geonames_id"] is not None:
        place = lookup.place_by_id(session.connection(), document["geonames_id"])
        if place is not None:
            return place.latitude, place.longitude
    return round(document["latitude"], 1), round(document["longitude"], 1)


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


def _find_takeovers(session: Session, record: Row) -> dict[int, str]:
    """Return the ids, by primary key, of records that RECORD was ever merged into.

    They keep what they took over.
    """
    incidents, versions = table(Incident).c, table(Version).c
    merged = select(versions.pk).where(
        versions.incident_pk == record["pk"], versions.action == "merged"
    )
    if session.connection().execute(merged.limit(1)).first() is None:
        return {}
    names = select(versions.incident_pk).where(
        versions.document.contains(f'"{record["id"]}"', autoescape=True)
    )
    others = select(incidents.pk, incidents.id).where(
        incidents.pk != record["pk"],
        incidents.corrects_pk.is_distinct_from(record["pk"]),
        or_(incidents.pk == record["merged_into_pk"], incidents.pk.in_(names)),
    )
    rows = session.connection().execute(others.order_by(incidents.pk))
    return {row.pk: row.id for row in rows}


def _warnings(taken_over: Mapping[int, str]) -> list[dict[str, Any]]:
    return [
        {
            "pointer": "",
            "code": "taken_over",
            "detail": f"Incident {id_} took over what was merged into it, and its versions hold "
            "that still; what is to go from there is erased there.",
        }
        for id_ in taken_over.values()
    ]
