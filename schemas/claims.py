"""Compare the claims of sources: which conflict, which agree, and which cannot be compared.

Two claims are about the same thing where field, community and scope are the same, compared without
case and spacing; no community or scope, or a blank one, is the whole incident. A claim about a
count gives a range of figures, of which an open end reaches as far as a count can. What is not a
count gives a range of one value, where it is exact: a day or an interval, a type, a yes or no. Two
claims about the same thing conflict where their ranges do not meet. A claim in words only has no
range and conflicts with nothing.
"""

import math
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, islice, product
from typing import Any, Literal, NamedTuple

from schemas.counts import COUNT_FIELDS
from schemas.dates import DateError, parse

CLAIM_FIELDS = (*COUNT_FIELDS, "property_damage", "date", "type")
CLAIM_MEMBERS = ("field", "value", "low", "high", "text", "attributed_to", "community", "scope")

Reason = Literal["scope", "community", "no figure", "not exact"]
Range = tuple[float, float] | tuple[str, str]
_Group = list[tuple[Any, Any, int]]  # low and high, which compare within a field, and position
_Entry = tuple[int, str, str, Reason | None]  # position, scope, community, gap


class Claim(NamedTuple):
    """Hold what one source says about one field, as it stands in a record.

    An exact figure is in `value`, bounds are in `low` and `high`, a word such as "dozens" in `text`
    alone. `community` and `scope` say what part of the incident the claim is about.
    """

    field: str
    value: int | bool | str | None = None
    low: int | None = None
    high: int | None = None
    text: str | None = None
    attributed_to: str | None = None
    community: str | None = None
    scope: str | None = None


def range_of(claim: Claim) -> Range | None:
    """Return the lowest and the highest value a claim allows, None where it has no range.

    Counts: numbers, 0 and infinity for an open end. Other fields: twice the same, as 0 or 1 for
    `property_damage`, as text for `type` and `date`. Values of another kind than the field's have
    no range; the schema refuses them.
    """
    if claim.field in COUNT_FIELDS:
        return _count_range(claim)
    if claim.field == "property_damage":
        return (claim.value, claim.value) if isinstance(claim.value, bool) else None
    if not isinstance(claim.value, str):
        return None
    if claim.field == "type":
        return _folded(claim.value), _folded(claim.value)
    return _date_range(claim.value) if claim.field == "date" else None


def _count_range(claim: Claim) -> Range | None:
    if isinstance(claim.value, int) and not isinstance(claim.value, bool):
        return claim.value, claim.value
    if claim.low is None and claim.high is None:
        return None
    low, high = claim.low or 0, math.inf if claim.high is None else claim.high
    return (low, high) if low <= high else None


def _date_range(value: str) -> Range | None:
    try:
        span = parse(value)
    except DateError:
        return None
    return (span.text, span.text) if span.exact else None


def conflicts(claims: Sequence[Claim]) -> list[tuple[int, int]]:
    """Return the pairs of positions whose claims conflict, the smaller first, in order.

    Takes n log n time and what the conflicts themselves take.
    """
    return sorted(pair for _, group in _comparable(claims) for pair in _apart(group))


def conflicts_by_claim(claims: Sequence[Claim], most: int) -> dict[int, tuple[int, list[int]]]:
    """Return by position how many claims each conflicts with, and at most `most` of those.

    Only claims that conflict with any are there. Takes n log n time and what is listed takes, where
    all the pairs may be as many as the square of the claims.
    """
    conflicts = {}
    for _, group in _comparable(claims):
        by_low, by_high = sorted(group), sorted((high, low, at) for low, high, at in group)
        lows, highs = [low for low, _, _ in by_low], [high for high, _, _ in by_high]
        for low, high, position in group:
            later, earlier = bisect_right(lows, high), bisect_left(highs, low)
            number = len(group) - later + earlier
            if number:
                listed = by_high[: min(earlier, most)] + by_low[later : later + most]
                conflicts[position] = number, sorted(other for _, _, other in listed)[:most]
    return conflicts


def not_compared(claims: Sequence[Claim], most: int | None = None) -> list[tuple[int, int, Reason]]:
    """Return the pairs of positions on the same field that were not compared, each with the reason.

    Reasons, the first that holds: another "scope", another "community", "no figure" in one of the
    claims, or "not exact" where one gives a date that is not known to the day. The pairs may be
    as many as the square of the claims: give `most` to have no more than so many of them.
    """
    pairs = (
        (min(first[0], other[0]), max(first[0], other[0]), reason)
        for classes in _classes(claims)
        for these, those in combinations(classes, 2)
        for first, other in product(these, those)
        if (reason := _reason(first, other))
    )
    return sorted(islice(pairs, most))


def number_not_compared(claims: Sequence[Claim]) -> int:
    """Return how many pairs `not_compared` has in all, in linear time."""
    return sum(
        math.comb(sum(map(len, classes)), 2) - sum(math.comb(len(same), 2) for same in classes)
        for classes in _classes(claims)
    )


def _classes(claims: Sequence[Claim]) -> Iterator[list[list[_Entry]]]:
    """Yield the claims on each field, in classes of those that are compared with one another."""
    fields: dict[str, dict[object, list[_Entry]]] = defaultdict(lambda: defaultdict(list))
    for position, claim in enumerate(claims):
        about, gap = (_folded(claim.scope), _folded(claim.community)), _gap(claim)
        # What can be compared with none is a class of its own.
        same = fields[claim.field][about if gap is None else position]
        same.append((position, *about, gap))
    for classes in fields.values():
        yield list(classes.values())


def _gap(claim: Claim) -> Reason | None:
    """Return why a claim can be compared with none, None where it can."""
    if range_of(claim) is not None:
        return None
    return "not exact" if claim.field == "date" and claim.value is not None else "no figure"


def _reason(first: _Entry, other: _Entry) -> Reason | None:
    _, scope, community, gap = first
    _, other_scope, other_community, other_gap = other
    if scope != other_scope:
        return "scope"
    if community != other_community:
        return "community"
    return "no figure" if "no figure" in (gap, other_gap) else gap or other_gap


def _comparable(claims: Sequence[Claim]) -> Iterator[tuple[str, _Group]]:
    """Yield field and ranges of the claims about each same thing."""
    if len({claim.field for claim in claims}) == len(claims):
        return  # there is nothing to compare, as mostly
    groups: dict[tuple[str, str, str], _Group] = defaultdict(list)
    fields = Counter(claim.field for claim in claims)
    for position, claim in enumerate(claims):
        if fields[claim.field] == 1:
            continue
        span = range_of(claim)
        if span is not None:
            about = claim.field, _folded(claim.community), _folded(claim.scope)
            groups[about].append((*span, position))
    for (field, _, _), group in groups.items():
        yield field, group


def _apart(group: _Group) -> Iterator[tuple[int, int]]:
    """Yield each pair of positions whose ranges do not meet: one starts after the other ends."""
    by_low = sorted(group)
    lows = [low for low, _, _ in by_low]
    for _, high, position in group:
        for _, _, later in by_low[bisect_right(lows, high) :]:
            yield min(position, later), max(position, later)


def _folded(text: str | None) -> str:
    """Return a text without case and spacing; for None and blanks the empty text."""
    return "".join(unicodedata.normalize("NFC", (text or "").casefold()).split())
