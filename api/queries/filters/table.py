"""Filters as a table: how each parameter of the query schema becomes a condition.

`FILTERS` has one row for each; `ORDERS` one for each sort.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    true,
    union_all,
)

from api import search
from api.models import Article, Incident, IncidentCommunity, IncidentMeasure, Source
from api.models.tables import table
from api.queries.filters import spatial
from schemas.counts import COUNT_FIELDS
from schemas.fields import MAX_COUNT

incidents = table(Incident).c
Shape = Hashable
Clause = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """A row of the table: how a parameter's value becomes a condition.

    `shape` is what of the value decides the SQL, `clause` makes the condition from the parameter's
    name, the shape and `match`, `values` gives what is bound.
    """

    shape: Callable[[Any], Shape]
    clause: Callable[[str, Any, str | None], Clause]
    values: Callable[[str, Any], dict[str, Any]]


def bound_to(name: str) -> ColumnElement[Any]:
    """Give the parameter that a value is bound to."""
    return bindparam(name)


def _numbered(name: str, values: list[Any]) -> dict[str, Any]:
    return {f"{name}_{place}": value for place, value in enumerate(values)}


def among(column: ColumnElement[Any], name: str, number: int) -> Clause:
    """Hold where COLUMN is one of so many values, bound under NAME."""
    if number == 1:
        return column == bindparam(f"{name}_0")
    return column.in_([bindparam(f"{name}_{place}") for place in range(number)])


def any_of(column: ColumnElement[Any]) -> Filter:
    """Match records whose COLUMN is one of the alternatives."""
    return Filter(len, lambda name, number, _: among(column, name, number), _numbered)


def words(clauses: Callable[[str], Clause]) -> Filter:
    """Match records by alternatives that each are a condition of their own."""
    return Filter(
        tuple,
        lambda _name, shape, _: or_(*(clauses(word) for word in shape)),
        lambda _name, _values: {},
    )


def one(
    clause: Callable[[ColumnElement[Any], str | None], Clause],
    shape: Callable[[Any], Shape] = lambda _: None,
) -> Filter:
    """Match records by one bound value."""
    return Filter(
        shape,
        lambda name, _, match: clause(bindparam(name), match),
        lambda name, value: {name: value},
    )


def _figure(name: str) -> list[ColumnElement[Any]]:
    """Give the columns of a count: best, low, high."""
    return [getattr(incidents, f"{name}{end}") for end in ("", "_low", "_high")]


def _at_least(name: str) -> Filter:
    best, low, high = _figure(name)
    reported = or_(best.is_not(None), low.is_not(None))

    def clause(bound: ColumnElement[Any], match: str | None) -> Clause:
        if match == "certain":
            return low >= bound
        if match == "possible":
            return or_(high >= bound, and_(high.is_(None), reported))
        return func.coalesce(best, low) >= bound

    return one(clause, lambda bound: bool(bound > 0))


def _at_most(name: str) -> Filter:
    best, low, high = _figure(name)
    reported = or_(best.is_not(None), high.is_not(None))

    def clause(bound: ColumnElement[Any], match: str | None) -> Clause:
        if match == "certain":
            return high <= bound
        if match == "possible":
            return or_(low <= bound, and_(low.is_(None), reported))
        return func.coalesce(best, high) <= bound

    return one(clause)


def took_part(name: str, shape: tuple[tuple[bool, ...], ...], but: int | None = None) -> Clause:
    """Hold for each group of alternatives (BUT one) that one of them took part, in its role."""
    groups = []
    for place, group in enumerate(shape):
        if place == but:
            continue
        rows = table(IncidentCommunity).alias(f"took_part_{place}").c
        alternatives = []
        for number, with_role in enumerate(group):
            same = rows.community == bindparam(f"{name}_{place}_{number}")
            if with_role:
                same = and_(same, rows.role == bindparam(f"{name}_{place}_{number}_role"))
            alternatives.append(same)
        groups.append(exists().where(rows.incident_pk == incidents.pk, or_(*alternatives)))
    return and_(true(), *groups)


def _took_part_values(name: str, groups: list[list[tuple[str, str | None]]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for place, group in enumerate(groups):
        for number, (community, role) in enumerate(group):
            values[f"{name}_{place}_{number}"] = community
            if role is not None:
                values[f"{name}_{place}_{number}_role"] = role
    return values


def _measures(name: str, shape: tuple[int, ...], _: str | None) -> Clause:
    groups = []
    for place, number in enumerate(shape):
        rows = table(IncidentMeasure).alias(f"measure_{place}").c
        taken = among(rows.measure, f"{name}_{place}", number)
        groups.append(exists().where(rows.incident_pk == incidents.pk, taken))
    return and_(*groups)


def _role(name: str, number: int, _: str | None) -> Clause:
    rows = table(IncidentCommunity).alias("had_role").c
    return exists().where(rows.incident_pk == incidents.pk, among(rows.role, name, number))


def _cites(column: Callable[[Any], ColumnElement[Any]], alias: str) -> Filter:
    rows, articles = table(Source).alias(f"{alias}_source").c, table(Article).alias(alias)

    def clause(name: str, number: int, _: str | None) -> Clause:
        return exists().where(
            rows.incident_pk == incidents.pk,
            rows.article_pk == articles.c.pk,
            among(column(articles.c), name, number),
        )

    return Filter(len, clause, _numbered)


DISPUTED = incidents.disputed != literal_column("''")


def _disputed(word: str) -> Clause:
    if word in ("true", "false"):
        return DISPUTED if word == "true" else incidents.disputed == ""
    return incidents.disputed.contains(f"|{word}|", autoescape=True)


def _unreported(word: str) -> Clause:
    if word == "property_damage":
        return incidents.property_damage.is_(None)
    return and_(*(getattr(incidents, f"{word}{end}").is_(None) for end in ("", "_low", "_high")))


def _damage(word: str) -> Clause:
    if word == "unknown":
        return incidents.property_damage.is_(None)
    return incidents.property_damage.is_(word == "true")


def _overlaps(name: str, _shape: Shape, match: str | None) -> Clause:
    """Hold records whose date may lie (or, for certain, lies) in the window."""
    start, end = bound_to(f"{name}_start"), bound_to(f"{name}_end")
    possible = and_(incidents.latest >= start, incidents.earliest <= end)
    if match != "certain":
        return possible
    lasted = incidents.date_precision.in_([literal_column("'day'"), literal_column("'interval'")])
    within = and_(incidents.earliest >= start, incidents.latest <= end)
    return and_(possible, or_(lasted, within))


_WINDOW = Filter(
    lambda _: None,
    _overlaps,
    lambda name, window: {
        f"{name}_start": window[0],
        f"{name}_end": window[1],
        f"{name}_reach": _days_before(window[0]),
        f"{name}_first_slot": search.first_doc_id(window[1]),
        f"{name}_last_slot": search.last_doc_id(_days_before(window[0])),
    },
)


def _found(_name: str, _shape: Shape, _match: str | None) -> Clause:
    """Hold the records that a full-text query finds; the value is `searching.Searched`."""
    indexes = (search.PUBLIC_INDEX, search.PRIVATE_INDEX)
    return incidents.pk.in_(union_all(*(search.primary_keys(sought) for sought in indexes)))


FILTERS: dict[str, Filter] = {
    "q": Filter(lambda _: None, _found, lambda _, searched: dict(searched.values)),
    "city": any_of(incidents.city_key),
    "country": any_of(incidents.country),
    "community": Filter(
        lambda groups: tuple(tuple(role is not None for _, role in group) for group in groups),
        lambda name, groups, _: took_part(name, groups),
        _took_part_values,
    ),
    "role": Filter(len, _role, _numbered),
    "type": any_of(incidents.type),
    "episode": any_of(incidents.episode),
    "police_measure": Filter(
        lambda groups: tuple(len(group) for group in groups),
        _measures,
        lambda name, groups: {
            f"{name}_{place}_{number}": measure
            for place, group in enumerate(groups)
            for number, measure in enumerate(group)
        },
    ),
    "publisher": _cites(lambda articles: articles.publisher_key, "by_publisher"),
    "article": _cites(lambda articles: articles.id, "by_article"),
    "status": words(lambda word: incidents.status == literal_column(f"'{word}'")),
    "disputed": words(_disputed),
    "unreported": words(_unreported),
    "property_damage": words(_damage),
    "date": _WINDOW,
    "date_from": _WINDOW,
    "date_to": _WINDOW,
    "updated_since": one(lambda bound, _: incidents.updated_at >= bound),
    "min_sources": one(lambda bound, _: incidents.number_of_sources >= bound),
    "bbox": Filter(spatial.shape_of_box, spatial.in_box, spatial.box_values),
    "near": Filter(spatial.shape_of_circle, spatial.in_circle, spatial.circle_values),
    **{f"min_{name}": _at_least(name) for name in COUNT_FIELDS},
    **{f"max_{name}": _at_most(name) for name in COUNT_FIELDS},
}
_UNKNOWN_FIRST, _UNKNOWN_LAST = -1, MAX_COUNT + 1


def _figure_order(name: str, unknown: int) -> ColumnElement[Any]:
    """Order by best, else low; what is unknown gets a figure beyond all others."""
    best, low = getattr(incidents, name), getattr(incidents, f"{name}_low")
    return func.coalesce(best, low, literal_column(str(unknown)))


# Sort -> what is ordered by, and if descending. Every order ends on the id.
ORDERS: dict[str, tuple[ColumnElement[Any], bool, type]] = {
    "date": (incidents.sort_date, False, str),
    "-date": (incidents.sort_date, True, str),
    "updated_at": (incidents.updated_at, False, str),
    "-updated_at": (incidents.updated_at, True, str),
    **{
        f"{sign}{name}": (
            _figure_order(name, _UNKNOWN_FIRST if sign else _UNKNOWN_LAST),
            bool(sign),
            int,
        )
        for name in ("arrests", "injuries")
        for sign in ("", "-")
    },
}

_REACH = 366


def _days_before(day: str) -> str:
    """Give the day a year before: where a date of at most a year that reaches DAY may start."""
    try:
        return (date.fromisoformat(day) - timedelta(days=_REACH)).isoformat()
    except OverflowError:
        return "0001-01-01"


def windowed(criteria: dict[str, Any]) -> dict[str, Any]:
    """Replace the three date parameters by the windows they open."""
    found = dict(criteria)
    for name in ("date", "date_from", "date_to"):
        span = criteria.get(name)
        if span is not None and not isinstance(span, tuple):
            start = "0001-01-01" if name == "date_to" else span.earliest
            end = "9999-12-31" if name == "date_from" else span.latest
            found[name] = (start, end)
    if isinstance(found.get("date_from"), tuple) and isinstance(found.get("date_to"), tuple):
        # Both together are one window: half of it each would keep what straddles neither.
        found["date_from"] = (found["date_from"][0], found.pop("date_to")[1])
    return found
