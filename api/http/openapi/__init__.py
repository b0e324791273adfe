"""The description of the API: what stands on each view, and the document made from it.

Every view says what it takes and answers, directly below its route:

    @blueprint.get("/claims")
    @operation("claims", query=ClaimQuery, answers={200: answer(page_of("Claim"), PAGE)})
    def list_claims() -> Response:
        '''List the claims of all sources.'''

The tag groups operations; the docstring's first sentence is the summary, the rest the description,
the view's name the operationId. `query`, `body` (a `body_of(Schema)`), `permission` (a row of
`PERMISSIONS`), `if_match` (If-Match) and `idempotent` (Idempotency-Key) bring their parameters
and problems along; `problems` names what is beside those. A schema is a dict of JSON Schema, the
name of a component, or made by `object_of`, `list_of`, `page_of`, `any_of`, `nullable` and
`component`.
"""

from api.http.openapi.operations import (
    DOWNLOAD,
    MADE,
    PAGE,
    READ,
    WRITTEN,
    Answer,
    Body,
    Operation,
    answer,
    body_of,
    either_of,
    operation,
    operation_of,
)
from api.http.openapi.schema_builders import (
    any_of,
    component,
    list_of,
    nullable,
    object_of,
    page_of,
    ref,
)

__all__ = [
    "DOWNLOAD",
    "MADE",
    "PAGE",
    "READ",
    "WRITTEN",
    "Answer",
    "Body",
    "Operation",
    "answer",
    "any_of",
    "body_of",
    "component",
    "either_of",
    "list_of",
    "nullable",
    "object_of",
    "operation",
    "operation_of",
    "page_of",
    "ref",
]
