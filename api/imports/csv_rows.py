"""CSV rows as lines. What a row names is known once its record is."""

from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

import orjson
from marshmallow import ValidationError

from api.exports.formats import csv
from api.imports import csv_reader
from api.imports.staging import Errors, StagedLine, line_with_errors
from api.records.terms import Terms
from schemas import incident
from schemas.errors import flatten
from schemas.fields import read_id

_SOURCES_STAND = (
    "source_urls is read of new records alone; here it says otherwise than the record. A source is "
    "added by POST /incidents/{id}/sources."
)


def read(body: IO[bytes]) -> tuple[Iterator[StagedLine], list[dict[str, Any]]]:
    """Return the rows of a file as lines, and the warnings about the file as a whole.

    A header that cannot be used is a line with errors, the only one.
    """
    try:
        sheet = csv_reader.read(body)
    except ValidationError as error:
        return iter([line_with_errors(1, error.messages)]), []
    return map(_line, sheet.rows), csv_reader.notes_as_warnings(sheet.notes)


def _line(row: csv_reader.Row) -> StagedLine:
    text = row.text.encode("utf-8", "replace")
    if row.messages:
        return line_with_errors(row.line, row.messages, text=text)
    id_ = read_id(row.cells.get("id") or "")
    return StagedLine(row.line, id_, orjson.dumps({"cells": row.cells}), text=text)


def load_row(
    cells: csv.Cells, stored: Mapping[str, Any] | None, terms: Terms
) -> tuple[dict[str, Any], Errors]:
    """Return the fields a row names of its record (STORED, or a new one), and its errors."""
    cells = _identified(cells, terms)
    messages: dict[str, Any] = {}
    try:
        data = csv.row_data(cells, stored)
    except ValidationError as error:
        messages = error.messages_dict
        right = {name: cell for name, cell in cells.items() if name not in messages}
        data = csv.row_data(right, stored)
    try:
        loaded = incident.load(data)
    except ValidationError as error:
        messages = {**error.messages_dict, **messages}
        valid = error.valid_data if isinstance(error.valid_data, dict) else {}
        loaded = {name: value for name, value in valid.items() if name not in messages}
    return loaded, [_of_column(error) for error in flatten(messages)]


def _of_column(error: dict[str, Any]) -> dict[str, Any]:
    """Return an error with the column that it is in where the member has another name."""
    in_sources = error["pointer"].startswith("/sources/")
    return {**error, "pointer": "/source_urls"} if in_sources else error


def unused_cells(
    cells: csv.Cells, stored: Mapping[str, Any] | None, render: Callable[[], dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return warnings of cells that are not read; see `csv.unused_columns`."""
    return [
        {
            "pointer": f"/{name}",
            "code": "not_used",
            "detail": _SOURCES_STAND
            if name == "source_urls"
            else f"{name} is not read from CSV; here it says otherwise than the record.",
        }
        for name in csv.unused_columns(cells, stored, render)
    ]


def _identified(cells: csv.Cells, terms: Terms) -> csv.Cells:
    """Return the cells with ids for the names of communities, by which stored entries are known."""
    pairs = {
        column: [word.partition(":") for word in csv.words(cells[column] or "")]
        for column in ("communities", "community_roles")
        if column in cells
    }
    names = {name.strip() for words in pairs.values() for name, _, _ in words}
    ids = terms.ids_of("communities", names)
    return {
        **cells,
        **{
            column: "; ".join(
                f"{ids.get(name.strip(), name.strip())}{colon}{role}" for name, colon, role in words
            )
            for column, words in pairs.items()
        },
    }
