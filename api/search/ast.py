"""Expressions: what a query asks of a record, as a tree that each engine writes in its own way."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Term:
    """Tokens that stand in a row, one mostly; with `prefix` the last is a beginning.

    `text` is how it was written, `quoted` whether between quotation marks.
    """

    tokens: tuple[str, ...]
    prefix: bool = False
    text: str = field(default="", compare=False)
    quoted: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of the parts."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class All:
    """Each of the parts, and none of `but`; `name` tells words that are a name together."""

    parts: tuple["Node", ...]
    but: tuple["Node", ...] = ()
    name: bool = field(default=False, compare=False)


Node = Term | Either | All


def terms(node: Node, *, names_whole: bool = False) -> Iterator[Term]:
    """Walk what is looked for in NODE, what is excluded aside.

    With NAMES_WHOLE, words that are a name together are one term.
    """
    if isinstance(node, Term):
        yield node
    elif names_whole and isinstance(node, All) and node.name:
        yield Term(tuple(token for term in terms(node) for token in term.tokens))
    else:
        for part in node.parts:
            yield from terms(part, names_whole=names_whole)
