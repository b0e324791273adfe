"""The peers' databases, filled once from a data set of ours, and the plans of their queries."""

import json
import os
import re
import sqlite3
import subprocess
import sys
import urllib.request
from pathlib import Path

from benchmarks import datasets
from benchmarks.datasets import CACHE, Engine, Postgresql, Sqlite
from benchmarks.peers.serving import ENVIRONMENT, driver_url
from benchmarks.servers import ROOT, Server
from benchmarks.services import chosen


def orm_database(engine: Engine, size: int) -> str:
    """Return the address of the ORM peers' tables on ENGINE."""
    ours = Sqlite().dataset(size)
    name = f"peer_{size}_{_fingerprint()}"
    if isinstance(engine, Postgresql):
        if name not in engine.cluster.databases():
            _fill(ours, driver_url(engine.cluster.copy("filling")))
            engine.cluster.run("VACUUM ANALYZE", "filling")
            engine.cluster.rename("filling", name)
        return engine.cluster.url(name)
    path = CACHE / f"{name}.sqlite"
    if not path.exists():
        filling = CACHE / "filling.sqlite"
        engine.drop(f"sqlite:///{filling}")
        _fill(ours, f"sqlite:///{filling}")
        filling.rename(path)
    return f"sqlite:///{path}"


def datasette_file(size: int) -> Path:
    """Return the file that Datasette serves."""
    path = CACHE / f"datasette_{size}_{_fingerprint()}" / "incidents.sqlite"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        filling = path.with_name("filling.sqlite")
        filling.unlink(missing_ok=True)
        _fill(Sqlite().dataset(size), str(filling), "--datasette")
        filling.rename(path)
    return path


def _fingerprint() -> str:
    return datasets.fingerprint("benchmarks/peers/fill.py", "benchmarks/peers/tables.py")


def _fill(ours: str, *target: str) -> None:
    command = [sys.executable, "-m", "benchmarks.peers.fill", ours.removeprefix("sqlite:///")]
    subprocess.run([*command, *target], cwd=ROOT, check=True)


def print_plans(engine: Engine, size: int) -> None:
    """Print the plans of what the peers run on ENGINE."""
    url = driver_url(orm_database(engine, size))
    id_, _ = chosen(engine.dataset(size))
    for peer, python in (("orm", sys.executable), ("sqlmodel", str(ENVIRONMENT / "python"))):
        print(f"plans of {peer} on {engine.name}, a page and one record:", flush=True)
        command = [python, "-m", "benchmarks.peers.plans", peer, id_]
        subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "DATABASE_URL": url})


def print_datasette_plan(file: Path, server: Server, paths: dict[str, str]) -> None:
    """Print the plan of each statement that Datasette says it runs for PATHS."""
    connection = sqlite3.connect(file)
    for name, path in paths.items():
        with urllib.request.urlopen(server.address + path) as answer:
            query = json.load(answer).get("query")
        if query:
            given = {str(key): value for key, value in query["params"].items()}
            rows = connection.execute(f"EXPLAIN QUERY PLAN {query['sql']}", given).fetchall()
            where = re.sub(r"\s+", " ", query["sql"].partition("from")[2])
            print(f"plan of Datasette, {name}: {'; '.join(row[-1] for row in rows)} (from{where})")
    connection.close()
