"""Measure the service against the limit and its peers, in one run on one machine.

`make bench SIZE=1000000` builds the data sets (once), measures every row of the goals and prints
one table: medians of pairs that were measured in turn, with their intervals. A goal is reached when
the worse end of the interval reaches it, on a machine that nobody else uses. `--curve` measures how
rates change with the size, and draws benchmarks/growth.svg.
"""

import argparse
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack

from benchmarks import footprint, growth, machine, postgresql, reads, waits, writes
from benchmarks.datasets import CACHE, Engine, Postgresql, Sqlite
from benchmarks.rows import table
from benchmarks.runs import Run

PARTS: dict[str, Callable[[Run], None]] = {
    "limit": reads.against_the_limit,
    "datasette": reads.against_datasette,
    "orm": reads.against_orm_peers,
    "search": reads.search,
    "posts": writes.posts,
    "imports": writes.imports,
    "smaller": reads.against_a_smaller_one,
    "start": waits.first_answer,
    "statistics": waits.after_a_write,
    "export": waits.export,
    "memory": footprint.memory,
    "disk": footprint.disk,
    "clone": waits.clone,
}


def engines(stack: ExitStack, names: list[str]) -> list[Engine]:
    """Return the engines by their NAMES, with a server for PostgreSQL, and print what they are."""
    CACHE.mkdir(exist_ok=True)
    found: list[Engine] = []
    if "sqlite" in names:
        found.append(Sqlite())
        print(f"SQLite {sqlite3.sqlite_version}, WAL, synchronous FULL; a server has one core")
    if "postgresql" in names:
        cluster = stack.enter_context(postgresql.running())
        found.append(Postgresql(cluster))
        print(f"{cluster.label}; it shares both cores with servers of two workers and with wrk")
    return found


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--engines", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--curve", type=int, metavar="LARGEST", help="the curve, up to so many")
    options = parser.parse_args()
    print(f"{time.strftime('%F %H:%M')}: {machine.describe()}, load {os.getloadavg()[0]:.1f}")
    with ExitStack() as stack:
        run = Run(options.size, options.pairs, options.seconds, engines(stack, options.engines))
        if options.curve is not None:
            growth.draw(run.engines, options.seconds, options.curve)
            return
        for name in options.only:
            began = time.perf_counter()
            print(f"{name}:", flush=True)
            PARTS[name](run)
            print(f"{name} took {time.perf_counter() - began:.0f} s", flush=True)
    print(f"\n{options.size:,} records, {options.pairs} pairs of {options.seconds} s\n")
    print(table(run.rows))
    most = max((others for row in run.rows for others in row.others), default=0.0)
    if most > machine.QUIET:
        print(
            f"\nOTHERS USED THIS MACHINE, up to {most:.2f} of its cores: "
            "these figures say what it gave us, and no rate or time is called reached."
        )


if __name__ == "__main__":
    main()
