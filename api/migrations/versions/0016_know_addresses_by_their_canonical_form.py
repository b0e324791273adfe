"""Know articles by the canonical form of their addresses, with all that is folded now.

Articles that become equal stay two: the older has the address, and the others none that is looked
up. Documents stay as they are.
"""

import hashlib
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import sqlalchemy as sa
from alembic import op

from schemas.addresses import canonical_address

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_BATCH = 5000
_ARTICLES = sa.table(
    "articles",
    sa.column("pk", sa.Integer),
    sa.column("url", sa.Text),
    sa.column("address_sha256", sa.String),
    sa.column("draft_pk", sa.Integer),
)


def upgrade() -> None:
    """Apply the change."""
    _digest_anew(canonical_address)


def downgrade() -> None:
    """Take the change back."""
    _digest_anew(_canonical_before)


def _canonical_before(address: str) -> str:
    """Return the canonical form of an address as it was before."""
    parts = urlsplit(address)
    user, at, host = parts.netloc.rpartition("@")
    host = host.lower().removesuffix({"http": ":80", "https": ":443"}[parts.scheme])
    pairs = parts.query.split("&")
    query = "&".join(pair for pair in pairs if pair and not pair.lower().startswith("utm_"))
    return urlunsplit((parts.scheme, f"{user}{at}{host}", parts.path or "/", query, ""))


def _digest_anew(canonical: Callable[[str], str]) -> None:
    """Store the digest of each article's address in its CANONICAL form."""
    connection, columns = op.get_bind(), _ARTICLES.c
    op.drop_index("uq_articles_address", "articles")
    following = (
        sa.select(columns.pk, columns.url, columns.address_sha256)
        .where(columns.pk > sa.bindparam("last"), columns.url.is_not(None))
        .order_by(columns.pk)
        .limit(_BATCH)
    )
    change = (
        sa.update(_ARTICLES)
        .where(columns.pk == sa.bindparam("changed_pk"))
        .values(address_sha256=sa.bindparam("digest"))
    )
    last = 0
    while rows := connection.execute(following, {"last": last}).all():
        last = rows[-1].pk
        digests = [(row, hashlib.sha256(canonical(row.url).encode()).hexdigest()) for row in rows]
        changes = [
            {"changed_pk": row.pk, "digest": digest}
            for row, digest in digests
            if digest != row.address_sha256
        ]
        if changes:
            connection.execute(change, changes)
    public = sa.and_(columns.draft_pk.is_(None), columns.address_sha256.is_not(None))
    oldest = sa.select(sa.func.min(columns.pk)).where(public).group_by(columns.address_sha256)
    connection.execute(
        sa.update(_ARTICLES).where(public, columns.pk.not_in(oldest)).values(address_sha256=None)
    )
    op.create_index(
        "uq_articles_address",
        "articles",
        ["address_sha256"],
        unique=True,
        postgresql_where=sa.text("draft_pk IS NULL"),
        sqlite_where=sa.text("draft_pk IS NULL"),
    )
