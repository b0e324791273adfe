"""Releases: frozen editions of the public data set, each with every revision it had."""

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.database.base import Base, ordered_text


class Release(Base):
    """A named edition: where in the feed it stands, and how it is cited."""

    __tablename__ = "releases"

    name: Mapped[str] = mapped_column(ordered_text(64), primary_key=True)
    dataset_version: Mapped[int]
    codebook_version: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[str] = mapped_column(ordered_text(24))
    title: Mapped[str] = mapped_column(Text)
    doi: Mapped[str | None] = mapped_column(Text)


class ReleaseRevision(Base):
    """The files of a release as they were from one erasure to the next.

    `files` has for each: name, records, bytes and sha256 in hexadecimal.
    """

    __tablename__ = "release_revisions"

    name: Mapped[str] = mapped_column(ForeignKey("releases.name"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[str] = mapped_column(ordered_text(24))
    files: Mapped[list[dict[str, object]]] = mapped_column(JSON)
