"""Writers that note what was acknowledged, and the reckoning at the end: it is all there, once.

A writer posts a record with an Idempotency-Key, again and again until it is acknowledged, and then
changes it, with the version that the change is based on. Whatever it is answered it counts.
"""

import http.client
import json
import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from chaos.services import Service, flask
from tests import builders

INCIDENTS = "/api/v1/incidents"
# No answer, the service cannot now, no room.
_TRY_AGAIN = (0, 503, 507)
# Different places and days, so that few records are alike.
_CITIES = [("Kyiv", "UA"), ("Tbilisi", "GE"), ("Moscow", "RU"), ("Brussels", "BE"), ("Paris", "FR")]


@dataclass
class Answer:
    """An answer: its status (0 where none came), its headers and its JSON."""

    status: int
    headers: Any = None
    body: bytes = b""

    @property
    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


def ask(
    address: str, method: str, path: str, body: Any = None, timeout: float = 30, **headers: str
) -> Answer:
    """Send one request on a connection of its own; an Answer of status 0 if it broke."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(f"{parts.hostname}", parts.port, timeout=timeout)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        named["Content-Type"] = "application/json"
    try:
        connection.request(method, path, None if body is None else json.dumps(body), named)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    except (OSError, http.client.HTTPException):
        return Answer(0)
    finally:
        connection.close()


@dataclass
class Writers:
    """So many NUMBER of writers on a service, and what they saw."""

    address: str
    key: str
    number: int = 4
    pause: float = 0.0
    acknowledged: dict[str, tuple[str, int]] = field(default_factory=dict)
    answers: Counter[int] = field(default_factory=Counter)
    longest_gap: float = 0.0

    def __post_init__(self) -> None:
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._last = time.monotonic()
        self._failed: list[BaseException] = []
        self._threads = [threading.Thread(target=self._work) for _ in range(self.number)]

    def start(self) -> None:
        """Let them begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each come to the end of what it is at; raises what one of them failed with."""
        self._done.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        if self._failed:
            raise self._failed.pop()

    def restart_clock(self) -> float:
        """Return the longest time without a write since the last call, and begin anew."""
        with self._lock:
            longest = max(self.longest_gap, time.monotonic() - self._last)
            self.longest_gap, self._last = 0.0, time.monotonic()
        return longest

    def _ask(self, *args: Any, **headers: str) -> Answer:
        answer = ask(self.address, *args, Authorization=f"Bearer {self.key}", **headers)
        with self._lock:
            self.answers[answer.status] += 1
        return answer

    def _acknowledge(self, id_: str, title: str, version: int) -> None:
        with self._lock:
            now = time.monotonic()
            self.longest_gap = max(self.longest_gap, now - self._last)
            self._last = now
            self.acknowledged[id_] = (title, version)

    def _work(self) -> None:
        try:
            self._write()
        except BaseException as error:
            self._failed.append(error)

    def _write(self) -> None:
        while not self._done.is_set():
            made = self._post(f"Record {uuid.uuid4()}")
            if made is not None:
                self._amend(*made)
            time.sleep(self.pause)

    def _post(self, title: str) -> tuple[str, str] | None:
        path = f"{INCIDENTS}?allow_duplicate=true"
        city, country = random.choice(_CITIES)
        day = date(1990, 1, 1) + timedelta(random.randrange(10_000))
        body = builders.incident(title=title, date=f"{day}", city=city, country=country)
        while True:
            answer = self._ask("POST", path, body, Idempotency_Key=title)
            if answer.status == 201:
                id_ = answer.json["id"]
                self._acknowledge(id_, title, 1)
                return id_, title
            assert answer.status in _TRY_AGAIN, (answer.status, answer.body)
            if self._done.is_set():
                return None
            time.sleep(0.1)

    def _amend(self, id_: str, title: str) -> None:
        """Change a record; where no answer came, look whether it was done before doing it again."""
        path = f"{INCIDENTS}/{id_}"
        while True:
            answer = self._ask("PATCH", path, {"arrests": 1, "version": 1})
            if answer.status == 200:
                self._acknowledge(id_, title, 2)
            if answer.status in (200, 412):
                return
            assert answer.status in _TRY_AGAIN, (answer.status, answer.body)
            if self._done.is_set():
                return
            time.sleep(0.1)


def reckon(service: Service, writers: Writers) -> dict[str, int]:
    """Compare what was acknowledged with what is there; raises AssertionError for any loss."""
    export = ask(service.address, "GET", f"{INCIDENTS}.ndjson", timeout=300)
    assert export.status == 200, export.body
    records = [json.loads(line) for line in export.body.splitlines()]
    held = {record["id"]: (record["title"], record["version"]) for record in records}
    titles = Counter(record["title"] for record in records)
    lost = {
        id_: wanted
        for id_, wanted in writers.acknowledged.items()
        if id_ not in held or held[id_][0] != wanted[0] or held[id_][1] < wanted[1]
    }
    assert not lost, f"acknowledged and not there: {lost}"
    twice = [title for title, number in titles.items() if number > 1]
    assert not twice, f"there twice: {twice}"
    changes = _feed_is_whole(service.address, int(export.headers["Dataset-Version"]), held)
    flask(service.environment, "documents", "check")
    return {
        "writes_acknowledged": sum(version for _, version in writers.acknowledged.values()),
        "records": len(records),
        "changes_in_the_feed": changes,
        "lost": 0,
        "doubled": 0,
    }


def _feed_is_whole(address: str, last: int, held: dict[str, tuple[str, int]]) -> int:
    """Follow the feed from its beginning: no gap, no number twice, and in the end what is there."""
    since, seen = 0, {}
    while True:
        path = f"/api/v1/changes?since={since}&limit=1000&documents=false"
        page = ask(address, "GET", path).json
        for change in page["data"]:
            assert change["seq"] == since + 1, f"{change['seq']} follows {since}"
            since = change["seq"]
            seen[change["id"]] = change["version"]
        if page["next"] is None:
            break
    assert since == last, f"the feed ends at {since}, the data set at {last}"
    shown = {id_: version for id_, version in seen.items() if id_ in held}
    assert shown == {id_: version for id_, (_, version) in held.items()}
    return since
