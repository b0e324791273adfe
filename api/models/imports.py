"""How far imports from files have come, so that one that was cut off goes on where it stood."""

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from api.database.base import Base, ordered_text


class ImportPosition(Base):
    """A file that is being imported: its digest with the options, and what is written of it.

    `place` counts the lines that are written, `counts` what became of them. The row is written in
    the transaction of each batch and goes with the last one.
    """

    __tablename__ = "import_positions"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    place: Mapped[int]
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    at: Mapped[str] = mapped_column(ordered_text(24))
