"""Erase what records refer to, whose ids are longer, and keep no words of a retry's key."""

import hashlib

import sqlalchemy as sa
from alembic import op

from api.database.base import ordered_text

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_KEYS = sa.table(
    "idempotency_keys", sa.column("api_key_pk"), sa.column("route"), sa.column("key", sa.Text)
)


def upgrade() -> None:
    """Apply the change."""
    with op.batch_alter_table("erasures") as erasures:
        erasures.alter_column("id", existing_type=ordered_text(10), type_=ordered_text(64))
    connection = op.get_bind()
    for row in connection.execute(sa.select(_KEYS)).all():
        same = [_KEYS.c[name] == value for name, value in row._mapping.items()]
        digest = hashlib.sha256(row.key.encode()).hexdigest()
        connection.execute(sa.update(_KEYS).where(*same).values(key=digest))


def downgrade() -> None:
    """Take the change back: which requests were retries is not known any more."""
    op.execute(sa.delete(_KEYS))
    erasures = sa.table("erasures", sa.column("id", sa.Text))
    op.execute(sa.delete(erasures).where(sa.func.length(erasures.c.id) > 10))
    with op.batch_alter_table("erasures") as table:
        table.alter_column("id", existing_type=ordered_text(64), type_=ordered_text(10))
