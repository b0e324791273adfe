"""The indexer: entries are written in the transaction of the records they are of.

An entry is its record's alone: it follows from the document, and nothing else has to be looked at
when a name changes. `search_words` notes the words of published records, from which near
spellings are suggested; a word that the last of them loses is forgotten.
"""

from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, delete, select, text

from api.database import statements
from api.models.search import SearchState, search_words
from api.search import index_tables, postgresql, sqlite
from api.search.index_tables import Entry, is_word, words_of
from api.search.tokenizer import tokenizer_version

NOTE_VERSION = text("INSERT INTO search_state (pk, form) VALUES (1, :form) ON CONFLICT DO NOTHING")
ENGINES: dict[str, ModuleType] = {"sqlite": sqlite, "postgresql": postgresql}


def add(connection: Connection, entries: Iterable[Entry]) -> None:
    """Write the entries of new records."""
    new = list(entries)
    if not new:
        return
    engine = ENGINES[connection.dialect.name]
    engine.insert(connection, new)
    words = words_of(entry for entry in new if entry.public)
    if words:
        engine.add_words(connection, words)
    statements.run(connection, NOTE_VERSION, {"form": tokenizer_version()})


def replace(connection: Connection, old: Mapping[str, Any], entry: Entry | None) -> None:
    """Write the entry of a record anew, or take it out; OLD are the record's columns before."""
    engine = ENGINES[connection.dialect.name]
    public, doc_id = old["status"] == "published", index_tables.doc_id(old["sort_date"], old["pk"])
    stays = entry is not None and (public, doc_id) == (entry.public, entry.doc_id)
    if entry is not None and stays and engine.holds(connection, entry):
        return
    lost = engine.words(connection, public=public, doc_id=doc_id) if public else set()
    engine.delete(connection, public=public, doc_id=doc_id)
    if entry is not None:
        if not stays:  # an index that is being mended may hold it already
            engine.delete(connection, public=entry.public, doc_id=entry.doc_id)
        add(connection, [entry])
        lost -= words_of([entry]) if entry.public else set()
    _forget(connection, filter(is_word, lost))


def holds(connection: Connection, record: Mapping[str, Any], entry: Entry | None) -> bool:
    """Whether the index has ENTRY, or nothing, of a RECORD (its columns)."""
    engine = ENGINES[connection.dialect.name]
    if entry is not None:
        return bool(engine.holds(connection, entry))
    doc_id = index_tables.doc_id(record["sort_date"], record["pk"])
    return not any(
        engine.words(connection, public=public, doc_id=doc_id) for public in (True, False)
    )


def _forget(connection: Connection, words: Iterable[str]) -> None:
    """Forget those of WORDS that no published record has any more."""
    unused = ENGINES[connection.dialect.name].unused(connection, words)
    if unused:
        connection.execute(delete(search_words).where(search_words.c.word.in_(unused)))


def is_outdated(connection: Connection) -> bool:
    """Whether the indexes have tokens of another tokenizer than queries have."""
    return connection.scalar(select(SearchState.form)) not in (None, tokenizer_version())
