"""Orders: what each sort orders by, and the index that has it. Every order ends on the id."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column

from api.models.incidents import Incident
from api.models.tables import table
from schemas.counts import MAXIMUM

RELEVANCE = "relevance"
_incidents = table(Incident).c
_UNKNOWN_FIRST, _UNKNOWN_LAST = -1, MAXIMUM + 1


@dataclass(frozen=True, slots=True)
class Order:
    """A sort: its column, its direction, the type of its values, and its index."""

    column: ColumnElement[Any]
    descending: bool
    type: type[str] | type[int]
    index: str


def _by_figure(name: str, *, descending: bool) -> Order:
    """Return the order by best, else low; what is not reported comes last either way."""
    best, low = _incidents[name], _incidents[f"{name}_low"]
    unknown: ColumnElement[int] = literal_column(
        str(_UNKNOWN_FIRST if descending else _UNKNOWN_LAST)
    )
    direction = "down" if descending else "up"
    return Order(func.coalesce(best, low, unknown), descending, int, f"{name}_{direction}")


ORDERS = {
    "date": Order(_incidents.sort_date, False, str, "date"),
    "-date": Order(_incidents.sort_date, True, str, "date"),
    "updated_at": Order(_incidents.updated_at, False, str, "updated"),
    "-updated_at": Order(_incidents.updated_at, True, str, "updated"),
    "arrests": _by_figure("arrests", descending=False),
    "-arrests": _by_figure("arrests", descending=True),
    "injuries": _by_figure("injuries", descending=False),
    "-injuries": _by_figure("injuries", descending=True),
}
