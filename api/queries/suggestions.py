"""Suggestions: near spellings that would find something, where a full-text query finds nothing.

They come from the words of published records, from the names of communities and episodes, and
from the gazetteer. Each was tried with the query's own filters, so it does find something, and is
spelt as a published record or a vocabulary spells it.
"""

from collections.abc import Iterable, Iterator
from itertools import islice, zip_longest

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import bindparam, func, select

from api import documents
from api.core.permissions import PUBLIC
from api.database.readers import Reader
from api.geo import lookup
from api.models import search_words
from api.queries.pages import page
from api.queries.results import ResolvedQuery
from api.queries.text.text_queries import TextQuery, for_token, resolve_text
from api.search import ast, indexed_text, tokenizer
from api.search.ast import Term

_MOST = 3
_TRIED = 5  # near spellings of one word
_CORRECTED = 6  # words of one query
_SHORTEST = 4
_NEAR = 0.7  # how alike a near spelling is at least
_WORDS = (
    select(search_words.c.word)
    .distinct()
    .where(func.length(search_words.c.word).between(bindparam("shortest"), bindparam("longest")))
)


def suggestions(reader: Reader, query: ResolvedQuery) -> list[str]:
    """Return at most three queries like QUERY, which matches nothing, that match something."""
    text_query: TextQuery = query.criteria["q"]
    unknown = [
        term
        for term in _words(text_query)
        if not _finds(reader, ResolvedQuery(), resolve_text(reader, term.text))
    ]
    spellings = [list(islice(_near(reader, text_query, term), _TRIED)) for term in unknown]
    if not unknown or not all(spellings):
        return []
    suggested: list[str] = []
    for choice in zip_longest(*spellings):
        # Where one word has fewer near spellings than another, its best stands.
        chosen = [spelling or near[0] for spelling, near in zip(choice, spellings, strict=True)]
        text = _corrected(text_query.text, unknown, chosen)
        if text not in suggested and _finds(reader, query, resolve_text(reader, text)):
            suggested.append(text)
        if len(suggested) == _MOST:
            break
    return suggested


def _words(text_query: TextQuery) -> list[Term]:
    """Return the words that are looked for, as they were written."""
    terms = {
        term.text: term for term in ast.terms(text_query.resolved.node) if _may_be_misspelt(term)
    }
    return list(terms.values())[:_CORRECTED]


def _may_be_misspelt(term: Term) -> bool:
    word = term.tokens[0]
    plain = len(term.tokens) == 1 and not term.prefix and bool(term.text)
    return plain and len(word) >= _SHORTEST and not word.isdigit()


def _finds(reader: Reader, query: ResolvedQuery, text_query: TextQuery) -> bool:
    """Whether published records that QUERY keeps hold the words of a text query."""
    tried = ResolvedQuery(criteria={**query.criteria, "q": text_query}, match=query.match, limit=1)
    return bool(page(reader, tried, PUBLIC).documents)


def _near(reader: Reader, text_query: TextQuery, term: Term) -> Iterator[str]:
    """Yield near spellings of a word, the nearest of each kind first."""
    token = term.tokens[0]
    values = {"shortest": len(token) - 2, "longest": len(token) + 2}
    words = (word for (word,) in reader.run(_WORDS, values) if not word.isdigit())
    seen: set[str] = set()
    for near in _alike(token, words):
        spelling = _as_written(reader, near)
        if spelling is not None and spelling not in seen:
            seen.add(spelling)
            yield spelling
    names = text_query.names.spellings
    yield from (names[near] for near in _alike(token, names))
    with reader.engine.connect() as connection:
        yield from lookup.similar_names(connection, term.text, limit=_TRIED)


def _alike(word: str, known: Iterable[str]) -> list[str]:
    """Return the KNOWN words that are most like WORD."""
    choices = list(known)
    hits = process.extract(
        word,
        choices,
        scorer=OSA.normalized_similarity,
        processor=None,
        score_cutoff=_NEAR,
        limit=_TRIED,
    )
    return [near for near, _, _ in sorted(hits, key=lambda hit: (-hit[1], hit[0]))]


def _as_written(reader: Reader, token: str) -> str | None:
    """Return how a published record spells the word of a TOKEN; None where none has it now."""
    tried = ResolvedQuery(criteria={"q": for_token(reader, token)}, limit=1)
    for document in page(reader, tried, PUBLIC).documents:
        for piece in indexed_text.indexed_fields(documents.load(document)):
            for word in tokenizer.words(piece.text or ""):
                if word.tokens == (token,):
                    return (piece.text or "")[word.start : word.end]
    return None


def _corrected(text: str, wrong: Iterable[Term], right: Iterable[str]) -> str:
    """Return TEXT with the RIGHT spellings in place of the WRONG ones."""
    spellings = {term.text: spelling for term, spelling in zip(wrong, right, strict=True)}
    parts, last = [], 0
    for word in tokenizer.words(text):
        spelling = spellings.get(text[word.start : word.end])
        if spelling is not None:
            parts += [text[last : word.start], spelling]
            last = word.end
    return "".join([*parts, text[last:]])
