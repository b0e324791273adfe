"""Retries of writes: what lost a race against another write is done again on what that one left.

Two writers on PostgreSQL may both find an id, an address or a version free. The constraints decide
who wins; the other one's view runs once more and answers by what stands now: it cites the article
that was just made, or is refused in our own words. SQLite has one writer at a time and no races.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask
from sqlalchemy.exc import DBAPIError

from api.core.errors import WriteConflict
from api.http import request_bodies

_TRIES = 3
# SQLSTATE: foreign key, unique key, serialization, deadlock.
_LOST = {"23503", "23505", "40001", "40P01"}
_WRITES = {"POST", "PUT", "PATCH", "DELETE"}


def init_app(app: Flask) -> None:
    """Let every write of APP be done again after a lost race."""
    for rule in app.url_map.iter_rules():
        if _WRITES & (rule.methods or set()):
            app.view_functions[rule.endpoint] = _with_retries(app.view_functions[rule.endpoint])


def _with_retries(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return VIEW with further tries where another write came first."""

    @wraps(view)
    def run(**variables: Any) -> Any:
        for tries_left in reversed(range(_TRIES)):
            try:
                return view(**variables)
            except (WriteConflict, DBAPIError) as error:
                if not (tries_left and is_retryable(error) and request_bodies.replayable()):
                    raise
        raise AssertionError("the last try returns or raises")

    return run


def is_retryable(error: WriteConflict | DBAPIError) -> bool:
    """Whether another writer came first, so that a second try may go otherwise."""
    return isinstance(error, WriteConflict) or getattr(error.orig, "sqlstate", None) in _LOST
