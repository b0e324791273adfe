"""Who may write: keys with a role, stored hashed."""

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from api.database.base import Base, ordered_text


class ApiKey(Base):
    """A key of a person or service; its secret is stored as a SHA-256 digest only."""

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint("role IN ('contributor', 'editor', 'admin')", name="role"),
        {"sqlite_autoincrement": True},  # the key of a past author is never given to another
    )

    pk: Mapped[int] = mapped_column(primary_key=True)
    prefix: Mapped[str] = mapped_column(ordered_text(16), unique=True)
    secret_sha256: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(300))
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[str] = mapped_column(ordered_text(24))
    revoked_at: Mapped[str | None] = mapped_column(ordered_text(24))
