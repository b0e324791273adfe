"""What lies about a point: whether it fits the country that is named for it."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, Engine, bindparam, select
from sqlalchemy.orm import Session

from api.database import statements
from api.database.statements import InJsonList, json_list
from api.geo import grid
from api.geo.distances import distance_km
from api.geo.lookup import COLUMNS, Place, Reading
from api.models import places as tables

FARTHEST_KM = 300  # a point farther than this from every place of a country is not in it
_ABOUT_KM = 40  # places this near tell which countries are at a point
_FITS_KM = 100  # so near a place a corrected point has to lie for it to be proposed
_MOST_CELLS = 4096  # whose countries are remembered

Point = tuple[float, float]  # latitude, longitude

_COUNTRIES = (
    select(tables.Place.country)
    .distinct()
    .where(InJsonList(tables.Place.__table__.c.cell, "cells"))
)
_PLACES = select(*COLUMNS).where(InJsonList(tables.Place.__table__.c.cell, "cells"))
_WITHIN = _PLACES.where(tables.Place.country == bindparam("country"))
_ANY = select(tables.Place.geonames_id).where(tables.Place.country == bindparam("country")).limit(1)

_countries: dict[tuple[Engine, tuple[int, ...]], frozenset[str]] = {}


class Surroundings(NamedTuple):
    """The nearest place of the country named, and the nearest of any other; None if none is near.

    `is_far` where no place of the country lies within `FARTHEST_KM`.
    """

    own: Place | None
    other: Place | None
    is_far: bool


def surroundings(connection: Reading, country: str, point: Point) -> Surroundings | None:
    """Return what lies about a POINT, or None where it plainly fits the COUNTRY."""
    connection = connection.connection() if isinstance(connection, Session) else connection
    cells = tuple(sorted(grid.squares(grid.bounding_boxes(*point, _ABOUT_KM), grid.CELL)))
    if _countries_of(connection, cells) == {country}:
        return None
    rows = statements.run(connection, _PLACES, {"cells": json_list(cells)})
    places = [Place(*row) for row in rows]
    own = _nearest(point, (each for each in places if each.country == country))
    other = _nearest(point, (each for each in places if each.country != country))
    if own is None:
        own = _nearest(point, _places_within(connection, country, point, FARTHEST_KM))
        if own is None and not statements.run(connection, _ANY, {"country": country}):
            return None
    if own and (other is None or _distance(point, own) <= _distance(point, other)):
        return None
    return Surroundings(own, other, is_far=own is None)


def corrected(connection: Reading, country: str, point: Point) -> Point | None:
    """Return the POINT with its members swapped or another sign where that lies in the COUNTRY."""
    connection = connection.connection() if isinstance(connection, Session) else connection
    latitude, longitude = point
    points = [(-latitude, longitude), (latitude, -longitude), (-latitude, -longitude)]
    swapped = [(y, x) for x, y in ((latitude, longitude), *points) if abs(y) <= 90]
    for each in (*points, *swapped):
        if _nearest(each, _places_within(connection, country, each, _FITS_KM)):
            return each
    return None


def _countries_of(connection: Connection, cells: tuple[int, ...]) -> frozenset[str]:
    key = connection.engine, cells
    if key not in _countries:
        rows = statements.run(connection, _COUNTRIES, {"cells": json_list(cells)})
        if not rows:  # the sea; or the gazetteer is still to be loaded
            return frozenset()
        if len(_countries) >= _MOST_CELLS:
            _countries.clear()
        _countries[key] = frozenset(country for (country,) in rows)
    return _countries[key]


def _places_within(connection: Connection, country: str, point: Point, km: float) -> list[Place]:
    cells = grid.squares(grid.bounding_boxes(*point, km), grid.CELL)
    values = {"country": country, "cells": json_list(cells)}
    places = [Place(*row) for row in statements.run(connection, _WITHIN, values)]
    return [each for each in places if _distance(point, each) <= km]


def _nearest(point: Point, places: Iterable[Place]) -> Place | None:
    return min(places, key=lambda each: _distance(point, each), default=None)


def _distance(point: Point, place: Place) -> float:
    return distance_km(*point, place.latitude, place.longitude)
