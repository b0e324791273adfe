"""Exporting: what the lists answer in a format other than JSON."""

from collections.abc import Callable, Iterable, Sequence

from flask import Response

from api import documents
from api.database.engines import reader
from api.exports.exporter import ExportRequest, exports, in_memory
from api.exports.formats import registry
from api.exports.formats.registry import Format
from api.http import negotiation, rate_limits, responses
from api.http.openapi import DOWNLOAD, answer, any_of, component, list_of, nullable, object_of
from api.http.openapi.schema_builders import page_of
from api.queries.pages import Page
from api.queries.resolver import ResolvedQuery
from api.routes import downloads

POINT = object_of(
    type={"const": "Point"},
    coordinates=list_of({"type": "number"}, "Longitude, latitude.", minItems=2, maxItems=2),
)
_FEATURE = component(
    "Feature",
    object_of(
        "A record as GeoJSON; `geo_precision` says how exact the point is.",
        type={"const": "Feature"},
        id="RecordId",
        geometry=nullable(POINT),
        properties=any_of("Incident", "SparseIncident"),
    ),
)
_COLLECTION = component(
    "FeatureCollection",
    object_of(
        "All records, as GeoJSON.", type={"const": "FeatureCollection"}, features=list_of(_FEATURE)
    ),
)
_TEXT = {"type": "string"}
ANSWERS = {
    200: answer(
        page_of(any_of("Incident", "SparseIncident"), "IncidentPage"),
        DOWNLOAD,
        also={
            negotiation.media_type(registry.GEOJSON): _COLLECTION,
            negotiation.media_type(registry.CSV): _TEXT,
            negotiation.media_type(registry.NDJSON): _TEXT,
        },
    ),
    206: answer(
        None, [*DOWNLOAD, "Content-Range"], description="The part of an export asked for by Range."
    ),
}
PROBLEMS = ("not-acceptable", "range-not-satisfiable", "busy", "storage-full")
FIELDS = sorted(documents.FIELDS | registry.CSV.fields)


def send(
    what: str,
    format_: Format,
    query: ResolvedQuery,
    *,
    page: Callable[[], Page],
    batches: Callable[[], Iterable[Sequence[bytes]]],
    key: str | None,
) -> Response:
    """Send all BATCHES of WHAT a resolved QUERY means; with a limit, its PAGE.

    KEY says in full which they are, for all who ask the same; None keeps the answer private.
    """
    following = None
    if query.limit is None:
        rate_limits.count("read")
        request = ExportRequest(
            what=what, format=format_, batches=batches, key=key, fields=query.fields
        )
        export = exports().make(reader(), request)
    else:
        found = page()
        following = responses.next_address(found.following)
        export = in_memory(format_, found.documents, query.fields, found.dataset_version)
    partial = bool(query.criteria) or query.limit is not None or query.cursor is not None
    return downloads.send(
        export, format_, what, partial=partial, private=key is None, following=following
    )
