"""File imports: a file of any size, checked before anything is written, then written in batches.

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
from api.core.errors import ApiError
from api.core.permissions import OPERATOR
from api.database import sqlite
from api.database.engines import db
from api.database.transactions import transaction
from api.imports import imports_log
from api.imports.importer import Importer, LinesRejected, check
from api.imports.jobs import ImportResult, Job, Progress, form_of, open_file
from api.imports.receiving import stage
from api.imports.staging import StagingFile
from api.imports.summary import Summary
from api.models import ImportPosition

# Lines of a transaction: of a large file a twentieth. A page of an index is written once a batch,
# and each batch of a large index touches almost all of them.
BATCH = 10_000
_LARGEST_BATCH = 50_000
MAX_ATTEMPTS = 3  # at a batch, of which others keep making good lines bad


def run(job: Job, progress: Progress) -> ImportResult:
    """Import a file as the operator.

    Raises ApiError that lists every error; then nothing is written but whole batches before it,
    which happens only where something else was written meanwhile, or without a check.
    """
    with _little_garbage(), closing(_stage(job, progress)) as staging_file:
        result = _run(job, staging_file, progress)
        result.summary.number_of_rejected = staging_file.number_of_rejected
        if job.rejects is not None:
            _write_rejects(job, staging_file)
        return result


def _run(job: Job, staging_file: StagingFile, progress: Progress) -> ImportResult:
    key = _digest(job)
    position = db.session.get(ImportPosition, key)
    result = ImportResult()
    if position:
        result = ImportResult(position.lines, Summary.from_counts(position.counts))
        result.summary.import_id = position.import_id
    db.session.rollback()
    if job.dry_run:
        result.summary = _check(job, staging_file, 0, progress)
        return result
    left = staging_file.count - result.resumed_at
    batch = _batch_size(staging_file.count) if job.batch is None else job.batch
    is_whole = not batch or left <= batch or job.options.on_duplicate == "error"
    if job.options.skips_bad_lines:
        _check(job, staging_file, 0, progress)
    elif staging_file.has_errors or job.check:
        _check(job, staging_file, result.resumed_at, progress)
    try:
        _write(job, staging_file, key, None if is_whole else batch, result, progress)
    finally:
        sqlite.checkpoint_wal(db.engine)
    return result


def _batch_size(lines: int) -> int:
    """Choose how many of so many lines are one transaction."""
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


def _stage(job: Job, progress: Progress) -> StagingFile:
    with open_file(job.path, partial(progress, "Reading")) as file:
        return stage(
            file,
            form_of(job.path),
            current_app.config["MAX_BODY"],
            keep_text=job.options.skips_bad_lines,
        )


def _digest(job: Job) -> str:
    """Identify the file's bytes and what decides what they become."""
    digest = hashlib.sha256(orjson.dumps(asdict(job.options)))
    with job.path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _check(job: Job, staging_file: StagingFile, after: int, progress: Progress) -> Summary:
    """Return what the lines after a position would do. Raises ApiError with their errors."""

    def on_progress(importer: Importer) -> None:
        importer.summary.ids.clear()
        progress("Checking", importer.position, staging_file.count)

    return check(
        db.session(),
        OPERATOR,
        job.options,
        staging_file,
        after,
        before_writing=not job.dry_run,
        on_progress=on_progress,
    )


def _write(
    job: Job,
    staging_file: StagingFile,
    key: str,
    batch: int | None,
    result: ImportResult,
    progress: Progress,
) -> None:
    """Write what is left, BATCH lines in a transaction, or all in one."""
    after, attempts = result.resumed_at, MAX_ATTEMPTS
    while True:
        until = min(after + batch, staging_file.count) if batch else staging_file.count
        try:
            _write_batch(job, staging_file, key, (after, until), result, progress)
        except LinesRejected:
            attempts -= 1
            if not attempts:
                raise ApiError("conflict", "Others write the same records; try again.") from None
            continue
        if until == staging_file.count:
            return
        after, attempts = until, MAX_ATTEMPTS


def _write_batch(
    job: Job,
    staging_file: StagingFile,
    key: str,
    lines: tuple[int, int],
    result: ImportResult,
    progress: Progress,
) -> None:
    """Write the lines after a position up to another, and how far the file is written."""
    after, until = lines
    with transaction() as session:
        sqlite.tune_for_bulk(session.connection())
        import_id = result.summary.import_id or imports_log.start(
            session, OPERATOR, file=job.path.name, reason=job.options.reason
        )
        importer = Importer(
            session, OPERATOR, job.options, staging_file, write=True, import_id=import_id
        )
        summary = importer.run(
            after,
            until,
            on_progress=lambda: progress("Writing", importer.position, staging_file.count),
        )
        counts = {
            name: number + getattr(result.summary, name)
            for name, number in summary.counts().items()
        }
        imports_log.note_counts(session, import_id, counts)
        if until == staging_file.count:
            session.execute(delete(ImportPosition).filter_by(sha256=key))
        else:
            session.merge(
                ImportPosition(
                    sha256=key, lines=until, counts=counts, at=clock.now(), import_id=import_id
                )
            )
    result.summary.import_id = import_id
    result.summary.add(summary)


def _write_rejects(job: Job, staging_file: StagingFile) -> None:
    """Write the rejected lines with their errors, a JSON object each."""
    assert job.rejects is not None
    with job.rejects.open("wb") as file:
        for rejected in staging_file.rejected():
            file.write(orjson.dumps(rejected) + b"\n")
