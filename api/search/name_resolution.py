"""Name resolution: the ids that words of a query stand for, beside being words.

A community or an episode is meant by a name or alias that stands in the query whole, or by two of
its words or more in a row that are no other's whole name; a place or a country by one that stands
there whole. `South` means no South Sudanese, and `Sudanese` only the community of that name. A run
of words that names something is looked for as these words *or* as what they name: either finds. The
longest run goes first, so that in `New York` nothing means York.

In a query of several words, the commonest English ones are left out, unless quoted.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from api.search.ast import And, Node, Or, Term
from api.search.tokenizer import country_token, tokenize, words
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
# Returns, for each of the names (as written) that is one of a place, the tokens of its ids.
LookUpPlaces = Callable[[Sequence[str]], Mapping[str, Sequence[str]]]


@dataclass(frozen=True, eq=False)
class NameIndex:
    """The names of communities and episodes.

    `ids`: what adjacent tokens stand for; `labels`: the name of an id; `spellings`: how the word
    of a token is spelt.
    """

    ids: Mapping[Tokens, frozenset[str]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    spellings: Mapping[str, str] = field(default_factory=dict)


def index_names(terms: Iterable[tuple[str, str, Sequence[str]]]) -> NameIndex:
    """Return the index of the names of TERMS, each (token of its id, name, aliases)."""
    whole: dict[Tokens, set[str]] = defaultdict(set)
    parts: dict[Tokens, set[str]] = defaultdict(set)
    labels: dict[str, str] = {}
    spellings: dict[str, str] = {}
    for id_, name, aliases in terms:
        labels[id_] = name
        for alias in (name, *aliases):
            tokens = tokenize(alias)
            whole[tokens].add(id_)
            for run in _runs(tokens):
                parts[run].add(id_)
            for word in words(alias):
                spellings.setdefault(word.tokens[0], alias[word.start : word.end])
    whole.pop((), None)
    ids = {run: frozenset(ids_) for run, ids_ in (parts | whole).items()}
    return NameIndex(ids, labels, spellings)


def _runs(tokens: Tokens) -> Iterable[Tokens]:
    """Yield each run of TOKENS from one word that is not common to another."""
    ends = [i for i, token in enumerate(tokens) if token not in COMMON]
    for first, last in combinations(ends, 2):
        if last - first < _LONGEST_RUN:
            yield tokens[first : last + 1]


@dataclass(frozen=True, slots=True)
class ResolvedNames:
    """A query whose names are resolved: its tree, the parts that are scored, words left out."""

    node: Node
    units: tuple[Node, ...]
    ignored: tuple[str, ...] = ()


def resolve_names(node: Node, names: NameIndex, look_up_places: LookUpPlaces) -> ResolvedNames:
    """Return NODE with the ids that its words name, by NAMES and by LOOK_UP_PLACES."""
    resolver = _Resolver(names, look_up_places, _all_capitals(node))
    resolved = resolver.resolve(node)
    units = resolved.parts if isinstance(resolved, And) else (resolved,)
    return ResolvedNames(resolved, units, tuple(dict.fromkeys(resolver.ignored)))


def _all_capitals(node: Node) -> bool:
    """Whether all of a query is in capitals, so that they mean nothing."""
    texts = [term.text for term in _all_terms(node) if term.text]
    return len(texts) > 1 and all(text == text.upper() for text in texts)


def _all_terms(node: Node) -> Iterable[Term]:
    if isinstance(node, Term):
        yield node
        return
    for part in (*node.parts, *(node.but if isinstance(node, And) else ())):
        yield from _all_terms(part)


class _Resolver:
    """Puts what names stand for beside the words of one query."""

    def __init__(self, names: NameIndex, look_up_places: LookUpPlaces, capitals: bool) -> None:
        self.names = names
        self.look_up_places = look_up_places
        self.capitals = capitals
        self.ignored: list[str] = []

    def resolve(self, node: Node) -> Node:
        """Return NODE with what its names stand for."""
        if isinstance(node, Term):
            return self._prefix(node) if node.prefix else self._runs([node])[0]
        if isinstance(node, Or):
            return Or(tuple(self.resolve(part) for part in node.parts))
        parts = self._without_common(self._runs(node.parts))
        but = tuple(self.resolve(part) for part in node.but)
        return parts[0] if len(parts) == 1 and not but else And(tuple(parts), but)

    def _runs(self, parts: Sequence[Node]) -> list[Node]:
        """Resolve names in runs of words that stand side by side, the longest first."""
        runs = [run for start in range(len(parts)) for run in _runs_at(parts, start)]
        places = self.look_up_places(list(dict.fromkeys(map(_text, runs))))
        resolved: list[Node] = []
        start = 0
        while start < len(parts):
            for run in _runs_at(parts, start):
                ids = self._ids(run, places)
                if ids:
                    bare = And(tuple(run), name=True) if len(run) > 1 else run[0]
                    resolved.append(Or((bare, *(Term((id_,)) for id_ in ids))))
                    start += len(run)
                    break
            else:
                part = parts[start]
                plain = isinstance(part, Term) and not part.prefix
                resolved.append(part if plain else self.resolve(part))
                start += 1
        return resolved

    def _ids(self, run: Sequence[Term], places: Mapping[str, Sequence[str]]) -> list[str]:
        """Return the tokens of the ids that a run of words names."""
        if len(run) == 1 and _common(run[0]):
            return []
        text = _text(run)
        tokens = tuple(token for term in run for token in term.tokens)
        country = self._country(text)
        return [
            *sorted(self.names.ids.get(tokens, ())),
            *([] if country is None else [country_token(country)]),
            *places.get(text, ()),
        ]

    def _country(self, text: str) -> str | None:
        """Return the country that TEXT names; a code means one only in capitals: US, not us."""
        code = len(fold(text)) < _SHORTEST_NAME
        if code and (self.capitals or not text.isupper()):
            return None
        return country_code(text)

    def _prefix(self, term: Term) -> Node:
        (prefix,) = term.tokens
        ids = {
            id_
            for run, ids_ in self.names.ids.items()
            if len(run) == 1 and run[0].startswith(prefix)
            for id_ in ids_
        }
        return Or((term, *(Term((id_,)) for id_ in sorted(ids)))) if ids else term

    def _without_common(self, parts: list[Node]) -> list[Node]:
        rest: list[Node] = []
        common: list[str] = []
        for part in parts:  # one by one: a word equals itself between quotation marks
            if isinstance(part, Term) and _common(part):
                common.append(part.text)
            else:
                rest.append(part)
        if not rest:
            return parts
        self.ignored += common
        return rest


def _runs_at(parts: Sequence[Node], start: int) -> list[list[Term]]:
    """Return the runs of words from START that may be a name, the longest first."""
    first = parts[start]
    if not isinstance(first, Term) or first.prefix:
        return []
    run = [first]
    if not first.quoted:
        for part in parts[start + 1 : start + _LONGEST_RUN]:
            if not isinstance(part, Term) or part.prefix or part.quoted:
                break
            run.append(part)
    return [run[:length] for length in range(len(run), 0, -1)]


def _text(run: Sequence[Term]) -> str:
    return " ".join(term.text for term in run)


def _common(term: Term) -> bool:
    return not term.quoted and not term.prefix and fold(term.text) in COMMON
