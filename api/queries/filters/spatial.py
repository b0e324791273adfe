"""Spatial filters: boxes of degrees and circles of kilometres around a record's point.

A record without a point is in no area. Without `match` the point counts as it stands; for
`certain` one known to a division or a country only does not, as it may lie anywhere in there.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import and_, func, literal_column, or_, true

from api.geo import grid
from api.geo.grid import Box
from api.models.incidents import Incident
from api.models.tables import table
from api.queries.filters.filter import (
    AccessPath,
    Clause,
    Document,
    Filter,
    Predicate,
    bound_to,
    equality_paths,
    numbered,
)

Circle = tuple[float, float, float]  # latitude, longitude, kilometres

_points = table(Incident).c
# What says little of where in a division or a country something happened.
_VAGUE = ("admin1", "country")


class AreaShape(NamedTuple):
    """How many boxes and squares an area is made of; a SIZE of 0: too many squares to list."""

    boxes: int
    size: int
    squares: int


def _shape_of_box(box: Box) -> AreaShape:
    return _shape(_parts(box))


def _shape_of_circle(circle: Circle) -> AreaShape:
    return _shape(grid.bounding_boxes(*circle))


def _in_box(name: str, shape: AreaShape, match: str | None) -> Clause:
    """Return the condition of points between two parallels and two meridians, edges included."""
    sides = [
        _points.longitude.between(
            bound_to(f"{name}_west_{number}"), bound_to(f"{name}_east_{number}")
        )
        for number in range(shape.boxes)
    ]
    height = _points.latitude.between(bound_to(f"{name}_south"), bound_to(f"{name}_north"))
    return and_(height, or_(*sides), _located(match))


def _in_circle(name: str, _shape: AreaShape, match: str | None) -> Clause:
    """Return the condition of points near enough: by the chord between points of the sphere."""
    axes = [getattr(_points, axis) - bound_to(f"{name}_{axis}") for axis in "xyz"]
    chord = axes[0] * axes[0] + axes[1] * axes[1] + axes[2] * axes[2]
    return and_(chord <= bound_to(f"{name}_chord"), _located(match))


def _box_values(name: str, box: Box) -> dict[str, Any]:
    parts = _parts(box)
    values: dict[str, Any] = {f"{name}_south": box[1], f"{name}_north": box[3]}
    for number, (west, _, east, _) in enumerate(parts):
        values |= {f"{name}_west_{number}": west, f"{name}_east_{number}": east}
    return values | _square_values(name, parts)


def _circle_values(name: str, circle: Circle) -> dict[str, Any]:
    latitude, longitude, km = circle
    values: dict[str, Any] = {f"{name}_chord": grid.chord_squared(km)}
    for axis, coordinate in zip("xyz", grid.vector(latitude, longitude), strict=True):
        values[f"{name}_{axis}"] = coordinate
    return values | _square_values(name, grid.bounding_boxes(*circle))


def _located(match: str | None) -> Clause:
    if match != "certain":
        return true()
    precision = func.coalesce(_points.geo_precision, literal_column("''"))
    return precision.not_in([literal_column(f"'{word}'") for word in _VAGUE])


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
def _cover(parts: tuple[Box, ...]) -> grid.CellCover | None:
    return grid.cover(parts)


def _shape(parts: Iterable[Box]) -> AreaShape:
    parts = tuple(parts)
    cover = _cover(parts)
    return AreaShape(len(parts), *((cover.size, len(cover.squares)) if cover else (0, 0)))


def _square_values(name: str, parts: Iterable[Box]) -> dict[str, Any]:
    cover = _cover(tuple(parts))
    return numbered(f"{name}_square", cover.squares if cover else [])


def _area_paths(name: str, shape: AreaShape, _: str | None) -> list[AccessPath]:
    """Lead through the squares that an area touches, which hold points outside it too."""
    if not shape.squares:
        return []
    fine = shape.size == grid.CELL
    column, index = (
        (_points.cell, "ix_incidents_cell") if fine else (_points.region, "ix_incidents_region")
    )
    (path,) = equality_paths(column, index, selective=fine)(f"{name}_square", shape.squares, None)
    return [
        AccessPath(
            path.index_ranges,
            index,
            path.ordered,
            selective=path.selective,
            condition=path.condition,
        )
    ]


def _holds_point(contains: Callable[[float, float, Any], bool]) -> Predicate:
    def predicate(document: Document, area: Any, match: str | None) -> bool:
        latitude, longitude = document["latitude"], document["longitude"]
        if latitude is None or (match == "certain" and document["geo_precision"] in _VAGUE):
            return False
        return contains(latitude, longitude, area)

    return predicate


def _box_contains(latitude: float, longitude: float, box: Box) -> bool:
    inside = any(west <= longitude <= east for west, _, east, _ in _parts(box))
    return inside and box[1] <= latitude <= box[3]


def _circle_contains(latitude: float, longitude: float, circle: Circle) -> bool:
    pairs = zip(grid.vector(latitude, longitude), grid.vector(*circle[:2]), strict=True)
    x, y, z = (coordinate - center for coordinate, center in pairs)
    return x * x + y * y + z * z <= grid.chord_squared(circle[2])


BOX = Filter(_shape_of_box, _in_box, _box_values, _holds_point(_box_contains), _area_paths)
CIRCLE = Filter(
    _shape_of_circle, _in_circle, _circle_values, _holds_point(_circle_contains), _area_paths
)
