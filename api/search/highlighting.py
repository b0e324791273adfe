"""Snippets: where in a record a query matched, and a piece of text that shows it.

What is shown is HTML: everything is escaped, and what matched stands between <mark> and </mark>.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from api.search.ast import Node, Term, terms
from api.search.indexed_text import Piece, pieces
from api.search.tokenizer import spans, split, words

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


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a hit: a snippet as safe HTML, and the fields where it matched."""

    snippet: str
    matched: list[str]


def show(document: Mapping[str, Any], node: Node, names: Mapping[str, str]) -> Shown:
    """Show where DOCUMENT matches NODE; NAMES are what the tokens of ids are called."""
    texts = list(pieces(document))
    for names_whole in (True, False):
        wanted = _Wanted(terms(node, names_whole=names_whole))
        found: dict[str, Piece] = {}
        for piece in texts:
            if piece.field not in found and wanted.are_in(piece):
                found[piece.field] = piece
        if found:
            shown = found[min(found, key=_PREFERRED.index)]
            return Shown(_marked(*wanted.marks(shown, names)), list(found))
    return Shown(escape(_cut(document["title"] or "", 0)), [])


class _Wanted:
    """The terms of a query, by the token that they begin with."""

    def __init__(self, found: Iterable[Term]) -> None:
        self.tokens: set[str] = set()
        self.runs: dict[str, list[tuple[str, ...]]] = {}
        beginnings = []
        for term in found:
            if term.prefix:
                beginnings.append(term.tokens[0])
            elif len(term.tokens) == 1:
                self.tokens.add(term.tokens[0])
            else:
                self.runs.setdefault(term.tokens[0], []).append(term.tokens)
        self.beginnings = tuple(beginnings)

    def are_in(self, piece: Piece) -> bool:
        """Tell whether any of them is in PIECE."""
        if not self.tokens.isdisjoint(piece.ids):
            return True
        tokens = split(piece.text) if piece.text is not None else []
        if not self.tokens.isdisjoint(tokens):
            return True
        return bool(self.runs or self.beginnings) and any(
            self._at(tokens, number) for number in range(len(tokens))
        )

    def _at(self, tokens: Sequence[str], number: int) -> int:
        """Tell how many TOKENS match from that NUMBER on."""
        token = tokens[number]
        longest = 0
        for run in self.runs.get(token, ()):
            if tuple(tokens[number : number + len(run)]) == run:
                longest = max(longest, len(run))
        single = token in self.tokens or (self.beginnings and token.startswith(self.beginnings))
        return longest or int(bool(single))

    def marks(self, piece: Piece, names: Mapping[str, str]) -> tuple[str, list[Span]]:
        """Give the text to show of PIECE, and what matches in it, from first to last character."""
        for id_ in piece.ids:
            if id_ in self.tokens:
                text = piece.text or names.get(id_, id_[2:])
                return text, [(0, len(text))]
        text = piece.text or ""
        if not self.runs and not self.beginnings:
            return text, spans(text, self.tokens)
        places = [(word, token) for word in words(text) for token in word.tokens]
        tokens = [token for _, token in places]
        found: set[Span] = set()
        for number in range(len(tokens)):
            length = self._at(tokens, number)
            found.update(word[:2] for word, _ in places[number : number + length])
        return text, sorted(found)


def _marked(text: str, marks: Sequence[Span]) -> str:
    """Cut TEXT to where most of it matches, and mark that."""
    start, end = _window(text, marks)
    parts, last = ["…" if start > 0 else ""], start
    for first, behind in marks:
        if first >= last and behind <= end:
            parts += [escape(text[last:first]), "<mark>", escape(text[first:behind]), "</mark>"]
            last = behind
    parts += [escape(text[last:end]), "…" if end < len(text) else ""]
    return "".join(parts)


def _window(text: str, marks: Sequence[Span]) -> Span:
    """Choose the part of TEXT to show: where the most marks stand together, with room around."""
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
    """Take some _LONGEST characters of TEXT from START, up to the end of a word."""
    part = text[start : start + _LONGEST]
    if start + _LONGEST >= len(text):
        return part
    blank = part.rfind(" ")
    return part[:blank] if blank > _LONGEST // 2 else part
