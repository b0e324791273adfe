"""Mark the words of title and place, so that a ranking finds them without the others."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TEXTS = "title, place, text, sources"


def upgrade() -> None:
    """Apply the change; records that are there already are indexed by `search rebuild`."""
    _make(f"{_TEXTS}, marks")


def downgrade() -> None:
    """Take the change back."""
    _make(_TEXTS)


def _make(columns: str) -> None:
    """Make the indexes of SQLite anew with COLUMNS; PostgreSQL labels each word with its column."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for name in ("search_public", "search_private"):
        op.execute(f"DROP TABLE {name}")
        op.execute(
            f"CREATE VIRTUAL TABLE {name} USING fts5({columns}, "
            "columnsize=0, tokenize=\"ascii tokenchars '_-'\")"
        )
        for option, value in (("automerge", 8), ("crisismerge", 256)):
            op.execute(f"INSERT INTO {name}({name}, rank) VALUES ('{option}', {value})")  # noqa: S608
    op.execute(sa.text("DELETE FROM search_words"))
    op.execute(sa.text("DELETE FROM search_state"))
    op.execute("INSERT INTO search_state (pk, form) SELECT 1, 'none' FROM incidents LIMIT 1")
