"""Connections: how long a statement may take, and how a connection to SQLite is set up.

Those to PostgreSQL are in `api.database.postgresql`: who has SQLite loads none of its driver.
"""

import math
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

import click
from sqlalchemy import Connection, Engine

# Steps of SQLite's machine between two looks at the clock: some milliseconds.
_STEPS = 200_000
# Bytes that a connection keeps which writes much: all indexes of two million records take 2 GB.
_ROOM = range(256 << 20, 2 << 30)
# Bytes of a page of a new database: of 4 kB, a record's document of some 2.5 kB left a third empty.
_PAGE = 8192
# Pages that its log may hold: 4 GB.
_LOGGED = (4 << 30) // _PAGE


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server keeps to: seconds for a LOCK, and for a STATEMENT (0: as long as it takes)."""

    lock: float
    statement: float

    def for_statements(self) -> float:
        """Give the seconds for a statement of whoever asks: without end for a command."""
        # A command's context is that of its thread; a server's threads have none.
        command = click.get_current_context(silent=True) is not None
        return math.inf if command or not self.statement else self.statement

    @property
    def patience(self) -> float:
        """Give the seconds after which an answer is no longer waited for."""
        return self.for_statements() + self.lock + 5


class _Due(threading.local):
    """When the statement that this thread runs has to be done."""

    at = math.inf


due = _Due()


def prepare_sqlite(connection: sqlite3.Connection) -> None:
    """Set a new connection up; reads on it end when they are overdue."""
    connection.isolation_level = None  # BEGIN is said by hand, in one place
    for pragma in (
        f"page_size = {_PAGE}",
        "journal_mode = WAL",
        "synchronous = FULL",  # an acknowledged write survives a power cut
        "foreign_keys = ON",
        "cache_size = -3584",  # 3.5 MB: each thread has a connection, and the system keeps the file
    ):
        connection.execute(f"PRAGMA {pragma}")
    connection.set_progress_handler(lambda: time.monotonic() > due.at, _STEPS)


def make_room(connection: Connection) -> None:
    """Let a CONNECTION to SQLite keep more, in memory and in its log: pages are written often.

    A page that several batches write to is copied from the log into the file once.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size = -{_room() >> 10}")
        connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint = {_LOGGED}")


def empty_log(engine: Engine) -> None:
    """Copy what SQLite's log holds into the file: the next who writes would have to, and wait.

    Where it cannot be, as the disk is full or someone reads, it stays, and nothing is lost.
    """
    if engine.dialect.name == "sqlite":
        connection = engine.raw_connection()
        with closing(connection), suppress(sqlite3.OperationalError):
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _room() -> int:
    """Choose how many bytes a connection that writes much may keep: a quarter of the memory."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # a system that does not say
        memory = 0
    return min(max(memory // 4, _ROOM.start), _ROOM.stop)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let a statement of SQLite that runs here take SECONDS at most."""
    due.at = time.monotonic() + seconds
    try:
        yield
    finally:
        due.at = math.inf


# SQLSTATE: disk full, and errors of reading or writing.
_NO_ROOM = ("53100", "58030")
_FULL = ("disk is full", "readonly", "No space left")


def unwritable(error: BaseException | None) -> bool:
    """Tell whether a driver's ERROR says that the disk is full, or takes no writes."""
    text = str(error)
    full = getattr(error, "sqlstate", None) in _NO_ROOM
    return full or any(words in text for words in _FULL)


def overdue(error: BaseException | None) -> bool:
    """Tell whether a driver's ERROR says that a statement took too long."""
    return (
        getattr(error, "sqlstate", None) == "57014"
        or getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
    )
