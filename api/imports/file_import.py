"""Files: an import of any size, found right before anything is written, then in batches.

Each batch is one transaction, and notes how far the file is written: the same command on the same
file goes on from there. A large file that is the first is one transaction, read as it is written.
"""

import gc
import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import orjson
from flask import current_app
from sqlalchemy import delete

from api.core import clock, temp_folders
from api.core.permissions import OPERATOR
from api.database import sqlite
from api.database.engines import db
from api.database.transactions import transaction
from api.imports import bulk_load, parallel
from api.imports.importer import Importing, Options, Summary
from api.imports.jobs import Done, Job, Progress, form_of, opened
from api.imports.line_errors import Findings
from api.imports.receiving import received
from api.imports.staging import Scratch, in_groups
from api.imports.worker_pool import Workers, cores, workers
from api.models import ImportPosition

# Lines of a transaction: of a large file a twentieth. A page of an index is written once a batch,
# and each batch of a large index touches almost all of them.
BATCH = 10_000
_LARGEST_BATCH = 50_000
_AT_ONCE = 5_000  # lines that one process checks before it takes others
_LARGE = 4_000_000  # bytes of a file that is worth processes of its own
_PREFIX = "incidents-import-"


def run(job: Job, progress: Progress) -> Done:
    """Import a file as the operator.

    Raises ApiError that tells of every fault; then nothing is written but whole batches before it,
    which happens only where something else was written meanwhile, or without a check.
    """
    with _little_garbage(), workers(_processes(job)) as among:
        loaded = bulk_load.load(job, among, progress) if bulk_load.fits(job) else None
        return loaded or _import(job, among, progress)


def _import(job: Job, among: Workers, progress: Progress) -> Done:
    """Set the lines of a file aside, then check and write them."""
    with (
        _folder() as folder,
        closing(_set_aside(job, f"{folder}/lines", among, progress)) as scratch,
    ):
        return _run(job, scratch, among, progress)


@contextmanager
def _folder() -> Iterator[Path]:
    """Give a folder to set lines aside in, which every process of this import can read."""
    sweep()
    with TemporaryDirectory(prefix=_PREFIX) as name, temp_folders.held(Path(name)):
        yield Path(name)


def sweep() -> None:
    """Remove the lines that imports set aside which were killed."""
    temp_folders.sweep(Path(gettempdir()).glob(f"{_PREFIX}*"))


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
    whole = not batch or left <= batch or job.options.on_duplicate == "error"
    if scratch.faulty or (job.check and not whole):
        _checked(job, scratch, done.resumed_at, among, progress)
    try:
        _write(job, scratch, key, None if whole else batch, done, among, progress)
    finally:
        sqlite.checkpoint_wal(db.engine)
    return done


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


def _set_aside(job: Job, path: str, among: Workers, progress: Progress) -> Scratch:
    with opened(job.path, partial(progress, "Reading")) as file:
        return received(file, form_of(job.path), current_app.config["MAX_BODY"], path, among)


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
    """Find every fault of the lines AFTER a place; raise ApiError that tells of them."""
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
            session = db.session()
            checking = Importing(session, OPERATOR, part.options, write=False, scratch=scratch)
            parallel.remembered.go_on(checking.writing)
            for group in in_groups(scratch.lines(part.after, part.until)):
                checking.take(group)
        finally:
            db.session.rollback()
    checking.summary.ids.clear()
    return _Checked(checking.summary, checking.findings, checking.writing.missing)


def _write(
    job: Job,
    scratch: Scratch,
    key: str,
    batch: int | None,
    done: Done,
    among: Workers,
    progress: Progress,
) -> None:
    place = done.resumed_at
    while True:
        with transaction() as session:
            sqlite.tune_for_bulk(session.connection())
            writing = Importing(session, OPERATOR, job.options, write=True)
            until = min(place + batch, scratch.number) if batch else scratch.number
            stretches = parallel.stretches(scratch.path, place, until)
            told = partial(_told, writing, scratch.number, progress)
            done.summary.add(parallel.run(writing, stretches, among, told, written=place))
            if until == scratch.number:
                session.execute(delete(ImportPosition).filter_by(sha256=key))
                return
            place = until
            session.merge(
                ImportPosition(
                    sha256=key, place=place, counts=done.summary.counts(), at=clock.now()
                )
            )


def _told(writing: Importing, number: int, progress: Progress) -> None:
    progress("Writing", writing.place, number)
