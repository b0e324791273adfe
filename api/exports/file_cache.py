"""The files of exports: found by name, written aside and then renamed, within bounds.

A file holds the bytes that are sent and, behind them, a seal: their digest, the number of records
and a mark. A file without the mark was never finished. Its name is the dataset version and a
digest of what it holds, so a file of an older version is never asked for again.

Workers share the folder. Who writes holds a lock on the unfinished file (`….part`), so that the
same export is written once while others wait for it; only a holder of that lock may remove it.
"""

import fcntl
import os
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from api.core.errors import ApiError

_SEAL = struct.Struct(">8s32sQ")
_MARK = b"complete"
_PART = ".part"
_FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class CompleteFile:
    """A finished file, open to be read: the length of its body, its records, their digest."""

    file: BinaryIO
    length: int
    records: int
    digest: bytes


@contextmanager
def room() -> Iterator[None]:
    """Raise ApiError where the disk turns out to be full within, or the folder not writable."""
    try:
        yield
    except OSError as error:
        raise ApiError(
            "storage-full",
            "There is no room to write this export. Ask for less by filters or `limit`, or try "
            "again later.",
        ) from error


class FileCache:
    """The folder that workers share, with at most so many files of so many bytes in all."""

    def __init__(self, folder: Path, most_files: int, most_bytes: int) -> None:
        self.folder = folder
        self.most_files = most_files
        self.most_bytes = most_bytes

    def find(self, name: str) -> CompleteFile | None:
        """Open the finished file of NAME, if there is one."""
        path = self.folder / name
        try:
            file = path.open("rb")
        except OSError:
            return None
        with suppress(OSError):
            os.utime(path)  # what is asked for is kept longest
        return _unsealed(file)

    def begin(self, name: str) -> BinaryIO:
        """Open a file to write under NAME, once nobody else is writing it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{name}{_PART}"
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            file = os.fdopen(descriptor, "r+b")
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is(file, path):
                file.truncate(0)
                return file
            file.close()  # finished or removed while we waited: what we hold has that name no more

    def private(self) -> BinaryIO:
        """Open a file to write that nobody can find."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file: BinaryIO = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115 - the caller's
        return file

    def finish(self, name: str, sealed: CompleteFile) -> None:
        """Write the seal and let others find the file, unless an erasure came in between."""
        path = self.folder / name
        sealed.file.seek(sealed.length)
        sealed.file.write(_SEAL.pack(_MARK, sealed.digest, sealed.records))
        sealed.file.flush()
        path.with_name(f"{name}{_PART}").rename(path)
        if _version(name) < self._floor():
            path.unlink(missing_ok=True)
        self._trim(name)

    def give_up(self, name: str | None, file: BinaryIO) -> None:
        """Remove what was begun."""
        if name is not None:
            self.folder.joinpath(f"{name}{_PART}").unlink(missing_ok=True)
        file.close()

    def purge(self, version: int) -> None:
        """Remove every file, and keep none from now on that was read before VERSION."""
        if not self.folder.is_dir():
            return
        floor = self.folder / f"{_FLOOR}.new"
        floor.write_text(str(version))
        floor.replace(self.folder / _FLOOR)
        self.remove_before(None)

    def remove_before(self, version: int | None) -> None:
        """Remove the files of versions before VERSION (None: all), and what nobody finished."""
        for path in self._paths():
            if version is None or _version(path.name) < version:
                self._remove(path)

    def _remove(self, path: Path) -> None:
        with suppress(OSError):
            if path.suffix != _PART:
                path.unlink()
                return
            with path.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is(file, path):
                    path.unlink()

    def _trim(self, newest: str) -> None:
        """Keep within the bounds, by removing what was not asked for longest."""
        number, size = 0, 0
        for path, status in sorted(self._finished(), key=lambda entry: -entry[1].st_mtime_ns):
            number, size = number + 1, size + status.st_size
            if number > self.most_files or (size > self.most_bytes and path.name != newest):
                self._remove(path)

    def _finished(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self._paths():
            if path.suffix != _PART:
                with suppress(OSError):
                    yield path, path.stat()

    def _paths(self) -> list[Path]:
        try:
            return [path for path in self.folder.iterdir() if path.name[:1].isdigit()]
        except OSError:
            return []

    def _floor(self) -> int:
        try:
            return int((self.folder / _FLOOR).read_text())
        except (OSError, ValueError):
            return 0


def _is(file: BinaryIO, path: Path) -> bool:
    """Whether PATH still names the open FILE."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _version(name: str) -> int:
    """Read the dataset version that a file's name begins with."""
    digits = name.partition("-")[0]
    return int(digits) if digits.isdigit() else 0


def _unsealed(file: BinaryIO) -> CompleteFile | None:
    """Read a file's seal; None where it was not finished."""
    length = os.fstat(file.fileno()).st_size - _SEAL.size
    if length >= 0:
        mark, digest, records = _SEAL.unpack(os.pread(file.fileno(), _SEAL.size, length))
        if mark == _MARK:
            return CompleteFile(file, length, records, digest)
    file.close()
    return None
