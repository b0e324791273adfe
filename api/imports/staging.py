"""Staging: every piece of a body becomes a line, loaded by the schema of a post, and waits.

What can be said of a line by itself is found here, before any transaction. Lines wait in a file of
their own, so that memory does not grow with their number; which of them are rejected is kept there.
"""

import json
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import orjson
from marshmallow import ValidationError

from api.imports.splitter import Piece
from schemas import incident, strict_json
from schemas.errors import ErrorDetail, flatten

Errors = list[dict[str, Any]]

# Lines that are read, completed and written together, and bytes of them.
GROUP_SIZE = 500
_GROUP_BYTES = 1_000_000


class StagedLine(NamedTuple):
    """A piece that was read: its line, the id that it names, and what it says, as JSON.

    `articles` are the ids of the articles that it is ready to make, `text` is the piece itself.
    """

    number: int
    id: str | None
    content: bytes
    articles: Sequence[str] = ()
    has_errors: bool = False
    text: bytes | None = None

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self.content) + len(self.text or b"")


class Line(NamedTuple):
    """A line as it was loaded: the fields it names, and its errors; of CSV, its cells.

    `position` counts the lines that hold anything, from 1; `repeats` is the number of the line
    before it that has the same id; `size` are its bytes.
    """

    position: int
    number: int
    id: str | None
    data: dict[str, Any]
    errors: Errors
    repeats: int | None
    cells: dict[str, str | None] | None = None
    size: int = 0


AnyLine = TypeVar("AnyLine", StagedLine, Line)


def load_json(piece: Piece) -> StagedLine:
    """Load a piece of JSON by the schema of a post."""
    number, raw = piece
    text = None if isinstance(raw, ErrorDetail) else raw
    try:
        data = _read(number, raw)
    except ValidationError as error:
        return line_with_errors(number, error.messages, error.valid_data, text)
    articles = [source["article"] for source in data.get("sources", ())]
    new_articles = [
        article["id"] for article in articles if "id" in article and _is_inline(article)
    ]
    return StagedLine(number, data.get("id"), orjson.dumps({"data": data}), new_articles, text=text)


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


def line_with_errors(
    number: int, messages: Any, valid_data: Any = None, text: bytes | None = None
) -> StagedLine:
    """Return a line with what is wrong with it, and the members that are right in themselves."""
    errors = list(flatten(messages))
    data = valid_data if isinstance(valid_data, dict) else {}
    data = {name: value for name, value in data.items() if name not in messages}
    # A member's name may hold half a surrogate pair, which no answer could carry.
    content = json.dumps({"errors": errors, "data": data}, ensure_ascii=False)
    return StagedLine(
        number, data.get("id"), content.encode("utf-8", "replace"), has_errors=True, text=text
    )


def in_groups(lines: Iterable[AnyLine], most: int = GROUP_SIZE) -> Iterator[list[AnyLine]]:
    """Cut LINES into groups of MOST, and few bytes: memory does not grow with either."""
    group, size = list[AnyLine](), 0
    for line in lines:
        group.append(line)
        size += line.size
        if len(group) == most or size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


class StagingFile:
    """The lines of one import on their way, in a file that is gone once this is."""

    def __init__(self, form: str, *, keep_text: bool = False) -> None:
        """Stage lines of FORM (ndjson, json or csv), with their text where it may be asked for."""
        self.form = form
        self.keep_text = keep_text
        self.count = 0
        self.has_errors = False
        # Warnings about the file as a whole.
        self.notes: list[dict[str, Any]] = []
        # The empty name is SQLite's own: a file that nobody else sees.
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("PRAGMA cache_size = -8192")
        self._file.execute("PRAGMA journal_mode = OFF")
        self._file.execute("PRAGMA synchronous = OFF")
        self._file.execute(
            "CREATE TABLE lines (position INTEGER PRIMARY KEY, number INT, id TEXT, content BLOB,"
            " repeats INT, text BLOB)"
        )
        self._file.execute(
            "CREATE TABLE articles (id TEXT, position INT, PRIMARY KEY (id, position))"
            " WITHOUT ROWID"
        )
        self._file.execute("CREATE TABLE rejected (position INTEGER PRIMARY KEY, errors BLOB)")

    def add(self, lines: Sequence[StagedLine]) -> None:
        """Add lines in their order."""
        numbered = list(enumerate(lines, self.count + 1))
        self._file.execute("BEGIN")
        self._file.executemany(
            "INSERT INTO lines VALUES (?, ?, ?, ?, NULL, ?)",
            [
                (at, line.number, line.id, line.content, line.text if self.keep_text else None)
                for at, line in numbered
            ],
        )
        self._file.executemany(
            "INSERT OR IGNORE INTO articles VALUES (?, ?)",
            [(id_, at) for at, line in numbered for id_ in line.articles],
        )
        self._file.execute("COMMIT")
        self.count += len(lines)
        self.has_errors |= any(line.has_errors for line in lines)

    def mark_repeats(self) -> None:
        """Mark the lines whose id stands in a line before."""
        marked = self._file.execute(
            "UPDATE lines SET repeats = same.number FROM (SELECT position,"
            " first_value(position) OVER each AS first, first_value(number) OVER each AS number"
            " FROM lines WHERE id IS NOT NULL WINDOW each AS (PARTITION BY id ORDER BY position))"
            " AS same WHERE same.position = lines.position AND same.first < lines.position"
        )
        self.has_errors |= marked.rowcount > 0

    def lines(self, after: int = 0, until: int = sys.maxsize) -> Iterator[Line]:
        """Yield the lines that are not rejected, in order: those after a position, UNTIL one."""
        rows = self._file.execute(
            "SELECT position, number, id, content, repeats FROM lines"
            " WHERE position > ? AND position <= ?"
            " AND position NOT IN (SELECT position FROM rejected) ORDER BY position",
            (after, until),
        )
        for position, number, id_, content, repeats in rows:
            loaded = orjson.loads(content)
            yield Line(
                position,
                number,
                id_,
                loaded.get("data", {}),
                loaded.get("errors", []),
                repeats,
                loaded.get("cells"),
                len(content),
            )

    def makes_article(self, article_id: str, before: int) -> bool:
        """Whether a line that stands BEFORE a position is ready to make an article."""
        row = self._file.execute(
            "SELECT 1 FROM articles WHERE id = ? AND position < ?", (article_id, before)
        ).fetchone()
        return row is not None

    def reject(self, position: int, errors: Errors) -> None:
        """Leave a line out from now on, and the articles that it was to make."""
        self._file.execute(
            "INSERT OR REPLACE INTO rejected VALUES (?, ?)", (position, orjson.dumps(errors))
        )
        self._file.execute("DELETE FROM articles WHERE position = ?", (position,))

    @property
    def number_of_rejected(self) -> int:
        """How many lines are rejected."""
        return int(self._file.execute("SELECT count(*) FROM rejected").fetchone()[0])

    def rejected(self) -> Iterator[dict[str, Any]]:
        """Yield the rejected lines as {"line", "text", "errors"}, in order."""
        rows = self._file.execute(
            "SELECT number, text, errors FROM rejected JOIN lines USING (position)"
            " ORDER BY position"
        )
        for number, text, errors in rows:
            decoded = None if text is None else text.decode("utf-8", "replace").rstrip("\r\n")
            yield {"line": number, "text": decoded, "errors": orjson.loads(errors)}

    def close(self) -> None:
        """Close the file, with which it is gone."""
        self._file.close()
