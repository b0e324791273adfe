"""Concurrency: how many requests of a worker are at work at once, of all clients and of each.

The server has threads to spare, so that a client who sends or reads slowly holds one of those and
nothing else. At work on the database or on an answer are no more requests than THREADS, half of
them of one client at most, and beside them those whose turn it is to write. Whoever waits for a
client, for its turn to write, or for a database that is away, gives its slot back.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, current_app, has_request_context, request

from api.core.clients import Shares, Turns, client_at
from api.core.errors import ApiError
from api.core.permissions import Actor
from api.http.problems import problem

# Threads of the server beyond those at work, and how many of all of them one client may hold.
SPARE_THREADS = 256
REQUESTS_OF_A_CLIENT = 64
# Seconds in which a request that waits for its turn has to get it.
_LONGEST_WAIT = 10.0
_BUSY = "Every thread that answers is at work; try again in a moment."
_TOO_MANY = "Many requests of this client are at work here already; wait for their answers."
_SLOT = "slot"


class ConcurrencyLimiter:
    """As many slots as there are threads to work, and whose turn it is to write."""

    def __init__(self, threads: int, writers: int) -> None:
        self.requests = Shares(REQUESTS_OF_A_CLIENT)
        self.writers = Turns(writers, writers // 2)
        self._slots = Turns(threads, threads // 2)

    def acquire(self, environ: dict[str, Any], client: str) -> bool:
        """Acquire a slot for a request of a CLIENT. Whether one got free in time."""
        if not self._slots.acquire(client, _LONGEST_WAIT):
            return False
        environ[_SLOT] = client
        return True

    def release(self, environ: dict[str, Any]) -> None:
        """Release the request's slot, if it has one."""
        client = environ.pop(_SLOT, None)
        if client is not None:
            self._slots.release(client)


def client_of(environ: dict[str, Any]) -> str:
    """Return the client that a request comes from, by its address."""
    return client_at(environ.get("REMOTE_ADDR", ""))


def payer_of(environ: dict[str, Any]) -> str:
    """Return whom a request counts for: its key, or its client where it has no good one."""
    actor: Actor | None = environ.get("actor")
    return client_of(environ) if actor is None else f"key {actor.pk}"


def init_app(app: Flask) -> None:
    """Let as many requests of APP be at work as it has threads; SQLite has one writer at a time."""
    threads = app.config["THREADS"]
    writers = 1 if app.config["DATABASE_URL"].startswith("sqlite") else threads
    limiter = app.extensions["concurrency"] = ConcurrencyLimiter(threads, writers)
    application = app.wsgi_app

    def refuse(environ: dict[str, Any], start_response: Callable[..., Any], detail: str) -> Any:
        with app.request_context(environ):
            return problem("busy", detail)(environ, start_response)

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if environ["PATH_INFO"] == "/healthz":  # whether the process answers, however busy
            return application(environ, start_response)
        client = client_of(environ)
        if not limiter.requests.acquire(client):
            return refuse(environ, start_response, _TOO_MANY)
        try:
            if not limiter.acquire(environ, client):
                return refuse(environ, start_response, _BUSY)
            return application(environ, start_response)
        finally:
            limiter.release(environ)
            limiter.requests.release(client)

    app.wsgi_app = answer  # type: ignore[method-assign]


def limiter() -> ConcurrencyLimiter:
    """Return the application's limiter."""
    of_app: ConcurrencyLimiter = current_app.extensions["concurrency"]
    return of_app


@contextmanager
def yielding() -> Iterator[None]:
    """Release the request's slot while something is waited for, and acquire one again after it.

    Raises ApiError where none gets free in time.
    """
    slots, environ = limiter(), request.environ
    client = environ.get(_SLOT)
    slots.release(environ)
    try:
        yield
    finally:
        if client is not None and not slots.acquire(environ, client):
            raise ApiError("busy", _BUSY)


@contextmanager
def write_turn(timeout: float) -> Iterator[bool]:
    """Wait for the turn to write, so many seconds, and hold it. Yields whether it came.

    The request's slot is released for good: who writes has a place of its own.
    """
    client, slots = "", limiter()
    if has_request_context():
        client = client_of(request.environ)
        slots.release(request.environ)
    came = slots.writers.acquire(client, timeout)
    try:
        yield came
    finally:
        if came:
            slots.writers.release(client)
