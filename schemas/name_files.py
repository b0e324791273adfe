"""Name files: sorted text files in which names are looked up in place.

A line is a key, a tab and values; lines are sorted by their bytes. A look-up halves the file a
score of times and reads a few lines, so that tens of thousands of names cost a worker no memory
of its own: the file is mapped, and the system shares its pages between processes.
"""

import mmap
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path


class NameFile:
    """A sorted file of names, opened at the first look-up."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def values(self, key: str) -> list[list[str]]:
        """Return the values of each line with this KEY, in the file's order."""
        return [line.split("\t")[1:] for line in self.lines(key + "\t")]

    def lines(self, beginning: str) -> Iterator[str]:
        """Return the lines that begin so, in the file's order; none for what cannot be written."""
        if "\n" in beginning:
            return
        prefix = beginning.encode("utf-8", "replace")
        start = self._first(prefix)
        while self._data[start : start + len(prefix)] == prefix and start < len(self._data):
            end = self._data.find(b"\n", start)
            yield self._data[start:end].decode()
            start = end + 1

    def _first(self, prefix: bytes) -> int:
        """Return where the first line begins that does not sort before PREFIX."""
        low, high = 0, len(self._data)
        while low < high:
            start = self._data.rfind(b"\n", low, (low + high) // 2) + 1 or low
            end = self._data.find(b"\n", start)
            if self._data[start:end] < prefix:
                low = end + 1
            else:
                high = start
        return low

    @cached_property
    def _data(self) -> mmap.mmap:
        with self._path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
