"""Overviews: what a query's records look like together, for a map, a timeline and plots.

Numbers of incidents only, by place, by month, by type and country, and how many report each figure;
no sums, and nothing by community. What is imprecise stays so: a point carries its precision, a
date that spans months is a row with both ends, and what is not reported is counted.

An overview reads every record that the query means, so the latest are remembered with the dataset
version that they stand for. One that takes long to make is not made anew in a request while an
older one is at hand: that one is given, under its own version, and made anew beside. But never
where a record was taken back since.
"""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from flask import current_app
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
)

from api.db import Prepared, Reader
from api.feed import LAST
from api.models import Change, Incident
from api.queries import FILTERS, windowed
from api.rows import table
from schemas.counts import COUNT_FIELDS
from schemas.dates import EARLIEST, LATEST
from schemas.query import Query

# Places in one answer, those with the most incidents first; of the others it tells the number.
MOST_PLACES = 2000
# An overview made in less time than this is made anew whenever the data changed.
_QUICK = 0.25
_MOST_REMEMBERED = 50

_incidents = table(Incident).c
_PUBLISHED = _incidents.status == literal_column("'published'")
_NUMBER = func.count().label("number")


@dataclass(frozen=True, slots=True)
class Overview:
    """An overview as it is sent, and the dataset version that it stands for."""

    body: bytes
    dataset_version: int


@dataclass(frozen=True, slots=True)
class _Made:
    overview: Overview
    seconds: float


class Overviews:
    """Makes overviews and remembers the latest."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, _Made] = OrderedDict()
        self._under_way: set[str] = set()
        self._lock = threading.Lock()

    def of(self, reader: Reader, query: Query) -> Overview:
        """Give the overview of the published records that QUERY means; its names are resolved."""
        key = repr((sorted(query.criteria.items()), query.match))
        version = reader.run(LAST)[0][0]
        held = self._made.get(key)
        if held is not None:
            if held.overview.dataset_version == version:
                return held.overview
            if held.seconds > _QUICK and not _taken_back(reader, held.overview):
                self._renew(reader, key, query)
                return held.overview
        return self._make(reader, key, query)

    def _make(self, reader: Reader, key: str, query: Query) -> Overview:
        began = time.perf_counter()
        overview = _read(reader, query)
        with self._lock:
            self._made[key] = _Made(overview, time.perf_counter() - began)
            self._made.move_to_end(key)
            while len(self._made) > _MOST_REMEMBERED:
                self._made.popitem(last=False)
        return overview

    def _renew(self, reader: Reader, key: str, query: Query) -> None:
        """Make an overview anew on a thread of its own, unless that is under way."""
        with self._lock:
            if key in self._under_way:
                return
            self._under_way.add(key)

        def work() -> None:
            try:
                self._make(reader, key, query)
            finally:
                self._under_way.discard(key)

        threading.Thread(target=work, name="overview", daemon=True).start()


def overviews() -> Overviews:
    """Give the application's overviews."""
    found: Overviews = current_app.extensions.setdefault("overviews", Overviews())
    return found


_TAKEN_BACK = (
    select(Change.seq)
    .where(
        Change.seq > bindparam("since"),
        Change.action.in_([literal_column("'erased'"), literal_column("'withdrawn'")]),
    )
    .limit(1)
)


def _taken_back(reader: Reader, overview: Overview) -> bool:
    """Tell whether a record that an overview counts may have been withdrawn or erased since."""
    return bool(reader.run(_TAKEN_BACK, {"since": overview.dataset_version}))


def _read(reader: Reader, query: Query) -> Overview:
    """Read an overview; again where the data changed between its statements."""
    for _ in range(3):
        before = reader.run(LAST)[0][0]
        value = _collect(reader, query)
        if reader.run(LAST)[0][0] == before:
            break
    value["dataset_version"] = before
    return Overview(orjson.dumps(value), before)


def _collect(reader: Reader, query: Query) -> dict[str, Any]:
    criteria = windowed(query.criteria)
    values: dict[str, Any] = {}
    clauses = [_PUBLISHED]
    for name, value in criteria.items():
        row = FILTERS[name]
        clauses.append(row.clause(name, row.shape(value), query.match))
        values |= row.values(name, value)

    def rows(statement: Select[Any]) -> Sequence[Any]:
        prepared: Prepared = reader.prepare(statement.where(*clauses))
        return reader.rows(prepared, values)

    places = rows(_PLACES)
    kinds = rows(_KINDS)
    types, countries = Counter[str](), Counter[str]()
    for country, type_, number in kinds:
        countries[country] += number
        types[type_] += number
    return {
        "incidents": sum(types.values()),
        **_places(places),
        "dates": [_date(*row) for row in sorted(rows(_DATES), key=str)],
        "types": [{"type": type_, "incidents": types[type_]} for type_ in sorted(types)],
        "countries": [
            {"country": country, "incidents": countries[country]} for country in sorted(countries)
        ],
        "figures": _figures(rows(_FIGURES)[0]),
    }


_PLACES = select(
    _incidents.latitude,
    _incidents.longitude,
    _incidents.geo_precision,
    func.min(_incidents.city),
    func.min(_incidents.country),
    _NUMBER,
).group_by(_incidents.latitude, _incidents.longitude, _incidents.geo_precision)


def _places(rows: Sequence[Any]) -> dict[str, Any]:
    """Lay out the places: those with the most incidents, and how many more there are."""
    placed = [row for row in rows if row[0] is not None]
    placed.sort(key=lambda row: (-row[5], row[:3]))
    names = ("latitude", "longitude", "geo_precision", "city", "country", "incidents")
    others = placed[MOST_PLACES:]
    return {
        "places": [dict(zip(names, row, strict=True)) for row in placed[:MOST_PLACES]],
        "other_places": {"places": len(others), "incidents": sum(row[5] for row in others)},
        "without_coordinates": sum(row[5] for row in rows if row[0] is None),
    }


def _month(day: ColumnElement[str], open_end: str) -> ColumnElement[Any]:
    return case((day == literal_column(f"'{open_end}'"), None), else_=func.substr(day, 1, 7))


_DATES = select(
    _month(_incidents.earliest, EARLIEST).label("first"),
    _month(_incidents.latest, LATEST).label("last"),
    _incidents.date_precision,
    _NUMBER,
).group_by("first", "last", _incidents.date_precision)


def _date(first: str | None, last: str | None, precision: str, number: int) -> dict[str, Any]:
    return {"first_month": first, "last_month": last, "precision": precision, "incidents": number}


_KINDS = select(_incidents.country, _incidents.type, _NUMBER).group_by(
    _incidents.country, _incidents.type
)


def _sum_where(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _known(name: str) -> list[ColumnElement[Any]]:
    """Count the records that give one exact figure, and those that give any at all."""
    best, low, high = (_incidents[f"{name}{end}"] for end in ("", "_low", "_high"))
    return [
        _sum_where(and_(low == high, best == low)),
        _sum_where(or_(best.is_not(None), low.is_not(None), high.is_not(None))),
    ]


_FIGURES = select(func.count(), *(part for name in COUNT_FIELDS for part in _known(name)))


def _figures(row: Sequence[int]) -> dict[str, dict[str, int]]:
    """Tell of each count how many incidents report it exactly, within bounds, or not at all."""
    total, *parts = row
    return {
        name: {
            "exact": parts[2 * place],
            "bounded": parts[2 * place + 1] - parts[2 * place],
            "not_reported": total - parts[2 * place + 1],
        }
        for place, name in enumerate(COUNT_FIELDS)
    }
