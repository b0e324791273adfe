"""Count places, precise dates and every figure from indexes alone, on SQLite."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_DATES = ("sort_date", "earliest", "latest")
_REST = (
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
_MORE = (
    "participants",
    "participants_low",
    "participants_high",
    "injuries_police",
    "injuries_police_low",
    "injuries_police_high",
)
_POINTS = ("latitude", "longitude", "geo_precision", "city", "country")


def upgrade() -> None:
    """Apply the change."""
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("ix_incidents_figures", "incidents")
        _create("figures", *_DATES, "date_precision", *_REST, *_MORE)
        _create("points", *_POINTS)


def downgrade() -> None:
    """Take the change back."""
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("ix_incidents_points", "incidents")
        op.drop_index("ix_incidents_figures", "incidents")
        _create("figures", *_DATES, *_REST)


def _create(name: str, *columns: str) -> None:
    where = sa.text("status = 'published'")
    columns = (*columns, "status")
    op.create_index(f"ix_incidents_{name}", "incidents", columns, sqlite_where=where)
