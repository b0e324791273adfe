"""The choice of an access path: which filter's index leads to a query's records.

An engine that knows nothing of frequencies may scan a million records to find three. So a path is
chosen here: the one that leads past the fewest records, by bounded counts that are cached for
some minutes. They decide how fast an answer is, never what it says.
"""

import math
import time
from collections.abc import Hashable, Iterable, Mapping, Sequence
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
_EXPIRED = (-math.inf, 0)
# A page has about so many records: what a scan in the page's order has to find.
_PAGE = 50
_ALL = select(Dataset.published)


class RowEstimates:
    """Bounded counts of what access paths lead to, cached for some minutes."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._cache: dict[Hashable, tuple[float, int]] = {}  # with the time up to which each holds

    def published(self) -> int:
        """Return how many records are published."""
        until, number = self._cache.get("all", _EXPIRED)
        if time.monotonic() < until:
            return number
        return self._remember("all", self._reader.run(_ALL))

    def for_paths(
        self,
        paths: Iterable[PathId],
        plan: QueryPlan,
        criteria: Mapping[str, Any],
        values: dict[str, Any],
    ) -> dict[PathId, int]:
        """Return how many records each of PATHS leads to, up to a bound."""
        sizes: dict[PathId, int] = {}
        for path in paths:
            key = (path, plan.match, repr(criteria[path[0]]))
            until, sizes[path] = self._cache.get(key, _EXPIRED)
            if time.monotonic() >= until:
                statement = _count_statement(self._reader, path, plan.filters, plan.match)
                sizes[path] = self._remember(key, self._reader.rows(statement, values))
        return sizes

    def _remember(self, key: Hashable, rows: Sequence[Any]) -> int:
        number: int = rows[0][0]
        if len(self._cache) > 4096:
            self._cache.clear()
        self._cache[key] = (time.monotonic() + _CACHED, number)
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
    by_date, window = plan.by_date, plan.window
    ordered = [path_id for path_id, path in paths.items() if by_date and path.ordered]
    others = [path_id for path_id in paths if path_id not in ordered]
    if window and not by_date:
        others.append((window, 0))
    if not others and len(ordered) < 2:
        return ordered[0] if ordered else None
    sizes = estimates.for_paths([*ordered, *others], plan, criteria, values)
    if plan.sort is None:
        best = min(others, key=sizes.__getitem__)
        # Adding up takes rows, one by one; an index that has them all together is read faster.
        if plan.figures and best[0] not in WINDOWS and sizes[best] > estimates.published() // 5:
            return (window, 0) if window else None
        return best
    largest = estimates.published()
    first = min(ordered, key=sizes.__getitem__) if ordered else None
    past = largest if first is None else sizes[first]
    if others:
        best = min(others, key=sizes.__getitem__)
        few = max(sizes[best], 1)
        # In the page's order one finds a record of them among so many, if they lie at random.
        if few < min(past, _PAGE * largest // few):
            return best
    return first
