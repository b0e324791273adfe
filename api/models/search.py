"""Beside the full-text indexes themselves, which each engine makes in its own way.

The indexes are `search_public` and `search_private`: on SQLite two FTS5 tables, on PostgreSQL two
tables of (rowid, tokens). They are no models, as they are not the same on both.
"""

from sqlalchemy import CheckConstraint, Column, String, Table
from sqlalchemy.orm import Mapped, mapped_column

from api.database.base import Base, ordered_text

# The words of published records, for near spellings. Not unique: that would make a writer wait
# for another that notes the same new word.
search_words = Table(
    "search_words", Base.metadata, Column("word", ordered_text(64), nullable=False, index=True)
)


class SearchState(Base):
    """One row, once there is an entry: which form of tokens the indexes hold."""

    __tablename__ = "search_state"
    __table_args__ = (CheckConstraint("pk = 1", name="single"),)

    pk: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    form: Mapped[str] = mapped_column(String(100))
