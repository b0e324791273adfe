"""The client that should not notice: it reads, or writes, all the time, in a process of its own.

Its address is its own too, and so is its key: what limits the one who attacks does not limit it. It
prints when each request was sent, how long it took and how it was answered.
"""

import http.client
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests import builders

HOST = "127.0.0.2"
INCIDENTS = "/api/v1/incidents"
_READS = (f"{INCIDENTS}?limit=20", f"{INCIDENTS}?country=UA&limit=20", f"{INCIDENTS}?limit=1")
_TIMEOUT = 60


@dataclass(frozen=True)
class Sample:
    """A request of a victim: when it was sent, the seconds that it took, and its status."""

    at: float
    seconds: float
    status: int


class Victim:
    """A client that reads, or with a KEY writes, until it is closed."""

    def __init__(self, address: str, folder: Path, key: str = "") -> None:
        self._path = folder / f"victim-{'writes' if key else 'reads'}"
        with self._path.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "attacks.victims", address, key], stdout=out
            )

    def samples(self, begin: float, end: float) -> list[Sample]:
        """Return the requests that were sent between two times of the monotonic clock.

        One that is still waited for counts with what it waited so far, as status 0.
        """
        lines = [line.split() for line in self._path.read_text().splitlines() if line.count(" ")]
        found = [
            Sample(float(at), float(seconds), int(status))
            for at, seconds, status in lines
            if begin <= float(at) <= end
        ]
        last = max((sample.at + sample.seconds for sample in found), default=begin)
        return found if end - last < 1 else [*found, Sample(last, end - last, 0)]

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


def percentile(samples: list[Sample], share: int = 99) -> float:
    """Return the seconds within which a SHARE of a hundred requests were answered."""
    seconds = [sample.seconds for sample in samples]
    if len(seconds) < 2:
        return max(seconds, default=0.0)
    return statistics.quantiles(seconds, n=100, method="inclusive")[share - 1]


def main(address: str, key: str) -> None:
    """Send requests for ever, one after the other."""
    parts, number, connection = urlsplit(address), 0, None
    while True:
        if connection is None:
            connection = http.client.HTTPConnection(
                f"{parts.hostname}", parts.port, timeout=_TIMEOUT, source_address=(HOST, 0)
            )
        began, number = time.monotonic(), number + 1
        try:
            status = _write(connection, key, number) if key else _read(connection, number)
        except (OSError, http.client.HTTPException):
            status, connection = 0, None
        sys.stdout.write(f"{began} {time.monotonic() - began} {status}\n")
        sys.stdout.flush()
        time.sleep(0.1 if key else 0.005)


def _read(connection: http.client.HTTPConnection, number: int) -> int:
    connection.request("GET", _READS[number % len(_READS)])
    return _status(connection)


def _write(connection: http.client.HTTPConnection, key: str, number: int) -> int:
    day = f"{1900 + number % 90}-{1 + number % 12:02}-{1 + number // 90 % 28:02}"
    body = builders.incident(title=f"Seen {number}", date=day)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection.request("POST", f"{INCIDENTS}?allow_duplicate=true", json.dumps(body), headers)
    return _status(connection)


def _status(connection: http.client.HTTPConnection) -> int:
    answer = connection.getresponse()
    answer.read()
    return answer.status


if __name__ == "__main__":
    main(*sys.argv[1:])
