"""Hits: the two indexes as tables of a statement, one of what all may find, one of the rest.

A row is a record's entry; `rowid` is its slot (`texts.slot`). What is published stands in
`search_public`; drafts, withdrawn and merged records in `search_private`, so that nothing about
them, neither a hit nor a number nor a near spelling, shows in what the public is answered.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    bindparam,
    column,
    literal_column,
    select,
    table,
)
from sqlalchemy.sql.expression import FromClause

from api.search.indexed_text import PK_MASK

PUBLIC = "search_public"
PRIVATE = "search_private"

# Points that a part of a query brings a record: for being found at all, and more for being found
# in one of these columns. All together are the points of a perfect hit.
BASE = 2
WEIGHTS = {"title": 5, "place": 3}
MOST_POINTS = BASE + sum(WEIGHTS.values())


_ALIAS = "hit"


def index(public: bool) -> str:
    """Name the index of what is public, or of what is not."""
    return PUBLIC if public else PRIVATE


@dataclass(frozen=True, slots=True)
class Sought:
    """An index to look in, and what the parameters of its expressions are called."""

    index: str
    name: str

    def parameter(self, unit: int | None = None, column: str | None = None) -> str:
        """Name the parameter of the whole expression, or of a unit in a column."""
        return self.name if unit is None else f"{self.name}_{unit}_{column}"


IN_PUBLIC = Sought(PUBLIC, "q")
IN_PRIVATE = Sought(PRIVATE, "q_private")


def hits(name: str) -> FromClause:
    """Give an index as a table to select from, called `hit`."""
    return table(name, column("rowid", BigInteger), column("tokens")).alias(_ALIAS)


def pk_of(slot: ColumnElement[Any]) -> ColumnElement[int]:
    """Give the primary key of the record in a SLOT."""
    return slot.op("&", return_type=BigInteger())(literal_column(str(PK_MASK)))


def primary_keys(sought: Sought) -> Select[Any]:
    """Select the primary keys of the records that an index finds."""
    hit = hits(sought.index)
    return select(pk_of(hit.c.rowid)).where(Matches(hit, bindparam(sought.parameter())))


class Matches(ColumnElement[bool]):
    """Hold the rows of an index that satisfy an expression, which is bound as the engine's text.

    Each engine's module says how this is written.
    """

    inherit_cache = False

    def __init__(self, of: FromClause, wanted: ColumnElement[Any]) -> None:
        self.of = of
        self.wanted = wanted
        self.alias = _ALIAS
        self.index = of.element.name  # type: ignore[attr-defined]

    @property
    def _from_objects(self) -> list[FromClause]:
        return [self.of]
