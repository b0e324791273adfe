"""Find records by where they are, add them up, and walk each filter in the order of dates."""

from collections.abc import Iterator
from datetime import date

import sqlalchemy as sa
from alembic import op

from api.geo import grid

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_PUBLISHED = "status = 'published'"
_FIGURES_INDEX = "ix_incidents_figures"  # on SQLite alone
_FIGURES = (
    "sort_date",
    "earliest",
    "latest",
    "week",
    "country",
    "admin1",
    "city",
    "type",
    "episode",
    "arrests",
    "arrests_low",
    "arrests_high",
    "injuries",
    "injuries_low",
    "injuries_high",
    "deaths",
    "deaths_low",
    "deaths_high",
)
_DEATHS = "coalesce(deaths, deaths_low, -1)"
# Index -> its table, columns and condition.
_NEW = {
    "ix_incidents_date": (("sort_date", "id", "document_pk", "status"), _PUBLISHED),
    "ix_incidents_lasting": (
        ("sort_date", "id", "latest"),
        f"{_PUBLISHED} AND NOT wide AND earliest < latest",
    ),
    "ix_incidents_wide": (("sort_date", "id", "earliest", "latest"), f"{_PUBLISHED} AND wide"),
    "ix_incidents_city": (
        ("city_key", "sort_date", "id", "document_pk", "latest", "status"),
        _PUBLISHED,
    ),
    **{
        f"ix_incidents_{name}": ((name, "sort_date", "id", "document_pk", "status"), _PUBLISHED)
        for name in ("country", "type", "episode")
    },
    "ix_incidents_cell": (("cell", "sort_date", "id"), _PUBLISHED),
    "ix_incidents_region": (("region", "sort_date", "id"), _PUBLISHED),
    "ix_incidents_disputed": (("sort_date", "id"), f"{_PUBLISHED} AND disputed <> ''"),
    "ix_incidents_deaths": ((sa.text(_DEATHS), "id"), f"{_PUBLISHED} AND {_DEATHS} > 0"),
}
_OLD = {
    "ix_incidents_date": (("sort_date", "id", "document_pk"), _PUBLISHED),
    "ix_incidents_wide": (("sort_date", "id"), f"{_PUBLISHED} AND wide"),
    "ix_incidents_city": (("city_key", "sort_date", "id"), _PUBLISHED),
    **{
        f"ix_incidents_{name}": ((name, "sort_date", "id"), _PUBLISHED)
        for name in ("country", "type", "episode")
    },
}
_LISTED = ("community", "sort_date", "id", "incident_pk", "document_pk")
_COLUMNS: dict[str, sa.types.TypeEngine] = {  # type: ignore[type-arg]
    "week": sa.String(8).with_variant(sa.String(8, collation="C"), "postgresql"),
    "cell": sa.Integer(),
    "region": sa.Integer(),
    "x": sa.Double(),
    "y": sa.Double(),
    "z": sa.Double(),
}


def upgrade() -> None:
    """Apply the change."""
    for name, type_ in _COLUMNS.items():
        op.add_column("incidents", sa.Column(name, type_, nullable=True))
    _fill(op.get_bind())
    _exchange(_OLD, _NEW)
    _list((*_LISTED, "listed"), ("community", "incident_pk", "role"))
    if op.get_bind().dialect.name == "sqlite":
        where = sa.text(_PUBLISHED)
        op.create_index(_FIGURES_INDEX, "incidents", (*_FIGURES, "status"), sqlite_where=where)


def downgrade() -> None:
    """Take the change back."""
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index(_FIGURES_INDEX, "incidents")
    _list(_LISTED, ("community", "role", "incident_pk"))
    _exchange(_NEW, _OLD)
    for name in _COLUMNS:
        op.drop_column("incidents", name)


def _exchange(old: dict, new: dict) -> None:  # type: ignore[type-arg]
    for index in old:
        op.drop_index(index, "incidents")
    for index, (columns, condition) in new.items():
        where = sa.text(condition)
        op.create_index(index, "incidents", columns, sqlite_where=where, postgresql_where=where)


def _list(listed: tuple[str, ...], probed: tuple[str, ...]) -> None:
    table, where = "incident_communities", sa.text("listed")
    for index in ("ix_incident_communities_listed", "ix_incident_communities_community"):
        op.drop_index(index, table)
    op.create_index(
        "ix_incident_communities_listed", table, listed, sqlite_where=where, postgresql_where=where
    )
    op.create_index("ix_incident_communities_community", table, probed)


_incidents = sa.table(
    "incidents",
    *(sa.column(name) for name in ("pk", "earliest", "latest", "latitude", "longitude")),
    *(sa.column(name) for name in _COLUMNS),
)


def _fill(connection: sa.Connection) -> None:
    columns = _incidents.c
    wanted = (columns.pk, columns.earliest, columns.latest, columns.latitude, columns.longitude)
    change = (
        sa.update(_incidents)
        .where(columns.pk == sa.bindparam("of"))
        .values({name: sa.bindparam(f"new_{name}") for name in _COLUMNS})
    )
    last = 0
    while True:
        page = sa.select(*wanted).where(columns.pk > last).order_by(columns.pk).limit(5000)
        rows = connection.execute(page).all()
        if not rows:
            return
        last = rows[-1].pk
        connection.execute(change, [dict(_found(row)) for row in rows])


def _found(row: sa.Row) -> Iterator[tuple[str, object]]:  # type: ignore[type-arg]
    yield "of", row.pk
    first, last = (date.fromisoformat(day).isocalendar()[:2] for day in (row.earliest, row.latest))
    yield "new_week", "{:04}-W{:02}".format(*first) if first == last else None
    if row.latitude is None:
        yield from ((f"new_{name}", None) for name in ("cell", "region", *"xyz"))
        return
    point = (row.latitude, row.longitude)
    yield "new_cell", grid.cell_id(*point, grid.CELL)
    yield "new_region", grid.cell_id(*point, grid.REGION)
    yield from zip(("new_x", "new_y", "new_z"), grid.vector(*point), strict=True)
