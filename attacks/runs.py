"""Runs: a case played on a stage, what it did to others, and whether that is too much."""

import time
from dataclasses import dataclass, field

from attacks import stages
from attacks.cases import CASES, LOCKED
from attacks.clients import Attacker
from attacks.meters import Meter
from attacks.stages import EXPORT_BYTES, Stage
from attacks.victims import percentile

# What a victim may wait in the 99th percentile: so many times as before, or so many seconds.
MOST_TIMES, MOST_SECONDS = 3, 0.1
MOST_WORKER_BYTES = 200_000_000
# Files that are kept, as much again on its way in each of two workers, and a body that comes in.
MOST_DISK_BYTES = 3 * EXPORT_BYTES + 70_000_000
_QUIET = 3.0


@dataclass
class Outcome:
    """What a case showed: seconds of the 99th percentile before and within, and what was taken."""

    case: str
    reads: tuple[float, float]
    writes: tuple[float, float]
    failures: int
    worker_bytes: int
    disk_bytes: int
    longest_answer: float
    statuses: dict[int, int] = field(default_factory=dict)

    def faults(self) -> list[str]:
        """Return what was too much."""
        found = []
        for what, (quiet, disturbed) in (("reads", self.reads), ("writes", self.writes)):
            if what == "writes" and self.case in LOCKED:
                continue
            if disturbed > max(MOST_SECONDS, MOST_TIMES * quiet):
                found.append(f"{what} waited {1000 * disturbed:.0f} ms")
        return found + self.harms()

    def harms(self) -> list[str]:
        """Return what was too much, however fast the machine is."""
        found = []
        if self.failures:
            found.append(f"{self.failures} requests of others failed")
        if self.worker_bytes > MOST_WORKER_BYTES:
            found.append(f"a worker took {self.worker_bytes / 1e6:.0f} MB")
        if self.disk_bytes > MOST_DISK_BYTES:
            found.append(f"{self.disk_bytes / 1e6:.0f} MB of disk")
        if self.statuses.get(500):
            found.append("a 500")
        return found

    def row(self) -> str:
        """Return it as a line of a table."""
        reads, writes = (
            f"{1000 * quiet:6.0f} {1000 * disturbed:6.0f}"
            for quiet, disturbed in (self.reads, self.writes)
        )
        counted = " ".join(f"{number}×{status}" for status, number in sorted(self.statuses.items()))
        figures = f"{self.worker_bytes / 1e6:6.0f} {self.disk_bytes / 1e6:6.0f}"
        return f"{self.case:24} {reads} {writes} {figures} {self.longest_answer:7.1f}  {counted}"


HEADER = (
    f"{'':24} {'reads, p99 ms':>13} {'writes':>13} {'MB':>6} {'MB':>6} {'longest':>7}\n"
    f"{'case':24} {'before':>6} {'within':>6} {'before':>6} {'within':>6}"
    f" {'worker':>6} {'disk':>6} {'s':>7}  answers"
)


def play(at: Stage, name: str, quiet: float = _QUIET) -> Outcome:
    """Play a case, and measure, after a QUIET time."""
    began = time.monotonic()
    stages.rest(quiet)
    attacked = time.monotonic()
    meter = Meter(at.address, at.exports)
    attacker = Attacker(at.address)
    try:
        CASES[name](at, attacker)
    finally:
        meter.close()
    ended = time.monotonic()
    reads, writes = (
        (victim.samples(began, attacked), victim.samples(attacked, ended))
        for victim in (at.readers, at.writers)
    )
    within = [*reads[1], *([] if name in LOCKED else writes[1])]
    return Outcome(
        name,
        (percentile(reads[0]), percentile(reads[1])),
        (percentile(writes[0]), percentile(writes[1])),
        sum(sample.status not in (200, 201) for sample in within),
        meter.worker_bytes,
        meter.disk_bytes,
        attacker.answers.longest,
        dict(attacker.answers.statuses),
    )
