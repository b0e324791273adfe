"""Kill processes at random while records are written; every acknowledged write is there, once.

On SQLite the server and its workers are killed, on PostgreSQL the database and its processes too.
The server is started again as a supervisor does it, the database as its own does.
"""

import math
import os
import random
import time
from collections import Counter
from pathlib import Path

from chaos.databases import Server
from chaos.services import Service, say, workplace
from chaos.writers import Writers, reckon

KILLS = {"sqlite": 100, "postgresql": 30}


def run(engine: str, kills: int, seed: int | None = None, most_seconds: float = math.inf) -> None:
    """Kill so many times on ENGINE, or for so long; raises AssertionError if anything was lost."""
    seed = random.randrange(10**6) if seed is None else seed
    with workplace() as folder:
        server = Server(folder) if engine == "postgresql" else None
        url = server.url if server else f"sqlite:///{folder / 'incidents.sqlite'}"
        try:
            _run(engine, folder, url, server, kills, seed, most_seconds)
        finally:
            if server:
                server.stop()


def _run(
    engine: str, folder: Path, url: str, server: Server | None, kills: int, seed: int, most: float
) -> None:
    choose = random.Random(seed)
    killed: Counter[str] = Counter()
    service = Service(folder, url, FAILOVER_WAIT=2)
    key = service.set_up()
    service.start()
    writers = Writers(service.address, key)
    try:
        writers.start()
        began = time.monotonic()
        end = began + most
        while killed.total() < kills and time.monotonic() < end:
            time.sleep(choose.uniform(0.05, 0.5))
            if server and choose.random() < 0.5:
                killed[server.kill(choose)] += 1
                server.start()
            else:
                killed[service.kill(choose)] += 1
            time.sleep(0.05)
            service.recover()
        time.sleep(5)  # a server whose workers died too fast ends by itself
        service.recover()
        writers.stop()
        took = time.monotonic() - began
        say(f"{engine}, seed {seed}, {took:.0f} s, {killed.total()} killed", **killed)
        say("  answers", **{f"x {status or 'none'}": n for status, n in writers.answers.items()})
        say("  found", **reckon(service, writers))
    except BaseException:
        say(service.log())
        raise
    finally:
        service.stop()
        writers.stop()


def main() -> None:
    """Run the proof on both engines: KILLS= and KILLS_POSTGRESQL= say how often, 0 not at all."""
    wanted = {
        "sqlite": int(os.environ.get("KILLS", KILLS["sqlite"])),
        "postgresql": int(os.environ.get("KILLS_POSTGRESQL", KILLS["postgresql"])),
    }
    for engine, kills in wanted.items():
        if kills:
            run(engine, kills)


if __name__ == "__main__":
    main()
