"""Lines: a body of many records cut into one piece a record, each with the line it begins on.

Nothing is held but the piece at hand and what was read ahead: memory does not grow with the body.
"""

import codecs
import json
from collections.abc import Iterator
from typing import IO, Any

from schemas.errors import ErrorDetail

# A piece: the line it begins on, counted from 1, and its bytes, or what keeps it from being read.
Piece = tuple[int, bytes | ErrorDetail]

_AHEAD = 1 << 18
_BOM = b"\xef\xbb\xbf"
_BLANK = " \t\r\n"


def ndjson(body: IO[bytes], longest: int) -> Iterator[Piece]:
    """Cut NDJSON into its lines, of at most LONGEST bytes; blank ones are passed over."""
    number = 0
    while line := body.readline(longest + 2):
        number += 1
        if len(line.rstrip(b"\r\n")) > longest:
            while line and not line.endswith(b"\n"):
                line = body.readline(_AHEAD)
            yield number, _too_long(longest)
        elif line.strip() not in (b"", _BOM):
            yield number, line


def array(body: IO[bytes], longest: int) -> Iterator[Piece]:
    """Cut a JSON list into its items, of at most LONGEST characters; one object is taken too.

    What breaks the list is the last piece: beyond it nothing can be told apart.
    """
    window = _Window(body, longest)
    try:
        if not window.sign():
            detail = "There is nothing here; it takes a JSON list of records."
            yield window.line, ErrorDetail("malformed_json", detail)
        elif window.sign() != "[":
            yield window.line, window.value()
        else:
            window.skip()
            yield from _items(window)
        if window.sign():
            raise _BrokenError("There is more after the end")
    except _BrokenError as error:
        yield window.line, ErrorDetail("malformed_json", f"{error}; what follows was not read.")


def _items(window: "_Window") -> Iterator[Piece]:
    if window.sign() == "]":
        window.skip()
        return
    while True:
        window.sign()  # passes over blanks, so that the line is the item's
        yield window.line, window.value()
        sign = window.sign()
        if sign not in (",", "]"):
            raise _BrokenError("A comma or the list's closing bracket is missing")
        window.skip()
        if sign == "]":
            return


class _BrokenError(Exception):
    """What cannot be read as a list."""


class _Window:
    """The text of a body from where reading stands, at least LONGEST characters of it."""

    def __init__(self, body: IO[bytes], longest: int) -> None:
        self.body = body
        self.longest = longest
        self.line = 1
        self._text = ""
        self._position = 0
        self._decoder: Any = codecs.getincrementaldecoder("utf-8-sig")()
        self._ended = False
        # Only where a value ends is asked for here; numbers of any length are let be.
        self._scan = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode

    def sign(self) -> str:
        """Return the next character that is no blank, without passing it; empty at the end."""
        while True:
            self._fill()
            rest = len(self._text)
            while self._position < rest and self._text[self._position] in _BLANK:
                self.skip()
            if self._position < rest:
                return self._text[self._position]
            if self._ended:
                return ""

    def skip(self) -> None:
        """Pass one character."""
        self.line += self._text[self._position] == "\n"
        self._position += 1

    def value(self) -> bytes:
        """Pass one JSON value and return its bytes."""
        self._fill()
        try:
            _, end = self._scan(self._text, self._position)
        except json.JSONDecodeError as error:
            self.line += self._text.count("\n", self._position, error.pos)
            raise _BrokenError(error.msg.removesuffix(" at")) from None
        except RecursionError:
            raise _BrokenError("There are far too many levels of nesting") from None
        value = self._text[self._position : end]
        if len(value) > self.longest:
            raise _BrokenError(str(_too_long(self.longest)).rstrip("."))
        self.line += value.count("\n")
        self._position = end
        return value.encode()

    def _fill(self) -> None:
        """Read on until an item of the longest kind is there, or the end."""
        if self._ended or len(self._text) - self._position > self.longest:
            return
        parts = [self._text[self._position :]]
        length = len(parts[0])
        while length <= 2 * self.longest and not self._ended:
            raw = self.body.read(_AHEAD)
            self._ended = not raw
            try:
                parts.append(self._decoder.decode(raw, final=not raw))
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode("utf-8", "replace")
                self.line += sum(part.count("\n") for part in parts) + before.count("\n")
                raise _BrokenError("There is a byte that is not UTF-8") from None
            length += len(parts[-1])
        self._text, self._position = "".join(parts), 0


def _too_long(longest: int) -> ErrorDetail:
    return ErrorDetail("too_long", f"One record takes at most {longest:,} bytes.")
