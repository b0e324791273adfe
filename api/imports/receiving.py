"""Imports: many records at once, by POST or from a file, by the schema and the verbs of one.

`splitter` cuts a body into pieces, `staging` loads them and has them wait in a file, `importer`
compares them with the records that are there, and `line_errors` collects all that is wrong.
`file_import` imports a file in batches.
"""

import sqlite3
import sys
from collections.abc import Iterator
from typing import IO, Any

from api.core.errors import ApiError
from api.imports import csv_rows, splitter
from api.imports.staging import StagedLine, StagingFile, in_groups, line_with_errors, load_json
from schemas.errors import ErrorDetail


def stage(
    file: IO[bytes],
    form: str,
    max_bytes: int,
    *,
    keep_text: bool = False,
    max_faulty: int = sys.maxsize,
) -> StagingFile:
    """Return the lines of FILE (ndjson, json or csv, by FORM) in a staging file.

    A record has at most MAX_BYTES; behind MAX_FAULTY lines nothing is read. Raises ApiError where
    there is no room for the lines.
    """
    try:
        staging_file = StagingFile(form, keep_text=keep_text)
        lines, staging_file.notes = _load(file, form, max_bytes)
        for group in in_groups(_until(lines, max_faulty)):
            staging_file.add(group)
        staging_file.mark_repeats()
    except sqlite3.Error as error:
        detail = "There is no room to set the records aside; nothing was written."
        raise ApiError("storage-full", detail) from error
    return staging_file


def _until(lines: Iterator[StagedLine], max_faulty: int) -> Iterator[StagedLine]:
    """Yield LINES up to the last of so many faulty ones; one more says that it is the last."""
    faulty = 0
    for line in lines:
        if faulty == max_faulty:
            detail = f"{faulty:,} lines before this one are faulty; from here on none was read."
            fault = {"_schema": [ErrorDetail("too_many_faults", detail)]}
            yield line_with_errors(line.number, fault, text=line.text)
            return
        faulty += line.has_errors
        yield line


def _load(
    file: IO[bytes], form: str, max_bytes: int
) -> tuple[Iterator[StagedLine], list[dict[str, Any]]]:
    if form == "csv":
        return csv_rows.read(file)
    split = {"ndjson": splitter.ndjson, "json": splitter.array}[form]
    return map(load_json, split(file, max_bytes)), []
