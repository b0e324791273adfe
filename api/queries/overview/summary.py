"""Overviews: what a query's records look like together, for a map, a timeline and plots.

Numbers of incidents only, by place, by month, by type and country, and how many report each figure;
no sums, and nothing by community. What is imprecise stays so: a point carries its precision, a
date that spans months is a row with both ends, and what is not reported is counted.

An overview counts every record that the query means. So its numbers are remembered, and brought up
to date by the records that changed.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import orjson
from flask import current_app

from api.database.readers import Reader
from api.models import feed
from api.queries.cache import followed, memory_of
from api.queries.filters import predicates
from api.queries.overview import aggregates
from api.queries.overview.aggregates import Tally
from schemas.query.loading import LoadedQuery

# Places in one answer, those with the most incidents first; of the others it tells the number.
MOST_PLACES = 2000


@dataclass(frozen=True, slots=True)
class Overview:
    """An overview as it is sent, and the dataset version that it stands for."""

    body: bytes
    dataset_version: int


def overview(reader: Reader, query: LoadedQuery) -> Overview:
    """Give the overview of the published records that QUERY means; its names are resolved."""
    memory, key = memory_of(reader), repr((sorted(query.criteria.items()), query.match))
    known = memory.get(("overview", key))
    if known is not None and known[0] == feed.version_seen_by(reader):
        found: Overview = known[1]
        return found
    tally = followed(
        reader,
        ("places and dates", key),
        lambda: aggregates.compute(reader, query),
        testable=predicates.testable(query.criteria),
    )
    with tally.lock:
        found = Overview(orjson.dumps(_laid_out(tally)), tally.version)
    memory.put(("overview", key), found.dataset_version, found, len(found.body) + 1000)
    return found


def warm() -> None:
    """Have the overview of all records ready before someone asks for it, wherever it is read."""
    for name in ("reader", "standby_reader"):
        if name in current_app.extensions:
            overview(current_app.extensions[name], LoadedQuery())


def _laid_out(tally: Tally) -> dict[str, Any]:
    """Lay out a tally as JSON."""
    total = tally.types.total()
    date = ("first_month", "last_month", "precision", "incidents")
    return {
        "incidents": total,
        **_places(tally),
        "dates": [
            dict(zip(date, (*key, number), strict=True))
            for key, number in sorted(tally.dates.items(), key=str)
        ],
        "types": [
            {"type": type_, "incidents": number} for type_, number in sorted(tally.types.items())
        ],
        "countries": [
            {"country": country, "incidents": number}
            for country, number in sorted(tally.countries.items())
        ],
        "figures": {
            name: {"exact": exact, "bounded": known - exact, "not_reported": total - known}
            for name, (exact, known) in tally.figures.items()
        },
        "dataset_version": tally.version,
    }


def _places(tally: Tally) -> dict[str, Any]:
    """Lay out the places: those with the most incidents, and how many more there are.

    A place is a point at a precision; where records call it differently, the first name is shown.
    """
    numbers, names = Counter[Any](), dict[Any, tuple[str | None, str]]()
    for (*point, city, country), number in tally.places.items():
        place, name = tuple(point), (city, country)
        if place[0] is not None:
            numbers[place] += number
            names[place] = min(names.get(place, name), name, key=_first)
    shown = sorted(numbers, key=lambda place: (-numbers[place], place))[:MOST_PLACES]
    members = ("latitude", "longitude", "geo_precision", "city", "country", "incidents")
    points = len(numbers) if tally.holds_all else tally.points
    return {
        "places": [
            dict(zip(members, (*place, *names[place], numbers[place]), strict=True))
            for place in shown
        ],
        "other_places": {
            "places": points - len(shown),
            "incidents": tally.located - sum(numbers[place] for place in shown),
        },
        "without_coordinates": tally.types.total() - tally.located,
    }


def _first(name: tuple[str | None, str]) -> tuple[bool, str, str]:
    """Order names of a place; one without a city comes last."""
    city, country = name
    return city is None, city or "", country
