"""What incidents refer to: articles, communities, episodes, and the history of each."""

from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from api.database.base import Base, ordered_text


def _where(condition: str) -> dict[str, Any]:
    """Return the arguments that make an index partial on both engines."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Article(Base):
    """A published report. One that a draft was first to name belongs to that draft alone.

    `address_sha256` identifies the canonical address, which may be longer than an index takes; of
    two articles that were made with one address in different spellings, only the older has it;
    `publisher_key` is the beginning of the folded publisher.
    """

    __tablename__ = "articles"
    __table_args__ = (
        Index("uq_articles_id_public", "id", unique=True, **_where("draft_pk IS NULL")),
        Index("uq_articles_id_draft", "draft_pk", "id", unique=True),
        Index("uq_articles_address", "address_sha256", unique=True, **_where("draft_pk IS NULL")),
        Index("ix_articles_publisher_key", "publisher_key", "pk"),
        Index(
            "ix_articles_syndicated_from",
            "syndicated_from",
            **_where("syndicated_from IS NOT NULL"),
        ),
        CheckConstraint("url IS NOT NULL OR title IS NOT NULL", name="named"),
        {"sqlite_autoincrement": True},
    )

    pk: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(ordered_text(10))
    version: Mapped[int] = mapped_column(default=1)
    draft_pk: Mapped[int | None] = mapped_column(ForeignKey("incidents.pk"))
    title: Mapped[str | None] = mapped_column(Text)
    publisher: Mapped[str | None] = mapped_column(Text)
    publisher_key: Mapped[str | None] = mapped_column(ordered_text(100))
    author: Mapped[str | None] = mapped_column(Text)
    published: Mapped[str | None] = mapped_column(ordered_text(24))
    language: Mapped[str | None] = mapped_column(String(35))
    url: Mapped[str | None] = mapped_column(Text)
    address_sha256: Mapped[str | None] = mapped_column(String(64))
    archive_url: Mapped[str | None] = mapped_column(Text)
    syndicated_from: Mapped[str | None] = mapped_column(ordered_text(10))
    text_sha256: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[str] = mapped_column(ordered_text(24))
    updated_at: Mapped[str] = mapped_column(ordered_text(24))


class _Vocabulary:
    """The columns that communities and episodes share."""

    id: Mapped[str] = mapped_column(ordered_text(64), primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    name: Mapped[str] = mapped_column(Text)
    aliases: Mapped[list[str]] = mapped_column(JSON)
    description: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[str] = mapped_column(ordered_text(24))
    updated_at: Mapped[str] = mapped_column(ordered_text(24))


class Community(_Vocabulary, Base):
    """A diaspora community; documents hold its id only, so a rename touches no record."""

    __tablename__ = "communities"


class Episode(_Vocabulary, Base):
    """A wave of incidents that belong together."""

    __tablename__ = "episodes"


class ReferenceVersion(Base):
    """One version of an article, a community or an episode, as it was served."""

    __tablename__ = "reference_versions"

    resource: Mapped[str] = mapped_column(String(16), primary_key=True)
    id: Mapped[str] = mapped_column(ordered_text(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[str] = mapped_column(String(16))
    actor_pk: Mapped[int | None] = mapped_column(ForeignKey("api_keys.pk"))
    at: Mapped[str] = mapped_column(ordered_text(24))
    reason: Mapped[str | None] = mapped_column(Text)
    document: Mapped[str | None] = mapped_column(Text)
