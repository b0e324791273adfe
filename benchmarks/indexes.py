"""Whether the indexes of incidents earn their keep: `python -m benchmarks.indexes --size 100000`.

For each index, on each engine by itself: the bytes that it takes a record, the requests whose plans
use it, and what it adds to an insert, in microseconds of the processor and in bytes of the
write-ahead log. It works on a copy. What only foreign keys and constraints use has no plan.
"""

import argparse
import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from api import create_app
from benchmarks import datasets, index_costs, index_readers, machine, records
from benchmarks.datasets import Engine
from benchmarks.run import engines
from benchmarks.writes import key

SHOWN = 4  # requests that are named of those that use an index


def measure(engine: Engine, size: int) -> None:
    """Print the table of one engine."""
    url = engine.copy(engine.dataset(size), "indexes")
    if engine.name == "sqlite":
        costs = index_costs.sqlite_costs(Path(url.removeprefix("sqlite:///")))
    else:
        costs = index_costs.postgresql_costs(url)
    url = engine.copy(engine.dataset(size), "indexes")
    with tempfile.TemporaryDirectory() as folder:
        settings = {"DATABASE_URL": url, "RATELIMIT_ENABLED": False}
        app = create_app({**settings, "ERASURE_LOG": f"{folder}/erasures.ndjson"})
        bodies = list(records.incidents(3, datasets.places(), seed=13))
        readers = index_readers.readers(app, key(url, "admin"), bodies, set(costs))
    print(f"\n{engine.name}, {size:,} records\n")
    print("| index | bytes a record | µs an insert | log, bytes an insert | read by |")
    print("| --- | --- | --- | --- | --- |")
    for name, cost in costs.items():
        used = sorted(readers[name], key=len)
        shown = ", ".join(f"`{request}`" for request in used[:SHOWN])
        print(
            f"| {name} | {cost.bytes / size:,.0f} | {cost.microseconds:.1f} | {cost.logged:,.0f} | "
            f"{len(used)}{': ' if used else ''}{shown} |"
        )
    each = sum(cost.bytes for cost in costs.values()) / size
    print(f"\nall of them: {len(costs)}, {each:,.0f} bytes a record")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--engines", nargs="+", default=["sqlite", "postgresql"])
    options = parser.parse_args()
    print(f"{time.strftime('%F %H:%M')}: {machine.describe()}, load {os.getloadavg()[0]:.1f}")
    with ExitStack() as stack:
        for engine in engines(stack, options.engines):
            measure(engine, options.size)


if __name__ == "__main__":
    main()
