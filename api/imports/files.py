"""Files: an import of any size, found right before anything is written, then in batches.

Each batch is one transaction, and notes how far the file is written: the same command on the same
file goes on from there.
"""

import gc
import gzip
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import IO, Any, TypeVar, cast

import orjson
from flask import current_app
from sqlalchemy import delete, select

from api import connections, feed, folders
from api.db import db, transaction
from api.imports import foresight, indexes, received
from api.imports.findings import Findings
from api.imports.gathered import Gathered
from api.imports.importing import Importing, Options, Summary
from api.imports.reading import Scratch, in_groups
from api.imports.workers import Workers, cores, workers
from api.models import ImportPosition, Incident
from api.refusals import Refusal
from api.roles import OPERATOR

_Item = TypeVar("_Item")

FORMS = {".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "json", ".csv": "csv"}
# Lines of a transaction: of a large file a twentieth. A page of an index is written once a batch,
# and each batch of a large index touches almost all of them.
BATCH = 10_000
_LARGEST_BATCH = 50_000
# Lines of a file that is a load of its own: one transaction, after which indexes are built.
_LOAD = 50_000
_AT_ONCE = 5_000  # lines that one process checks before it takes others
_LARGE = 4_000_000  # bytes of a file that is worth processes of its own
_PREFIX = "incidents-import-"

# Told of each step of the work: its name, and how much is done of how much.
Progress = Callable[[str, int, int], None]


class UnknownFormError(ValueError):
    """A file whose name does not say what is in it."""


@dataclass(slots=True)
class Done:
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
    processes: int | None = None


def form_of(path: Path) -> str:
    """Tell the form of a file by its name. Raises UnknownFormError."""
    name = path.with_suffix("") if path.suffix == ".gz" else path
    if name.suffix.lower() not in FORMS:
        known = ", ".join(FORMS)
        raise UnknownFormError(f"{path.name} ends in none of {known} (.gz may follow).")
    return FORMS[name.suffix.lower()]


def run(job: Job, progress: Progress) -> Done:
    """Import a file as the operator.

    Raises Refusal that tells of every fault; then nothing is written but whole batches before it,
    which happens only where something else was written meanwhile, or without a check.
    """
    with (
        _little_garbage(),
        _folder() as folder,
        workers(_processes(job)) as among,
        closing(_read(job, f"{folder}/lines", among, progress)) as scratch,
    ):
        return _run(job, scratch, among, progress)


@contextmanager
def _folder() -> Iterator[Path]:
    """Give a folder to set lines aside in, which every process of this import can read."""
    sweep()
    with TemporaryDirectory(prefix=_PREFIX) as name, folders.held(Path(name)):
        yield Path(name)


def sweep() -> None:
    """Remove the lines that imports set aside which were killed."""
    folders.sweep(Path(gettempdir()).glob(f"{_PREFIX}*"))


def _processes(job: Job) -> int:
    """Choose how many processes read and check: starting them takes longer than a small file."""
    if job.processes is not None:
        return job.processes
    return cores() if job.path.stat().st_size >= _LARGE else 1


def _run(job: Job, scratch: Scratch, among: Workers, progress: Progress) -> Done:
    key = _digest(job)
    position = db.session.get(ImportPosition, key)
    done = Done(position.place, Summary.of(position.counts)) if position else Done()
    db.session.rollback()
    if job.dry_run:
        done.summary = _checked(job, scratch, 0, among, progress)
        return done
    left = scratch.number - done.resumed_at
    batch = _batch(scratch.number) if job.batch is None else job.batch
    load = not done.resumed_at and _is_load(job, scratch.number)
    whole = load or not batch or left <= batch or job.options.on_duplicate == "error"
    if scratch.faulty or (job.check and not whole):
        _checked(job, scratch, done.resumed_at, among, progress)
    try:
        _write(job, scratch, key, None if whole else batch, done, among, progress, load=load)
    except Refusal:
        if load:  # which ends at the first group with a fault
            _checked(job, scratch, 0, among, progress)
        raise
    finally:
        connections.empty_log(db.engine)
    return done


def _is_load(job: Job, lines: int) -> bool:
    """Tell whether so many LINES are the first that there will be, so that indexes can wait."""
    if job.batch is not None or lines < _LOAD or job.options.on_duplicate == "error":
        return False
    held = db.session.scalar(select(Incident.pk).limit(1))
    db.session.rollback()
    return held is None and db.engine.dialect.name == "sqlite"


def _batch(lines: int) -> int:
    """Choose how many of so many LINES are one transaction."""
    return max(BATCH, min(lines // 20, _LARGEST_BATCH))


@contextmanager
def _little_garbage() -> Iterator[None]:
    """Look for garbage less often: records are trees, and looking takes an eighth of the time."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _read(job: Job, path: str, among: Workers, progress: Progress) -> Scratch:
    form, size = form_of(job.path), job.path.stat().st_size
    with _opened(job.path, lambda at: progress("Reading", at, size)) as file:
        return received(file, form, current_app.config["MAX_BODY"], path, among)


@contextmanager
def _opened(path: Path, tell: Callable[[int], None]) -> Iterator[IO[bytes]]:
    with path.open("rb", buffering=0) as raw:
        watched: Any = io.BufferedReader(_Watched(raw, tell), 1 << 20)
        if path.suffix == ".gz":
            with gzip.open(watched, "rb") as unpacked:
                yield cast(IO[bytes], unpacked)
        else:
            yield watched


class _Watched(io.RawIOBase):
    """A file that tells how far it was read."""

    def __init__(self, raw: io.FileIO, tell: Callable[[int], None]) -> None:
        self._raw = raw
        self._tell = tell

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        """Read into BUFFER, and tell where that ended."""
        size = self._raw.readinto(buffer)
        self._tell(self._raw.tell())
        return size


def _digest(job: Job) -> str:
    """Identify the file's bytes and what decides what they become."""
    digest = hashlib.sha256(orjson.dumps(asdict(job.options)))
    with job.path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of lines to check: those after a place, the last of them at another."""

    path: str
    options: Options
    after: int
    until: int


@dataclass(frozen=True, slots=True)
class _Checked:
    """What is to be said of a part."""

    summary: Summary
    findings: Findings
    missing: dict[str, set[str]]


def _checked(job: Job, scratch: Scratch, after: int, among: Workers, progress: Progress) -> Summary:
    """Find every fault of the lines AFTER a place; raise Refusal that tells of them."""
    summary, findings = Summary(), Findings()
    missing: dict[str, set[str]] = {}
    ends = [*range(after + _AT_ONCE, scratch.number, _AT_ONCE), scratch.number]
    parts = [
        _Part(scratch.path, job.options, begin, end)
        for begin, end in zip([after, *ends[:-1]], ends, strict=True)
    ]
    for part, checked in zip(parts, among.map(_check, parts), strict=True):
        summary.add(checked.summary)
        findings.add_all(checked.findings)
        for vocabulary, ids in checked.missing.items():
            missing.setdefault(vocabulary, set()).update(ids)
        progress("Checking", part.until, scratch.number)
    findings.refuse(missing, after)
    return summary


def _check(part: _Part) -> _Checked:
    with closing(Scratch(part.path, ready=True)) as scratch:
        try:
            checking = Importing(db.session(), OPERATOR, part.options, scratch, write=False)
            foresight.remembered.go_on(checking.writing)
            checking.take(scratch.lines(part.after, part.until))
        finally:
            db.session.rollback()
    checking.summary.ids.clear()
    return _Checked(checking.summary, checking.findings, checking.writing.missing)


def _write(
    job: Job, scratch: Scratch, key: str, batch: int | None, done: Done, among: Workers,
    progress: Progress, *, load: bool,
) -> None:  # fmt: skip
    place = done.resumed_at
    while True:
        with transaction() as session:
            connections.make_room(session.connection())
            writing = Importing(session, OPERATOR, job.options, scratch, write=True)
            until = min(place + batch, scratch.number) if batch else scratch.number
            told = partial(_told_of_load if load else _told, writing, progress)
            with _loading(writing, progress) if load else nullcontext():
                done.summary.add(_write_lines(writing, place, until, among, told))
            if until == scratch.number:
                session.execute(delete(ImportPosition).filter_by(sha256=key))
                return
            place = until
            session.merge(
                ImportPosition(sha256=key, place=place, counts=done.summary.counts(), at=feed.now())
            )


@contextmanager
def _loading(writing: Importing, progress: Progress) -> Iterator[None]:
    """Compare the records of a first load in memory, and build the indexes at its end."""
    writing.gathered = Gathered()
    with indexes.wait(writing.session.connection(), partial(progress, "Indexing")):
        yield
    progress("Storing", 0, 1)


def _write_lines(
    writing: Importing, after: int, until: int, among: Workers, told: "_Told"
) -> Summary:
    """Write the lines AFTER a place, the last of them at UNTIL; each group of them is TOLD of."""
    if foresight.helps(among):
        groups = foresight.foreseen(writing, after, until, among)
        return writing.run_foreseen(told(groups), after, written=after)
    lines = in_groups(writing.scratch.lines(after, until))
    return writing.run(chain.from_iterable(told(lines)), written=after)


_Told = Callable[[Iterable[list[Any]]], Iterator[list[Any]]]


def _told(
    writing: Importing, progress: Progress, groups: Iterable[list[_Item]]
) -> Iterator[list[_Item]]:
    for group in groups:
        yield group
        progress("Writing", writing.place, writing.scratch.number)


def _told_of_load(
    writing: Importing, progress: Progress, groups: Iterable[list[_Item]]
) -> Iterator[list[_Item]]:
    """Stop where a line is not right: nothing will be written. What is announced is not kept."""
    for group in _told(writing, progress, groups):
        if writing.findings.lines:
            return
        feed.number(writing.session)
        yield group
