"""Claims: the ledger of one incident, and the claims of all."""

import orjson
from flask import Blueprint, Response

from api import documents
from api.database.engines import reader
from api.exports.formats import claims, registry
from api.exports.formats.registry import Format
from api.http import authentication, conditional, negotiation, responses
from api.http.openapi import (
    DOWNLOAD,
    PAGE,
    answer,
    any_of,
    component,
    components,
    list_of,
    nullable,
    object_of,
    operation,
    page_of,
    ref,
)
from api.http.openapi.schema_builders import COMPONENTS, Shape
from api.http.query_strings import load, load_query
from api.http.read_warnings import show_warnings
from api.queries import cursors, history
from api.queries.claims import listing
from api.queries.claims.ledger import Ledger
from api.queries.resolver import resolve
from api.routes import list_exports
from api.routes.incidents import MOVED, record_id
from schemas.claims import CLAIM_FIELDS
from schemas.counts import COUNT_FIELDS
from schemas.query.filters import MAX_LIMIT
from schemas.query.requests import ClaimQuery, LedgerQuery

blueprint = Blueprint("claims", __name__, url_prefix="/api/v1")

_TEXT = {"type": "string"}
_TEXT_OR_NULL = nullable(_TEXT)
_NUMBER = {"type": "integer", "minimum": 0}
_FIGURE = nullable(_NUMBER)
_ENTRY: dict[str, Shape] = {
    "pointer": {**_TEXT, "description": "Where the claim stands in its record (RFC 6901)."},
    **COMPONENTS[components.CLAIM["$ref"].rpartition("/")[2]]["properties"],
    "article": ref("EmbeddedArticle"),
    "locator": _TEXT_OR_NULL,
    "agrees": {
        "type": ["boolean", "null"],
        "description": "Whether it can be right together with the headline; null where one of the "
        "two has no figure, or the claim is about one community alone.",
    },
    "conflicts": {**_NUMBER, "description": "How many claims contradict it."},
    "conflicts_with": list_of(_TEXT, "Pointers to those claims, 100 at most."),
}
_PAIRS = list_of(
    object_of(
        "Two claims, and why.",
        claims=list_of(_TEXT, minItems=2, maxItems=2),
        reason=_TEXT,
    )
)
_FIELD: dict[str, Shape] = {
    "text": {**_TEXT, "description": "The headline in words."},
    "disputed": {"type": "boolean"},
    "claims": {**_NUMBER, "description": "How many claims there are."},
    "agree": list_of(_TEXT, "Pointers to claims that agree with the headline, 100 at most."),
    "conflicts": _PAIRS,
    "conflicts_total": _NUMBER,
    "not_compared": _PAIRS,
    "not_compared_total": _NUMBER,
}
_COUNT = component(
    "CountClaims",
    object_of("A count and what is claimed.", _FIELD, best=_FIGURE, low=_FIGURE, high=_FIGURE),
)
_VALUE = component(
    "ValueClaims",
    object_of(
        "A field and what is claimed of it.", _FIELD, value={"type": ["string", "boolean", "null"]}
    ),
)
_LEDGER = component(
    "Ledger",
    object_of(
        "The claims behind a record, and what they come to.",
        data=list_of(component("LedgerClaim", object_of("A claim in its record.", _ENTRY))),
        next=_TEXT_OR_NULL,
        fields=object_of(
            "By field.",
            {field: _COUNT if field in COUNT_FIELDS else _VALUE for field in CLAIM_FIELDS},
        ),
    ),
)
_APART: dict[str, Shape] = {
    "incident": object_of(
        "What the claim is about.",
        id=ref("RecordId"),
        url=_TEXT,
        title=_TEXT,
        date=_TEXT,
        city=_TEXT_OR_NULL,
        country=_TEXT,
    ),
    **_ENTRY,
    "headline": {**_TEXT, "description": "What the record itself says of the field."},
}
_PUBLISHED = component("PublishedClaim", object_of("A claim and its record.", _APART))
_SPARSE = component("SparseClaim", object_of("The members asked for.", optional=_APART))


@blueprint.get("/incidents/<id_>/claims")
@operation(
    "claims",
    query=LedgerQuery,
    answers={200: answer(_LEDGER, PAGE), **MOVED},
    problems=("not-found", "gone"),
)
def read_ledger(id_: str) -> Response:
    """Read the claims behind an incident: who says what, what conflicts, what was not compared.

    `fields` has the headline of each field, with the claims that agree with it, the pairs that
    conflict and the pairs that were not compared, each with the reason: 100 listed, all counted.
    """
    options = load(LedgerQuery)
    actor = authentication.actor()
    found = history.current(reader(), record_id(id_), actor)
    if found.moved_to is not None:
        return responses.moved(found.moved_to, "/claims")
    after = cursors.read_number(options.get("cursor"))
    told = Ledger(documents.load(found.document))
    end = after + options.get("limit", MAX_LIMIT)
    link = responses.next_address(cursors.write_number(end) if end < len(told) else None)
    body = {
        "data": [told.entry(number) for number in range(max(after, 0), min(end, len(told)))],
        "next": link,
        "fields": told.fields(),
    }
    return responses.respond(
        orjson.dumps(body),
        etag=conditional.etag(found.version),
        dataset_version=found.dataset_version,
        private=found.private(actor),
        headers=[("Link", f'<{link}>; rel="next"')] if link else (),
    )


_LISTED = {
    **list_exports.ANSWERS,
    200: answer(
        page_of(any_of(_PUBLISHED, _SPARSE), "ClaimPage"),
        DOWNLOAD,
        also={
            negotiation.media_type(registry.CLAIMS_CSV): _TEXT,
            negotiation.media_type(registry.CLAIMS_NDJSON): _TEXT,
        },
    ),
}
_FIELDS = sorted(claims.MEMBERS | registry.CLAIMS_CSV.fields)


@blueprint.get("/claims")
@operation(
    "claims",
    query=ClaimQuery,
    answers=_LISTED,
    problems=list_exports.PROBLEMS,
    allowed={"fields": _FIELDS},
)
def list_claims() -> Response:
    """List the claims of all published incidents, each with its record, source and headline."""
    return _list(negotiation.choose(registry.CLAIMS))


@blueprint.get("/claims.<suffix>")
@operation(
    "claims",
    query=ClaimQuery,
    answers=_LISTED,
    problems=("not-found", *list_exports.PROBLEMS),
    path={"suffix": {"type": "string", "enum": list(registry.CLAIMS)}},
    allowed={"fields": _FIELDS},
)
def export_claims(suffix: str) -> Response:
    """Export all claims that match: as `.csv`, a row a claim, or `.ndjson`; `.json` is the list."""
    return _list(negotiation.choose(registry.CLAIMS, suffix))


def _list(format_: Format) -> Response:
    query = resolve(load_query(ClaimQuery, format_.fields))
    show_warnings(query.warnings)
    if same := responses.held(suffix=format_.tag):
        return same
    if format_.write is None:
        return responses.page(listing.page(reader(), query), fields=query.fields, private=False)
    return list_exports.send(
        "claims",
        format_,
        query,
        page=lambda: listing.page(reader(), query),
        batches=lambda: listing.batches(reader(), query),
        key=query.identity,
    )
