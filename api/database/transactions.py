"""Transactions: the edge of every write, one BEGIN and one commit each."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app, g
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from api.database.engines import db


class OutcomeUnknownError(OperationalError):
    """The connection broke while a change was being stored: it may be there, or not."""


@contextmanager
def transaction() -> Iterator[Session]:
    """Open the one transaction of a write; commit at its end, roll back on any error.

    Raises OperationalError where no lock is had in LOCK_TIMEOUT, OutcomeUnknownError where the
    connection broke during the commit.
    """
    with _begun() as session:
        yield session
        _commit()


@contextmanager
def trial() -> Iterator[Session]:
    """Open the transaction of a write that is tried out: it is rolled back at its end.

    Raises OperationalError where no lock is had in LOCK_TIMEOUT.
    """
    with _begun() as session:
        yield session
        db.session.rollback()


@contextmanager
def _begun() -> Iterator[Session]:
    """Begin the transaction of a write, after those of this process that came before.

    SQLite has one writer at a time, and who waits for it sleeps, longer each time, while nobody
    writes. Rolls back on any error.
    """
    # A read may have opened a transaction before; what was seen there is no ground to write on.
    db.session.rollback()
    count_writers = current_app.extensions["count_writers"]
    count_writers(1)
    try:
        with current_app.extensions["write_turn"](current_app.config["LOCK_TIMEOUT"]) as came:
            if not came:
                busy = sqlite3.OperationalError("database is locked")
                raise OperationalError("BEGIN IMMEDIATE", None, busy)
            try:
                db.session.connection(execution_options={"immediate": True})
                yield db.session()
            except BaseException:
                db.session.rollback()
                raise
    finally:
        count_writers(-1)


def _commit() -> None:
    """Commit, and note that it is done: a request that has committed is not run again."""
    try:
        db.session.commit()
    except DBAPIError as error:
        if error.connection_invalidated:
            raise OutcomeUnknownError("COMMIT", None, error.orig or error) from error
        raise
    g.committed = True


def committed() -> bool:
    """Whether this request has committed a change."""
    return "committed" in g
