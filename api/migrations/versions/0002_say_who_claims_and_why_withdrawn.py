"""Say whom claims are attributed to, which conflict, and why a version withdrew its record."""

import sqlalchemy as sa
from alembic import op

from schemas.claims import Claim, conflicts_by_claim
from schemas.name_folding import fold

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_claims_attributed_key": ("claims", ["attributed_key", "incident_pk"], None),
    "ix_claims_community": ("claims", ["community", "incident_pk"], "community IS NOT NULL"),
    "ix_claims_conflicting": (
        "claims",
        ["incident_pk", "source_position", "position"],
        "conflicting",
    ),
    "ix_articles_syndicated_from": (
        "articles",
        ["syndicated_from"],
        "syndicated_from IS NOT NULL",
    ),
}


def upgrade() -> None:
    """Apply the change."""
    name = sa.String(100).with_variant(sa.String(100, collation="C"), "postgresql")
    op.add_column("claims", sa.Column("attributed_key", name, nullable=True))
    op.add_column(
        "claims",
        sa.Column("conflicting", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("versions", sa.Column("code", sa.String(16), nullable=True))
    connection = op.get_bind()
    _attribute(connection)
    _compare(connection)
    _explain(connection)
    for index, (table, columns, condition) in _INDEXES.items():
        where = None if condition is None else sa.text(condition)
        op.create_index(index, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Take the change back."""
    for index, (table, _, _) in _INDEXES.items():
        op.drop_index(index, table)
    op.drop_column("versions", "code")
    op.drop_column("claims", "conflicting")
    op.drop_column("claims", "attributed_key")


_CLAIM = ("field", "value", "low", "high", "text", "attributed_to", "community", "scope")
_claims = sa.table(
    "claims",
    *(sa.column(name) for name in ("incident_pk", "source_position", "position", *_CLAIM)),
    sa.column("attributed_key"),
    sa.column("conflicting", sa.Boolean()),
)
_claims.c.value.type = sa.JSON()
_incidents = sa.table(
    "incidents",
    *(sa.column(name) for name in ("pk", "disputed", "status", "withdrawal_code", "version")),
)
_versions = sa.table("versions", *(sa.column(name) for name in ("incident_pk", "number", "code")))


def _attribute(connection: sa.Connection) -> None:
    names = sa.select(_claims.c.attributed_to).where(_claims.c.attributed_to.is_not(None))
    for name in connection.execute(names.distinct()).scalars().all():
        of_name = sa.update(_claims).where(_claims.c.attributed_to == name)
        connection.execute(of_name.values(attributed_key=fold(name)[:100]))


def _compare(connection: sa.Connection) -> None:
    disputed = sa.select(_incidents.c.pk).where(_incidents.c.disputed != "")
    for pk in connection.execute(disputed).scalars().all():
        own = _claims.c.incident_pk == pk
        rows = connection.execute(sa.select(_claims).where(own)).all()
        told = [Claim(**{name: getattr(row, name) for name in _CLAIM}) for row in rows]
        for place in conflicts_by_claim(told, 0):
            row = rows[place]
            this = (
                _claims.c.source_position == row.source_position,
                _claims.c.position == row.position,
            )
            connection.execute(sa.update(_claims).where(own, *this).values(conflicting=True))


def _explain(connection: sa.Connection) -> None:
    withdrawn = sa.select(_incidents).where(_incidents.c.status == "withdrawn")
    for row in connection.execute(withdrawn).all():
        version = sa.update(_versions).where(
            _versions.c.incident_pk == row.pk, _versions.c.number == row.version
        )
        connection.execute(version.values(code=row.withdrawal_code))
