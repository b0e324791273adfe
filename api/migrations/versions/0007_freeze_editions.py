"""Freeze editions of the data set."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _text(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "releases",
        sa.Column("name", _text(64), nullable=False),
        sa.Column("dataset_version", sa.Integer(), nullable=False),
        sa.Column("codebook_version", sa.String(16), nullable=False),
        sa.Column("created_at", _text(24), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("doi", sa.Text()),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_releases")),
    )
    op.create_table(
        "release_revisions",
        sa.Column("name", _text(64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", _text(24), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", "revision", name=op.f("pk_release_revisions")),
        sa.ForeignKeyConstraint(
            ["name"], ["releases.name"], name=op.f("fk_release_revisions_name")
        ),
    )


def downgrade() -> None:
    """Drop the tables; the files stay in their folder."""
    op.drop_table("release_revisions")
    op.drop_table("releases")
