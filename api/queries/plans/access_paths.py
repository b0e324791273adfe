"""Ways: the indexes that lead to what a filter keeps, and the choice among them.

An engine that knows nothing of frequencies may walk a million records to find three. So a way is
chosen here: the one that leads past the fewest records, by bounded counts that are remembered for
some minutes. They decide how fast an answer is, never what it says.
"""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, not_, select
from sqlalchemy import exists as exists_

from api import search
from api.database.readers import PreparedStatement, Reader
from api.geo import grid
from api.models import Article, Dataset, Incident, IncidentCommunity, IncidentMeasure, Source
from api.models.tables import table
from api.queries.filters.spatial import AreaShape
from api.queries.filters.table import DISPUTED, Clause, among, bound_to, incidents

WINDOWS = ("date", "date_from", "date_to")
# Alternatives beyond this number are not walked one by one.
MOST_LANES = grid.MOST_SQUARES
# What has as many records or more is large; counting on would cost more than it tells.
_LARGE = 50_000
_REMEMBERED = 300.0  # seconds
# A page has about so many records: what a walk in the page's order has to find.
_PAGE = 50

WayId = tuple[str, int]
_PUBLISHED = incidents.status == literal_column("'published'")


@dataclass(frozen=True, slots=True)
class Way:
    """An index that leads to what a filter keeps, and to little else.

    `lanes` are conditions that each hold along one stretch of the index, apart from each other;
    `whole` holds all at once where that is not just any of them. `along`: the index has each
    lane's records in the order of dates. `implies`: the lanes need no further test of the filter.
    `narrow`: it leads to few records, a city's and not a country's. `listing` is the table that
    is walked where that is not the incidents'.
    """

    lanes: list[Clause]
    index: str | None = None
    along: bool = False
    implies: bool = False
    narrow: bool = False
    listing: Any = None
    whole: Clause | None = None

    @property
    def hint(self) -> str:
        """Say to SQLite which index to walk."""
        return f"INDEXED BY {self.index}" if self.index else "NOT INDEXED"


def _equal(column: ColumnElement[Any], index: str, *, narrow: bool = False) -> Any:
    """Lead to the records whose COLUMN is one of the alternatives."""

    def ways(name: str, number: int, _: str | None) -> list[Way]:
        whole = among(column, name, number)
        lanes = [column == bindparam(f"{name}_{place}") for place in range(number)]
        if number > MOST_LANES:
            return [Way([whole], index, implies=True)]
        return [Way(lanes, index, along=True, implies=True, narrow=narrow, whole=whole)]

    return ways


def _community(name: str, shape: tuple[tuple[bool, ...], ...], _: str | None) -> list[Way]:
    """Lead along each group's listings; a record stands in that of its first alternative."""
    rows, known = table(IncidentCommunity).alias("listing"), table(IncidentCommunity).alias("known")
    found = []
    for place, group in enumerate(shape):
        if len(group) > MOST_LANES:
            continue
        bound = [bound_to(f"{name}_{place}_{number}") for number in range(len(group))]
        lanes: list[Clause] = []
        for number in range(len(group)):
            lane: Clause = literal_column("listing.listed") & (rows.c.community == bound[number])
            if number:
                before = exists_().where(
                    known.c.incident_pk == rows.c.incident_pk,
                    known.c.community.in_(bound[:number]),
                )
                lane = lane & not_(before)
            lanes.append(lane)
        index = "ix_incident_communities_listed"
        found.append(Way(lanes, index, along=True, listing=rows))
    return found


def _area(name: str, shape: AreaShape, _: str | None) -> list[Way]:
    """Lead through the squares that an area touches."""
    if not shape.squares:
        return []
    column, index = (
        (incidents.cell, "ix_incidents_cell")
        if shape.size == grid.CELL
        else (incidents.region, "ix_incidents_region")
    )
    (way,) = _equal(column, index, narrow=shape.size == grid.CELL)(
        f"{name}_square", shape.squares, None
    )
    return [Way(way.lanes, index, way.along, narrow=way.narrow, whole=way.whole)]


def _at_least(count: str) -> Any:
    """Lead to the records with a figure of COUNT that high, where it is asked for at all."""
    best, low = getattr(incidents, count), getattr(incidents, f"{count}_low")
    figure = func.coalesce(best, low, literal_column("-1"))

    def ways(name: str, positive: bool, match: str | None) -> list[Way]:
        if not positive or match == "possible":
            return []
        lane = figure >= bindparam(name)
        if count == "deaths":
            return [Way([lane & (figure > literal_column("0"))], "ix_incidents_deaths")]
        return [Way([lane], f"ix_incidents_{count}_down")]

    return ways


def _within(pks: Callable[[str, int], Select[Any]]) -> Any:
    """Lead to the records whose keys another table tells."""

    def ways(name: str, number: int, _: str | None) -> list[Way]:
        return [Way([incidents.pk.in_(pks(name, number))], implies=True)]

    return ways


def _citing(column: ColumnElement[Any]) -> Callable[[str, int], Select[Any]]:
    sources, articles = table(Source).c, table(Article).c

    def pks(name: str, number: int) -> Select[Any]:
        found = select(sources.incident_pk).join_from(
            table(Source), table(Article), sources.article_pk == articles.pk
        )
        return found.where(among(column, name, number))

    return pks


def _measures(name: str, shape: tuple[int, ...], _: str | None) -> list[Way]:
    rows = table(IncidentMeasure).c
    return [
        Way(
            [
                incidents.pk.in_(
                    select(rows.incident_pk).where(among(rows.measure, f"{name}_{place}", number))
                )
            ]
        )
        for place, number in enumerate(shape)
    ]


def _disputed(_name: str, words: tuple[str, ...], _: str | None) -> list[Way]:
    if "false" in words:
        return []
    return [Way([DISPUTED], "ix_incidents_disputed", along=True)]


def _updated(name: str, _shape: Hashable, _: str | None) -> list[Way]:
    return [Way([incidents.updated_at >= bindparam(name)], "ix_incidents_updated", implies=True)]


def _found(_name: str, _shape: Hashable, _: str | None) -> list[Way]:
    return [Way([incidents.pk.in_(search.primary_keys(search.PUBLIC_INDEX))], implies=True)]


# Filter -> the ways that lead to what it keeps. One without a row is tested record by record.
WAYS: dict[str, Callable[[str, Any, str | None], list[Way]]] = {
    "q": _found,
    "city": _equal(incidents.city_key, "ix_incidents_city", narrow=True),
    "country": _equal(incidents.country, "ix_incidents_country"),
    "type": _equal(incidents.type, "ix_incidents_type"),
    "episode": _equal(incidents.episode, "ix_incidents_episode"),
    "community": _community,
    "bbox": _area,
    "near": _area,
    "publisher": _within(_citing(table(Article).c.publisher_key)),
    "article": _within(_citing(table(Article).c.id)),
    "police_measure": _measures,
    "disputed": _disputed,
    "updated_since": _updated,
    **{f"min_{name}": _at_least(name) for name in ("arrests", "injuries", "deaths")},
}

Filters = tuple[tuple[str, Any], ...]


@lru_cache(maxsize=256)
def ways_of(filters: Filters, match: str | None) -> dict[WayId, Way]:
    """Give every way that leads to what FILTERS keep."""
    return {
        (name, place): way
        for name, shape in filters
        if name in WAYS
        for place, way in enumerate(WAYS[name](name, shape, match))
    }


class Estimates:
    """Bounded counts of what ways lead to, remembered for some minutes."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[Hashable, tuple[float, int]] = {}

    def all(self) -> int:
        """Tell how many records are published."""
        return self._remember("all", _ALL, {})

    def of(self, way_id: WayId, walk: Any, value: Any, values: dict[str, Any]) -> int:
        """Tell how many records WAY_ID leads to, up to a bound; VALUE is the filter's."""
        statement = _size(self._reader, way_id, walk.filters, walk.match)
        return self._remember((way_id, walk.match, repr(value)), statement, values)

    def _remember(self, key: Hashable, statement: Any, values: dict[str, Any]) -> int:
        known = self._known.get(key)
        now = time.monotonic()
        if known is not None and now - known[0] < _REMEMBERED:
            return known[1]
        rows = (
            self._reader.rows(statement, values)
            if isinstance(statement, PreparedStatement)
            else self._reader.run(statement)
        )
        found: int = rows[0][0]
        if len(self._known) > 4096:
            self._known.clear()
        self._known[key] = (now, found)
        return found


_ALL = select(Dataset.published)


@lru_cache(maxsize=256)
def _size(reader: Reader, way_id: WayId, filters: Filters, match: str | None) -> PreparedStatement:
    """Make the bounded count of a way, or of a window of dates."""
    name, _ = way_id
    if name == "q":  # the index alone tells
        hits = search.primary_keys(search.PUBLIC_INDEX).limit(literal_column(str(_LARGE)))
        return reader.prepare(select(func.count()).select_from(hits.subquery()), plan_anew=True)
    if name in WINDOWS:
        start, end = bound_to(f"{name}_start"), bound_to(f"{name}_end")
        way = Way([incidents.sort_date.between(start, end)], "ix_incidents_date")
    else:
        way = ways_of(filters, match)[way_id]
    source = table(Incident) if way.listing is None else way.listing
    some = [] if way.listing is not None else [_PUBLISHED]
    lanes = way.lanes if way.whole is None else [way.whole]
    counted: ColumnElement[Any] = literal_column("0")
    for lane in lanes:
        within: Select[Any] = (
            select(literal_column("1").label("one")).select_from(source).where(lane, *some)
        )
        within = within.with_hint(source, way.hint, "sqlite").limit(literal_column(str(_LARGE)))
        number = select(func.count()).select_from(within.subquery()).scalar_subquery()
        counted = counted + number
    return reader.prepare(select(counted))


@lru_cache(maxsize=16)
def estimates_of(reader: Reader) -> Estimates:
    """Give what is remembered of the sizes behind READER."""
    return Estimates(reader)


def choose(
    estimates: Estimates, walk: Any, criteria: dict[str, Any], values: dict[str, Any]
) -> WayId | None:
    """Choose the way that leads past the fewest records; None is along the order itself."""
    known = ways_of(walk.filters, walk.match)
    along = [way_id for way_id, way in known.items() if way.along and walk.by_date]
    across = [way_id for way_id in known if way_id not in along]
    if walk.window and not walk.by_date:
        across.append((walk.window, 0))
    if not across and len(along) < 2:
        return along[0] if along else None

    def size(way_id: WayId) -> int:
        return estimates.of(way_id, walk, criteria[way_id[0]], values)

    if walk.sort is None:
        best = min(across, key=size)
        # Adding up takes rows, one by one; an index that has them all together is read faster.
        if walk.figures and best[0] not in WINDOWS and size(best) > estimates.all() // 5:
            return (walk.window, 0) if walk.window else None
        return best
    largest = estimates.all()
    first = min(along, key=size) if along else None
    past = largest if first is None else size(first)
    if across:
        best = min(across, key=size)
        few = max(size(best), 1)
        # In the page's order one finds a record of them among so many, if they lie at random.
        if few < min(past, _PAGE * largest // few):
            return best
    return first
