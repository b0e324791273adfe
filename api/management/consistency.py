"""Consistency: whether what is served is what the rows say, and mending what is not.

The current document of every record is rendered afresh from its rows alone and compared with the
stored one, member by member; so are the columns that only repeat others (`city_key`, `listed`).
`rebuild` takes the rows' word. What the public reads is mended by a version of its own: a version
names what was served, so that caches and mirrors learn of the mended one as of any change.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson
from sqlalchemy import Connection, Table, func, select, update
from sqlalchemy.orm import Session

from api import documents
from api.core.permissions import OPERATOR
from api.database.base import Base
from api.documents import RecordMetadata
from api.models import (
    LIST_TABLES,
    Article,
    Claim,
    Dataset,
    Incident,
    IncidentCommunity,
    IncidentOrganisation,
    Source,
    Version,
)
from api.models.tables import table
from api.records import erasure_log, reading
from api.records.batches import Batch
from api.records.citations import upstream
from api.records.rows import ITEM_COLUMNS, child_rows, delete_children, incident_columns
from api.records.writer import RecordWriter
from api.search import index_tables, indexed_text, indexer
from schemas.article import embed
from schemas.claims import CLAIM_MEMBERS
from schemas.record_fields import State
from schemas.record_state import EMPTY

BATCH = 200
_INCIDENTS = table(Incident)
_NAMES = tuple(column.name for column in _INCIDENTS.c)
_OWNED: tuple[type[Base], ...] = (
    IncidentCommunity,
    IncidentOrganisation,
    *LIST_TABLES.values(),
    Source,
    Claim,
)
_FIGURE = tuple(f"participants{end}" for end in ("", "_low", "_high"))
_LIVE = ("published", "draft")


@dataclass(frozen=True, slots=True)
class Finding:
    """What differs of one record: members of its document, and columns of its rows."""

    id: str
    members: list[str]
    columns: list[str]

    def __str__(self) -> str:
        return f"{self.id}: {', '.join([*self.members, *self.columns])}"


@dataclass(slots=True)
class _Record:
    """A record as its rows have it, and its stored document."""

    row: dict[str, Any]
    stored: str
    metadata: RecordMetadata
    owned: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    state: State = field(default_factory=dict)
    # Whether the full-text index has an entry, or nothing, of the record.
    indexed: Callable[[index_tables.Entry | None], bool] = lambda _: False
    article_pks: dict[str, int] = field(default_factory=dict)


def check(session: Session) -> Iterator[tuple[int, list[Finding]]]:
    """Compare every record; yield for each batch how many were compared, and what differs."""
    for keys in batches(session):
        records = _read(_snapshot(session), keys)
        findings = [finding for record in records if (finding := _compare(record))]
        session.rollback()  # no transaction outlives its batch
        yield len(keys), findings


def rebuild(session: Session, keys: Collection[int]) -> list[Finding]:
    """Mend what differs of the records with these primary KEYS, and return that.

    The open transaction is the caller's.
    """
    session.connection().execute(
        select(_INCIDENTS.c.pk).where(_INCIDENTS.c.pk.in_(keys)).with_for_update()
    )
    findings = []
    for record in _read(session.connection(), keys):
        finding = _compare(record)
        if finding is not None:
            _mend(session, record, finding)
            findings.append(finding)
    return findings


def _snapshot(session: Session) -> Connection:
    """Begin a transaction whose statements all see the same moment."""
    level = {"isolation_level": "REPEATABLE READ"}
    postgresql = session.get_bind().dialect.name == "postgresql"
    return session.connection(execution_options=level if postgresql else None)


def counter(session: Session) -> tuple[int, int]:
    """Return the number of published records as the counter has it, and as they are counted."""
    published = select(func.count()).where(_INCIDENTS.c.status == "published")
    stored, counted = session.execute(
        select(Dataset.published, published.scalar_subquery()).with_for_update(of=Dataset)
    ).one()
    return stored, counted


def mend_counter(session: Session) -> None:
    """Set the counter of published records to their number."""
    _, counted = counter(session)
    session.execute(update(Dataset).values(published=counted))


def number(session: Session) -> int:
    """Return how many records there are to compare."""
    return session.scalar(select(func.count()).select_from(_INCIDENTS)) or 0


def batches(session: Session) -> Iterator[list[int]]:
    """Yield the primary keys of all records, some at a time."""
    last = 0
    while True:
        statement = select(_INCIDENTS.c.pk).where(_INCIDENTS.c.pk > last)
        ordered = statement.order_by(_INCIDENTS.c.pk).limit(BATCH)
        keys = list(session.connection().execute(ordered).scalars())
        session.rollback()
        if not keys:
            return
        yield keys
        last = keys[-1]


def _compare(record: _Record) -> Finding | None:
    """Return how what is stored of a record differs from what follows from its rows."""
    document, columns, rows = _fresh(record)
    members = _members(record.stored, document)
    differing = [f"incidents.{name}" for name in columns if columns[name] != record.row[name]]
    for model in _OWNED:
        name = table(model).name
        differing += _columns(name, record.owned[name], rows[model])
    if not members and not record.indexed(
        _entry_of(record.row["pk"], columns["sort_date"], document)
    ):
        differing.append("the full-text index")
    return Finding(record.row["id"], members, differing) if members or differing else None


def _fresh(record: _Record) -> tuple[str, dict[str, Any], dict[type[Base], list[dict[str, Any]]]]:
    """Return the document, columns and child rows of a record, made from its rows alone."""
    derived = documents.derive(record.state, record.row["upstream"])
    columns = incident_columns(record.state, derived)
    rows = child_rows({**record.row, **columns}, record.state, derived, record.article_pks)
    if record.row["erased_at"] is not None:
        return erasure_log.ERASED_DOCUMENT, columns, rows
    document = documents.render(record.state, record.metadata, derived)
    if record.row["status"] not in _LIVE:
        _leave_articles(document, columns, record)
    return documents.dump(document), columns, rows


def _leave_articles(document: dict[str, Any], columns: dict[str, Any], record: _Record) -> None:
    """Take a withdrawn record's articles as it shows them: they are read again when it is back."""
    stored = _parsed(record.stored) or {}
    shown = {source["article"]["id"]: source["article"] for source in stored.get("sources", [])}
    for source in document["sources"]:
        source["article"] = shown.get(source["article"]["id"], source["article"])
    if "number_of_sources" in stored:
        document["number_of_sources"] = stored["number_of_sources"]
        columns["number_of_sources"] = record.row["number_of_sources"]


def _members(stored: str, fresh: str) -> list[str]:
    """Return the members in which a stored document differs from a fresh one."""
    if stored == fresh:
        return []
    old, new = _parsed(stored), orjson.loads(fresh)
    if old is None:
        return ["(the document cannot be read)"]
    names = [name for name in {**old, **new} if old.get(name, ...) != new.get(name, ...)]
    return names or ["(the order of members)"]


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _columns(name: str, stored: list[dict[str, Any]], fresh: list[dict[str, Any]]) -> list[str]:
    """Return the columns in which the rows of one table differ."""
    if len(stored) != len(fresh):
        return [name]
    return sorted(
        {
            f"{name}.{column}"
            for old, new in zip(stored, fresh, strict=True)
            for column in new
            if old[column] != new[column]
        }
    )


def _mend(session: Session, record: _Record, finding: Finding) -> None:
    """Make the stored document and the columns what the rows say."""
    connection, row = session.connection(), record.row
    document, columns, rows = _fresh(record)
    if finding.columns:
        connection.execute(update(_INCIDENTS).where(_INCIDENTS.c.pk == row["pk"]).values(**columns))
        delete_children(connection, row["pk"])
        batch = Batch(connection)
        batch.add_rows(rows)
        batch.write()
    indexer.replace(connection, row, _entry_of(row["pk"], columns["sort_date"], document))
    if not finding.members:
        return
    readable = _parsed(record.stored) is not None
    if row["status"] not in _LIVE or not readable:
        # Served to nobody but editors, or to nobody at all: the text itself is put right.
        versions = table(Version)
        connection.execute(
            update(versions).where(versions.c.pk == row["document_pk"]).values(document=document)
        )
    if row["status"] in _LIVE:
        reason = f"rebuilt from the rows: {', '.join(finding.members)}"
        writer = RecordWriter(session, OPERATOR, reason)
        columns_before = {name: row[name] for name in _NAMES}
        writer.replace(columns_before, record.state, None, status=row["status"], action="changed")


def _read(connection: Connection, keys: Collection[int]) -> list[_Record]:
    """Return the records with these primary KEYS as their rows have them."""
    versions = table(Version)
    statement = (
        select(_INCIDENTS, versions.c.document.label("stored"))
        .outerjoin(versions, versions.c.pk == _INCIDENTS.c.document_pk)
        .where(_INCIDENTS.c.pk.in_(keys))
        .order_by(_INCIDENTS.c.pk)
    )
    rows = [dict(row) for row in connection.execute(statement).mappings()]
    metadata = reading.load_metadata(connection, rows)
    records = {
        row["pk"]: _Record(row, row.pop("stored") or "", metadata[row["pk"]]) for row in rows
    }
    for model in _OWNED:
        owned = table(model)
        for row in _rows_of(connection, owned, keys):
            records[row["incident_pk"]].owned[owned.name].append(row)
    articles = _articles(connection, keys)
    for record in records.values():
        _complete(record, articles)
        owner = record.row["pk"] if record.row["status"] == "draft" else None
        shown = [source["article"] for source in record.state["sources"]]
        record.row["upstream"] = upstream(connection, shown, owner)
        record.indexed = partial(indexer.holds, connection, record.row)
    return list(records.values())


def _entry_of(pk: int, sort_date: str, document: str) -> index_tables.Entry | None:
    """Return the entry of a document in the full-text index; an erased one has none."""
    parsed = orjson.loads(document)
    return indexed_text.entry(pk, sort_date, parsed) if parsed else None


def _rows_of(
    connection: Connection, owned: Table, keys: Collection[int]
) -> Iterator[dict[str, Any]]:
    statement = (
        select(owned).where(owned.c.incident_pk.in_(keys)).order_by(*owned.primary_key.columns)
    )
    for row in connection.execute(statement).mappings():
        yield dict(row)


def _articles(connection: Connection, keys: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return the articles that the records cite, by primary key."""
    articles, sources = table(Article), table(Source).c
    cited = select(sources.article_pk).where(sources.incident_pk.in_(keys))
    rows = connection.execute(select(articles).where(articles.c.pk.in_(cited)))
    return {row["pk"]: dict(row) for row in rows.mappings()}


def _complete(record: _Record, articles: Mapping[int, dict[str, Any]]) -> None:
    """Put the state of a record together from its rows."""
    row, owned = record.row, record.owned
    claims: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for claim in owned["claims"]:
        claims[claim["source_position"]].append({name: claim[name] for name in CLAIM_MEMBERS})
    record.state = {
        **{name: row[name] for name in EMPTY if name in row},
        "communities": [_entry(entry) for entry in owned["incident_communities"]],
        **{name: _items(name, owned[table(model).name]) for name, model in LIST_TABLES.items()},
        "sources": [
            {
                "article": embed(articles[source["article_pk"]]),
                "locator": source["locator"],
                "claims": claims[source["position"]],
            }
            for source in owned["sources"]
        ],
    }
    record.article_pks = {
        articles[source["article_pk"]]["id"]: source["article_pk"] for source in owned["sources"]
    }


def _items(name: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return the items of a list from its rows."""
    columns = ITEM_COLUMNS[name]
    if len(columns) == 1:
        return [row[columns[0]] for row in rows]
    return [{column: row[column] for column in columns} for row in rows]


def _entry(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("community", "role", *_FIGURE, "organisations")}
