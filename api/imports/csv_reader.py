"""Read CSV files as spreadsheets and programs save them: encoding, separator, header, rows.

What a file is, is worked out from its beginning: a byte order mark, UTF-8, UTF-16 or Windows-1252;
a comma, semicolon or tab between cells; column names in any case. What was taken for granted, and
every column that is not used, is noted, so that the answer of an import can say it.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from marshmallow import ValidationError

from api.exports.formats.csv import FORMULA_PREFIXES, KNOWN_COLUMNS
from schemas.errors import ErrorDetail, nearest

MAX_COLUMNS = 500
MAX_NOTES = 50
_PEEK = 1 << 16  # bytes that decide on encoding and separator
_SEPARATORS = (",", ";", "\t")
_SAVE_AS = "save the file as CSV UTF-8"
_NOT_UTF8 = ErrorDetail("bad_encoding", f"This is not UTF-8; {_SAVE_AS}.")
# What no text in Windows-1252 holds: four letters with marks in a row, as other scripts have them,
# and within a word a sign or a capital, as Mac OS Roman has its letters with marks.
_NOT_WINDOWS_1252 = re.compile(rb"[\x80-\xff]{4}|[A-Za-z][\x86-\x8a\x8e\x98\x99\x9f\xa7][a-z]")
# How files begin that are no text.
_OTHER_FILES = {
    b"PK\x03\x04": "a spreadsheet's own file (or a zip archive)",
    b"\xd0\xcf\x11\xe0": "a spreadsheet's own file",
    b"\x1f\x8b": "a compressed file",
}
# Other names that people give a column, by the column that is meant.
_OTHER_NAMES = {"source": "source_urls", "sources": "source_urls", "url_source": "source_urls"}

Cells = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file: the line it begins on (from 1), its cells by column, and what is wrong.

    `cells` are without the apostrophe that guards a formula; an empty one is None. `messages` are
    errors by column, as marshmallow's; with any, the cells are not to be used. `text` is the row as
    it stands in the file.
    """

    line: int
    cells: Cells
    messages: dict[str, list[ErrorDetail]] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that was opened: what was noted of it as a whole, and its rows, read as they come."""

    notes: list[ErrorDetail]
    rows: Iterator[Row]


def read(body: IO[bytes]) -> Sheet:
    """Open a file; rows without content are passed over.

    Raises ValidationError for a header that cannot be used. Quotes that never close make what
    follows them the last row, which says so. The file stays open: it is the caller's.
    """
    beginning = body.read(_PEEK)
    encoding, notes = _encoding_of(beginning)
    raw = io.BufferedReader(_PrefixedFile(beginning, body))
    # Bytes that do not fit the encoding are let through here, so that their row can be told.
    errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
    text = io.TextIOWrapper(raw, encoding=encoding, errors=errors, newline="")
    separator, skipped = _separator_of(beginning.decode(encoding, "replace"))
    if skipped:
        text.readline()
    if separator != ",":
        name = "tabs" if separator == "\t" else "semicolons"
        notes.append(ErrorDetail("separator", f"The cells were read as separated by {name}."))
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise ValidationError([_unreadable(error)]) from None
    columns, unused = _columns_of(header)
    more_than_header = reader.line_num > 1 or len(beginning) == _PEEK or _has_lines(beginning)
    _check_header(columns, more_than_header=more_than_header)
    return Sheet(notes + unused, _rows(reader, lines, columns, 1 if skipped else 0))


class _Lines:
    """The lines of a text, and those that were read since they were last taken."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._read: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._text:
            self._read.append(line)
            yield line

    def take(self) -> str:
        """Return the lines that were read since the last time."""
        text = "".join(self._read)
        self._read.clear()
        return text


class _PrefixedFile(io.RawIOBase):
    """A file together with the beginning that was read from it."""

    def __init__(self, beginning: bytes, rest: IO[bytes]) -> None:
        self._beginning = beginning
        self._rest = rest

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read into a buffer and return the number of bytes, 0 at the end."""
        chunk = self._beginning[: len(buffer)] or self._rest.read(len(buffer))
        self._beginning = self._beginning[len(chunk) :]
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _encoding_of(beginning: bytes) -> tuple[str, list[ErrorDetail]]:
    """Return the encoding of a file, with a note where it is not UTF-8.

    Raises ValidationError where it is none that is read here.
    """
    for signature, name in _OTHER_FILES.items():
        if beginning.startswith(signature):
            raise ValidationError([ErrorDetail("bad_encoding", f"This is {name}; {_SAVE_AS}.")])
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", [_encoding_note("UTF-16")]
    # The names of columns are ASCII: in UTF-16 every second byte of theirs is zero.
    if beginning[1:2] == b"\0" or beginning[:1] == b"\0":
        little = beginning[1:2] == b"\0"
        return "utf-16-le" if little else "utf-16-be", [_encoding_note("UTF-16")]
    try:
        codecs.getincrementaldecoder("utf-8-sig")().decode(beginning)
    except UnicodeDecodeError:
        return _of_eight_bits(beginning)
    return "utf-8-sig", []


def _of_eight_bits(beginning: bytes) -> tuple[str, list[ErrorDetail]]:
    """Return the encoding of a file that is not UTF-8 throughout, with a note."""
    text = beginning.decode("utf-8", "surrogateescape")
    lost = len(re.findall("[\udc80-\udcff]", text))
    if 2 * lost < len(text) - len(re.findall(r"[\0-\x7f]", text)):
        return "utf-8-sig", []  # but for a few bytes: their rows are refused
    if _NOT_WINDOWS_1252.search(beginning):
        detail = f"This is neither UTF-8 nor Windows-1252 nor UTF-16; {_SAVE_AS}."
        raise ValidationError([ErrorDetail("bad_encoding", detail)])
    note = _encoding_note("Windows-1252")
    detail = f"{note} Letters that it lacks, such as Turkish ones, are then wrong: {_SAVE_AS}."
    return "cp1252", [ErrorDetail("encoding", detail)]


def _encoding_note(name: str) -> ErrorDetail:
    return ErrorDetail("encoding", f"The file is not UTF-8 and was read as {name}.")


def _separator_of(beginning: str) -> tuple[str, bool]:
    """Return what parts the cells, and whether a line of its own says so (`sep=;`)."""
    first, _, _ = beginning.lstrip("\ufeff").partition("\n")
    if declared := re.fullmatch(r"sep=([,;\t])\r?", first.strip("\r"), re.IGNORECASE):
        return declared[1], True

    def known(separator: str) -> int:
        names = (name.strip(' "\r') for name in first.split(separator)[:MAX_COLUMNS])
        return sum(_column(name) in KNOWN_COLUMNS for name in names)

    return max(_SEPARATORS, key=lambda separator: (known(separator), separator == ",")), False


def _column(name: str) -> str:
    """Return a column's name as we write it: `Date Start` is date_start."""
    plain = re.sub(r"[\s-]+", "_", name.strip().lower())
    return _OTHER_NAMES.get(plain, plain)


def _columns_of(header: Sequence[str]) -> tuple[list[str], list[ErrorDetail]]:
    """Return the columns by our names, without empty ones at the end, and a note on the unused."""
    columns = [_column(name) for name in header]
    while columns and not columns[-1]:
        columns.pop()
    unknown = [name for name in columns[:MAX_COLUMNS] if name and name not in KNOWN_COLUMNS]
    notes = []
    for number, name in enumerate(columns[:MAX_NOTES], 1):
        if not name:
            detail = f"Column {number} has no name and was not used."
            notes.append(ErrorDetail("unknown_column", detail))
    for number, name in enumerate(unknown[:MAX_NOTES]):
        close = nearest(name, KNOWN_COLUMNS, cutoff=0.75) if number < 20 else None
        hint = f"; did you mean {close}?" if close else "."
        detail = f"The column {name[:40]!r} is not known and was not used{hint}"
        notes.append(ErrorDetail("unknown_column", detail, suggestion=close))
    return columns, notes


def _check_header(columns: Sequence[str], *, more_than_header: bool) -> None:
    """Raise ValidationError for a header that is empty, too long, names nothing or one twice."""
    if not columns:
        detail = "The first line has to name the columns; it is empty."
        raise ValidationError([ErrorDetail("no_header", detail)])
    if not _is_decoded(columns):
        raise ValidationError([_NOT_UTF8])
    if not more_than_header and len(columns) > len(KNOWN_COLUMNS):
        detail = (
            "The file is a single line. curl -d takes line breaks out of a file: send it with "
            "--data-binary @FILE."
        )
        raise ValidationError([ErrorDetail("one_line", detail)])
    if len(columns) > MAX_COLUMNS:
        detail = f"The header has {len(columns):,} columns; at most {MAX_COLUMNS} are read."
        raise ValidationError([ErrorDetail("too_many", detail)])
    if not KNOWN_COLUMNS.intersection(columns):
        detail = (
            f"None of the columns is known; the first is {columns[0][:40]!r}. They are separated "
            "by commas, semicolons or tabs, and named as in /api/v1/incidents.csv."
        )
        raise ValidationError([ErrorDetail("unknown_column", detail)])
    repeated = {name for name in columns if name and columns.count(name) > 1}
    if repeated:
        details = (f"The column {name[:40]} stands there more than once." for name in repeated)
        raise ValidationError([ErrorDetail("repeated", detail) for detail in sorted(details)])


def _has_lines(beginning: bytes) -> bool:
    """Whether anything follows the first line break."""
    return bool(beginning.replace(b"\r", b"\n").strip(b"\n\0").count(b"\n"))


def _rows(reader: Any, lines: "_Lines", columns: Sequence[str], skipped: int) -> Iterator[Row]:
    line = reader.line_num + 1 + skipped
    lines.take()
    try:
        for cells in reader:
            text = lines.take()
            if any(cells):
                yield _row(line, columns, cells, text)
            line = reader.line_num + 1 + skipped
    except csv.Error as error:
        yield Row(line, {}, {"_schema": [_unreadable(error)]}, lines.take())


def _row(line: int, columns: Sequence[str], cells: list[str], text: str) -> Row:
    beyond = cells[len(columns) :]
    if len(cells) < len(columns) or any(beyond):
        detail = f"The row has {len(cells)} cells, the header names {len(columns)} columns."
        return Row(line, {}, {"_schema": [ErrorDetail("bad_row", detail)]}, text)
    if not _is_decoded(cells):
        return Row(line, {}, {"_schema": [_NOT_UTF8]}, text)
    pairs = zip(columns, map(_unescape_formula, cells), strict=False)
    data = {name: cell for name, cell in pairs if name in KNOWN_COLUMNS}
    return Row(line, data, text=text)


def _unescape_formula(cell: str) -> str | None:
    """Return a cell without the apostrophe that guards a formula; None for an empty one."""
    if cell[:1] == "'" and cell[1:2] in FORMULA_PREFIXES and len(cell) > 1:
        cell = cell[1:]
    return cell if cell.strip() else None


def _is_decoded(cells: Sequence[str]) -> bool:
    """Whether every byte of the cells fitted the encoding."""
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return False
    return True


def _unreadable(error: Exception) -> ErrorDetail:
    return ErrorDetail("bad_csv", f"The file cannot be read as CSV from here on: {error}.")


def notes_as_warnings(notes: Sequence[ErrorDetail]) -> list[dict[str, Any]]:
    """Return what was noted of a file as the warnings of an import's answer."""
    return [
        {"line": 1, "pointer": "", "code": note.code, "detail": str(note), **note.help}
        for note in notes
    ]
