"""Remember the newest field that every document has."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change; every document that is there has the first fields."""
    column = sa.Column("newest_field", sa.Integer(), nullable=False, server_default="1")
    op.add_column("dataset", column)


def downgrade() -> None:
    """Take the change back."""
    with op.batch_alter_table("dataset") as dataset:
        dataset.drop_column("newest_field")
