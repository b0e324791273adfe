"""Highlighting: the fields of a record where a query matched, and a snippet that shows it.

What is shown is HTML: everything is escaped, and what matched stands between <mark> and </mark>.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from api.search.ast import Node, Term, terms
from api.search.indexed_text import IndexedField, indexed_fields
from api.search.tokenizer import spans, tokenize, words

_LONGEST = 240  # characters of a snippet, about
# Which field a snippet is from, if several match: what says most beside the title goes first.
_PREFERRED = (
    "summary",
    "title",
    "venue",
    "sources",
    "communities",
    "city",
    "country",
    "admin1",
    "episode",
    "type",
    "police_measures",
)

Span = tuple[int, int]


def _preference(field: str) -> int:
    """Return the place of a field among those preferred; others come last."""
    return _PREFERRED.index(field) if field in _PREFERRED else len(_PREFERRED)


@dataclass(frozen=True, slots=True)
class Highlight:
    """A snippet of a hit as safe HTML, and the fields where it matched."""

    snippet: str
    matched: list[str]


def highlight(document: Mapping[str, Any], node: Node, names: Mapping[str, str]) -> Highlight:
    """Return where DOCUMENT matches NODE; NAMES are the labels of the tokens of ids."""
    fields = list(indexed_fields(document))
    for names_whole in (True, False):
        query_terms = _Terms(terms(node, names_whole=names_whole))
        matches: dict[str, IndexedField] = {}
        for field in fields:
            if field.name not in matches and query_terms.match(field):
                matches[field.name] = field
        if matches:
            best = matches[min(matches, key=_preference)]
            return Highlight(_marked(*query_terms.marks(best, names)), list(matches))
    return Highlight(escape(_cut(document["title"] or "", 0)), [])


class _Terms:
    """The terms of a query, by the token that they begin with."""

    def __init__(self, query_terms: Iterable[Term]) -> None:
        self.tokens: set[str] = set()
        self.runs: dict[str, list[tuple[str, ...]]] = {}
        prefixes = []
        for term in query_terms:
            if term.prefix:
                prefixes.append(term.tokens[0])
            elif len(term.tokens) == 1:
                self.tokens.add(term.tokens[0])
            else:
                self.runs.setdefault(term.tokens[0], []).append(term.tokens)
        self.prefixes = tuple(prefixes)

    def match(self, field: IndexedField) -> bool:
        """Whether any of the terms is in FIELD."""
        if not self.tokens.isdisjoint(field.ids):
            return True
        tokens = tokenize(field.text) if field.text is not None else []
        if not self.tokens.isdisjoint(tokens):
            return True
        return bool(self.runs or self.prefixes) and any(
            self._length_at(tokens, start) for start in range(len(tokens))
        )

    def _length_at(self, tokens: Sequence[str], start: int) -> int:
        """Return how many TOKENS match from the one at START on."""
        token = tokens[start]
        longest = 0
        for run in self.runs.get(token, ()):
            if tuple(tokens[start : start + len(run)]) == run:
                longest = max(longest, len(run))
        single = token in self.tokens or (self.prefixes and token.startswith(self.prefixes))
        return longest or int(bool(single))

    def marks(self, field: IndexedField, names: Mapping[str, str]) -> tuple[str, list[Span]]:
        """Return the text to show of FIELD, and the spans of it that match, in order."""
        for id_ in field.ids:
            if id_ in self.tokens:
                text = field.text or names.get(id_, id_[2:])
                return text, [(0, len(text))]
        text = field.text or ""
        if not self.runs and not self.prefixes:
            return text, spans(text, self.tokens)
        occurrences = [(word, token) for word in words(text) for token in word.tokens]
        tokens = [token for _, token in occurrences]
        matches: set[Span] = set()
        for start in range(len(tokens)):
            length = self._length_at(tokens, start)
            matches.update(word[:2] for word, _ in occurrences[start : start + length])
        return text, sorted(matches)


def _marked(text: str, marks: Sequence[Span]) -> str:
    """Return the part of TEXT where most of it matches, with that marked."""
    start, end = _window(text, marks)
    parts, last = ["…" if start > 0 else ""], start
    for first, stop in marks:
        if first >= last and stop <= end:
            parts += [escape(text[last:first]), "<mark>", escape(text[first:stop]), "</mark>"]
            last = stop
    parts += [escape(text[last:end]), "…" if end < len(text) else ""]
    return "".join(parts)


def _window(text: str, marks: Sequence[Span]) -> Span:
    """Return the part of TEXT to show: where the most marks stand together, with room around."""
    if len(text) <= _LONGEST:
        return 0, len(text)
    room = _LONGEST * 2 // 3
    starts = [first for first, _ in marks]
    together = [bisect_right(starts, start + room) - n for n, start in enumerate(starts)]
    best = starts[together.index(max(together))]
    start = max(0, best - (_LONGEST - room) // 2)
    if start > 0:
        blank = text.find(" ", start, best)
        start = blank + 1 if blank >= 0 else best
    return start, start + len(_cut(text, start))


def _cut(text: str, start: int) -> str:
    """Return some _LONGEST characters of TEXT from START, up to the end of a word."""
    part = text[start : start + _LONGEST]
    if start + _LONGEST >= len(text):
        return part
    blank = part.rfind(" ")
    return part[:blank] if blank > _LONGEST // 2 else part
