"""Places that editors add to the gazetteer, and names they give to those of GeoNames.

Each change leaves a version behind and is announced to the feed, as that of a vocabulary. Stored
records do not move when a place changes.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.orm import Session

from api import documents
from api.core import clock
from api.core.errors import ApiError, WriteConflict
from api.core.ids import new_id
from api.core.permissions import Actor
from api.database import advisory_locks
from api.geo.distances import distance_km
from api.geo.lookup import Place, place_by_id, places_named
from api.geo.place_errors import described
from api.geo.resolver import SAME_KM
from api.geo.surroundings import surroundings
from api.records import place_rows
from api.records.references import PLACES, WrittenReference, add_version, check_id, last_version
from api.records.results import Row
from schemas.countries import divisions_named
from schemas.errors import ErrorDetail
from schemas.name_folding import fold
from schemas.places import PLACE_FIELDS

_GEONAMES = "geonames-"
_NEW = ("name", "country", "latitude", "longitude")  # what an added place needs


def find(session: Session, id_: str) -> Row | None:
    """Return an added place, or one of GeoNames (`geonames-2950159`) in version 0."""
    connection = session.connection()
    rows = PLACES.table
    row = connection.execute(select(rows).where(rows.c.id == id_)).mappings().first()
    if row is not None:
        return dict(row)
    number = id_.removeprefix(_GEONAMES)
    place = place_by_id(connection, int(number)) if number != id_ and number.isdecimal() else None
    return _of_geonames(place, id_) if place else None


def _of_geonames(place: Place, id_: str) -> Row:
    return {
        "id": id_,
        "geonames_id": place.geonames_id,
        "version": 0,
        "name": place.name,
        "folded": place.folded,
        "country": place.country,
        "admin1_code": place.admin1_code,
        "admin1": place.admin1,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "aliases": [],
        "created_at": None,
        "updated_at": None,
    }


def create(
    session: Session, data: Mapping[str, Any], actor: Actor, reason: str | None
) -> WrittenReference:
    """Add a place of the fields in DATA. Raises ValidationError, ApiError."""
    missing = {
        name: [ErrorDetail("required", f"A place needs {name}.")]
        for name in _NEW
        if data.get(name) is None
    }
    if missing:
        raise ValidationError(missing)
    connection = session.connection()
    advisory_locks.hold(connection, "names of places")
    lowest = connection.execute(select(func.min(PLACES.table.c.geonames_id))).scalar() or 0
    id_ = data.get("id") or new_id()
    if find(session, id_) is not None:
        raise ApiError("id-taken", f"There is a place {id_} already; change it by PATCH.")
    row: Row = {"id": id_, "geonames_id": min(lowest, 0) - 1, "version": 0}
    return _write(session, {**row, **_values(connection, {}, data)}, actor, reason)


def amend(
    session: Session, row: Row, data: Mapping[str, Any], actor: Actor, reason: str | None
) -> WrittenReference:
    """Put the fields in DATA onto ROW. Raises ValidationError, ApiError."""
    check_id(data, row)
    connection = session.connection()
    advisory_locks.hold(connection, "names of places")
    changes = {name for name in PLACE_FIELDS if name in data and data[name] != row[name]}
    if row["geonames_id"] > 0 and changes - {"aliases"}:
        detail = "GeoNames says what this place is; it takes other names only, as aliases."
        raise ValidationError({name: [ErrorDetail("read_only", detail)] for name in changes})
    if not changes:
        return WrittenReference(row["id"], row["version"], documents.place(row), changed=False)
    changed = {**row, **_values(connection, row, data)}
    return _write(session, changed, actor, reason)


def remove(session: Session, row: Row, actor: Actor, reason: str | None) -> None:
    """Delete an added place, or the names that were given to one of GeoNames."""
    connection = session.connection()
    advisory_locks.hold(connection, "names of places")
    place_rows.drop(connection, row)
    version = row["version"] + 1
    add_version(session, PLACES, row["id"], version, "withdrawn", actor, reason, clock.now(), None)


def _values(connection: Connection, row: Row, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a place, checked: its division, its point, its names."""
    values = {name: data.get(name, row.get(name)) for name in PLACE_FIELDS}
    values["aliases"] = list(dict.fromkeys(values["aliases"] or []))
    values["admin1_code"] = row.get("admin1_code")
    if data.get("admin1") is not None or not row:
        values["admin1_code"], values["admin1"] = _division(values["admin1"], values["country"])
    values["folded"] = fold(values["name"])
    if not values["folded"]:
        detail = "A name has letters or digits."
        raise ValidationError({"name": [ErrorDetail("bad_name", detail)]})
    point = (values["latitude"], values["longitude"])
    about = surroundings(connection, values["country"], point)
    if about is not None and about.is_far:
        detail = "The point is more than 300 km from every place of the country."
        raise ValidationError({"latitude": [ErrorDetail("point_abroad", detail)]})
    _check_names(connection, row, values)
    return values


def _division(admin1: str | None, country: str) -> tuple[str | None, str | None]:
    if admin1 is None:
        return None, None
    names = [name.division for name in divisions_named(admin1, country) if not name.is_part]
    if len(names) != 1:
        detail = f"{admin1[:40]!r} is no division of {country} that is known here; it takes a name"
        detail += " or an ISO 3166-2 code."
        raise ValidationError({"admin1": [ErrorDetail("unknown_division", detail)]})
    return names[0].code, names[0].name


def _check_names(connection: Connection, row: Row, values: Mapping[str, Any]) -> None:
    """Refuse a new alias that a larger place of the country bears, and a place that is there."""
    geonames_id = row.get("geonames_id", 0)
    geonames_place = place_by_id(connection, geonames_id) if geonames_id > 0 else None
    population = geonames_place.population if geonames_place else 0
    known = {fold(name) for name in (row.get("name"), *row.get("aliases", ())) if name}
    for name in (values["name"], *values["aliases"]):
        if fold(name) in known:
            continue
        is_own = name == values["name"]
        for place in places_named(connection, name, values["country"]):
            same = is_own and place.folded == values["folded"] and _near(place, values)
            larger = not is_own and place.population > population
            if place.geonames_id != geonames_id and (same or larger):
                detail = f"{name[:40]!r} is a name of {described(place)} already."
                raise ApiError("name-taken", detail, id=_id_of(connection, place))


def _near(place: Place, values: Mapping[str, Any]) -> bool:
    """Whether a place of the same name lies so near that it is the same."""
    point = (float(values["latitude"]), float(values["longitude"]))
    return distance_km(*point, place.latitude, place.longitude) < SAME_KM


def _id_of(connection: Connection, place: Place) -> str:
    if place.geonames_id > 0:
        return f"{_GEONAMES}{place.geonames_id}"
    rows = PLACES.table.c
    statement = select(rows.id).where(rows.geonames_id == place.geonames_id)
    return str(connection.execute(statement).scalar_one())


def _write(session: Session, values: Row, actor: Actor, reason: str | None) -> WrittenReference:
    """Write the next version of a place, with its names."""
    connection, rows, at = session.connection(), PLACES.table, clock.now()
    # What was deleted goes on with its history when it is added again.
    is_new = values["version"] == 0
    version = 1 + (last_version(session, PLACES, values["id"]) if is_new else values["version"])
    columns = {**values, "version": version, "updated_at": at}
    if is_new:
        columns["created_at"] = at
        connection.execute(insert(rows).values(**columns))
    else:
        same = (rows.c.id == values["id"], rows.c.version == values["version"])
        if not connection.execute(update(rows).where(*same).values(**columns)).rowcount:
            raise WriteConflict
    place_rows.put_names(connection, values["geonames_id"], values)
    action = "created" if is_new else "changed"
    document = documents.place(columns)
    add_version(session, PLACES, values["id"], version, action, actor, reason, at, document)
    return WrittenReference(values["id"], version, document)
