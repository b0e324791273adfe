"""Kept: the tally of all that is published, in a file that workers share and a restart finds.

Counting a million records takes a second and more. What was counted once is read again in
milliseconds and brought up to date by what changed since, as what a worker remembers is. While one
worker counts, the others wait for its file. It holds numbers of public records alone, and an
erasure removes it.
"""

import fcntl
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from flask import Flask, current_app
from sqlalchemy import bindparam, select

from api.database.readers import Reader
from api.models import Change, Dataset
from api.queries.cache import MOST_CHANGES, Forgotten, brought_up, moved_since
from api.queries.overview.aggregates import Tally
from schemas.query.loading import LoadedQuery

# From so many records on a count is worth keeping; fewer are counted faster than a file is read.
WORTH = 20_000
# Grows with the meaning of what is kept: an older file is not read then.
_REVISION = 1

_PUBLISHED = select(Dataset.published)
_AT = select(Change.at).where(Change.seq == bindparam("version"))
_COUNTERS = ("places", "dates", "types", "countries")
_OTHERS = ("version", "figures", "holds_all", "points", "located")


class Kept:
    """The file at PATH."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._version = 0  # of what this worker last read or wrote

    def tally(self, reader: Reader, compute: Callable[[], Tally]) -> Tally:
        """Take the tally from the file, brought up to date, or COMPUTE and keep it."""
        if not worth(reader):
            return compute()
        with self._alone():
            found = self._read(reader)
            if found is not None and brought_up(reader, found):
                return found
            found = compute()
            self._write(reader, found)
        return found

    def follow(self, reader: Reader, tally: Tally) -> None:
        """Keep the TALLY anew where it has moved so far that the file could soon not follow."""
        if self._version and tally.version - self._version > MOST_CHANGES // 2:
            with self._alone():
                self._write(reader, tally)

    def purge(self, _version: int) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one worker at a time count; where the folder cannot be written, all may."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = self.path.with_suffix(".lock").open("a")
        except OSError:
            yield
            return
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _read(self, reader: Reader) -> Tally | None:
        """Read the file; None where there is none, or it is of another history of the data."""
        try:
            held = orjson.loads(self.path.read_bytes())
            if held["revision"] != _REVISION or held["at"] != _moment(reader, held["version"]):
                return None
            tally = Tally(LoadedQuery())
            for name in _COUNTERS:
                setattr(tally, name, Counter({_key(key): number for key, number in held[name]}))
            for name in _OTHERS:
                setattr(tally, name, held[name])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        self._version = tally.version
        return tally

    def _write(self, reader: Reader, tally: Tally) -> None:
        """Write the file, unless an erasure has come in between; a full disk is no fault."""
        with tally.lock:
            held = {name: list(getattr(tally, name).items()) for name in _COUNTERS}
            held |= {name: getattr(tally, name) for name in _OTHERS}
            version = tally.version
            body = orjson.dumps(
                held | {"revision": _REVISION, "at": _moment(reader, version)},
            )
        part = self.path.with_suffix(".part")
        try:
            part.touch(mode=0o600)
            part.write_bytes(body)
            part.replace(self.path)
        except OSError:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            return
        self._version = version
        try:
            moved_since(reader, version)
        except Forgotten:
            self.purge(version)


def worth(reader: Reader) -> bool:
    """Tell whether the records are so many that their overview is kept."""
    return bool(reader.run(_PUBLISHED)[0][0] >= WORTH)


def _moment(reader: Reader, version: int) -> str | None:
    """Tell when VERSION came about: another history has another moment."""
    rows = reader.run(_AT, {"version": version})
    return rows[0][0] if rows else None


def _key(key: Any) -> Any:
    return tuple(key) if isinstance(key, list) else key


def init_app(app: Flask) -> None:
    """Name the file of APP, beside its exports."""
    database = sha256(app.config["DATABASE_URL"].encode()).hexdigest()[:16]
    kept = Kept(Path(app.config["EXPORT_FOLDER"]) / f"overview-{database}.json")
    app.extensions["kept_overview"] = kept
    app.extensions.setdefault("purges", []).append(kept.purge)


def kept() -> Kept:
    """Give the application's kept tally."""
    found: Kept = current_app.extensions["kept_overview"]
    return found
