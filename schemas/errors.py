"""Errors in detail: what is wrong with a value, in a form that people and programs can use.

An `ErrorDetail` is the message (a `str`, so that marshmallow carries it like any other) with a
code and whatever helps to put the value right. `flatten` turns marshmallow's tree of messages into
the list that a problem document shows.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from marshmallow import ValidationError

# What is wrong, by field; below a list by the position of the item, as marshmallow has it.
Messages = dict[str, Any]

LONGEST_NAME = 200  # of a member that is quoted back


class ErrorDetail(str):
    """A message with a `code` and its `help`: suggestion, allowed, candidates."""

    __slots__ = ("code", "help")

    code: str
    help: dict[str, Any]

    def __new__(cls, code: str, detail: str, **help_: Any) -> "ErrorDetail":
        """Make a fault; members of HELP_ that are None are left out."""
        fault = super().__new__(cls, detail)
        fault.code = code
        fault.help = {name: value for name, value in help_.items() if value is not None}
        return fault


def invalid(code: str, detail: str, **help_: Any) -> ValidationError:
    """Make the error that refuses one value."""
    return ValidationError(ErrorDetail(code, detail, **help_))


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known word that WORD was probably meant to be, by spelling alone."""
    return _nearest(word[:64].lower(), tuple(known), cutoff)


@lru_cache(maxsize=256)
def _nearest(word: str, known: tuple[str, ...], cutoff: float) -> str | None:
    """Look for the nearest word once: a faulty body is loaded twice."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=cutoff)
    return close[0] if close else None


def escape(member: str) -> str:
    """Write a member's name as a segment of a JSON Pointer (RFC 6901).

    Half a surrogate pair, which no UTF-8 can hold, is written as its escape; a very long name is
    cut.
    """
    plain = member[:LONGEST_NAME].encode("utf-8", "backslashreplace").decode()
    return plain.replace("~", "~0").replace("/", "~1")


def flatten(messages: Any, pointer: str = "") -> Iterator[dict[str, Any]]:
    """Walk marshmallow's messages and yield {"pointer", "code", "detail", …} for each."""
    if isinstance(messages, Mapping):
        for name, below in messages.items():
            here = pointer if name == "_schema" else f"{pointer}/{escape(str(name))}"
            yield from flatten(below, here)
    elif isinstance(messages, str):
        code = messages.code if isinstance(messages, ErrorDetail) else "invalid"
        help_ = messages.help if isinstance(messages, ErrorDetail) else {}
        yield {"pointer": pointer, "code": code, "detail": str(messages), **help_}
    elif isinstance(messages, Sequence):
        for message in messages:
            yield from flatten(message, pointer)
