"""Let editors add places, and names of places."""

import sqlalchemy as sa
from alembic import op

from api.database.base import ordered_text

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "added_places",
        sa.Column("id", ordered_text(24), nullable=False),
        sa.Column("geonames_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("folded", ordered_text(200), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("admin1_code", sa.String(length=20), nullable=True),
        sa.Column("admin1", sa.String(length=200), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("created_at", ordered_text(24), nullable=False),
        sa.Column("updated_at", ordered_text(24), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("geonames_id"),
    )
    op.create_table(
        "added_place_names",
        sa.Column("name", ordered_text(200), nullable=False),
        sa.Column("geonames_id", sa.Integer(), nullable=False),
        sa.Column("canonical", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", "geonames_id"),
    )
    op.create_index("ix_added_place_names_geonames_id", "added_place_names", ["geonames_id"])


def downgrade() -> None:
    """Take the change back; what editors added is gone."""
    op.drop_table("added_place_names")
    op.drop_table("added_places")
