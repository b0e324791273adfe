"""Lists in other formats than JSON: how they are routed, described, asked for and sent."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from flask import Blueprint, Response
from flask import request as flask_request
from marshmallow import Schema

from api.core.media_formats import Format
from api.database.engines import reader
from api.exports.exporter import ExportRequest, exports, in_memory
from api.exports.formats import registry
from api.http import concurrency, content_coding, rate_limits
from api.http.openapi import DOWNLOAD, PAGE, Answer, answer, component, operation
from api.http.openapi.schema_builders import JsonSchema, Shape
from api.http.responses import PREFIX, next_address
from api.queries.results import Page, ResolvedQuery
from api.routes import downloads, responses
from schemas.query import values
from schemas.query.filters import MAX_LIMIT, IncidentQuery
from schemas.query.parameters import Parameter
from schemas.query.requests import ClaimQuery

View = TypeVar("View", bound=Callable[..., Any])
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


def describe_list(
    what: str, schema: type[Schema], page: Shape, formats: Mapping[str, Format]
) -> Callable[[View], View]:
    """Describe the list of WHAT (`incidents`): its PAGE as JSON, and in words what else it can do.

    With `fields` the items lack members, and in other FORMATS it is an export.
    """
    exported = [format_ for format_ in formats.values() if format_.write is not None]
    return operation(
        what,
        query=schema,
        answers={200: answer(page, PAGE)},
        problems=PROBLEMS,
        allowed={"fields": sorted(frozenset().union(*(each.fields for each in formats.values())))},
        in_words=("fields", "format"),
        other_answers=[each for format_ in exported for each in _answers(format_).values()],
    )


def add_exports(
    blueprint: Blueprint,
    what: str,
    schema: type[Schema],
    formats: Mapping[str, Format],
    view: Callable[[str], Response],
) -> None:
    """Route each of FORMATS of WHAT at its suffix, described as an operation of its own.

    VIEW answers in the format of a suffix, and refuses a suffix that is none.
    """
    for name, format_ in formats.items():
        if format_.write is None:
            continue
        describe = operation(
            what,
            name=f"export_{what}_{name}",
            summary=f"Export all {what} that match as {format_.label}.",
            query=_export_query(schema, what),
            answers=_answers(format_),
            problems=PROBLEMS,
            allowed={"fields": sorted(format_.fields)},
            in_words=("fields", "format") if format_.schemas else ("format",),
        )
        export = describe(partial(view, name))
        blueprint.add_url_rule(f"/{what}.{name}", f"export_{name}", export)
    blueprint.add_url_rule(f"/{what}.<suffix>", "other_suffix", view)


def _export_query(schema: type[Schema], what: str) -> type[Schema]:
    """Return a list's SCHEMA as exports have it: whole, unless a limit is given."""
    words = f"At most so many {what}; all that match, if left out."
    limit = Parameter(values.whole(1, MAX_LIMIT), words, "20")
    return Schema.from_dict({**schema._declared_fields, "limit": limit}, name=schema.__name__)


def _answers(format_: Format) -> dict[int, Answer]:
    """Describe an export: the whole, and the part of it that Range asks for."""
    declared = [component(name, dict(schema)) for name, schema in format_.schemas.items()]
    shape: JsonSchema = {"type": "string", **({"format": "binary"} if format_.is_packed else {})}
    if declared:
        *parts, last = declared
        shape = component(last.name, last.schema, parts)
    part = "The part of the export that Range asks for."
    whole = partial(answer, shape, media_types=[format_.mimetype])
    return {200: whole(DOWNLOAD), 206: whole([*DOWNLOAD, "Content-Range"], description=part)}


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
    key = None if private else query.identity
    client = concurrency.payer_of(flask_request.environ)
    gzip = content_coding.is_accepted() and not format_.is_packed
    request = ExportRequest(what, format_, batches, key, query.fields, client, gzip)
    if query.limit is None:
        rate_limits.count("reads")
        export = exports().make(reader(), request)
    else:
        rows = page()
        next_page = next_address(rows.following)
        export = in_memory(request, rows.documents, rows.dataset_version)
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
