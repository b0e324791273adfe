"""The place that a search around a name means."""

from collections.abc import Collection

from api.geo.lookup import Place, Reading, places_meant, places_named
from api.geo.place_errors import PlaceError, country_with_code, described, short
from schemas.countries import country_code, divisions_named
from schemas.name_folding import fold

_CITY = 100_000  # inhabitants of a city that may bear the name of a division elsewhere


def center(connection: Reading, name: str, countries: Collection[str] = ()) -> Place:
    """Return the largest place that goes by NAME, in COUNTRIES or the world.

    Raises PlaceError where there is none, and for the name of a country or a division that no
    city in it bears.
    """
    if countries:
        places = [each for code in countries for each in places_named(connection, name, code)]
        places.sort(key=lambda each: (-each.population, each.geonames_id))
    else:
        places = places_meant(connection, name)
    country = country_code(name) if len(fold(name)) > 3 else None
    if country:
        places = [each for each in places if each.country == country]
        if not places:
            detail = f'"{short(name)}" is a country: use country={country}.'
            raise PlaceError("country_as_place", "near", detail)
        return places[0]
    divisions = [
        each.division
        for each in divisions_named(name)
        if not each.is_part and (not countries or each.division.country in countries)
    ]
    keys = {(division.country, division.code) for division in divisions}
    fitting = [
        each
        for each in places
        if not divisions
        or (each.country, each.admin1_code) in keys
        or (each.canonical and each.population >= _CITY)
    ]
    if fitting:
        return fitting[0]
    if divisions:
        shown = divisions[0]
        detail = f'"{short(name)}" is {shown.name}, a division of'
        detail += f" {country_with_code(shown.country)}: use admin1={shown.iso or shown.name}."
        raise PlaceError("region_as_place", "near", detail)
    where = " or ".join(map(country_with_code, countries))
    detail = f"The gazetteer knows no place {name[:40]!r}{where and f' in {where}'}; search it at"
    detail += " /api/v1/places?q=…, or give latitude,longitude, such as near=55.7558,37.6173."
    raise PlaceError("unknown_place", "near", detail)


def taken(name: str, place: Place) -> str:
    """Return a sentence that says which PLACE a NAME was taken for."""
    return f'near: "{short(name)}" was taken for {described(place)}.'
