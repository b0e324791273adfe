"""Find records by the organisations of their communities."""

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from alembic import op

from schemas.name_folding import fold

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_BATCH = 5000  # records
_KEY_LENGTH = 100
_KEY = sa.String(_KEY_LENGTH).with_variant(sa.String(_KEY_LENGTH, collation="C"), "postgresql")
_COMMUNITIES = sa.table(
    "incident_communities",
    sa.column("incident_pk", sa.Integer),
    sa.column("position", sa.Integer),
    sa.column("role", sa.String),
    sa.column("organisations", sa.JSON),
)


def upgrade() -> None:
    """Apply the change; the organisations that records name are copied."""
    rows = op.create_table(
        "incident_organisations",
        sa.Column("incident_pk", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("organisation_key", _KEY, nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_pk"], ["incidents.pk"], name=op.f("fk_incident_organisations_incident_pk")
        ),
        sa.PrimaryKeyConstraint("incident_pk", "position", name=op.f("pk_incident_organisations")),
    )
    for named in _named():
        op.bulk_insert(rows, named)
    op.create_index(
        "ix_incident_organisations_key",
        "incident_organisations",
        ["organisation_key", "incident_pk"],
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("incident_organisations")


def _named() -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of all organisations, those of some records at a time."""
    connection, columns = op.get_bind(), _COMMUNITIES.c
    most = connection.scalar(sa.select(sa.func.max(columns.incident_pk))) or 0
    for first in range(0, most + 1, _BATCH):
        entries = connection.execute(
            sa.select(_COMMUNITIES)
            .where(columns.incident_pk.between(first, first + _BATCH - 1))
            .order_by(columns.incident_pk, columns.position)
        )
        named = []
        for pk, of_record in groupby(entries, key=attrgetter("incident_pk")):
            pairs = dict.fromkeys((name, e.role) for e in of_record for name in e.organisations)
            named += [
                {
                    "incident_pk": pk,
                    "position": position,
                    "organisation": name,
                    "organisation_key": fold(name)[:_KEY_LENGTH],
                    "role": role,
                }
                for position, (name, role) in enumerate(pairs)
            ]
        yield named
