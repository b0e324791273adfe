"""The peers as servers, each with as many workers and threads as ours."""

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from benchmarks import servers
from benchmarks.datasets import Engine, Sqlite
from benchmarks.servers import ROOT, Server
from benchmarks.services import THREADS, granian, workers

ENVIRONMENT = ROOT / "benchmarks" / ".venv" / "bin"


def orm(engine: Engine, url: str) -> AbstractContextManager[Server]:
    """Serve a database by the ORM stack."""
    port = servers.free_port()
    command = granian("benchmarks.peers.orm:create_app", port, workers(engine))
    return _serve(engine, url, command, port)


def sqlmodel(engine: Engine, url: str) -> AbstractContextManager[Server]:
    """Serve a database by FastAPI and SQLModel."""
    port = servers.free_port()
    command = [str(ENVIRONMENT / "uvicorn"), "benchmarks.peers.sqlmodel_app:app"]
    command += ["--port", str(port), "--log-level", "error", "--no-access-log"]
    return _serve(engine, url, [*command, "--workers", str(workers(engine))], port)


def driver_url(url: str) -> str:
    """Return the address of a database with its driver."""
    return url.replace("postgresql://", "postgresql+psycopg://")


def _serve(
    engine: Engine, url: str, command: list[str], port: int
) -> AbstractContextManager[Server]:
    environment = {"DATABASE_URL": driver_url(url)}
    pinned = isinstance(engine, Sqlite)
    return servers.running(command, port, "/incidents?limit=1", pinned=pinned, **environment)


@contextmanager
def datasette(file: Path) -> Iterator[Server]:
    """Serve a file by Datasette: immutable, with its counts known, and nothing suggested."""
    port = servers.free_port()
    counts = file.with_suffix(".inspect.json")
    if not counts.exists():
        inspect = [str(ENVIRONMENT / "datasette"), "inspect", str(file), "--inspect-file"]
        subprocess.run([*inspect, str(counts)], check=True)
    settings = {
        "num_sql_threads": THREADS,
        "cache_size_kb": 3584,
        "suggest_facets": 0,
        "allow_facet": 0,
        "sql_time_limit_ms": 20_000,
    }
    command = [str(ENVIRONMENT / "datasette"), "serve", "--immutable", str(file), "--port"]
    command += [str(port), "--inspect-file", str(counts), "--metadata"]
    command += [str(ROOT / "benchmarks" / "peers" / "datasette.json")]
    for name, value in settings.items():
        command += ["--setting", name, str(value)]
    with servers.running(command, port, "/-/versions.json") as server:
        yield server
