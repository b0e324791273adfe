"""Remember the versions that a correction and a merge are about."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = ("corrects_version", "merged_version")


def upgrade() -> None:
    """Add the columns; no record was merged, nor a correction published, before they were there."""
    for name in COLUMNS:
        op.add_column("incidents", sa.Column(name, sa.Integer()))
    op.execute(
        "UPDATE incidents SET corrects_version = (SELECT version FROM incidents AS corrected "
        "WHERE corrected.pk = incidents.corrects_pk) WHERE corrects_pk IS NOT NULL"
    )


def downgrade() -> None:
    """Drop the columns."""
    for name in COLUMNS:
        op.drop_column("incidents", name)
