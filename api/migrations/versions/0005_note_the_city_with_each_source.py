"""Note with each source the city of its incident, to find who cites an article there."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    name = sa.String(100).with_variant(sa.String(100, collation="C"), "postgresql")
    op.add_column("sources", sa.Column("city_key", name, nullable=True))
    op.execute(
        "UPDATE sources SET city_key ="
        " (SELECT city_key FROM incidents WHERE incidents.pk = sources.incident_pk)"
    )
    op.create_index("ix_sources_city", "sources", ["article_pk", "city_key", "incident_pk"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_sources_city", "sources")
    op.drop_column("sources", "city_key")
