"""Erasure of an article: out of its history, drafts' copies, and every record that shows it.

The article goes first, so that no record gains it any more. The records follow in batches, each a
transaction: others write in between. Cut off, it is not done; the same erasure goes on from there.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import orjson
from sqlalchemy import ColumnElement, Connection, func, or_, select, update
from sqlalchemy.orm import Session

from api.core import clock
from api.core.permissions import Actor
from api.database.engines import db
from api.database.transactions import transaction
from api.models import Article, Incident, ReferenceVersion, Source, Version
from api.models.tables import table
from api.records import reading
from api.records.citations import address_digest, article_columns, copies_of, pass_on_address
from api.records.results import Row
from api.records.version_rewrites import REASON, rewrite_versions
from api.records.writer import RecordWriter
from schemas import erasure
from schemas.addresses import canonical_address
from schemas.record_fields import State

BATCH = 20  # records of a transaction: a quarter of a second
_ARTICLES, _VERSIONS = table(Article), table(Version)
_HISTORY = table(ReferenceVersion)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Traces:
    """Where an article that is being erased may show, and what is to go there.

    `ids` are its own and those of drafts' copies; `address` is the canonical one, `reasons` are
    those of its versions, which stand in the histories of records too.
    """

    id: str
    fields: tuple[str, ...]
    ids: frozenset[str]
    address: str | None
    reasons: tuple[str, ...]


def begin(session: Session, id_: str, fields: Collection[str], at: str) -> Traces:
    """Take FIELDS (none: all) out of an article, if it is there, and out of drafts' copies.

    Returns where else it shows.
    """
    traces = _find_traces(session, id_, tuple(fields or erasure.ARTICLE_ERASABLE))
    for row in _rows(session.connection(), traces):
        _erase_row(session.connection(), row, traces.fields, at)
    return traces


def _find_traces(session: Session, id_: str, fields: tuple[str, ...]) -> Traces:
    connection = session.connection()
    history = (
        select(_HISTORY.c.document, _HISTORY.c.reason)
        .where(_HISTORY.c.resource == "article", _HISTORY.c.id == id_)
        .order_by(_HISTORY.c.number.desc())
    )
    versions = connection.execute(history).all()
    public = _ARTICLES.c.id == id_, _ARTICLES.c.draft_pk.is_(None)
    stored = connection.execute(select(_ARTICLES).where(*public)).mappings().first()
    urls = [orjson.loads(text)["url"] for text, _ in versions if text]
    if stored is not None:
        urls.insert(0, stored["url"])
    url = next(filter(None, urls), None)  # of an erasure that was cut off, the one before it
    own = select(_ARTICLES.c.id).where(
        _ARTICLES.c.draft_pk.is_not(None), _ARTICLES.c.address_sha256 == address_digest(url)
    )
    copies = connection.execute(own).scalars() if url else ()
    reasons = {reason for _, reason in versions if reason not in (None, REASON)}
    address = canonical_address(url) if url else None
    return Traces(id_, fields, frozenset({id_, *copies}), address, tuple(sorted(reasons)))


def _rows(connection: Connection, traces: Traces) -> list[Row]:
    """Return the article as it stands, and the copies that drafts have of it."""
    own = _ARTICLES.c.draft_pk.is_not(None)
    which = or_(_ARTICLES.c.id == traces.id, own & _ARTICLES.c.id.in_(sorted(traces.ids)))
    return [dict(row) for row in connection.execute(select(_ARTICLES).where(which)).mappings()]


def _erase_row(connection: Connection, row: Row, fields: Collection[str], at: str) -> None:
    left = erasure.erased_article({name: row[name] for name in erasure.ARTICLE_ERASABLE}, fields)
    columns = article_columns(left)
    if "url" not in fields:
        del columns["address_sha256"]  # of two that are equal the older has it alone
    connection.execute(
        update(_ARTICLES)
        .where(_ARTICLES.c.pk == row["pk"])
        .values(**columns, version=row["version"] + 1, updated_at=at)
    )
    if "url" in fields and row["draft_pk"] is None:
        pass_on_address(connection, row["address_sha256"])


def finish(traces: Traces, actor: Actor, on_progress: Progress = lambda *_: None) -> None:
    """Take an article out of every record that shows it, a batch a transaction."""
    session = db.session()
    pks = find_records(session, traces)
    session.rollback()
    for start in range(0, len(pks), BATCH):
        began = time.monotonic()
        with transaction():
            rewrite(session, traces, pks[start : start + BATCH], actor)
        on_progress(min(start + BATCH, len(pks)), len(pks))
        time.sleep(time.monotonic() - began)  # the turn of those who wait
    with transaction():
        end(session, traces)


def end(session: Session, traces: Traces) -> None:
    """Blank the versions of an article before its erasure, once no record shows it any more."""
    own = _HISTORY.c.resource == "article", _HISTORY.c.id == traces.id
    last = select(func.max(_HISTORY.c.number)).where(*own).scalar_subquery()
    earlier = update(_HISTORY).where(*own, _HISTORY.c.number < last)
    session.connection().execute(earlier.values(document=None, reason=None))


def find_records(session: Session, traces: Traces) -> list[int]:
    """Return the records of which any version shows an article, and whose sources it counts for."""
    connection, document = session.connection(), _VERSIONS.c.document
    shows: list[ColumnElement[bool]] = [
        document.contains(f'"article":{{"id":"{id_}"', autoescape=True)
        for id_ in sorted(traces.ids)
    ]
    if traces.address is not None:
        written = traces.address.removeprefix("https://")  # as its other spellings have it too
        shows.append(document.contains(written, autoescape=True))
    pks = set(connection.execute(select(_VERSIONS.c.incident_pk).where(or_(*shows))).scalars())
    if "syndicated_from" in traces.fields:
        sources = table(Source).c
        copies = sources.article_pk.in_(copies_of([traces.id]))
        pks |= set(connection.execute(select(sources.incident_pk).where(copies)).scalars())
    return sorted(pks)


def rewrite(session: Session, traces: Traces, pks: Collection[int], actor: Actor) -> None:
    """Take an article out of every version of the records of PKS."""
    incidents, at = table(Incident), clock.now()
    statement = (
        select(incidents)
        .where(incidents.c.pk.in_(pks), incidents.c.erased_at.is_(None))
        .order_by(incidents.c.pk)
        .with_for_update(key_share=True)
    )
    for record in session.connection().execute(statement).mappings().all():
        _rewrite_record(session, dict(record), traces, actor, at)


def _rewrite_record(session: Session, record: Row, traces: Traces, actor: Actor, at: str) -> None:
    connection = session.connection()
    writer = RecordWriter(session, actor, REASON, at=at)
    rewritten = rewrite_versions(
        connection, record, lambda state: _without(session, state, traces), writer.derive
    )
    reasons = connection.execute(
        update(_VERSIONS)
        .where(_VERSIONS.c.incident_pk == record["pk"], _VERSIONS.c.reason.in_(traces.reasons))
        .values(reason=None)
    )
    if (rewritten or reasons.rowcount) and record["status"] in ("draft", "published"):
        state = reading.current_state(session, record)
        action = "erased" if record["status"] == "published" else "changed"
        writer.replace(record, state, None, status=record["status"], action=action)


def _without(session: Session, state: State, traces: Traces) -> State:
    sources = [
        {**source, "article": erasure.erased_article(source["article"], traces.fields)}
        if _is_of(session, source["article"], traces)
        else source
        for source in state["sources"]
    ]
    return {**state, "sources": sources}


def _is_of(session: Session, article: Row, traces: Traces) -> bool:
    """Whether a version shows the article: under its id, or a draft's copy by its address."""
    if article["id"] in traces.ids:
        return True
    url = article["url"]
    if traces.address is None or url is None or canonical_address(url) != traces.address:
        return False
    # Of two that are held with one address, each is erased by itself.
    public = _ARTICLES.c.id == article["id"], _ARTICLES.c.draft_pk.is_(None)
    return session.connection().execute(select(_ARTICLES.c.pk).where(*public)).first() is None
