"""SQLite: its online backup copies the pages of one state, while others read and write."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine

from api.database.sqlite import create_file
from api.management.backups.errors import BackupError

MAGIC = b"SQLite format 3\x00"
_PAGES = 4096  # copied at a time
_TIMEOUT = 10.0  # seconds for which another writer may hold a restore up
_STATE = "SELECT version, published, (SELECT version_num FROM alembic_version) FROM dataset"
Progress = Callable[[int, int], None]
State = tuple[int, int, str]


def take(engine: Engine, file: Path, progress: Progress) -> State:
    """Copy the database to FILE."""
    source_path = _path(engine)
    if not source_path.is_file():
        raise BackupError(f"There is no database at {source_path}.")
    with closing(sqlite3.connect(source_path)) as source, closing(sqlite3.connect(file)) as copy:
        source.isolation_level = None
        try:
            # What this transaction sees is what is copied, however many write meanwhile.
            source.execute("BEGIN")
            state = _state(source)
            source.backup(
                copy,
                pages=_PAGES,
                progress=lambda _, remaining, all_: progress(all_ - remaining, all_),
            )
            source.execute("COMMIT")
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, with no other beside it
        except sqlite3.Error as error:
            raise BackupError(f"The backup cannot be made: {error}.") from error
    return state


def read(_engine: Engine, file: Path) -> State:
    """Return what the backup in FILE holds. Raises BackupError where it is damaged."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as backup:
            results = [row[0] for row in backup.execute("PRAGMA quick_check(3)")]
            if results != ["ok"]:
                raise BackupError(f"{file} is damaged: {'; '.join(results)}.")
            return _state(backup)
    except sqlite3.Error as error:
        raise BackupError(f"{file} is damaged: {error}.") from error


def restore(engine: Engine, file: Path, progress: Progress) -> None:
    """Write the backup over the database, in one transaction of its own."""
    path = _path(engine)
    create_file(engine.url)
    on_pages = _Retry(progress)
    with (
        closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as backup,
        closing(sqlite3.connect(path)) as database,
    ):
        try:
            if _page_size(backup) != _page_size(database):
                _leave_log(database)
            backup.backup(database, pages=_PAGES, progress=on_pages, sleep=0.05)
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as error:
            raise BackupError(f"The backup cannot be put back: {error}.") from error


def _page_size(connection: sqlite3.Connection) -> int:
    size: int = connection.execute("PRAGMA page_size").fetchone()[0]
    return size


def _leave_log(database: sqlite3.Connection) -> None:
    """Let a database take pages of another size: one with a log (WAL) keeps to its own."""
    try:
        database.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        raise BackupError(_IN_USE) from error


_IN_USE = "The database is in use, and nothing was changed. Stop the service."


class _Retry:
    """Reports progress, and gives up where there is none: the copying itself retries for ever."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._left = -1
        self._since = time.monotonic()

    def __call__(self, _status: int, remaining: int, total: int) -> None:
        if remaining != self._left:
            self._left, self._since = remaining, time.monotonic()
        elif time.monotonic() - self._since > _TIMEOUT:
            raise BackupError(_IN_USE)
        self._progress(total - remaining, total)


def _state(connection: sqlite3.Connection) -> State:
    state: State | None = connection.execute(_STATE).fetchone()
    if state is None:
        raise BackupError("It holds no data set of this service.")
    return state


def _path(engine: Engine) -> Path:
    return Path(engine.url.database or "")
