"""Batches: rows of many records, written together, a statement a table."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any

from sqlalchemy import Connection, Table, text

from api.database import statements
from api.database.base import Base
from api.models import (
    LIST_TABLES,
    Article,
    Claim,
    Incident,
    IncidentCommunity,
    IncidentOrganisation,
    ReferenceVersion,
    Source,
    Version,
)
from api.models.tables import table
from api.search import index_tables, indexer

# The tables in an order that foreign keys allow.
_ORDER: tuple[type[Base], ...] = (
    Incident,
    Article,
    ReferenceVersion,
    IncidentCommunity,
    IncidentOrganisation,
    *LIST_TABLES.values(),
    Source,
    Claim,
    Version,
)
_TABLES: dict[type[Base], Table] = {model: table(model) for model in _ORDER}
_COLUMNS = {model: tuple(table.c.keys()) for model, table in _TABLES.items()}
_AS_TUPLE = {
    model: statements.tuple_getter(table, _COLUMNS[model]) for model, table in _TABLES.items()
}
# Index entries that are written together: they are sorted, and each time is a part of the index.
_ENTRIES = 20_000
_ENTRY_CHARACTERS = 16_000_000
_LAST_KEYS = text("SELECT name, seq FROM sqlite_sequence")
_NEXT_KEYS = text(
    "SELECT nextval(CAST(CAST(:name AS text) AS regclass)) FROM generate_series(1, :ahead)"
)


class Batch:
    """Rows on their way into the tables, as tuples in the order of their columns."""

    def __init__(self, connection: Connection, ahead: int = 1) -> None:
        """Take keys from CONNECTION's sequences AHEAD at a time: as many as rows are expected."""
        self.connection = connection
        self.ahead = ahead
        self._rows: dict[type[Base], list[tuple[Any, ...]]] = defaultdict(list)
        self._entries: list[index_tables.Entry] = []
        self._entry_characters = 0
        self._keys: dict[type[Base], Iterator[int]] = {}

    def next_pk(self, model: type[Base]) -> int:
        """Return a primary key that no other row will have."""
        pk = next(self._keys[model], None) if model in self._keys else None
        if pk is None:
            self._reserve(model)
            pk = next(self._keys[model])
        return pk

    def _reserve(self, model: type[Base]) -> None:
        if self.connection.dialect.name == "sqlite":
            # The write lock is ours until the commit: nobody else counts on from here.
            last = dict(statements.run(self.connection, _LAST_KEYS))
            for each, into in _TABLES.items():
                self._keys[each] = count(last.get(into.name, 0) + 1)
            return
        values = {"name": f"{_TABLES[model].name}_pk_seq", "ahead": self.ahead}
        rows = statements.run(self.connection, _NEXT_KEYS, values)
        self._keys[model] = iter([pk for (pk,) in rows])

    def add(self, model: type[Base], row: Mapping[str, Any]) -> None:
        """Collect one row."""
        self._rows[model].append(_AS_TUPLE[model](row))

    def drop(self, model: type[Base], name: str, value: Any) -> None:
        """Drop the rows collected for MODEL that have VALUE in the column NAME."""
        column = _COLUMNS[model].index(name)
        self._rows[model] = [row for row in self._rows[model] if row[column] != value]

    def add_rows(self, rows: Mapping[type[Base], Iterable[Mapping[str, Any]]]) -> None:
        """Collect ROWS of several tables, by model."""
        for model, items in rows.items():
            self._rows[model].extend(map(_AS_TUPLE[model], items))

    def add_entry(self, entry: index_tables.Entry) -> None:
        """Collect the entry of an incident in the full-text index."""
        self._entries.append(entry)
        self._entry_characters += sum(map(len, entry.columns))

    def clear(self) -> None:
        """Drop what is collected."""
        self._rows.clear()
        self._entries.clear()
        self._entry_characters = 0

    def write(self, *, last: bool = True) -> None:
        """Write what is collected.

        Entries wait for others where this is not the LAST of the transaction.
        """
        for model, into in _TABLES.items():
            rows = self._rows.pop(model, None)
            if rows:
                statements.insert_tuples(self.connection, into, _COLUMNS[model], rows)
        is_full = len(self._entries) >= _ENTRIES or self._entry_characters >= _ENTRY_CHARACTERS
        if self._entries and (last or is_full):
            entries, self._entries, self._entry_characters = self._entries, [], 0
            indexer.add(self.connection, entries)
