"""Distances on the globe."""

from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0088  # the mean radius of WGS 84


def distance_km(
    latitude: float, longitude: float, other_latitude: float, other_longitude: float
) -> float:
    """Measure the great circle between two points in degrees, in kilometres, by the haversine.

    Right across the antimeridian and at the poles; on the ellipsoid it errs by half a percent.
    """
    lat1, lat2 = radians(latitude), radians(other_latitude)
    half_lat, half_lon = (lat2 - lat1) / 2, radians(other_longitude - longitude) / 2
    chord = sin(half_lat) ** 2 + cos(lat1) * cos(lat2) * sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord)))
