"""Note what was erased, without what it was."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Add the log, and the time of erasure to incidents."""
    op.create_table(
        "erasures",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column("resource", sa.String(16), nullable=False),
        sa.Column("id", _text(10), nullable=False),
        sa.Column("fields", sa.JSON()),
        sa.Column("code", sa.String(16), nullable=False),
        sa.Column("actor_pk", sa.Integer()),
        sa.Column("at", _text(24), nullable=False),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_erasures")),
        sa.ForeignKeyConstraint(["actor_pk"], ["api_keys.pk"], name=op.f("fk_erasures_actor_pk")),
        sqlite_autoincrement=True,
    )
    op.add_column("incidents", sa.Column("erased_at", _text(24)))


def downgrade() -> None:
    """Drop the log."""
    op.drop_column("incidents", "erased_at")
    op.drop_table("erasures")
