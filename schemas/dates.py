"""Read the dates of incidents and articles, and compare them.

| written | means | precision | bounds |
|---|---|---|---|
| `2020-07-24` | that day | `day` | itself |
| `2020-07`, `2020` | some day in it | `month`, `year` | first to last day |
| `2020-07-22/2020-07-24` | it lasted from to | `interval` | both |
| `2020-07-01..2020-07-22`, `..2020-07-22`, `2020-07-01..` | once, in it | `range` | both or one |

The forms are those of EDTF (ISO 8601-2). Input may differ from these canonical forms in three ways
that leave no doubt, and `DateSpan.text` gives the canonical form:

- blanks around the date, and EDTF's brackets around a range, are dropped;
- a range may name months or years, `2020-07..2020-08`: from the first day of the one to the last
  day of the other. (An interval may not: `2020-07/2020-08` does not say how long it lasted.)
- an interval or range with equal ends is the one date it names.

All else is a DateError, with a suggestion where one is plain.
"""

import re
from calendar import month_name, monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Literal

from schemas.date_suggestions import explain

Precision = Literal["day", "month", "year", "interval", "range"]

# What every date looks like to a regular expression; not all that looks like it is a date.
PATTERN = r"^\[?([0-9]{4}(-[0-9]{2}){0,2})?((\.\.|/)([0-9]{4}(-[0-9]{2}){0,2})?)?\]?$"
LONGEST = 64  # characters of input; the longest canonical form has 22
EARLIEST = date.min.isoformat()  # stands for an open start
LATEST = date.max.isoformat()  # stands for an open end
FORMS = (
    "A date is a day (2020-07-24), a month (2020-07), a year (2020), an interval that it lasted "
    "(2020-07-22/2020-07-24), or a range in which it was once (2020-07-01..2020-07-22, "
    "..2020-07-22, 2020-07-01..); years have four digits, 0001 to 9999."
)
# [0-9] and not \d, which also takes the digits of every other script.
_PERIOD = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
# EDTF (ISO 8601-2, 4.8): 21 to 41 in the place of the month are seasons, quarters and the like.
_SEASONS = range(21, 42)


class DateError(ValueError):
    """Say why a text is no date, and which date was probably meant.

    `message` quotes only ASCII, so it can always be encoded; `suggestion`, where not None, parses.
    """

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion


class FormError(DateError):
    """Say that a text does not have the form of a date at all."""


@dataclass(frozen=True)
class DateSpan:
    """Hold a date as far as it is known; made by `parse`.

    `start` and `end` are the bounds, both inclusive, None where a range is open. What follows from
    them is worked out once, as `parse` gives the same span for the same text.
    """

    text: str
    start: date | None
    end: date | None
    precision: Precision

    @cached_property
    def earliest(self) -> str:
        """Return the first day as ISO text, EARLIEST where the start is open."""
        return EARLIEST if self.start is None else self.start.isoformat()

    @cached_property
    def latest(self) -> str:
        """Return the last day as ISO text, LATEST where the end is open."""
        return LATEST if self.end is None else self.end.isoformat()

    @cached_property
    def sort_date(self) -> str:
        """Return the day to sort by: the start, or the end where the start is open."""
        return self.latest if self.start is None else self.earliest

    @property
    def year(self) -> str | None:
        """Return the year that holds the whole date, None where it spans several."""
        return self._common(lambda day: f"{day.year:04}")

    @property
    def month(self) -> str | None:
        """Return the month that holds the whole date, as 2020-07; None where it spans several."""
        return self._common(lambda day: f"{day.year:04}-{day.month:02}")

    @cached_property
    def week(self) -> str | None:
        """Return the ISO week that holds the whole date, as 2020-W30; None as for the month."""
        return self._common(lambda day: "{:04}-W{:02}".format(*day.isocalendar()))

    def _common(self, period_of: Callable[[date], str]) -> str | None:
        if self.start is None or self.end is None:
            return None
        period = period_of(self.start)
        return period if period == period_of(self.end) else None

    @property
    def exact(self) -> bool:
        """Whether the date is known to the day: a day, or an interval that lasted."""
        return self.precision in ("day", "interval")

    def overlaps(self, other: "DateSpan") -> bool:
        """Whether the two share a day within their bounds; symmetric."""
        return self.earliest <= other.latest and other.earliest <= self.latest

    def possible_overlap(self, window: "DateSpan") -> bool:
        """Whether it may have happened within the bounds of a window."""
        return self.overlaps(window)

    def certain_overlap(self, window: "DateSpan") -> bool:
        """Whether it must have happened within the bounds of a window.

        A day, or an interval that lasted, is certain when it overlaps; a day known only as a range,
        month or year when all of that lies inside.
        """
        if self.exact:
            return self.overlaps(window)
        return window.earliest <= self.earliest and self.latest <= window.latest

    def close_to(self, other: "DateSpan") -> bool:
        """Whether two dates are near enough for the duplicate rule; symmetric.

        Both must be known to three days or better, and be at most a day apart. Bounds of at most
        three days qualify whatever the form; the distance is then that of the nearest days. An
        interval that lasted longer is still known to the day, but is near only to what began and
        ended at most a day apart from it: a clash during a month of protest is not that protest.
        """
        if self.start is None or self.end is None or other.start is None or other.end is None:
            return False
        if self._is_short and other._is_short:
            return (max(self.start, other.start) - min(self.end, other.end)).days <= 1
        if not (self._is_short or self.exact) or not (other._is_short or other.exact):
            return False
        return max(abs((self.start - other.start).days), abs((self.end - other.end).days)) <= 1

    @cached_property
    def _is_short(self) -> bool:
        return self.start is not None and self.end is not None and (self.end - self.start).days < 3


@lru_cache(maxsize=16_384)
def parse(text: str) -> DateSpan:
    """Read a date in the grammar above.

    Raises DateError, and nothing else for any text, in time linear in the length of the text. A
    suggestion is always a canonical date.
    """
    if len(text) > LONGEST:
        raise DateError(f"A date has at most {LONGEST} characters.")
    written = text.strip()
    try:
        return _read(written)
    except FormError as fault:
        message, proposal = explain(written, period) or (fault.message, None)
    except DateError as fault:
        message, proposal = fault.message, fault.suggestion
    raise DateError(message, _canonical(proposal))


def _canonical(proposal: str | None) -> str | None:
    """Return the canonical form of a proposal, None where it is no date itself."""
    try:
        return None if proposal is None else _read(proposal).text
    except DateError:
        return None


def _read(text: str) -> DateSpan:
    """Read a date without blanks around it; a suggestion in an error is still unchecked."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") and ".." in text else text
    if ".." in bare:
        return _read_range(bare)
    if "/" in bare:
        return _read_interval(bare)
    start, end, precision = period(bare)
    return DateSpan(bare, start, end, precision)


def _read_range(text: str) -> DateSpan:
    first, _, last = text.partition("..")
    if not first and not last:
        raise DateError("A range needs a day on one side at least: 2020-07-01.. or ..2020-07-22.")
    start = _end(first, text)[0] if first else None
    end = _end(last, text)[1] if last else None
    if first == last:
        return _read(first)
    if start is not None and end is not None and start >= end:
        return _read_day_unless_reversed(first, "..", last, start, end)
    return DateSpan(f"{start or ''}..{end or ''}", start, end, "range")


def _read_interval(text: str) -> DateSpan:
    first, _, last = text.partition("/")
    (start, _, first_precision), (_, end, last_precision) = _end(first, text), _end(last, text)
    if first_precision != "day" or last_precision != "day":
        message = "An interval needs both its days: how long it lasted is not clear from months "
        raise DateError(message + "or years. Give a range instead.", f"{first}..{last}")
    if start >= end:
        return _read_day_unless_reversed(first, "/", last, start, end)
    return DateSpan(f"{start}/{end}", start, end, "interval")


def _read_day_unless_reversed(first: str, mark: str, last: str, start: date, end: date) -> DateSpan:
    """Read an interval or range of one day as that day; refuse one that runs backwards."""
    if start > end:
        raise DateError(f"{first} is later than {last}.", f"{last}{mark}{first}")
    return DateSpan(start.isoformat(), start, end, "day")


def _end(part: str, whole: str) -> tuple[date, date, Precision]:
    """Read one end of an interval or range, with suggestions for the whole of it."""
    try:
        return period(part)
    except FormError:
        raise
    except DateError as fault:
        mended = fault.suggestion and whole.replace(part, fault.suggestion)
        raise DateError(fault.message, mended) from None


def period(text: str) -> tuple[date, date, Precision]:
    """Return first day, last day and precision of a day, a month or a year.

    Raises FormError where the text has another form, DateError where it names no real date; a
    suggestion is then still unchecked.
    """
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise FormError(FORMS)
    year, month, day = (None if part is None else int(part) for part in match.groups())
    if not year:
        raise DateError("Years run from 0001 to 9999.")
    if month is None:
        return date(year, 1, 1), date(year, 12, 31), "year"
    if not 1 <= month <= 12:
        raise _no_month(text, month, day)
    last = monthrange(year, month)[1]
    if day is None:
        return date(year, month, 1), date(year, month, last), "month"
    if not 1 <= day <= last:
        message = f"There is no {text}: {month_name[month]} {year:04} has {last} days."
        raise DateError(message, text[:7])
    return date(year, month, day), date(year, month, day), "day"


def _no_month(text: str, month: int, day: int | None) -> DateError:
    """Explain a month outside 1 to 12: unknown as zeros, a season, or day and month swapped."""
    if month == 0:
        return DateError(f"There is no month 00 ({text}): leave out what is unknown.", text[:4])
    if day is None and month in _SEASONS:
        # Which months a season means depends on the hemisphere, and 2020-21 may be two years.
        season = f"Seasons and quarters ({text}) are not read: write the months as a range, such "
        return DateError(season + "as 2020-06-01..2020-08-31.")
    swapped = None if day is None else f"{text[:4]}-{day:02}-{month:02}"
    return DateError(f"There is no month {month} ({text}): a day is year-month-day.", swapped)
