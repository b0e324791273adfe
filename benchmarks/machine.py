"""The machine: what it is, how loaded it is, and what others take of it while we measure."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Of one core: what other processes may take while a machine still counts as quiet.
QUIET = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")
_CORES = os.cpu_count() or 1
# Fields of /proc/PID/stat behind the name of the program: time of the process in user and system
# mode, and of its children that have ended.
_PARENT, _TIMES = 1, slice(11, 15)


def describe() -> str:
    """Return processor, cores, memory and versions in a line."""
    names = (
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return (
        f"{next(names, platform.machine())}, {_CORES} cores, {memory:.0f} GB of memory, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


class Watch:
    """What happened on the machine in a span of time.

    `load` is the load average before and after, which our own processes raise too; `others` is
    the processor time that others took, in cores; `served` the seconds of it that the servers
    took that we have started, the database's among them.
    """

    load = (0.0, 0.0)
    others = 0.0
    served = 0.0


@contextmanager
def watch() -> Iterator[Watch]:
    """Watch the machine within; what was seen is there at the end."""
    seen = Watch()
    load, clock, busy, (own, served) = os.getloadavg()[0], os.times().elapsed, _busy(), _used()
    yield seen
    seconds = os.times().elapsed - clock
    own_then, served_then = _used()
    seen.load = (load, os.getloadavg()[0])
    others = (_busy() - busy - own_then + own) / max(seconds, 1 / _TICKS)
    seen.others = min(max(0.0, others), _CORES)  # of milliseconds, ticks say little
    seen.served = served_then - served


def family(root: int) -> dict[int, list[int]]:
    """Return the process ROOT and its descendants, with their times in ticks."""
    parents, times = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        pid = int(path.parent.name)
        parents[pid] = int(fields[_PARENT])
        times[pid] = [int(ticks) for ticks in fields[_TIMES]]

    def descends(pid: int) -> bool:
        while pid in parents and pid != root:
            pid = parents[pid]
        return pid == root

    return {pid: times[pid] for pid in times if descends(pid)}


def _used() -> tuple[float, float]:
    """Return the seconds of the processor that we and all that we started used; those that run."""
    found = {pid: sum(times) / _TICKS for pid, times in family(os.getpid()).items()}
    everything = sum(found.values())
    return everything, everything - found[os.getpid()]


def _busy() -> float:
    """Return the seconds of the processor that were used, or taken by another guest."""
    with Path("/proc/stat").open() as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    idle, waiting = ticks[3:5]
    return (sum(ticks) - idle - waiting) / _TICKS


def pss(root: int) -> float:
    """Return the proportional memory, in MB, of the largest process below ROOT."""
    largest = 0.0
    for pid in family(root):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        kilobytes = next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:"))
        largest = max(largest, int(kilobytes) / 1024)
    return largest
