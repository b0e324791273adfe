"""Find records by their division and by their place; say which place that editors added."""

import sqlalchemy as sa
from alembic import op

from api.database.base import KEY_LENGTH, ordered_text
from api.models.tables import key
from schemas.countries import division_label

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_INDEXES: dict[str, str | sa.TextClause] = {
    "ix_incidents_admin1": "admin1_key",
    "ix_incidents_place": sa.text("coalesce(place_id, 'geonames-' || CAST(geonames_id AS TEXT))"),
}
_PUBLISHED = sa.text("status = 'published'")
_PAIRS = "SELECT DISTINCT country, admin1 FROM incidents WHERE admin1 IS NOT NULL"


def upgrade() -> None:
    """Apply the change; records of before have no place that editors added."""
    op.add_column("incidents", sa.Column("place_id", sa.String(length=10), nullable=True))
    op.add_column("incidents", sa.Column("admin1_key", ordered_text(KEY_LENGTH), nullable=True))
    _key_divisions()
    for name, column in _INDEXES.items():
        op.create_index(
            name,
            "incidents",
            [column, "sort_date", "id", "document_pk", "status"],
            postgresql_where=_PUBLISHED,
            sqlite_where=_PUBLISHED,
        )


def downgrade() -> None:
    """Take the change back."""
    for name in _INDEXES:
        op.drop_index(name, "incidents")
    op.drop_column("incidents", "admin1_key")
    op.drop_column("incidents", "place_id")


def _key_divisions() -> None:
    """Fill the key of each division, of which there are few, in one pass over the records."""
    keys = op.create_table(
        "division_keys",
        sa.Column("country", sa.String(), primary_key=True),
        sa.Column("admin1", sa.Text(), primary_key=True),
        sa.Column("admin1_key", sa.String()),
        prefixes=["TEMPORARY"],
    )
    pairs = op.get_bind().execute(sa.text(_PAIRS)).all()
    rows = [
        {"country": country, "admin1": admin1, "admin1_key": key(division_label(country, admin1))}
        for country, admin1 in pairs
    ]
    op.bulk_insert(keys, rows)
    op.execute(
        "UPDATE incidents SET admin1_key = (SELECT admin1_key FROM division_keys AS known"
        " WHERE known.country = incidents.country AND known.admin1 = incidents.admin1)"
        " WHERE admin1 IS NOT NULL"
    )
    op.drop_table("division_keys")
