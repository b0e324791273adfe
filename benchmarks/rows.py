"""Rows of the table: what was measured, its interval, and whether it reaches the goal."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import comb

from benchmarks.machine import QUIET
from benchmarks.servers import Load

FEWEST = 5  # values, below which nothing is said to be reached
HEAD = ("what", "engine", "ours", "p50 / p99 ms", "theirs", "p50 / p99 ms", "result", "interval")
HEAD += ("by processor time", "goal, reach for", "others, cores", "")
# Unit -> how a value is written.
_FORMS = {"%": "{:.0%}", "x": "{:.1f} x", "ms": "{:,.1f} ms", "s": "{:,.2f} s", "MB": "{:,.0f} MB"}
_FORMS["a second"] = "{:,.0f} a second"


@dataclass(frozen=True)
class Goal:
    """What a row must show and what it reaches for: at least, or at most where LESS is better."""

    must: float
    reach: float
    less: bool = False


@dataclass
class Row:
    """One row: values that were measured one after another, each a ratio or a figure.

    `once` marks what is measured once: a size, which is the same each time, or what takes long.
    """

    name: str
    engine: str
    unit: str
    goal: Goal | None = None
    once: bool = False
    values: list[float] = field(default_factory=list)
    ours: list[Load] = field(default_factory=list)
    theirs: list[Load] = field(default_factory=list)
    others: list[float] = field(default_factory=list)

    def add_pair(self, ours: Load, theirs: Load, *, by: str = "rate") -> None:
        """Add a pair, compared BY its rates, or by its `p50`."""
        self.ours.append(ours)
        self.theirs.append(theirs)
        self.others += [ours.others, theirs.others]
        ratio = ours.rate / theirs.rate if by == "rate" else theirs.p50 / ours.p50
        self.values.append(ratio)

    def add(self, value: float, others: float) -> None:
        """Add a value, and what others took of the machine meanwhile."""
        self.values.append(value)
        self.others.append(others)

    @property
    def verdict(self) -> str:
        """Say whether the goal is reached, with the worse end of the interval."""
        if self.goal is None:
            return ""
        if not self.once and len(self.values) < FEWEST:
            return "too few values"
        if self.others and max(self.others) > QUIET:
            return "machine in use"
        low, high = interval(self.values)
        worse, sign = (high, -1) if self.goal.less else (low, 1)
        if sign * worse >= sign * self.goal.reach:
            return "reached, and beyond"
        return "reached" if sign * worse >= sign * self.goal.must else "NOT REACHED"

    def cells(self) -> list[str]:
        """Write the row for the table."""
        goal = ""
        if self.goal is not None:
            sign = "≤" if self.goal.less else "≥"
            goal = f"{sign} {self._written(self.goal.must)}, {self._written(self.goal.reach)}"
        bounds = map(self._written, interval(self.values))
        return [
            self.name,
            self.engine,
            *_rate_and_times(self.ours),
            *_rate_and_times(self.theirs),
            self._written(statistics.median(self.values)),
            " to ".join(bounds) if len(self.values) > 1 else "once",
            self._by_processor_time(),
            goal,
            f"{max(self.others):.2f}" if self.others else "",
            self.verdict,
        ]

    def _by_processor_time(self) -> str:
        """Write the ratio of what an answer took of the servers, theirs to ours."""
        pairs = zip(self.ours, self.theirs, strict=False)
        ratios = [theirs.processor / max(ours.processor, 0.001) for ours, theirs in pairs]
        if not ratios:
            return ""
        low, high = map(self._written, interval(ratios))
        return f"{self._written(statistics.median(ratios))} ({low} to {high})"

    def _written(self, value: float) -> str:
        return _FORMS[self.unit].format(value)


def interval(values: list[float]) -> tuple[float, float]:
    """Return bounds between which the true median lies at least nine times of ten.

    They are the values themselves, as many from either end as that allows: the least and the
    largest of five to seven. Nothing is assumed of how values spread.
    """
    ordered, number = sorted(values), len(values)
    place, outside = 0, 2 / 2**number
    while outside + 2 * comb(number, place + 1) / 2**number <= 0.1:
        place += 1
        outside += 2 * comb(number, place) / 2**number
    return ordered[place], ordered[-1 - place]


def _rate_and_times(loads: list[Load]) -> list[str]:
    if not loads:
        return ["", ""]
    rate, p50, p99 = (
        statistics.median(getattr(load, name) for load in loads) for name in ("rate", "p50", "p99")
    )
    return [f"{rate:,.0f} a second", f"{p50:.2f} / {p99:.2f}"]


def table(rows: Iterable[Row]) -> str:
    """Lay the rows out as a Markdown table."""
    lines = [HEAD, ["---"] * len(HEAD), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
