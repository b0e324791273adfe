"""What was erased, without what it was: enough to erase it again in a restored backup."""

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from api.database.base import Base, ordered_text


class Erasure(Base):
    """One erasure: of a record or of what it refers to, as a whole (`fields` null) or by field."""

    __tablename__ = "erasures"
    __table_args__ = ({"sqlite_autoincrement": True},)

    pk: Mapped[int] = mapped_column(primary_key=True)
    resource: Mapped[str] = mapped_column(String(16))
    id: Mapped[str] = mapped_column(ordered_text(64))
    fields: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    code: Mapped[str] = mapped_column(String(16))
    actor_pk: Mapped[int | None] = mapped_column(ForeignKey("api_keys.pk"))
    at: Mapped[str] = mapped_column(ordered_text(24))
