"""The log of erasures: what was erased, in the database and in a file that survives it.

Neither says what it was that is erased; the file is ERASURE_LOG.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from flask import current_app
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from api.core.errors import ApiError
from api.core.permissions import Actor
from api.database import advisory_locks
from api.database.transactions import OutcomeUnknownError, transaction
from api.models import Erasure
from api.models.tables import table

# What is stored of a version that was erased as a whole.
ERASED_DOCUMENT = "{}"
ErasureEntry = Mapping[str, Any]  # resource, id, fields (null: all), code and time


def identity(entry: ErasureEntry) -> tuple[Any, ...]:
    """Return what tells an erasure from others."""
    fields = None if entry["fields"] is None else tuple(entry["fields"])
    return entry["resource"], entry["id"], fields, entry["at"]


@contextmanager
def erasing() -> Iterator[Session]:
    """Open the transaction of an erasure, which ERASURE_LOG notes before it is committed.

    What cannot be noted is not done. Raises ApiError.
    """
    try:
        with _opened() as file, transaction() as session:
            yield session
            _append(file, list_entries(session))
    except OSError as error:
        raise ApiError(
            "erasure-not-noted",
            f"Nothing was erased: it cannot be noted in ERASURE_LOG ({error.strerror}).",
        ) from error


def write_log(session: Session) -> None:
    """Write every erasure that the database knows to the file that survives it (ERASURE_LOG).

    What the file says already stays: it may know more than a database that was put back. Raises
    OSError where it cannot be written.
    """
    if entries := list_entries(session):
        with _opened() as file:
            _append(file, entries)


def check_log() -> None:
    """Raise OSError where the file of erasures (ERASURE_LOG) cannot be written."""
    with _opened():
        pass


def is_writable() -> bool:
    """Whether an erasure can be noted; the file is not touched, and nobody is waited for."""
    path = _file()
    if path.exists():
        return os.access(path, os.W_OK)
    folder = next((folder for folder in path.parents if folder.exists()), path.parent)
    return os.access(folder, os.W_OK | os.X_OK)


@contextmanager
def _opened() -> Iterator[BinaryIO]:
    """Open and lock the file; what was written is taken back where something fails within."""
    path = _file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        length = file.seek(0, os.SEEK_END)
        try:
            yield file
        except OutcomeUnknownError:
            raise  # it may be done
        except BaseException:
            with suppress(OSError):
                file.truncate(length)
            raise


def _append(file: BinaryIO, entries: Iterable[ErasureEntry]) -> None:
    """Append those of ENTRIES that are not there yet, and see them on the disk."""
    file.seek(0)
    text = file.read()
    known = {identity(entry) for entry in _parse(text)}
    missing = [entry for entry in entries if identity(entry) not in known]
    if missing:
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


def add(
    session: Session,
    resource: str,
    id_: str,
    fields: list[str] | None,
    code: str,
    actor: Actor,
    at: str,
) -> None:
    """Note an erasure in the database; FIELDS is None where it is of the whole."""
    # One at a time: the last one noted is this transaction's own until it ends.
    advisory_locks.hold(session.connection(), "erasures")
    session.connection().execute(
        insert(table(Erasure)).values(
            resource=resource, id=id_, fields=fields, code=code, actor_pk=actor.pk, at=at
        )
    )


def list_entries(session: Session) -> list[dict[str, Any]]:
    """Return what was erased: resource, id, fields (null: all), code and time."""
    rows = table(Erasure).c
    statement = select(rows.resource, rows.id, rows.fields, rows.code, rows.at).order_by(rows.pk)
    return [dict(row) for row in session.connection().execute(statement).mappings()]
