"""Overviews: what a query's records look like together, for a map, a timeline and plots.

Numbers of incidents only, by place, by month, by type and country, and how many report each figure;
no sums, and nothing by community. What is imprecise stays so: a point carries its precision, a
date that spans months is a row with both ends, and what is not reported is counted.

An overview counts every record that the query means. So its numbers are cached, and brought up to
date by the records that changed.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import orjson
from flask import current_app

from api.database.readers import Reader
from api.models import feed
from api.queries.cache import cache_of, cached
from api.queries.filters.incidents import has_predicates
from api.queries.overview import aggregates
from api.queries.overview.aggregates import OverviewAggregate
from api.queries.results import ResolvedQuery

# Places in one answer, those with the most incidents first; of the others it tells the number.
MOST_PLACES = 2000


@dataclass(frozen=True, slots=True)
class Overview:
    """An overview as it is sent, and the dataset version that it stands for."""

    body: bytes
    dataset_version: int


def overview(reader: Reader, query: ResolvedQuery) -> Overview:
    """Return the overview of the published records that QUERY means."""
    cache, key = cache_of(reader), repr((sorted(query.criteria.items()), query.match))
    entry = cache.get(("overview", key))
    if entry is not None and entry[0] == feed.version_seen_by(reader):
        answer: Overview = entry[1]
        return answer
    aggregate = cached(
        reader,
        ("places and dates", key),
        lambda: aggregates.compute(reader, query),
        incremental=has_predicates(query.criteria),
    )
    with aggregate.lock:
        answer = Overview(orjson.dumps(_laid_out(aggregate)), aggregate.version)
    cache.put(("overview", key), answer.dataset_version, answer, len(answer.body) + 1000)
    return answer


def warm() -> None:
    """Compute the overview of all records before someone asks for it, wherever it is read."""
    for name in ("reader", "standby_reader"):
        if name in current_app.extensions:
            overview(current_app.extensions[name], ResolvedQuery())


def _laid_out(aggregate: OverviewAggregate) -> dict[str, Any]:
    """Return the members of the answer."""
    total = aggregate.types.total()
    date = ("first_month", "last_month", "precision", "incidents")
    return {
        "incidents": total,
        **_places(aggregate),
        "dates": [
            dict(zip(date, (*key, number), strict=True))
            for key, number in sorted(aggregate.dates.items(), key=str)
        ],
        "types": [
            {"type": type_, "incidents": number}
            for type_, number in sorted(aggregate.types.items())
        ],
        "countries": [
            {"country": country, "incidents": number}
            for country, number in sorted(aggregate.countries.items())
        ],
        "figures": {
            name: {"exact": exact, "bounded": known - exact, "not_reported": total - known}
            for name, (exact, known) in aggregate.figures.items()
        },
        "dataset_version": aggregate.version,
    }


def _places(aggregate: OverviewAggregate) -> dict[str, Any]:
    """Return the places: those with the most incidents, how many more there are, and the areas.

    A place is a point at a precision; where records call it differently, the first name is shown.
    """
    numbers, names = Counter[Any](), dict[Any, tuple[str | None, str]]()
    areas = Counter[tuple[str, str]]()
    for (*point, city, country), number in aggregate.places.items():
        if point[2] in ("admin1", "country"):
            areas[point[2], country] += number
        place, name = tuple(point), (city, country)
        if place[0] is not None:
            numbers[place] += number
            names[place] = min(names.get(place, name), name, key=_first)
    shown = sorted(numbers, key=lambda place: (-numbers[place], place))[:MOST_PLACES]
    members = ("latitude", "longitude", "geo_precision", "city", "country", "incidents")
    points = len(numbers) if aggregate.holds_all else aggregate.points
    return {
        "places": [
            dict(zip(members, (*place, *names[place], numbers[place]), strict=True))
            for place in shown
        ],
        "other_places": {
            "places": points - len(shown),
            "incidents": aggregate.located - sum(numbers[place] for place in shown),
        },
        "without_coordinates": aggregate.types.total() - aggregate.located,
        "areas": [
            {"geo_precision": precision, "country": country, "incidents": number}
            for (precision, country), number in sorted(areas.items())
        ],
    }


def _first(name: tuple[str | None, str]) -> tuple[bool, str, str]:
    """Order names of a place; one without a city comes last."""
    city, country = name
    return city is None, city or "", country
