"""From a loaded query to a resolved one: names are looked up, dates become windows."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine

from api.core.permissions import PUBLIC, Actor
from api.database.engines import reader
from api.geo import centers, lookup
from api.geo.place_errors import PlaceError
from api.models.tables import key
from api.queries.filters import division_names, name_checks, open_names, record_ids
from api.queries.filters.orders import RELEVANCE
from api.queries.results import ResolvedQuery
from api.queries.text.text_queries import resolve_text
from schemas.errors import ErrorDetail
from schemas.query.loading import LoadedQuery
from schemas.query.parameters import QueryError


def resolve(query: LoadedQuery, actor: Actor = PUBLIC) -> ResolvedQuery:
    """Return QUERY with its names looked up: of cities, terms, publishers, a place; words; ids.

    Raises QueryError for a city, a community or an episode that nothing which ACTOR may read is
    called, for a place that the gazetteer does not know, for words that cannot be read, and for
    relevance without words.
    """
    criteria = date_windows(query.criteria) if query.criteria else query.criteria
    if query.sort == RELEVANCE and "q" not in criteria:
        detail = "Relevance is to words that are looked for: give them as q, or take another sort."
        raise QueryError({"sort": [ErrorDetail("needs_words", detail)]})
    if criteria.keys() & {"city", "community", "episode"}:
        criteria = name_checks.with_ids(reader(), criteria, actor)
    if "q" in criteria:
        criteria["q"] = resolve_text(reader(), criteria["q"])
    if "city" in criteria:
        criteria["city"] = _keys(
            name
            for city in criteria["city"]
            for name in _city_keys(reader().engine, lookup.epoch(), city)
        )
    warnings = _unknown(criteria, actor)
    if "admin1" in criteria:
        criteria["admin1"], more = division_names.resolve(reader(), criteria, actor)
        warnings += more
    for name in criteria.keys() & {"publisher", "attributed_to"}:
        criteria[name] = _keys(criteria[name])
    if "organisation" in criteria:
        criteria["organisation"] = list(map(_keys, criteria["organisation"]))
    if "id" in criteria:
        criteria["id"], more = record_ids.follow(
            reader(), criteria["id"], actor, criteria.get("status", ())
        )
        warnings += more
    if "near" in criteria:
        warnings += _look_up_near(criteria)
    return ResolvedQuery(
        criteria,
        query.match,
        query.sort,
        query.limit,
        query.cursor,
        query.count,
        query.fields,
        query.group_by,
        warnings,
    )


def _unknown(criteria: Mapping[str, Any], actor: Actor) -> tuple[dict[str, str], ...]:
    """Return warnings of the open names in CRITERIA that nothing which ACTOR may read has."""
    warnings: tuple[dict[str, str], ...] = ()
    for name in [name for name in open_names.NAMES if name in criteria]:
        groups = [criteria[name]] if name == "publisher" else criteria[name]
        for names in groups:
            warnings += open_names.unknown_names(reader(), name, names, actor)
    if "external_id" in criteria:
        warnings += open_names.unknown_external_ids(reader(), criteria["external_id"], actor)
    return warnings


def date_windows(criteria: dict[str, Any]) -> dict[str, Any]:
    """Return CRITERIA with the windows that the three date parameters open: first and last day."""
    windows = dict(criteria)
    for name in ("date", "date_from", "date_to"):
        span = criteria.get(name)
        if span is not None:
            start = "0001-01-01" if name == "date_to" else span.earliest
            end = "9999-12-31" if name == "date_from" else span.latest
            windows[name] = (start, end)
    if "date_from" in windows and "date_to" in windows:
        # Both together are one window: half of it each would keep what straddles neither.
        windows["date_from"] = (windows["date_from"][0], windows.pop("date_to")[1])
    return windows


def _look_up_near(criteria: dict[str, Any]) -> tuple[dict[str, str], ...]:
    """Put the point that `near` means into CRITERIA; return what was assumed of its name."""
    center, radius_km = criteria["near"]
    if not isinstance(center, str):
        criteria["near"] = (*center, radius_km)
        return ()
    latitude, longitude, assumed = _center(
        reader().engine, lookup.epoch(), center, tuple(criteria.get("country", ()))
    )
    criteria["near"] = (latitude, longitude, radius_km)
    return ({"parameter": "near", "code": "place_taken", "detail": assumed},)


@lru_cache(maxsize=4096)
def _center(
    engine: Engine, _epoch: int, name: str, countries: tuple[str, ...]
) -> tuple[float, float, str]:
    """Return the point that NAME means in COUNTRIES or the world, and what was taken for it."""
    with engine.connect() as connection:
        try:
            place = centers.center(connection, name, countries)
        except PlaceError as error:
            raise QueryError({"near": [ErrorDetail(error.code, error.detail)]}) from None
    return place.latitude, place.longitude, centers.taken(name, place)


@lru_cache(maxsize=4096)
def _city_keys(engine: Engine, _epoch: int, name: str) -> list[str]:
    """Return what a city's name may mean; remembered for seconds, for editors add places."""
    with engine.connect() as connection:
        return lookup.city_keys(connection, name)


def _keys(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for name in map(key, names) if name is not None))
