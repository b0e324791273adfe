"""Text plans: statements for what a full-text query finds, along the index of its words.

An index gives its hits from the newest date to the oldest (`index_tables.doc_id`). So a page by
date reads no more hits than it shows, and what is ranked are the newest. For other orders, and for
whoever adds up, a text query is a filter among others (`filters.incidents.FILTERS`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    false,
    func,
    literal_column,
    not_,
    select,
    tuple_,
    union_all,
)

from api.database.readers import PreparedStatement, Reader
from api.database.statements import AsUtf8
from api.models import Incident, Version
from api.models.tables import table
from api.queries.filters.filter import Clause, bound_to
from api.queries.filters.incidents import FILTERS, incidents
from api.queries.plans.plans import (
    COUNTER,
    LIMIT,
    VERSION,
    branches,
    visibility_condition,
)
from api.queries.plans.query_plan import QueryPlan
from api.search import index_tables
from api.search.index_tables import SearchIndex
from api.search.indexer import ENGINES

_INCIDENTS = table(Incident)
_VERSIONS = table(Version)
_MASK: ColumnElement[int] = literal_column(str(index_tables.PK_MASK))
_DAY: ColumnElement[int] = literal_column(str(~index_tables.PK_MASK))


@dataclass(frozen=True, slots=True)
class _Branch:
    """A scan of one index of words, and what holds of the records that it leads to."""

    hit: Any
    matches: list[Clause]
    conditions: list[Clause]

    def select(self, *columns: ColumnElement[Any], joined: bool = True) -> Select[Any]:
        """Return the select of COLUMNS; without conditions, hits may do (not JOINED)."""
        statement = select(*columns).where(*self.matches)
        if not joined and not self.conditions:
            return statement.select_from(self.hit)
        source = self.hit.join(_INCIDENTS, incidents.pk == index_tables.pk_of(self.hit.c.rowid))
        # From hits to records, never the other way: FTS5 would search anew for each record.
        hinted = statement.select_from(source).with_hint(_INCIDENTS, "NOT INDEXED", "sqlite")
        return hinted.where(*self.conditions)


def doc_id_after(sort: str | None, day: str) -> int:
    """Return the id in the index from which a page by date goes on after DAY. Raises ValueError."""
    return index_tables.first_doc_id(day) if sort == "-date" else index_tables.last_doc_id(day)


def indexes_for(plan: QueryPlan) -> list[SearchIndex]:
    """Return the indexes in which there may be what PLAN means."""
    hidden = visibility_condition(plan) is not None
    public = not hidden or plan.statuses is None or "published" in plan.statuses
    return [
        *([index_tables.PUBLIC_INDEX] if public else []),
        *([index_tables.PRIVATE_INDEX] if hidden else []),
    ]


def _branches(plan: QueryPlan) -> Iterator[_Branch]:
    """Yield the scans that together meet what PLAN means, each apart from the others."""
    for index in indexes_for(plan):
        hit = index_tables.index_table(index.table)
        matches = index_tables.Matches(hit, bound_to(index.parameter()))
        by_path = index is index_tables.PUBLIC_INDEX and plan.path is not None
        others = list(branches(plan.without_text())) if by_path else []
        if others:  # not where a status is asked for that the public never sees
            fit = union_all(*(branch.select(branch.pk) for branch in others))
            yield _Branch(hit, [matches, index_tables.pk_of(hit.c.rowid).in_(fit)], [])
        else:
            yield from _record_by_record(plan, index, hit, matches)


def _record_by_record(
    plan: QueryPlan, index: SearchIndex, hit: Any, matches: Clause
) -> Iterator[_Branch]:
    clauses = [
        FILTERS[name].clause(name, shape, plan.match)
        for name, shape in plan.filters
        if name not in ("q", "status")
    ]
    hidden = visibility_condition(plan)
    if index is index_tables.PRIVATE_INDEX and hidden is not None:
        clauses.append(hidden)
    elif plan.statuses is not None and "published" not in plan.statuses:
        clauses.append(false())  # all that stands there is published
    if plan.window is None:
        yield _Branch(hit, [matches], clauses)
        return
    first, last = (bound_to(f"{plan.window}_{end}_doc_id") for end in ("first", "last"))
    near = [matches, hit.c.rowid >= first, hit.c.rowid <= last]
    yield _Branch(hit, near, [*clauses, not_(incidents.wide)])
    yield _Branch(hit, [matches], [*clauses, incidents.wide])


@lru_cache(maxsize=256)
def page_statement(reader: Reader, plan: QueryPlan) -> PreparedStatement:
    """Return the statement of a page by date: document, id, value, dataset version, counter."""
    rows = _union([_by_date(plan, branch) for branch in _branches(plan)])
    return reader.prepare(
        select(AsUtf8(_VERSIONS.c.document), rows.c.id, rows.c.value, VERSION, COUNTER)
        .select_from(rows.join(_VERSIONS, _VERSIONS.c.pk == rows.c.document_pk))
        .order_by(*_directed(plan, (rows.c.value, rows.c.id)))
        .limit(LIMIT),
        plan_anew=True,
    )


def _by_date(plan: QueryPlan, branch: _Branch) -> Select[Any]:
    """Return an ordered, bounded scan that yields value, id and document.

    Hits of one day do not come in the order of their ids. So the scan first finds the day on which
    it will end, then sorts what there is up to the end of that day.
    """
    descending, doc_id = plan.order.descending, branch.hit.c.rowid
    conditions: list[Clause] = []
    if plan.after:
        last, here = bound_to("after_doc_id"), tuple_(incidents.sort_date, incidents.id)
        after: Any = tuple_(bound_to("after_value"), bound_to("after_id"))
        conditions = (
            [doc_id >= last, here < after] if descending else [doc_id <= last, here > after]
        )
    first = branch.select(doc_id, joined=plan.after).where(*conditions).limit(LIMIT)
    met = first.order_by(doc_id if descending else doc_id.desc()).subquery("met")
    if descending:
        until = doc_id <= select(func.max(met.c.rowid).op("|")(_MASK)).scalar_subquery()
    else:
        until = doc_id >= select(func.min(met.c.rowid).op("&")(_DAY)).scalar_subquery()
    value, id_ = incidents.sort_date.label("value"), incidents.id.label("id")
    order = _directed(plan, (incidents.sort_date, incidents.id))
    rows = branch.select(value, id_, incidents.document_pk).where(until, *conditions)
    return rows.order_by(*order).limit(LIMIT)


def _directed(plan: QueryPlan, columns: Any) -> list[Any]:
    return [column.desc() for column in columns] if plan.order.descending else list(columns)


def _union(scans: list[Select[Any]]) -> Any:
    if len(scans) == 1:
        return scans[0].subquery("page")
    return union_all(*(select(scan.subquery()) for scan in scans)).subquery("page")


@lru_cache(maxsize=256)
def count_statement(reader: Reader, plan: QueryPlan) -> PreparedStatement:
    """Return the statement that counts all hits: the number, and the dataset version."""
    first, *others = (
        branch.select(func.count(), joined=False).scalar_subquery() for branch in _branches(plan)
    )
    total: ColumnElement[Any] = first
    for number in others:
        total = total + number
    return reader.prepare(select(total, VERSION), plan_anew=True)


@lru_cache(maxsize=256)
def ranked_statement(reader: Reader, plan: QueryPlan, units: int) -> PreparedStatement:
    """Return the statement of a ranked page.

    Candidates are the newest hits after the doc_id `ranked_from`, up to `ranked_to`, at most
    `most_ranked` of them. Its rows: document, doc_id, points, dataset version, then the number of
    candidates, the last one's doc_id. Without candidates there are no rows.
    """
    candidates = _candidates(plan)
    engine = ENGINES[reader.engine.dialect.name]
    scored = engine.score(candidates, indexes_for(plan), units).subquery("scored")
    number = select(func.count()).select_from(candidates).scalar_subquery()
    last = select(func.max(candidates.c.doc_id)).scalar_subquery()
    points, doc_id = scored.c.points, scored.c.doc_id
    conditions = []
    if plan.after:
        below = points < bound_to("after_points")
        level = points == bound_to("after_points")
        conditions = [below | (level & (doc_id > bound_to("after_doc_id")))]
    page = (
        select(points, doc_id)
        .where(*conditions)
        .order_by(points.desc(), doc_id)
        .limit(LIMIT)
        .subquery("page")
    )
    joined = page.join(_INCIDENTS, incidents.pk == index_tables.pk_of(page.c.doc_id))
    return reader.prepare(
        select(AsUtf8(_VERSIONS.c.document), page.c.doc_id, page.c.points, VERSION, number, last)
        .select_from(joined.join(_VERSIONS, _VERSIONS.c.pk == incidents.document_pk))
        .order_by(page.c.points.desc(), page.c.doc_id),
        plan_anew=True,
    )


def _candidates(plan: QueryPlan) -> Any:
    most = bound_to("most_ranked")
    scans = []
    for branch in _branches(plan):
        doc_id = branch.hit.c.rowid
        within = [doc_id > bound_to("ranked_from"), doc_id <= bound_to("ranked_to")]
        hits = branch.select(doc_id.label("doc_id"), joined=False).where(*within)
        scans.append(hits.order_by(doc_id).limit(most))
    if len(scans) == 1:
        return scans[0].cte("candidates")
    merged = _union(scans)
    return select(merged.c.doc_id).order_by(merged.c.doc_id).limit(most).cte("candidates")
