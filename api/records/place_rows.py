"""The rows of places that editors add, and of the names by which they are looked up."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert

from api.core.errors import WriteConflict
from api.models import AddedPlace, AddedPlaceName
from api.models.tables import table
from api.records.results import Row
from schemas.name_folding import fold


def drop(connection: Connection, row: Row) -> None:
    """Drop an added place, or the names given to one of GeoNames, from what is looked up."""
    rows = table(AddedPlace)
    put_names(connection, row["geonames_id"], None)
    removed = connection.execute(
        delete(rows).where(rows.c.id == row["id"], rows.c.version == row["version"])
    )
    if not removed.rowcount:
        raise WriteConflict


def put_names(connection: Connection, geonames_id: int, values: Mapping[str, Any] | None) -> None:
    """Replace the folded names of a place; GeoNames has the own name of its places itself."""
    names = table(AddedPlaceName)
    connection.execute(delete(names).where(names.c.geonames_id == geonames_id))
    if values is None:
        return
    folded = {fold(alias): False for alias in values["aliases"]}
    if geonames_id < 0:
        folded[values["folded"]] = True
    rows = [
        {"name": name, "geonames_id": geonames_id, "canonical": own}
        for name, own in sorted(folded.items())
        if name
    ]
    if rows:
        connection.execute(insert(names), rows)
