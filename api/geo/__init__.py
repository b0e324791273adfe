"""The gazetteer: populated places of GeoNames with their names in all scripts.

`load` fills the tables from the data file beside this package; the look-ups read them, on a
Connection or a Session, and need no application context. Countries are in `schemas.countries`.
"""

from api.geo.distances import distance_km
from api.geo.loader import file_version, load, loaded_version
from api.geo.lookup import (
    Found,
    by_name_anywhere,
    city_keys,
    meant_by,
    namesakes,
    near_anywhere,
    near_names,
    place,
    search,
)
from api.geo.resolver import PlaceError, Resolved, resolve

__all__ = [
    "Found",
    "PlaceError",
    "Resolved",
    "by_name_anywhere",
    "city_keys",
    "distance_km",
    "file_version",
    "load",
    "loaded_version",
    "meant_by",
    "namesakes",
    "near_anywhere",
    "near_names",
    "place",
    "resolve",
    "search",
]
