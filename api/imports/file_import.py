"""Files: an import of any size, found right before anything is written, then in batches.

Each batch is one transaction, and notes how far the file is written: the same command on the same
file goes on from there.
"""

import gc
import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from functools import partial

import orjson
from flask import current_app
from sqlalchemy import delete

from api.core import clock
from api.core.permissions import OPERATOR
from api.database import sqlite
from api.database.engines import db
from api.database.transactions import transaction
from api.imports.importer import Importing, Summary
from api.imports.jobs import Done, Job, Progress, form_of, opened
from api.imports.receiving import received
from api.imports.staging import Scratch
from api.models import ImportPosition

# Lines of a transaction: of a large file a twentieth. A page of an index is written once a batch,
# and each batch of a large index touches almost all of them.
BATCH = 10_000
_LARGEST_BATCH = 50_000


def run(job: Job, progress: Progress) -> Done:
    """Import a file as the operator.

    Raises ApiError that tells of every fault; then nothing is written but whole batches before it,
    which happens only where something else was written meanwhile, or without a check.
    """
    with _little_garbage(), closing(_set_aside(job, progress)) as scratch:
        return _run(job, scratch, progress)


def _run(job: Job, scratch: Scratch, progress: Progress) -> Done:
    key = _digest(job)
    position = db.session.get(ImportPosition, key)
    done = Done(position.place, Summary.of(position.counts)) if position else Done()
    db.session.rollback()
    if job.dry_run:
        done.summary = _check(job, scratch, 0, progress)
        return done
    left = scratch.number - done.resumed_at
    batch = _batch(scratch.number) if job.batch is None else job.batch
    whole = not batch or left <= batch or job.options.on_duplicate == "error"
    if scratch.faulty or (job.check and not whole):
        _check(job, scratch, done.resumed_at, progress)
    try:
        _write(job, scratch, key, None if whole else batch, done, progress)
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


def _set_aside(job: Job, progress: Progress) -> Scratch:
    with opened(job.path, partial(progress, "Reading")) as file:
        return received(file, form_of(job.path), current_app.config["MAX_BODY"])


def _digest(job: Job) -> str:
    """Identify the file's bytes and what decides what they become."""
    digest = hashlib.sha256(orjson.dumps(asdict(job.options)))
    with job.path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _check(job: Job, scratch: Scratch, after: int, progress: Progress) -> Summary:
    """Return what the lines AFTER a place would do; raise ApiError with every fault of them."""
    try:
        checking = Importing(db.session(), OPERATOR, job.options, write=False, scratch=scratch)

        def on_progress() -> None:
            checking.summary.ids.clear()
            progress("Checking", checking.place, scratch.number)

        return checking.run(
            scratch.lines(after), notes=scratch.notes, told=on_progress, written=after
        )
    finally:
        db.session.rollback()


def _write(
    job: Job,
    scratch: Scratch,
    key: str,
    batch: int | None,
    done: Done,
    progress: Progress,
) -> None:
    place = done.resumed_at
    while True:
        with transaction() as session:
            sqlite.tune_for_bulk(session.connection())
            writing = Importing(session, OPERATOR, job.options, write=True)
            until = min(place + batch, scratch.number) if batch else scratch.number
            told = partial(_told, writing, scratch.number, progress)
            lines, notes = scratch.lines(place, until), [] if place else scratch.notes
            done.summary.add(writing.run(lines, notes=notes, told=told, written=place))
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
