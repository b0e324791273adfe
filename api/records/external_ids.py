"""External ids that several records have: they may tell of one event, and a writer is told so."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Boolean, Connection, Integer, bindparam, or_, select

from api.core.permissions import Actor
from api.database import statements
from api.database.statements import InJsonList, json_list
from api.models import Incident, IncidentExternalId
from api.models.tables import table
from schemas.external_ids import spell_external_id
from schemas.record_fields import State

_MOST_NAMED = 3
_incidents, _rows = table(Incident).c, table(IncidentExternalId).c
_SHARING = (
    select(_rows.scheme, _rows.id, _incidents.pk, _incidents.id)
    .join_from(table(IncidentExternalId), table(Incident), _incidents.pk == _rows.incident_pk)
    .where(
        InJsonList(_rows.id, "ids"),
        or_(
            _incidents.status == "published",
            (_incidents.status == "draft")
            & or_(
                bindparam("every", type_=Boolean),
                _incidents.author_pk == bindparam("caller", type_=Integer),
            ),
        ),
    )
    .order_by(_incidents.pk)
)


def shared(
    connection: Connection,
    states: Mapping[int, State],
    actor: Actor,
    excluded: Collection[int | None] = (),
) -> dict[int, list[dict[str, Any]]]:
    """Return warnings of the external ids that other records have too, by the keys of STATES.

    The others are those that ACTOR may read, but for the EXCLUDED.
    """
    ids = {one["id"] for state in states.values() for one in state["external_ids"]}
    warnings: dict[int, list[dict[str, Any]]] = {pk: [] for pk in states}
    if not ids:
        return warnings
    values = {"ids": json_list(ids), "every": actor.reads_all, "caller": actor.pk or 0}
    holders: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for scheme, id_, pk, record_id in statements.run(connection, _SHARING, values):
        if pk not in excluded:
            holders[scheme, id_].append((pk, record_id))
    for pk, state in states.items():
        for position, one in enumerate(state["external_ids"]):
            others = [id_ for holder, id_ in holders[one["scheme"], one["id"]] if holder != pk]
            if others:
                warnings[pk].append(_warning(position, one, others))
    return warnings


def _warning(position: int, one: Mapping[str, str], others: list[str]) -> dict[str, Any]:
    more = f" and {len(others) - _MOST_NAMED} more" if others[_MOST_NAMED:] else ""
    detail = (
        f"{spell_external_id(one)} is the number of {', '.join(others[:_MOST_NAMED])}{more} too; "
        "is it the same event?"
    )
    return {"pointer": f"/external_ids/{position}", "code": "external_id_shared", "detail": detail}
