"""SQLite: how its connections are set up, and what a bulk load sets otherwise."""

import glob
import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import URL, Connection, Engine

from api.database.timeouts import deadline

# Steps of SQLite's machine between two looks at the clock: some milliseconds.
_STEPS = 200_000
# Bytes of cache of a connection that writes much: all indexes of two million records take 2 GB.
_BULK_CACHE = range(256 << 20, 2 << 30)
# Bytes of a page of a new database: of 4 kB, a record's document of some 2.5 kB left a third empty.
_PAGE = 8192
# Pages that the write-ahead log may hold during a bulk load: 4 GB.
_BEFORE = "before-upgrade-from-"
_BULK_LOG_PAGES = (4 << 30) // _PAGE


def prepare(connection: sqlite3.Connection, _record: object = None) -> None:
    """Set up a new connection; statements on it end when their deadline has passed."""
    connection.isolation_level = None  # BEGIN is said by hand, in one place
    for pragma in (
        f"page_size = {_PAGE}",
        "journal_mode = WAL",
        "synchronous = FULL",  # an acknowledged write survives a power cut
        "foreign_keys = ON",
        "cache_size = -3584",  # 3.5 MB: each thread has a connection, and the system keeps the file
    ):
        connection.execute(f"PRAGMA {pragma}")
    connection.set_progress_handler(lambda: time.monotonic() > deadline.at, _STEPS)


def create_file(url: URL) -> None:
    """Make the file of a database, and the folder it lies in, for nobody else on the machine.

    One that is there and open to others is closed to them.
    """
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    path = Path(url.database)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    for end in ("", "-wal", "-shm"):
        with suppress(OSError):  # it is not there, or somebody else's
            path.with_name(path.name + end).chmod(0o600)


def copies_before_upgrades(url: URL) -> list[Path]:
    """Return the copies of the database at URL that were kept before its tables were upgraded."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return []
    path = Path(url.database)
    return sorted(path.parent.glob(f"{glob.escape(path.stem)}.{_BEFORE}*"))


def copy_before_upgrade(path: Path, revision: str, time: str) -> Path:
    """Return the path of the copy of the database at PATH that is kept before an upgrade."""
    return path.with_name(f"{path.stem}.{_BEFORE}{revision}.{time}{path.suffix}")


def begin(connection: Connection) -> None:
    """Begin a transaction: an immediate one, which queues at once, where the option asks for it."""
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def tune_for_bulk(connection: Connection) -> None:
    """Let a CONNECTION to SQLite keep more, in memory and in its log: pages are written often.

    A page that several batches write to is copied from the log into the file once.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size = -{_bulk_cache_bytes() >> 10}")
        connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint = {_BULK_LOG_PAGES}")


def checkpoint_wal(engine: Engine) -> None:
    """Copy what SQLite's log holds into the file: the next writer would have to, and wait.

    Where it cannot be, as the disk is full or someone reads, it stays, and nothing is lost.
    """
    if engine.dialect.name == "sqlite":
        connection = engine.raw_connection()
        with closing(connection), suppress(sqlite3.OperationalError):
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _bulk_cache_bytes() -> int:
    """Return the bytes that a connection which writes much may cache: a quarter of the memory."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # a system that does not say
        memory = 0
    return min(max(memory // 4, _BULK_CACHE.start), _BULK_CACHE.stop)
