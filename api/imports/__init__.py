"""Imports: many records at once, by POST or from a file, by the schema and the verbs of one.

`lines` cuts a body into pieces, `reading` loads them and sets them aside, `importing` meets them
with what is held, and `findings` tells all that is wrong.
"""

from typing import IO

from api.imports import lines
from api.imports.importing import Importing, Options, Summary
from api.imports.reading import Scratch, read

__all__ = ["Importing", "Options", "Scratch", "Summary", "received"]


def received(file: IO[bytes], form: str, longest: int) -> Scratch:
    """Read FILE, whose FORM is ndjson or json, with at most LONGEST bytes a record."""
    scratch = Scratch()
    read({"ndjson": lines.ndjson, "json": lines.array}[form](file, longest), scratch)
    return scratch
