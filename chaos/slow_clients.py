"""Two hundred slow connections, and a client that should not notice.

A third of them send the head of a request byte by byte, a third the body of a POST with a good key,
a third read a large export byte by byte. Quiet and disturbed stretches take turns in one run, so
that both see the same machine; compared are the 99th percentiles of the client's waiting times.
"""

import http.client
import json
import os
import socket
import statistics
import threading
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

from chaos.services import Service, flask, say, workplace
from chaos.writers import INCIDENTS
from tests import builders

CONNECTIONS = 200
STRETCHES = 3
SECONDS = 10.0
# A client may wait this much longer, in the 99th percentile.
MOST = 2.0
_PATHS = (f"{INCIDENTS}?limit=20", f"{INCIDENTS}?country=UA&limit=20", f"{INCIDENTS}?limit=1")


class SlowConnections:
    """So many connections that each pass on a byte a second."""

    def __init__(self, address: str, key: str, number: int) -> None:
        parts = urlsplit(address)
        self._place = (f"{parts.hostname}", parts.port)
        self._done = threading.Event()
        kinds = (self._head(), self._body(key), self._export())
        self._open = [self._connect(*kinds[place % 3]) for place in range(number)]
        self.cut = 0
        self._thread = threading.Thread(target=self._trickle)
        self._thread.start()

    @staticmethod
    def _head() -> tuple[str, bool]:
        return f"GET {INCIDENTS} HTTP/1.1\r\nHost: x\r\nX-Slow: ", True

    @staticmethod
    def _body(key: str) -> tuple[str, bool]:
        lines = ("Host: x", f"Authorization: Bearer {key}", "Content-Type: application/json")
        head = "\r\n".join((f"POST {INCIDENTS} HTTP/1.1", *lines, "Content-Length: 9999", "", ""))
        return head, True

    @staticmethod
    def _export() -> tuple[str, bool]:
        return f"GET {INCIDENTS}.ndjson HTTP/1.1\r\nHost: x\r\n\r\n", False

    def _connect(self, begin: str, sends: bool) -> tuple[socket.socket, bool]:
        opened = socket.socket()
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        opened.connect(self._place)
        opened.sendall(begin.encode())
        opened.settimeout(1)
        return opened, sends

    def _trickle(self) -> None:
        while not self._done.wait(1):
            for opened, sends in self._open:
                try:
                    opened.sendall(b"a") if sends else opened.recv(1)
                except OSError:
                    self.cut += 1

    def close(self) -> None:
        """Let go of all of them."""
        self._done.set()
        self._thread.join()
        for opened, _ in self._open:
            opened.close()


def wait_times(address: str, seconds: float) -> list[float]:
    """Ask for pages for so many SECONDS, one after the other; return how long each took."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(f"{parts.hostname}", parts.port, timeout=60)
    found, end, number = [], time.monotonic() + seconds, 0
    while time.monotonic() < end:
        began = time.monotonic()
        connection.request("GET", _PATHS[number % len(_PATHS)])
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        found.append(time.monotonic() - began)
        number += 1
        time.sleep(0.002)
    connection.close()
    return found


def fill(service: Service, folder: str, number: int = 1500) -> None:
    """Put so many records of a few kilobytes each into the service's database."""
    path = f"{folder}/records.ndjson"
    with open(path, "w") as file:
        for place in range(number):
            day = f"{1990 + place % 30}-{1 + place % 12:02}-{1 + place % 28:02}"
            body = builders.incident(title=f"Record {place}", date=day, summary="word " * 1000)
            file.write(json.dumps(body) + "\n")
    flask(service.environment, "import", path)


def run(connections: int, stretches: int, seconds: float) -> tuple[float, float]:
    """Measure; return the 99th percentile of the quiet and of the disturbed stretches."""
    with workplace() as folder, ExitStack() as stack:
        service = Service(folder, f"sqlite:///{folder / 'incidents.sqlite'}")
        key = service.set_up()
        fill(service, f"{folder}")
        service.start()
        stack.callback(service.stop)
        wait_times(service.address, 1)
        quiet: list[float] = []
        disturbed: list[float] = []
        for _ in range(stretches):
            quiet += wait_times(service.address, seconds)
            slow = SlowConnections(service.address, key, connections)
            try:
                time.sleep(1)
                disturbed += wait_times(service.address, seconds)
            finally:
                slow.close()
            time.sleep(1)
    return _print_row("quiet", quiet), _print_row(f"with {connections} slow connections", disturbed)


def _print_row(what: str, found: list[float]) -> float:
    percentile = statistics.quantiles(found, n=100)[98]
    say(
        f"  {what}",
        requests=len(found),
        ms_median=round(1000 * statistics.median(found), 2),
        ms_p99=round(1000 * percentile, 2),
        ms_at_most=round(1000 * max(found), 1),
    )
    return percentile


def main() -> None:
    """Run the proof; SECONDS= says how long a stretch lasts."""
    say("slow clients")
    quiet, disturbed = run(CONNECTIONS, STRETCHES, float(os.environ.get("SECONDS", SECONDS)))
    assert disturbed <= MOST * quiet, f"{disturbed / quiet:.1f} times as long"
    say(f"  the 99th percentile is {disturbed / quiet:.2f} times the undisturbed one")


if __name__ == "__main__":
    main()
