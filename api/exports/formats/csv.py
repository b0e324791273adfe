"""CSV (RFC 4180): a row a record, for spreadsheets and statistics, and the way back.

Out: UTF-8 with a byte order mark, CRLF, one header line, null as an empty cell. A text that a
spreadsheet would run as a formula gets one leading apostrophe, which the way back takes off again,
there alone; numbers are never touched.

In: what a row names of a record. A cell that says what the stored record says names nothing, so a
file that was exported and sent back changes nothing, and one that was edited changes just that.
An absent column is untouched, an empty cell is null, derived columns are ignored. The addresses of
sources are read of a new record alone. `api.imports.csv_reader` reads the file itself.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from marshmallow import ValidationError
from marshmallow.fields import Field

from api.core.media_formats import Batches, Format
from schemas import count_suggestions
from schemas.counts import COUNT_FIELDS
from schemas.errors import ErrorDetail
from schemas.fields import Boolean, Count, Integer, ListOf, Number
from schemas.record_fields import FIELDS, complete

# A cell may hold the addresses of 500 sources; the module's own limit is 128 KiB.
csv.field_size_limit(500 * 2100)

BOM = "\ufeff".encode()
SEPARATOR = "; "
# What makes a spreadsheet take a cell for a formula, and the apostrophe that guards against it.
FORMULA_PREFIXES = frozenset("=+-@'\t\r")

COLUMNS = tuple(
    column
    for field in sorted(FIELDS.values(), key=lambda field: (field.since, field.at_end))
    for column in field.columns
)
# Lists that become one cell, and how an item of them is written; others are taken apart below.
_JOINED = {
    field.name: field.spell
    for field in FIELDS.values()
    if field.default == [] and field.columns == (field.name,)
}


def write(batches: Batches, fields: Sequence[str] | None = None) -> Iterator[bytes]:
    """Yield the documents of BATCHES as rows; with FIELDS, those columns in that order."""
    columns = COLUMNS if fields is None else fields
    rows = (
        [flattened(complete(orjson.loads(document))) for document in batch] for batch in batches
    )
    return table(columns, rows)


FORMAT = Format(
    "csv",
    "CSV",
    "text/csv; charset=utf-8; header=present",
    frozenset(COLUMNS),
    write,
    broader=("text/plain",),
)


def table(
    columns: Sequence[str], batches: Iterable[Iterable[Mapping[str, Any]]]
) -> Iterator[bytes]:
    """Yield a header of COLUMNS and a row for each mapping of BATCHES, in bytes."""
    yield BOM + _lines([columns])
    for batch in batches:
        body = _lines([_escape_formulas(map(row.__getitem__, columns)) for row in batch])
        if body:
            yield body


def _lines(rows: Iterable[Iterable[Any]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode()


def _escape_formulas(cells: Iterable[Any]) -> list[Any]:
    """Write the cells of a row; only text can be a formula, and a negative number is none."""
    return [
        (f"'{cell}" if cell[:1] in FORMULA_PREFIXES else cell)
        if type(cell) is str
        else (_FLAGS[cell] if type(cell) is bool else cell)
        for cell in cells
    ]


_FLAGS = {True: "true", False: "false"}
# What parts the addresses of a cell: as an export has it, and as people write it.
_BETWEEN_URLS = re.compile(r"\s*(?:;\s+|\n|;(?=https?://)|[,|]?\s+(?=https?://))\s*")


def flattened(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record with its lists in single cells, as texts; RECORD is changed."""
    entries, sources = record["communities"], record["sources"]
    record["communities"] = _joined(entry["community"] for entry in entries)
    record["community_roles"] = _joined(
        f"{entry['community']}:{entry['role']}" for entry in entries
    )
    record["source_urls"] = _joined(source["article"]["url"] for source in sources)
    for name, spell in _JOINED.items():
        record[name] = _joined(map(spell, record[name]))
    return record


def _joined(words: Iterable[str | None]) -> str:
    """Join what there is, each once."""
    return SEPARATOR.join(dict.fromkeys(word for word in words if word is not None))


# The way back. A column that can be named is read by its kind.

Cells = dict[str, str | None]
RowData = dict[str, Any]


def row_data(cells: Cells, stored: Mapping[str, Any] | None = None) -> RowData:
    """Return what a row names of a record, as the members of a PATCH (or a POST).

    STORED is the document of the record that the row's id means, or None if it is new. `id` and
    `version` are given whenever they stand there. Raises ValidationError by column.
    """
    messages: dict[str, list[ErrorDetail]] = {}
    values: RowData = {}
    for name, cell in cells.items():
        if name in _READ and not (cell is None and name in _NEVER_NULL):
            try:
                values[name] = _READ[name](cell.strip()) if cell else _EMPTY.get(name)
            except ValueError as error:
                messages[name] = [_cell_error(name, cell or "", str(error))]
    try:
        entries = _communities(cells, stored)
    except ValidationError as error:
        messages |= error.messages_dict
    if messages:
        raise ValidationError(messages)
    _make_exact(values, cells, stored)
    data = {**values, **_sources(cells)} if stored is None else _differing(values, stored)
    return data if entries is None else {**data, "communities": entries}


def _cell_error(name: str, cell: str, message: str) -> ErrorDetail:
    """Return the error of a cell; that of a count says which columns hold what was meant."""
    proposal = None
    if name.removesuffix("_low").removesuffix("_high") in COUNT_FIELDS:
        message, proposal = count_suggestions.explain(name, cell)
    return ErrorDetail("wrong_type", message, suggestion=proposal)


def _make_exact(values: RowData, cells: Cells, stored: Mapping[str, Any] | None) -> None:
    """Leave out empty bounds beside a figure that is new, so that it is exact.

    Who fills in 13 means 13. An export writes "about 3,000" in the column of words beside it: then
    there are no bounds.
    """
    for name in COUNT_FIELDS:
        bounds = (f"{name}_low", f"{name}_high")
        reported = stored is not None and any(
            stored[member] is not None for member in (name, *bounds)
        )
        about = (cells.get(f"{name}_text") or "").strip().lower().startswith("about")
        if values.get(name) is None or reported:
            continue
        for bound in bounds:
            if about:
                values.setdefault(bound, None)
            elif values.get(bound) is None:
                values.pop(bound, None)


def _sources(cells: Cells) -> RowData:
    """Return the sources that a new row names by their addresses, each an article."""
    cell = (cells.get("source_urls") or "").strip()
    urls = [url.rstrip(";") for url in _BETWEEN_URLS.split(cell)]
    return {"sources": [{"article": {"url": url}} for url in urls if url]} if any(urls) else {}


def unused_columns(
    cells: Cells, stored: Mapping[str, Any] | None, render: Callable[[], dict[str, Any]]
) -> list[str]:
    """Return the columns that are not read and say otherwise than the record, as it was and is.

    STORED is its document before, None if it is new; RENDER makes that of what the row says.
    """
    given = {name: cell for name, cell in cells.items() if cell and name in _DERIVED}
    if stored is None:
        given.pop("source_urls", None)
    if not given:
        return []
    known = [flattened(render()), *([] if stored is None else [flattened(dict(stored))])]
    return [
        name
        for name, cell in given.items()
        if all(_plain(cell) != _plain(record[name]) for record in known)
    ]


def _plain(cell: Any) -> str:
    """Return a cell as it is compared: 3,000 and 3000 are the same."""
    return "" if cell is None else " ".join(str(cell).lower().replace(",", "").split())


def _differing(values: RowData, stored: Mapping[str, Any]) -> RowData:
    """Leave out what the stored record says too; a count is one thing with its bounds.

    The bounds of a count that was not exact stand as given once any of the three differs, as in
    a PUT: else "about 5" edited to 7 would become exactly 7.
    """
    changed = {
        name: value
        for name, value in values.items()
        if name in _ALWAYS_NAMED or value != _spelled(name, stored[name])
    }
    for name in COUNT_FIELDS:
        members = (name, f"{name}_low", f"{name}_high")
        exact = stored[name] is not None and len({stored[member] for member in members}) == 1
        if not exact and any(member in changed for member in members):
            changed |= {member: values[member] for member in members if member in values}
    return changed


def _communities(cells: Cells, stored: Mapping[str, Any] | None) -> list[Any] | None:
    """Return the entries that the two cells mean, or None where they leave them as they are.

    `community_roles` says more, so it counts where it differs; a community that stays keeps its
    entries, with sizes and organisations.
    """
    changed = {
        name: cells[name] or "" for name in ("communities", "community_roles") if name in cells
    }
    before: list[Mapping[str, Any]] = [] if stored is None else stored["communities"]
    if stored is not None:
        derived = flattened({**stored, "communities": before})
        changed = {
            name: cell for name, cell in changed.items() if words(cell) != words(derived[name])
        }
    elif not changed.get("community_roles"):
        changed.pop("community_roles", None)
    if not changed:
        return None
    if "community_roles" not in changed:
        entries: list[Any] = []
        for name in words(changed["communities"]):
            staying = [entry for entry in before if entry["community"] == name]
            entries += staying or [{"community": name}]
        return entries
    return _entries(
        words(changed["community_roles"]), words(cells.get("communities") or ""), before
    )


def _entries(
    roles: list[str], communities: list[str], stored_entries: Sequence[Mapping[str, Any]]
) -> list[Any]:
    """Make entries of `community:role` words; they have to be of the COMMUNITIES named beside."""
    pairs = [tuple(map(str.strip, word.partition(":")[::2])) for word in roles]
    if communities and {name for name, _ in pairs} != set(communities):
        detail = (
            f"This names {_joined(name for name, _ in pairs)}, and communities names "
            f"{_joined(communities)}; change both, or leave one of the columns out."
        )
        raise ValidationError({"community_roles": [ErrorDetail("disagrees", detail)]})
    by_pair = {(entry["community"], entry["role"]): entry for entry in stored_entries}
    return [
        by_pair.get((name, role), {"community": name, **({"role": role} if role else {})})
        for name, role in pairs
    ]


def words(cell: str) -> list[str]:
    """Return the words of a list, which `;` separates in a cell."""
    return [word.strip() for word in cell.split(";") if word.strip()]


def _text(cell: str) -> str:
    return cell


def _integer(cell: str) -> int:
    # Programs without a missing whole number write 13 as 13.0; 13.000 may be thirteen thousand.
    if not re.fullmatch(r"[+-]?\d{1,15}(?:\.(?:00?|0{4,}))?", cell, re.ASCII):
        raise ValueError(
            f"{cell[:40]!r} is no whole number; write it in digits alone, such as 2000."
        )
    return int(cell.partition(".")[0])


def _number(cell: str) -> float:
    if not re.fullmatch(r"[+-]?\d{1,15}(?:\.\d{1,18})?(?:[eE]-?\d)?", cell, re.ASCII):
        raise ValueError(f"{cell[:40]!r} is no number; write it with a point, such as 55.7558.")
    return float(cell)


def _flag(cell: str) -> bool:
    known = {"true": True, "false": False}
    if cell.lower() not in known:
        raise ValueError(f"{cell[:40]!r} is neither true nor false; leave it empty if unknown.")
    return known[cell.lower()]


def _reader(field: Field[Any]) -> Callable[[str], Any]:
    """Return what reads the cell of a column, by how a request's value of it is read."""
    match field:
        case Count() | Integer():
            return _integer
        case Number():
            return _number
        case Boolean():
            return _flag
        case ListOf():
            return words
    return _text


_READ: dict[str, Callable[[str], Any]] = {
    **{
        field.name: _reader(field.reader)
        for field in FIELDS.values()
        if field.reader is not None and field.name not in ("communities", "sources")
    },
    "reason": _text,
}
_EMPTY = {field.name: field.default for field in FIELDS.values()}


def _spelled(name: str, value: Any) -> Any:
    """Return a stored value as the words of a cell, where it is a list."""
    return list(map(_JOINED[name], value)) if name in _JOINED else value


_NEVER_NULL = frozenset({"id", "version", "status", "reason"})
_ALWAYS_NAMED = frozenset({"id", "version", "reason"})

# Columns that are not read, and that follow from what the others say.
_DERIVED = frozenset({*COLUMNS, "former_ids", "review"}) - {
    *(*_READ, "url", "communities", "community_roles", "created_at", "updated_at")
}

# The columns of a new row, as a template has them; its history starts here.
INPUT_COLUMNS = tuple(
    column
    for column in COLUMNS
    if column in {*_READ, "communities", "community_roles", "source_urls"} - {"version"}
)
# Every column that may stand in a header: those written, and members of a record besides.
KNOWN_COLUMNS = frozenset({*COLUMNS, *_READ, *FIELDS} - {"sources"})
