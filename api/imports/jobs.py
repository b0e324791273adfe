"""Jobs: a file to import, how that is to be done, and what became of it."""

import gzip
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from api.imports.summary import Options, Summary

_FORMS = {".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "json", ".csv": "csv"}

# Called with each step of the work: its name, and how much is done of how much.
Progress = Callable[[str, int, int], None]


class UnknownFormError(ValueError):
    """A file whose name does not say what is in it."""


@dataclass(slots=True)
class ImportResult:
    """What became of a file: where this run took it up, and the counts of all runs together."""

    resumed_at: int = 0
    summary: Summary = field(default_factory=Summary)


@dataclass(frozen=True, slots=True)
class Job:
    """A file to import, and how."""

    path: Path
    options: Options = field(default_factory=Options)
    batch: int | None = None
    check: bool = True
    dry_run: bool = False
    rejects: Path | None = None


def form_of(path: Path) -> str:
    """Return the form of a file by its name. Raises UnknownFormError."""
    name = path.with_suffix("") if path.suffix == ".gz" else path
    if name.suffix.lower() not in _FORMS:
        known = ", ".join(_FORMS)
        raise UnknownFormError(f"{path.name} ends in none of {known} (.gz may follow).")
    return _FORMS[name.suffix.lower()]


@contextmanager
def open_file(path: Path, on_progress: Callable[[int, int], None]) -> Iterator[IO[bytes]]:
    """Open a file; ON_PROGRESS is called with how many of how many bytes were read."""
    size = path.stat().st_size
    with path.open("rb", buffering=0) as raw:
        reader: Any = io.BufferedReader(
            _ProgressReader(raw, lambda at: on_progress(at, size)), 1 << 20
        )
        if path.suffix == ".gz":
            with gzip.open(reader, "rb") as unpacked:
                yield cast(IO[bytes], unpacked)
        else:
            yield reader


class _ProgressReader(io.RawIOBase):
    """A file that says how far it was read."""

    def __init__(self, raw: io.FileIO, on_progress: Callable[[int], None]) -> None:
        self._raw = raw
        self._on_progress = on_progress

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        """Read into a buffer, and say where that ended."""
        size = self._raw.readinto(buffer)
        self._on_progress(self._raw.tell())
        return size
