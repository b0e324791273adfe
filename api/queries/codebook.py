"""The codebook as the service shows it: definitions, vocabularies, crosswalks, completeness."""

from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import ColumnElement, case, func, literal_column, or_, select

from api.database.readers import Reader
from api.models import Incident
from api.models.tables import table
from schemas.codebook import contents
from schemas.counts import COUNT_FIELDS

_PLAIN = ("summary", "city", "admin1", "venue", "latitude", "property_damage", "episode")


@lru_cache(maxsize=4)
def rendered(reader: Reader, _dataset_version: int) -> bytes:
    """Return the codebook as JSON, made once a dataset version: it reads every record."""
    return orjson.dumps(describe(reader))


def describe(reader: Reader) -> dict[str, Any]:
    """Return the whole codebook, with the completeness of fields by year."""
    return {**contents(), "completeness": completeness(reader)}


def _reported(name: str) -> ColumnElement[bool]:
    """Return the condition of records that give a field at all."""
    columns = table(Incident).c
    ends = ("", "_low", "_high") if name in COUNT_FIELDS else ("",)
    return or_(*(columns[f"{name}{end}"].is_not(None) for end in ends))


def _number_where(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


_MEASURED = (*COUNT_FIELDS, *_PLAIN)
_COMPLETENESS = (
    select(
        func.substr(Incident.sort_date, 1, 4).label("year"),
        func.count(),
        *(func.sum(_number_where(_reported(name))) for name in _MEASURED),
    )
    .where(Incident.status == literal_column("'published'"))
    .group_by("year")
    .order_by("year")
)


def completeness(reader: Reader) -> list[dict[str, Any]]:
    """Return, by year, how many records are published and how many report each field."""
    return [
        {
            "year": row[0],
            "incidents": row[1],
            "reported": dict(zip(_MEASURED, row[2:], strict=True)),
        }
        for row in reader.run(_COMPLETENESS)
    ]
