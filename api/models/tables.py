"""Tables of the models for Core statements, and the beginnings of names that they index."""

from functools import lru_cache

from sqlalchemy import Table

from api.database.base import KEY_LENGTH, Base
from schemas.name_folding import fold


def table(model: type[Base]) -> Table:
    """Return the table of a model."""
    mapped = model.__table__
    assert isinstance(mapped, Table)
    return mapped


@lru_cache(maxsize=16_384)
def key(name: str | None) -> str | None:
    """Return a name folded and cut to the beginning that is indexed."""
    return None if name is None else fold(name)[:KEY_LENGTH]
