"""Note imports and the versions that they made."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    moment = sa.String(24).with_variant(sa.String(24, collation="C"), "postgresql")
    op.create_table(
        "imports",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(10), nullable=False),
        sa.Column("actor_pk", sa.Integer(), nullable=True),
        sa.Column("at", moment, nullable=False),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("reverted_at", moment, nullable=True),
        sa.Column("reverted_until", sa.Integer(), nullable=False),
        sa.Column("revert", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("pk", name="pk_imports"),
        sa.UniqueConstraint("id", name="uq_imports_id"),
        sa.ForeignKeyConstraint(["actor_pk"], ["api_keys.pk"], name="fk_imports_actor_pk"),
        sqlite_autoincrement=True,
    )
    op.add_column("import_positions", sa.Column("import_id", sa.String(10), nullable=True))
    op.add_column("versions", sa.Column("import_id", sa.String(10), nullable=True))
    op.create_index(
        "ix_versions_import",
        "versions",
        ["import_id", "incident_pk", "number"],
        sqlite_where=sa.text("import_id IS NOT NULL"),
        postgresql_where=sa.text("import_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_versions_import", "versions")
    op.drop_column("versions", "import_id")
    op.drop_column("import_positions", "import_id")
    op.drop_table("imports")
