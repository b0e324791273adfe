"""The query language: words, "phrases", -exclusions, OR, prefix* and parentheses.

    query  = and ("OR" and)*           words bind closer than OR
    and    = (["-"] atom)+
    atom   = word | word"*" | '"' words '"' | "(" query ")"

All else that is neither letter nor digit separates words and means nothing. A query never reaches
the parser of a database: it is read here, and written anew for each engine from its tokens.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from api.search.ast import And, Node, Or, Term
from api.search.tokenizer import is_spaced, prefix_of, tokenize, words

MAX_WORDS = 32
MAX_DEPTH = 8
MIN_PREFIX = 3

_QUOTES = '"“”„«»'
_LEXEME = re.compile(rf"\s+|[{_QUOTES}()]|[^\s{_QUOTES}()]+")


class GrammarError(ValueError):
    """A query that cannot be read: what is wrong, at which character (from 0), and the place."""

    def __init__(self, detail: str, query: str, offset: int) -> None:
        super().__init__(detail)
        self.detail = detail
        self.offset = offset
        self.shown = _shown(query, offset)


def _shown(query: str, offset: int, reach: int = 40) -> str:
    """Return the query around a fault, with a caret below it."""
    start = max(0, offset - reach)
    line = re.sub(r"\s", " ", query[start : offset + reach])
    return f"{line}\n{' ' * (offset - start)}^"


@dataclass(frozen=True, slots=True)
class _Lexeme:
    """A part of the query: `kind` is a sign, `or`, `-` or `nodes`."""

    kind: str
    start: int
    nodes: tuple[Node, ...] = ()


def parse(query: str) -> Node:
    """Return the tree of QUERY.

    Raises GrammarError that shows where it cannot be read.
    """
    return _Parser(query).parse()


class _Parser:
    """Reads one query from left to right."""

    def __init__(self, query: str) -> None:
        self.query = query
        self.number_of_words = 0
        self.lexemes = [*self._lexemes(), _Lexeme("end", len(query))]
        self.position = 0

    def _fault(self, detail: str, offset: int) -> GrammarError:
        return GrammarError(detail, self.query, offset)

    def _lexemes(self) -> Iterator[_Lexeme]:
        end = 0
        while match := _LEXEME.match(self.query, end):
            start, end = match.span()
            if match[0] in _QUOTES:
                end = self._closing(start)
                yield from self._phrase(start, end)
            elif match[0] in "()":
                yield _Lexeme(match[0], start)
            elif match[0] == "OR":
                yield _Lexeme("or", start)
            elif not match[0].isspace():
                yield from self._chunk(match[0], start)

    def _closing(self, start: int) -> int:
        quote = re.compile(f"[{_QUOTES}]").search(self.query, start + 1)
        if quote is None:
            raise self._fault("This quotation mark is not closed.", start)
        return quote.end()

    def _phrase(self, start: int, end: int) -> Iterator[_Lexeme]:
        text = self.query[start + 1 : end - 1]
        starred = re.search(r"[^\W_]\*", text)
        if starred is not None:
            detail = "Between quotation marks words stand in full; put word* outside."
            raise self._fault(detail, start + 1 + starred.start() + 1)
        tokens = tokenize(text)
        if not tokens:
            raise self._fault("There is no word between these quotation marks.", start)
        self._count(len(tokens), start)
        yield _Lexeme("nodes", start, (Term(tokens, text=text, quoted=True),))

    def _chunk(self, chunk: str, start: int) -> Iterator[_Lexeme]:
        """Read what stands between blanks: words, with a sign before and a star behind."""
        bare = chunk.lstrip("-")
        next_sign = self.query[start + len(chunk) : start + len(chunk) + 1]
        nodes = self._words(bare, start + len(chunk) - len(bare))
        if len(bare) < len(chunk) and (
            nodes or (not bare and next_sign and next_sign in _QUOTES + "(")
        ):
            yield _Lexeme("-", start)
            nodes = (And(nodes),) if len(nodes) > 1 else nodes
        if nodes:
            yield _Lexeme("nodes", start, nodes)

    def _words(self, chunk: str, start: int) -> tuple[Node, ...]:
        chunk_words = list(words(chunk))
        stars = {match.start() for match in re.finditer(r"\*", chunk)}
        starred = stars & {word.end for word in chunk_words}
        starred -= {word.start - 1 for word in chunk_words}
        if stars - starred:
            detail = "A star stands behind the beginning of a word, as in azerb*."
            raise self._fault(detail, start + min(stars - starred))
        self._count(len(chunk_words), start)
        if (
            len(chunk_words) > 1
            and not starred
            and all(word.tokens[0].isdigit() for word in chunk_words)
        ):
            # A date or another number with signs in it: its parts belong together.
            return (
                Term(tuple(token for word in chunk_words for token in word.tokens), text=chunk),
            )
        return tuple(
            self._prefix(chunk[word.start : word.end], word.tokens, start + word.start)
            if word.end in starred
            else Term(word.tokens, text=chunk[word.start : word.end])
            for word in chunk_words
        )

    def _prefix(self, word: str, tokens: tuple[str, ...], offset: int) -> Node:
        """Return what looks for words that begin so, and for other forms of the same word."""
        if not is_spaced(tokens[-1]):
            return Term(tokens, text=word)
        begins = prefix_of(word)
        if len(begins) < MIN_PREFIX:
            detail = f"Give at least {MIN_PREFIX} letters before the star."
            raise self._fault(detail, offset)
        return Or((Term(tokens, text=word, quoted=True), Term((begins,), prefix=True)))

    def _count(self, number: int, offset: int) -> None:
        self.number_of_words += number
        if self.number_of_words > MAX_WORDS:
            raise self._fault(f"A query takes at most {MAX_WORDS} words.", offset)

    def parse(self) -> Node:
        node = self._or(0)
        if self.lexemes[self.position].kind == ")":
            raise self._fault("This parenthesis closes nothing.", self.lexemes[self.position].start)
        return node

    def _or(self, depth: int) -> Node:
        parts = [self._and(depth)]
        while self.lexemes[self.position].kind == "or":
            self.position += 1
            parts.append(self._and(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self, depth: int) -> Node:
        parts: list[Node] = []
        but: list[Node] = []
        first = self.lexemes[self.position]
        while self.lexemes[self.position].kind in ("nodes", "(", "-"):
            excluded = self.lexemes[self.position].kind == "-"
            self.position += excluded
            (but if excluded else parts).extend(self._atom(depth))
        if not parts:
            raise self._nothing(first, bool(but))
        return parts[0] if len(parts) == 1 and not but else And(tuple(parts), tuple(but))

    def _atom(self, depth: int) -> tuple[Node, ...]:
        lexeme = self.lexemes[self.position]
        self.position += 1
        if lexeme.kind == "nodes":
            return lexeme.nodes
        if depth == MAX_DEPTH:
            raise self._fault(f"At most {MAX_DEPTH} parentheses within each other.", lexeme.start)
        node = self._or(depth + 1)
        if self.lexemes[self.position].kind != ")":
            raise self._fault("This parenthesis is not closed.", lexeme.start)
        self.position += 1
        return (node,)

    def _nothing(self, first: _Lexeme, excluded: bool) -> GrammarError:
        """Return the error that says what is missing where an operand should start."""
        if excluded:
            detail = "An exclusion takes away from what is looked for; name something to look for."
        elif "or" in (first.kind, self.lexemes[max(0, self.position - 1)].kind):
            detail = "OR stands between two alternatives; one is missing."
        elif first.kind == ")":
            detail = "There is nothing between these parentheses."
        else:
            detail = "There is no word to look for here."
        nothing_at_all = len(self.lexemes) == 1
        return self._fault(detail, 0 if nothing_at_all else min(first.start, len(self.query) - 1))
