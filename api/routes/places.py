"""Places: looking names up in the gazetteer."""

from functools import lru_cache
from typing import Any

import orjson
from flask import Blueprint, Response
from sqlalchemy import Engine, select

from api import geo
from api.database.engines import engine, reader
from api.http.openapi import READ, answer, component, nullable, object_of, operation, page_of
from api.http.query_strings import load
from api.http.responses import respond
from api.models import GazetteerState, feed
from schemas.query.requests import PlaceQuery

blueprint = Blueprint("places", __name__, url_prefix="/api/v1")

_LOADED = select(GazetteerState.version)
_TEXT = {"type": "string"}
_PLACE = component(
    "Place",
    object_of(
        "A populated place of GeoNames.",
        name=_TEXT,
        admin1=nullable(_TEXT),
        country=_TEXT,
        country_name=nullable(_TEXT),
        latitude={"type": "number"},
        longitude={"type": "number"},
        population={"type": "integer", "minimum": 0, "description": "0 where it is not known."},
        geonames_id={"type": "integer", "minimum": 1},
    ),
)


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
    loaded = rows[0][0] if rows else "none"
    body = _found(engine(), loaded, options["q"], options.get("country"), options.get("limit", 20))
    return respond(body, etag=f'"{loaded}"', dataset_version=feed.current_version())


@lru_cache(maxsize=1024)
def _found(engine: Engine, _loaded: str, q: str, country: str | None, limit: int) -> bytes:
    """Look a name up once for each gazetteer that is loaded."""
    with engine.connect() as connection:
        places: list[dict[str, Any]] = geo.search(connection, q, country, limit)
    return orjson.dumps(
        {
            "data": places,
            "next": None,
            "total": len(places),
            "total_relation": "gte" if len(places) == limit else "eq",
        }
    )
