"""Places: looking names up in the gazetteer, and what editors add to it."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from flask import Blueprint, Response
from sqlalchemy import Engine, func, select

from api import documents
from api.core.errors import not_found
from api.database.engines import db, reader
from api.database.transactions import transaction
from api.geo import lookup
from api.http import authentication, conditional, idempotency, request_bodies
from api.http.idempotency import Outcome
from api.http.openapi import (
    MADE,
    READ,
    answer,
    body_of,
    component,
    nullable,
    object_of,
    operation,
    page_of,
)
from api.http.query_strings import load
from api.http.responses import json, no_content, respond
from api.models import AddedPlace, GazetteerState, feed
from api.records import places
from api.records.references import PLACES, WrittenReference, require_version
from api.routes import responses
from api.routes.references import stored_version
from schemas.places import PlaceSchema
from schemas.query.parameters import NoQuery
from schemas.query.requests import PlaceQuery, ReferenceDeleteQuery

blueprint = Blueprint("places", __name__, url_prefix="/api/v1")

_WRITE = "write articles, communities, episodes and places"
# What a look-up may find: the file that is loaded, and what editors added since.
_LOADED = select(
    GazetteerState.version,
    select(func.count(AddedPlace.id)).scalar_subquery(),
    select(func.coalesce(func.sum(AddedPlace.version), 0)).scalar_subquery(),
    select(func.max(AddedPlace.updated_at)).scalar_subquery(),
)
_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_WHERE = {
    "name": _TEXT,
    "admin1": nullable(_TEXT),
    "country": _TEXT,
    "latitude": {"type": "number"},
    "longitude": {"type": "number"},
    "geonames_id": nullable({"type": "integer", "minimum": 1}),
}
_PLACE_ID = {**_TEXT, "description": "The id of a place that editors added."}
_PLACE = component(
    "Place",
    object_of(
        "A populated place of GeoNames, or one that editors added.",
        **_WHERE,
        place_id=nullable(_PLACE_ID),
        country_name=nullable(_TEXT),
        population={"type": "integer", "minimum": 0, "description": "0 where it is not known."},
    ),
)
_ADDED = component(
    "AddedPlace",
    object_of(
        "A place that editors added, or the names that they gave to one of GeoNames.",
        **_WHERE,
        id=_TEXT,
        version={"type": "integer", "minimum": 0},
        aliases={"type": "array", "items": _TEXT},
        created_at=nullable(_TIME),
        updated_at=nullable(_TIME),
    ),
)
_PATH = {"id_": {**_TEXT, "example": "geonames-2950159"}}


@blueprint.get("/places")
@operation(
    "places",
    query=PlaceQuery,
    answers={200: answer(page_of(_PLACE, "PlacePage"), READ)},
    costly=True,
)
def list_places() -> Response:
    """Look up places by name or alias, in any script: exact names first, then the largest.

    An answer holds the largest places that fit, and leads no further: name more of the name, or the
    country. What it shows is what `city`, `near` and new records are resolved to.
    """
    options = load(PlaceQuery)
    source = reader()
    rows = source.run(_LOADED)
    loaded = "-".join(map(str, rows[0])) if rows else "none"
    limit = options.get("limit", 20)
    body = _found(source.engine, loaded, options["q"], options.get("country"), limit)
    return respond(body, etag=f'"{loaded}"', dataset_version=feed.current_version())


@lru_cache(maxsize=1024)
def _found(engine: Engine, _loaded: str, q: str, country: str | None, limit: int) -> bytes:
    """Look a name up once for each gazetteer that is loaded."""
    with engine.connect() as connection:
        places: list[dict[str, Any]] = lookup.search(connection, q, country, limit)
    return orjson.dumps(
        {
            "data": places,
            "next": None,
            "total": len(places) if len(places) < limit else None,
        }
    )


@blueprint.post("/places")
@operation(
    "places",
    body=body_of(PlaceSchema, required=("name", "country", "latitude", "longitude")),
    answers={201: answer(_ADDED, MADE)},
    permission=_WRITE,
    idempotent=True,
    problems=("id-taken", "name-taken"),
)
def create_place() -> Response:
    """Add a place that the gazetteer lacks, with the names that it goes by."""
    actor = authentication.require(_WRITE)
    load(NoQuery)
    body = request_bodies.json_object()
    data = PLACES.schema.load(body.value)

    def work() -> Outcome[WrittenReference]:
        written = places.create(db.session(), data, actor, data.get("reason"))
        return Outcome(201, {"id": written.id, "version": written.version}, written)

    with transaction() as session:
        reference = idempotency.run(session, actor, body.raw, work).answer
        document = stored_version(PLACES, reference)
    return responses.reference(document, 201, f"{PLACES.path}/{reference['id']}")


@blueprint.get("/places/<id_>")
@operation("places", answers={200: answer(_ADDED, READ)}, path=_PATH, problems=("not-found",))
def read_place(id_: str) -> Response:
    """Read a place that editors added, or one of GeoNames by `geonames-` and its number."""
    load(NoQuery)
    dataset = feed.dataset_version(db.session())
    row = _found_place(id_)
    return json(documents.place(row), dataset_version=dataset, etag=f'"{row["version"]}"')


@blueprint.patch("/places/<id_>")
@operation(
    "places",
    body=body_of(PlaceSchema, media_types=[request_bodies.MERGE_PATCH], name="PlacePatch"),
    answers={200: answer(_ADDED, READ)},
    permission=_WRITE,
    if_match=True,
    path=_PATH,
    problems=("not-found", "name-taken"),
)
def amend_place(id_: str) -> Response:
    """Amend an added place, or give one of GeoNames other names."""
    actor = authentication.require(_WRITE)
    load(NoQuery)
    data = PLACES.schema.load(request_bodies.json_object(request_bodies.PATCH_TYPES).value)
    with transaction() as session:
        row = require_version(_found_place(id_), PLACES, id_, conditional.if_match(data))
        written = places.amend(session, row, data, actor, data.get("reason"))
    return responses.reference(documents.dump(written.document), 200)


@blueprint.delete("/places/<id_>")
@operation(
    "places",
    query=ReferenceDeleteQuery,
    answers={204: answer(None, ["Dataset-Version"])},
    permission=_WRITE,
    if_match=True,
    path=_PATH,
    problems=("not-found",),
)
def delete_place(id_: str) -> Response:
    """Delete an added place, or the names given to one of GeoNames; records keep what they have."""
    actor = authentication.require(_WRITE)
    options = load(ReferenceDeleteQuery)
    with transaction() as session:
        row = require_version(_found_place(id_), PLACES, id_, conditional.if_match())
        if row["version"] == 0:
            raise not_found(f"Nothing was added to {id_[:40]}.")
        places.remove(session, row, actor, options.get("reason"))
    return no_content(feed.version_after_write())


def _found_place(id_: str) -> Mapping[str, Any]:
    key = id_.lower()
    row = places.find(db.session(), key) if len(key) <= 24 and "\x00" not in key else None
    if row is None:
        raise not_found(f"There is no place {id_[:40]!r}.")
    return row
