"""Matching: whether one document is among what a query means, without asking the database.

It is what `filters` says in SQL, for what is remembered of a query to be brought up to date by the
few records that changed since. `HOLDS` has a row for every filter that a document can be tested
for; a query with another one is not remembered beyond the next change.
"""

from collections.abc import Callable, Mapping
from typing import Any

from api.geo import grid
from api.models.tables import key
from api.queries.filters import spatial
from schemas import dates
from schemas.counts import COUNT_FIELDS, at_least, at_most
from schemas.record_state import figure_of

Document = Mapping[str, Any]
Holds = Callable[[Document, Any, Any], bool]


def testable(criteria: Mapping[str, Any]) -> bool:
    """Tell whether documents can be tested for CRITERIA."""
    return criteria.keys() <= HOLDS.keys()


def matches(document: Document, criteria: Mapping[str, Any], match: str | None) -> bool:
    """Tell whether a published DOCUMENT is among what CRITERIA (resolved, windowed) mean."""
    return all(HOLDS[name](document, value, match) for name, value in criteria.items())


def _one_of(member: str) -> Holds:
    return lambda document, values, _: document[member] in values


def _took_part(document: Document, groups: list[list[tuple[str, str | None]]], _: Any) -> bool:
    parts = [(entry["community"], entry["role"]) for entry in document["communities"]]
    return all(
        any(name == part and role in (None, its) for name, role in group for part, its in parts)
        for group in groups
    )


def _articles(member: str, fold: Callable[[Any], Any] = lambda value: value) -> Holds:
    return lambda document, values, _: any(
        fold(source["article"][member]) in values for source in document["sources"]
    )


def _disputed(document: Document, words: list[str], _: Any) -> bool:
    plain = "true" if document["disputed"] else "false"
    return any(word == plain or word in document["disputed"] for word in words)


def _unreported(document: Document, words: list[str], _: Any) -> bool:
    return any(
        document[word] is None
        if word == "property_damage"
        else not figure_of(document, word).reported
        for word in words
    )


def _damage(document: Document, words: list[str], _: Any) -> bool:
    damage = document["property_damage"]
    return ("unknown" if damage is None else str(damage).lower()) in words


def _within(document: Document, window: tuple[str, str], match: str | None) -> bool:
    span, (start, end) = dates.parse(document["date"]), window
    if span.latest < start or span.earliest > end:
        return False
    return match != "certain" or span.exact or (span.earliest >= start and span.latest <= end)


def _in_area(holds: Callable[[float, float, Any], bool]) -> Holds:
    def test(document: Document, area: Any, match: str | None) -> bool:
        latitude, longitude = document["latitude"], document["longitude"]
        if latitude is None or (match == "certain" and document["geo_precision"] in spatial.VAGUE):
            return False
        return holds(latitude, longitude, area)

    return test


def _in_circle(latitude: float, longitude: float, circle: spatial.Circle) -> bool:
    pairs = zip(grid.vector(latitude, longitude), grid.vector(*circle[:2]), strict=True)
    x, y, z = (one - other for one, other in pairs)
    return x * x + y * y + z * z <= grid.chord_squared(circle[2])


def _at_least(name: str) -> Holds:
    return lambda document, bound, match: at_least(figure_of(document, name), bound, match)


def _at_most(name: str) -> Holds:
    return lambda document, bound, match: at_most(figure_of(document, name), bound, match)


HOLDS: dict[str, Holds] = {
    "city": lambda document, keys, _: key(document["city"]) in keys,
    "country": _one_of("country"),
    "community": _took_part,
    "role": lambda document, roles, _: any(
        entry["role"] in roles for entry in document["communities"]
    ),
    "type": _one_of("type"),
    "episode": _one_of("episode"),
    "police_measure": lambda document, groups, _: all(
        any(measure in group for measure in document["police_measures"]) for group in groups
    ),
    "publisher": _articles("publisher", key),
    "article": _articles("id"),
    "status": _one_of("status"),
    "disputed": _disputed,
    "unreported": _unreported,
    "property_damage": _damage,
    "date": _within,
    "date_from": _within,
    "date_to": _within,
    "updated_since": lambda document, bound, _: document["updated_at"] >= bound,
    "min_sources": lambda document, bound, _: document["number_of_sources"] >= bound,
    "bbox": _in_area(spatial.box_holds),
    "near": _in_area(_in_circle),
    **{f"min_{name}": _at_least(name) for name in COUNT_FIELDS},
    **{f"max_{name}": _at_most(name) for name in COUNT_FIELDS},
}
