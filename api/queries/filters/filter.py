"""What a filter is: a condition in SQL, a test of a document, and the indexes that lead to it."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_

from api.geo.grid import MOST_SQUARES

Shape = Hashable
Clause = ColumnElement[bool]
Document = Mapping[str, Any]
Predicate = Callable[[Document, Any, Any], bool]

# Alternatives beyond this number are not read range by range.
MOST_RANGES = MOST_SQUARES


@dataclass(frozen=True, slots=True)
class AccessPath:
    """An index that leads to what a filter keeps, and to little else.

    - `index_ranges`: conditions that each hold along one stretch of the index, apart from each
      other; `condition` holds all at once where that is not just any of them;
    - `ordered`: the index has the records of each range in the order of dates;
    - `exact`: the ranges need no further test of the filter;
    - `selective`: it leads to few records, a city's and not a country's;
    - `table`: the table that is read where that is not the incidents'.
    """

    index_ranges: list[Clause]
    index: str | None = None
    ordered: bool = False
    exact: bool = False
    selective: bool = False
    table: Any = None
    condition: Clause | None = None

    @property
    def hint(self) -> str:
        """Return what names the index to SQLite."""
        return f"INDEXED BY {self.index}" if self.index else "NOT INDEXED"


Paths = Callable[[str, Any, str | None], list[AccessPath]]


@dataclass(frozen=True, slots=True)
class Filter:
    """All that one filter is; its parameter has the same name in `schemas.query.filters`.

    - `shape`: what of the value decides the SQL;
    - `clause`: the condition, from the parameter's name, the shape and `match`;
    - `values`: what is bound, by name;
    - `predicate`: the same condition on a stored document, None where it has no such test;
    - `paths`: the access paths that lead to what it keeps; without, records are tested one by one;
    - `covered`: whether the index of figures has all columns that it reads, or it reads another
      table.
    """

    shape: Callable[[Any], Shape]
    clause: Callable[[str, Any, str | None], Clause]
    values: Callable[[str, Any], dict[str, Any]]
    predicate: Predicate | None = None
    paths: Paths | None = None
    covered: bool = False


def bound_to(name: str) -> ColumnElement[Any]:
    """Return the parameter that a value is bound to."""
    return bindparam(name)


def numbered(name: str, values: Iterable[Any]) -> dict[str, Any]:
    """Return alternatives as they are bound: `city_0`, `city_1`."""
    return {f"{name}_{position}": value for position, value in enumerate(values)}


def among(column: ColumnElement[Any], name: str, number: int) -> Clause:
    """Return the condition that COLUMN is one of so many values, bound under NAME."""
    if number == 1:
        return column == bindparam(f"{name}_0")
    return column.in_([bindparam(f"{name}_{position}") for position in range(number)])


def any_of(
    column: ColumnElement[Any],
    predicate: Predicate | None = None,
    *,
    index: str | None = None,
    selective: bool = False,
    covered: bool = False,
) -> Filter:
    """Return the filter of records whose COLUMN is one of the alternatives."""

    def clause(name: str, number: int, _: str | None) -> Clause:
        return among(column, name, number)

    paths = equality_paths(column, index, selective=selective) if index else None
    return Filter(len, clause, numbered, predicate, paths, covered)


def equality_paths(column: ColumnElement[Any], index: str, *, selective: bool) -> Paths:
    """Return what makes the paths to records whose COLUMN is one of the alternatives."""

    def paths(name: str, number: int, _: str | None) -> list[AccessPath]:
        whole = among(column, name, number)
        if number > MOST_RANGES:
            return [AccessPath([whole], index, exact=True)]
        ranges = [column == bindparam(f"{name}_{position}") for position in range(number)]
        return [
            AccessPath(
                ranges, index, ordered=True, exact=True, selective=selective, condition=whole
            )
        ]

    return paths


def any_word(
    clause_of: Callable[[str], Clause],
    predicate: Predicate | None = None,
    paths: Paths | None = None,
    *,
    covered: bool = False,
) -> Filter:
    """Return the filter whose alternatives are words that each stand for a condition."""

    def clause(_name: str, words: tuple[str, ...], _: str | None) -> Clause:
        return or_(*(clause_of(word) for word in words))

    return Filter(tuple, clause, lambda _name, _words: {}, predicate, paths, covered)


def bound_value(
    clause_of: Callable[[ColumnElement[Any], str | None], Clause],
    predicate: Predicate | None = None,
    paths: Paths | None = None,
    *,
    shape: Callable[[Any], Shape] = lambda _: None,
    covered: bool = False,
) -> Filter:
    """Return the filter that compares with one bound value."""

    def clause(name: str, _shape: Shape, match: str | None) -> Clause:
        return clause_of(bindparam(name), match)

    def values(name: str, value: Any) -> dict[str, Any]:
        return {name: value}

    return Filter(shape, clause, values, predicate, paths, covered)
