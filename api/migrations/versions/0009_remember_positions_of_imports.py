"""Remember how far imports from files have come."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    moment = sa.String(24).with_variant(sa.String(24, collation="C"), "postgresql")
    op.create_table(
        "import_positions",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_import_positions"),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("import_positions")
