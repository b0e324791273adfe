"""The service itself: its index, its health, and the pages that explain problems."""

import orjson
from flask import Blueprint, Response, current_app

from api.core import metrics
from api.database.engines import reader
from api.http import conditional, health
from api.http.openapi import READ, answer, component, list_of, object_of, operation
from api.http.problems import problem
from api.http.query_strings import load
from api.http.responses import JSON, PREFIX, address, json
from api.models.feed import DATASET_VERSION
from api.records import erasure_log
from schemas.query.parameters import NoQuery

blueprint = Blueprint("service", __name__)

RESOURCES = (
    "incidents",
    "search",
    "stats",
    "claims",
    "articles",
    "communities",
    "episodes",
    "places",
    "changes",
    "releases",
    "overview",
    "codebook",
)
_TEXT = {"type": "string"}
_WHOLE_OR_NULL = {"type": ["integer", "null"], "minimum": 0}
_READY = component(
    "Readiness",
    object_of(
        "What the service found of its database.",
        optional={
            "writes": {"type": "boolean", "description": "Whether the primary answers."},
            "reads": {
                "type": ["object", "null"],
                "additionalProperties": True,
                "description": "How far the standby is that answers reads, or null.",
            },
        },
        ready={"type": "boolean"},
        faults=list_of(_TEXT, "What stands in the way."),
        dataset_version=_WHOLE_OR_NULL,
        incidents=_WHOLE_OR_NULL,
        erasures={"type": "boolean", "description": "Whether erasures can be noted."},
    ),
)
_HEALTH = component("Health", object_of("That the process runs.", status={"const": "ok"}))


@blueprint.get("/api/v1")
@operation("service", answers={200: answer("Index", READ)})
def index() -> Response:
    """List where things are."""
    load(NoQuery)
    links = {name: address(f"{PREFIX}/{name}") for name in RESOURCES}
    for name in ("openapi.json", "docs", "guide", "ogc", "healthz"):
        links[name] = address(f"/{name}")
    version = reader().run(DATASET_VERSION)[0][0]
    value = {"title": "Diaspora incidents", "dataset_version": version, "links": links}
    if current_app.config["CONTACT"]:
        value["contact"] = current_app.config["CONTACT"]
    response = json(value, dataset_version=version, etag=conditional.etag(version))
    for path, relation, type_ in _DESCRIPTIONS:
        response.headers.add("Link", f'<{address(path)}>; rel="{relation}"; type="{type_}"')
    return response


# Where programs and people find the description (RFC 8631).
_DESCRIPTIONS = (
    ("/openapi.json", "service-desc", JSON),
    ("/docs", "service-doc", "text/html"),
)


@blueprint.get("/healthz")
@operation("service", answers={200: answer(_HEALTH)}, permission=None)
def healthz() -> Response:
    """Answer that the process runs."""
    return Response('{"status":"ok"}', content_type=JSON)


@blueprint.get("/readyz")
@operation("service", answers={200: answer(_READY)}, permission=None, problems=("unavailable",))
def readyz() -> Response:
    """Answer whether requests can be served: the database is there and its tables are current.

    `erasures` tells whether they can be noted; while they cannot, they are refused, and nothing
    else is.
    """
    state = {**health.readiness(), "erasures": erasure_log.is_writable()}
    if not state["ready"]:
        return problem("unavailable", "Not ready: " + "; ".join(state.pop("faults")), **state)
    return Response(orjson.dumps(state), content_type=JSON)


@blueprint.get("/metrics")
@operation("service", answers={200: answer(_TEXT, media_types=["text/plain"])}, permission=None)
def read_metrics() -> Response:
    """Return the figures that Prometheus collects."""
    figures = {**health.gauges(), "erasure_log_writable": float(erasure_log.is_writable())}
    return Response(metrics.exposition(**figures), content_type=metrics.MEDIA_TYPE)
