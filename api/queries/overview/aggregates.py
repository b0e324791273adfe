"""Aggregates: how many of a query's records are at each place, date, type and country.

They are numbers that add up, counted by the database at first and brought up to date afterwards by
the documents of what changed.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    null,
    select,
    union_all,
)

from api.core.permissions import PUBLIC
from api.database.readers import PreparedStatement, Reader
from api.models import Incident
from api.models.tables import table
from api.queries.cache import CannotUpdate, RecordChange
from api.queries.filters.incidents import PUBLISHED, signed_matches
from api.queries.plans import plans
from api.queries.plans.planner import plan_for
from api.queries.plans.query_plan import QueryPlan
from api.queries.results import ResolvedQuery
from schemas import dates
from schemas.counts import COUNT_FIELDS, figure_of

Document = Mapping[str, Any]
Key = tuple[Any, ...]

# Where there are more places than this, those with the most incidents are held in memory.
MOST_HELD = 30_000
# What a row takes in memory, with its key and its part of the answer, in bytes.
_ROW_BYTES = 600

_TABLE = table(Incident)
_WORDS, _POINT = ("geo_precision", "city", "country"), ("latitude", "longitude")
_ONE: ColumnElement[int] = literal_column("1")
_ZERO: ColumnElement[int] = literal_column("0")
_REPORTED = [f"{name}_{which}" for name in COUNT_FIELDS for which in ("exact", "known")]
_DATE = ("sort_date", "earliest", "latest", "date_precision")


class OverviewAggregate:
    """The numbers of one query at one dataset version.

    `places` are by point, precision, city and country; where not all are held, `points` counts the
    points. `located` are the records that have one. `dates` are by first and last month and
    precision; `figures` are the records that give an exact figure, and any at all.
    """

    def __init__(self, query: ResolvedQuery) -> None:
        self.version = 0
        self.places, self.dates, self.types, self.countries = (Counter[Any]() for _ in range(4))
        self.figures = {name: [0, 0] for name in COUNT_FIELDS}
        self.holds_all = True
        self.points = self.located = 0
        self.lock = threading.Lock()
        self._query = query

    @property
    def size_bytes(self) -> int:
        """Return about how many bytes it takes, with the answer that is made of it."""
        return _ROW_BYTES * (len(self.places) + len(self.dates)) + 10_000

    def apply_changes(self, changes: Iterable[RecordChange]) -> None:
        """Bring the numbers up to date by the records that changed.

        Raises CannotUpdate where not all places are held: one of the others may now matter.
        """
        if not self.holds_all or len(self.places) >= MOST_HELD:
            raise CannotUpdate
        query = self._query
        for document, sign in signed_matches(changes, query.criteria, query.match):
            self._add(document, sign)

    def _add(self, document: Document, sign: int) -> None:
        span = dates.parse(document["date"])
        place = tuple(document[name] for name in (*_POINT, *_WORDS))
        first = None if span.start is None else span.earliest[:7]
        last = None if span.end is None else span.latest[:7]
        for counter, key in (
            (self.places, place),
            (self.dates, (first, last, span.precision)),
            (self.types, document["type"]),
            (self.countries, document["country"]),
        ):
            counter[key] += sign
            if not counter[key]:
                del counter[key]
        self.located += sign * (document["latitude"] is not None)
        for name, numbers in self.figures.items():
            figure = figure_of(document, name)
            numbers[0] += sign * figure.exact
            numbers[1] += sign * figure.reported


def compute(reader: Reader, query: ResolvedQuery) -> OverviewAggregate:
    """Count the published records that QUERY means, in one statement and snapshot."""
    aggregate = OverviewAggregate(query)
    plan, values = plan_for(reader, query, PUBLIC)
    with reader.snapshot():  # whose memory is little, and goes with it
        rows = reader.rows(_statement(reader, plan if query.criteria else None), values)
    for what, *row in rows:
        words, point, numbers = row[:4], row[4:6], [int(number) for number in row[6:]]
        if what == "places":
            aggregate.places[(*point, *words[:3])] = numbers[0]
        elif what == "dates":
            aggregate.dates[tuple(words[:3])] = numbers[0]
        elif what == "types":
            aggregate.types[words[0]] = numbers[0]
        elif what == "countries":
            aggregate.countries[words[0]] = numbers[0]
        elif what == "figures":
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            aggregate.figures = dict(zip(COUNT_FIELDS, map(list, pairs), strict=True))
        else:
            aggregate.version, aggregate.points, aggregate.located = numbers[:3]
    aggregate.holds_all = len(aggregate.places) < MOST_HELD
    return aggregate


@lru_cache(maxsize=256)
def _statement(reader: Reader, plan: QueryPlan | None) -> PreparedStatement:
    """Return the one statement that counts what PLAN leads to, or all that is published.

    All is counted by one scan of an index for each question (on SQLite); what a filter leaves
    is found once, for all questions.
    """
    if plan is None:
        points, days, kinds = (
            select(*_needed())
            .where(PUBLISHED)
            .with_hint(_TABLE, f"INDEXED BY ix_incidents_{index}", "sqlite")
            .subquery(index)
            for index in ("points", "figures", "type")
        )
    else:
        points = days = kinds = _matching(plan)
    places = _counted(points, *_POINT, *_WORDS).cte("places")
    daily = _reported(_counted(days, *_DATE), days).cte("daily")
    dated, typed = _by_month(daily), _counted(kinds, "type").subquery("typed")
    selects = [
        _largest(places),
        _part("dates", dated.c.number, words=[dated.c.first, dated.c.last, dated.c.precision]),
        _part("types", typed.c.number, words=[typed.c.type]),
        _part("countries", func.sum(places.c.number), words=[places.c.country]).group_by(
            places.c.country
        ),
        _part("figures", *(func.coalesce(func.sum(daily.c[name]), _ZERO) for name in _REPORTED)),
        _part("all", plans.VERSION, *_all_points(places)),
    ]
    return reader.prepare(union_all(*selects))


def _largest(places: Any) -> Select[Any]:
    """Return the part of the places with the most incidents."""
    most = select(places).order_by(places.c.number.desc()).limit(literal_column(str(MOST_HELD)))
    rows = most.subquery("most").c
    return _part(
        "places", rows.number, words=[rows[n] for n in _WORDS], point=[rows[n] for n in _POINT]
    )


def _needed() -> list[ColumnElement[Any]]:
    """Return the columns that are counted by.

    Of each count it is 1 for an exact figure, 0 for any other, null where it is not reported.
    """
    columns: list[ColumnElement[Any]] = [_TABLE.c[n] for n in (*_POINT, *_WORDS, *_DATE, "type")]
    for name in COUNT_FIELDS:
        best, low, high = (_TABLE.c[f"{name}{end}"] for end in ("", "_low", "_high"))
        exact, known = and_(low == high, best == low), func.coalesce(best, low, high).is_not(None)
        columns.append(case((exact, _ONE), (known, _ZERO)).label(name))
    return columns


def _matching(plan: QueryPlan) -> Any:
    """Return the records of a plan: their keys first, then the rows in the order of their keys."""
    keys = [branch.select(branch.pk) for branch in plans.branches(plan)]
    matching = _TABLE.c.pk.in_(union_all(*keys)) if keys else literal_column("1 = 0")
    return select(*_needed()).where(matching).cte("matching")


def _counted(source: Any, *by: str) -> Select[Any]:
    columns = [source.c[name] for name in by]
    return select(*columns, func.count().label("number")).group_by(*columns)


def _by_month(days: Any) -> Any:
    """Put together by month what is counted by day, as the index has it."""

    def month(day: ColumnElement[str], open_end: str) -> ColumnElement[Any]:
        start = func.substr(day, literal_column("1"), literal_column("7"))
        return case((day != literal_column(f"'{open_end}'"), start))

    first, last = month(days.c.earliest, dates.EARLIEST), month(days.c.latest, dates.LATEST)
    columns = [first.label("first"), last.label("last"), days.c.date_precision.label("precision")]
    number = func.sum(days.c.number).label("number")
    return select(*columns, number).group_by("first", "last", "precision").subquery("dated")


def _reported(counted: Select[Any], source: Any) -> Select[Any]:
    """Add to COUNTED, for each count, how many records have it exactly, and how many at all."""
    return counted.add_columns(
        *(
            count(source.c[name]).label(f"{name}_{which}")
            for name in COUNT_FIELDS
            for which, count in (("exact", func.sum), ("known", func.count))
        )
    )


def _all_points(places: Any) -> list[ColumnElement[Any]]:
    """Count the points, and the records that have one."""
    point = [places.c[name] for name in (*_POINT, _WORDS[0])]
    apart = select(*point).where(places.c.latitude.is_not(None)).distinct().subquery("apart")
    located = select(func.coalesce(func.sum(places.c.number), 0)).where(
        places.c.latitude.is_not(None)
    )
    return [select(func.count()).select_from(apart).scalar_subquery(), located.scalar_subquery()]


def _part(
    what: str, *numbers: Any, words: Sequence[Any] = (), point: Sequence[Any] = ()
) -> Select[Any]:
    """Make a part of the statement: four texts, a point and ten numbers, whichever it has."""
    texts = [*words, *[cast(null(), Text)] * (4 - len(words))]
    floats = point or [cast(null(), Float)] * 2
    padding = [_ZERO] * (2 * len(COUNT_FIELDS) - len(numbers))
    columns = [literal_column(f"'{what}'"), *texts, *floats, *numbers, *padding]
    return select(*(column.label(f"c{position}") for position, column in enumerate(columns)))
