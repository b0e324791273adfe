"""Statistics."""

from typing import Any

from flask import Blueprint, Response

from api.database.engines import reader
from api.documents import FIELDS
from api.http import authentication
from api.http.openapi import (
    PAGE,
    answer,
    any_of,
    component,
    list_of,
    nullable,
    object_of,
    operation,
)
from api.http.openapi.schema_builders import JsonSchema
from api.http.query_strings import load_query
from api.http.read_warnings import show_warnings
from api.queries.resolver import resolve
from api.queries.statistics import pages
from api.queries.statistics.aggregates import SUMMED
from api.routes import responses
from schemas.query.requests import StatsQuery
from schemas.query.values import GROUPINGS
from schemas.vocabulary import ROLES

blueprint = Blueprint("stats", __name__, url_prefix="/api/v1")

_NUMBER: JsonSchema = {"type": "integer", "minimum": 0}
_TEXT_OR_NULL: JsonSchema = {"type": ["string", "null"]}
_SUM = component(
    "Sum",
    object_of(
        "What is proven of a count, added up over the incidents that report it.",
        low={**nullable(_NUMBER), "description": "Sum of the lower bounds; null: none known."},
        high={
            **nullable(_NUMBER),
            "description": "Sum of the upper bounds; null as soon as one figure has none.",
        },
        known={**_NUMBER, "description": "Incidents with a figure."},
        unknown={**_NUMBER, "description": "Incidents without; they are in no sum."},
        open_ended={**_NUMBER, "description": "Figures without an upper bound."},
    ),
)
_ROLES = component(
    "RoleNumbers",
    object_of("Incidents in which a community had each role.", **dict.fromkeys(ROLES, _NUMBER)),
)
_ROLES_OF_PAIR = component(
    "PairRoleNumbers",
    {
        "type": "object",
        "additionalProperties": _ROLES,
        "description": "By community of a pair, incidents in which it had each role.",
    },
)
_SUMS: dict[str, Any] = dict.fromkeys(SUMMED, _SUM)
_KEYS = {name: _TEXT_OR_NULL for name in GROUPINGS if name != "community_pair"}
_ROW = component(
    "StatisticsRow",
    object_of(
        "A group: its keys, its incidents, and sums or roles.",
        optional={
            **_KEYS,
            "admin1": _TEXT_OR_NULL,
            "community_pair": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 2,
                "maxItems": 2,
            },
            "spans": {
                "type": "boolean",
                "description": "Whether the dates span several periods, so that the key is null.",
            },
            **_SUMS,
            "roles": component("GroupRoles", any_of(_ROLES, _ROLES_OF_PAIR)),
        },
        incidents={"type": "integer", "minimum": 1},
    ),
)
_STATISTICS = component(
    "Statistics",
    object_of(
        "Incidents and honest sums by groups.",
        group_by=list_of({"type": "string", "enum": list(GROUPINGS)}),
        data=list_of(_ROW),
        next={"type": ["string", "null"], "description": "Address of the following rows."},
        rows={**_NUMBER, "description": "Number of all rows."},
        total=component(
            "StatisticsTotal",
            object_of("All incidents, each counted once.", optional=_SUMS, incidents=_NUMBER),
        ),
        notes=list_of(
            component(
                "StatisticsNote",
                object_of(
                    "What must be known to read the rows.",
                    code={"type": "string"},
                    detail={"type": "string"},
                ),
            )
        ),
    ),
)


@blueprint.get("/stats")
@operation("stats", query=StatsQuery, answers={200: answer(_STATISTICS, PAGE)}, costly=True)
def read_stats() -> Response:
    """Count incidents and add up their figures by one or two groups, with every filter of the list.

    Sums are of bounds, and say how many incidents they leave out; a date that spans several
    periods has a row of its own. Rows come largest first, or by period where that is the first
    group. By community and by organisation there are numbers by role and no sums.
    """
    actor = authentication.actor()
    query = resolve(load_query(StatsQuery, FIELDS), actor)
    show_warnings(query.warnings)
    private = responses.may_show_drafts(actor, query)
    if not private and (same := responses.not_modified()):
        return same
    return responses.statistics(pages.read(reader(), query, actor), private=private)
