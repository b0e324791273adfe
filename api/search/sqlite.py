"""The index on SQLite: two FTS5 tables that hold the tokens as text.

The tokeniser only cuts at blanks. Matches come in the order of their numbers, which FTS5
walks without looking at the rest: the newest thousand of a million cost as much as of ten thousand.
FTS5's own ranking is not used, as it counts every match of every word first; nor are its filters of
columns, which walk all matches of a word to find those in one column. What stands in a column that
counts more stands a second time, marked, among `marks`.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Connection,
    MetaData,
    Select,
    Table,
    bindparam,
    func,
    literal_column,
    select,
    text,
    union_all,
)
from sqlalchemy import delete as delete_from

from api.database import statements
from api.search.ast import Node, Or, Term
from api.search.index_tables import (
    BASE_POINTS,
    COLUMNS,
    PRIVATE,
    PUBLIC,
    WEIGHTS,
    Entry,
    Matches,
    SearchIndex,
    index_name,
    index_table,
)

# Words of one beginning that are looked for one by one, which leaves the walk in order; beyond,
# FTS5 collects all that begins so.
MAX_EXPANDED = 200

Known = Callable[[str], Sequence[str]]

_MARKS = {column: f"{column[0]}-" for column in WEIGHTS}  # no word has such a sign within it


def create(connection: Connection) -> None:
    """Make the two indexes anew, empty."""
    run = connection.exec_driver_sql
    for name in (PUBLIC, PRIVATE):
        run(f"DROP TABLE IF EXISTS {name}")
        run(
            f"CREATE VIRTUAL TABLE {name} USING fts5({', '.join(COLUMNS)}, marks, columnsize=0, "
            "tokenize=\"ascii tokenchars '_-'\")"
        )
        # Merges are done in small steps beside the writes, and never all at once within one. What
        # many records add is sorted in memory, 16 MB at a time: fewer parts are fewer merges.
        options = (("automerge", 8), ("crisismerge", 256), ("hashsize", 16 << 20))
        for option, value in options:
            run(f"INSERT INTO {name}({name}, rank) VALUES ('{option}', {value})")  # noqa: S608


def insert(connection: Connection, entries: Iterable[Entry]) -> None:
    """Add entries; in the order of their numbers, which FTS5 takes in one go."""
    rows: dict[str, list[tuple[Any, ...]]] = {PUBLIC: [], PRIVATE: []}
    for entry in sorted(entries, key=attrgetter("doc_id")):
        columns = dict(zip(COLUMNS, entry.columns, strict=True))
        marked = (
            f"{mark}{token}" for name, mark in _MARKS.items() for token in columns[name].split()
        )
        rows[index_name(entry.public)].append((entry.doc_id, *entry.columns, " ".join(marked)))
    for name, new in rows.items():
        if new:
            statements.insert_tuples(connection, _TABLES[name], _NAMES, new)


def delete(connection: Connection, *, public: bool, doc_id: int) -> None:
    """Take an entry out."""
    statements.run(connection, _DELETE[index_name(public)], {"doc_id": doc_id})


def words(connection: Connection, *, public: bool, doc_id: int) -> set[str]:
    """Return the tokens of an entry."""
    rows = statements.run(connection, _READ[index_name(public)], {"doc_id": doc_id})
    return {token for row in rows for column in row for token in column.split()}


def holds(connection: Connection, entry: Entry) -> bool:
    """Whether the index has ENTRY as it is."""
    rows = statements.run(connection, _READ[index_name(entry.public)], {"doc_id": entry.doc_id})
    return rows == [entry.columns]


def add_words(connection: Connection, new: Iterable[str]) -> None:
    """Add the words that are not there yet."""
    statements.run(connection, _ADD_WORDS, {"words": statements.json_list(new)})


def unused(connection: Connection, candidates: Iterable[str]) -> list[str]:
    """Return those of the candidates that no published record holds."""
    return [
        word for word in candidates if not statements.run(connection, _USED, {"word": f'"{word}"'})
    ]


_NAMES = ("rowid", *COLUMNS, "marks")
_TABLES = {name: Table(name, MetaData(), *map(Column, _NAMES)) for name in (PUBLIC, PRIVATE)}
_DELETE = {
    name: delete_from(table).where(table.c.rowid == bindparam("doc_id"))
    for name, table in _TABLES.items()
}
_READ = {
    name: select(*(table.c[column] for column in COLUMNS)).where(
        table.c.rowid == bindparam("doc_id")
    )
    for name, table in _TABLES.items()
}
_USED = text(f"SELECT 1 FROM {PUBLIC} WHERE {PUBLIC} MATCH :word LIMIT 1")  # noqa: S608
_ADD_WORDS = text(
    "INSERT INTO search_words (word) SELECT value FROM json_each(:words) "
    "WHERE NOT EXISTS (SELECT 1 FROM search_words WHERE word = value)"
)


def render(node: Node, known: Known | None) -> str:
    """Return NODE in FTS5's language.

    KNOWN returns the words that begin with a text, at most one more than MOST_EXPANDED.
    """
    return _render(node, known, "")


def render_in(column: str, unit: Node, node: Node, known: Known | None) -> str:
    """Return what matches UNIT, a part of NODE, in COLUMN of what NODE matches."""
    in_column = _render(unit, known, _MARKS[column])
    return in_column if unit == node else f"({_render(node, known, '')}) AND {in_column}"


def _render(node: Node, known: Known | None, mark: str) -> str:
    if isinstance(node, Term):
        return _term(node, known, mark)
    if isinstance(node, Or):
        return "(" + " OR ".join(_render(part, known, mark) for part in node.parts) + ")"
    included = " AND ".join(_render(part, known, mark) for part in node.parts)
    excluded = " OR ".join(_render(part, known, mark) for part in node.but)
    return f"(({included}) NOT ({excluded}))" if excluded else f"({included})"


def _term(term: Term, known: Known | None, mark: str) -> str:
    # Tokens are letters, digits and _ or - alone: between quotation marks nothing is a sign.
    if not term.prefix:
        return f'"{" ".join(f"{mark}{token}" for token in term.tokens)}"'
    (prefix,) = term.tokens
    expansions = known(prefix) if known is not None else ()
    if not 0 < len(expansions) <= MAX_EXPANDED:
        return f'"{mark}{prefix}" *'
    return "(" + " OR ".join(f'"{mark}{word}"' for word in expansions) + ")"


def score(candidates: CTE, indexes: Sequence[SearchIndex], units: int) -> Select[Any]:
    """Return a select of number and points of each candidate.

    What each unit adds is an index scan between the outermost candidates. The scans take what lies
    between the candidates too; what is none of them is left out.
    """
    doc_ids = candidates.c.doc_id
    ends = select(func.min(doc_ids).label("low"), func.max(doc_ids).label("high")).cte("ends")
    base: ColumnElement[int] = literal_column(str(BASE_POINTS * units))
    parts: list[Select[Any]] = [select(doc_ids, base.label("points"))]
    for index in indexes:
        hit = index_table(index.table)
        between = hit.c.rowid.between(
            select(ends.c.low).scalar_subquery(), select(ends.c.high).scalar_subquery()
        )
        for unit in range(units):
            for column, weight in WEIGHTS.items():
                matches = Matches(hit, bindparam(index.parameter(unit, column)))
                points: ColumnElement[int] = literal_column(str(weight))
                parts.append(select(hit.c.rowid, points).where(matches, between))
    scored = union_all(*parts).subquery("scored")
    return (
        select(scored.c.doc_id, func.sum(scored.c.points).label("points"))
        .where(scored.c.doc_id.in_(select(doc_ids)))
        .group_by(scored.c.doc_id)
    )
