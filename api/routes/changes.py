"""The change feed: every public change in the order of its commit."""

from flask import Blueprint, Response

from api.database.engines import reader
from api.http.openapi import PAGE, answer, component, list_of, nullable, object_of, operation
from api.http.openapi.components import INCIDENT_VERSION
from api.http.query_strings import load
from api.queries import feed
from api.routes import responses
from schemas.errors import ErrorDetail
from schemas.query.filters import DEFAULT_LIMIT
from schemas.query.parameters import QueryError
from schemas.query.requests import ChangesQuery

blueprint = Blueprint("changes", __name__, url_prefix="/api/v1")

_CHANGE = component(
    "Change",
    object_of(
        "A public change.",
        optional={
            "id": {"type": "string"},
            "version": {"type": "integer", "minimum": 1},
            "incident": nullable(INCIDENT_VERSION),
            "resource": {
                "type": "string",
                "enum": ["article", "community", "episode", "incident", "place"],
                "description": "`incident` where all of them were upgraded.",
            },
        },
        seq={"type": "integer", "minimum": 1},
        action={"type": "string", "enum": list(feed.ACTIONS)},
        at={"type": "string", "format": "date-time"},
    ),
)
_CHANGES = component(
    "Changes",
    object_of(
        "A stretch of the change feed.",
        data=list_of(_CHANGE),
        next={"type": ["string", "null"], "description": "Where it goes on; null if nowhere yet."},
        last_seq={"type": "integer", "minimum": 0, "description": "The last number given."},
    ),
)


@blueprint.get("/changes")
@operation("changes", query=ChangesQuery, answers={200: answer(_CHANGES, PAGE)})
def list_changes() -> Response:
    """List the public changes after a number, in the order of their commits.

    `next` leads on; where it is null nothing more has happened, and `last_seq` is the number to ask
    from later. An incident's entry carries the document of its version, or null where the incident
    is withdrawn, merged or erased by now: a copy puts what it is given and drops what is null. An
    entry `upgraded` says that all incidents gained a field: a copy loads the export anew.
    """
    options = load(ChangesQuery)
    since, limit = options.get("since", 0), options.get("limit", DEFAULT_LIMIT)
    documents = options.get("documents", True)
    if same := responses.not_modified():
        return same
    entries = feed.entries(reader(), since, limit, documents=documents)
    if since > entries.last_seq:
        raise _beyond(since, entries.last_seq)
    return responses.changes(entries, documents=documents)


def _beyond(since: int, last_seq: int) -> QueryError:
    """Refuse a number that was not given yet: whoever knows it has a copy of something else."""
    fault = ErrorDetail(
        "beyond_last",
        f"The last change has the number {last_seq}; {since} was not given yet. If the service "
        "was restored from an older backup, make the copy anew.",
    )
    return QueryError({"since": [fault]})
