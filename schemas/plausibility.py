"""What in a record's state is hard to believe: refused where a write brings it, else told.

A rule here is younger than records that break it, so it judges what a write changes. A value that
stands in the stored record, or comes in a line that brings its own history, is told and not
refused: what was stored before a rule can be amended, restored, published and imported.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from schemas import dates
from schemas.counts import COUNT_FIELDS
from schemas.errors import ErrorDetail
from schemas.placeholders import PLACEHOLDER, WORDS
from schemas.record_fields import State

Path = tuple[str | int, ...]
_DAY = timedelta(days=1)
# Events before this year are accepted with a warning: most are a mistyped year.
FAR_PAST = 1800
_FREE_TEXTS = frozenset(
    (
        *("title", "summary", "venue", "city", "admin1", "publisher", "author"),
        *("locator", "text", "attributed_to", "scope"),
    )
)
# Placeholders that are also names of places, as names are written.
_PLACES = frozenset({"Na", "Nan", "Nil", "None"})
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")
# UTF-8 that was read as Windows-1252: a lead byte's character and that of a continuation byte.
_MISREAD = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0178\u0192\u02c6\u02dc\u2013-\u2122]")
# What a state's `repr` holds where one of these applies, the first in lower case.
_SUSPECT_WORDS = re.compile(rf"""['"](?:{WORDS})['"]""")
_SUSPECT_CHARACTERS = re.compile(rf"\\x|\\u20[26]|\ufffd|{_MISREAD.pattern}")


@dataclass(frozen=True, slots=True)
class Doubt:
    """A value that is hard to believe, where it stands, and whether a write may not bring it."""

    path: Path
    value: Any
    error: ErrorDetail
    refused: bool = False

    @property
    def pointer(self) -> str:
        """Return the JSON Pointer (RFC 6901) of the value."""
        return "".join(f"/{part}" for part in self.path)


def doubts(state: State, today: date) -> Iterator[Doubt]:
    """Yield what is hard to believe in a state, as seen on TODAY (UTC)."""
    text = state["date"]
    if text is not None and not str(FAR_PAST) <= text < str(today.year):  # as most are not
        yield from _date_doubts(text, today)
    for name in COUNT_FIELDS:
        if state[f"{name}_low"] == 0 and state[name] is state[f"{name}_high"] is None:
            detail = f"At least 0 says nothing of {name}; leave it out, or give {name}: 0 for none."
            yield Doubt((f"{name}_low",), 0, ErrorDetail("says_nothing", detail))
    if _is_suspect(repr(state)):
        for path, text in _texts(state):
            yield from _text_doubts(path, text)


def _is_suspect(written: str) -> bool:
    """Whether a state as it is WRITTEN may break a rule of texts: most are passed by a search."""
    if _SUSPECT_WORDS.search(written.lower()):
        return True
    plain = written.isascii() and "\\" not in written
    return not plain and _SUSPECT_CHARACTERS.search(written) is not None


def judge(
    state: State, stored: State | None, today: date, *, strict: bool = True
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the messages that refuse a state, in marshmallow's form, and its warnings.

    What STORED holds already is not refused; unless STRICT, nothing is. A warning is
    `{"pointer", "code", "detail"}`, with `suggestion` where there is one; those about what STORED
    holds are given again only where the value would be refused today.
    """
    doubted = list(doubts(state, today))
    standing = _standing(stored, today) if doubted and stored is not None else frozenset()
    messages: dict[str, Any] = {}
    warnings: list[dict[str, Any]] = []
    for doubt in doubted:
        is_stored = (doubt.error.code, str(doubt.value)) in standing
        if doubt.refused and strict and not is_stored:
            _insert(messages, doubt.path, doubt.error)
        elif doubt.refused or not is_stored:
            warnings.append(
                {
                    "pointer": doubt.pointer,
                    "code": doubt.error.code,
                    "detail": str(doubt.error),
                    **doubt.error.help,
                }
            )
    return messages, warnings


def _standing(stored: State, today: date) -> frozenset[tuple[str, str]]:
    """Return code and value of what is hard to believe in what is stored."""
    return frozenset((doubt.error.code, str(doubt.value)) for doubt in doubts(stored, today))


def _insert(messages: dict[str, Any], path: Path, error: ErrorDetail) -> None:
    """Put an error into the tree of messages at its path."""
    *parents, last = path
    for part in parents:
        messages = messages.setdefault(part, {})  # type: ignore[arg-type]
    messages.setdefault(last, []).append(error)  # type: ignore[arg-type]


def _date_doubts(text: str, today: date) -> Iterator[Doubt]:
    span = dates.parse(text)
    year = int((text.lstrip("[.") or "0")[:4])
    if span.start is not None and span.start > today + _DAY:
        likely = _likely_year(year, today)
        detail = f"It begins after tomorrow, {today + _DAY}; an incident has happened."
        yield _date_doubt("future_date", text, detail, year, likely, refused=True)
    elif (span.end or span.start or today).year < FAR_PAST:
        detail = f"This is before {FAR_PAST}."
        yield _date_doubt("far_past", text, detail, year, _likely_year(year, today), refused=False)


def _date_doubt(
    code: str, text: str, detail: str, year: int, likely: int | None, *, refused: bool
) -> Doubt:
    suggestion = None
    if likely is not None:
        suggestion = text.replace(f"{year:04}", f"{likely:04}")
        detail = f"{detail} Was {likely} meant?"
    return Doubt(("date",), text, ErrorDetail(code, detail, suggestion=suggestion), refused)


def _likely_year(year: int, today: date) -> int | None:
    """Return the year that was probably meant by a mistyped one, None where it is not plain.

    A year of two digits (0020: 2020), or two neighbouring digits that changed places (2202: 2022).
    """
    if year < 100:
        return 2000 + year if 2000 + year <= today.year else 1900 + year
    digits = f"{year:04}"
    swapped = {int(digits[:i] + digits[i + 1] + digits[i] + digits[i + 2 :]) for i in range(3)}
    likely = {other for other in swapped if year > today.year and 1900 <= other <= today.year}
    return likely.pop() if len(likely) == 1 else None


def _texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield every text below a value with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, (*path, name))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _texts(inner, (*path, position))


def _text_doubts(path: Path, text: str) -> Iterator[Doubt]:
    is_place = path[-1] in ("city", "admin1") and text in _PLACES
    if path[-1] in _FREE_TEXTS and PLACEHOLDER.fullmatch(text.strip()) and not is_place:
        detail = f"{text!r} is stored as a text; null says that it is not known."
        yield Doubt(path, text, ErrorDetail("placeholder", detail))
    if not text.isascii() or _CONTROLS.search(text):
        for code, applies, detail, refused in _CHARACTER_RULES:
            if applies(text):
                suggestion = _reread(text) if code == "misread_encoding" else None
                yield Doubt(path, text, ErrorDetail(code, detail, suggestion=suggestion), refused)


def _reread(text: str) -> str | None:
    """Return the text read as the UTF-8 that it was before it was read as Windows-1252."""
    if not _MISREAD.search(text):
        return None
    try:
        reread = "".join(_cp1252(character) for character in text)
        return reread.encode("latin-1").decode("utf-8")
    except (UnicodeDecodeError, UnicodeEncodeError):
        return None


def _cp1252(character: str) -> str:
    """Return the byte that a character is in Windows-1252, as a character of Latin-1."""
    return character if ord(character) < 0x100 else character.encode("cp1252").decode("latin-1")


_CHARACTER_RULES: tuple[tuple[str, Callable[[str], object], str, bool], ...] = (
    (
        "control_character",
        _CONTROLS.search,
        "The text holds a control character, which nobody sees; leave it out.",
        True,
    ),
    (
        "replacement_character",
        lambda text: "\ufffd" in text,
        "The text holds U+FFFD, which stands for a lost character; send the original.",
        False,
    ),
    (
        "direction_override",
        _OVERRIDES.search,
        "The text holds a character that overrides the direction of writing; leave it out.",
        False,
    ),
    (
        "misread_encoding",
        _reread,
        "The text looks like UTF-8 that was read as Windows-1252; send it as UTF-8.",
        False,
    ),
)
