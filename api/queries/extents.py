"""Where and when the published incidents were: what a map and a time line have to show."""

from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import func, literal_column, select

from api.database.readers import Reader
from api.models import Incident
from api.queries.filters.incidents import PUBLISHED

_OPEN = ("0001-01-01", "9999-12-31")
_EXTENT = select(
    func.min(Incident.longitude),
    func.min(Incident.latitude),
    func.max(Incident.longitude),
    func.max(Incident.latitude),
    func.min(Incident.earliest),
    func.max(Incident.latest),
    func.count(literal_column("1")),
).where(PUBLISHED)


class Extent(NamedTuple):
    """West, south, east, north of all points, None without any; first and last day, if known."""

    box: tuple[float, float, float, float] | None
    first: str | None
    last: str | None


@lru_cache(maxsize=4)
def extent(reader: Reader, _dataset_version: int) -> Extent:
    """Return the extent, looked for once a dataset version: it reads every record."""
    west, south, east, north, first, last, _ = reader.run(_EXTENT)[0]
    box = None if west is None else (west, south, east, north)
    return Extent(box, *(None if day in _OPEN else day for day in (first, last)))
