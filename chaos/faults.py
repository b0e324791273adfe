"""Faults of what the service stands on: what its clients see of each, and that nothing is lost.

Disk full and read-only file system need root (a small tmpfs is mounted); the others Redis, or
libfaketime, or PostgreSQL. What is missing is said, and passed over.
"""

import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chaos.databases import Server
from chaos.services import Service, say, workplace
from chaos.writers import INCIDENTS, Writers, ask, reckon
from tests import builders
from tests.proxies import Proxy
from tests.servers import free_port


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a small file system in memory."""
    place = folder / "disk"
    place.mkdir()
    options = f"size={megabytes}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def probe(service: Service, key: str, number: int = 20) -> tuple[Counter[int], Counter[int]]:
    """Read and write so many times; count the statuses of reads and of writes."""
    reads: Counter[int] = Counter()
    writes: Counter[int] = Counter()
    kinds: Counter[str] = Counter()
    for place in range(number):
        reads[ask(service.address, "GET", f"{INCIDENTS}?limit=5").status] += 1
        body = builders.incident(title=f"Probe {time.time_ns()}", date=f"19{10 + place}")
        path = f"{INCIDENTS}?allow_duplicate=true"
        made = ask(service.address, "POST", path, body, Authorization=f"Bearer {key}")
        writes[made.status] += 1
        if made.status not in (201, 0):
            kinds[made.json["type"]] += 1
    if kinds:
        say(f"    refused with {dict(kinds)}")
    return reads, writes


def print_row(what: str, seen: tuple[Counter[int], Counter[int]]) -> None:
    """Print what clients were answered."""
    reads, writes = (", ".join(f"{n} x {s}" for s, n in kind.items()) for kind in seen)
    say(f"  {what}: reads {reads}; writes {writes}")


def _reckon(service: Service, writers: Writers) -> None:
    """Print what the writers were answered, and that all that was acknowledged to them is there."""
    writers.stop()
    say("  writers saw", **{f"x {s or 'none'}": n for s, n in writers.answers.items()})
    say("  found", **reckon(service, writers))


def disk_full(folder: Path) -> None:
    """Fill the disk under the database, then give it room again."""
    with small_disk(folder, 120) as disk:
        service = Service(folder, f"sqlite:///{disk / 'incidents.sqlite'}")
        key = service.set_up()
        service.start()
        writers = Writers(service.address, key, number=2)
        try:
            print_row("before", probe(service, key))
            room = shutil.disk_usage(disk).free
            with (disk / "ballast").open("wb") as ballast:
                ballast.write(b"\0" * (room - 64 * 1024))
            writers.start()
            time.sleep(3)
            seen = probe(service, key)
            print_row("full", seen)
            assert set(seen[0]) == {200}
            assert 507 in seen[1]
            assert set(seen[1]) <= {201, 507}
            (disk / "ballast").unlink()
            seen = probe(service, key)
            print_row("with room again", seen)
            assert (set(seen[0]), set(seen[1])) == ({200}, {201})
            _reckon(service, writers)
        finally:
            writers.stop()
            service.stop()


def read_only(folder: Path) -> None:
    """Let the file system be read-only when the service starts, then writable again."""
    with small_disk(folder, 200) as disk:
        service = Service(folder, f"sqlite:///{disk / 'incidents.sqlite'}")
        key = service.set_up()
        writers = Writers(service.address, key, number=2)
        try:
            service.start()
            writers.start()
            print_row("before", probe(service, key))
            for number in service.processes():  # as a crash leaves it: with its journal
                os.kill(number, 9)
            time.sleep(1)
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            service.start()
            seen = probe(service, key)
            print_row("read-only", seen)
            assert set(seen[0]) == {200}
            assert set(seen[1]) <= {503, 507}
            subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
            for number in service.processes():
                os.kill(number, 9)
            time.sleep(1)
            service.start()
            seen = probe(service, key)
            print_row("writable again", seen)
            assert (set(seen[0]), set(seen[1])) == ({200}, {201})
            _reckon(service, writers)
        finally:
            writers.stop()
            service.stop()


def limiter_store(folder: Path) -> None:
    """Kill the store of the rate limits, and start it again."""
    port = free_port()
    command = ["redis-server", "--port", f"{port}", "--save", "", "--bind", "127.0.0.1"]
    store = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    service = Service(
        folder,
        f"sqlite:///{folder / 'incidents.sqlite'}",
        RATELIMIT_ENABLED=True,
        RATELIMIT_STORAGE=f"redis://127.0.0.1:{port}",
        RATELIMIT_WRITES="100000/minute",
    )
    writers = None
    try:
        key = service.set_up()
        service.start()
        writers = Writers(service.address, key, number=2)
        writers.start()
        print_row("before", probe(service, key))
        store.kill()
        store.wait()
        began = time.monotonic()
        seen = probe(service, key)
        print_row(f"without its store, {time.monotonic() - began:.1f} s for all", seen)
        assert (set(seen[0]), set(seen[1])) == ({200}, {201})
        _reckon(service, writers)
    finally:
        if writers:
            writers.stop()
        service.stop()
        store.kill()
        store.wait()


def slow_database(folder: Path) -> None:
    """Hold back each of the database's answers, freeze it, and let it go on."""
    server = Server(folder)
    proxy = Proxy(server.url)
    service = Service(folder, proxy.url, FAILOVER_WAIT=2, STATEMENT_TIMEOUT=5)
    writers = None
    try:
        key = service.set_up()
        service.start()
        writers = Writers(service.address, key, number=2)
        writers.start()
        print_row("before", probe(service, key, 5))
        proxy.delay = 0.05
        print_row("each answer 50 ms late", probe(service, key, 5))
        proxy.delay = 0.0
        proxy.frozen.set()
        began = time.monotonic()
        seen = probe(service, key, 3)
        print_row(f"frozen, {(time.monotonic() - began) / 6:.1f} s an answer", seen)
        assert set(seen[0]) | set(seen[1]) == {503}
        proxy.frozen.clear()
        time.sleep(1)
        seen = probe(service, key, 5)
        print_row("answering again", seen)
        assert (set(seen[0]), set(seen[1])) == ({200}, {201})
        _reckon(service, writers)
    finally:
        if writers:
            writers.stop()
        service.stop()
        proxy.refuse()
        server.stop()


def clock_jumps(folder: Path) -> None:
    """Let the clock jump by hours, forwards and back, while records are written."""
    clock = folder / "clock"
    clock.write_text("+0")
    service = Service(
        folder,
        f"sqlite:///{folder / 'incidents.sqlite'}",
        LD_PRELOAD=_libfaketime(),
        FAKETIME_TIMESTAMP_FILE=clock,
        FAKETIME_NO_CACHE=1,
        FAKETIME_DONT_FAKE_MONOTONIC=1,
    )
    key = service.set_up()
    service.start()
    writers = Writers(service.address, key, number=2)
    try:
        writers.start()
        times = []
        for jump in ("+0", "+3h", "-20h", "+0", "+20h", "-1y", "+0"):
            clock.write_text(jump)
            seen = probe(service, key, 5)
            times.append(_last_change(service))
            print_row(f"clock at {jump}, the last change at {times[-1]}", seen)
            assert set(seen[0]) == {200}
            assert 201 in seen[1]
            assert set(seen[1]) <= {201, 503}
        assert times != sorted(times), "the service has another clock"
        _reckon(service, writers)
    finally:
        writers.stop()
        service.stop()


def _last_change(service: Service) -> str:
    page = ask(service.address, "GET", "/api/v1/changes?since=0&documents=false&limit=1000").json
    return f"{page['data'][-1]['at']}"


def _libfaketime() -> str | None:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return f"{found[0]}" if found else None


FAULTS: dict[str, tuple[Callable[[Path], None], Callable[[], object], str]] = {
    "disk full": (disk_full, lambda: os.geteuid() == 0, "root"),
    "read-only file system": (read_only, lambda: os.geteuid() == 0, "root"),
    "limiter store dies": (limiter_store, lambda: shutil.which("redis-server"), "redis-server"),
    "slow and frozen database": (slow_database, lambda: True, "PostgreSQL"),
    "clock jumps": (clock_jumps, _libfaketime, "libfaketime"),
}


def main() -> None:
    """Try every fault; FAULT= chooses one."""
    wanted = os.environ.get("FAULT")
    for name, (fault, can, needs) in FAULTS.items():
        if wanted and wanted != name:
            continue
        if not can():
            say(f"{name}: passed over, needs {needs}")
            continue
        say(name)
        with workplace() as folder:
            fault(folder)


if __name__ == "__main__":
    main()
