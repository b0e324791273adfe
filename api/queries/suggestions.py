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

from api import documents, geo, search
from api.core.permissions import PUBLIC
from api.database.readers import Reader
from api.models import search_words
from api.queries.pages import page
from api.queries.text.text_queries import Searched, for_token, searched
from api.search import Term
from schemas.query.loading import LoadedQuery

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


def suggestions(reader: Reader, query: LoadedQuery) -> list[str]:
    """Give at most three queries like QUERY, which found nothing, that find something."""
    wanted: Searched = query.criteria["q"]
    unknown = [
        term
        for term in _words(wanted)
        if not _finds(reader, LoadedQuery(), searched(reader, term.text))
    ]
    spellings = [list(islice(_near(reader, wanted, term), _TRIED)) for term in unknown]
    if not unknown or not all(spellings):
        return []
    found: list[str] = []
    for choice in zip_longest(*spellings):
        # Where one word has fewer near spellings than another, its best stands.
        chosen = [spelling or near[0] for spelling, near in zip(choice, spellings, strict=True)]
        text = _corrected(wanted.text, unknown, chosen)
        if text not in found and _finds(reader, query, searched(reader, text)):
            found.append(text)
        if len(found) == _MOST:
            break
    return found


def _words(wanted: Searched) -> list[Term]:
    """Give the words that are looked for, as they were written."""
    terms = {term.text: term for term in search.terms(wanted.named.node) if _may_be_misspelt(term)}
    return list(terms.values())[:_CORRECTED]


def _may_be_misspelt(term: Term) -> bool:
    word = term.tokens[0]
    plain = len(term.tokens) == 1 and not term.prefix and bool(term.text)
    return plain and len(word) >= _SHORTEST and not word.isdigit()


def _finds(reader: Reader, query: LoadedQuery, wanted: Searched) -> bool:
    """Tell whether published records that QUERY keeps hold what is WANTED."""
    tried = LoadedQuery(criteria={**query.criteria, "q": wanted}, match=query.match, limit=1)
    return bool(page(reader, tried, PUBLIC).documents)


def _near(reader: Reader, wanted: Searched, term: Term) -> Iterator[str]:
    """Give near spellings of a word, the nearest of each kind first."""
    token = term.tokens[0]
    values = {"shortest": len(token) - 2, "longest": len(token) + 2}
    words = (word for (word,) in reader.run(_WORDS, values) if not word.isdigit())
    seen: set[str] = set()
    for near in _alike(token, words):
        spelling = _as_written(reader, near)
        if spelling is not None and spelling not in seen:
            seen.add(spelling)
            yield spelling
    names = wanted.names.spellings
    yield from (names[near] for near in _alike(token, names))
    with reader.engine.connect() as connection:
        yield from geo.near_anywhere(connection, term.text, limit=_TRIED)


def _alike(word: str, known: Iterable[str]) -> list[str]:
    """Choose the KNOWN words that are most like WORD."""
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
    """Find how a published record spells the word of a TOKEN; None where no record has it now."""
    tried = LoadedQuery(criteria={"q": for_token(reader, token)}, limit=1)
    for document in page(reader, tried, PUBLIC).documents:
        for piece in search.indexed_fields(documents.load(document)):
            for word in search.words(piece.text or ""):
                if word.tokens == (token,):
                    return (piece.text or "")[word.start : word.end]
    return None


def _corrected(text: str, wrong: Iterable[Term], right: Iterable[str]) -> str:
    """Put the RIGHT spellings into TEXT for the WRONG ones."""
    spellings = {term.text: spelling for term, spelling in zip(wrong, right, strict=True)}
    parts, last = [], 0
    for word in search.words(text):
        spelling = spellings.get(text[word.start : word.end])
        if spelling is not None:
            parts += [text[last : word.start], spelling]
            last = word.end
    return "".join([*parts, text[last:]])
