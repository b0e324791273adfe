"""Reading bodies: they may come slowly, within a time, and hold up nobody.

While a body comes in its request has no slot to work. A server of WSGI reads until what is asked
for is there, however long that takes, so a thread apart reads, and the request gives up on it in
time: the client is answered, and that thread ends with the connection. Until then it counts against
the few bodies that a key or an address may have on their way.
"""

import threading
import time
from collections.abc import Callable

from flask import Flask, current_app, g, request

from api.core.clients import Shares
from api.core.errors import ApiError
from api.http import concurrency

# Bodies that one worker waits for at a time, and those of one key or address.
BODIES = 200
BODIES_OF_A_CLIENT = 20


class Bodies:
    """What the bodies on their way hold."""

    def __init__(self) -> None:
        self.places = threading.BoundedSemaphore(BODIES)
        self.shares = Shares(BODIES_OF_A_CLIENT)


class _Reading:
    """A READ of so many bytes in a thread of its own; ON_END is called when it is over."""

    def __init__(self, read: Callable[[int], bytes], size: int, on_end: Callable[[], None]) -> None:
        self._read, self._size, self._on_end = read, size, on_end
        self._ended = threading.Event()
        self._content = b""
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="body", daemon=True).start()

    def _run(self) -> None:
        try:
            self._content = self._read(self._size)
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()
            self._on_end()

    def result(self, timeout: float) -> bytes:
        """Return what was read. Raises what the reading raised, ApiError where it takes longer."""
        if not self._ended.wait(max(0.0, timeout)):
            raise ApiError("body-too-slow", "The body did not come in time; nothing was written.")
        if self._error is not None:
            raise self._error
        return self._content


def init_app(app: Flask) -> None:
    """Count the bodies that come in to APP."""
    app.extensions["bodies"] = Bodies()


def receive(size: int) -> bytes:
    """Wait for so many bytes of the request's body, or its end; nobody else waits with it.

    Raises ApiError: too many bodies are on their way, or this one is too slow.
    """
    bodies: Bodies = current_app.extensions["bodies"]
    clients = {concurrency.client_of(request.environ), concurrency.payer_of(request.environ)}
    if not bodies.shares.acquire(*clients):
        raise ApiError("busy", "As many bodies of this key or address as may be are on their way.")
    if not bodies.places.acquire(blocking=False):
        bodies.shares.release(*clients)
        raise ApiError("busy", "As many bodies as this worker waits for are on their way.")
    try:
        with concurrency.yielding():
            reading = _Reading(request.stream.read, size, lambda: bodies.shares.release(*clients))
            content = reading.result(_seconds_left(size))
    finally:
        bodies.places.release()
    g.body_bytes = g.get("body_bytes", 0) + len(content)
    return content


def _seconds_left(size: int) -> float:
    """Return the seconds in which the next bytes, SIZE at most, have to be there."""
    began = g.setdefault("body_began", time.monotonic())
    received = g.get("body_bytes", 0)
    length = request.content_length
    due = received + size if length is None else min(received + size, length)
    config = current_app.config
    return float(began + config["BODY_SECONDS"] + due / config["BODY_RATE"] - time.monotonic())
