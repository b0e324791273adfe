"""Reads: against a bare route, against the peers, against a smaller data set; and a search."""

import sqlite3
import urllib.parse
from contextlib import ExitStack
from pathlib import Path

from benchmarks import records, servers, services
from benchmarks.datasets import Engine, Sqlite
from benchmarks.peers import databases, serving
from benchmarks.rows import Goal
from benchmarks.runs import Run
from benchmarks.services import API, READS

SMALLER = 10  # the data set that growth is measured against is so many times smaller
_LIMIT = {
    "newest": Goal(0.45, 0.6),
    "one": Goal(0.65, 0.8),
    "city": Goal(0.3, 0.4),
    "pair": Goal(0.25, 0.4),
    "arrests": Goal(0.25, 0.4),
}
_ON_POSTGRESQL = {"newest": Goal(8, 15), "one": Goal(4, 8)}
_SQLMODEL = {"newest": Goal(30, 60), "one": Goal(8, 12)}
_DATASETTE = {"newest": Goal(8, 12), "one": Goal(5, 8), "deep": Goal(15, 40)}
_SEARCH = {"sqlite": Goal(5, 3, less=True), "postgresql": Goal(15, 8, less=True)}
_GROWTH = Goal(0.85, 0.95)


def against_the_limit(run: Run) -> None:
    """Measure each read against a bare route that returns the same bytes."""
    for engine in run.engines:
        rows = [
            run.row(f"{what} / bare Flask, same bytes", engine, "%", {"sqlite": _LIMIT[name]})
            for name, what in READS.items()
        ]
        with services.ours(engine, engine.dataset(run.size)) as ours:
            bodies = {name: ours.body(name) for name in READS}
            with services.limit(engine, bodies) as bare:
                pairs = [((ours.server, ours.paths[name]), (bare, f"/{name}")) for name in READS]
                run.compare(rows, pairs)


def against_orm_peers(run: Run) -> None:
    """Measure a page and a record against both ORM peers, on either engine."""
    for engine in run.engines:
        databases.print_plans(engine, run.size)
        url = databases.orm_database(engine, run.size)
        for peer, serve in (("SQLModel", serving.sqlmodel), ("the ORM stack", serving.orm)):
            goals = {
                name: {"postgresql": _ON_POSTGRESQL[name]}
                | ({"sqlite": _SQLMODEL[name]} if peer == "SQLModel" else {})
                for name in _SQLMODEL
            }
            rows = [
                run.row(f"{READS[name]} / {peer}", engine, "x", goal)
                for name, goal in goals.items()
            ]
            with (
                services.ours(engine, engine.dataset(run.size)) as ours,
                serve(engine, url) as theirs,
            ):
                asked = {"newest": "/incidents", "one": f"/incidents/{ours.id}"}
                pairs = [
                    ((ours.server, ours.paths[name]), (theirs, path))
                    for name, path in asked.items()
                ]
                run.compare(rows, pairs)


def against_datasette(run: Run) -> None:
    """Measure a page, a record and a deep page against Datasette, which has SQLite alone."""
    engine = next((engine for engine in run.engines if isinstance(engine, Sqlite)), None)
    if engine is None:
        return
    depth = min(100_000, run.size // 2)
    file = databases.datasette_file(run.size)
    with services.ours(engine, engine.dataset(run.size)) as ours, serving.datasette(file) as theirs:
        paths = _datasette_paths(file, ours.id, depth)
        databases.print_datasette_plan(file, theirs, paths)
        own = ours.paths | dict.fromkeys(("deep", "canned"), ours.deep(depth))
        names = {
            **{name: f"{READS[name]} / Datasette" for name in ("newest", "one")},
            "deep": f"page {depth // 50:,} deep / Datasette",
            "canned": f"page {depth // 50:,} deep / Datasette, a canned query",
        }
        goals = _DATASETTE | {"canned": _DATASETTE["deep"]}
        rows = [run.row(what, engine, "x", {"sqlite": goals[name]}) for name, what in names.items()]
        run.compare(rows, [((ours.server, own[name]), (theirs, paths[name])) for name in names])


def _datasette_paths(file: Path, id_: str, depth: int) -> dict[str, str]:
    with sqlite3.connect(file) as connection:
        day, last = connection.execute(
            "SELECT sort_date, id FROM incidents ORDER BY sort_date DESC, id LIMIT 1 OFFSET ?",
            (depth,),
        ).fetchone()
    connection.close()
    form = "_shape=objects&_nocount=1&_nofacet=1&_nosuggest=1"
    newest = f"/incidents/incidents.json?_size=50&_sort_desc=sort_date&{form}"
    where = urllib.parse.urlencode({"day": day, "id": last})
    return {
        "newest": newest,
        "one": f"/incidents/incidents/{id_}.json?_shape=objects",
        "deep": f"{newest}&_next={day}%2C{last}",
        "canned": f"/incidents/older.json?{where}&_shape=objects",
    }


def against_a_smaller_one(run: Run) -> None:
    """Measure each read against the same on a data set ten times smaller."""
    small = run.size // SMALLER
    for engine in run.engines:
        rows = [
            run.row(f"{what}: {run.size:,} / {small:,}", engine, "%", {engine.name: _GROWTH})
            for what in READS.values()
        ]
        with ExitStack() as stack:
            ours, theirs = (
                stack.enter_context(services.ours(engine, engine.dataset(size)))
                for size in (run.size, small)
            )
            pairs = [
                ((ours.server, ours.paths[name]), (theirs.server, theirs.paths[name]))
                for name in READS
            ]
            run.compare(rows, pairs)


def search(run: Run) -> None:
    """Measure a search for a word that one record of ten has, on one connection."""
    for engine in run.engines:
        name = "search for a word in 10 % of the records, one connection, p50"
        row = run.row(name, engine, "ms", _SEARCH)
        with services.ours(engine, engine.dataset(run.size)) as ours:
            path = f"{API}/search?q={records.COMMON_WORD}"
            servers.warm_up(ours.server, path)
            for _ in range(run.pairs):
                found = run.load(ours.server, path, connections=1)
                row.ours.append(found)
                row.add(found.p50, found.others)


def rates(engine: Engine, size: int, seconds: float) -> dict[str, float]:
    """Return the rate of each read at a size, for the curve of growth."""
    run = Run(size, 1, seconds, [engine])
    with services.ours(engine, engine.dataset(size)) as ours:
        return {name: run.load(ours.server, ours.paths[name]).rate for name in READS}
