"""Imports: what each did, and how far those of files have come, so that they go on from there."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.database.base import Base, ordered_text


class Import(Base):
    """An import: whose it is, what became of its lines, and what undoing it did.

    `versions.import_id` marks the versions that it made, and those by which it was undone.
    `reverted_until` is the last record that was looked at to undo it, `revert` what became of all
    so far; `reverted_at` is when that ended.
    """

    __tablename__ = "imports"
    __table_args__ = ({"sqlite_autoincrement": True},)

    pk: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(10), unique=True)
    actor_pk: Mapped[int | None] = mapped_column(ForeignKey("api_keys.pk"))
    at: Mapped[str] = mapped_column(ordered_text(24))
    file: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    reverted_at: Mapped[str | None] = mapped_column(ordered_text(24))
    reverted_until: Mapped[int] = mapped_column(default=0)
    revert: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class ImportPosition(Base):
    """A file that is being imported: its digest with the options, and what is written of it.

    `lines` counts those that are written, `counts` what became of them. The row is written in
    the transaction of each batch and goes with the last one.
    """

    __tablename__ = "import_positions"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    lines: Mapped[int] = mapped_column("place")
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    at: Mapped[str] = mapped_column(ordered_text(24))
    import_id: Mapped[str | None] = mapped_column(String(10))
