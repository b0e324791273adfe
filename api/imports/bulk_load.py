"""Loads: a large file that is the first is read as it is written, in one transaction.

Nothing is there before it, so that its records are compared with one another alone, in memory, and
indexes can wait. The first fault ends it, and undoes all of it: to tell of every fault is left to
the import that follows.
"""

from functools import partial

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.core.errors import ApiError
from api.core.permissions import OPERATOR
from api.database import sqlite
from api.database.engines import db
from api.database.transactions import transaction
from api.imports import deferred_indexes
from api.imports.duplicate_index import Gathered
from api.imports.importer import Importing
from api.imports.jobs import Done, Job, Progress, form_of, opened
from api.imports.receiving import unread
from api.models import Incident
from api.records import feed

_LARGE = 64_000_000  # bytes of a file, some 50,000 lines
_PACKED = 8  # by how much gzip makes them less


def fits(job: Job) -> bool:
    """Tell whether JOB is a load: it is large, and the first, on SQLite, in one transaction."""
    if job.batch is not None or job.dry_run or job.options.on_duplicate == "error":
        return False
    size = job.path.stat().st_size * (_PACKED if job.path.suffix == ".gz" else 1)
    if size < _LARGE or db.engine.dialect.name != "sqlite":
        return False
    empty = _is_empty(db.session())
    db.session.rollback()
    return empty


def _is_empty(session: Session) -> bool:
    return session.scalar(select(Incident.pk).limit(1)) is None


def load(job: Job, progress: Progress) -> Done | None:
    """Load a file into a database that holds no record.

    None, and nothing is written, where the file is not right or somebody else was first.
    """
    try:
        with transaction() as session:
            return _load(job, session, progress) if _is_empty(session) else None
    except (ApiError, IntegrityError):  # of these, an id that comes again
        return None
    finally:
        sqlite.checkpoint_wal(db.engine)


def _load(job: Job, session: Session, progress: Progress) -> Done:
    connection = session.connection()
    sqlite.tune_for_bulk(connection)
    writing = Importing(session, OPERATOR, job.options, write=True)
    writing.gathered = Gathered()

    def told() -> None:
        writing.findings.refuse(writing.writer.resolver.terms.missing, 0)
        feed.assign_sequence_numbers(session)  # what is announced would wait in memory

    with (
        deferred_indexes.wait(connection, partial(progress, "Indexing")),
        opened(job.path, partial(progress, "Writing")) as file,
    ):
        lines, notes = unread(file, form_of(job.path), current_app.config["MAX_BODY"])
        summary = writing.run(lines, notes=notes, told=told)
    progress("Storing", 0, 1)
    return Done(summary=summary)
