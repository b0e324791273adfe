"""Resolving: from the place as a curator writes it to the place as a record has it.

The rules, in this order: a GeoNames id decides; with coordinates the namesake at the point is
taken, and where none lies within 50 km name and point stand as given; without coordinates the
name must be known in the country, own names go before aliases, `admin1` narrows, and of several
places one is taken only if it is plainly meant. The name of a division or a country is taken for
a city only if that is its namesake. Whatever was assumed is a warning.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from rapidfuzz.distance import OSA

from api.geo.distances import distance_km
from api.geo.lookup import (
    Place,
    Reading,
    longer_names,
    place_by_id,
    places_meant,
    places_named,
    prefer_own_names,
)
from api.geo.place_errors import (
    PlaceError,
    ambiguous,
    country_as_city,
    country_with_code,
    described,
    elsewhere,
    misread,
    no_city,
    region_as_city,
    short,
    unknown_city,
)
from api.geo.surroundings import FARTHEST_KM, Point, corrected, surroundings
from schemas.countries import (
    Division,
    DivisionName,
    country_code,
    country_names,
    division,
    divisions_named,
    likely_divisions,
)
from schemas.name_folding import fold
from schemas.vocabulary import EXACT, REGIONS

NEARBY_KM = 50
SAME_KM = 15  # two places of one name so near each other are one town to whoever names it
# One of several namesakes is plainly meant if it has at least this many times the inhabitants
# of the next: Berlin in Germany, Moscow in Idaho, but none of the Springfields.
PLAINLY = 5
# Another bearer of the name is named in a warning unless the one taken is so many times larger.
_BEYOND_DOUBT = 100
_BEYOND_DOUBT_BY_ALIAS = 10  # the same for one that bears it as an alias only
_LARGE = 100_000  # inhabitants; of so large a place other names are well known: Kiev, Bombay
_SEAT = 20_000  # inhabitants of a place that may bear its division's name as an alias
_CITY = 50_000  # inhabitants of a place that may bear a division's or a country's name anywhere
# Fewer inhabitants count as this many: GeoNames has 0 where it does not know.
_FEWEST = 1000
_SPELLED = 0.75  # how alike an alias and an own name are that are one name in two spellings
_ALIAS_KM = 10  # so much nearer than an own name an alias has to lie to be the namesake at a point


@dataclass(frozen=True, slots=True)
class PlaceWarning:
    """What was assumed of a place, and the field that it concerns."""

    code: str
    field: str
    detail: str


@dataclass(frozen=True, slots=True)
class ResolvedPlace:
    """A place as a record has it.

    `geonames_id` and `place_id`, that of a place which editors added, are None where it stands as
    given.
    """

    city: str | None
    admin1: str | None
    country: str
    latitude: float | None
    longitude: float | None
    geonames_id: int | None
    geo_precision: str = "city"
    place_id: str | None = None
    warnings: tuple[PlaceWarning, ...] = ()

    def warned(self, *warnings: PlaceWarning) -> "ResolvedPlace":
        """Return the place with more WARNINGS."""
        return replace(self, warnings=(*self.warnings, *warnings)) if warnings else self


@dataclass(frozen=True)
class _PlaceLookup:
    """A place as written."""

    city: str | None
    country: str
    admin1: str | None
    point: Point | None
    precision: str
    strict: bool
    explains: bool

    @cached_property
    def divisions(self) -> list[DivisionName]:
        """What `admin1` names of the country."""
        named = divisions_named(self.admin1, self.country) if self.admin1 else []
        return named or likely_divisions(self.admin1 or "", self.country)

    def in_admin1(self, place: Place) -> bool:
        """Whether PLACE lies in the division that is named, by any of its names."""
        codes, written = self._named
        return place.admin1_code in codes or written in (
            fold(place.admin1 or ""),
            place.admin1_code,
        )

    @cached_property
    def _named(self) -> tuple[set[str], str]:
        """The codes of what `admin1` names, and how it is written."""
        return {name.division.code for name in self.divisions}, fold(self.admin1 or "")

    def settled(self, place: Place) -> ResolvedPlace:
        """Return a PLACE of the gazetteer as a record has it, at the point that is given."""
        admin1 = _division_of(place)
        point = self.point or (place.latitude, place.longitude)
        resolved = ResolvedPlace(
            *(place.name, admin1, self.country, *point),
            *(place.public_id, self.precision, place.added_id),
        )
        if self.admin1 is not None and not self.strict:
            # As it stood before: a record that brings its past comes back as it was.
            resolved = replace(resolved, admin1=self.admin1)
        if (
            self.admin1 is None
            or self.in_admin1(place)
            or fold(self.admin1) == fold(self.city or "")
        ):
            return resolved
        detail = f'"{short(self.admin1 or "")}" is not where {described(place)} lies; admin1 is'
        detail += f" {resolved.admin1 or 'null'}."
        return resolved.warned(PlaceWarning("other_division", "admin1", detail))

    def as_given(self, point: Point, geonames_id: int | None = None) -> ResolvedPlace:
        """Return the place as it is given, its division in the one spelling that is shown."""
        whole = [name.division.name for name in self.divisions if not name.is_part]
        admin1 = whole[0] if len(whole) == 1 else self.admin1
        return ResolvedPlace(self.city, admin1, self.country, *point, geonames_id, self.precision)


def resolve(
    connection: Reading,
    *,
    city: str | None,
    country: str,
    admin1: str | None = None,
    latitude: float | None = None,
    longitude: float | None = None,
    geonames_id: int | None = None,
    geo_precision: str | None = None,
    strict: bool = True,
    explains: bool = True,
) -> ResolvedPlace:
    """Resolve a place as written to the place as a record has it.

    COUNTRY is an alpha-2 code; coordinates are degrees and are rounded to four decimals. Unless
    STRICT, a point outside its country is a warning and `admin1` stands as written. Raises
    PlaceError where the place is unknown, ambiguous or contradicts itself; unless it EXPLAINS, that
    looks for no near names.
    """
    if country not in country_names():
        raise PlaceError("unknown_country", "country", f"{country!r} is not a country's code.")
    if (latitude is None) != (longitude is None):
        missing = "latitude" if latitude is None else "longitude"
        detail = "latitude and longitude come as a pair: give both or neither."
        raise PlaceError("half_coordinates", missing, detail)
    point = None
    if latitude is not None and longitude is not None:
        point = (round(latitude, 4), round(longitude, 4))
    elif geo_precision in EXACT:
        detail = f'"{geo_precision}" says that the point is the spot itself: give latitude and '
        detail += "longitude, or leave geo_precision out for the middle of the city."
        raise PlaceError("needs_point", "geo_precision", detail)
    admin1 = admin1 if fold(admin1 or "") else None
    lookup = _PlaceLookup(city, country, admin1, point, geo_precision or "city", strict, explains)
    resolved = _resolved(connection, lookup, geonames_id)
    if point is None:
        return resolved
    return resolved.warned(*_misplaced(connection, country, point, strict=strict))


def _resolved(connection: Reading, lookup: _PlaceLookup, geonames_id: int | None) -> ResolvedPlace:
    if geonames_id is not None:
        return _by_id(connection, lookup, geonames_id)
    if lookup.city is None and lookup.precision in REGIONS:
        return _region(lookup)
    if lookup.point is not None:
        return _by_point(connection, lookup, lookup.point)
    return _by_name(connection, lookup)


def _misplaced(
    connection: Reading, country: str, point: Point, *, strict: bool
) -> Iterator[PlaceWarning]:
    """Yield a warning for a POINT that lies nearer to another country; raise where it is far."""
    about = surroundings(connection, country, point)
    if about is None:
        return
    place, where = described(about.other) if about.other else "", country_with_code(country)
    if not about.is_far:
        detail = f"The point lies nearer to {place} than to any place of {where}."
        yield PlaceWarning("point_abroad", "latitude", detail)
        return
    detail = f"The point is more than {FARTHEST_KM} km from every place of {where}"
    detail += f"; it lies near {place}." if place else "."
    better = corrected(connection, country, point)
    if better:
        detail += f" Did you mean latitude {better[0]}, longitude {better[1]}?"
    if strict:
        raise PlaceError("point_abroad", "latitude", detail)
    yield PlaceWarning("point_abroad", "latitude", detail)


def _region(lookup: _PlaceLookup) -> ResolvedPlace:
    """Return the place of an event that is known for a division or a country only."""
    match = _one_division(lookup) if lookup.admin1 or lookup.precision == "admin1" else None
    latitude, longitude = lookup.point or (None, None)
    name = match.division.name if match else None
    resolved = ResolvedPlace(
        None, name, lookup.country, latitude, longitude, None, lookup.precision
    )
    if match is None or not match.is_part:
        return resolved
    detail = f'"{short(lookup.admin1 or "")}" is a part of {name}, which admin1 is.'
    return resolved.warned(PlaceWarning("other_division", "admin1", detail))


def _one_division(lookup: _PlaceLookup) -> DivisionName:
    if lookup.admin1 is None:
        detail = 'geo_precision "admin1" needs the division: give admin1, such as "Bavaria".'
        raise PlaceError("required", "admin1", detail)
    chosen = likely_divisions(lookup.admin1, lookup.country)
    where = country_with_code(lookup.country)
    if not chosen:
        detail = f'"{short(lookup.admin1)}" is no division of {where} that is known here; it takes'
        detail += " a name, or an ISO 3166-2 code."
        raise PlaceError("unknown_division", "admin1", detail)
    if len({each.division.code for each in chosen}) > 1:
        listed = [each.division.name for each in chosen]
        detail = f'"{short(lookup.admin1)}" may mean {" or ".join(listed)} in {where}.'
        raise PlaceError("ambiguous_division", "admin1", detail, (), listed)
    return chosen[0]


def _by_id(connection: Reading, lookup: _PlaceLookup, geonames_id: int) -> ResolvedPlace:
    place = place_by_id(connection, geonames_id)
    if place is None:
        return _by_unknown_id(lookup, geonames_id)
    which = f"{geonames_id} is {described(place)}"
    if place.country != lookup.country:
        detail = f"{which}, which is not in {country_with_code(lookup.country)}. Correct one of the"
        raise PlaceError("contradictory_place", "geonames_id", f"{detail} two.", [place])
    if lookup.city is None or _goes_by(connection, place, lookup.city):
        return lookup.settled(place)
    if lookup.point is None:
        detail = f'{which}, which does not go by the name "{short(lookup.city)}". Correct one of'
        detail += " the two, or give latitude and longitude to keep both."
        raise PlaceError("contradictory_place", "geonames_id", detail, [place])
    return replace(lookup.settled(place), city=lookup.city)


def _by_unknown_id(lookup: _PlaceLookup, geonames_id: int) -> ResolvedPlace:
    """Take an id on trust if all else is given: GeoNames has more places than are here."""
    if lookup.point is not None and lookup.city is not None:
        detail = f"The gazetteer here does not hold geonames_id {geonames_id}; it stands as given."
        warning = PlaceWarning("unknown_id", "geonames_id", detail)
        return lookup.as_given(lookup.point, geonames_id).warned(warning)
    detail = f"The gazetteer here does not hold geonames_id {geonames_id}. Leave it out, or give"
    detail += " city, latitude and longitude besides."
    raise PlaceError("unknown_place", "geonames_id", detail)


def _by_point(connection: Reading, lookup: _PlaceLookup, point: Point) -> ResolvedPlace:
    if lookup.city is None:
        return lookup.as_given(point)

    def distance(place: Place) -> float:
        return distance_km(*point, place.latitude, place.longitude)

    def rank(place: Place) -> tuple[float, int]:
        return distance(place) + (0 if place.canonical else _ALIAS_KM), place.geonames_id

    places = places_named(connection, lookup.city, lookup.country)
    near = [each for each in places if distance(each) <= NEARBY_KM]
    if not near or min(map(distance, near)) > _ALIAS_KM:
        longer = longer_names(connection, lookup.city, lookup.country)
        near += [replace(each, canonical=False) for each in longer if distance(each) <= _ALIAS_KM]
    if near:
        place = min(near, key=rank)
        return lookup.settled(place).warned(*_by_alias(lookup.city, place))
    resolved = lookup.as_given(point)
    if not any(each.canonical for each in places):
        resolved = resolved.warned(*_unusual(connection, lookup.city, lookup.country))
    if places:
        nearest = min(places, key=distance)
        detail = f"The point is {distance(nearest):,.0f} km from {described(nearest)}, the nearest"
        detail += " of that name; name and point stand as given."
        return resolved.warned(PlaceWarning("far_from_city", "city", detail))
    return resolved


def _unusual(connection: Reading, city: str, country: str) -> Iterator[PlaceWarning]:
    """Yield warnings for a CITY that stands as given though it looks like something else."""
    repaired = misread(city)
    if repaired and places_named(connection, repaired, country):
        detail = f'"{short(city)}" looks like "{repaired}" read in the wrong encoding; it stands as'
        yield PlaceWarning("wrong_encoding", "city", f"{detail} given.")
    region = region_as_city(city, country, divisions_named(city, country)) or country_as_city(
        city, country
    )
    if region is not None:
        yield PlaceWarning(region.code, "city", f"{region.detail} It stands as given.")


def _by_name(connection: Reading, lookup: _PlaceLookup) -> ResolvedPlace:
    city, country, admin1 = lookup.city, lookup.country, lookup.admin1
    if city is None:
        detail = 'Name the city, or give latitude and longitude, or "geo_precision": "admin1" or'
        raise PlaceError("missing_place", "city", f'{detail} "country".')
    error = None if admin1 else no_city(city)
    if error is not None:
        raise error
    known = places_named(connection, city, country)
    if not known:
        raise unknown_city(connection, city, country, explains=lookup.explains)
    narrowed = _narrowed(connection, lookup, known) if admin1 else known
    if not narrowed:
        others = dict.fromkeys(prefer_own_names(known))
        if lookup.explains:
            others |= dict.fromkeys(longer_names(connection, city, country))
        raise elsewhere(city, country, admin1 or "", list(others)[: None if lookup.explains else 5])
    places = prefer_own_names(narrowed)
    if not admin1:
        places = _no_region(city, country, places)
    rivals = [each for each in places[1:] if _distance(each, places[0]) > SAME_KM]
    if rivals and _size(places[0]) < PLAINLY * _size(rivals[0]):
        raise ambiguous(city, country, admin1, places)
    warnings = [*_by_alias(city, places[0]), *_other_bearers(city, places[0], narrowed)]
    if not admin1:
        warnings += _usual_meaning(connection, city, places[0])
    return lookup.settled(places[0]).warned(*warnings)


def _narrowed(connection: Reading, lookup: _PlaceLookup, known: list[Place]) -> list[Place]:
    """Return the places in the division named, or that bear its name: Berlin in Berlin."""
    narrowed = [each for each in known if lookup.in_admin1(each)]
    if narrowed or not lookup.admin1:
        return narrowed
    parents = places_named(connection, lookup.admin1, lookup.country)
    ids = {each.geonames_id for each in parents}
    return [each for each in known if each.geonames_id in ids]


def _no_region(city: str, country: str, places: list[Place]) -> list[Place]:
    """Return PLACES where CITY may mean one; raise where it is a division's or a country's name.

    The namesake of a division lies in it (New York); elsewhere only a city of some size may bear
    such a name (Washington, Armenia in Colombia), never a village.
    """
    names = [name for name in divisions_named(city, country) if not name.by_code]
    codes = {name.division.code for name in names if not name.is_part}
    if names and not codes and places[0].canonical:
        return places  # a part of a division, and a place of the name: Barcelona
    within = [each for each in places if each.admin1_code in codes]
    seats = {fold(name.division.name) for name in names}  # a seat is called alike in any language
    namesakes = [
        each
        for each in within
        if each.canonical or each.population >= _SEAT or each.folded in seats
    ]
    if namesakes:
        return namesakes
    means_country = country_code(city) if len(fold(city)) > 3 else None
    if not names and (not means_country or (means_country == country and places[0].canonical)):
        return places
    large = [each for each in places if each.population >= _CITY]
    error = region_as_city(city, country, names) or country_as_city(city, country)
    if error is None or large:
        return large or places
    detail = (
        f"{error.detail} Places of the name: {', '.join(map(described, places[:3]))}; if one is"
    )
    raise PlaceError(error.code, "city", f"{detail} meant, give its admin1 or geonames_id.", places)


def _by_alias(city: str, place: Place) -> Iterator[PlaceWarning]:
    """Yield a warning where an alias in Latin letters replaces the name by a lesser place's."""
    folded = fold(city)
    spelled = OSA.normalized_similarity(folded, place.folded) >= _SPELLED
    lesser = not place.canonical and place.population < _LARGE
    if lesser and not spelled and folded.isascii():
        detail = (
            f'"{short(city)}" was taken as another name of {described(place)}. If another place'
        )
        detail += " is meant, give latitude and longitude with the name."
        yield PlaceWarning("taken_by_alias", "city", detail)


def _other_bearers(city: str, chosen: Place, known: list[Place]) -> Iterator[PlaceWarning]:
    """Yield a warning of other places of the name in the country that may be meant as well."""

    def may_be_meant(place: Place) -> bool:
        weaker = chosen.canonical and not place.canonical
        times = _BEYOND_DOUBT_BY_ALIAS if weaker else _BEYOND_DOUBT
        return _distance(place, chosen) > NEARBY_KM and _size(place) * times >= _size(chosen)

    others = [each for each in known if each is not chosen and may_be_meant(each)]
    if others:
        others.sort(key=_size, reverse=True)
        larger = _size(others[0]) >= PLAINLY * _size(chosen)
        which = ", which is far larger" if larger else ""
        detail = f'"{short(city)}" was taken for {described(chosen)}. It is also a name of'
        detail += f" {described(others[0])}{which}; if that is meant, give its admin1 or"
        detail += f" geonames_id {others[0].geonames_id}."
        yield PlaceWarning("place_overlooked", "city", detail)


def _usual_meaning(connection: Reading, city: str, chosen: Place) -> Iterator[PlaceWarning]:
    """Yield a warning where the name usually means a far larger place of another country."""
    if chosen.population >= _LARGE:
        return
    largest = next(iter(places_meant(connection, city)), chosen)
    if largest.country != chosen.country and _size(largest) >= PLAINLY * _size(chosen):
        detail = f'"{short(city)}" was taken for {described(chosen)}, which is small beside'
        detail += f" {described(largest)}; if that is meant, correct the country."
        yield PlaceWarning("small_namesake", "city", detail)


def _goes_by(connection: Reading, place: Place, city: str) -> bool:
    ids = (each.geonames_id for each in places_named(connection, city, place.country))
    return place.geonames_id in ids


def _division_of(place: Place) -> str | None:
    known: Division | None = division(place.country, place.admin1_code)
    return place.admin1 or (known.name if known else None)


def _distance(place: Place, other: Place) -> float:
    return distance_km(place.latitude, place.longitude, other.latitude, other.longitude)


def _size(place: Place) -> int:
    return max(place.population, _FEWEST)
