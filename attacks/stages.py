"""The service that is attacked, and what stands in it: records, a cited article, keys."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from attacks.victims import Victim
from chaos.databases import Server
from chaos.services import Service, flask, workplace
from tests import builders

ARTICLE = "0a0a0a0a0a"
# Bytes that exports may take on the disk, so that a bound is reached.
EXPORT_BYTES = 40_000_000
_ROLES = ("contributor", "editor", "admin")


@dataclass(frozen=True)
class Scale:
    """How much of everything: records, citations of one article, and seconds of a case."""

    records: int
    citations: int
    seconds: float


# One request erases an article that a thousand records cite; beyond that it is a command.
LONG = Scale(records=6000, citations=1000, seconds=20)


@dataclass(frozen=True)
class Stage:
    """A service with victims on it: its keys by role, and its folder."""

    service: Service
    engine: str
    folder: Path
    scale: Scale
    keys: dict[str, str]
    readers: Victim
    writers: Victim

    @property
    def address(self) -> str:
        """Where it answers."""
        return self.service.address

    @property
    def exports(self) -> Path:
        """The folder of its exports."""
        return self.folder / "exports"


@contextmanager
def stage(engine: str, scale: Scale) -> Iterator[Stage]:
    """Start a service as it is shipped on a database of its own, and its victims."""
    with workplace() as folder, ExitStack() as stack:
        url = f"sqlite:///{folder / 'incidents.sqlite'}"
        if engine == "postgresql":
            server = Server(folder)
            stack.callback(server.stop)
            url = server.url
        service = Service(folder, url, RATELIMIT_ENABLED=True, EXPORT_BYTES=EXPORT_BYTES)
        victims_key = service.set_up()
        keys = {role: _key(service, role) for role in _ROLES}
        _fill(service, folder, scale)
        service.start()
        stack.callback(service.stop)
        readers = Victim(service.address, folder)
        stack.callback(readers.close)
        writers = Victim(service.address, folder, victims_key)
        stack.callback(writers.close)
        yield Stage(service, engine, folder, scale, keys, readers, writers)


def _key(service: Service, role: str) -> str:
    words = ("keys", "create", f"attack {role}", "--role", role)
    return flask(service.environment, *words).split()[-1]


def _fill(service: Service, folder: Path, scale: Scale) -> None:
    """Import records of a few kilobytes, and small ones that cite one article."""
    path = folder / "records.ndjson"
    with path.open("w") as file:
        for number in range(scale.records + scale.citations):
            day = f"{1950 + number % 70}-{1 + number % 12:02}-{1 + number % 28:02}"
            cites = number >= scale.records
            article = {"id": ARTICLE, "title": "Cited by many", "publisher": "The Herald"}
            body = builders.incident(
                title=f"Record {number}",
                date=day,
                summary="few words" if cites else f"word{number} " + "word " * 600,
                sources=[{"article": article}] if cites else [],
            )
            file.write(json.dumps(body) + "\n")
    flask(service.environment, "import", f"{path}")
    path.unlink()


@contextmanager
def locked(at: Stage) -> Iterator[None]:
    """Hold what every write waits for, by another program: the write lock, or the counter."""
    held, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=_hold, args=(at, held, done))
    thread.start()
    held.wait(30)
    try:
        yield
    finally:
        done.set()
        thread.join()


def _hold(at: Stage, held: threading.Event, done: threading.Event) -> None:
    url = at.service.environment["DATABASE_URL"]
    if at.engine == "sqlite":
        import sqlite3

        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        connection.execute("PRAGMA busy_timeout = 30000")
        connection.execute("BEGIN IMMEDIATE")
    else:
        import psycopg

        connection = psycopg.connect(url)
        connection.execute("SELECT * FROM dataset FOR UPDATE")
    held.set()
    done.wait(120)
    connection.rollback()
    connection.close()


def rest(seconds: float) -> None:
    """Let what an attack left behind come to its end."""
    time.sleep(seconds)


def engines() -> list[str]:
    """Return the engines to play on: ENGINE= names one."""
    return [name] if (name := os.environ.get("ENGINE")) else ["sqlite", "postgresql"]
