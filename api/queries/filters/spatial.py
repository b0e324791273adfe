"""Areas: boxes of degrees and circles of kilometres as conditions on a record's point.

A record without a point is in no area. Without `match` the point counts as it stands; for
`certain` one known to a division or a country only does not, as it may lie anywhere in there.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, or_, true

from api.geo import grid
from api.geo.grid import Box
from api.models import Incident
from api.models.tables import table

Circle = tuple[float, float, float]  # latitude, longitude, kilometres
Clause = ColumnElement[bool]

_points = table(Incident).c
# What says little of where in a division or a country something happened.
VAGUE = ("admin1", "country")


class AreaShape(NamedTuple):
    """How many boxes and squares an area is made of; a SIZE of 0: too many squares to list."""

    boxes: int
    size: int
    squares: int


def shape_of_box(box: Box) -> AreaShape:
    """Tell what of a box decides the SQL."""
    return _shape(_parts(box))


def shape_of_circle(circle: Circle) -> AreaShape:
    """Tell what of a circle decides the SQL."""
    return _shape(grid.around(*circle))


def in_box(name: str, shape: AreaShape, match: str | None) -> Clause:
    """Hold the points between two parallels and two meridians, the edges included."""
    sides = [
        _points.longitude.between(
            bindparam(f"{name}_west_{place}"), bindparam(f"{name}_east_{place}")
        )
        for place in range(shape.boxes)
    ]
    height = _points.latitude.between(bindparam(f"{name}_south"), bindparam(f"{name}_north"))
    return and_(height, or_(*sides), _located(match))


def in_circle(name: str, _shape: AreaShape, match: str | None) -> Clause:
    """Hold the points at most so far away: by the chord between points of the unit sphere."""
    axes = [getattr(_points, axis) - bindparam(f"{name}_{axis}") for axis in "xyz"]
    chord = axes[0] * axes[0] + axes[1] * axes[1] + axes[2] * axes[2]
    return and_(chord <= bindparam(f"{name}_chord"), _located(match))


def box_holds(latitude: float, longitude: float, box: Box) -> bool:
    """Tell whether a point is in a box."""
    inside = any(west <= longitude <= east for west, _, east, _ in _parts(box))
    return inside and box[1] <= latitude <= box[3]


def box_values(name: str, box: Box) -> dict[str, Any]:
    """Give what is bound for a box."""
    parts = _parts(box)
    values: dict[str, Any] = {f"{name}_south": box[1], f"{name}_north": box[3]}
    for place, (west, _, east, _) in enumerate(parts):
        values |= {f"{name}_west_{place}": west, f"{name}_east_{place}": east}
    return values | _squares(name, parts)


def circle_values(name: str, circle: Circle) -> dict[str, Any]:
    """Give what is bound for a circle."""
    latitude, longitude, km = circle
    values: dict[str, Any] = {f"{name}_chord": grid.chord_squared(km)}
    for axis, place in zip("xyz", grid.vector(latitude, longitude), strict=True):
        values[f"{name}_{axis}"] = place
    return values | _squares(name, grid.around(*circle))


def _located(match: str | None) -> Clause:
    if match != "certain":
        return true()
    precision = func.coalesce(_points.geo_precision, literal_column("''"))
    return precision.not_in([literal_column(f"'{word}'") for word in VAGUE])


def _parts(box: Box) -> list[Box]:
    """Part a box that crosses the antimeridian; one that ends there holds its far side too."""
    west, south, east, north = box
    parts = grid.split(west, south, east + 360, north) if west > east else [box]
    ends, starts = {part[2] for part in parts}, {part[0] for part in parts}
    if 180 in ends and -180 not in starts:
        parts.append((-180, south, -180, north))
    if -180 in starts and 180 not in ends:
        parts.append((180, south, 180, north))
    return parts


@lru_cache(maxsize=256)
def _cover(parts: tuple[Box, ...]) -> grid.Cover | None:
    return grid.cover(parts)


def _shape(parts: Iterable[Box]) -> AreaShape:
    parts = tuple(parts)
    cover = _cover(parts)
    return AreaShape(len(parts), *((cover.size, len(cover.squares)) if cover else (0, 0)))


def _squares(name: str, parts: Iterable[Box]) -> dict[str, Any]:
    cover = _cover(tuple(parts))
    squares = cover.squares if cover else []
    return {f"{name}_square_{place}": square for place, square in enumerate(squares)}
