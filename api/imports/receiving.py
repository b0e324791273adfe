"""Imports: many records at once, by POST or from a file, by the schema and the verbs of one.

`splitter` cuts a body into pieces, `staging` loads them and sets them aside, `importer` compares
them with the records that are there, and `line_errors` collects all that is wrong. `file_import`
imports a file in batches.
"""

import sqlite3
from collections.abc import Iterator
from typing import IO, Any

from api.core.errors import ApiError
from api.imports import csv_rows, splitter
from api.imports.importer import Importing, Options, Summary
from api.imports.staging import Loaded, Scratch, in_groups, load

__all__ = ["Importing", "Options", "Scratch", "Summary", "received"]


def received(file: IO[bytes], form: str, longest: int) -> Scratch:
    """Return the lines of FILE (ndjson, json or csv, by FORM) set aside in a file.

    A record has at most LONGEST bytes. Raises ApiError where there is no room for the lines.
    """
    scratch = Scratch()
    try:
        loaded, scratch.notes = _loaded(file, form, longest)
        for group in in_groups(loaded):
            scratch.add(group)
        scratch.settle()
    except sqlite3.Error as error:
        detail = "There is no room to set the records aside; nothing was written."
        raise ApiError("storage-full", detail) from error
    return scratch


def _loaded(
    file: IO[bytes], form: str, longest: int
) -> tuple[Iterator[Loaded], list[dict[str, Any]]]:
    if form == "csv":
        return csv_rows.read(file)
    cut = {"ndjson": splitter.ndjson, "json": splitter.array}[form]
    return map(load, cut(file, longest)), []
