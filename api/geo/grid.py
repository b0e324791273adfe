"""The globe: points as unit vectors, and squares of degrees that areas are looked up by.

Two grids number the squares: *cells* of one degree for places and cities, *regions* of fifteen for
countries and continents. An area's cover is every square that it touches, so that the few records
in them can be tested exactly: by latitude and longitude for a box, by the straight line between
two points of the unit sphere (its chord) for a distance. Both tests are sums and comparisons, which
every engine computes alike, right across the antimeridian and at the poles.
"""

from collections.abc import Iterable, Iterator
from math import asin, cos, degrees, floor, pi, radians, sin
from typing import NamedTuple

EARTH_RADIUS_KM = 6371.0088  # the mean radius of WGS 84
# More squares than this are no longer looked up one by one.
MOST_SQUARES = 48
CELL, REGION = 1, 15

Box = tuple[float, float, float, float]  # west, south, east, north; west <= east


class CellCover(NamedTuple):
    """The squares that an area touches, on the grid of this SIZE in degrees."""

    size: int
    squares: list[int]


def vector(latitude: float, longitude: float) -> tuple[float, float, float]:
    """Return the point of the unit sphere at LATITUDE and LONGITUDE (degrees)."""
    lat, lon = radians(latitude), radians(longitude)
    return cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)


def cell_id(latitude: float, longitude: float, size: int) -> int:
    """Number the square of SIZE degrees that a point lies in, by rows from the south-west."""
    row = min(floor((latitude + 90) / size), 180 // size - 1)
    column = min(floor((longitude + 180) / size), 360 // size - 1)
    return row * (360 // size) + column


def chord_squared(km: float) -> float:
    """Return the square of the chord that spans a great circle of KM, on the unit sphere."""
    chord = 2 * sin(min(km / (2 * EARTH_RADIUS_KM), pi / 2))
    return chord * chord * (1 + 1e-12)  # the far side of the globe is not lost to rounding


def bounding_boxes(latitude: float, longitude: float, km: float) -> list[Box]:
    """Return the boxes that hold every point at most KM away."""
    angle = km / EARTH_RADIUS_KM + 1e-9
    south, north = latitude - degrees(angle), latitude + degrees(angle)
    if south <= -90 or north >= 90:  # over a pole: every meridian
        return [(-180, max(south, -90), 180, min(north, 90))]
    reach = degrees(asin(min(1.0, sin(angle) / cos(radians(latitude))))) + 1e-9
    return split(longitude - reach, south, longitude + reach, north)


def split(west: float, south: float, east: float, north: float) -> list[Box]:
    """Part a box at the antimeridian, which its sides may lie beyond; degrees."""
    if west < -180:
        return [(west + 360, south, 180, north), (-180, south, east, north)]
    if east > 180:
        return [(west, south, 180, north), (-180, south, east - 360, north)]
    return [(west, south, east, north)]


def cover(boxes: Iterable[Box]) -> CellCover | None:
    """Return the cells that BOXES touch, on the finest grid where they are few; else None."""
    all_boxes = list(boxes)
    for size in (CELL, REGION):
        cells: set[int] = set()
        for cell in (cell for box in all_boxes for cell in _squares(box, size)):
            cells.add(cell)
            if len(cells) > MOST_SQUARES:
                break
        else:
            return CellCover(size, sorted(cells))
    return None


def squares(boxes: Iterable[Box], size: int) -> set[int]:
    """Return the numbers of all squares of SIZE degrees that BOXES touch."""
    return {number for box in boxes for number in _squares(box, size)}


def _squares(box: Box, size: int) -> Iterator[int]:
    west, south, east, north = box
    across = 360 // size
    first, last = cell_id(south, west, size), cell_id(north, east, size)
    for row in range(first // across, last // across + 1):
        for column in range(first % across, last % across + 1):
            yield row * across + column
