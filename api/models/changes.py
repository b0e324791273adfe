"""The tables of public changes in their order, and of what makes a retried write safe."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.database.base import Base, ordered_text


class Dataset(Base):
    """The one counter row: last sequence number given, and how many incidents are published.

    A write increments it last, right before its feed rows and the commit: the lock on this row
    puts all commits into one order on both engines. `newest_field` is the number of the newest
    field that every current document has (`schemas.record_fields`).
    """

    __tablename__ = "dataset"
    __table_args__ = (CheckConstraint("pk = 1", name="single"),)

    pk: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
    published: Mapped[int]
    newest_field: Mapped[int] = mapped_column(server_default="1")


class Change(Base):
    """One public change, at its place in the order."""

    __tablename__ = "changes"
    __table_args__ = (Index("ix_changes_id", "id", "seq"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    resource: Mapped[str] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(16))
    id: Mapped[str] = mapped_column(ordered_text(64))
    version: Mapped[int]
    version_pk: Mapped[int | None] = mapped_column(ForeignKey("versions.pk"))
    at: Mapped[str] = mapped_column(ordered_text(24))


class IdempotencyKey(Base):
    """A write that must not happen twice: whose, where, what it was and what it made."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)

    api_key_pk: Mapped[int] = mapped_column(ForeignKey("api_keys.pk"), primary_key=True)
    route: Mapped[str] = mapped_column(ordered_text(300), primary_key=True)
    key: Mapped[str] = mapped_column(ordered_text(255), primary_key=True)
    body_sha256: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    answer: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str] = mapped_column(ordered_text(24))
