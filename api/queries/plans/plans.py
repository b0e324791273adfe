"""Query plans: the statements that find what a query means, in its order.

What decides the SQL of a query (which filters, how many alternatives, which order, which access
path) is a `QueryPlan`; it becomes SQL once and is cached, the values are bound each time. A
statement reads the documents and the dataset version together, hence in one snapshot.

A statement unites *branches*, each an ordered scan of an index, none of which sorts more than it
answers with. Branches come from

- alternatives: `country=RU,BE` is a branch for each, merged by date;
- a window of dates: records whose `sort_date` lies in it are one range of an index. The few that
  reach into it from outside are two more branches: dates that last and span a year or less, which
  start at most so long before it, and the wide ones, which are rare;
- what the public may read, and what only some may.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    asc,
    desc,
    false,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.sql import visitors

from api.database.readers import PreparedStatement, Reader
from api.database.statements import AsUtf8
from api.models import Dataset, Incident, Version
from api.models.tables import table
from api.queries.filters.filter import AccessPath, Clause, bound_to
from api.queries.filters.incidents import (
    FILTERS,
    PUBLISHED,
    access_paths,
    incidents,
    took_part,
)
from api.queries.plans.query_plan import WINDOWS, QueryPlan

_TABLE = table(Incident)
VERSION = select(Dataset.version).scalar_subquery()
COUNTER = select(Dataset.published).scalar_subquery()
STATE = select(Dataset.version, Dataset.published)
LIMIT = bound_to("limit_plus_one")
_VALUE_AND_ID = itemgetter(2, 1)  # of a row of a page
# How many documents are read at a time where all of them are, and the statement that reads them.
BATCH = 200
_VERSIONS = table(Version).c
DOCUMENTS = select(_VERSIONS.pk, AsUtf8(_VERSIONS.document)).where(
    _VERSIONS.pk.in_([bound_to(f"pk_{number}") for number in range(BATCH)])
)


@dataclass(frozen=True, slots=True)
class Branch:
    """One scan: where it reads, by which index (on SQLite), and what it keeps."""

    source: Any
    hinted: Any
    hint: str | None
    clauses: list[Clause]
    columns: Any  # sort_date, id, document_pk as they stand in the source
    pk: ColumnElement[int]

    def select(self, *columns: Any) -> Select[Any]:
        """Return the select of COLUMNS of what the branch keeps."""
        statement = select(*columns).select_from(self.source).where(*self.clauses)
        return statement.with_hint(self.hinted, self.hint, "sqlite") if self.hint else statement


def branches(plan: QueryPlan) -> Iterator[Branch]:
    """Yield the scans whose records together are the answer, each apart from the others."""
    clauses = {
        name: FILTERS[name].clause(name, shape, plan.match)
        for name, shape in plan.filters
        if name != "status"
    }
    if plan.statuses is None or "published" in plan.statuses:
        yield from _published(plan, clauses)
    hidden = visibility_condition(plan)
    if hidden is not None:
        index = "INDEXED BY ix_incidents_unpublished"
        yield _plain(index, [hidden, *clauses.values()])


def _published(plan: QueryPlan, clauses: dict[str, Clause]) -> Iterator[Branch]:
    """Yield the scans over what is published."""
    window = plan.window
    path = access_paths(plan.filters, plan.match).get(plan.path) if plan.path else None
    ordered = plan.by_date or plan.sort is None
    if window is None or not (ordered or plan.path == (window, 0)) or (path and not path.ordered):
        yield from _along(plan, path, clauses, [])
        return
    start, end = bound_to(f"{window}_start"), bound_to(f"{window}_end")
    inside = [incidents.sort_date >= start, incidents.sort_date <= end]
    certain = {} if plan.match != "certain" else {window: clauses[window]}
    others = {name: clause for name, clause in clauses.items() if name != window}
    yield from _along(replace(plan, path=plan.path or (window, 0)), path, others | certain, inside)
    every = [PUBLISHED, *clauses.values()]
    reaching = [
        literal_column("NOT incidents.wide"),
        incidents.earliest < incidents.latest,
        incidents.sort_date >= bound_to(f"{window}_reach"),
        incidents.sort_date < start,
    ]
    index = path.index if path and path.selective else "ix_incidents_lasting"
    yield _plain(f"INDEXED BY {index}", [*every, *reaching])
    outside = or_(incidents.sort_date < start, incidents.sort_date > end)
    wide = [literal_column("incidents.wide"), outside]
    yield _plain("INDEXED BY ix_incidents_wide", [*every, *wide])


def _along(
    plan: QueryPlan, path: AccessPath | None, clauses: dict[str, Clause], more: list[Clause]
) -> Iterator[Branch]:
    """Scan along the path, each alternative by itself where their records are to be merged."""
    if path is None:
        yield _plain(_own_index(plan), [PUBLISHED, *clauses.values(), *more])
        return
    name, group = plan.path or ("", 0)
    remaining = dict(clauses)
    if path.exact:
        del remaining[name]
    elif path.table is not None:
        # The scan itself holds its group of communities, unless in certain roles.
        shape: Any = dict(plan.filters)[name]
        if not any(shape[group]):
            remaining[name] = took_part(name, shape, but=group)
    ranges = path.index_ranges
    if path.table is None and (plan.sort is None or not plan.by_date):
        ranges = [or_(*ranges)] if path.condition is None else [path.condition]
    for index_range in ranges:
        if path.table is None:
            yield _plain(path.hint, [index_range, PUBLISHED, *remaining.values(), *more])
        else:
            # What is ordered by or added up is in the incident's row.
            row = plan.figures is not None or (plan.sort is not None and not plan.by_date)
            yield _listed(path, index_range, [*remaining.values(), *more], row=row)


def _own_index(plan: QueryPlan) -> str | None:
    """Return the index of the order itself, of the window, or of all that is added up."""
    covered = plan.figures == "index" and all(FILTERS[name].covered for name, _ in plan.filters)
    if plan.figures and (plan.path or covered):
        return "INDEXED BY ix_incidents_figures"
    if plan.path in {(name, 0) for name in WINDOWS}:
        return "INDEXED BY ix_incidents_date"
    return f"INDEXED BY ix_incidents_{plan.order.index}" if plan.sort else "NOT INDEXED"


def _plain(hint: str | None, clauses: list[Clause]) -> Branch:
    return Branch(_TABLE, _TABLE, hint, clauses, incidents, incidents.pk)


def _listed(
    path: AccessPath, index_range: Clause, conditions: list[Clause], *, row: bool
) -> Branch:
    """Scan a community's listing; its copies of columns spare the incident where they suffice."""
    listing = path.table
    clauses = [_on_listing(clause, listing) for clause in conditions]
    source: Any = listing
    if row or any(_reads_incidents(clause) for clause in clauses):
        source = listing.join(_TABLE, listing.c.incident_pk == incidents.pk)
    return Branch(
        source, listing, path.hint, [index_range, *clauses], listing.c, listing.c.incident_pk
    )


def _on_listing(clause: Clause, listing: Any) -> Clause:
    """Read from the listing what it has copies of."""
    copies: dict[Any, ColumnElement[Any]] = {
        incidents.pk: listing.c.incident_pk,
        incidents.sort_date: listing.c.sort_date,
        incidents.id: listing.c.id,
    }

    def swap(element: Any, **_: Any) -> Any:
        return copies.get(element) if isinstance(element, ColumnElement) else None

    replaced: Clause = visitors.replacement_traverse(clause, {}, swap)
    return replaced


def _reads_incidents(clause: Clause) -> bool:
    return any(getattr(part, "table", None) is _TABLE for part in visitors.iterate(clause))


def visibility_condition(plan: QueryPlan) -> Clause | None:
    """Return the condition of what the audience may read beside the published, if anything.

    Withdrawn records only where they are asked for.
    """
    if plan.audience == "public":
        return None
    statuses = ("draft",) if plan.statuses is None else plan.statuses
    words: list[ColumnElement[str]] = [
        literal_column(f"'{word}'") for word in statuses if word != "published"
    ]
    if not words:
        return None
    status = incidents.status == words[0] if len(words) == 1 else incidents.status.in_(words)
    # An erased record is withdrawn and has no content that a list could show.
    hidden = and_(incidents.status != literal_column("'published'"), incidents.erased_at.is_(None))
    if plan.audience == "all":
        return and_(hidden, status)
    # What was published is its author's no more: withdrawn, it is gone for whoever wrote it.
    own = and_(incidents.author_pk == bound_to("actor_pk"), incidents.public_from.is_(None))
    return and_(hidden, status, own)


def keyset_condition(plan: QueryPlan, value: ColumnElement[Any], id_: ColumnElement[Any]) -> Clause:
    """Return the condition of what comes after the row where a page ended."""
    last = tuple_(bound_to("after_value"), bound_to("after_id"))
    return tuple_(value, id_) < last if plan.order.descending else tuple_(value, id_) > last


@lru_cache(maxsize=256)
def page_statement(reader: Reader, plan: QueryPlan) -> PreparedStatement:
    """Return the statement of a page: document, id, value, dataset version, number published.

    Its rows are those of the page, in no order: a sort would carry the documents along.
    """
    lazy = reader.engine.dialect.name == "sqlite"
    rows = _union(plan, lazy=lazy).limit(LIMIT).subquery("page")
    return reader.prepare(
        select(AsUtf8(_VERSIONS.document), rows.c.id, rows.c.value, VERSION, COUNTER).select_from(
            rows.join(table(Version), _VERSIONS.pk == rows.c.document_pk)
        )
    )


@lru_cache(maxsize=64)
def export_statement(reader: Reader, plan: QueryPlan) -> PreparedStatement:
    """Return the statement of a whole result: value, id and the document's key, in order.

    Documents are read apart (`DOCUMENTS`), so that a scan that has to sort never sorts them.
    """
    return reader.prepare(_union(plan, lazy=True))


def _union(plan: QueryPlan, *, lazy: bool) -> Any:
    """Merge the ordered scans of the branches into one.

    A LAZY engine (SQLite) takes from each only as much as the page needs; another one is told that
    a page's worth of each will do.
    """
    order = plan.order
    scans = []
    for branch in branches(plan):
        value = branch.columns.sort_date if plan.by_date else order.column
        id_, document = branch.columns.id, branch.columns.document_pk
        scan = branch.select(value.label("value"), id_.label("id"), document.label("document_pk"))
        scan = scan.where(keyset_condition(plan, value, id_)) if plan.after else scan
        scans.append((scan, (value.desc(), id_.desc()) if order.descending else (value, id_)))
    if not scans:  # nothing that this audience may read
        return select(
            incidents.sort_date.label("value"), incidents.id, incidents.document_pk
        ).where(false())
    if len(scans) == 1:
        scan, own_order = scans[0]
        return scan.order_by(*own_order)
    direction = desc if order.descending else asc
    merged: Any = direction("value"), direction("id")
    if lazy:
        return union_all(*(scan for scan, _ in scans)).order_by(*merged)
    bounded = (scan.order_by(*own).limit(LIMIT).subquery() for scan, own in scans)
    return union_all(*(select(scan) for scan in bounded)).order_by(*merged)


@lru_cache(maxsize=256)
def count_statement(reader: Reader, plan: QueryPlan) -> PreparedStatement:
    """Return the statement of an exact count: the number, and the dataset version."""
    total: ColumnElement[Any] = literal_column("0")
    for branch in branches(plan):
        total = total + branch.select(func.count()).scalar_subquery()
    return reader.prepare(select(total, VERSION))


def sort_page(rows: Iterable[Any], plan: QueryPlan) -> list[Any]:
    """Return the rows of a page in the order of the plan."""
    return sorted(rows, key=_VALUE_AND_ID, reverse=plan.order.descending)
