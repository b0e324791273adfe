"""The clients that attack: so many connections from one address, and what they were answered."""

import http.client
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

HOST = "127.0.0.9"
_TIMEOUT = 120


@dataclass
class Answers:
    """What an attack was answered: statuses (0 for none), and the longest time for one."""

    statuses: Counter[int] = field(default_factory=Counter)
    longest: float = 0.0

    def note(self, status: int, seconds: float) -> None:
        """Count an answer."""
        self.statuses[status] += 1
        self.longest = max(self.longest, seconds)


@dataclass(frozen=True)
class Request:
    """A request to be sent: BODY is bytes, or becomes JSON."""

    method: str
    path: str
    body: Any = None
    key: str = ""
    content_type: str = "application/json"

    @property
    def headers(self) -> dict[str, str]:
        """Return its headers."""
        named = {"Content-Type": self.content_type} if self.body is not None else {}
        return named | ({"Authorization": f"Bearer {self.key}"} if self.key else {})


class Attacker:
    """One bad client of a service at ADDRESS."""

    def __init__(self, address: str, host: str = HOST) -> None:
        self._parts = urlsplit(address)
        self._host = host
        self.answers = Answers()

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection from its address."""
        return http.client.HTTPConnection(
            f"{self._parts.hostname}",
            self._parts.port,
            timeout=_TIMEOUT,
            source_address=(self._host, 0),
        )

    def send(self, request: Request, **headers: str) -> tuple[int, Any, bytes]:
        """Send one request; return status, headers and body of the answer."""
        connection = self.connect()
        body = request.body
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        began, status, found, answer = time.monotonic(), 0, None, b""
        try:
            connection.request(request.method, request.path, content, request.headers | headers)
            response = connection.getresponse()
            found, answer = response.headers, response.read()
            status = response.status  # once it is whole
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        self.answers.note(status, time.monotonic() - began)
        return status, found, answer

    def flood(
        self, make: Callable[[int], Request], connections: int, seconds: float, most: int = 10**9
    ) -> None:
        """Send what MAKE makes of numbers on so many connections, for so many SECONDS."""
        end, lock, numbers = time.monotonic() + seconds, threading.Lock(), iter(range(most))

        def work() -> None:
            while time.monotonic() < end:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                status, found, _ = self.send(make(number))
                if status in (429, 503) and found.get("Retry-After"):
                    time.sleep(0.05)  # it goes on all the same, though not without a breath

        in_threads(work, connections)

    def socket(self, beginning: bytes) -> socket.socket:
        """Return a connection on which BEGINNING was sent, and which hardly takes anything in."""
        opened = socket.socket()
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        opened.bind((self._host, 0))
        opened.connect((self._parts.hostname, self._parts.port))
        opened.sendall(beginning)
        opened.settimeout(0.01)
        return opened


def in_threads(work: Callable[[], None], number: int) -> None:
    """Run WORK in so many threads until all are done."""
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def trickle(opened: list[socket.socket], seconds: float, *, sends: bool) -> int:
    """Pass on a byte a second on each connection; return how many were cut meanwhile."""
    end, cut = time.monotonic() + seconds, set()
    while time.monotonic() < end:
        for each in opened:
            try:
                if sends:
                    each.sendall(b"a")
                elif each.recv(1) == b"":
                    cut.add(each)
            except TimeoutError:
                continue
            except OSError:
                cut.add(each)
        time.sleep(1)
    for each in opened:
        each.close()
    return len(cut)
