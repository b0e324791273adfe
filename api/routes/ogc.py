"""OGC API Features: the incidents as a layer that is filtered here, for QGIS, GDAL and their like.

Part 1 (Core, OpenAPI 3.0, GeoJSON) and Part 3 (queryables, filter by CQL2 text); docs/ogc.md has
each requirement with its test. The queries, the pages and who may read what are those of
`/api/v1/incidents`. Addresses in answers are whole, by PUBLIC_URL: QGIS and older GDAL cannot
follow relative ones. What is wrong in a query is a 400, as the standard has it.
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
    document,
    list_of,
    nullable,
    object_of,
    operation,
    subset,
    version_3_0,
)
from api.http.query_strings import load
from api.http.read_warnings import show_warnings
from api.http.responses import JSON, PREFIX, json, next_address, origin, redirect, respond
from api.models import feed
from api.queries import history
from api.queries.extents import extent
from api.queries.pages import page
from api.queries.resolver import resolve
from api.queries.results import Page
from api.routes import ogc_features, responses
from api.routes.record_paths import MOVED, record_id
from api.web import assets
from schemas import ogc_query
from schemas.ogc_query import CRS84, FeaturesQuery
from schemas.query.filters import MAX_LIMIT
from schemas.query.parameters import NoQuery, QueryError

PATH = "/ogc"
blueprint = Blueprint("ogc", __name__, url_prefix=PATH)

_COLLECTION = f"{PATH}/collections/incidents"
_ITEMS = f"{_COLLECTION}/items"
_GEOJSON = "application/geo+json"
_OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
_STANDARD = "http://www.opengis.net/spec"
CONFORMANCE = [
    *(f"{_STANDARD}/ogcapi-features-1/1.0/conf/{name}" for name in ("core", "oas30", "geojson")),
    *(
        f"{_STANDARD}/ogcapi-features-3/1.0/conf/{name}"
        for name in ("queryables", "filter", "features-filter")
    ),
    *(
        f"{_STANDARD}/cql2/1.0/conf/{name}"
        for name in (
            "cql2-text",
            "basic-cql2",
            "advanced-comparison-operators",
            "basic-spatial-functions",
        )
    ),
]
_QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
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
_INCIDENT = component(
    "OgcIncident",
    object_of("A record with its lists as texts.", dict(ogc_features.SCHEMAS)),
)
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
    return _standing(conformsTo=CONFORMANCE)


@blueprint.get("/collections")
@operation("ogc", answers={200: answer(_COLLECTIONS, READ)}, permission=None, query_problem=_WRONG)
def ogc_collections() -> Response:
    """List the collections: there is one."""
    load(NoQuery)
    version = feed.current_version()
    links = [_link(f"{PATH}/collections", "self", "This page")]
    return json(
        {"collections": [_collection(version)], "links": links},
        etag=conditional.etag(version, _TAG),
        dataset_version=version,
    )


@blueprint.get("/collections/incidents")
@operation("ogc", answers={200: answer(_DESCRIBED, READ)}, permission=None, query_problem=_WRONG)
def ogc_collection() -> Response:
    """Describe the collection of incidents, with where and when they were."""
    load(NoQuery)
    version = feed.current_version()
    return json(_collection(version), etag=conditional.etag(version, _TAG), dataset_version=version)


@blueprint.get("/collections/incidents/schema")
@operation(
    "ogc",
    answers={200: answer(_ANY, ["ETag"], media_types=[_SCHEMA])},
    permission=None,
    query_problem=_WRONG,
)
def ogc_schema() -> Response:
    """Describe the type of each property of an incident as a JSON Schema; any may be null."""
    return _standing(_SCHEMA, **ogc_features.FEATURE_SCHEMA)


@blueprint.get("/collections/incidents/queryables")
@operation(
    "ogc",
    answers={200: answer(_ANY, ["ETag"], media_types=[_SCHEMA])},
    permission=None,
    query_problem=_WRONG,
)
def ogc_queryables() -> Response:
    """List the properties that a filter may name, each with its type, as a JSON Schema."""
    address = f"{origin()}{_COLLECTION}/queryables"
    return _standing(_SCHEMA, **ogc_features.queryables(address))


@blueprint.get("/collections/incidents/items")
@operation(
    "ogc",
    query=FeaturesQuery,
    answers={200: answer(_FEATURES, PAGE, media_types=[_GEOJSON])},
    query_problem=_WRONG,
)
def ogc_items() -> Response:
    """Page incidents as features: in a box, of a time, as a filter in CQL2 or plain ones say."""
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
        b'%b,"links":%b}' % (ogc_features.feature(record.document)[:-1], links),
        etag=conditional.etag(record.version, _TAG),
        dataset_version=record.dataset_version,
        private=record.private(actor),
        media_type=_GEOJSON,
    )


@blueprint.get("/api")
def description() -> Response:
    """Send the description of what is below `/ogc` (OpenAPI 3.0)."""
    load(NoQuery)
    extensions = current_app.extensions
    if "ogc-description" not in extensions:
        part = version_3_0.converted(subset.below(document.make(current_app), PATH))
        items = part["paths"]["/collections/incidents/items"]["get"]
        items["parameters"] = [
            _AS_STANDARD.get(each.get("name"), each) for each in items["parameters"]
        ]
        extensions["ogc-description"] = orjson.dumps(subset.without_unused(part))
    return assets.cacheable(extensions["ogc-description"], _OPENAPI)


# The parameters of the standard, just as it wants them described (OGC 17-069r4, 7.15).
_AS_STANDARD: dict[str | None, dict[str, Any]] = {
    "limit": {
        "name": "limit",
        "in": "query",
        "required": False,
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 100},
        "style": "form",
        "explode": False,
    },
    "bbox": {
        "name": "bbox",
        "in": "query",
        "required": False,
        "schema": {
            "type": "array",
            "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
            "items": {"type": "number"},
        },
        "style": "form",
        "explode": False,
    },
    "datetime": {
        "name": "datetime",
        "in": "query",
        "required": False,
        "schema": {"type": "string"},
        "style": "form",
        "explode": False,
    },
    # GDAL looks for the words here, and follows no reference.
    "filter-lang": {
        "name": "filter-lang",
        "in": "query",
        "required": False,
        "schema": {
            "type": "string",
            "enum": list(ogc_query.LANGUAGES),
            "default": ogc_query.LANGUAGES[0],
        },
        "style": "form",
        "explode": False,
    },
}


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
        b",\n".join(map(ogc_features.feature, rows.documents)),
        orjson.dumps(members)[1:],
    )


def _collection(dataset_version: int) -> dict[str, Any]:
    """Describe the collection as it stands at a dataset version."""
    known = extent(reader(), dataset_version)
    return {
        "id": "incidents",
        "title": "Incidents",
        "description": "One event each, at one place. A point of `geo_precision` city stands for "
        "the whole city; null is not reported.",
        "itemType": "feature",
        "extent": {
            "spatial": {"bbox": [known.box or (-180, -90, 180, 90)], "crs": CRS84},
            "temporal": {
                "interval": [
                    [
                        known.first and f"{known.first}T00:00:00Z",
                        known.last and f"{known.last}T23:59:59Z",
                    ]
                ]
            },
        },
        "crs": [CRS84],
        "links": [
            _link(_COLLECTION, "self", "This collection"),
            _link(_ITEMS, "items", "The incidents", _GEOJSON),
            # GDAL looks for this spelling; in links case means nothing (RFC 8288).
            _link(f"{_COLLECTION}/schema", "describedBy", "The type of each field", _SCHEMA),
            _link(f"{_COLLECTION}/queryables", _QUERYABLES, "What can be filtered by", _SCHEMA),
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
