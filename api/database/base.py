"""The declarative base of all tables, and the text type that both engines order alike."""

from sqlalchemy import MetaData, String
from sqlalchemy.orm import DeclarativeBase

# Folded names are indexed by their beginning: PostgreSQL's index rows end at 2,704 bytes.
KEY_LENGTH = 100


class Base(DeclarativeBase):
    """The base of all tables; names of constraints are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def ordered_text(length: int) -> String:
    """Return a text type that both engines order by code point, as Python does."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")
