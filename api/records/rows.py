"""A state as rows: what each table holds of a record."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

from sqlalchemy import Connection, bindparam, delete

from api.database import statements
from api.database.base import Base
from api.documents import DerivedFields
from api.geo import grid
from api.models import (
    LIST_TABLES,
    Claim,
    Incident,
    IncidentCommunity,
    IncidentOrganisation,
    Source,
)
from api.models.tables import key, table
from schemas.claims import CLAIM_MEMBERS
from schemas.countries import division_label
from schemas.record_fields import STATE_FIELDS, State

# The fields that have a column of their own name.
_COPIED = tuple(field.name for field in STATE_FIELDS if field.name in table(Incident).c)
CHILD_TABLES: tuple[type[Base], ...] = (
    Claim,
    Source,
    *LIST_TABLES.values(),
    IncidentOrganisation,
    IncidentCommunity,
)
# The columns of an item, by the field that is its list.
ITEM_COLUMNS = {
    name: [
        column.name for column in table(model).c if column.name not in ("incident_pk", "position")
    ]
    for name, model in LIST_TABLES.items()
}
_DELETE_CHILDREN = [
    delete(child).where(child.c.incident_pk == bindparam("pk"))
    for child in map(table, CHILD_TABLES)
]
_WIDE_DAYS = 366


def incident_columns(state: State, derived: DerivedFields) -> dict[str, Any]:
    """Return the columns of an incident that follow from its state."""
    span = derived.span
    wide = span.start is None or span.end is None or (span.end - span.start).days > _WIDE_DAYS
    return {
        **{name: state[name] for name in _COPIED},
        "date": span.text,
        "date_precision": span.precision,
        "earliest": span.earliest,
        "latest": span.latest,
        "sort_date": span.sort_date,
        "wide": wide,
        "week": span.week,
        "city_key": key(state["city"]),
        "admin1_key": key(division_label(state["country"], state["admin1"])),
        "disputed": f"|{'|'.join(derived.disputed)}|" if derived.disputed else "",
        "number_of_sources": derived.number_of_sources,
        **_point(state["latitude"], state["longitude"]),
    }


def _point(latitude: float | None, longitude: float | None) -> dict[str, Any]:
    """Return the columns by which a point is found: its grid cells, and its unit vector."""
    if latitude is None or longitude is None:
        return dict.fromkeys(("cell", "region", "x", "y", "z"))
    x, y, z = grid.vector(latitude, longitude)
    return {
        "cell": grid.cell_id(latitude, longitude, grid.CELL),
        "region": grid.cell_id(latitude, longitude, grid.REGION),
        "x": x,
        "y": y,
        "z": z,
    }


def child_rows(
    incident: Mapping[str, Any],
    state: State,
    derived: DerivedFields,
    article_pks: Mapping[str, int],
) -> dict[type[Base], list[dict[str, Any]]]:
    """Return the rows that belong to INCIDENT (its columns), by model."""
    pk = incident["pk"]
    seen: set[str] = set()
    communities = []
    for position, entry in enumerate(state["communities"]):
        listed = incident["status"] == "published" and entry["community"] not in seen
        seen.add(entry["community"])
        denormalised = {name: incident[name] for name in ("sort_date", "id", "document_pk")}
        communities.append(
            {"incident_pk": pk, "position": position, "listed": listed, **entry, **denormalised}
        )
    sources = []
    for index, source in enumerate(state["sources"]):
        sources.append(
            {
                "incident_pk": pk,
                "position": index,
                "article_pk": article_pks[source["article"]["id"]],
                "city_key": incident["city_key"],
                "locator": source["locator"],
            }
        )
    return {
        IncidentCommunity: communities,
        IncidentOrganisation: _organisation_rows(pk, state),
        **{model: _item_rows(pk, name, state[name]) for name, model in LIST_TABLES.items()},
        Source: sources,
        Claim: _claim_rows(pk, state, derived.conflicting),
    }


def _organisation_rows(pk: int, state: State) -> list[dict[str, Any]]:
    """Return the rows of the organisations of all communities, each once in a role."""
    named = dict.fromkeys(
        (organisation, entry["role"])
        for entry in state["communities"]
        for organisation in entry["organisations"]
    )
    return [
        {
            "incident_pk": pk,
            "position": position,
            "organisation": organisation,
            "organisation_key": key(organisation),
            "role": role,
        }
        for position, (organisation, role) in enumerate(named)
    ]


def _item_rows(pk: int, name: str, items: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the rows of the items of a list that has a table of its own."""
    columns = ITEM_COLUMNS[name]
    return [
        {
            "incident_pk": pk,
            "position": position,
            **(dict.fromkeys(columns, item) if len(columns) == 1 else item),
        }
        for position, item in enumerate(items)
    ]


def _claim_rows(pk: int, state: State, conflicting: Set[int]) -> list[dict[str, Any]]:
    """Return the rows of all claims of an incident."""
    claims = [
        (source_position, position, claim)
        for source_position, source in enumerate(state["sources"])
        for position, claim in enumerate(source["claims"])
    ]
    return [
        {
            "incident_pk": pk,
            "source_position": source_position,
            "position": position,
            **{name: claim[name] for name in CLAIM_MEMBERS},
            "attributed_key": key(claim["attributed_to"]),
            "conflicting": number in conflicting,
        }
        for number, (source_position, position, claim) in enumerate(claims)
    ]


def delete_children(connection: Connection, incident_pk: int) -> None:
    """Delete the rows that belong to an incident, before new ones take their place."""
    for statement in _DELETE_CHILDREN:
        statements.run(connection, statement, {"pk": incident_pk})
