"""The choice of an access path: which filter's index leads to a query's records.

An engine that knows nothing of frequencies may scan a million records to find three. So a path is
chosen here: the one that leads past the fewest records, by bounded counts that are cached for
some minutes. They decide how fast an answer is, never what it says.
"""

import time
from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal_column, select

from api.database.readers import PreparedStatement, Reader
from api.models import Dataset, Incident
from api.models.tables import table
from api.queries.filters.filter import AccessPath, bound_to
from api.queries.filters.incidents import PUBLISHED, access_paths, incidents
from api.queries.plans.query_plan import WINDOWS, Filters, PathId, QueryPlan
from api.search import index_tables

# What has as many records or more is large; counting on would cost more than it tells.
_LARGE = 50_000
_CACHED = 300.0  # seconds
# A page has about so many records: what a scan in the page's order has to find.
_PAGE = 50
_ALL = select(Dataset.published)


class RowEstimates:
    """Bounded counts of what access paths lead to, cached for some minutes."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._cache: dict[Hashable, tuple[float, int]] = {}

    def published(self) -> int:
        """Return how many records are published."""
        return self._cached("all", _ALL, {})

    def for_path(self, path: PathId, plan: QueryPlan, value: Any, values: dict[str, Any]) -> int:
        """Return how many records PATH leads to, up to a bound; VALUE is the filter's."""
        statement = _count_statement(self._reader, path, plan.filters, plan.match)
        return self._cached((path, plan.match, repr(value)), statement, values)

    def _cached(self, key: Hashable, statement: Any, values: dict[str, Any]) -> int:
        cached = self._cache.get(key)
        now = time.monotonic()
        if cached is not None and now - cached[0] < _CACHED:
            return cached[1]
        rows = (
            self._reader.rows(statement, values)
            if isinstance(statement, PreparedStatement)
            else self._reader.run(statement)
        )
        number: int = rows[0][0]
        if len(self._cache) > 4096:
            self._cache.clear()
        self._cache[key] = (now, number)
        return number


@lru_cache(maxsize=256)
def _count_statement(
    reader: Reader, path_id: PathId, filters: Filters, match: str | None
) -> PreparedStatement:
    """Return the bounded count of a path, or of a window of dates."""
    name, _ = path_id
    limit: ColumnElement[int] = literal_column(str(_LARGE))
    if name == "q":  # the index alone tells
        hits = index_tables.primary_keys(index_tables.PUBLIC_INDEX).limit(limit)
        return reader.prepare(select(func.count()).select_from(hits.subquery()), plan_anew=True)
    if name in WINDOWS:
        start, end = bound_to(f"{name}_start"), bound_to(f"{name}_end")
        path = AccessPath([incidents.sort_date.between(start, end)], "ix_incidents_date")
    else:
        path = access_paths(filters, match)[path_id]
    source = table(Incident) if path.table is None else path.table
    published = [PUBLISHED] if path.table is None else []
    total: ColumnElement[Any] = literal_column("0")
    for index_range in path.index_ranges if path.condition is None else [path.condition]:
        rows: Select[Any] = select(literal_column("1").label("one")).select_from(source)
        rows = rows.where(index_range, *published).with_hint(source, path.hint, "sqlite")
        counted = select(func.count()).select_from(rows.limit(limit).subquery())
        total = total + counted.scalar_subquery()
    return reader.prepare(select(total))


@lru_cache(maxsize=16)
def estimates_of(reader: Reader) -> RowEstimates:
    """Return the cached row estimates of this reader's database."""
    return RowEstimates(reader)


def choose(
    estimates: RowEstimates,
    plan: QueryPlan,
    criteria: Mapping[str, Any],
    values: dict[str, Any],
) -> PathId | None:
    """Return the path that leads past the fewest records; None is the order's own index."""
    if not plan.filters:
        return None
    paths = access_paths(plan.filters, plan.match)
    ordered = [path_id for path_id, path in paths.items() if path.ordered and plan.by_date]
    others = [path_id for path_id in paths if path_id not in ordered]
    if plan.window and not plan.by_date:
        others.append((plan.window, 0))
    if not others and len(ordered) < 2:
        return ordered[0] if ordered else None

    def size(path_id: PathId) -> int:
        return estimates.for_path(path_id, plan, criteria[path_id[0]], values)

    if plan.sort is None:
        best = min(others, key=size)
        # Adding up takes rows, one by one; an index that has them all together is read faster.
        if plan.figures and best[0] not in WINDOWS and size(best) > estimates.published() // 5:
            return (plan.window, 0) if plan.window else None
        return best
    largest = estimates.published()
    first = min(ordered, key=size) if ordered else None
    past = largest if first is None else size(first)
    if others:
        best = min(others, key=size)
        few = max(size(best), 1)
        # In the page's order one finds a record of them among so many, if they lie at random.
        if few < min(past, _PAGE * largest // few):
            return best
    return first
