"""Reading: every piece of a body becomes a line, loaded by the schema of a post, and is set aside.

What can be told of a line by itself is told here, before any transaction; the lines wait in a
scratch file of their own, so that memory does not grow with their number.
"""

import json
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import orjson
from marshmallow import ValidationError

from api.imports.splitter import Piece
from schemas import incident, strict_json
from schemas.errors import ErrorDetail, flatten

Faults = list[dict[str, Any]]

AT_ONCE = 500  # lines that are read, completed and written together


class Loaded(NamedTuple):
    """A piece that was read: its line, the id that it names, and what it says, as JSON.

    `articles` are the ids of the articles that it is ready to make.
    """

    number: int
    id: str | None
    content: bytes
    articles: Sequence[str] = ()
    faulty: bool = False


class Line(NamedTuple):
    """A line as it was loaded: what it names, and what is wrong with it; of CSV, its cells.

    `place` counts the lines that hold anything, from 1; `repeats` is the number of the line before
    it that has the same id.
    """

    place: int
    number: int
    id: str | None
    named: dict[str, Any]
    faults: Faults
    repeats: int | None
    cells: dict[str, str | None] | None = None


def load(piece: Piece) -> Loaded:
    """Load a piece of JSON by the schema of a post."""
    number, raw = piece
    try:
        named = _read(number, raw)
    except ValidationError as error:
        return faulty(number, error.messages, error.valid_data)
    articles = [source["article"] for source in named.get("sources", ())]
    made = [article["id"] for article in articles if "id" in article and _is_inline(article)]
    return Loaded(number, named.get("id"), orjson.dumps({"named": named}), made)


def _read(number: int, raw: bytes | ErrorDetail) -> dict[str, Any]:
    """Read JSON that begins on the line NUMBER by the schema of a post. Raises ValidationError."""
    if isinstance(raw, ErrorDetail):
        raise ValidationError({"_schema": [raw]})
    try:
        return incident.load_line(strict_json.parse(raw, number))
    except strict_json.ParseError as error:
        raise ValidationError({"_schema": [ErrorDetail("malformed_json", str(error))]}) from None


def _is_inline(article: dict[str, Any]) -> bool:
    return bool(article.get("title") or article.get("url"))


def faulty(number: int, messages: Any, right: Any = None) -> Loaded:
    """Keep what is wrong with a line, and the members of it that are RIGHT in themselves."""
    faults = list(flatten(messages))
    named = right if isinstance(right, dict) else {}
    named = {name: value for name, value in named.items() if name not in messages}
    # A member's name may hold half a surrogate pair, which no answer could carry.
    told = json.dumps({"faults": faults, "named": named}, ensure_ascii=False)
    return Loaded(number, named.get("id"), told.encode("utf-8", "replace"), faulty=True)


def line(
    place: int, number: int, id_: str | None, content: bytes, repeats: int | None = None
) -> Line:
    """Return the line at a PLACE of what was loaded."""
    said = orjson.loads(content)
    named, faults = said.get("named", {}), said.get("faults", [])
    return Line(place, number, id_, named, faults, repeats, said.get("cells"))


def in_groups(items: Iterable[Any], size: int = AT_ONCE) -> Iterator[list[Any]]:
    """Cut ITEMS into lists of SIZE."""
    rest = iter(items)
    while group := list(islice(rest, size)):
        yield group


class Scratch:
    """The lines of one import on their way, in a file that is gone once this is."""

    def __init__(self) -> None:
        # The empty name is SQLite's own: a file that nobody else sees.
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("PRAGMA cache_size = -8192")
        self.number = 0
        self.faulty = False
        # Warnings about the file as a whole.
        self.notes: list[dict[str, Any]] = []
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute("PRAGMA synchronous = OFF")
        self._file.execute(
            "CREATE TABLE lines"
            " (place INTEGER PRIMARY KEY, number INT, id TEXT, content BLOB, repeats INT)"
        )
        self._file.execute("CREATE TABLE articles (id TEXT PRIMARY KEY, place INT) WITHOUT ROWID")

    def add(self, loaded: Sequence[Loaded]) -> None:
        """Set lines aside, in their order."""
        places = range(self.number + 1, self.number + 1 + len(loaded))
        self._file.execute("BEGIN")
        self._file.executemany(
            "INSERT INTO lines VALUES (?, ?, ?, ?, NULL)",
            [
                (place, one.number, one.id, one.content)
                for place, one in zip(places, loaded, strict=True)
            ],
        )
        self._file.executemany(
            "INSERT OR IGNORE INTO articles VALUES (?, ?)",
            [
                (id_, place)
                for place, one in zip(places, loaded, strict=True)
                for id_ in one.articles
            ],
        )
        self._file.execute("COMMIT")
        self.number += len(loaded)
        self.faulty |= any(one.faulty for one in loaded)

    def settle(self) -> None:
        """Mark the lines whose id stands in a line before."""
        marked = self._file.execute(
            "UPDATE lines SET repeats = same.number FROM (SELECT place,"
            " first_value(place) OVER each AS first, first_value(number) OVER each AS number"
            " FROM lines WHERE id IS NOT NULL WINDOW each AS (PARTITION BY id ORDER BY place))"
            " AS same WHERE same.place = lines.place AND same.first < lines.place"
        )
        self.faulty |= marked.rowcount > 0

    def lines(self, after: int = 0, until: int = sys.maxsize) -> Iterator[Line]:
        """Give the lines that stand after the place AFTER, in order, the last of them at UNTIL."""
        rows = self._file.execute(
            "SELECT place, number, id, content, repeats FROM lines"
            " WHERE place > ? AND place <= ? ORDER BY place",
            (after, until),
        )
        for row in rows:
            yield line(*row)

    def makes(self, article_id: str, before: int) -> bool:
        """Tell whether a line that stands BEFORE a place is ready to make an article."""
        found = self._file.execute(
            "SELECT place < ? FROM articles WHERE id = ?", (before, article_id)
        ).fetchone()
        return bool(found and found[0])

    def close(self) -> None:
        """Let the file go."""
        self._file.close()
