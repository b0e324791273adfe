"""Aggregates: the numbers of every group, added up by the database, kept up to date by documents.

An aggregate's rows are lists of numbers that add up: the incidents, then for each count of `SUMMED`
the sum of lower bounds, the sum of upper bounds, how many figures there are, and how many of them
have an upper bound; by community or organisation instead the incidents of each role.
"""

import threading
from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain, product
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    case,
    cast,
    func,
    literal_column,
    null,
    select,
    union_all,
)

from api.database.readers import PreparedStatement, Reader
from api.models import Incident, IncidentCommunity
from api.models.tables import table
from api.queries.cache import CannotUpdate, RecordChange
from api.queries.filters.incidents import incidents, signed_matches
from api.queries.plans import plans
from api.queries.plans.plans import Branch
from api.queries.plans.query_plan import QueryPlan
from api.queries.statistics.groups import (
    GROUPS,
    ROLES_ONLY,
    GroupedBranch,
    Key,
    roles_in,
)
from schemas.counts import figure_of
from schemas.errors import ErrorDetail
from schemas.query.parameters import QueryError
from schemas.vocabulary import ROLES

SUMMED = ("arrests", "injuries", "deaths", "participants")
MOST_GROUPS = 50_000
_ROW, _TOTAL, _VERSION = 0, 1, 2
# Rows that are taken from the database at a time.
_AT_ONCE = 1000
# Bytes that a group takes in memory with its key and its order, and its JSON where it was shown.
_GROUP_BYTES = 350
_SHOWN_BYTES = 350

Numbers = Sequence[int]
Grouping = tuple[str, ...]


def by_role(grouping: Grouping) -> bool:
    """Whether a grouping counts incidents by role and adds up nothing."""
    return bool(set(grouping) & set(ROLES_ONLY))


def several(grouping: Grouping) -> bool:
    """Whether an incident may be in several rows."""
    return any(GROUPS[name].several for name in grouping)


class StatisticsAggregate:
    """The numbers of every group of one query, at one dataset version."""

    def __init__(self, grouping: Grouping, criteria: Mapping[str, Any], match: str | None) -> None:
        self.grouping = grouping
        self.version = 0
        self.rows: dict[Key, array[int]] = {}  # a third of what lists of numbers take
        self.total: Numbers = [0]
        self.lock = threading.Lock()
        self.shown: dict[Key, bytes] = {}  # the JSON of groups that have been asked for
        self._criteria, self._match = criteria, match
        self._period = GROUPS[grouping[0]].period
        self._order: list[Key] = []

    @property
    def size_bytes(self) -> int:
        """Return about how many bytes it takes."""
        return _GROUP_BYTES * (len(self.rows) + 1) + _SHOWN_BYTES * len(self.shown)

    def add(self, key: Key, numbers: Iterable[int], sign: int = 1) -> None:
        """Add NUMBERS to the group of KEY, or take them off; an empty group goes."""
        row = self.rows.get(key)
        if row is None:
            self.rows[key] = array("q", numbers)
            return
        summed = (mine + sign * more for mine, more in zip(row, numbers, strict=True))
        self.rows[key] = row = array("q", summed)
        if not row[0]:
            del self.rows[key]

    def arrange(self) -> None:
        """Put the groups into order: periods one after the other, else the largest first."""
        self._order = sorted(self.rows, key=self._sort_key)

    def ordered(self, start: int, end: int) -> Iterator[tuple[Key, Numbers]]:
        """Yield the groups from START to END in order."""
        for key in self._order[start:end]:
            yield key, self.rows[key]

    def _sort_key(self, key: Key) -> tuple[Any, ...]:
        """Return what a group is ordered by."""
        plain = tuple((part is None, part or "") for part in key)
        number = -self.rows[key][0]
        return (*plain[:1], number, plain) if self._period else (number, plain)

    def apply_changes(self, changes: Iterable[RecordChange]) -> None:
        """Bring the numbers up to date by the records that changed; raises CannotUpdate."""
        if len(self.rows) >= MOST_GROUPS:
            raise CannotUpdate
        for document, sign in signed_matches(changes, self._criteria, self._match):
            for key, numbers in contributions(document, self.grouping):
                self._replace(key, numbers, sign)
            own = [1] if by_role(self.grouping) else _figures_of(document)
            pairs = zip(self.total, own, strict=True)
            self.total = [mine + sign * more for mine, more in pairs]

    def _replace(self, key: Key, numbers: Numbers, sign: int) -> None:
        """Change one group and its place in the order."""
        self.shown.pop(key, None)
        if key in self.rows:
            del self._order[bisect_left(self._order, self._sort_key(key), key=self._sort_key)]
        self.add(key, numbers, sign)
        if key in self.rows:
            insort(self._order, key, key=self._sort_key)


def contributions(document: Mapping[str, Any], grouping: Grouping) -> Iterator[tuple[Key, Numbers]]:
    """Yield the groups of a document with the numbers that it adds to each."""
    for keys in product(*(GROUPS[name].keys(document) for name in grouping)):
        key: Key = tuple(part for parts in keys for part in parts)
        if not by_role(grouping):
            yield key, _figures_of(document)
            continue
        numbers = [1]
        for name, parts in zip(grouping, keys, strict=True):
            if name in ROLES_ONLY:
                for part in parts:
                    had = roles_in(document, name, part)
                    numbers += [int(role in had) for role in ROLES]
        yield key, numbers


def _figures_of(document: Mapping[str, Any]) -> Numbers:
    numbers = [1]
    for name in SUMMED:
        figure = figure_of(document, name)
        numbers += [
            figure.low or 0,
            figure.high or 0,
            int(figure.reported),
            int(figure.high is not None),
        ]
    return numbers


def compute(
    aggregate: StatisticsAggregate, reader: Reader, plan: QueryPlan, values: Mapping[str, Any]
) -> None:
    """Add up what PLAN means into AGGREGATE; raise QueryError where there are too many groups."""
    grouping = aggregate.grouping
    parts = sum(len(GROUPS[name].members) for name in grouping)
    adds_up = _TOTAL if several(grouping) else _ROW
    aggregate.total = [0] * (1 if by_role(grouping) else 1 + 4 * len(SUMMED))
    words: dict[str | None, str | None] = {}  # of the keys, each held once
    with reader.snapshot():  # on a connection of little memory, whose sorts go to the disk
        rows = reader.stream(_statement(reader, plan, grouping), values, _AT_ONCE, whole=True)
        for what, *row in chain.from_iterable(rows):
            numbers = [int(number or 0) for number in row[parts:]]
            if what == _VERSION:
                aggregate.version = numbers[0]
                continue
            if what == _ROW:
                key = tuple(words.setdefault(part, part) for part in row[:parts])
                known = aggregate.rows.get(key, [0] * len(numbers))
                summed = (number + more for number, more in zip(known, numbers, strict=True))
                aggregate.rows[key] = array("q", summed)
                if len(aggregate.rows) > MOST_GROUPS:
                    raise _too_many(grouping)
            if what == adds_up:
                pairs = zip(aggregate.total, numbers, strict=False)
                aggregate.total = [number + more for number, more in pairs]
    aggregate.rows = {key: row for key, row in aggregate.rows.items() if row[0]}
    aggregate.arrange()


# A window of dates is three branches, and a group may come from each: whatever is cut off, there
# are more than the most.
_LIMIT = 4 * MOST_GROUPS


def _too_many(grouping: Grouping) -> QueryError:
    detail = (
        f"There are more than {MOST_GROUPS:,} rows by {' and '.join(grouping)}; narrow them by a "
        "filter such as date=2020 or country=RU, or group by less."
    )
    return QueryError({"group_by": [ErrorDetail("too_many_rows", detail)]})


@lru_cache(maxsize=256)
def _statement(reader: Reader, plan: QueryPlan, grouping: Grouping) -> PreparedStatement:
    """Return the one statement, hence one snapshot, that adds up every group.

    It has the total too, where groups overlap, and the dataset version.
    """
    if grouping == ("community",) and plan.audience == "public" and not plan.filters:
        return reader.prepare(_all_by_community())
    parts = sum(len(GROUPS[name].members) for name in grouping)
    width = 0
    selects = []
    for branch in plans.branches(plan):
        joined = _joined(branch, grouping)
        numbers = _roles(joined) if by_role(grouping) else _figures()
        width = len(numbers)
        keys = [column.label(f"key_{n}") for n, column in enumerate(joined.columns)]
        grouped = replace(branch, source=joined.source).select(
            literal_column(str(_ROW)).label("what"), *keys, *_labelled(numbers)
        )
        selects.append(grouped.group_by(*joined.columns))
        if several(grouping):
            own = [func.count()] if by_role(grouping) else _figures()
            padding: list[Any] = [literal_column("0")] * (width - len(own))
            marked = _marked(_TOTAL, parts)
            selects.append(branch.select(*marked, *_labelled([*own, *padding])))
    width = width or 1
    version = [plans.VERSION, *[literal_column("0")] * (width - 1)]
    selects.append(select(*_marked(_VERSION, parts), *_labelled(version)))
    return reader.prepare(union_all(*selects).limit(literal_column(str(_LIMIT))))


def _all_by_community() -> CompoundSelect[*tuple[Any, ...]]:
    """Count all that is published by community from the indexes of communities alone.

    They have the roles of all records; those of the few that are not published are taken off.
    """
    listed, all_parts, hidden = (
        table(IncidentCommunity).alias(n) for n in ("listed", "all_parts", "off")
    )
    of_hidden = hidden.join(table(Incident), incidents.pk == hidden.c.incident_pk)
    zero: ColumnElement[Any] = literal_column("0")

    def by_community(rows: Any, numbers: list[ColumnElement[Any]]) -> Select[Any]:
        key = rows.c.community.label("key_0")
        statement = select(literal_column(str(_ROW)).label("what"), key, *_labelled(numbers))
        return statement.group_by(rows.c.community)

    def roles(rows: Any) -> list[ColumnElement[Any]]:
        counted: ColumnElement[int] = literal_column("1")
        clauses = [rows.c.role == literal_column(f"'{role}'") for role in ROLES]
        return [func.count(case((clause, counted))) for clause in clauses]

    padding = [zero] * len(ROLES)
    return union_all(
        by_community(listed, [func.count(), *padding]).where(literal_column("listed.listed")),
        by_community(all_parts, [zero, *roles(all_parts)]),
        by_community(hidden, [zero, *(-number for number in roles(hidden))])
        .select_from(of_hidden)
        .where(literal_column("incidents.status <> 'published'"))
        .with_hint(table(Incident), "INDEXED BY ix_incidents_unpublished", "sqlite"),
        select(*_marked(_TOTAL, 1), *_labelled([plans.COUNTER, *padding])),
        select(*_marked(_VERSION, 1), *_labelled([plans.VERSION, *padding])),
    )


def _joined(branch: Branch, grouping: Grouping) -> GroupedBranch:
    """Join to a branch what the grouping needs."""
    joined = GroupedBranch(branch.source, [])
    for name in grouping:
        more = GROUPS[name].join(joined.source, branch)
        joined = GroupedBranch(
            more.source, [*joined.columns, *more.columns], (*joined.parts, *more.parts)
        )
    return joined


def _labelled(numbers: Iterable[ColumnElement[Any]]) -> list[Any]:
    return [number.label(f"number_{position}") for position, number in enumerate(numbers)]


def _marked(what: int, parts: int) -> list[Any]:
    """Mark a select that is no group: nulls in the place of keys."""
    nothing = [cast(null(), Text).label(f"key_{position}") for position in range(parts)]
    return [literal_column(str(what)).label("what"), *nothing]


def _figures() -> list[ColumnElement[Any]]:
    """Return the columns: how many incidents, and of each summed count four figures.

    These are the sums of its low and of its high bounds, how many incidents report it, and how many
    of them have a high bound.
    """
    numbers: list[ColumnElement[Any]] = [func.count()]
    for name in SUMMED:
        best, low, high = (getattr(incidents, f"{name}{end}") for end in ("", "_low", "_high"))
        numbers += [
            func.sum(low),
            func.sum(high),
            func.count(func.coalesce(best, low, high)),
            func.count(high),
        ]
    return numbers


def _roles(joined: GroupedBranch) -> list[ColumnElement[Any]]:
    """Count incidents, and those in which each community had each role."""
    counted: ColumnElement[int] = literal_column("1")
    every = [first for _, first in joined.parts]
    numbers: list[ColumnElement[Any]] = [func.count(case((_all(every), counted)))]
    for rows, _ in joined.parts:
        others = [first for other, first in joined.parts if other is not rows]
        numbers += [
            func.count(case((_all([rows.c.role == literal_column(f"'{role}'"), *others]), counted)))
            for role in ROLES
        ]
    return numbers


def _all(clauses: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    first, *others = clauses
    for clause in others:
        first = first & clause
    return first
