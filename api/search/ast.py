"""The tree of a query: what it asks of a record; each engine renders it in its own language."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Term:
    """Adjacent tokens, one mostly; with `prefix` the last is the beginning of a word.

    `text` is how it was written, `quoted` whether between quotation marks.
    """

    tokens: tuple[str, ...]
    prefix: bool = False
    text: str = field(default="", compare=False)
    quoted: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of the parts."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class And:
    """Each of the parts, and none of `but`; `name` marks words that are a name together."""

    parts: tuple["Node", ...]
    but: tuple["Node", ...] = ()
    name: bool = field(default=False, compare=False)


Node = Term | Or | And


def terms(node: Node, *, names_whole: bool = False) -> Iterator[Term]:
    """Yield the terms that NODE looks for, without those that it excludes.

    With NAMES_WHOLE, words that are a name together are one term.
    """
    if isinstance(node, Term):
        yield node
    elif names_whole and isinstance(node, And) and node.name:
        yield Term(tuple(token for term in terms(node) for token in term.tokens))
    else:
        for part in node.parts:
            yield from terms(part, names_whole=names_whole)
