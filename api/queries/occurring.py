"""Which values occur in published records: what a form has to offer."""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from api.database.readers import Reader
from api.models import Incident
from api.models.tables import table
from api.queries.filters.incidents import PUBLISHED

_COLUMNS = table(Incident).c


def _values(column: ColumnElement[str]) -> Select[Any]:
    """Return the statement for the values of COLUMN, each found by one step along its index."""
    least = select(func.min(column).label("value")).where(PUBLISHED)
    found = least.cte("found", recursive=True)
    following = least.where(column > found.c.value).scalar_subquery()
    found = found.union_all(select(following).where(found.c.value.is_not(None)))
    return select(found.c.value).where(found.c.value.is_not(None))


_STATEMENTS = {name: _values(_COLUMNS[name]) for name in ("country", "type", "episode")}


def occurring(reader: Reader, name: str) -> set[str]:
    """Return the countries, types or episodes (NAME) of published records."""
    return {value for (value,) in reader.run(_STATEMENTS[name])}
