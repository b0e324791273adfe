"""The claims ledger: who says what of each figure, what conflicts, and what was not compared."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.documents import claim_of
from schemas import claims
from schemas.claims import CLAIM_FIELDS, Range, range_of
from schemas.counts import COUNT_FIELDS, Figure, figure_of

# Conflicts of one claim, and pairs on one field, that an answer lists; it counts them all.
MOST_LISTED = 100

_ABOUT = ("id", "url", "title", "date", "city", "country")


class Ledger:
    """The claims of one document, in its order."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self._rows = [
            (f"/sources/{number}/claims/{position}", source, claim)
            for number, source in enumerate(document["sources"])
            for position, claim in enumerate(source["claims"])
        ]
        self._numbers = {pointer: number for number, (pointer, _, _) in enumerate(self._rows)}
        self._claims = [claim_of(claim) for _, _, claim in self._rows]
        self._conflicts = claims.conflicts_by_claim(self._claims, MOST_LISTED)
        self._headlines = {field: _headline_range(document, field) for field in CLAIM_FIELDS}

    def __len__(self) -> int:
        """Return the number of claims."""
        return len(self._rows)

    def find(self, source: int, position: int) -> int | None:
        """Return the number of a claim by the positions of its source and its own."""
        return self._numbers.get(f"/sources/{source}/claims/{position}")

    def entry(self, number: int) -> dict[str, Any]:
        """Lay out one claim with its source and how it stands to the others and the headline."""
        pointer, source, claim = self._rows[number]
        conflicts, others = self._conflicts.get(number, (0, []))
        return {
            "pointer": pointer,
            **claim,
            "article": source["article"],
            "locator": source["locator"],
            "agrees": self._agrees(number),
            "conflicts": conflicts,
            "conflicts_with": [self._rows[other][0] for other in others],
        }

    def entry_apart(self, number: int) -> dict[str, Any]:
        """Lay out one claim so that it is understood without its record."""
        entry = self.entry(number)
        about = {name: self.document[name] for name in _ABOUT}
        return {"incident": about, **entry, "headline": _text(self.document, entry["field"])}

    def fields(self) -> dict[str, Any]:
        """Return of each field the headline, what agrees with it, what conflicts, and why."""
        numbers: dict[str, list[int]] = {field: [] for field in CLAIM_FIELDS}
        for number, claim in enumerate(self._claims):
            numbers[claim.field].append(number)
        return {field: self._field(field, numbers[field]) for field in CLAIM_FIELDS}

    def _field(self, field: str, numbers: Sequence[int]) -> dict[str, Any]:
        own = [self._claims[number] for number in numbers]
        agree = [self._rows[number][0] for number in numbers if self._agrees(number)]
        conflicts = [
            self._pair(number, other, self._why(number, other))
            for number in numbers
            for other in self._conflicts.get(number, (0, []))[1]
            if number < other
        ]
        gaps = claims.not_compared(own, MOST_LISTED)
        return {
            **_headline(self.document, field),
            "text": _text(self.document, field),
            "disputed": field in self.document["disputed"],
            "claims": len(numbers),
            "agree": agree[:MOST_LISTED],
            "conflicts": conflicts[:MOST_LISTED],
            "conflicts_total": sum(self._conflicts.get(n, (0, []))[0] for n in numbers) // 2,
            "not_compared": [self._pair(numbers[a], numbers[b], why) for a, b, why in gaps],
            "not_compared_total": claims.number_not_compared(own),
        }

    def _pair(self, first: int, other: int, reason: str) -> dict[str, Any]:
        return {"claims": [self._rows[first][0], self._rows[other][0]], "reason": reason}

    def _why(self, first: int, other: int) -> str:
        texts = [_claim_text(self._claims[number]) for number in (first, other)]
        return f"{texts[0]} and {texts[1]} cannot both be right"

    def _agrees(self, number: int) -> bool | None:
        """Whether a claim about the whole can be right together with the headline, if known."""
        claim = self._claims[number]
        headline, range_ = self._headlines[claim.field], range_of(claim)
        if headline is None or range_ is None or claim.community is not None:
            return None
        return bool(range_[0] <= headline[1] and headline[0] <= range_[1])  # type: ignore[operator]


def _headline(document: Mapping[str, Any], field: str) -> dict[str, Any]:
    if field in COUNT_FIELDS:
        figure = figure_of(document, field)
        return {"best": figure.best, "low": figure.low, "high": figure.high}
    return {"value": document[field]}


def _headline_range(document: Mapping[str, Any], field: str) -> Range | None:
    """Return the range of a headline; "about 3,000" with no bounds is 3,000."""
    if field not in COUNT_FIELDS:
        return range_of(claims.Claim(field, document[field]))
    figure = figure_of(document, field)
    if figure.low is None and figure.high is None:
        return range_of(claims.Claim(field, figure.best))
    return range_of(claims.Claim(field, low=figure.low, high=figure.high))


def _text(document: Mapping[str, Any], field: str) -> str:
    if field in COUNT_FIELDS:
        return figure_of(document, field).text
    return str(_WORDS.get(document[field], document[field]))


_WORDS: dict[Any, str] = {None: "not reported", True: "yes", False: "no"}


def _claim_text(claim: claims.Claim) -> str:
    """Return in words what a claim gives."""
    if claim.field in COUNT_FIELDS:
        value = claim.value
        assert value is None or isinstance(value, int)
        low, high = (claim.low, claim.high) if value is None else (value, value)
        return Figure(low, value, high).text
    assert claim.value is not None
    return str(_WORDS.get(claim.value, claim.value))
