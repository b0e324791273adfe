"""OGC API Features (Core, GeoJSON): the incidents as a layer, for QGIS, GDAL and their like.

The queries, the pages and who may read what are those of `/api/v1/incidents`. Addresses in answers
are whole, by PUBLIC_URL: QGIS and older GDAL cannot follow relative ones. What is wrong in a query
is a 400, as the standard has it.
"""

from typing import Any

import orjson
from flask import Blueprint, Response, current_app, request

from api.database.engines import reader
from api.exports.formats import geojson
from api.http import authentication, conditional, problems
from api.http.openapi import (
    PAGE,
    READ,
    answer,
    component,
    components,
    document,
    list_of,
    nullable,
    object_of,
    operation,
    subset,
)
from api.http.openapi.schema_builders import Component
from api.http.query_strings import load
from api.http.read_warnings import show_warnings
from api.http.responses import JSON, PREFIX, next_address, origin, redirect, respond
from api.queries import history
from api.queries.pages import page
from api.queries.resolver import resolve
from api.queries.results import Page
from api.routes import responses
from api.routes.record_paths import MOVED, record_id
from api.web import assets
from schemas import ogc_query
from schemas.ogc_query import FeaturesQuery
from schemas.query.parameters import NoQuery, QueryError

PATH = "/ogc"
blueprint = Blueprint("ogc", __name__, url_prefix=PATH)

_COLLECTION = f"{PATH}/collections/incidents"
_ITEMS = f"{_COLLECTION}/items"
_GEOJSON = "application/geo+json"
_OPENAPI = "application/vnd.oai.openapi+json;version=3.1"
_STANDARD = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
_CONFORMANCE = [f"{_STANDARD}/core", f"{_STANDARD}/geojson"]
_CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_SCHEMA = "application/schema+json"
_TAG = "-ogc"
_WRONG = "bad-parameter"

_TEXT = {"type": "string"}
_LINKS = list_of(
    component(
        "OgcLink",
        object_of("An address and what is there.", href=_TEXT, rel=_TEXT, type=_TEXT, title=_TEXT),
    )
)
_ANY = {"type": "object", "additionalProperties": True}
_LANDING = component(
    "OgcLanding",
    object_of("Where things are.", title=_TEXT, description=_TEXT, links=_LINKS),
)
_CONFORMS = component(
    "OgcConformance", object_of("What of the standard is there.", conformsTo=list_of(_TEXT))
)
_DESCRIBED = component(
    "OgcCollection",
    object_of(
        "A layer.",
        id=_TEXT,
        title=_TEXT,
        description=_TEXT,
        itemType=_TEXT,
        extent=_ANY,
        crs=list_of(_TEXT),
        links=_LINKS,
    ),
)
_COLLECTIONS = component(
    "OgcCollections",
    object_of("The layers: there is one.", collections=list_of(_DESCRIBED), links=_LINKS),
)
# GDAL and QGIS have the server filter every time by `datetime`, whichever field is meant, and trust
# it: what is no time of the incident is better left out.
_PROPERTIES = {
    name: schema
    for name, schema in components.INCIDENT.schema["properties"].items()
    if name not in ("created_at", "updated_at")
}
_FIELDS = tuple(_PROPERTIES)
_INCIDENT = component("OgcIncident", object_of("A record without its times.", _PROPERTIES))
_POINT = component("Point", geojson.POINT)
_FEATURE = component(
    "OgcFeature",
    object_of(
        "A record as a feature, with links.",
        type={"const": "Feature"},
        id="RecordId",
        geometry=nullable(_POINT),
        properties=_INCIDENT,
        links=_LINKS,
    ),
)
_NUMBER = {"type": "integer", "minimum": 0}
_FEATURES = component(
    "OgcFeatures",
    object_of(
        "A page of features.",
        optional={
            "numberMatched": {**_NUMBER, "description": "All that match, where it was counted."}
        },
        type={"const": "FeatureCollection"},
        features=list_of(
            component(
                "OgcListedFeature",
                object_of(
                    "A record as a feature of a page.",
                    type={"const": "Feature"},
                    id="RecordId",
                    geometry=nullable(_POINT),
                    properties=_INCIDENT,
                ),
            )
        ),
        links=_LINKS,
        numberReturned=_NUMBER,
    ),
)


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the type of a property without null, and without what is inside its objects."""
    schema = schema.schema if isinstance(schema, Component) else schema
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    (type_,) = (name for name in types if name != "null")
    plain: dict[str, Any] = {"type": type_}
    if "format" in schema:
        plain["format"] = schema["format"]
    if type_ == "array":
        plain["items"] = _plain(schema["items"])
    return plain


_FEATURE_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Incident",
    "description": "The type of each property, where it is not null.",
    "type": "object",
    "properties": {
        "type": {"type": "string", "const": "Feature"},
        "id": {"type": "string"},
        "geometry": {"type": "object", "description": "A point."},
        "properties": {
            "type": "object",
            "properties": {
                name: {"description": schema["description"], **_plain(schema)}
                for name, schema in _PROPERTIES.items()
                if name != "id"  # GDAL has it of the feature, and would list it twice
            },
        },
    },
}


@blueprint.get("")
@operation("ogc", answers={200: answer(_LANDING, ["ETag"])}, permission=None, query_problem=_WRONG)
def ogc_landing() -> Response:
    """List where things are, for clients of OGC API Features."""
    return _standing(
        title="Diaspora incidents",
        description="Incidents that involve diaspora communities abroad, as features.",
        links=[
            _link(PATH, "self", "This page"),
            _link(f"{PATH}/api", "service-desc", "The API's description", _OPENAPI),
            _link("/docs", "service-doc", "The API's description as a page", "text/html"),
            _link(f"{PATH}/conformance", "conformance", "What of the standard is there"),
            _link(f"{PATH}/collections", "data", "The collections"),
            _link("/codebook", "describedby", "What every field means", "text/html"),
        ],
    )


@blueprint.get("/conformance")
@operation("ogc", answers={200: answer(_CONFORMS, ["ETag"])}, permission=None, query_problem=_WRONG)
def ogc_conformance() -> Response:
    """Name the parts of the standard that are there."""
    return _standing(conformsTo=_CONFORMANCE)


@blueprint.get("/collections")
@operation(
    "ogc", answers={200: answer(_COLLECTIONS, ["ETag"])}, permission=None, query_problem=_WRONG
)
def ogc_collections() -> Response:
    """List the collections: there is one."""
    links = [_link(f"{PATH}/collections", "self", "This page")]
    return _standing(collections=[_collection()], links=links)


@blueprint.get("/collections/incidents")
@operation(
    "ogc", answers={200: answer(_DESCRIBED, ["ETag"])}, permission=None, query_problem=_WRONG
)
def ogc_collection() -> Response:
    """Describe the collection of incidents."""
    return _standing(**_collection())


@blueprint.get("/collections/incidents/schema")
@operation(
    "ogc",
    answers={200: answer(_ANY, ["ETag"], media_types=[_SCHEMA])},
    permission=None,
    query_problem=_WRONG,
)
def ogc_schema() -> Response:
    """Describe the type of each property of an incident as a JSON Schema; any may be null."""
    return _standing(_SCHEMA, **_FEATURE_SCHEMA)


@blueprint.get("/collections/incidents/items")
@operation(
    "ogc",
    query=FeaturesQuery,
    answers={200: answer(_FEATURES, PAGE, media_types=[_GEOJSON])},
    query_problem=_WRONG,
)
def ogc_items() -> Response:
    """Page incidents as features, those in a box, of a time, or of the lists' plain filters."""
    actor = authentication.actor()
    query = resolve(ogc_query.query(load(FeaturesQuery)), actor)
    show_warnings(query.warnings)
    private = actor.pk is not None
    if not private and (same := responses.not_modified(suffix=_TAG)):
        return same
    rows = page(reader(), query, actor)
    next_page = next_address(rows.following)
    body = _features(rows, next_page)
    return responses.of_dataset(
        body, rows.dataset_version, next_page, private=private, suffix=_TAG, media_type=_GEOJSON
    )


@blueprint.get("/collections/incidents/items/<id_>")
@operation(
    "ogc",
    answers={200: answer(_FEATURE, READ, media_types=[_GEOJSON]), **MOVED},
    problems=("not-found", "gone"),
    query_problem=_WRONG,
)
def ogc_item(id_: str) -> Response:
    """Read one incident as a feature."""
    load(NoQuery)
    actor = authentication.actor()
    record = history.current(reader(), record_id(id_), actor)
    if record.moved_to is not None:
        return redirect(f"{_ITEMS}/{record.moved_to}")
    links = orjson.dumps(
        [
            _link(f"{_ITEMS}/{record.id}", "self", "This incident", _GEOJSON),
            _link(f"{PREFIX}/incidents/{record.id}", "alternate", "The record as JSON"),
            _link(f"/incidents/{record.id}", "alternate", "The record as a page", "text/html"),
            _link(_COLLECTION, "collection", "The collection"),
        ]
    )
    return respond(
        b'%b,"links":%b}' % (geojson.feature(record.document, _FIELDS)[:-1], links),
        etag=conditional.etag(record.version, _TAG),
        dataset_version=record.dataset_version,
        private=record.private(actor),
        media_type=_GEOJSON,
    )


@blueprint.get("/api")
def description() -> Response:
    """Send the description of what is below `/ogc` (OpenAPI 3.1)."""
    load(NoQuery)
    extensions = current_app.extensions
    if "ogc-description" not in extensions:
        whole = document.make(current_app)
        extensions["ogc-description"] = orjson.dumps(subset.below(whole, PATH))
    # GDAL takes no version but 3.0 under OpenAPI's own media type, and any as plain JSON.
    return assets.cacheable(extensions["ogc-description"], JSON)


@blueprint.errorhandler(QueryError)
def _misasked(error: QueryError) -> Response:
    return problems.parameter_error(error, _WRONG)


def _features(rows: Page, next_page: str | None) -> bytes:
    """Write a page of features; the documents go in as they are stored."""
    links = [
        _link(_asked(), "self", "This page", _GEOJSON),
        _link(_COLLECTION, "collection", "The collection"),
    ]
    if next_page is not None:
        links.append(_link(next_page, "next", "The following page", _GEOJSON))
    members: dict[str, Any] = {"links": links, "numberReturned": len(rows.documents)}
    if rows.total is not None:
        members["numberMatched"] = rows.total
    return b'{"type":"FeatureCollection","features":[%s],%s' % (
        b",\n".join([geojson.feature(document_, _FIELDS) for document_ in rows.documents]),
        orjson.dumps(members)[1:],
    )


def _collection() -> dict[str, Any]:
    return {
        "id": "incidents",
        "title": "Incidents",
        "description": "One event each, at one place. A point of `geo_precision` city stands for "
        "the whole city; null is not reported.",
        "itemType": "feature",
        "extent": {
            "spatial": {"bbox": [[-180, -90, 180, 90]], "crs": _CRS84},
            "temporal": {"interval": [[None, None]]},
        },
        "crs": [_CRS84],
        "links": [
            _link(_COLLECTION, "self", "This collection"),
            _link(_ITEMS, "items", "The incidents", _GEOJSON),
            # GDAL looks for this spelling; in links case means nothing (RFC 8288).
            _link(f"{_COLLECTION}/schema", "describedBy", "The type of each field", _SCHEMA),
            _link("/codebook", "describedBy", "What every field means", "text/html"),
            _link(
                "https://creativecommons.org/licenses/by/4.0/", "license", "CC BY 4.0", "text/html"
            ),
        ],
    }


def _link(href: str, rel: str, title: str, media_type: str = JSON) -> dict[str, str]:
    """Write a link; a path becomes a whole address."""
    whole = f"{origin()}{href}" if href.startswith("/") else href
    return {"href": whole, "rel": rel, "type": media_type, "title": title}


def _asked() -> str:
    """Return the path and query of the request."""
    query = request.query_string.decode("latin-1")
    return f"{request.path}?{query}" if query else request.path


def _standing(media_type: str = JSON, /, **value: Any) -> Response:
    """Answer with what stays the same while the service runs."""
    load(NoQuery)
    return assets.cacheable(orjson.dumps(value), media_type)
