"""The gazetteer: populated places of GeoNames with their names in all scripts.

`load` fills the tables from the data file beside this package; the look-ups read them, on a
Connection or a Session, and need no application context. Countries are in `schemas.countries`.
"""

from api.geo.distances import distance_km
from api.geo.loader import file_version, load, loaded_version
from api.geo.lookup import (
    Place,
    city_keys,
    largest_named,
    place_by_id,
    places_meant,
    places_meant_by,
    places_named,
    search,
    similar_names,
)
from api.geo.place_errors import PlaceError, no_country_for
from api.geo.resolver import PlaceWarning, Resolved, resolve

__all__ = [
    "Place",
    "PlaceError",
    "PlaceWarning",
    "Resolved",
    "city_keys",
    "distance_km",
    "file_version",
    "largest_named",
    "load",
    "loaded_version",
    "no_country_for",
    "place_by_id",
    "places_meant",
    "places_meant_by",
    "places_named",
    "resolve",
    "search",
    "similar_names",
]
