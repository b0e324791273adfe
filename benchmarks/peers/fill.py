"""Fill the peers' databases from a data set of ours.

`python -m benchmarks.peers.fill DATASET URL` fills an empty database at URL with the tables of the
ORM peers, on either engine; `… DATASET --datasette FILE` makes the file that Datasette serves.
DATASET is a SQLite file of ours.
"""

import argparse
import json
import sqlite3
from collections.abc import Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, create_engine, insert, text

from benchmarks.peers import tables
from benchmarks.peers.sqlite import set_up

BATCH = 5_000
# What our columns are called where the names differ; others are taken by their own.
_COLUMNS = {
    "incidents": {"id": "pk", "public_id": "id"},
    "articles": {"id": "pk", "public_id": "id"},
    "communities": {"id": "rowid", "incident_id": "incident_pk"},
    "measures": {"id": "rowid", "incident_id": "incident_pk"},
    "sources": {"id": "rowid", "incident_id": "incident_pk", "article_id": "article_pk"},
    "claims": {
        "id": "rowid",
        "source_id": "(SELECT rowid FROM sources WHERE sources.incident_pk "
        "= claims.incident_pk AND sources.position = claims.source_position)",
    },
    "versions": {"id": "pk", "incident_id": "incident_pk"},
}
_FROM = {"communities": "incident_communities", "measures": "incident_measures"}


def fill(dataset: str, url: str) -> None:
    """Copy every row into the tables of the ORM peers, then let the database look at them."""
    engine = create_engine(url)
    set_up(engine)
    ours = sqlite3.connect(dataset)
    with engine.begin() as connection:
        tables.metadata.create_all(connection)
        for table in tables.metadata.sorted_tables:
            rows = _rows(ours, table)
            while batch := list(islice(rows, BATCH)):
                connection.execute(insert(table), batch)
        if engine.dialect.name == "postgresql":
            _go_on_counting(connection)
        connection.execute(text("ANALYZE"))
    engine.dispose()


def _rows(ours: sqlite3.Connection, table: Table) -> Iterator[dict[str, Any]]:
    """Yield our rows in the form of a peer's TABLE."""
    names = [column.name for column in table.columns]
    columns = [_COLUMNS[table.name].get(name, name) for name in names]
    found = ours.execute(
        f"SELECT {', '.join(columns)} FROM {_FROM.get(table.name, table.name)} ORDER BY 1"
    )
    kinds = {"value": _json, "organisations": _json, "property_damage": bool}
    read = [(name, kinds[name]) for name in names if name in kinds]
    for row in found:
        values = dict(zip(names, row, strict=True))
        for name, kind in read:
            values[name] = None if values[name] is None else kind(values[name])
        yield values


def _json(stored: object) -> Any:
    """Read a JSON column, in which SQLite stores a number as such."""
    return json.loads(str(stored))


def _go_on_counting(connection: Connection) -> None:
    """Let new rows have the keys that follow."""
    for name in tables.metadata.tables:
        last = f"(SELECT max(id) FROM {name})"
        connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {last})"))


def fill_datasette(dataset: str, file: str) -> None:
    """Make one flat table of the documents, lists as JSON, as `sqlite-utils insert` lays them out.

    It is in the order of the list, has an index on that, and is looked at by ANALYZE.
    """
    ours, theirs = sqlite3.connect(dataset), sqlite3.connect(file, isolation_level=None)
    documents = (
        {"id": id_, "sort_date": day} | json.loads(document)
        for id_, day, document in ours.execute(
            "SELECT incidents.id, sort_date, document FROM incidents "
            "JOIN versions ON versions.pk = document_pk WHERE incidents.status = 'published' "
            "ORDER BY sort_date DESC, incidents.id DESC"
        )
    )
    first = next(documents)
    columns = ", ".join(f'"{name}"' for name in first if name != "id")
    theirs.execute("PRAGMA page_size = 8192")
    theirs.execute("BEGIN")
    theirs.execute(f"CREATE TABLE incidents (id TEXT PRIMARY KEY, {columns})")
    statement = f"INSERT INTO incidents VALUES ({', '.join('?' * len(first))})"
    theirs.execute(statement, _flat(first))
    theirs.executemany(statement, map(_flat, documents))
    for order in ("sort_date, id", "sort_date DESC, id"):  # of a canned query, of its pages
        theirs.execute(f"CREATE INDEX [incidents {order}] ON incidents ({order})")
    theirs.execute("COMMIT")
    theirs.execute("ANALYZE")
    theirs.execute("VACUUM")
    theirs.close()


def _flat(document: dict[str, Any]) -> list[Any]:
    return [
        json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
        for value in document.values()
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset")
    parser.add_argument("target")
    parser.add_argument("--datasette", action="store_true")
    options = parser.parse_args()
    (fill_datasette if options.datasette else fill)(options.dataset, options.target)
