"""Checks of names: what nothing here is called is an error that helps, not an empty answer."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, literal_column, select, true
from sqlalchemy.sql import Select

from api.core.permissions import Actor
from api.database.readers import Reader
from api.geo import lookup
from api.models import Incident
from api.models.tables import key, table
from api.search.term_names import MODELS, Vocabulary, term_names
from schemas.errors import ErrorDetail
from schemas.query.parameters import QueryError

MOST_SUGGESTED = 3  # unknown names of a filter for which near ones are looked for

_incidents = table(Incident).c
_IDS: dict[Vocabulary, Select[tuple[str]]] = {
    vocabulary: select(model.id) for vocabulary, model in MODELS.items()
}
_TERMS: Mapping[str, Vocabulary] = {"community": "communities", "episode": "episodes"}
_SEVERAL = "alternatives are joined by a comma without a blank, as in armenian,azerbaijani"


def with_ids(reader: Reader, criteria: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """Return the criteria with ids for the names of communities and episodes.

    Raises QueryError for communities, episodes and cities that nothing here is called, by
    parameter.
    """
    resolved, messages = dict(criteria), {}
    for parameter, vocabulary in _TERMS.items():
        if parameter in criteria:
            ids, faults = _ids_of(reader, vocabulary, _names(criteria[parameter]))
            if faults:
                messages[parameter] = faults
            else:
                resolved[parameter] = _replace_names(criteria[parameter], ids)
    engine = reader.engine
    unknown = [
        city
        for city in criteria.get("city", ())
        if not _known_city(engine, lookup.epoch(), city)
        and not held(reader, _incidents.city_key, [key(city)], actor)
    ]
    if unknown:
        messages["city"] = _unknown_cities(engine, unknown, criteria)
    if messages:
        raise QueryError(messages)
    return resolved


def _names(criterion: Iterable[Any]) -> list[str]:
    """Return the names in a filter: groups of names with roles, or plain names."""
    return [
        name
        for each in criterion
        for name in ([each] if isinstance(each, str) else [member for member, _ in each])
    ]


def _replace_names(criterion: Iterable[Any], ids: Mapping[str, str]) -> list[Any]:
    """Return a filter with ids in the place of names, each alternative once."""
    replaced: list[Any] = []
    for each in criterion:
        if isinstance(each, str):
            replaced += [ids[each]] if ids[each] not in replaced else []
        else:
            replaced.append(list(dict.fromkeys((ids[name], role) for name, role in each)))
    return replaced


@lru_cache(maxsize=64)
def _known_ids(reader: Reader, vocabulary: Vocabulary) -> set[str]:
    """Return the ids of a vocabulary as they were when one was last not among them."""
    return {id_ for (id_,) in reader.run(_IDS[vocabulary])}


def _ids_of(
    reader: Reader, vocabulary: Vocabulary, names: Iterable[str]
) -> tuple[dict[str, str], list[ErrorDetail]]:
    """Return the ids of names, and what is wrong with those that nothing is called.

    Ids are cached; names and aliases are asked for where one is not among them.
    """
    known = _known_ids(reader, vocabulary)
    ids = {name: name for name in names if name in known}
    unknown = sorted({name for name in names if name not in known})
    if not unknown:
        return ids, []
    with reader.engine.connect() as connection:
        called = term_names(connection, vocabulary)
    known.update(called.ids)
    faults: list[ErrorDetail] = []
    for name in unknown:
        id_ = called.id_of(name)
        if id_ is None:
            suggest = len(faults) < MOST_SUGGESTED
            faults.append(called.unknown(name, _SEVERAL, suggest=suggest))
        else:
            ids[name] = id_
    return ids, faults


@lru_cache(maxsize=4096)
def _known_city(engine: Engine, _epoch: int, name: str) -> bool:
    """Whether the gazetteer knows a place of this NAME; remembered for seconds."""
    with engine.connect() as connection:
        return bool(lookup.places_named(connection, name))


def held(
    reader: Reader, column: ColumnElement[Any], keys: Collection[str | None], actor: Actor
) -> set[str]:
    """Return those of KEYS that a record which ACTOR may read has in COLUMN."""
    # Each as the partial indexes have it.
    audiences = [_incidents.status == literal_column("'published'")]
    if actor.pk is not None:
        own = true() if actor.reads_all else _incidents.author_pk == actor.pk
        unpublished: ColumnElement[bool] = literal_column("status <> 'published'")
        audiences.append(and_(unpublished, _incidents.status == "draft", own))
    rows = select(column).distinct().where(column.in_(keys))
    with reader.engine.connect() as connection:
        return {key for each in audiences for key in connection.scalars(rows.where(each))}


def _unknown_cities(
    engine: Engine, cities: Sequence[str], criteria: Mapping[str, Any]
) -> list[ErrorDetail]:
    """Return what is wrong with each of CITIES, with near names for the first of them."""
    with engine.connect() as connection:
        near = {city: _near_names(connection, city, criteria) for city in cities[:MOST_SUGGESTED]}
    return [_unknown_city(city, near.get(city, [])) for city in cities]


def _near_names(connection: Connection, city: str, criteria: Mapping[str, Any]) -> list[str]:
    """Return names of places that a CITY may be meant for, in the first countries named."""
    return [
        name
        for country in criteria.get("country", ())[:3]
        for name in lookup.similar_names(connection, city, country)
    ] or lookup.similar_names(connection, city)


def _unknown_city(city: str, near: list[str]) -> ErrorDetail:
    hint = f" Near names: {', '.join(near)}." if near else ""
    detail = f"Neither the gazetteer nor any record knows a city {city[:40]!r}.{hint}"
    return ErrorDetail("unknown_city", detail, suggestions=near or None)
