"""Data sets of a size on either engine, built once by the product's own import and kept.

`python -m benchmarks.datasets SIZE` builds that on SQLite. The files stay in benchmarks/.cache; a
change of the generator, the tables or the writing code makes them anew.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import machine, records
from benchmarks.postgresql import CACHE, Cluster
from benchmarks.servers import ROOT

_MADE_BY = (
    "api/migrations/versions/*.py",
    "api/documents.py",
    "api/records/rows.py",
    "api/search/*.py",
    "benchmarks/records.py",
)


def fingerprint(*more: str) -> str:
    """Return what tells data sets of this code, and of MORE files, from those of another."""
    digest = hashlib.sha256()
    for pattern in (*_MADE_BY, *more):
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def flask(url: str, *words: str) -> str:
    """Run a command of the service on the database at URL; return the last line it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "api", *words],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout.strip().rpartition("\n")[2]


class Sqlite:
    """Databases that are files in benchmarks/.cache."""

    name = "sqlite"

    def dataset(self, size: int) -> str:
        """Return the address of SIZE records, which are imported if they are not there."""
        path = self._path(f"incidents-{size}-{fingerprint()}")
        if not path.exists():
            for old in CACHE.glob(f"incidents-{size}-*"):
                if fingerprint() not in old.name:
                    old.unlink()
            making = self.empty("making")
            _import(making, size, self)
            with sqlite3.connect(self._path("making")) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
            self._path("making").rename(path)
        return f"sqlite:///{path}"

    def empty(self, name: str) -> str:
        """Return the address of a new database with the vocabularies and no record."""
        template = self._path(f"empty-{fingerprint()}")
        if not template.exists():
            prepare(f"sqlite:///{template}")
        return self.copy(f"sqlite:///{template}", name)

    def copy(self, url: str, name: str) -> str:
        """Return the address of a copy of a database that nobody writes to."""
        self.drop(f"sqlite:///{self._path(name)}")
        shutil.copy(url.removeprefix("sqlite:///"), self._path(name))
        return f"sqlite:///{self._path(name)}"

    def drop(self, url: str) -> None:
        """Remove a database."""
        path = Path(url.removeprefix("sqlite:///"))
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)

    def bytes(self, url: str) -> int:
        """Return what a database takes on disk."""
        return Path(url.removeprefix("sqlite:///")).stat().st_size

    def _path(self, name: str) -> Path:
        return CACHE / f"{name}.sqlite"


class Postgresql:
    """Databases of the benchmarks' own server."""

    name = "postgresql"

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def dataset(self, size: int) -> str:
        """Return the address of SIZE records, which are imported if they are not there."""
        name = f"incidents_{size}_{fingerprint()}"
        databases = self.cluster.databases()
        if name not in databases:
            for old in databases:
                if old.startswith(f"incidents_{size}_"):
                    self.cluster.drop(old)
            _import(self.empty("making"), size, self)
            self.cluster.run("VACUUM ANALYZE", "making")
            self.cluster.rename("making", name)
        return self.cluster.url(name)

    def empty(self, name: str) -> str:
        """Return the address of a new database with the vocabularies and no record."""
        template = f"empty_{fingerprint()}"
        if template not in self.cluster.databases():
            prepare(self.cluster.copy(template))
        return self.cluster.copy(name, template)

    def copy(self, url: str, name: str) -> str:
        """Return the address of a copy of a database that nobody is connected to."""
        return self.cluster.copy(name, _name(url))

    def drop(self, url: str) -> None:
        """Remove a database."""
        self.cluster.drop(_name(url))

    def bytes(self, url: str) -> int:
        """Return what a database takes on disk."""
        ((size,),) = self.cluster.run(f"SELECT pg_database_size('{_name(url)}')")
        return int(size)


Engine = Sqlite | Postgresql


def _name(url: str) -> str:
    return url.removeprefix("postgresql://postgres@/").partition("?")[0]


def prepare(url: str) -> None:
    """Make the tables at URL, with the gazetteer and the communities of the generator."""
    folder = CACHE / "vocabularies"
    folder.mkdir(parents=True, exist_ok=True)
    records.vocabularies(folder)
    flask(url, "db", "upgrade")
    flask(url, "documents", "upgrade")  # there are none: notes that they have every field
    flask(url, "seed", "--only", "vocabularies", "--from", str(folder))


def lines(size: int) -> Path:
    """Return a file of SIZE records, a line each."""
    path = CACHE / f"incidents-{size}-{fingerprint()}.ndjson"
    if not path.exists():
        Sqlite().empty("places")
        making = path.with_suffix(".making")
        with making.open("w", encoding="utf-8") as out:
            for record in records.incidents(size, places()):
                out.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
        making.rename(path)
    return path


def places() -> list[records.Place]:
    """Read the largest places of the gazetteer."""
    connection = sqlite3.connect(CACHE / "places.sqlite")
    rows = connection.execute(
        "SELECT geonames_id, name, country, admin1, latitude, longitude FROM places "
        "ORDER BY population DESC, geonames_id LIMIT ?",
        (records.PLACES,),
    ).fetchall()
    connection.close()
    return rows


def import_into(url: str, size: int) -> tuple[float, float]:
    """Import SIZE records; return the records a second, and what others took of the machine."""
    path = lines(size)
    with machine.watch() as seen:
        began = time.perf_counter()
        flask(url, "import", str(path))
        seconds = time.perf_counter() - began
    print(
        f"import of {size:,} in {seconds:.1f} s; load {seen.load[0]:.1f} to {seen.load[1]:.1f}, "
        f"others {seen.others:.2f} cores",
        flush=True,
    )
    return size / seconds, seen.others


def notes(engine: Engine, size: int) -> dict[str, Any]:
    """Return what was noted of the data set when it was built: its import, and bytes on disk."""
    engine.dataset(size)
    found: dict[str, Any] = json.loads(_notes(engine, size).read_text())
    return found


def _import(url: str, size: int, engine: Engine) -> None:
    before = engine.bytes(url)
    rate, others = import_into(url, size)
    noted = {"rate": rate, "others": others, "empty_bytes": before, "date": time.strftime("%F")}
    _notes(engine, size).write_text(json.dumps(noted))


def _notes(engine: Engine, size: int) -> Path:
    return CACHE / f"incidents-{size}-{engine.name}-{fingerprint()}.json"


if __name__ == "__main__":
    Sqlite().dataset(int(sys.argv[1].replace("_", "")))
