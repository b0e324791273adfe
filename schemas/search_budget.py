"""A bound on the time that looking for near names takes, whatever is sent."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class SearchBudget:
    """So many seconds of a process's time in each period; what is beyond goes without a search.

    A near name in an error is a kindness: thousands of them in one body must not cost minutes.
    """

    def __init__(self, seconds: float, period: float) -> None:
        self._seconds = seconds
        self._period = period
        self._until = self._spent = 0.0

    @contextmanager
    def search(self) -> Iterator[bool]:
        """Yield whether there is time left to search, and count what the search takes."""
        if time.monotonic() >= self._until:
            self._until, self._spent = time.monotonic() + self._period, 0.0
        started = time.thread_time()
        try:
            yield self._spent < self._seconds
        finally:
            self._spent += time.thread_time() - started
