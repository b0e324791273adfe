"""Finding places by name, in any script, on either engine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import ColumnElement, Connection, bindparam, func, select
from sqlalchemy.orm import Session

from api.database import statements
from api.models.places import Place, PlaceName
from schemas.countries import country_names
from schemas.name_folding import fold

Reading = Connection | Session

LONGEST_NAME = 200  # characters; what is longer is the name of no place and is not looked for
_NEAR = 0.7  # how alike two folded names must be for one to be suggested for the other
_COLUMNS = (
    Place.geonames_id,
    Place.name,
    Place.folded,
    Place.country,
    Place.admin1_code,
    Place.admin1,
    Place.latitude,
    Place.longitude,
    Place.population,
)
_PLACE = select(*_COLUMNS).where(Place.geonames_id == bindparam("geonames_id"))
_NAMESAKES = (
    select(*_COLUMNS, PlaceName.canonical)
    .join(PlaceName, PlaceName.geonames_id == Place.geonames_id)
    .where(PlaceName.name == bindparam("name"))
    .order_by(PlaceName.canonical.desc(), Place.population.desc(), Place.geonames_id)
)
_NAMESAKES_WITHIN = _NAMESAKES.where(Place.country == bindparam("country"))


@dataclass(frozen=True, slots=True)
class Found:
    """A place of the gazetteer, and whether it was found by its own name or by an alias."""

    geonames_id: int
    name: str
    folded: str
    country: str
    admin1_code: str | None
    admin1: str | None
    latitude: float
    longitude: float
    population: int
    canonical: bool = True

    def public(self) -> dict[str, Any]:
        """Show the place as answers and lists of candidates show it."""
        return {
            "name": self.name,
            "admin1": self.admin1,
            "country": self.country,
            "country_name": country_names().get(self.country),
            "latitude": self.latitude,
            "longitude": self.longitude,
            "population": self.population,
            "geonames_id": self.geonames_id,
        }


def place(connection: Reading, geonames_id: int) -> Found | None:
    """Get the place with this GEONAMES_ID, or None."""
    if not 0 < geonames_id < 2**31:  # PostgreSQL would refuse to compare what is larger
        return None
    rows = _run(connection, _PLACE, {"geonames_id": geonames_id})
    return Found(*rows[0]) if rows else None


def namesakes(connection: Reading, name: str, country: str | None = None) -> list[Found]:
    """List the places that go by NAME, by own name before alias, then the largest first."""
    folded = fold(name[: LONGEST_NAME + 1])
    if not 0 < len(folded) <= LONGEST_NAME:
        return []
    values = {"name": folded, "country": country}
    statement = _NAMESAKES if country is None else _NAMESAKES_WITHIN
    return [Found(*row) for row in _run(connection, statement, values)]


def _run(connection: Reading, statement: Any, values: dict[str, Any]) -> list[Any]:
    if isinstance(connection, Session):
        connection = connection.connection()
    return statements.run(connection, statement, values)


def own_before_alias(found: Iterable[Found]) -> list[Found]:
    """Drop places found by an alias wherever others bear the name as their own."""
    listed = list(found)
    return [each for each in listed if each.canonical] or listed


def meant_anywhere(connection: Reading, name: str) -> list[Found]:
    """List the places of the world that NAME may mean, the largest first.

    In each country own names go before aliases. Between countries a place found by an alias
    stays only if it is larger than all that bear the name as their own: Odessa means Odesa in
    Ukraine as well as Odessa in Texas, while Moscow never means Dalton in Ohio, once so called.
    """
    found = sorted(namesakes(connection, name), key=lambda each: each.country)
    meant = [
        each
        for _, group in groupby(found, key=lambda each: each.country)
        for each in own_before_alias(group)
    ]
    largest = max((each.population for each in meant if each.canonical), default=-1)
    meant = [each for each in meant if each.canonical or each.population > largest]
    return sorted(meant, key=lambda each: (-each.population, each.geonames_id))


def meant_by(connection: Reading, names: Iterable[str]) -> dict[str, list[Found]]:
    """Give what each of NAMES may mean, for those that are a name; see `meant_anywhere`."""
    folded = {name: fold(name) for name in names if len(name) <= LONGEST_NAME}
    query = select(PlaceName.name).distinct().where(PlaceName.name.in_(set(folded.values())))
    known = set(connection.scalars(query))
    return {name: meant_anywhere(connection, name) for name in folded if folded[name] in known}


def by_name_anywhere(connection: Reading, name: str) -> Found | None:
    """Get the largest place of the world that NAME may mean, or None; see `meant_anywhere`."""
    meant = meant_anywhere(connection, name)
    return meant[0] if meant else None


def city_keys(connection: Reading, name: str) -> list[str]:
    """List the folded names of cities that a filter by NAME, own or alias, should match.

    An unknown name gives its own fold, and so does an alias besides: a record whose city the
    gazetteer does not know stands under the name as given.
    """
    meant = {each.folded for each in meant_anywhere(connection, name)}
    return sorted(meant | {fold(name)})


def search(
    connection: Reading, q: str, country: str | None = None, limit: int = 20
) -> list[dict[str, Any]]:
    """List places whose name or alias is Q, then those with one that begins so, by population.

    COUNTRY is an alpha-2 code. Gives dictionaries as in `Found.public`, at most LIMIT.
    """
    exact = sorted(namesakes(connection, q, country), key=lambda each: -each.population)[:limit]
    folded = fold(q[: LONGEST_NAME + 1])
    if not 0 < len(folded) <= LONGEST_NAME or len(exact) == limit:
        return [each.public() for each in exact]
    beginning = select(PlaceName.geonames_id).where(_begins(PlaceName.name, folded))
    query = select(*_COLUMNS).where(
        Place.geonames_id.in_(beginning),
        Place.geonames_id.not_in([each.geonames_id for each in exact]),
    )
    query = query.order_by(Place.population.desc(), Place.geonames_id).limit(limit - len(exact))
    rest = [Found(*row) for row in connection.execute(_within(query, country))]
    return [each.public() for each in [*exact, *rest]]


def near_names(connection: Reading, name: str, country: str, limit: int = 5) -> list[str]:
    """Suggest names of places in COUNTRY for a mistyped NAME, the nearest first.

    Compared are the country's own names, and aliases that begin with the same two letters.
    """
    folded = fold(name[: LONGEST_NAME + 1])
    if not 0 < len(folded) <= LONGEST_NAME:
        return []
    own = select(Place.folded, Place.name, Place.population)
    aliases = (
        select(PlaceName.name, Place.name, Place.population)
        .join(Place, PlaceName.geonames_id == Place.geonames_id)
        .where(_begins(PlaceName.name, folded[:2]))
    )
    names: dict[tuple[str, str], int] = {}
    for query in (own, aliases):
        for known, shown, population in connection.execute(_within(query, country)):
            names[known, shown] = max(population, names.get((known, shown), 0))
    return _nearest(folded, names, limit)


def near_anywhere(connection: Reading, name: str, limit: int = 5) -> list[str]:
    """Suggest places of the world for a mistyped NAME, the nearest first.

    Compared are all names that begin with the same two letters; given is the place's own name.
    """
    folded = fold(name[: LONGEST_NAME + 1])
    if not 2 < len(folded) <= LONGEST_NAME:
        return []
    query = (
        select(PlaceName.name, Place.name, Place.population)
        .join(Place, PlaceName.geonames_id == Place.geonames_id)
        .where(_begins(PlaceName.name, folded[:2]))
        .where(func.length(PlaceName.name).between(len(folded) - 2, len(folded) + 2))
    )
    names: dict[tuple[str, str], int] = {}
    for known, shown, population in connection.execute(query):
        names[known, shown] = max(population, names.get((known, shown), 0))
    return _nearest(folded, names, limit)


def _nearest(folded: str, names: dict[tuple[str, str], int], limit: int) -> list[str]:
    """Rank NAMES, pairs of a folded and a shown one, by likeness to FOLDED, then by size."""
    pairs = list(names)
    hits: Sequence[tuple[str, float, int]] = process.extract(
        folded,
        [known for known, _ in pairs],
        scorer=OSA.normalized_similarity,
        processor=None,
        score_cutoff=_NEAR,
        limit=10 * limit,
    )
    ranked = sorted(hits, key=lambda hit: (-hit[1], -names[pairs[hit[2]]], pairs[hit[2]]))
    return list(dict.fromkeys(pairs[number][1] for _, _, number in ranked))[:limit]


def _within(query: Any, country: str | None) -> Any:
    return query if country is None else query.where(Place.country == country)


def _begins(column: Any, prefix: str) -> ColumnElement[bool]:
    # A range rather than LIKE: both engines then walk the primary key, which they order by
    # code point, whatever signs the prefix holds.
    within: ColumnElement[bool] = column.between(prefix, prefix + "\U0010ffff")
    return within
