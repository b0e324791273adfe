"""Lists in other formats than JSON: how they are described, asked for and sent."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from flask import Response
from marshmallow import Schema

from api.core.media_formats import Format
from api.database.engines import reader
from api.exports.exporter import ExportRequest, exports, in_memory
from api.exports.formats import registry
from api.http import rate_limits
from api.http.openapi import DOWNLOAD, Answer, answer, component
from api.http.openapi.schema_builders import JsonSchema, Shape
from api.http.responses import PREFIX, next_address
from api.queries.results import Page, ResolvedQuery
from api.routes import downloads, responses
from schemas.query import values
from schemas.query.filters import IncidentQuery
from schemas.query.parameters import Parameter
from schemas.query.requests import ClaimQuery

PROBLEMS = ("not-acceptable", "range-not-satisfiable", "busy", "storage-full")


def with_format(
    schema: type[Schema], formats: Mapping[str, Format], what: str, example: str
) -> type[Schema]:
    """Return the query SCHEMA with the parameter `format`, which takes the names of FORMATS.

    WHAT names one of what is listed, such as "record".
    """
    parameter = Parameter(
        values.one_of(formats),
        "Format of the answer, like a suffix of the address; all but `json` export every "
        f"{what} that matches unless `limit` is given.",
        example,
        default="json",
    )
    return Schema.from_dict({**schema._declared_fields, "format": parameter}, name=schema.__name__)


INCIDENT_QUERY = with_format(IncidentQuery, registry.INCIDENTS, "record", "json")
CLAIM_QUERY = with_format(ClaimQuery, registry.CLAIMS, "claim", "csv")


def answers(page: Shape, formats: Mapping[str, Format]) -> dict[int, Answer]:
    """Describe the answers of a list: its PAGE as JSON, the other FORMATS, and parts of them."""
    exported = [format_ for format_ in formats.values() if format_.write is not None]
    exported.sort(key=lambda format_: not format_.schemas)  # what has a shape before plain text
    also = {format_.mimetype: _shape(format_) for format_ in exported}
    part = "The part of an export asked for by Range."
    return {
        200: answer(page, DOWNLOAD, also=also),
        206: answer(None, [*DOWNLOAD, "Content-Range"], description=part),
    }


def _shape(format_: Format) -> JsonSchema:
    """Return the schema of an answer in a format."""
    declared = [component(name, dict(schema)) for name, schema in format_.schemas.items()]
    if not declared:
        return {"type": "string"}
    *parts, whole = declared
    return component(whole.name, whole.schema, parts)


def fields(formats: Mapping[str, Format]) -> list[str]:
    """Return the fields that a list may be asked for, in any of FORMATS."""
    return sorted(frozenset().union(*(format_.fields for format_ in formats.values())))


def respond(
    what: str,
    format_: Format,
    query: ResolvedQuery,
    *,
    page: Callable[[], Page],
    batches: Callable[[], Iterable[Sequence[bytes]]],
    private: bool = False,
) -> Response:
    """Answer a resolved QUERY of WHAT (`incidents`) in a format.

    JSON is the PAGE. Any other format is all BATCHES, or with a limit the page.
    """
    if not private and (same := responses.not_modified(suffix=format_.tag)):
        return same
    if format_.write is None:
        return responses.page(page(), fields=query.fields, private=private)
    next_page = None
    if query.limit is None:
        rate_limits.count("read")
        key = None if private else query.identity
        export = exports().make(reader(), ExportRequest(what, format_, batches, key, query.fields))
    else:
        rows = page()
        next_page = next_address(rows.following)
        export = in_memory(format_, rows.documents, query.fields, rows.dataset_version)
    filtered = bool(query.criteria) or query.limit is not None or query.cursor is not None
    name = f"{what}-v{export.dataset_version}{'-filtered' if filtered else ''}.{format_.name}"
    return downloads.send(
        export,
        path=f"{PREFIX}/{what}.{format_.name}",
        file_name=name,
        media_type=format_.media_type,
        tag=format_.tag,
        private=private,
        next_page=next_page,
    )
