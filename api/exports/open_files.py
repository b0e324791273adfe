"""Open files: what the exports on their way take of the disk, of all clients and of each.

A file that was removed stays on the disk while someone reads it, and one that only its reader may
have was never in the folder: neither is among the files that the cache counts.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable
from typing import BinaryIO

from api.core.clients import Shares
from api.core.errors import ApiError

_OF_A_CLIENT = 10  # a client has one of so many exports on their way
_LEAST = 5
_RETRY_AFTER = 10


class OpenFiles:
    """The files that a worker sends at a time, and their bytes."""

    def __init__(self, most_files: int, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._places = threading.BoundedSemaphore(max(1, most_files))
        self._shares = Shares(max(_LEAST, most_files // _OF_A_CLIENT))
        self._opened: dict[object, tuple[str, BinaryIO, int]] = {}
        self._lock = threading.Lock()

    def acquire(self, client: str) -> Callable[[], None]:
        """Acquire a place for a long answer; return what releases it. Raises ApiError: busy."""
        if not self._shares.acquire(client):
            raise _busy("of this key or address ")
        if not self._places.acquire(blocking=False):
            self._shares.release(client)
            raise _busy("")

        def release() -> None:
            self._places.release()
            self._shares.release(client)

        return release

    def check(self, client: str, size: int) -> None:
        """Refuse a file that grows to SIZE where those that nobody can find would take too much.

        Raises ApiError: storage-full.
        """
        of_client: Counter[str] = Counter()
        sizes = {}
        with self._lock:
            for whose, file, length in self._opened.values():
                status = os.fstat(file.fileno())
                if not status.st_nlink:
                    sizes[status.st_dev, status.st_ino] = length
                    of_client[whose] += length
        own, most = of_client[client], self.most_bytes
        if sum(sizes.values()) + size > most or (own and own + size > most // 2):
            raise ApiError(
                "storage-full",
                f"The exports on their way may take {most:,} bytes here, those of one key or "
                "address half of that. Ask for less by filters or `limit`.",
            )

    def add(self, client: str, file: BinaryIO, size: int) -> Callable[[], None]:
        """Count a FILE that is sent to a CLIENT; return what no longer counts it, to be called
        before the file is closed.
        """
        token = object()
        with self._lock:
            self._opened[token] = client, file, size

        def remove() -> None:
            with self._lock:
                del self._opened[token]

        return remove


def _busy(whose: str) -> ApiError:
    return ApiError(
        "busy",
        f"As many large exports {whose}as this worker sends at a time are on their way. Try again "
        "in a moment, or ask for less by filters or `limit`.",
        retry_after=_RETRY_AFTER,
    )
