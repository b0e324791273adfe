"""The index on PostgreSQL: two tables of tsvectors, each with a GIN index.

The tsvectors are made of our tokens alone, with their places and the weight of their column;
PostgreSQL's own dictionaries are not asked.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    Column,
    Connection,
    MetaData,
    Select,
    Table,
    bindparam,
    case,
    literal_column,
    select,
    text,
    union_all,
)
from sqlalchemy.ext.compiler import compiles

from api.database import statements
from api.search.ast import Either, Node, Term
from api.search.index_tables import BASE, PRIVATE, PUBLIC, WEIGHTS, Matches, Sought, hits, index
from api.search.indexed_text import BREAK, COLUMNS, Entry

_LABELS = dict(zip(COLUMNS, "ABCD", strict=True))


@compiles(Matches, "postgresql")
def _matches(element: Matches, compiler: Any, **options: Any) -> str:
    expression = compiler.process(element.wanted, **options)
    return f"{element.alias}.tokens @@ CAST({expression} AS tsquery)"


def create(connection: Connection) -> None:
    """Make the two indexes anew, empty; readers see the old ones until the commit."""
    for name in (PUBLIC, PRIVATE):
        connection.exec_driver_sql(f"DELETE FROM {name}")  # noqa: S608


def insert(connection: Connection, entries: Iterable[Entry]) -> None:
    """Add entries."""
    rows: dict[str, list[dict[str, Any]]] = {PUBLIC: [], PRIVATE: []}
    for entry in entries:
        rows[index(entry.public)].append({"rowid": entry.slot, "tokens": _tsvector(entry)})
    for name, found in rows.items():
        if found:
            statements.insert_many(connection, _TABLES[name], found)


def delete(connection: Connection, *, public: bool, slot: int) -> None:
    """Take an entry out."""
    statements.run(connection, _DELETE[index(public)], {"slot": slot})


def words(connection: Connection, *, public: bool, slot: int) -> set[str]:
    """Give the tokens of an entry."""
    rows = statements.run(connection, _READ[index(public)], {"slot": slot})
    return {token for (found,) in rows for token in found}


def holds(connection: Connection, entry: Entry) -> bool:
    """Tell whether the index holds ENTRY as it is."""
    values = {"slot": entry.slot, "tokens": _tsvector(entry)}
    return statements.run(connection, _SAME[index(entry.public)], values) == [(True,)]


def learn(connection: Connection, found: Iterable[str]) -> None:
    """Note the words that are not noted yet."""
    statements.run(connection, _LEARN, {"words": statements.json_list(found)})


def unused(connection: Connection, found: Iterable[str]) -> list[str]:
    """Give the words that no published record holds."""
    return [word for word in found if not statements.run(connection, _USED, {"word": f"'{word}'"})]


_TABLES = {
    name: Table(name, MetaData(), Column("rowid"), Column("tokens")) for name in (PUBLIC, PRIVATE)
}
_DELETE = {name: text(f"DELETE FROM {name} WHERE rowid = :slot") for name in _TABLES}  # noqa: S608
_READ = {
    name: text(f"SELECT tsvector_to_array(tokens) FROM {name} WHERE rowid = :slot")  # noqa: S608
    for name in _TABLES
}
_SAME = {
    name: text(f"SELECT tokens = CAST(:tokens AS tsvector) FROM {name} WHERE rowid = :slot")  # noqa: S608
    for name in _TABLES
}
_USED = text(f"SELECT 1 FROM {PUBLIC} WHERE tokens @@ CAST(:word AS tsquery) LIMIT 1")  # noqa: S608
_LEARN = text(
    "INSERT INTO search_words (word) "
    "SELECT value FROM json_array_elements_text(CAST(:words AS json)) "
    "WHERE NOT EXISTS (SELECT 1 FROM search_words WHERE word = value)"
)


def _tsvector(entry: Entry) -> str:
    """Write ENTRY as a tsvector: each token with its places; a break takes a place alone."""
    places: dict[str, list[str]] = {}
    place = 0
    for column, name in zip(entry.columns, COLUMNS, strict=True):
        label = _LABELS[name]
        for token in column.split():
            place += 1
            if token != BREAK:
                places.setdefault(token, []).append(f"{place}{label}")
        place += 1
    return " ".join(f"'{token}':{','.join(found)}" for token, found in places.items())


def render(node: Node, _known: object) -> str:
    """Write NODE as a tsquery."""
    return _render(node, "")


def render_in(column: str, unit: Node, _node: Node, _known: object) -> str:
    """Write what finds UNIT in COLUMN of an entry that is found."""
    return _render(unit, _LABELS[column])


def _render(node: Node, label: str) -> str:
    if isinstance(node, Term):
        # Tokens are letters, digits and _ or - alone: between quotes nothing is a sign.
        signs = ("*" if node.prefix else "") + label
        end = f":{signs}" if signs else ""
        return "(" + " <-> ".join(f"'{token}'{end}" for token in node.tokens) + ")"
    if isinstance(node, Either):
        return "(" + " | ".join(_render(part, label) for part in node.parts) + ")"
    wanted = " & ".join(_render(part, label) for part in node.parts)
    but = " | ".join(_render(part, label) for part in node.but)
    return f"({wanted} & !({but}))" if but else f"({wanted})"


def weigh(candidates: CTE, indexes: Sequence[Sought], units: int) -> Select[Any]:
    """Give slot and points of each candidate, whose entry is looked at again."""
    parts = []
    for sought in indexes:
        hit = hits(sought.index)
        points: Any = literal_column(str(BASE * units))
        for unit in range(units):
            for column, weight in WEIGHTS.items():
                matches = Matches(hit, bindparam(sought.parameter(unit, column)))
                points = points + case((matches, weight), else_=0)
        joined = candidates.join(hit, hit.c.rowid == candidates.c.slot)
        parts.append(select(candidates.c.slot, points.label("points")).select_from(joined))
    found = union_all(*parts).subquery("found")
    return select(found.c.slot, found.c.points)
