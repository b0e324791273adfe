"""Names: the ids that words of a query stand for, beside being words.

A community or an episode is meant by any word of its name, and by an alias that stands in the
query whole or by two of its words or more in a row; a place or a country by a name or alias that
stands there whole. A run of words that names something is looked for as these words *or* as what
they name: either finds. The longest run goes first, so that in `New York` nothing means York.

In a query of several words, the commonest English ones are left out, unless quoted.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from api.search.ast import All, Either, Node, Term
from api.search.indexed_text import country_token
from api.search.tokenizer import split, words
from schemas.countries import country_code
from schemas.name_folding import fold

COMMON = frozenset(
    (
        "a",
        "an",
        "and",
        "as",
        "at",
        "be",
        "by",
        "for",
        "from",
        "in",
        "into",
        "is",
        "it",
        "its",
        "of",
        "on",
        "or",
        "that",
        "the",
        "this",
        "to",
        "was",
        "were",
        "with",
    )
)
_LONGEST_RUN = 6
_SHORTEST_NAME = 4  # of a country; what is shorter is a code, and must be in capitals

Tokens = tuple[str, ...]
# Gives, for each of the names (as written) that is one of a place, the tokens of its ids.
Places = Callable[[Sequence[str]], Mapping[str, Sequence[str]]]


@dataclass(frozen=True, eq=False)
class Names:
    """The names of communities and episodes.

    `ids`: what tokens in a row stand for; `shown`: what an id is called; `words`: how the word of
    a token is spelt.
    """

    ids: Mapping[Tokens, frozenset[str]] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


def names_of(terms: Iterable[tuple[str, str, Sequence[str]]]) -> Names:
    """Collect the names of TERMS, each (token of its id, name, aliases)."""
    ids: dict[Tokens, set[str]] = defaultdict(set)
    shown: dict[str, str] = {}
    spelt: dict[str, str] = {}
    for id_, name, aliases in terms:
        shown[id_] = name
        for token in split(name):
            if token not in COMMON:
                ids[token,].add(id_)
        for alias in (name, *aliases):
            for run in _runs(split(alias)):
                ids[run].add(id_)
            for word in words(alias):
                spelt.setdefault(word.tokens[0], alias[word.start : word.end])
    return Names({run: frozenset(found) for run, found in ids.items()}, shown, spelt)


def _runs(tokens: Tokens) -> Iterable[Tokens]:
    """Give the whole of TOKENS, and each stretch from one word that says something to another."""
    if tokens:
        yield tokens
    ends = [place for place, token in enumerate(tokens) if token not in COMMON]
    for first, last in combinations(ends, 2):
        if last - first < _LONGEST_RUN:
            yield tokens[first : last + 1]


@dataclass(frozen=True, slots=True)
class Named:
    """A query whose names are found: the whole, its parts that are weighed, words left out."""

    node: Node
    units: tuple[Node, ...]
    ignored: tuple[str, ...] = ()


def find_names(node: Node, names: Names, places: Places) -> Named:
    """Find what the words of NODE name."""
    finder = _Finder(names, places, _shouted(node))
    found = finder.found(node)
    units = found.parts if isinstance(found, All) else (found,)
    return Named(found, units, tuple(dict.fromkeys(finder.ignored)))


def _shouted(node: Node) -> bool:
    """Tell whether all of a query is in capitals, so that they mean nothing."""
    texts = [term.text for term in _all_terms(node) if term.text]
    return len(texts) > 1 and all(text == text.upper() for text in texts)


def _all_terms(node: Node) -> Iterable[Term]:
    if isinstance(node, Term):
        yield node
        return
    for part in (*node.parts, *(node.but if isinstance(node, All) else ())):
        yield from _all_terms(part)


class _Finder:
    """Puts what names stand for beside the words of one query."""

    def __init__(self, names: Names, places: Places, shouted: bool) -> None:
        self.names = names
        self.places = places
        self.shouted = shouted
        self.ignored: list[str] = []

    def found(self, node: Node) -> Node:
        """Find the names in NODE."""
        if isinstance(node, Term):
            return self._beginnings(node) if node.prefix else self._several([node])[0]
        if isinstance(node, Either):
            return Either(tuple(self.found(part) for part in node.parts))
        parts = self._without_common(self._several(node.parts))
        but = tuple(self.found(part) for part in node.but)
        return parts[0] if len(parts) == 1 and not but else All(tuple(parts), but)

    def _several(self, parts: Sequence[Node]) -> list[Node]:
        """Find names in runs of words that stand side by side, the longest first."""
        runs = [run for place in range(len(parts)) for run in _beginning_at(parts, place)]
        known = self.places(list(dict.fromkeys(map(_text, runs))))
        found: list[Node] = []
        place = 0
        while place < len(parts):
            for run in _beginning_at(parts, place):
                ids = self._ids(run, known)
                if ids:
                    bare = All(tuple(run), name=True) if len(run) > 1 else run[0]
                    found.append(Either((bare, *(Term((id_,)) for id_ in ids))))
                    place += len(run)
                    break
            else:
                part = parts[place]
                plain = isinstance(part, Term) and not part.prefix
                found.append(part if plain else self.found(part))
                place += 1
        return found

    def _ids(self, run: Sequence[Term], known: Mapping[str, Sequence[str]]) -> list[str]:
        """Give the tokens of the ids that a run of words names."""
        if len(run) == 1 and _common(run[0]):
            return []
        text = _text(run)
        tokens = tuple(token for term in run for token in term.tokens)
        country = self._country(text)
        return [
            *sorted(self.names.ids.get(tokens, ())),
            *([] if country is None else [country_token(country)]),
            *known.get(text, ()),
        ]

    def _country(self, text: str) -> str | None:
        """Find the country that TEXT names; a code means one only in capitals: US, not us."""
        code = len(fold(text)) < _SHORTEST_NAME
        if code and (self.shouted or not text.isupper()):
            return None
        return country_code(text)

    def _beginnings(self, term: Term) -> Node:
        (beginning,) = term.tokens
        ids = {
            id_
            for run, found in self.names.ids.items()
            if len(run) == 1 and run[0].startswith(beginning)
            for id_ in found
        }
        return Either((term, *(Term((id_,)) for id_ in sorted(ids)))) if ids else term

    def _without_common(self, parts: list[Node]) -> list[Node]:
        kept: list[Node] = []
        common: list[str] = []
        for part in parts:  # one by one: a word equals itself between quotation marks
            if isinstance(part, Term) and _common(part):
                common.append(part.text)
            else:
                kept.append(part)
        if not kept:
            return parts
        self.ignored += common
        return kept


def _beginning_at(parts: Sequence[Node], place: int) -> list[list[Term]]:
    """Give the runs of words at PLACE that may be a name, the longest first."""
    first = parts[place]
    if not isinstance(first, Term) or first.prefix:
        return []
    run = [first]
    if not first.quoted:
        for part in parts[place + 1 : place + _LONGEST_RUN]:
            if not isinstance(part, Term) or part.prefix or part.quoted:
                break
            run.append(part)
    return [run[:length] for length in range(len(run), 0, -1)]


def _text(run: Sequence[Term]) -> str:
    return " ".join(term.text for term in run)


def _common(term: Term) -> bool:
    return not term.quoted and not term.prefix and fold(term.text) in COMMON
