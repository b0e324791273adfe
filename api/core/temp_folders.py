"""Folders for what is under way: nothing in them outlives for good a process that was killed.

Whoever fills such a folder holds a lock on it, which the system ends with the process and those
that it forked. A folder that holds something and is held by nobody was left behind.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold FOLDER, which is still empty, against `sweep`.

    Where a file system cannot lock folders, neither this nor `sweep` does anything.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sweep(left: Iterable[Path]) -> None:
    """Remove the folders that were LEFT behind: somebody filled them, and nobody holds them."""
    for folder in left:
        with suppress(OSError):  # it is held, or somebody else's, or was removed meanwhile
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if any(folder.iterdir()):  # an empty one may be about to be held
                    shutil.rmtree(folder)
            finally:
                os.close(descriptor)
