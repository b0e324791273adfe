"""The log of erasures: what was erased, in the database and in a file that survives it.

Neither says what it was that is erased; the file is ERASURE_LOG.
"""

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.models import Erasure
from api.models.tables import table

# What is stored of a version that was erased as a whole.
ERASED_DOCUMENT = "{}"
ErasureEntry = Mapping[str, Any]  # resource, id, fields (null: all), code and time


def identity(entry: ErasureEntry) -> tuple[Any, ...]:
    """Return what tells an erasure from others."""
    fields = None if entry["fields"] is None else tuple(entry["fields"])
    return entry["resource"], entry["id"], fields, entry["at"]


def write_log(session: Session) -> None:
    """Write every erasure that the database knows to the file that survives it (ERASURE_LOG).

    What the file says already stays: it may know more than a database that was put back. Raises
    OSError where it cannot be written.
    """
    path, entries = _file(), list_entries(session)
    if not entries:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        known = {identity(entry) for entry in _parse(text)}
        missing = [entry for entry in entries if identity(entry) not in known]
        if not missing:
            return
        begun = b"" if not text or text.endswith(b"\n") else b"\n"  # a line that broke off
        file.write(begun + b"".join(orjson.dumps(entry) + b"\n" for entry in missing))
        file.flush()
        os.fsync(file.fileno())


def read_log() -> list[ErasureEntry]:
    """Return the erasures in the file that survives the database; none where it is not there."""
    path = _file()
    return _parse(path.read_bytes()) if path.exists() else []


def _file() -> Path:
    return Path(current_app.config["ERASURE_LOG"])


def _parse(text: bytes) -> list[ErasureEntry]:
    """Parse the lines of the file; one that broke off is written again by the next `write_log`."""
    entries: list[ErasureEntry] = []
    for line in text.split(b"\n"):
        try:
            entries += [orjson.loads(line)] if line else []
        except orjson.JSONDecodeError:
            continue
    return entries


def list_entries(session: Session) -> list[dict[str, Any]]:
    """Return what was erased: resource, id, fields (null: all), code and time."""
    rows = table(Erasure).c
    statement = select(rows.resource, rows.id, rows.fields, rows.code, rows.at).order_by(rows.pk)
    return [dict(row) for row in session.connection().execute(statement).mappings()]
