"""Temporary folders: nothing in them outlives for good a process that was killed.

Whoever fills such a folder holds a lock on it, which the system ends with the process and those
that it forked. A folder that holds something and is locked by nobody was left behind.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock FOLDER, which is still empty, against `remove_stale`.

    Where a file system cannot lock folders, neither this nor `remove_stale` does anything.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def remove_stale(folders: Iterable[Path]) -> None:
    """Remove those of FOLDERS that hold something and are not locked: a dead process left them."""
    for folder in folders:
        with suppress(OSError):  # it is locked, or somebody else's, or was removed meanwhile
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if any(folder.iterdir()):  # an empty one may be about to be locked
                    shutil.rmtree(folder)
            finally:
                os.close(descriptor)
