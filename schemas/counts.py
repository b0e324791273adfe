"""Hold a count with its bounds: known, open, or not reported.

How a figure is put in words, by which of its members are given:

| low | best | high | text |
|---|---|---|---|
| | | | `not reported` |
| 13 | 13 | 13 | `13` |
| 25 | | | `at least 25` |
| | | 5 | `at most 5` |
| 100 | | 200 | `100–200` |
| | 3000 | | `about 3,000` |
| 100 | 150 | 200 | `about 150 (100–200)` |
| 25 | 30 | | `about 30 (at least 25)` |
| 25 | 25 | | `25 or more` |
| | 30 | 50 | `about 30 (at most 50)` |
| | 50 | 50 | `50 or fewer` |

Null is not zero: 0 is reported as none, and nothing is below it, so at most 0 is `0`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

COUNT_FIELDS = ("arrests", "injuries", "deaths", "participants", "injuries_police")
MAXIMUM = 10**9
# The members of a figure's bounds in a record's state, by the field.
BOUNDS = {name: (f"{name}_low", f"{name}_high") for name in COUNT_FIELDS}

Member = Literal["best", "low", "high"]
Match = Literal["possible", "certain"] | None


class Problem(NamedTuple):
    """Name the member of a figure that does not fit, and say why."""

    member: Member
    detail: str


@dataclass(frozen=True, slots=True)
class Figure:
    """Hold the lower bound, the best figure and the upper bound of a count, each None if unknown.

    All three None means not reported; a bound of None beside a figure is an open end.
    """

    low: int | None
    best: int | None
    high: int | None

    @property
    def reported(self) -> bool:
        """Whether there is any figure at all; 0 is one."""
        return not (self.low is None and self.best is None and self.high is None)

    @property
    def exact(self) -> bool:
        """Whether the count is known exactly: low = best = high."""
        return self.best is not None and self.low == self.best == self.high

    @property
    def sort_figure(self) -> int | None:
        """Return the figure to sort by: the best, else the lower bound; None sorts last."""
        return self.low if self.best is None else self.best

    @property
    def text(self) -> str:
        """Say the figure for people, as in the table above."""
        if self is NOT_REPORTED:
            return "not reported"  # as most are
        bounds = self._bounds_text
        if self.best is None or self.exact:
            return bounds
        best = f"{self.best:,}"
        if not bounds:
            return f"about {best}"
        if self.high is None and self.low == self.best:
            return f"{best} or more"
        if self.low is None and self.high == self.best:
            return f"{best} or fewer" if self.best else "0"
        return f"about {best} ({bounds})"

    @property
    def _bounds_text(self) -> str:
        if self.low is None and self.high is None:
            return "" if self.reported else "not reported"
        if self.low == self.high or self.high == 0:
            return f"{self.high:,}"
        if self.high is None:
            return f"at least {self.low:,}"
        return f"at most {self.high:,}" if self.low is None else f"{self.low:,}–{self.high:,}"

    def check(self) -> list[Problem]:
        """Return what is wrong with the figure, best first; empty where it fits.

        Each member given is 0 to MAXIMUM, and low ≤ best ≤ high.
        """
        members: dict[Member, int | None] = {"best": self.best, "low": self.low, "high": self.high}
        problems = [
            Problem(member, f"A count is 0 to {MAXIMUM:,}.")
            for member, value in members.items()
            if value is not None and not 0 <= value <= MAXIMUM
        ]
        above, top = "best figure", self.best
        if top is None:
            above, top = "upper bound", self.high
        if self.low is not None and top is not None and self.low > top:
            problems.append(Problem("low", _unfit(self.low, "above", above, top)))
        if self.high is not None and self.best is not None and self.high < self.best:
            problems.append(Problem("high", _unfit(self.high, "below", "best figure", self.best)))
        return problems


NOT_REPORTED = Figure(None, None, None)


def figure_of(state: Mapping[str, Any], name: str) -> Figure:
    """Return a figure of a record's STATE with its bounds."""
    low_name, high_name = BOUNDS[name]
    low, best, high = state[low_name], state[name], state[high_name]
    if low is None and best is None and high is None:
        return NOT_REPORTED  # as most are
    return Figure(low, best, high)


def reported_figures(state: Mapping[str, Any]) -> dict[str, Figure]:
    """Return the figures of which any member is given, by field."""
    members = ((name, state[low], state[name], state[high]) for name, (low, high) in BOUNDS.items())
    return {name: Figure(*rest) for name, *rest in members if rest != [None, None, None]}


def _unfit(bound: int, where: str, name: str, value: int) -> str:
    return (
        f"{bound:,} is {where} the {name} {value:,}. A best figure named alone sets both bounds; "
        "name a bound as null where that end is open."
    )


def name(stored: Figure, data: Mapping[str, int | None]) -> Figure:
    """Return a figure after some of its members are named, as a PATCH or a POST does.

    DATA has the keys that were named, of "best", "low" and "high"; a value of None is named too.
    The best figure named alone sets all three, None empties all. Otherwise what is named is taken
    and the rest is left as stored (NOT_REPORTED on a new record). Bounds that are then equal
    without a best figure leave one number only, which becomes it. The result may not fit: `check`.
    """
    unknown = data.keys() - {"best", "low", "high"}
    if unknown:
        raise KeyError(f"not a member of a figure: {', '.join(sorted(unknown))}")
    if data.keys() == {"best"}:
        return Figure(data["best"], data["best"], data["best"])
    low = data.get("low", stored.low)
    best = data.get("best", stored.best)
    high = data.get("high", stored.high)
    return Figure(low, low if best is None and low == high else best, high)


def put(stored: Figure, data: Mapping[str, int | None]) -> Figure:
    """Return a figure after a PUT whose body holds the members in DATA.

    A PUT replaces: a figure of which the body holds nothing becomes NOT_REPORTED, and bounds that
    come without the others are read as in a POST. Otherwise a value equal to the stored one counts
    as not named and the rest is as in `name`, except that the bounds of a count that was not exact
    stand as given. So an exact figure that was read, edited in its best figure alone and put back
    is exact again, and any other body with all three members is taken as it is: 5 with both bounds
    null is "about 5" on whatever was stored, as in a POST, and the same PUT twice gives the same
    figure.
    """
    if data.keys() not in ({"best"}, {"best", "low", "high"}):
        return name(NOT_REPORTED, data)
    members = {"best": stored.best, "low": stored.low, "high": stored.high}
    changed = {
        member: value
        for member, value in data.items()
        if value != members[member] or (member != "best" and not stored.exact)
    }
    return name(stored, changed)


def at_least(figure: Figure, number: int, match: Match = None) -> bool:
    """Whether a count satisfies `min_…=number`; the reference for the query.

    Without `match` the best figure decides, or where there is none the lower bound, which proves
    it. "certain" asks the lower bound, "possible" the upper one, where an open end may be anything.
    A count that is not reported never satisfies.
    """
    if match == "possible":
        return figure.reported and (figure.high is None or figure.high >= number)
    proof = figure.low if match == "certain" or figure.best is None else figure.best
    return proof is not None and proof >= number


def at_most(figure: Figure, number: int, match: Match = None) -> bool:
    """Whether a count satisfies `max_…=number`; the mirror image of `at_least`."""
    if match == "possible":
        return figure.reported and (figure.low is None or figure.low <= number)
    proof = figure.high if match == "certain" or figure.best is None else figure.best
    return proof is not None and proof <= number
