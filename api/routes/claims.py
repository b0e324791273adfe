"""Claims: the ledger of one incident, and the claims of all."""

from flask import Blueprint, Response

from api import documents
from api.database.engines import reader
from api.exports.formats import registry
from api.http import authentication, conditional, negotiation
from api.http.openapi import (
    PAGE,
    answer,
    component,
    components,
    list_of,
    nullable,
    object_of,
    operation,
    page_of,
    ref,
)
from api.http.openapi.schema_builders import Shape
from api.http.query_strings import load, load_query
from api.http.read_warnings import show_warnings
from api.http.responses import json, next_address
from api.queries import cursors, history
from api.queries.claims import listing
from api.queries.claims.ledger import Ledger
from api.queries.resolver import resolve
from api.routes import list_exports, responses
from api.routes.record_paths import MOVED, record_id
from schemas.claims import CLAIM_FIELDS
from schemas.counts import COUNT_FIELDS
from schemas.query.filters import MAX_LIMIT
from schemas.query.requests import LedgerQuery

blueprint = Blueprint("claims", __name__, url_prefix="/api/v1")

_TEXT = {"type": "string"}
_TEXT_OR_NULL = nullable(_TEXT)
_NUMBER = {"type": "integer", "minimum": 0}
_FIGURE = nullable(_NUMBER)
_ENTRY: dict[str, Shape] = {
    "pointer": {**_TEXT, "description": "Where the claim stands in its record (RFC 6901)."},
    **components.CLAIM.schema["properties"],
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
    component(
        "ClaimPair",
        object_of(
            "Two claims, and why.",
            claims=list_of(_TEXT, "Pointers to both.", minItems=2, maxItems=2),
            reason=_TEXT,
        ),
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
    object_of("A field and what is claimed of it.", _FIELD, value=nullable(components.CLAIM_VALUE)),
)
_LEDGER = component(
    "Ledger",
    object_of(
        "The claims behind a record, and what they come to.",
        data=list_of(component("LedgerClaim", object_of("A claim in its record.", _ENTRY))),
        next=_TEXT_OR_NULL,
        fields=component(
            "ClaimsByField",
            object_of(
                "What is claimed, by field.",
                {field: _COUNT if field in COUNT_FIELDS else _VALUE for field in CLAIM_FIELDS},
            ),
        ),
    ),
)
_APART: dict[str, Shape] = {
    "incident": component(
        "ClaimIncident",
        object_of(
            "What the claim is about.",
            id=ref("RecordId"),
            url=_TEXT,
            title=_TEXT,
            date=_TEXT,
            city=_TEXT_OR_NULL,
            country=_TEXT,
        ),
    ),
    **_ENTRY,
    "headline": {**_TEXT, "description": "What the record itself says of the field."},
}
_PUBLISHED = component("PublishedClaim", object_of("A claim and its record.", _APART))


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
    record = history.current(reader(), record_id(id_), actor)
    if record.moved_to is not None:
        return responses.merged_into(record.moved_to, "/claims")
    start = cursors.read_number(options.get("cursor"))
    ledger = Ledger(documents.load(record.document))
    end = start + options.get("limit", MAX_LIMIT)
    next_page = next_address(cursors.write_number(end) if end < len(ledger) else None)
    numbers = range(max(start, 0), min(end, len(ledger)))
    value = {
        "data": [ledger.entry(number) for number in numbers],
        "next": next_page,
        "fields": ledger.fields(),
    }
    return json(
        value,
        etag=conditional.etag(record.version),
        dataset_version=record.dataset_version,
        private=record.private(actor),
        next_page=next_page,
    )


@blueprint.get("/claims")
@list_exports.describe_list(
    "claims", list_exports.CLAIM_QUERY, page_of(_PUBLISHED, "ClaimPage"), registry.CLAIMS
)
def list_claims() -> Response:
    """List the claims of all published incidents, each with its record, source and headline.

    A suffix of the address exports all that match: `/claims.csv`, `/claims.ndjson`. So do
    `format=csv` and `Accept: text/csv` here.
    """
    return _list()


def _list(suffix: str | None = None) -> Response:
    format_ = negotiation.choose(registry.CLAIMS, suffix)
    query = resolve(load_query(list_exports.CLAIM_QUERY, format_.fields))
    show_warnings(query.warnings)
    return list_exports.respond(
        "claims",
        format_,
        query,
        page=lambda: listing.page(reader(), query),
        batches=lambda: listing.batches(reader(), query),
    )


list_exports.add_exports(blueprint, "claims", list_exports.CLAIM_QUERY, registry.CLAIMS, _list)
