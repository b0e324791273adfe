"""CQL2 text (OGC 21-065r2): a filter's text, read into an expression of comparisons.

What is read: basic CQL2 (comparisons of a property with a literal, AND, OR, NOT, IS NULL), LIKE,
BETWEEN, IN, and S_INTERSECTS of the geometry with a box or a point. The parser is linear in the
length of the text and goes no deeper than MOST_DEPTH.
"""

import difflib
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from schemas import dates, record_fields
from schemas.errors import invalid
from schemas.expressions import Combination, Comparison, Expression, Kind
from schemas.query.values import bounding_box, json_schema

GEOMETRY = "geometry"
MOST_CHARACTERS = 4000
MOST_DEPTH = 20
MOST_COMPARISONS = 50
MOST_VALUES = 200  # in all comparisons together
_KIND_OF: dict[str, Kind] = {
    "text": "text",
    "vocabulary": "text",
    "date": "text",
    "whole number": "number",
    "number": "number",
    "true or false": "boolean",
    "day": "day",
}
# What is not of the event and can be asked for all the same.
_MORE = ("id", "version", "date_start", "date_end", "date_precision", "number_of_sources")
# The properties by name. Those of kind `list` are the items of a list, joined by `; `.
QUERYABLES: Mapping[str, Kind] = {
    **{
        field.name: _KIND_OF[field.type]
        for field in record_fields.FIELDS.values()
        if field.type in _KIND_OF
        and field.columns
        and (field.name in _MORE or (field.part == "state" and not field.derived))
    },
    **dict.fromkeys(("communities", "police_measures", "tags", "publishers"), "list"),
}
_COMPARE = ("=", "<>", "<", "<=", ">", ">=")
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)"
    r"|(?P<text>'(?:[^']|'')*')|(?P<name>\"[^\"]+\"|[A-Za-z_][\w.:]*)"
    r"|(?P<sign><>|<=|>=|[=<>(),]))"
)
_FORM = (
    "It takes CQL2 text such as country = 'RU' AND (arrests >= 10 OR deaths > 0); comparisons, "
    "AND, OR, NOT, IN, LIKE, BETWEEN, IS NULL and S_INTERSECTS(geometry, BBOX(w,s,e,n))."
)


class _Token(NamedTuple):
    kind: str
    text: str
    position: int


@json_schema("string", minLength=1, maxLength=MOST_CHARACTERS)
def parse(text: str) -> Expression:
    """Read TEXT about QUERYABLES. Raises ValidationError with what would be right."""
    if len(text) > MOST_CHARACTERS:
        raise invalid("too_long", f"It takes at most {MOST_CHARACTERS:,} characters.")
    return _Parser(list(_tokens(text))).expression()


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            rest = text[position : position + 20].lstrip()
            raise invalid("bad_filter", f"At {rest!r} it cannot be read. {_FORM}")
        kind = match.lastgroup or ""
        yield _Token(kind, match[kind], match.start(kind))
        position = match.end()
    yield _Token("end", "", len(text))


class _Parser:
    """Reads tokens by recursive descent: OR binds loosest, then AND, then NOT."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = self._depth = self._comparisons = self._values = 0

    def expression(self) -> Expression:
        """Read all tokens."""
        expression = self._any()
        if self._tokens[self._at].kind != "end":
            raise self._wrong("the end, AND or OR")
        return expression

    def _any(self) -> Expression:
        return self._joined("or", self._all)

    def _all(self) -> Expression:
        return self._joined("and", self._negated)

    def _joined(self, word: Literal["and", "or"], read: Callable[[], Expression]) -> Expression:
        parts = [read()]
        while self._takes(word):
            parts.append(read())
        return parts[0] if len(parts) == 1 else Combination(word, tuple(parts))

    def _negated(self) -> Expression:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise invalid("too_deep", f"It goes at most {MOST_DEPTH} levels deep.")
        expression = self._primary()
        self._depth -= 1
        return expression

    def _primary(self) -> Expression:
        if self._takes("not"):
            return Combination("not", (self._negated(),))
        if self._takes("("):
            expression = self._any()
            self._expect(")")
            return expression
        if (self._is("true") or self._is("false")) and not self._is_sign(1):
            return Combination("and" if self._next().text.lower() == "true" else "or")
        return self._comparison()

    def _comparison(self) -> Expression:
        self._comparisons += 1
        if self._comparisons > MOST_COMPARISONS:
            raise invalid("too_many", f"It takes at most {MOST_COMPARISONS} comparisons.")
        if self._takes("s_intersects"):
            return self._intersects()
        if self._tokens[self._at].kind != "name" or self._is_literal():
            return self._reversed()
        name, kind = self._property()
        negated = self._takes("not")
        predicate = self._predicate(name, kind, sign=not negated)
        return Combination("not", (predicate,)) if negated else predicate

    def _predicate(self, name: str, kind: Kind, *, sign: bool) -> Expression:
        """Read what follows the property NAME, and NOT unless a SIGN may follow."""
        if self._takes("between"):
            low = self._literal(name, kind)
            self._expect("and")
            return Comparison(name, kind, "between", (low, self._literal(name, kind)))
        if self._takes("in"):
            return Comparison(name, kind, "in", tuple(self._list(name, kind)))
        if self._takes("like"):
            if kind not in ("text", "list"):
                raise invalid("bad_filter", f"LIKE compares text, and {name} is a {kind}.")
            return Comparison(name, kind, "like", (self._literal(name, "text"),))
        if not sign:
            raise self._wrong("IN, LIKE or BETWEEN")
        if self._takes("is"):
            negated = self._takes("not")
            self._expect("null")
            null = Comparison(name, kind, "null")
            return Combination("not", (null,)) if negated else null
        return Comparison(name, kind, self._sign(), (self._literal(name, kind),))

    def _reversed(self) -> Expression:
        """Read a comparison whose literal comes first."""
        start = self._at
        while not self._is_sign(0):
            if self._tokens[self._at].kind == "end":
                self._at = start
                raise self._wrong("a property")
            self._at += 1
        sign = self._sign()
        name, kind = self._property()
        end, self._at = self._at, start
        value = self._literal(name, kind)
        if not self._is_sign(0):
            raise self._wrong("a comparison")
        self._at = end
        return Comparison(name, kind, _FLIPPED.get(sign, sign), (value,))

    def _list(self, name: str, kind: Kind) -> Iterator[Any]:
        self._expect("(")
        yield self._literal(name, kind)
        while self._takes(","):
            yield self._literal(name, kind)
        self._expect(")")

    def _intersects(self) -> Expression:
        self._expect("(")
        token = self._next()
        if token.text.strip('"') != GEOMETRY:
            raise invalid("bad_filter", f"The property with a place is {GEOMETRY}.")
        self._expect(",")
        name = self._next().text.lower()
        if name not in _SHAPES:
            raise invalid(
                "bad_filter", "It takes BBOX(w,s,e,n), POINT(x y) or a POLYGON that is a box."
            )
        numbers = self._numbers()
        self._expect(")")
        box = _SHAPES[name](numbers)
        sides = bounding_box(",".join(f"{number:.12f}" for number in box))
        return Comparison(GEOMETRY, "geometry", "intersects", (sides,))

    def _numbers(self) -> list[float]:
        """Read the numbers of a geometry, in its brackets."""
        numbers, depth = [], 0
        while True:
            token = self._next()
            if token.kind == "number":
                numbers.append(float(token.text))
            elif token.text in ("(", ")"):
                depth += 1 if token.text == "(" else -1
                if depth == 0:
                    return numbers
            elif token.text != "," or depth < 1:
                self._at -= 1
                raise self._wrong("a number")

    def _property(self) -> tuple[str, Kind]:
        token = self._next()
        name = token.text.strip('"')
        if token.kind != "name":
            self._at -= 1
            raise self._wrong("a property")
        if name not in QUERYABLES:
            near = difflib.get_close_matches(name, QUERYABLES, 1)
            hint = f"; did you mean {near[0]}?" if near else "; /ogc/…/queryables lists them."
            raise invalid("unknown_property", f"There is no property {name[:40]!r}{hint}")
        return name, QUERYABLES[name]

    def _is_literal(self) -> bool:
        """Whether a name that comes begins a literal."""
        word = self._tokens[self._at].text.lower()
        return word in ("true", "false") or (
            word in ("date", "timestamp") and self._tokens[self._at + 1].text == "("
        )

    def _literal(self, name: str, kind: Kind) -> Any:
        """Read a literal that property NAME can be compared with."""
        self._values += 1
        if self._values > MOST_VALUES:
            raise invalid("too_many", f"It takes at most {MOST_VALUES} values.")
        token = self._next()
        if token.kind == "name" and token.text.lower() in ("date", "timestamp"):
            self._expect("(")
            token = self._next()
            self._expect(")")
            kinds: tuple[str, ...] = ("day",)
        else:
            kinds = _KINDS.get(token.kind, ())
            if token.text.lower() in ("true", "false"):
                kinds = ("boolean",)
        if kind not in kinds:
            raise invalid("bad_filter", f"{name} is a {kind}, and {token.text[:40]!r} is none.")
        return _READ[kind](token.text)

    def _sign(self) -> str:
        if not self._is_sign(0):
            raise self._wrong("a comparison")
        return self._next().text

    def _is_sign(self, ahead: int) -> bool:
        place = self._at + ahead
        return place < len(self._tokens) and self._tokens[place].text in _COMPARE

    def _next(self) -> _Token:
        token = self._tokens[self._at]
        if token.kind != "end":
            self._at += 1
        return token

    def _is(self, word: str) -> bool:
        token = self._tokens[self._at]
        return token.kind in ("name", "sign") and token.text.lower() == word

    def _takes(self, word: str) -> bool:
        """Whether WORD comes, which is then read."""
        if self._is(word):
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._takes(word):
            raise self._wrong(word.upper())

    def _wrong(self, wanted: str) -> Exception:
        token = self._tokens[self._at]
        where = (
            f"At {token.text[:20]!r}, character {token.position + 1},"
            if token.text
            else "At the end"
        )
        return invalid("bad_filter", f"{where} {wanted} is missing. {_FORM}")


# What a token can be read as.
_KINDS: dict[str, tuple[str, ...]] = {"number": ("number",), "text": ("text", "list", "day")}


def _text(token: str) -> str:
    return token[1:-1].replace("''", "'")


def _number(token: str) -> float:
    number = float(token)
    if abs(number) > 1e300:
        raise invalid("bad_filter", f"{token[:40]} is too large.")
    return number


def _day(token: str) -> str:
    """Read a day; of a time its day counts, as everywhere in this interface."""
    day = _text(token)[:10]
    try:
        return (
            dates.parse(day).earliest if re.fullmatch(r"\d{4}-\d\d-\d\d", day) else _no_day(token)
        )
    except dates.DateError:
        return _no_day(token)


def _no_day(token: str) -> str:
    raise invalid("bad_filter", f"{token[:40]} is no day such as DATE('2020-07-24').")


_READ: dict[str, Callable[[str], Any]] = {
    "text": _text,
    "list": _text,
    "number": _number,
    "boolean": lambda token: token.lower() == "true",
    "day": _day,
}


def _of_box(numbers: list[float]) -> list[float]:
    if len(numbers) not in (4, 6):
        raise invalid("bad_bbox", "BBOX takes west, south, east, north.")
    return numbers if len(numbers) == 4 else [numbers[at] for at in (0, 1, 3, 4)]


def _of_point(numbers: list[float]) -> list[float]:
    if len(numbers) != 2:
        raise invalid("bad_bbox", "POINT takes a longitude and a latitude, POINT(37.6 55.8).")
    return [*numbers, *numbers]


def _of_polygon(numbers: list[float]) -> list[float]:
    corners = list(zip(numbers[::2], numbers[1::2], strict=False))
    xs, ys = {x for x, _ in corners}, {y for _, y in corners}
    sides = all((a[0] == b[0]) != (a[1] == b[1]) for a, b in itertools.pairwise(corners))
    if len(numbers) != 10 or len(xs) != 2 or len(ys) != 2 or corners[0] != corners[-1] or not sides:
        raise invalid("bad_bbox", "Of polygons it takes one that is a box along the degrees.")
    return [min(xs), min(ys), max(xs), max(ys)]


_SHAPES: dict[str, Callable[[list[float]], list[float]]] = {
    "bbox": _of_box,
    "point": _of_point,
    "polygon": _of_polygon,
}
