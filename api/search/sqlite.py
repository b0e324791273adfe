"""The index on SQLite: two FTS5 tables that hold the tokens as text.

The tokeniser only cuts at blanks. Matches come in the order of their slots, which FTS5 walks
without looking at the rest: the newest thousand of a million cost as much as of ten thousand.
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
from sqlalchemy.ext.compiler import compiles

from api.database import statements
from api.search.ast import Either, Node, Term
from api.search.index_tables import BASE, PRIVATE, PUBLIC, WEIGHTS, Matches, Sought, hits, index
from api.search.indexed_text import COLUMNS, Entry

# Words of one beginning that are looked for one by one, which leaves the walk in order; beyond,
# FTS5 collects all that begins so.
MOST_EXPANDED = 200

Known = Callable[[str], Sequence[str]]

_MARKS = {column: f"{column[0]}-" for column in WEIGHTS}  # no word has such a sign within it


@compiles(Matches, "sqlite")
def _matches(element: Matches, compiler: Any, **options: Any) -> str:
    expression = compiler.process(element.wanted, **options)
    return f"{element.alias}.{element.index} MATCH {expression}"


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
    """Add entries; in the order of their slots, which FTS5 takes in one go."""
    rows: dict[str, list[tuple[Any, ...]]] = {PUBLIC: [], PRIVATE: []}
    for entry in sorted(entries, key=attrgetter("slot")):
        columns = dict(zip(COLUMNS, entry.columns, strict=True))
        marked = (_marked(mark, columns[name]) for name, mark in _MARKS.items())
        rows[index(entry.public)].append((entry.slot, *entry.columns, " ".join(marked)))
    for name, found in rows.items():
        if found:
            statements.insert_tuples(connection, _TABLES[name], _NAMES, found)


def _marked(mark: str, tokens: str) -> str:
    return " ".join(f"{mark}{token}" for token in tokens.split())


def delete(connection: Connection, *, public: bool, slot: int) -> None:
    """Take an entry out."""
    statements.run(connection, _DELETE[index(public)], {"slot": slot})


def words(connection: Connection, *, public: bool, slot: int) -> set[str]:
    """Give the tokens of an entry."""
    rows = statements.run(connection, _READ[index(public)], {"slot": slot})
    return {token for row in rows for column in row for token in column.split()}


def holds(connection: Connection, entry: Entry) -> bool:
    """Tell whether the index holds ENTRY as it is."""
    rows = statements.run(connection, _READ[index(entry.public)], {"slot": entry.slot})
    return rows == [entry.columns]


def learn(connection: Connection, found: Iterable[str]) -> None:
    """Note the words that are not noted yet."""
    statements.run(connection, _LEARN, {"words": statements.json_list(found)})


def unused(connection: Connection, found: Iterable[str]) -> list[str]:
    """Give the words that no published record holds."""
    return [word for word in found if not statements.run(connection, _USED, {"word": f'"{word}"'})]


_NAMES = ("rowid", *COLUMNS, "marks")
_TABLES = {name: Table(name, MetaData(), *map(Column, _NAMES)) for name in (PUBLIC, PRIVATE)}
_DELETE = {
    name: delete_from(of).where(of.c.rowid == bindparam("slot")) for name, of in _TABLES.items()
}
_READ = {
    name: select(*(of.c[column] for column in COLUMNS)).where(of.c.rowid == bindparam("slot"))
    for name, of in _TABLES.items()
}
_USED = text(f"SELECT 1 FROM {PUBLIC} WHERE {PUBLIC} MATCH :word LIMIT 1")  # noqa: S608
_LEARN = text(
    "INSERT INTO search_words (word) SELECT value FROM json_each(:words) "
    "WHERE NOT EXISTS (SELECT 1 FROM search_words WHERE word = value)"
)


def render(node: Node, known: Known | None) -> str:
    """Write NODE in FTS5's language.

    KNOWN lists the words that begin with a text, at most one more than MOST_EXPANDED.
    """
    return _render(node, known, "")


def render_in(column: str, unit: Node, node: Node, known: Known | None) -> str:
    """Write what finds UNIT, a part of NODE, in COLUMN of what NODE finds."""
    written = _render(unit, known, _MARKS[column])
    return written if unit == node else f"({_render(node, known, '')}) AND {written}"


def _render(node: Node, known: Known | None, mark: str) -> str:
    if isinstance(node, Term):
        return _term(node, known, mark)
    if isinstance(node, Either):
        return "(" + " OR ".join(_render(part, known, mark) for part in node.parts) + ")"
    wanted = " AND ".join(_render(part, known, mark) for part in node.parts)
    but = " OR ".join(_render(part, known, mark) for part in node.but)
    return f"(({wanted}) NOT ({but}))" if but else f"({wanted})"


def _term(term: Term, known: Known | None, mark: str) -> str:
    # Tokens are letters, digits and _ or - alone: between quotation marks nothing is a sign.
    if not term.prefix:
        return f'"{" ".join(f"{mark}{token}" for token in term.tokens)}"'
    (beginning,) = term.tokens
    found = known(beginning) if known is not None else ()
    if not 0 < len(found) <= MOST_EXPANDED:
        return f'"{mark}{beginning}" *'
    return "(" + " OR ".join(f'"{mark}{word}"' for word in found) + ")"


def weigh(candidates: CTE, indexes: Sequence[Sought], units: int) -> Select[Any]:
    """Give slot and points of each candidate: what each unit adds is a walk between the outermost.

    The walks take what lies between the candidates too; what is none of them is left out.
    """
    slots = candidates.c.slot
    ends = select(func.min(slots).label("low"), func.max(slots).label("high")).cte("ends")
    base: ColumnElement[int] = literal_column(str(BASE * units))
    parts: list[Select[Any]] = [select(slots, base.label("points"))]
    for sought in indexes:
        hit = hits(sought.index)
        between = hit.c.rowid.between(
            select(ends.c.low).scalar_subquery(), select(ends.c.high).scalar_subquery()
        )
        for unit in range(units):
            for column, weight in WEIGHTS.items():
                matches = Matches(hit, bindparam(sought.parameter(unit, column)))
                points: ColumnElement[int] = literal_column(str(weight))
                parts.append(select(hit.c.rowid, points).where(matches, between))
    found = union_all(*parts).subquery("found")
    return (
        select(found.c.slot, func.sum(found.c.points).label("points"))
        .where(found.c.slot.in_(select(slots)))
        .group_by(found.c.slot)
    )
