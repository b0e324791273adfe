"""Timeouts: how long a lock, a statement and an answer are waited for."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for a LOCK, and for a STATEMENT (0: as long as it takes)."""

    lock: float
    statement: float

    @property
    def statement_timeout(self) -> float:
        """The seconds that a statement of the caller may take: infinite for a command."""
        # A command's context is that of its thread; a server's threads have none.
        command = click.get_current_context(silent=True) is not None
        return math.inf if command or not self.statement else self.statement

    @property
    def read_timeout(self) -> float:
        """The seconds after which an answer is no longer waited for."""
        return self.statement_timeout + self.lock + 5


class _Deadline(threading.local):
    """When the statement that this thread runs has to be done, by the monotonic clock."""

    at = math.inf


deadline = _Deadline()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let a statement of SQLite that runs here take SECONDS at most."""
    deadline.at = time.monotonic() + seconds
    try:
        yield
    finally:
        deadline.at = math.inf
