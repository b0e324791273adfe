"""Know what lies about a point; let a record be known to its division or country only."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_OLD = "city IS NOT NULL OR latitude IS NOT NULL"
_NEW = f"{_OLD} OR geo_precision IN ('admin1', 'country')"
# The square of one degree, as `api.geo.grid.square` numbers it.
_CELL = {
    "sqlite": "min(CAST(latitude + 90 AS INTEGER), 179) * 360"
    " + min(CAST(longitude + 180 AS INTEGER), 359)",
    "postgresql": "CAST(least(floor(latitude + 90), 179) * 360"
    " + least(floor(longitude + 180), 359) AS INTEGER)",
}


def upgrade() -> None:
    """Apply the change; the places that are loaded are given their cells."""
    op.add_column("places", sa.Column("cell", sa.Integer(), nullable=True))
    op.execute(f"UPDATE places SET cell = {_CELL[op.get_bind().dialect.name]}")  # noqa: S608
    op.create_index("ix_places_cell_country", "places", ["cell", "country"])
    _check(_OLD, _NEW)


def downgrade() -> None:
    """Take the change back; PostgreSQL refuses where a record has neither city nor point."""
    _check(_NEW, _OLD)
    op.drop_index("ix_places_cell_country", "places")
    op.drop_column("places", "cell")


def _check(before: str, after: str) -> None:
    """Replace what the records' table checks of a place."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_incidents_placed"), "incidents", type_="check")
        op.create_check_constraint(op.f("ck_incidents_placed"), "incidents", after)
        return
    # SQLite's own way to change a check of a large table without writing all of it anew:
    # https://sqlite.org/lang_altertable.html#otheralter
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    op.execute("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = 'incidents'",
        (f"ck_incidents_placed CHECK ({before})", f"ck_incidents_placed CHECK ({after})"),
    )
    op.execute(f"PRAGMA schema_version = {version + 1}")
    op.execute("PRAGMA writable_schema = OFF")
