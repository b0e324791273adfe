"""The service and the bare route, as they are measured."""

import json
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text

from benchmarks import servers
from benchmarks.datasets import CACHE, Engine, Postgresql, Sqlite
from benchmarks.servers import Server

API = "/api/v1"
THREADS = 4  # of every worker, ours and the peers'
READS = {
    "newest": "newest 50",
    "one": "one record",
    "city": "city and dates",
    "pair": "two communities",
    "arrests": "community and arrests",
}


@dataclass(frozen=True)
class Service:
    """Our service on a data set, with what is asked of it."""

    server: Server
    paths: dict[str, str]
    id: str

    def url(self, path: str) -> str:
        """Return the address of a path below the API's."""
        return self.server.address + API + path

    def body(self, name: str) -> bytes:
        """Return the answer to one of the reads."""
        with urllib.request.urlopen(self.server.address + self.paths[name]) as answer:
            return bytes(answer.read())

    def deep(self, records: int) -> str:
        """Walk RECORDS deep; return the path of the page there."""
        step = "limit=1000&fields=id"
        path = f"{API}/incidents?{step}"
        for _ in range(records // 1000):
            with urllib.request.urlopen(self.server.address + path) as answer:
                path = json.load(answer)["next"]
        return path.replace(step, "limit=50")


def workers(engine: Engine) -> int:
    """Return how many workers every server has: PostgreSQL shares both cores with them."""
    return 2 if isinstance(engine, Postgresql) else 1


@contextmanager
def ours(engine: Engine, url: str, **settings: str) -> Iterator[Service]:
    """Serve the database at URL: from one core on SQLite, from both together with PostgreSQL."""
    port = servers.free_port()
    command = [sys.executable, "-m", "flask", "--app", "api", "serve"]
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        environment = {
            "DATABASE_URL": url,
            "RATELIMIT_ENABLED": "false",
            "WORKERS": str(workers(engine)),
            "THREADS": str(THREADS),
            "PORT": str(port),
            "EXPORT_FOLDER": f"{folder}/exports",
            "ERASURE_LOG": f"{folder}/erasures.ndjson",
        }
        pinned = isinstance(engine, Sqlite)
        with servers.running(
            command, port, "/healthz", pinned=pinned, **{**environment, **settings}
        ) as server:
            servers.get(f"{server.address}{API}/overview")  # counted when a worker starts
            id_, city = chosen(url)
            yield Service(server, _paths(id_, city), id_)


def chosen(url: str) -> tuple[str, str]:
    """Return what is asked for: the id of a record, and a city that many records are of."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        id_ = "SELECT id FROM incidents ORDER BY pk LIMIT 1 OFFSET 500"
        city = "SELECT city FROM incidents GROUP BY city ORDER BY count(*) DESC, city LIMIT 1 "
        found = connection.scalar(text(id_)), connection.scalar(text(f"{city} OFFSET 3"))
    engine.dispose()
    return found  # type: ignore[return-value]


def _paths(id_: str, city: str) -> dict[str, str]:
    dates = "date_from=2012-01-01&date_to=2013-12-31"
    paths = {
        "newest": "",
        "one": f"/{id_}",
        "city": f"?city={urllib.parse.quote(city)}&{dates}",
        "pair": "?community=community-0&community=community-1",
        "arrests": "?community=community-2&min_arrests=40",
    }
    return {name: f"{API}/incidents{path}" for name, path in paths.items()}


@contextmanager
def limit(engine: Engine, bodies: dict[str, bytes]) -> Iterator[Server]:
    """Serve BODIES from memory by a bare Flask route, as ours is served on ENGINE."""
    with tempfile.TemporaryDirectory() as folder:
        for name, body in bodies.items():
            (Path(folder) / name).write_bytes(body)
        port = servers.free_port()
        command = granian("benchmarks.peers.limit:create_app", port, workers(engine))
        pinned = isinstance(engine, Sqlite)
        with servers.running(command, port, "/newest", pinned=pinned, BODIES=folder) as server:
            yield server


def granian(target: str, port: int, number: int) -> list[str]:
    """Return the command that serves TARGET on the product's own server, with NUMBER workers."""
    words = ["--interface", "wsgi", "--factory", "--no-ws", "--log-level", "error", "--port"]
    command = [sys.executable, "-m", "granian", *words, str(port), "--workers", str(number)]
    return [*command, "--blocking-threads", str(THREADS), target]
