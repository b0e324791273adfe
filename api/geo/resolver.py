"""Resolving: from the place as a curator writes it to the place as a record holds it.

The rules, in this order: a GeoNames id decides; with coordinates the nearest namesake within
50 km is taken, and where none lies there name and point stand as given; without coordinates
the name must be known in the country, own names go before aliases, `admin1` narrows, and of
several places one is taken only if it is plainly meant.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from api.geo.distances import distance_km
from api.geo.lookup import Found, Reading, namesakes, near_names, own_before_alias, place
from schemas.countries import country_name, country_names
from schemas.name_folding import fold

NEARBY_KM = 50
# One of several namesakes is plainly meant if it has at least this many times the inhabitants
# of the next: Berlin in Germany, Moscow in Idaho, but none of the Springfields.
PLAINLY = 5
# Fewer inhabitants count as this many: GeoNames has 0 where it does not know.
_FEWEST = 1000
_MOST_CANDIDATES = 20


@dataclass(frozen=True, slots=True)
class Resolved:
    """A place as a record holds it; `geonames_id` is None where it stands as given."""

    city: str | None
    admin1: str | None
    country: str
    latitude: float
    longitude: float
    geonames_id: int | None
    warnings: tuple[str, ...] = ()


class PlaceError(ValueError):
    """Says why a place cannot be resolved and what would help."""

    def __init__(
        self,
        code: str,
        field: str,
        detail: str,
        candidates: list[Found] | None = None,
        suggestions: list[str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.field = field
        self.detail = detail
        shown = (candidates or [])[:_MOST_CANDIDATES]
        self.candidates: list[dict[str, Any]] = [each.public() for each in shown]
        self.suggestions = suggestions or []


@dataclass(frozen=True, slots=True)
class _Sought:
    """A place as written."""

    city: str | None
    country: str
    admin1: str | None
    point: tuple[float, float] | None

    def in_admin1(self, found: Found) -> bool:
        written = fold(self.admin1 or "")
        return written in (fold(found.admin1 or ""), fold(found.admin1_code or ""))

    def settled(self, found: Found) -> Resolved:
        """Take what was FOUND; what is given besides the name stands."""
        keeps = self.point is not None and self.admin1 is not None and not self.in_admin1(found)
        admin1 = self.admin1 if keeps else found.admin1
        point = self.point or (found.latitude, found.longitude)
        return Resolved(found.name, admin1, self.country, *point, found.geonames_id)

    def as_given(self, point: tuple[float, float], geonames_id: int | None = None) -> Resolved:
        """Take all as it is given."""
        return Resolved(self.city, self.admin1, self.country, *point, geonames_id)


def resolve(
    connection: Reading,
    *,
    city: str | None,
    country: str,
    admin1: str | None = None,
    latitude: float | None = None,
    longitude: float | None = None,
    geonames_id: int | None = None,
) -> Resolved:
    """Resolve a place as written to the place as a record holds it.

    COUNTRY is an alpha-2 code; coordinates are degrees and are rounded to four decimals.
    Raises PlaceError where the place is unknown, ambiguous or contradicts itself.
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
    sought = _Sought(city, country, admin1 if fold(admin1 or "") else None, point)
    if geonames_id is not None:
        return _by_id(connection, sought, geonames_id)
    if point is not None:
        return _by_point(connection, sought, point)
    return _by_name(connection, sought)


def _by_id(connection: Reading, sought: _Sought, geonames_id: int) -> Resolved:
    found = place(connection, geonames_id)
    if found is None:
        return _by_unknown_id(sought, geonames_id)
    named = f"{geonames_id} is {_described(found)}"
    if found.country != sought.country:
        detail = f"{named}, which is not in {_country(sought.country)}. Correct one of the two."
        raise PlaceError("contradictory_place", "geonames_id", detail, [found])
    if sought.city is None or _goes_by(connection, found, sought.city):
        return sought.settled(found)
    if sought.point is None:
        detail = f'{named}, which does not go by the name "{_short(sought.city)}". Correct one of'
        detail += " the two, or give latitude and longitude to keep both."
        raise PlaceError("contradictory_place", "geonames_id", detail, [found])
    return replace(sought.settled(found), city=sought.city)


def _by_unknown_id(sought: _Sought, geonames_id: int) -> Resolved:
    """Take an id on trust if all else is given: GeoNames knows more places than are held here."""
    if sought.point is not None and sought.city is not None:
        held = sought.as_given(sought.point, geonames_id)
        warning = f"The gazetteer here does not hold geonames_id {geonames_id}; it stands as given."
        return replace(held, warnings=(warning,))
    detail = f"The gazetteer here does not hold geonames_id {geonames_id}. Leave it out, or give"
    detail += " city, latitude and longitude besides."
    raise PlaceError("unknown_place", "geonames_id", detail)


def _by_point(connection: Reading, sought: _Sought, point: tuple[float, float]) -> Resolved:
    if sought.city is None:
        return sought.as_given(point)
    near, far = [], []
    for each in namesakes(connection, sought.city, sought.country):
        distance = distance_km(*point, each.latitude, each.longitude)
        if distance <= NEARBY_KM:
            near.append((not each.canonical, distance, each.geonames_id, each))
        else:
            far.append((distance, each.geonames_id, each))
    if near:
        return sought.settled(min(near)[-1])
    held = sought.as_given(point)
    return replace(held, warnings=(_distant(*min(far)),)) if far else held


def _distant(distance: float, _: int, found: Found) -> str:
    """Say how far a point is from the nearest place of the name that stands beside it."""
    return (
        f"The point is {distance:,.0f} km from {_described(found)}, the nearest of that name; "
        "name and point stand as given."
    )


def _by_name(connection: Reading, sought: _Sought) -> Resolved:
    if sought.city is None:
        detail = "Name the city, or give latitude and longitude."
        raise PlaceError("missing_place", "city", detail)
    known = namesakes(connection, sought.city, sought.country)
    if not known:
        raise _unknown(connection, sought, sought.city)
    narrowed = known
    if sought.admin1 is not None:
        narrowed = [each for each in known if sought.in_admin1(each)]
        if not narrowed:
            raise _elsewhere(sought, sought.city, own_before_alias(known))
    found = own_before_alias(narrowed)
    if len(found) == 1 or _size(found[0]) >= PLAINLY * _size(found[1]):
        warnings = tuple(_overlooked(sought.city, found[0], narrowed))
        return replace(sought.settled(found[0]), warnings=warnings)
    raise _ambiguous(sought, sought.city, found)


def _goes_by(connection: Reading, found: Found, city: str) -> bool:
    ids = (each.geonames_id for each in namesakes(connection, city, found.country))
    return found.geonames_id in ids


def _overlooked(city: str, taken: Found, known: list[Found]) -> Iterator[str]:
    """Warn of a far larger place that goes by the same name as an alias: Halle (Saale)."""
    larger = max(known, key=_size)
    if _size(larger) >= PLAINLY * _size(taken):
        yield (
            f'"{_short(city)}" was taken for {_described(taken)}. It is also a name of'
            f" {_described(larger)}, which is far larger; if that is meant, give its full name"
            f" or geonames_id {larger.geonames_id}."
        )


def _size(found: Found) -> int:
    return max(found.population, _FEWEST)


def _unknown(connection: Reading, sought: _Sought, city: str) -> PlaceError:
    detail = f'The gazetteer knows no "{_short(city)}" in {_country(sought.country)}.'
    abroad = own_before_alias(namesakes(connection, city))
    abroad.sort(key=lambda each: -each.population)
    if abroad:
        detail += f" It knows {_described(abroad[0])}: if that is meant, correct the country."
    suggestions = near_names(connection, city, sought.country)
    if suggestions:
        detail += f" Near names there: {', '.join(suggestions)}."
    detail += " With latitude and longitude the name stands as given."
    return PlaceError("unknown_place", "city", detail, abroad[:5], suggestions)


def _elsewhere(sought: _Sought, city: str, found: list[Found]) -> PlaceError:
    divisions = list(dict.fromkeys(each.admin1 for each in found if each.admin1))
    detail = f'There is no "{_short(city)}" in "{_short(sought.admin1 or "")}" in the gazetteer'
    if divisions:
        more = " and elsewhere" if len(divisions) > 5 else ""
        detail += f", but in {', '.join(divisions[:5])}{more}"
    detail += ". Correct admin1 or leave it out, or give latitude and longitude."
    return PlaceError("unknown_place", "admin1", detail, found, divisions[:5])


def _ambiguous(sought: _Sought, city: str, found: list[Found]) -> PlaceError:
    where = f'"{_short(sought.admin1)}", ' if sought.admin1 else ""
    detail = f'"{_short(city)}" may mean {len(found)} places in {where}{_country(sought.country)}.'
    ways = ["geonames_id", "latitude and longitude"]
    if len({each.admin1 for each in found}) > 1 and found[0].admin1:
        ways.insert(0, f'admin1 (such as "{found[0].admin1}")')
    detail += f" Choose one of the candidates by {', '.join(ways[:-1])} or {ways[-1]}."
    return PlaceError("ambiguous_place", "city", detail, found)


def _described(found: Found) -> str:
    where = f", {found.admin1}" if found.admin1 else ""
    return f"{found.name}{where}, {_country(found.country)}"


def _country(code: str) -> str:
    return f"{country_name(code)} ({code})"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
