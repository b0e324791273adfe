"""The plan of a query: what decides its SQL, and the key under which its statement is cached."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from api.queries.filters.orders import ORDERS, Order

WINDOWS = ("date", "date_from", "date_to")  # filters that are windows of dates
Filters = tuple[tuple[str, Any], ...]  # names and shapes
PathId = tuple[str, int]  # a filter, and which of its paths


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """What decides the SQL of a query.

    - `sort`: None where records are only counted or added up;
    - `after`: whether a page goes on after another;
    - `figures`: where what is added up is read, from the index that has it all or from the rows;
    - `path`: the access path that leads in, None for the order's own index;
    - `text`: whether hits of the full-text index lead in (`text_plans`).
    """

    audience: Literal["public", "own", "all"]
    filters: Filters
    match: str | None
    sort: str | None
    after: bool = False
    figures: Literal["index", "rows"] | None = None
    path: PathId | None = None
    text: bool = False

    @property
    def by_date(self) -> bool:
        """Whether records come in the order of dates, which the indexes of filters have."""
        return self.sort in ("date", "-date")

    @property
    def order(self) -> Order:
        """Return the order of the records; only of a plan with a sort that columns have."""
        return ORDERS[self.sort or ""]

    @property
    def window(self) -> str | None:
        """Return the name of the window of dates that parts the plan into branches."""
        for name, _ in self.filters:
            if name in WINDOWS:
                return name
        return None

    @property
    def statuses(self) -> tuple[str, ...] | None:
        """Return the statuses that are asked for."""
        statuses: tuple[str, ...] | None = dict(self.filters).get("status")
        return statuses

    def without_text(self) -> "QueryPlan":
        """Return the plan of what the filters keep beside the text, of what is published."""
        filters = tuple((name, shape) for name, shape in self.filters if name != "q")
        return replace(self, audience="public", filters=filters, sort=None, after=False, text=False)
