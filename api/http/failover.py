"""Failover: what a request does while its database is away, or switches to another server.

A read is done again, and so is a write of which nothing is stored, for FAILOVER_WAIT seconds; then
it is a 503. A write that broke off while it was being stored is done again only if it carries an
Idempotency-Key, which tells whether it was; else the answer says that nobody knows.

Once a request has waited in vain, others are not made to: one at a time looks whether the database
is back, and the others are refused at once, until it is.
"""

import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, current_app, request
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from api.core.errors import ApiError
from api.database.engines import db, primary, reader
from api.database.transactions import OutcomeUnknownError, committed
from api.http import concurrency, request_bodies

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5
# SQLSTATE: connection lost, ended or refused by a server that stops or starts, a server that takes
# no writes (any more), no connection left, a standby that had to let go of what was read.
_TRANSIENT = ("08", "57P01", "57P02", "57P03", "25006", "53300", "40001")
_READ_ONLY = "25006"
_READS = ("GET", "HEAD", "OPTIONS")
# These tell of the service itself, with or without a database.
_APART = ("service.healthz", "service.readyz", "service.read_metrics", "service.problem_page")


class CircuitBreaker:
    """Whether a database is known to be away (open); a request holds `probe` while it looks."""

    def __init__(self) -> None:
        self.open = False
        self.probe = threading.Lock()


def init_app(app: Flask) -> None:
    """Let the views of APP outlast a switch of its database, and what runs before them.

    SQLite is a part of this process: it is never away.
    """
    app.extensions["circuit_breakers"] = {"primary": CircuitBreaker(), "standbys": CircuitBreaker()}
    if app.config["DATABASE_URL"].startswith("sqlite"):
        return
    for endpoint, view in app.view_functions.items():
        if endpoint not in _APART:
            app.view_functions[endpoint] = _with_retry(view)
    hooks = app.before_request_funcs.get(None, [])
    hooks[:] = [_with_retry(hook) for hook in hooks]


def _with_retry(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return VIEW, refused at once while the database is known to be away, else retried."""

    @wraps(view)
    def run(**variables: Any) -> Any:
        breakers = current_app.extensions["circuit_breakers"].values()
        if any(breaker.open for breaker in breakers) and request.endpoint not in _APART:
            _probe(_breaker())
        try:
            return view(**variables)
        except DBAPIError as error:
            if not is_transient(error):
                raise
            return _retry(view, variables, error)

    return run


def _breaker() -> CircuitBreaker:
    """Return the state of the database that this request asks."""
    name = "primary" if reader() is primary() else "standbys"
    breaker: CircuitBreaker = current_app.extensions["circuit_breakers"][name]
    return breaker


def _probe(breaker: CircuitBreaker) -> None:
    """Look whether the database is back, unless another request does. Raises ApiError if not."""
    if not breaker.open:
        return
    if breaker.probe.acquire(blocking=False):
        try:
            with reader().engine.connect() as connection:
                connection.execute(select(1))
            breaker.open = False
            return
        except DBAPIError:
            pass
        finally:
            breaker.probe.release()
    raise ApiError("unavailable", "The database is away. Nothing was written; try again.")


def _retry(view: Callable[..., Any], variables: dict[str, Any], error: DBAPIError) -> Any:
    """Run VIEW again after pauses, until it succeeds. Raises DBAPIError after FAILOVER_WAIT."""
    breaker = _breaker()
    end = time.monotonic() + current_app.config["FAILOVER_WAIT"]
    pause = _FIRST_PAUSE
    while _repeatable(error):
        if breaker.open or time.monotonic() + pause > end:
            breaker.open = True
            break
        with concurrency.yielding():
            time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
        db.session.rollback()
        if getattr(error.orig, "sqlstate", None) == _READ_ONLY:
            reader().engine.dispose()  # a connection to what was the primary before
        try:
            return view(**variables)
        except DBAPIError as another:
            if not is_transient(another):
                raise
            error = another
    raise error


def _repeatable(error: DBAPIError) -> bool:
    """Whether the request can be run again without happening twice."""
    if request.method in _READS:
        return True
    if not request_bodies.replayable():
        return False
    has_key = request.method == "POST" and "Idempotency-Key" in request.headers
    return has_key or not (committed() or isinstance(error, OutcomeUnknownError))


def is_transient(error: DBAPIError) -> bool:
    """Whether ERROR says that PostgreSQL is away, or another server than it was."""
    import psycopg  # where it is asked for: a server on SQLite never does

    driver = error.orig
    if not isinstance(driver, psycopg.Error):
        return False
    if driver.sqlstate is None:  # it says nothing, since there is nobody to say it
        return isinstance(driver, psycopg.OperationalError | psycopg.InterfaceError)
    return driver.sqlstate.startswith(_TRANSIENT)
