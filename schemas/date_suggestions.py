"""Recognise what people write for a date that the grammar does not take, and what they mean.

A misreading is a function of the text that returns a message and a proposal, or None where it does
not apply. The first that applies is used. Proposals are not checked here; `dates.parse` drops those
that are no dates, so a misreading may propose freely.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Iterable
from datetime import date, timedelta

Explanation = tuple[str, str | None]
# Reads a day, a month or a year as its first and last day, and its precision; else ValueError.
Period = Callable[[str], tuple[date, date, str]]

_DAY = timedelta(days=1)
_PLAIN = r"([0-9]{4}(?:-[0-9]{2}){0,2})"
_STAMP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt][0-9]{2}| [0-9]{1,2}:)(?:(?!/|\.\.).)*")
_UNSPECIFIED = re.compile(r"([0-9X]{4})(?:-([0-9X]{2})(?:-([0-9X]{2}))?)?")
_JOINED = re.compile(rf"{_PLAIN}(?:--?|to|\.\.\.){_PLAIN}")
_YEAR_LAST = re.compile(r"([0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{4})")
_MONTH_YEAR = re.compile(r"([0-9]{1,2})[./-]([0-9]{4})")
_YEAR_FIRST = re.compile(r"([0-9]{4})[./-]([0-9]{1,2})(?:[./-]([0-9]{1,2}))?")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_YEAR_SHORT = re.compile(r"([0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{2})")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sep sept",
            "october oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}
# Words for a third of a month, with its first and last day; 31 stands for the last day there is.
_PARTS = {
    "early": (1, 10),
    "beginning": (1, 10),
    "start": (1, 10),
    "mid": (11, 20),
    "middle": (11, 20),
    "late": (21, 31),
    "end": (21, 31),
}
_FILLERS = frozenset({"the", "of", "in", "on"})
_TYPOGRAPHY = str.maketrans("‐‑‒–—―−", "-" * 7, "") | {ord("…"): ".."}


def explain(text: str, period: Period) -> Explanation | None:
    """Return message and proposal for a text without the form of a date, None if nothing is plain.

    PERIOD reads a plain date. Linear in the length of the text, which the caller bounds.
    """
    if match := _STAMP.fullmatch(text):
        return "Times are not recorded: give the day alone.", match[1]
    if explanation := _worded(text):
        return explanation
    tidy = _tidied(text)
    explanation = (
        _unspecified(tidy)
        or _qualified(tidy, period)
        or _open_interval(tidy)
        or _bracketed(tidy)
        or _joined(tidy)
        or _reordered(tidy)
        or _serial(tidy)
    )
    if explanation is None and tidy != text:
        return "A date has ASCII digits, hyphens and full stops, and no blanks inside.", tidy
    return explanation


def _serial(text: str) -> Explanation | None:
    """Explain `43834`, a spreadsheet's number of a day, by either of their calendars."""
    match = re.fullmatch(r"([2-6][0-9]{4})(?:\.[0-9]+)?", text)
    if match is None:
        return None
    message = (
        "This looks like a spreadsheet's number of a day. Counted from 1900 it would be {}, from "
        "1904 {}: compare with the sheet, and give its column the format yyyy-mm-dd."
    )
    # What is counted from 1900 has a 29th of February in that year, which there was not.
    days = [start + int(match[1]) * _DAY for start in (date(1899, 12, 30), date(1904, 1, 1))]
    return message.format(*days), days[0].isoformat()


def _worded(text: str) -> Explanation | None:
    """Explain a date with the English name of a month: `24 July 2020`, `Oct-2014`, `Jul-20`."""
    words = re.findall(r"[a-z]+|[0-9]+", re.sub(r"(?<=[0-9])(?:st|nd|rd|th)\b", "", text.lower()))
    words = [word for word in words if word not in _FILLERS]
    months = [word for word in words if word in _MONTHS]
    parts = [word for word in words if word in _PARTS]
    numbers = [word for word in words if word.isdecimal()]
    if len(months) != 1 or len(words) != len(parts) + len(numbers) + 1:
        return None
    message = "A month is written as its number, year-month or year-month-day."
    month = f"{_MONTHS[months[0]]:02}"
    years = [word for word in numbers if len(word) == 4]
    days = [word for word in numbers if len(word) <= 2]
    if len(years) + len(days) != len(numbers) or len(years) > 1 or len(parts) > 1:
        return message, None
    if parts:
        return (message, _part_of_month(parts[0], f"{years[0]}-{month}")) if years else None
    return _month_with(message, month, years, days)


def _part_of_month(part: str, month: str) -> str:
    """Return the range that a word such as `early` means in a month such as `2020-07`."""
    first, last = _PARTS[part]
    last = min(last, monthrange(int(month[:4]) or 1, int(month[5:]))[1])
    return f"{month}-{first:02}..{month}-{last:02}"


def _month_with(message: str, month: str, years: list[str], days: list[str]) -> Explanation:
    """Explain a month with the numbers beside it; two short ones may be day and year either way."""
    if years and len(days) <= 1:
        return message, "-".join((years[0], month, *(day.zfill(2) for day in days)))
    if len(days) == 1 and not years:
        return (
            f"{message} This may mean 20{days[0].zfill(2)}-{month}, or a day without a year.",
            None,
        )
    if len(days) == 2 and not years:
        first, last = (day.zfill(2) for day in days)
        dates = (f"20{last}-{month}-{first}", f"20{first}-{month}-{last}")
        return _one_or_both(message, [day for day in dates if _is_real(day)])
    return message, None


def _one_or_both(message: str, dates: list[str]) -> Explanation:
    """Return the date as the proposal, or a message with all of them where there are several."""
    if len(set(dates)) > 1:
        return f"{message} This may mean {' or '.join(dict.fromkeys(dates))}.", None
    return message, next(iter(dates), None)


def _tidied(text: str) -> str:
    """Write digits and dashes in ASCII; take out blanks, but keep numbers apart."""
    plain = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    plain = plain.translate(_TYPOGRAPHY)
    return re.sub(r"\s+", "", re.sub(r"(?<=[0-9])\s+(?=[0-9])", "-", plain))


def _unspecified(text: str) -> Explanation | None:
    """Explain `2020-07-2X`, `2020-07-XX`, `2020-XX`, `202X`, also with `x`, `u` and `??`."""
    match = _UNSPECIFIED.fullmatch(text.upper().replace("U", "X").replace("??", "XX"))
    if match is None or "X" not in match[0]:
        return None
    message = "Unspecified digits are not read: leave out what is unknown, or give a range."
    short = match[0].removesuffix("-XX").removesuffix("-XX")
    if "X" not in short:
        return message, short
    year, month, day = match.groups()
    first, last = year.replace("X", "0"), year.replace("X", "9")
    if short != year:
        months = _fitting(month, range(1, 13))
        if not months:
            return message, None
        first, last = f"{first}-{months[0]}", f"{last}-{months[-1]}"
    if short == match[0] and day is not None:
        days = _fitting(day, range(1, monthrange(max(int(last[:4]), 1), int(last[5:]))[1] + 1))
        if not days:
            return message, None
        first, last = f"{first}-{days[0]}", f"{last}-{days[-1]}"
    return message, f"{first}..{last}"


def _fitting(pattern: str, numbers: Iterable[int]) -> list[str]:
    """Return the two-digit numbers that fit a pattern such as `2X`."""
    digits = [f"{number:02}" for number in numbers]
    return [d for d in digits if all(p in ("X", c) for p, c in zip(pattern, d, strict=True))]


def _qualified(text: str, period: Period) -> Explanation | None:
    """Explain `2020-07-24~`, `2020-07?`, `2020-07-22/2020-07-24%`: a range, one unit wider."""
    if not any(mark in text for mark in "~?%"):
        return None
    message = "The marks ~ ? % are not read: give the range in which it must have been."
    parts = re.split(r"/|\.\.", text.strip("[]"))
    try:
        first, last = _widened(parts[0], period)[0], _widened(parts[-1], period)[1]
    except (ValueError, OverflowError):
        return message, None
    return message, f"{first}..{last}"


def _widened(part: str, period: Period) -> tuple[str, str]:
    """Return first and last day of a date, with one day, month or year more if it is qualified."""
    bare = re.sub("[~?%]", "", part)
    if not bare:
        return "", ""
    start, end, _ = period(bare)
    if bare != part:
        start = period((start - _DAY).isoformat()[: len(bare)])[0]
        end = period((end + _DAY).isoformat()[: len(bare)])[1]
    return start.isoformat(), end.isoformat()


def _open_interval(text: str) -> Explanation | None:
    """Explain `2020-07-01/`, `2020-07-01/..`, `/2020-07-22`, `../2020-07-22`."""
    message = "An interval has both its days; where one is unknown, {} is the range to give."
    if text.endswith(("/", "/..")):
        return message.format("2020-07-01.."), text.partition("/")[0] + ".."
    if text.startswith(("/", "../")):
        return message.format("..2020-07-22"), ".." + text.rpartition("/")[2]
    return None


def _bracketed(text: str) -> Explanation | None:
    """Explain brackets around anything but a range, and EDTF's `{a..b}`, every day from a to b."""
    inner = text.strip("[]{}")
    if inner == text:
        return None
    message = "Brackets may stand around a range only, one on each side, and are not needed."
    return message, inner.replace("..", "/") if text.startswith("{") else inner


def _joined(text: str) -> Explanation | None:
    """Explain two dates joined by a dash, `to` or three dots: the range says least."""
    if match := _JOINED.fullmatch(text):
        message = "Between two dates stands / where it lasted from one to the other, or .. where "
        return message + "it was once in that time.", f"{match[1]}..{match[2]}"
    return None


def _reordered(text: str) -> Explanation | None:
    """Explain `24.07.2020`, `07/24/2020`, `07.2020`, `2020/7/4`, `2020-7`, `20200724`."""
    message = "A day is written year-month-day with two digits each for month and day."
    if match := _YEAR_LAST.fullmatch(text):
        day, month, year = match[1].zfill(2), match[3].zfill(2), match[4]
        days = [w for w in (f"{year}-{month}-{day}", f"{year}-{day}-{month}") if _is_real(w)]
        # With full stops the day comes first everywhere; with / or - it depends on the country.
        if match[2] == "." or len(set(days)) == 1:
            return message, next(iter(days), None)
        return f"{message} {text} may mean {' or '.join(days)}." if days else message, None
    if match := _YEAR_SHORT.fullmatch(text):
        first, second, year = match[1].zfill(2), match[3].zfill(2), f"20{match[4]}"
        orders = [f"{year}-{second}-{first}"]
        if match[2] != ".":
            orders.append(f"{year}-{first}-{second}")
        return _one_or_both(message, [order for order in orders if _is_real(order)])
    if match := _MONTH_YEAR.fullmatch(text):
        return message, f"{match[2]}-{match[1].zfill(2)}"
    if re.fullmatch(_PLAIN, text):
        return None  # right once it is tidied
    if match := _YEAR_FIRST.fullmatch(text) or _COMPACT.fullmatch(text):
        return message, "-".join(part.zfill(2) for part in match.groups() if part is not None)
    return None


def _is_real(text: str) -> bool:
    """Whether a text in year-month-day form is a real day."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
