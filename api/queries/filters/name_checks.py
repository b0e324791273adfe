"""Names in filters: what nothing here is called is an error that helps, not an empty answer."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, bindparam, literal, literal_column, or_, select
from sqlalchemy.sql import Select

from api import geo
from api.core.permissions import Actor
from api.database.readers import Reader
from api.models import Community, Episode, Incident
from api.models.tables import key, table
from schemas.errors import ErrorDetail, nearest
from schemas.query.parameters import QueryError

_incidents = table(Incident).c
_TERMS: dict[str, Select[tuple[str]]] = {
    "community": select(Community.id),
    "episode": select(Episode.id),
}
_PATHS = {"community": "communities", "episode": "episodes"}
_HERE = select(literal(1)).where(_incidents.city_key == bindparam("city_key")).limit(1)
# Each as the partial indexes have it.
_PUBLISHED = _HERE.where(_incidents.status == literal_column("'published'"))
_DRAFTS = _HERE.where(
    literal_column("status <> 'published'"),
    _incidents.status == "draft",
    or_(bindparam("reads_all") == 1, _incidents.author_pk == bindparam("actor_pk")),
)


def check(reader: Reader, engine: Engine, criteria: Mapping[str, Any], actor: Actor) -> None:
    """Refuse communities, episodes and cities that nothing here is called, by parameter.

    Ids are remembered, and asked for again only where one is not among them.
    """
    messages = {
        **_unknown_terms(reader, "community", _communities(criteria.get("community", ()))),
        **_unknown_terms(reader, "episode", criteria.get("episode", ())),
    }
    cities = criteria.get("city", ())
    faults = [
        _unknown_city(engine, city, criteria)
        for city in cities
        if not _known_city(engine, city) and not _stands(reader, city, actor)
    ]
    if faults:
        messages["city"] = faults
    if messages:
        raise QueryError(messages)


def _communities(asked: Iterable[Any]) -> set[str]:
    """Gather ids from a filter on incidents, groups of ids with roles, or on claims, plain ids."""
    return {
        id_
        for one in asked
        for id_ in ([one] if isinstance(one, str) else [member for member, _ in one])
    }


@lru_cache(maxsize=64)
def _held(reader: Reader, name: str) -> set[str]:
    """Give the ids of a vocabulary as they were when one was last not found."""
    return {id_ for (id_,) in reader.run(_TERMS[name])}


def _unknown_terms(reader: Reader, name: str, ids: Iterable[str]) -> dict[str, list[ErrorDetail]]:
    unknown = set(ids) - _held(reader, name)
    if unknown:
        _held(reader, name).update(id_ for (id_,) in reader.run(_TERMS[name]))
        unknown -= _held(reader, name)
    faults = []
    for id_ in sorted(unknown):
        close = nearest(id_, _held(reader, name))
        hint = f"; did you mean {close}?" if close else "."
        detail = f"There is no {name} {id_!r}{hint} All are at /api/v1/{_PATHS[name]}."
        faults.append(ErrorDetail(f"unknown_{name}", detail, suggestion=close))
    return {name: faults} if faults else {}


@lru_cache(maxsize=4096)
def _known_city(engine: Engine, name: str) -> bool:
    """Tell whether the gazetteer knows a place of this NAME; it stands still meanwhile."""
    with engine.connect() as connection:
        return bool(geo.namesakes(connection, name))


def _stands(reader: Reader, city: str, actor: Actor) -> bool:
    """Tell whether a record that the caller may read has this CITY."""
    values: dict[str, Any] = {"city_key": key(city)}
    if reader.run(_PUBLISHED, values):
        return True
    if actor.pk is None:
        return False
    values |= {"reads_all": int(actor.reads_all), "actor_pk": actor.pk}
    return bool(reader.run(_DRAFTS, values))


def _unknown_city(engine: Engine, city: str, criteria: Mapping[str, Any]) -> ErrorDetail:
    with engine.connect() as connection:
        near = [
            name
            for country in criteria.get("country", ())[:3]
            for name in geo.near_names(connection, city, country)
        ] or geo.near_anywhere(connection, city)
    hint = f" Near names: {', '.join(near)}." if near else ""
    detail = f"Neither the gazetteer nor any record knows a city {city[:40]!r}.{hint}"
    return ErrorDetail("unknown_city", detail, suggestions=near or None)
