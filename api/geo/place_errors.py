"""What is said of a place that cannot be taken as it is written, and what would help.

By meaning first: a division or a country in the place of a city, a city and its country in one
text, a text in the wrong encoding, places of the name elsewhere. Spelling comes last.
"""

import re
from collections.abc import Iterable
from typing import Any

from api.geo.lookup import Place, Reading, places_meant, places_named, similar_places
from schemas.countries import (
    DivisionName,
    country_code,
    country_name,
    country_within,
    divisions_named,
)
from schemas.name_folding import fold

MOST_CANDIDATES = 20
_SHOWN = 5
# Words for a spot in some city.
_SPOT = re.compile(
    "airport|international airport|university|campus|downtown|city center|city centre|"
    "city hall|town hall|embassy|consulate|stadium|station|train station|railway station|"
    "highway|border|parliament|court|courthouse|prison|church|mosque|synagogue|school|"
    "hospital|mall|park|center|centre|market|police station|flughafen|bahnhof|rathaus|"
    "innenstadt|botschaft|aeropuerto|aeroport|centre ville|ambassade|embajada|аэропорт|"
    "центр|посольство|вокзал"
)
# Words for no single city, in the languages of the data sets that were tried.
_NOWHERE = re.compile(
    "nationwide|national|country wide|countrywide|statewide|regional|several cities|"
    "multiple cities|various cities|many cities|various|multiple|multiple locations|"
    "several locations|several places|online|internet|virtual|unknown|unspecified|"
    "not specified|n a|none|bundesweit|mehrere stadte|diverse|plusieurs villes|en ligne|"
    "a nivel nacional|en todo el pais|varias ciudades|varias cidades|em todo o pais|"
    "вся страна|по всеи стране|онлаин|несколько городов|yurt geneli|ulke geneli"
)
_REGION_ADVICE = (
    'give a city in it, or leave city out and give "geo_precision": "admin1" with "admin1": "{}"'
)
_COUNTRY_ADVICE = 'give a city in it, or leave city out and give "geo_precision": "country"'


class PlaceError(ValueError):
    """Says why a place cannot be resolved and what would help."""

    def __init__(
        self,
        code: str,
        field: str,
        detail: str,
        candidates: Iterable[Place] = (),
        suggestions: Iterable[str] = (),
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.field = field
        self.detail = detail
        shown = list(candidates)[:MOST_CANDIDATES]
        self.candidates: list[dict[str, Any]] = [each.public() for each in shown]
        self.suggestions = list(dict.fromkeys(suggestions))


def unknown_city(
    connection: Reading, city: str, country: str, *, explains: bool = True
) -> PlaceError:
    """Return what is said of a CITY that the gazetteer does not know in COUNTRY.

    Unless it EXPLAINS, no other places are looked for.
    """
    error = (
        region_as_city(city, country, divisions_named(city, country))
        or country_as_city(city, country)
        or no_city(city)
        or _two_members(connection, city, country)
    )
    if error is not None:
        return error
    detail = f'The gazetteer knows no "{short(city)}" in {country_with_code(country)}.'
    stands = " With latitude and longitude the name stands as given."
    if not explains:
        return PlaceError("unknown_place", "city", detail + stands)
    repaired = misread(city)
    if repaired and places_named(connection, repaired, country):
        detail += f' It looks like "{repaired}" read in the wrong encoding.'
        return PlaceError("unknown_place", "city", detail, (), [repaired])
    abroad = places_meant(connection, city)
    if abroad:
        detail += f" It knows {described(abroad[0])}: if that is meant, correct the country."
    similar = similar_places(connection, city, country)[:_SHOWN]
    if similar:
        detail += f" Near names there: {', '.join(with_division(each) for each in similar)}."
    names = [each.name for each in similar]
    return PlaceError("unknown_place", "city", detail + stands, [*abroad[:_SHOWN], *similar], names)


def region_as_city(city: str, country: str, names: Iterable[DivisionName]) -> PlaceError | None:
    """Return what is said of a CITY that is the name of a division of COUNTRY, or of a part."""
    own = country_within(city, country)
    if own:
        detail = f'"{short(city)}" is {country_with_code(own)}, which has a code of its own: '
        detail += f'give "country": "{own}" and a city there.'
        return PlaceError("region_as_city", "city", detail)
    for name in names:
        shown, where = name.division.name, country_with_code(country)
        what = f"a division of {where}"
        if name.is_part:
            what = f"a part of {shown}, {where}"
        elif fold(shown) != fold(city):
            what = f"{'the code of ' if name.by_code else ''}{shown}, {what}"
        detail = f'"{short(city)}" is {what}; {_REGION_ADVICE.format(shown)}.'
        return PlaceError("region_as_city", "city", detail)
    return None


def country_as_city(city: str, country: str) -> PlaceError | None:
    """Return what is said of a CITY that is the name of a country; COUNTRY is the one given."""
    code = country_code(city) if len(fold(city)) > 3 else None
    if code is None:
        return None
    name = "" if fold(country_name(code)) == fold(city) else f", {country_name(code)}"
    detail = f'"{short(city)}" is a country{name} ({code}); {_COUNTRY_ADVICE}'
    if code != country:
        detail += f' and "country": "{code}"'
    return PlaceError("region_as_city", "city", f"{detail}.")


def no_city(city: str) -> PlaceError | None:
    """Return what is said of a CITY that is no name: `nationwide`, `Airport`."""
    folded = fold(city)
    if _SPOT.fullmatch(folded):
        detail = f'"{short(city)}" is no city: give the city that it is in, and this as venue.'
        return PlaceError("unknown_place", "city", detail)
    if _NOWHERE.fullmatch(folded):
        detail = f'"{short(city)}" names no city: leave city out and give "geo_precision":'
        detail += ' "country", or "admin1" with the division.'
        return PlaceError("unknown_place", "city", detail)
    return None


def _two_members(connection: Reading, city: str, country: str) -> PlaceError | None:
    """Return the members that `City, Country` or `City, Division` should be."""
    head, comma, tail = (part.strip() for part in city.rpartition(","))
    if not comma or not places_named(connection, head):
        return None
    divisions = divisions_named(tail, country)
    members = f'"city": "{head}", "country": "{country_code(tail) or country}"'
    if divisions:
        members = f'"city": "{head}", "admin1": "{divisions[0].division.name}"'
    elif country_code(tail) is None:
        return None
    detail = f'"{short(city)}" is more than the name of a city: give {members}.'
    return PlaceError("two_members", "city", detail, (), [head])


def no_country_for(connection: Reading, city: str) -> tuple[str, str | None]:
    """Return what is said where a CITY comes without a country, and the country proposed."""
    head, _, tail = city.rpartition(",")
    code = country_code(tail.strip()) if head else None
    if code:
        members = f'"city": "{short(head.strip())}", "country": "{code}"'
        return f"An incident needs a country: give {members}.", code
    places = places_meant(connection, city)
    if not places:
        return "An incident needs a country.", None
    more = ", ".join(described(each) for each in places[1:3])
    also = f"; the name is borne by {more} too" if more else ""
    detail = f'An incident needs a country: "country": "{places[0].country}" if'
    return f"{detail} {described(places[0])} is meant{also}.", places[0].country


def elsewhere(city: str, country: str, admin1: str, places: list[Place]) -> PlaceError:
    """Return what is said where the division named has no such place, but others have."""
    divisions = list(dict.fromkeys(each.admin1 for each in places if each.admin1))
    known = divisions_named(admin1, country)
    where = known[0].division.name if known else short(admin1)
    detail = f'The gazetteer has no "{short(city)}" in {where}, {country_with_code(country)}'
    own = country_within(admin1, country)
    if own:
        detail += f', which has a code of its own: give "country": "{own}"'
    elif not known:
        detail += f': "{short(admin1)}" is no division known there'
    listed = ", ".join(described(each) for each in places[:_SHOWN])
    detail += f". It has {listed}. If another is meant, give latitude and longitude: then the name"
    detail += " stands as given."
    return PlaceError("unknown_place", "admin1", detail, places, divisions[:_SHOWN])


def ambiguous(city: str, country: str, admin1: str | None, places: list[Place]) -> PlaceError:
    """Return what is said where several PLACES may be meant."""
    where = f'"{short(admin1)}", ' if admin1 else ""
    detail = (
        f'"{short(city)}" may mean {len(places)} places in {where}{country_with_code(country)}.'
    )
    ways = ["geonames_id", "latitude and longitude"]
    if len({each.admin1 for each in places}) > 1 and places[0].admin1:
        ways.insert(0, f'admin1 (such as "{places[0].admin1}")')
    detail += f" Choose one of the candidates by {', '.join(ways[:-1])} or {ways[-1]}."
    return PlaceError("ambiguous_place", "city", detail, places)


def misread(text: str) -> str | None:
    """Return TEXT as it was before its UTF-8 was read in another encoding: `KÃ¶ln` is Köln."""
    if text.isascii():
        return None
    for encoding in ("cp1252", "latin-1"):
        try:
            repaired = text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        return repaired if repaired != text else None
    return None


def described(place: Place) -> str:
    """Return a place's name with its division and country."""
    return f"{with_division(place)}, {country_with_code(place.country)}"


def with_division(place: Place) -> str:
    """Return a place's name with its division, where that says more."""
    where = f", {place.admin1}" if place.admin1 and place.admin1 != place.name else ""
    return f"{place.name}{where}"


def country_with_code(code: str) -> str:
    """Return a country's name and code."""
    return f"{country_name(code)} ({code})"


def short(text: str) -> str:
    """Return the beginning of a TEXT that may be long."""
    return text if len(text) <= 60 else text[:59] + "…"
