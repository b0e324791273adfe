"""Read one plain date: a day, a month or a year, the atoms of the date grammar."""

import re
from calendar import month_name, monthrange
from datetime import date
from typing import Literal

Precision = Literal["day", "month", "year", "interval", "range"]

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
