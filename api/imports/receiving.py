"""Imports: many records at once, by POST or from a file, by the schema and the verbs of one.

`lines` cuts a body into pieces, `reading` loads them and sets them aside, `importing` meets them
with what is held, and `findings` tells all that is wrong. `files` imports a file in batches, and
`loads` a large one that is the first; in both `foresight` lets other processes lay records out.
"""

import sqlite3
from collections.abc import Iterator
from typing import IO

from api.core.errors import ApiError
from api.imports import csv_rows, splitter
from api.imports.importer import Importing, Options, Summary
from api.imports.staging import Scratch, Unread, in_groups, load
from api.imports.worker_pool import HERE, Workers

__all__ = ["Importing", "Options", "Scratch", "Summary", "received", "unread"]


def received(
    file: IO[bytes], form: str, longest: int, path: str = "", among: Workers = HERE
) -> Scratch:
    """Read FILE, whose FORM is ndjson, json or csv, with at most LONGEST bytes a record.

    Its lines are set aside at PATH, or nowhere that has a name. JSON is loaded AMONG processes;
    rows of CSV take as long to cut as to pass on.

    Raises ApiError where there is no room to set its lines aside.
    """
    scratch = Scratch(path)
    groups = (
        in_groups(csv_rows.read(file))
        if form == "csv"
        else among.map(load, in_groups(_CUT[form](file, longest)))
    )
    try:
        for group in groups:
            scratch.add(group)
        scratch.settle()
    except sqlite3.Error as error:
        detail = "There is no room to set the records aside; nothing was written."
        raise ApiError("storage-full", detail) from error
    return scratch


def unread(file: IO[bytes], form: str, longest: int) -> Iterator[Unread]:
    """Cut FILE into stretches of lines, which are read by whoever takes them."""
    pieces = csv_rows.read(file) if form == "csv" else _CUT[form](file, longest)
    after = 0
    for group in in_groups(pieces):
        yield Unread(after, group)
        after += len(group)


_CUT = {"ndjson": splitter.ndjson, "json": splitter.array}
