"""The index on PostgreSQL: two tables of tsvectors, each with a GIN index.

The tsvectors are made of our tokens alone, with their positions and the weight of their column;
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

from api.database import statements
from api.search.ast import Node, Or, Term
from api.search.index_tables import (
    BASE_POINTS,
    BREAK,
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

_LABELS = dict(zip(COLUMNS, "ABCD", strict=True))


def create(connection: Connection) -> None:
    """Make the two indexes anew, empty; readers see the old ones until the commit."""
    for name in (PUBLIC, PRIVATE):
        connection.exec_driver_sql(f"DELETE FROM {name}")  # noqa: S608


def insert(connection: Connection, entries: Iterable[Entry]) -> None:
    """Add entries."""
    rows: dict[str, list[dict[str, Any]]] = {PUBLIC: [], PRIVATE: []}
    for entry in entries:
        rows[index_name(entry.public)].append({"rowid": entry.doc_id, "tokens": _tsvector(entry)})
    for name, new in rows.items():
        if new:
            statements.insert_many(connection, _TABLES[name], new)


def delete(connection: Connection, *, public: bool, doc_id: int) -> None:
    """Take an entry out."""
    statements.run(connection, _DELETE[index_name(public)], {"doc_id": doc_id})


def words(connection: Connection, *, public: bool, doc_id: int) -> set[str]:
    """Return the tokens of an entry."""
    rows = statements.run(connection, _READ[index_name(public)], {"doc_id": doc_id})
    return {token for (tokens,) in rows for token in tokens}


def holds(connection: Connection, entry: Entry) -> bool:
    """Whether the index has ENTRY as it is."""
    values = {"doc_id": entry.doc_id, "tokens": _tsvector(entry)}
    return statements.run(connection, _SAME[index_name(entry.public)], values) == [(True,)]


def add_words(connection: Connection, new: Iterable[str]) -> None:
    """Add the words that are not there yet."""
    statements.run(connection, _ADD_WORDS, {"words": statements.json_list(new)})


def unused(connection: Connection, candidates: Iterable[str]) -> list[str]:
    """Return those of the candidates that no published record holds."""
    return [
        word for word in candidates if not statements.run(connection, _USED, {"word": f"'{word}'"})
    ]


_TABLES = {
    name: Table(name, MetaData(), Column("rowid"), Column("tokens")) for name in (PUBLIC, PRIVATE)
}
_DELETE = {name: text(f"DELETE FROM {name} WHERE rowid = :doc_id") for name in _TABLES}  # noqa: S608
_READ = {
    name: text(f"SELECT tsvector_to_array(tokens) FROM {name} WHERE rowid = :doc_id")  # noqa: S608
    for name in _TABLES
}
_SAME = {
    name: text(f"SELECT tokens = CAST(:tokens AS tsvector) FROM {name} WHERE rowid = :doc_id")  # noqa: S608
    for name in _TABLES
}
_USED = text(f"SELECT 1 FROM {PUBLIC} WHERE tokens @@ CAST(:word AS tsquery) LIMIT 1")  # noqa: S608
_ADD_WORDS = text(
    "INSERT INTO search_words (word) "
    "SELECT value FROM json_array_elements_text(CAST(:words AS json)) "
    "WHERE NOT EXISTS (SELECT 1 FROM search_words WHERE word = value)"
)


def _tsvector(entry: Entry) -> str:
    """Return ENTRY as a tsvector: each token with its positions; a break takes one alone."""
    positions: dict[str, list[str]] = {}
    position = 0
    for column, name in zip(entry.columns, COLUMNS, strict=True):
        label = _LABELS[name]
        for token in column.split():
            position += 1
            if token != BREAK:
                positions.setdefault(token, []).append(f"{position}{label}")
        position += 1
    return " ".join(f"'{token}':{','.join(at)}" for token, at in positions.items())


def render(node: Node, _known: object) -> str:
    """Return NODE as a tsquery."""
    return _render(node, "")


def render_in(column: str, unit: Node, _node: Node, _known: object) -> str:
    """Return the tsquery of UNIT in COLUMN of an entry that matches."""
    return _render(unit, _LABELS[column])


def _render(node: Node, label: str) -> str:
    """Return NODE as a tsquery; LABEL is the weight (A to D) of its column, or empty for any."""
    if isinstance(node, Term):
        # Tokens are letters, digits and _ or - alone: between quotes nothing is a sign.
        signs = ("*" if node.prefix else "") + label
        end = f":{signs}" if signs else ""
        return "(" + " <-> ".join(f"'{token}'{end}" for token in node.tokens) + ")"
    if isinstance(node, Or):
        return "(" + " | ".join(_render(part, label) for part in node.parts) + ")"
    included = " & ".join(_render(part, label) for part in node.parts)
    excluded = " | ".join(_render(part, label) for part in node.but)
    return f"({included} & !({excluded}))" if excluded else f"({included})"


def score(candidates: CTE, indexes: Sequence[SearchIndex], units: int) -> Select[Any]:
    """Return a select of number and points of each candidate, whose entry is looked at again."""
    parts = []
    for index in indexes:
        hit = index_table(index.table)
        points: Any = literal_column(str(BASE_POINTS * units))
        for unit in range(units):
            for column, weight in WEIGHTS.items():
                matches = Matches(hit, bindparam(index.parameter(unit, column)))
                points = points + case((matches, weight), else_=0)
        joined = candidates.join(hit, hit.c.rowid == candidates.c.doc_id)
        parts.append(select(candidates.c.doc_id, points.label("points")).select_from(joined))
    scored = union_all(*parts).subquery("scored")
    return select(scored.c.doc_id, scored.c.points)
