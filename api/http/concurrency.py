"""Concurrency: how many requests of a worker are at work at once.

The server has threads to spare, so that a client who sends or reads slowly holds one of those and
nothing else. At work on the database or on an answer are no more requests than THREADS. Whoever
waits for a client, or for a database that is away, gives its slot back meanwhile.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any

from flask import Flask, current_app, request

from api.core.errors import ApiError
from api.http.problems import problem

# Bodies that one worker waits for at a time, and threads of the server beyond those at work.
BODIES = 200
SPARE_THREADS = 256
# Seconds in which a request that waits for its turn has to get it.
_LONGEST_WAIT = 10.0
_BUSY = "Every thread that answers is at work; try again in a moment."
_SLOT = "slot"


class ConcurrencyLimiter:
    """As many slots as there are threads to work, and as many bodies as are waited for."""

    def __init__(self, number: int) -> None:
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(max(1, number)):
            self._free.put(None)
        self.bodies = threading.BoundedSemaphore(BODIES)

    def acquire(self, environ: dict[str, Any]) -> bool:
        """Acquire a slot for a request. Whether one got free in time."""
        try:
            self._free.get(timeout=_LONGEST_WAIT)
        except Empty:
            return False
        environ[_SLOT] = True
        return True

    def release(self, environ: dict[str, Any]) -> None:
        """Release the request's slot, if it has one."""
        if environ.pop(_SLOT, False):
            self._free.put(None)


def init_app(app: Flask) -> None:
    """Let as many requests of APP be at work as it has threads."""
    limiter = app.extensions["concurrency"] = ConcurrencyLimiter(app.config["THREADS"])
    application = app.wsgi_app

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ["PATH_INFO"] == "/healthz":  # whether the process answers, however busy
            return application(environ, start_response)
        if not limiter.acquire(environ):
            with app.request_context(environ):
                return problem("busy", _BUSY)(environ, start_response)
        try:
            return application(environ, start_response)
        finally:
            limiter.release(environ)

    app.wsgi_app = answer  # type: ignore[method-assign]


@contextmanager
def yielding() -> Iterator[None]:
    """Release the request's slot while something is waited for, and acquire one again after it.

    Raises ApiError where none gets free in time.
    """
    limiter: ConcurrencyLimiter = current_app.extensions["concurrency"]
    had_slot = _SLOT in request.environ
    limiter.release(request.environ)
    try:
        yield
    finally:
        if had_slot and not limiter.acquire(request.environ):
            raise ApiError("busy", _BUSY)


@contextmanager
def waiting_for_body() -> Iterator[None]:
    """Release the request's slot while its body comes in, be it byte by byte.

    Raises ApiError where as many bodies as a worker waits for are on their way.
    """
    limiter: ConcurrencyLimiter = current_app.extensions["concurrency"]
    if not limiter.bodies.acquire(blocking=False):
        raise ApiError("busy", "As many bodies as this worker waits for are on their way.")
    try:
        with yielding():
            yield
    finally:
        limiter.bodies.release()
