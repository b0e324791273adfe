"""Search the text: the full-text indexes, the words for near spellings, the form of the tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_INDEXES = ("search_public", "search_private")


def upgrade() -> None:
    """Apply the change; records that are there already are indexed by `search rebuild`."""
    connection = op.get_bind()
    word = sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql")
    op.create_table("search_words", sa.Column("word", word, nullable=False))
    op.create_index("ix_search_words_word", "search_words", ["word"])
    op.create_table(
        "search_state",
        sa.Column("pk", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("form", sa.String(length=100), nullable=False),
        sa.CheckConstraint("pk = 1", name=op.f("ck_search_state_single")),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_search_state")),
    )
    for name in _INDEXES:
        if connection.dialect.name == "sqlite":
            op.execute(
                f"CREATE VIRTUAL TABLE {name} USING fts5(title, place, text, sources, "
                "columnsize=0, tokenize=\"ascii tokenchars '_-'\")"
            )
            for option, value in (("automerge", 8), ("crisismerge", 256)):
                op.execute(f"INSERT INTO {name}({name}, rank) VALUES ('{option}', {value})")  # noqa: S608
        else:
            op.execute(f"CREATE TABLE {name} (rowid bigint PRIMARY KEY, tokens tsvector NOT NULL)")
            op.execute(f"CREATE INDEX ix_{name}_tokens ON {name} USING gin (tokens)")
            op.execute(f"CREATE UNIQUE INDEX ix_{name}_pk ON {name} ((rowid & 1099511627775))")
    op.execute("INSERT INTO search_state (pk, form) SELECT 1, 'none' FROM incidents LIMIT 1")


def downgrade() -> None:
    """Take the change back."""
    for name in (*_INDEXES, "search_state", "search_words"):
        op.execute(f"DROP TABLE {name}")
