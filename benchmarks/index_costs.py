"""What each index of a table takes of the disk, and what it adds to an insert."""

import sqlite3
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

TABLE = "incidents"
ROWS = 2_000  # that are inserted at a time
ALONE = 50  # inserts that are a transaction each, for what they write into the log
ROUNDS = 5


@dataclass(frozen=True)
class Cost:
    """What an index takes: bytes on disk, microseconds and bytes of the log for an insert."""

    bytes: int
    microseconds: float
    logged: float


def sqlite_costs(path: Path) -> dict[str, Cost]:
    """Return the cost of each index in the SQLite file at PATH, which is changed."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("synchronous = OFF", "wal_autocheckpoint = 0", "cache_size = -200000"):
            connection.execute(f"PRAGMA {pragma}")
        columns = _columns([row[1] for row in connection.execute(f"PRAGMA table_info({TABLE})")])
        fresh = "lower(hex(randomblob(5)))"
        connection.execute(
            f"CREATE TEMP TABLE fresh AS SELECT {fresh} AS id, {columns} FROM {TABLE} "
            f"ORDER BY random() LIMIT {ROWS}"
        )
        sizes = dict(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
        made = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? "
            "AND sql IS NOT NULL ORDER BY name",
            (TABLE,),
        ).fetchall()
        insert = f"INSERT INTO {TABLE} (id, {columns}) SELECT id, {columns} FROM fresh"

        def seconds() -> float:
            connection.execute("BEGIN")
            began = time.process_time()
            connection.execute(insert)
            taken = time.process_time() - began
            connection.execute("ROLLBACK")
            return taken

        def logged() -> float:
            log = path.with_name(f"{path.name}-wal")
            (last,) = connection.execute(f"SELECT max(pk) FROM {TABLE}").fetchone()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            for row in range(ALONE):
                connection.execute(f"{insert} WHERE rowid = ?", (row + 1,))
            written = log.stat().st_size
            connection.execute(f"DELETE FROM {TABLE} WHERE pk > ?", (last,))
            return written / ALONE

        logged()  # pages that have no room for these rows are split from now on
        costs = {}
        for name, sql in made:
            before, with_it = _median(seconds), logged()
            connection.execute(f"DROP INDEX {name}")
            without, log_without = _median(seconds), logged()
            connection.execute(sql)
            logged()  # it is made without room in its pages
            microseconds = (before - without) * 1e6 / ROWS
            costs[name] = Cost(sizes[name], microseconds, with_it - log_without)
        return costs


def postgresql_costs(url: str) -> dict[str, Cost]:
    """Return the cost of each index in the PostgreSQL database at URL."""
    with psycopg.connect(url, autocommit=True) as connection:
        names = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
            "AND NOT attisdropped ORDER BY attnum",
            (TABLE,),
        )
        columns = _columns([name for (name,) in names])
        connection.execute(
            "CREATE TEMP TABLE fresh AS SELECT substr(md5(random()::text), 1, 10) AS id, "
            f"{columns} FROM {TABLE} ORDER BY random() LIMIT {ROWS}"
        )
        sizes = connection.execute(
            "SELECT indexrelid::regclass::text, pg_relation_size(indexrelid) FROM pg_index "
            "WHERE indrelid = %s::regclass AND NOT indisunique ORDER BY 1",
            (TABLE,),
        ).fetchall()
        insert = f"INSERT INTO {TABLE} (id, {columns}) SELECT id, {columns} FROM fresh"
        costs = {}
        for name, size in sizes:
            both = [_insert(connection, insert, drop) for drop in ("", name) for _ in range(ROUNDS)]
            with_it, without = both[:ROUNDS], both[ROUNDS:]
            costs[name] = Cost(
                size,
                (_least(with_it, 0) - _least(without, 0)) * 1e6 / ROWS,
                (_least(with_it, 1) - _least(without, 1)) / ROWS,
            )
        return costs


def _insert(connection: psycopg.Connection[Any], insert: str, drop: str) -> tuple[float, float]:
    """Return the seconds of the processor and the bytes of the log that an insert takes."""
    with connection.transaction(force_rollback=True):
        if drop:
            connection.execute(f"DROP INDEX {drop}")
        backend = connection.info.backend_pid
        before = _seconds(backend)
        plan = connection.execute(f"EXPLAIN (ANALYZE, WAL, FORMAT JSON) {insert}").fetchone()
        seconds = _seconds(backend) - before
        assert plan is not None
        return seconds, float(plan[0][0]["Plan"]["WAL Bytes"])


def _seconds(pid: int) -> float:
    """Return the seconds of the processor that a process has used, in nanoseconds' detail."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _columns(names: list[str]) -> str:
    return ", ".join(name for name in names if name not in ("pk", "id"))


def _median(measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(ROUNDS))


def _least(found: list[tuple[float, float]], place: int) -> float:
    """Return the least of the rounds: others, and whole pages in the log, only add to it."""
    return min(each[place] for each in found)
