"""The two indexes as tables of a statement: one of what all may find, one of the rest.

A row is a record's entry; `rowid` is its number (`doc_id`). What is published stands
in `search_public`; drafts, withdrawn and merged records in `search_private`, so that nothing about
them, neither a hit nor a number nor a near spelling, shows in what the public is answered.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

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
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FromClause

COLUMNS = ("title", "place", "text", "sources")
# A word between two texts of one column, so that no phrase reaches from one into the other.
BREAK = "_"

_PK_BITS = 40
PK_MASK = (1 << _PK_BITS) - 1
_LAST_DAY = date.max.toordinal()

PUBLIC = "search_public"
PRIVATE = "search_private"

# Points that a part of a query adds to the score of a record: for matching at all, and more for
# matching in one of these columns. All together are the points of a perfect hit.
BASE_POINTS = 2
WEIGHTS = {"title": 5, "place": 3}
MAX_POINTS = BASE_POINTS + sum(WEIGHTS.values())

_ALIAS = "hit"


def index_name(public: bool) -> str:
    """Return the name of the index of what is public, or of what is not."""
    return PUBLIC if public else PRIVATE


class Entry(NamedTuple):
    """What the index has of a record: its number, whether all may find it, tokens by column."""

    doc_id: int
    public: bool
    columns: tuple[str, ...]


def words_of(entries: Iterable[Entry]) -> set[str]:
    """Return the tokens of ENTRIES that are words, not ids."""
    tokens: set[str] = set()
    for entry in entries:
        for text in entry.columns:
            tokens.update(text.split(" "))
    return {token for token in tokens if token and token[0] != "_"}  # what `is_word` says


def is_word(token: str) -> bool:
    """Whether TOKEN is a word, not that of an id, and not empty."""
    return token != "" and token[0] != "_"


def doc_id(day: str, pk: int) -> int:
    """Return a record's number in the index, which counts from the newest date to the oldest.

    An index is scanned in the order of its numbers: so the newest come first at no cost, and a
    range of dates is a range of numbers.
    """
    return (_LAST_DAY - date.fromisoformat(day).toordinal() << _PK_BITS) | pk


def first_doc_id(day: str) -> int:
    """Return the lowest number of a DAY."""
    return doc_id(day, 0)


def last_doc_id(day: str) -> int:
    """Return the highest number of a DAY."""
    return doc_id(day, PK_MASK)


@dataclass(frozen=True, slots=True)
class SearchIndex:
    """The table of an index, and the beginning of its expressions' parameters."""

    table: str
    prefix: str

    def parameter(self, unit: int | None = None, column: str | None = None) -> str:
        """Return the name of the parameter of the whole expression, or of a unit in a column."""
        return self.prefix if unit is None else f"{self.prefix}_{unit}_{column}"


PUBLIC_INDEX = SearchIndex(PUBLIC, "q")
PRIVATE_INDEX = SearchIndex(PRIVATE, "q_private")


def index_table(name: str) -> FromClause:
    """Return an index as a table to select from, with the alias `hit`."""
    return table(name, column("rowid", BigInteger), column("tokens")).alias(_ALIAS)


def pk_of(doc_id: ColumnElement[Any]) -> ColumnElement[int]:
    """Return the primary key of the record that DOC_ID numbers."""
    return doc_id.op("&", return_type=BigInteger())(literal_column(str(PK_MASK)))


def primary_keys(index: SearchIndex) -> Select[Any]:
    """Return a select of the primary keys of the records that match in INDEX."""
    hit = index_table(index.table)
    return select(pk_of(hit.c.rowid)).where(Matches(hit, bindparam(index.parameter())))


class Matches(ColumnElement[bool]):
    """The condition that a row of an index satisfies an expression, bound as the engine's text."""

    inherit_cache = False

    def __init__(self, source: FromClause, query: ColumnElement[Any]) -> None:
        self.source = source
        self.query = query
        self.alias = _ALIAS
        self.index = source.element.name  # type: ignore[attr-defined]

    @property
    def _from_objects(self) -> list[FromClause]:
        return [self.source]


@compiles(Matches, "sqlite")
def _matches_sqlite(element: Matches, compiler: Any, **options: Any) -> str:
    return f"{element.alias}.{element.index} MATCH {compiler.process(element.query, **options)}"


@compiles(Matches, "postgresql")
def _matches_postgresql(element: Matches, compiler: Any, **options: Any) -> str:
    query = compiler.process(element.query, **options)
    return f"{element.alias}.tokens @@ CAST({query} AS tsquery)"
