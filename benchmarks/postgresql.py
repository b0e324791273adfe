"""A PostgreSQL server of our own, which keeps what it was told through a power cut.

Its files stay in benchmarks/.cache, with the databases of the data sets.
"""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.servers import ROOT
from tests import tools
from tests.engines import account

CACHE = ROOT / "benchmarks" / ".cache"
# What differs from PostgreSQL's defaults; fsync, full_page_writes and synchronous_commit stand as
# they are: on.
SETTINGS = {
    "shared_buffers": "1GB",
    "effective_cache_size": "2GB",
    "max_wal_size": "4GB",
    "random_page_cost": "1.1",
}


class Cluster:
    """A server that runs, reached by its socket alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def url(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def run(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement; return its rows."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def databases(self) -> set[str]:
        """Return the names of all databases."""
        return {name for (name,) in self.run("SELECT datname FROM pg_database")}

    def copy(self, name: str, template: str = "template0") -> str:
        """Make a database like the TEMPLATE anew; return its address."""
        self.drop(name)
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8' STRATEGY file_copy")
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, with whoever is connected."""
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def rename(self, name: str, to: str) -> None:
        """Rename a database."""
        self.run(f"ALTER DATABASE {name} RENAME TO {to}")

    @property
    def label(self) -> str:
        """Return the version and all settings that differ from the defaults."""
        (version,) = self.run("SHOW server_version")[0]
        settings = ", ".join(f"{name} {value}" for name, value in SETTINGS.items())
        return f"PostgreSQL {version.split()[0]}, fsync on; {settings}"


@contextmanager
def running() -> Iterator[Cluster]:
    """Run the server."""
    found = str(tools.find("postgresql"))
    if not Path(found).is_dir():
        raise SystemExit("PostgreSQL's server programs are needed here, or --engines sqlite.")
    programs = Path(found)
    data, who = CACHE / "postgresql", account()
    if not data.exists():
        data.mkdir(parents=True)
        if who:
            shutil.chown(data, who["user"], who["group"])
        _initialise(programs, data, who)
    options = {**SETTINGS, "listen_addresses": "", "unix_socket_directories": data}
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    with (CACHE / "postgresql.log").open("wb") as log:
        command = [str(programs / "postgres"), "-D", str(data), *words]
        process = subprocess.Popen(command, cwd=data, stdout=log, stderr=log, **who)
    try:
        _wait(process, Cluster(data))
        yield Cluster(data)
    finally:
        process.send_signal(signal.SIGINT)  # the fast way: it waits for no client
        process.wait()


def _initialise(programs: Path, data: Path, who: dict[str, Any]) -> None:
    command = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    subprocess.run(
        [*command, "--locale=C.UTF-8"], cwd=data, check=True, stdout=subprocess.DEVNULL, **who
    )


def _wait(process: subprocess.Popen[bytes], cluster: Cluster) -> None:
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        try:
            cluster.run("SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"PostgreSQL did not start:\n{(CACHE / 'postgresql.log').read_text()}")
