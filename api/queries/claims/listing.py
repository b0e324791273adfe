"""The list of the claims of all published records.

Claims are looked up by their rows, and laid out from the documents as the ledger of one record is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, not_, select, tuple_

from api.database.readers import PreparedStatement, Reader
from api.database.statements import InJsonList, json_list
from api.documents import load
from api.models import Article, Claim, Incident, Source, Version
from api.models.tables import table
from api.queries import cursors
from api.queries.claims.ledger import Ledger
from api.queries.cursors import ClaimPosition
from api.queries.filters import incidents
from api.queries.filters.filter import Clause, Filter, any_of, any_word
from api.queries.filters.incidents import PUBLISHED
from api.queries.plans.planner import bind_values
from api.queries.plans.plans import STATE, VERSION
from api.queries.plans.query_plan import Filters
from api.queries.results import MOST_BYTES, Page, ResolvedQuery
from schemas.query.filters import DEFAULT_LIMIT

BATCH = 1000
_DOCUMENTS_AT_ONCE = 50
_incidents, _claims = table(Incident).c, table(Claim).c
_sources, _articles = table(Source).c, table(Article).c
_CONFLICTING: ColumnElement[bool] = literal_column("claims.conflicting")  # as its index has it


def _conflicting(word: str) -> Clause:
    return _CONFLICTING if word == "true" else not_(_CONFLICTING)


FILTERS: dict[str, Filter] = {
    "field": any_of(_claims.field),
    "attributed_to": any_of(_claims.attributed_key),
    "community": any_of(_claims.community),
    "conflicting": any_word(_conflicting),
    "publisher": any_of(_articles.publisher_key),
    "article": any_of(_articles.id),
    "incident": any_of(_incidents.id),
    **{
        name: incidents.FILTERS[name]
        for name in (
            *("country", "city", "admin1", "type", "episode", "tag", "organisation"),
            *("date", "date_from", "date_to"),
        )
    },
}
# The order of the rows, by which the indexes of claims lead on. A cursor names the record by its
# id: keys of rows would tell of drafts by what is missing between them.
_ORDER = (_claims.incident_pk, _claims.source_position, _claims.position)
# One that is a draft is no place to go on from: whether there is one is not told.
_LAST = (
    select(_incidents.pk)
    .where(_incidents.id == bindparam("after_id"), _incidents.public_from.is_not(None))
    .scalar_subquery()
)
_DOCUMENTS = select(Version.pk, Version.document).where(InJsonList(table(Version).c.pk, "pks"))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What decides the SQL of a list of claims."""

    filters: Filters
    after: bool = False
    counting: bool = False


def page(reader: Reader, query: ResolvedQuery) -> Page:
    """Return a page of the claims that QUERY means, in published records.

    Raises QueryError for a cursor that is not of this query.
    """
    limit = query.limit or DEFAULT_LIMIT
    digest = _digest(query)
    position = _position(query, digest)
    rows = _rows(reader, query, position, limit + 1)
    version = rows[0][4] if rows else reader.run(STATE)[0][0]
    more = len(rows) > limit
    following = None
    if more:
        rows = rows[:limit]
        following = _after(rows[-1]).write(digest)
    rendered, end = _rendered(reader, rows)
    if end < len(rows):
        more, following = True, _after(rows[end - 1]).write(digest)
    total = None if more or position is not None else len(rows)
    if total is None and query.count == "exact":
        total = _count(reader, query)
    return Page(rendered, following, total, version)


def _rendered(reader: Reader, rows: Sequence[Any]) -> tuple[list[bytes], int]:
    """Return the claims of as many rows as few documents take, and how many those are."""
    rendered: list[bytes] = []
    end = size = 0
    for text, of_record in _by_record(reader, rows):
        rendered += _render(text, of_record)
        end += len(of_record)
        size += len(text)
        if size > MOST_BYTES:
            break
    return rendered, end


def batches(reader: Reader, query: ResolvedQuery) -> Iterator[list[bytes]]:
    """Yield all claims that QUERY means, up to BATCH at a time.

    For one state of the data, run it within `reader.snapshot()`. Raises QueryError as `page` does.
    """
    position = _position(query, _digest(query))
    while rows := _rows(reader, query, position, BATCH):
        yield [
            claim
            for text, of_record in _by_record(reader, rows)
            for claim in _render(text, of_record)
        ]
        position = _after(rows[-1])


def _count(reader: Reader, query: ResolvedQuery) -> int:
    """Return the exact number of claims that QUERY means."""
    filters, values = bind_values(FILTERS, query.criteria)
    number: int = reader.rows(_statement(reader, _Plan(filters, counting=True)), values)[0][0]
    return number


def _digest(query: ResolvedQuery) -> str:
    return cursors.digest(repr(sorted(query.criteria.items())))


def _position(query: ResolvedQuery, digest: str) -> ClaimPosition | None:
    return None if query.cursor is None else ClaimPosition.read(query.cursor, digest)


def _after(row: Any) -> ClaimPosition:
    id_, source, claim, *_ = row
    return ClaimPosition(id_, source, claim)


def _rows(
    reader: Reader, query: ResolvedQuery, position: ClaimPosition | None, limit: int
) -> Sequence[Any]:
    """Return the rows of at most LIMIT claims after a position, or from the beginning."""
    filters, values = bind_values(FILTERS, query.criteria)
    values["limit"] = limit
    if position is not None:
        values |= {
            "after_id": position.id,
            "after_source": position.source,
            "after_claim": position.claim,
        }
    return reader.rows(_statement(reader, _Plan(filters, after=position is not None)), values)


@lru_cache(maxsize=256)
def _statement(reader: Reader, plan: _Plan) -> PreparedStatement:
    """Return the statement of a page, or the one that counts."""
    conditions = [PUBLISHED]
    conditions += [FILTERS[name].clause(name, shape, None) for name, shape in plan.filters]
    if plan.after:
        last = tuple_(_LAST, bindparam("after_source"), bindparam("after_claim"))
        conditions.append(tuple_(*_ORDER) > last)
    source = table(Claim).join(table(Incident), _incidents.pk == _claims.incident_pk)
    if {name for name, _ in plan.filters} & {"publisher", "article"}:
        same = (_sources.incident_pk == _claims.incident_pk) & (
            _sources.position == _claims.source_position
        )
        source = source.join(table(Source), same)
        source = source.join(table(Article), _articles.pk == _sources.article_pk)
    statement: Select[*tuple[Any, ...]]
    if plan.counting:
        statement = select(func.count())
    else:
        columns = (_incidents.id, *_ORDER[1:], _incidents.document_pk, VERSION)
        statement = select(*columns).order_by(*_ORDER).limit(bindparam("limit"))
    return reader.prepare(statement.select_from(source).where(*conditions))


def _by_record(reader: Reader, rows: Sequence[Any]) -> Iterator[tuple[str, Sequence[Any]]]:
    """Yield the document of each record that ROWS point at, with its rows; a few are read at once.

    One that was erased since the rows were read is empty.
    """
    records = [(pk, list(of_record)) for pk, of_record in groupby(rows, key=itemgetter(3))]
    for start in range(0, len(records), _DOCUMENTS_AT_ONCE):
        group = records[start : start + _DOCUMENTS_AT_ONCE]
        texts = dict(reader.run(_DOCUMENTS, {"pks": json_list(pk for pk, _ in group)}))
        yield from ((texts.get(pk, "{}"), of_record) for pk, of_record in group)


def _render(text: str, rows: Sequence[Any]) -> Iterator[bytes]:
    """Yield the claims of one document that ROWS point at."""
    if text == "{}":
        return
    ledger = Ledger(load(text))
    for _, source, position, *_ in rows:
        number = ledger.find(source, position)
        if number is not None:
            # What orjson makes has room for some kilobytes, however short it is.
            yield bytes(memoryview(orjson.dumps(ledger.entry_apart(number))))
