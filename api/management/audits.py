"""Audits: whether the database is whole, as what the service promises of it.

Each audit yields what is wrong, a line a finding; nothing found is the good news. They read only,
each from one state of the database as far as it can be had in one.
"""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
from sqlalchemy import Connection, Row, and_, exists, func, or_, select, text
from sqlalchemy.orm import Session

from api import documents
from api.exports import releases
from api.http import health
from api.management import consistency
from api.models import Change, Dataset, Incident, Version
from api.models.tables import table
from api.records import erasure_log
from api.records.version_rewrites import REASON
from schemas import erasure
from schemas.counts import COUNT_FIELDS

_MOST = 20  # findings of one kind that are reported
_BATCH = 500
_incidents, _versions = table(Incident).c, table(Version).c
_changes = table(Change).c
_Row = Row[*tuple[Any, ...]]
Audit = Callable[[Session], Iterator[str]]


def integrity(session: Session) -> Iterator[str]:
    """Look for what the engine itself finds broken, and for tables that are not current."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        for (result,) in connection.execute(text(f"PRAGMA integrity_check({_MOST})")):
            if result != "ok":
                yield f"the file is damaged: {result}"
        for row in connection.execute(text("PRAGMA foreign_key_check")).fetchmany(_MOST):
            yield f"{row[0]} refers to a row of {row[2]} that is not there"
    else:
        invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
        for (name,) in connection.execute(text(invalid)):
            yield f"the index {name} is not valid; REINDEX it"
    session.rollback()
    yield from health.readiness()["faults"]


def stored_documents(session: Session) -> Iterator[str]:
    """Compare every stored document with one rendered from the rows."""
    for _, findings in consistency.check(session):
        yield from map(str, findings)
    stored, counted = consistency.counter(session)
    if stored != counted:
        yield f"the counter of published records has {stored}, there are {counted}"


def history(session: Session) -> Iterator[str]:
    """Look for versions that are missing, and for documents that are not of their version."""
    connection = session.connection()
    numbers = (
        select(
            _versions.incident_pk,
            func.count().label("number"),
            func.min(_versions.number).label("first"),
            func.max(_versions.number).label("last"),
        )
        .group_by(_versions.incident_pk)
        .subquery()
    )
    current = and_(
        _versions.pk == _incidents.document_pk,
        _versions.incident_pk == _incidents.pk,
        _versions.number == _incidents.version,
    )
    broken = (
        select(_incidents.id)
        .outerjoin(numbers, numbers.c.incident_pk == _incidents.pk)
        .where(
            or_(
                numbers.c.number.is_(None),
                numbers.c.last != _incidents.version,
                numbers.c.number != numbers.c.last - numbers.c.first + 1,
                _incidents.public_from < numbers.c.first,
                _incidents.public_from > numbers.c.last,
                ~exists().where(current),
            )
        )
        .limit(_MOST)
    )
    for (id_,) in connection.execute(broken):
        yield f"{id_}: its versions are not whole"
    for row in _every_version(connection):
        fault = _version_fault(row)
        if fault:
            yield f"{row.id}, version {row.number}: {fault}"


def _every_version(connection: Connection) -> Iterator[_Row]:
    last = 0
    while True:
        rows = connection.execute(
            select(
                _versions.pk,
                _incidents.id,
                _versions.number,
                _versions.status,
                _versions.document,
                _incidents.erased_at,
            )
            .join(table(Incident), _incidents.pk == _versions.incident_pk)
            .where(_versions.pk > last)
            .order_by(_versions.pk)
            .limit(_BATCH)
        ).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].pk


def _version_fault(row: _Row) -> str | None:
    if row.erased_at is not None:
        return (
            None
            if row.document == erasure_log.ERASED_DOCUMENT
            else "it was erased, and holds something"
        )
    try:
        document = orjson.loads(row.document)
        identity = document["id"], document["version"], document["status"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "its document cannot be read"
    status = "withdrawn" if row.status == "merged" else row.status
    return (
        None if identity == (row.id, row.number, status) else "its document is of another version"
    )


def feed(session: Session) -> Iterator[str]:
    """Look for gaps, for entries that name no version, and for public versions without one."""
    connection = session.connection()
    number, first, last, version = connection.execute(
        select(
            func.count(),
            func.min(_changes.seq),
            func.max(_changes.seq),
            select(Dataset.version).scalar_subquery(),
        )
    ).one()
    if (number, first or 1, last or 0) != (version, 1, version):
        yield f"{number} changes, {first} to {last}, are not those up to {version}"
    missing = (
        select(_changes.seq)
        .outerjoin(table(Version), _versions.pk == _changes.version_pk)
        .outerjoin(table(Incident), _incidents.pk == _versions.incident_pk)
        .where(
            _changes.resource == "incident",
            _changes.action != "upgraded",
            or_(
                _versions.pk.is_(None),
                _versions.number != _changes.version,
                _incidents.id != _changes.id,
                _incidents.public_from.is_(None),
                _incidents.public_from > _versions.number,
            ),
        )
    )
    for (seq,) in connection.execute(missing.limit(_MOST)):
        yield f"change {seq} is of no version that was public"
    unannounced = (
        select(_incidents.id, _versions.number)
        .join(table(Version), _versions.incident_pk == _incidents.pk)
        .where(
            _versions.number >= _incidents.public_from,
            _versions.pk.not_in(
                select(_changes.version_pk).where(_changes.version_pk.is_not(None))
            ),
        )
    )
    for id_, version in connection.execute(unannounced.limit(_MOST)):
        yield f"{id_}, version {version}: no change tells of it"


def erasures(session: Session) -> Iterator[str]:
    """Look for what was erased and is there, and for erasures that only table or log has."""
    connection = session.connection()
    entries = erasure_log.list_entries(session)
    for entry in entries:
        yield from _left(connection, entry)
    ours, logged = (
        {(entry["resource"], entry["id"], entry["at"]) for entry in log}
        for log in (entries, erasure_log.read_log())
    )
    existing = set(connection.execute(select(_incidents.id)).scalars()) if logged - ours else set()
    for resource, id_, at in sorted(logged - ours):
        if resource != "incident" or id_ in existing:
            yield f"{resource} {id_} was erased at {at}, and the database does not know"
    for resource, id_, at in sorted(ours - logged):
        yield f"{resource} {id_} was erased at {at}, and ERASURE_LOG does not say so"


def _left(connection: Connection, entry: erasure_log.ErasureEntry) -> Iterator[str]:
    """Yield versions, no newer than an erasure, that hold what it took."""
    if entry["resource"] not in ("article", "incident"):
        return  # no version of a record holds more of it than an id
    before = _versions.at <= entry["at"]
    statement = select(_incidents.id, _versions.number, _versions.document, _versions.reason).join(
        table(Version), _versions.incident_pk == _incidents.pk
    )
    if entry["resource"] == "article":
        shows = _versions.document.contains(f'"article":{{"id":"{entry["id"]}"', autoescape=True)
        statement = statement.where(shows, before)
    else:
        statement = statement.where(_incidents.id == entry["id"], before)
    for id_, number, stored, reason in connection.execute(statement):
        if stored == erasure_log.ERASED_DOCUMENT:
            continue
        note = None if reason == REASON else reason
        if _holds({**documents.load(stored), "reason": note}, entry):
            yield f"{id_}, version {number}: it holds what was erased at {entry['at']}"


def _holds(document: dict[str, Any], entry: erasure_log.ErasureEntry) -> bool:
    """Whether a document says anything in the fields that an erasure took out of it."""
    if entry["resource"] == "article":
        fields = entry["fields"] or erasure.ARTICLE_ERASABLE
        shown = [s["article"] for s in document["sources"] if s["article"]["id"] == entry["id"]]
        return any(_says(article.get(name)) for article in shown for name in fields)
    if entry["fields"] is None:
        return True
    claimed = {claim["field"] for source in document["sources"] for claim in source["claims"]}
    return any(name in claimed or _says(_member(document, name)) for name in entry["fields"])


def _member(document: dict[str, Any], name: str) -> Any:
    if name == "organisations":
        return [name for entry in document["communities"] for name in entry["organisations"]]
    if name in COUNT_FIELDS:
        return [document[f"{name}{end}"] for end in ("", "_low", "_high")]
    return document[name]


def _says(value: Any) -> bool:
    """Whether a value says anything; an empty list and a list of nothing do not."""
    if isinstance(value, list):
        return any(_says(item) for item in value)
    return value is not None and value != erasure.ERASED


def release_files(session: Session) -> Iterator[str]:
    """Look for files of releases that are not there, or not as they were frozen."""
    yield from releases.faults(session)


AUDITS: dict[str, Audit] = {
    "integrity": integrity,
    "documents": stored_documents,
    "history": history,
    "feed": feed,
    "erasures": erasures,
    "releases": release_files,
}


def run(session: Session) -> Iterator[tuple[str, list[str]]]:
    """Run every audit; yield the name of each and its findings."""
    for name, audit in AUDITS.items():
        session.rollback()
        if session.get_bind().dialect.name == "postgresql":
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield name, list(audit(session))
    session.rollback()
