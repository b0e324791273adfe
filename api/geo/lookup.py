"""Looking places up by name, in any script, on either engine."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    bindparam,
    cast,
    literal,
    null,
    select,
    text,
    union,
    union_all,
)
from sqlalchemy.orm import Session

from api.database import statements
from api.database.statements import InJsonList, json_list
from api.models import places as tables
from api.models.places import AddedPlace, AddedPlaceName, PlaceName
from schemas.countries import country_names
from schemas.name_folding import fold

Reading = Connection | Session

_REMEMBERED = 10  # seconds until a place that editors added is found by those who looked before
LONGEST_NAME = 200  # characters; what is longer is the name of no place and is not looked for
_SHORTEST_BEGINNING = 4  # letters; names that begin so are too many for a shorter one
_MOST_BEGINNINGS = 500  # names that are looked at for one beginning
_LONGEST_MISSPELT = 40  # characters; a longer name has too many near spellings to look for
# Letters to try in the place of a wrong one, by script; elsewhere letters are left out and swapped.
_ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz ",
    "абвгдежзиклмнопрстуфхцчшщъыьэюяіїєґўј ",
    "αβγδεζηθικλμνξοπρστυφχψω ",
    "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆև ",
    "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ ",
    "אבגדהוזחטיכלמנסעפצקרשתךםןףץ ",
    "ابتثجحخدذرزسشصضطظعغفقكلمنهويپچژگ ",
)
# Beginnings that are written in two ways.
_SPELLED = {"saint": "st", "sainte": "ste", "mount": "mt", "fort": "ft"}
_BEGINNINGS = _SPELLED | {short: long for long, short in _SPELLED.items()}
COLUMNS = (
    tables.Place.geonames_id,
    tables.Place.name,
    tables.Place.folded,
    tables.Place.country,
    tables.Place.admin1_code,
    tables.Place.admin1,
    tables.Place.latitude,
    tables.Place.longitude,
    tables.Place.population,
)
_PLACE = select(*COLUMNS).where(tables.Place.geonames_id == bindparam("geonames_id"))
_ADDED_COLUMNS = tuple(
    literal(0).label("population")
    if column.key == "population"
    else getattr(AddedPlace, column.key)
    for column in COLUMNS
)
_NO_ID = cast(null(), String).label("added_id")


def _by_names(columns: Any, place: Any, names: Any, added_id: Any = _NO_ID) -> Any:
    """Return the places of one table that go by the names of another."""
    bears = names.geonames_id == place.geonames_id
    return (
        select(*columns, names.canonical, added_id)
        .join(names, bears)
        .where(InJsonList(names.__table__.c.name, "names"))
    )


# What editors added stands beside what GeoNames has: names of its places, and places.
_NAMESAKES = union_all(
    _by_names(COLUMNS, tables.Place, PlaceName),
    _by_names(COLUMNS, tables.Place, AddedPlaceName),
    _by_names(_ADDED_COLUMNS, AddedPlace, AddedPlaceName, AddedPlace.id),
).order_by(text("10 DESC, 9 DESC, 1"))  # canonical, population, id
_BEGINNING = (
    select(PlaceName.geonames_id)
    .where(PlaceName.name.between(bindparam("first"), bindparam("last")))
    .limit(_MOST_BEGINNINGS)
)
_LONGER = (
    select(*COLUMNS)
    .where(tables.Place.geonames_id.in_(_BEGINNING))
    .order_by(tables.Place.population.desc(), tables.Place.geonames_id)
)


@dataclass(frozen=True, slots=True)
class Place:
    """A place of the gazetteer, and whether the name that led to it is its own or an alias.

    `added_id` is the id of a place that editors added.
    """

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
    added_id: str | None = None

    def public(self) -> dict[str, Any]:
        """Return the place as answers and lists of candidates show it."""
        return {
            "name": self.name,
            "admin1": self.admin1,
            "country": self.country,
            "country_name": country_names().get(self.country),
            "latitude": self.latitude,
            "longitude": self.longitude,
            "population": self.population,
            "geonames_id": self.public_id,
            "place_id": self.added_id,
        }

    @property
    def public_id(self) -> int | None:
        """GeoNames' id; None for a place that editors added."""
        return self.geonames_id if self.geonames_id > 0 else None


def place_by_id(connection: Reading, geonames_id: int) -> Place | None:
    """Return the place with this GEONAMES_ID, or None."""
    if not 0 < geonames_id < 2**31:  # PostgreSQL would refuse to compare what is larger
        return None
    return next(iter(_places(connection, _PLACE, {"geonames_id": geonames_id})), None)


def places_named(connection: Reading, name: str, country: str | None = None) -> list[Place]:
    """Return the places that go by NAME, by own name before alias, then the largest first.

    `St. Albans` and `Saint Albans` are one name.
    """
    folded = _folded(name)
    if not folded:
        return []
    first, blank, rest = folded.partition(" ")
    names = {folded, f"{_BEGINNINGS.get(first, first)}{blank}{rest}"}
    places: dict[int, Place] = {}
    for place in _places(connection, _NAMESAKES, {"names": json_list(names)}, country):
        places.setdefault(place.geonames_id, place)
    return list(places.values())


def epoch() -> int:
    """Return a number that changes every ten seconds: how long a look-up may be remembered."""
    return int(time.monotonic() / _REMEMBERED)


def _places(
    connection: Reading, statement: Any, values: dict[str, Any], country: str | None = None
) -> list[Place]:
    """Return the places that a STATEMENT leads to, in COUNTRY or the world.

    The few of a name are sifted here: an engine might walk all places of the country instead.
    """
    if isinstance(connection, Session):
        connection = connection.connection()
    places = (Place(*row) for row in statements.run(connection, statement, values))
    return [each for each in places if country in (None, each.country)]


def _folded(name: str) -> str:
    """Return the folded NAME, empty where no place can have it."""
    folded = fold(name[: LONGEST_NAME + 1])
    return folded if len(folded) <= LONGEST_NAME else ""


def prefer_own_names(places: Iterable[Place]) -> list[Place]:
    """Drop places that go by the name as an alias wherever others bear it as their own."""
    listed = list(places)
    return [each for each in listed if each.canonical] or listed


def places_meant(connection: Reading, name: str) -> list[Place]:
    """Return the places of the world that NAME may mean, the largest first.

    In each country own names go before aliases. Between countries a place found by an alias
    stays only if it is larger than all that bear the name as their own: Odessa means Odesa in
    Ukraine as well as Odessa in Texas, while Moscow never means Dalton in Ohio, once so called.
    """
    places = sorted(places_named(connection, name), key=lambda each: each.country)
    likely = [
        each
        for _, group in groupby(places, key=lambda each: each.country)
        for each in prefer_own_names(group)
    ]
    largest = max((each.population for each in likely if each.canonical), default=-1)
    likely = [each for each in likely if each.canonical or each.population > largest]
    return sorted(likely, key=lambda each: (-each.population, each.geonames_id))


def places_meant_by(connection: Reading, names: Iterable[str]) -> dict[str, list[Place]]:
    """Return what each of NAMES may mean, for those that are a name; see `places_meant`."""
    folded = {name: fold(name) for name in names if len(name) <= LONGEST_NAME}
    wanted = set(folded.values())
    named = (select(each.name).where(each.name.in_(wanted)) for each in (PlaceName, AddedPlaceName))
    known = {name for (name,) in connection.execute(union(*named))}
    return {name: places_meant(connection, name) for name in folded if folded[name] in known}


def city_keys(connection: Reading, name: str) -> list[str]:
    """Return the folded names of cities that a filter by NAME, own or alias, should match.

    An unknown name is its own fold, and so is an alias besides: a record whose city the
    gazetteer does not know stands under the name as given.
    """
    keys = {each.folded for each in places_meant(connection, name)}
    return sorted(keys | {fold(name)})


def search(
    connection: Reading, q: str, country: str | None = None, limit: int = 20
) -> list[dict[str, Any]]:
    """Return places whose name or alias is Q, then those with one that begins so, by population.

    COUNTRY is an alpha-2 code. Dictionaries as of `Place.public`, at most LIMIT.
    """
    exact = sorted(places_named(connection, q, country), key=lambda each: -each.population)[:limit]
    folded = fold(q[: LONGEST_NAME + 1])
    if not 0 < len(folded) <= LONGEST_NAME or len(exact) == limit:
        return [each.public() for each in exact]
    beginning = select(PlaceName.geonames_id).where(_begins(PlaceName.name, folded))
    query = select(*COLUMNS).where(
        tables.Place.geonames_id.in_(beginning),
        tables.Place.geonames_id.not_in([each.geonames_id for each in exact]),
    )
    query = query.order_by(tables.Place.population.desc(), tables.Place.geonames_id).limit(
        limit - len(exact)
    )
    rest = [Place(*row) for row in connection.execute(_within(query, country))]
    return [each.public() for each in [*exact, *rest]]


def similar_places(
    connection: Reading, name: str, country: str | None = None, limit: int = 5
) -> list[Place]:
    """Return places that a NAME may be meant for, in COUNTRY or the world, the likeliest first.

    First those whose name begins with it in whole words (`Frankfurt`: Frankfurt am Main), then
    those that a letter too many, too few, wrong or swapped leads to. Each is one look-up in an
    index, whatever the size of the country.
    """
    folded = _folded(name)
    if len(folded) < _SHORTEST_BEGINNING or len(folded) > _LONGEST_MISSPELT:
        return []
    longer = longer_names(connection, name, country)
    spellings = {"names": json_list(set(_near_spellings(folded)))}
    misspelt = _places(connection, _NAMESAKES, spellings, country)
    misspelt.sort(key=lambda each: -each.population)
    places = {each.geonames_id: each for each in [*longer, *misspelt]}
    return list(places.values())[:limit]


def longer_names(connection: Reading, name: str, country: str | None = None) -> list[Place]:
    """Return places with a name that begins with all of NAME's words, the largest first."""
    folded = _folded(name)
    if len(folded) < _SHORTEST_BEGINNING:
        return []
    values = {"first": f"{folded} ", "last": f"{folded} \U0010ffff"}
    return _places(connection, _LONGER, values, country)


def similar_names(
    connection: Reading, name: str, country: str | None = None, limit: int = 5
) -> list[str]:
    """Return the own names of the places that a NAME may be meant for; see `similar_places`."""
    places = similar_places(connection, name, country, 2 * limit)
    return list(dict.fromkeys(each.name for each in places))[:limit]


def _near_spellings(folded: str) -> Iterator[str]:
    """Yield every name that is one letter left out, added, replaced or swapped from FOLDED."""
    alphabet = next((letters for letters in _ALPHABETS if set(letters[:-1]) & set(folded)), "")
    for index in range(len(folded) + 1):
        before, after = folded[:index], folded[index:]
        yield before + after[1:]
        yield before + after[1:2] + after[:1] + after[2:]
        for letter in alphabet:
            yield before + letter + after
            yield before + letter + after[1:]


def _within(query: Any, country: str | None) -> Any:
    return query if country is None else query.where(tables.Place.country == country)


def _begins(column: Any, prefix: str) -> ColumnElement[bool]:
    # A range rather than LIKE: both engines then walk the primary key, which they order by
    # code point, whatever signs the prefix holds.
    within: ColumnElement[bool] = column.between(prefix, prefix + "\U0010ffff")
    return within
