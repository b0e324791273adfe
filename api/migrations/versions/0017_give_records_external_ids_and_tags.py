"""Give records external ids and tags."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def _text(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Apply the change; no record has any yet."""
    _create("incident_external_ids", sa.Column("scheme", _text(64)), sa.Column("id", _text(100)))
    _create("incident_tags", sa.Column("tag", _text(64)))
    external_id = ["id", "scheme", "incident_pk"]
    op.create_index("ix_incident_external_ids_id", "incident_external_ids", external_id)
    op.create_index("ix_incident_tags_tag", "incident_tags", ["tag", "incident_pk"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("incident_tags")
    op.drop_table("incident_external_ids")


def _create(name: str, *columns: sa.Column[str]) -> None:
    """Create the table of the items of a list."""
    for column in columns:
        column.nullable = False
    op.create_table(
        name,
        sa.Column("incident_pk", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["incident_pk"], ["incidents.pk"], name=op.f(f"fk_{name}_incident_pk")
        ),
        sa.PrimaryKeyConstraint("incident_pk", "position", name=op.f(f"pk_{name}")),
    )
