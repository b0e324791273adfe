"""Text queries: what words ask for, resolved once into what each engine looks for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, select

from api.core.errors import ApiError
from api.database.readers import Reader
from api.geo import lookup
from api.models import SearchState, search_words
from api.search import (
    index_tables,
    indexer,
    name_resolution,
    parser,
    sqlite,
    tokenizer,
)
from api.search.ast import Term
from api.search.name_resolution import NameIndex, ResolvedNames
from api.search.term_names import STATE, TERMS, Vocabulary
from schemas.errors import ErrorDetail
from schemas.query.parameters import QueryError

# Of a name that many places bear, the largest are meant.
_MOST_PLACES = 30
_TOKENS: Mapping[Vocabulary, Callable[[str], str]] = {
    "communities": tokenizer.community_token,
    "episodes": tokenizer.episode_token,
}
_STATE = select(
    *(select(column).scalar_subquery() for columns in STATE.values() for column in columns),
    select(SearchState.form).scalar_subquery(),
)
_WORDS = (
    select(search_words.c.word)
    .distinct()
    .where(search_words.c.word >= bindparam("first"), search_words.c.word < bindparam("last"))
    .limit(bindparam("most"))
)


@dataclass(frozen=True, repr=False)
class TextQuery:
    """A full-text query: as it was written, what it means, and what is bound for it."""

    text: str
    resolved: ResolvedNames
    names: NameIndex
    values: Mapping[str, str]

    def __repr__(self) -> str:
        """Show the query as written: a cursor stays good when a vocabulary gains an alias."""
        return repr(self.text)


def resolve_text(reader: Reader, text: str) -> TextQuery:
    """Return what TEXT asks for.

    Raises QueryError where it cannot be read, ApiError where the indexes are of another form.
    """
    *state, form = reader.run(_STATE)[0]
    if form not in (None, tokenizer.tokenizer_version()):
        raise ApiError(
            "unavailable",
            "The full-text index is of an older form. Whoever runs the service builds it anew: "
            "flask --app api search rebuild",
        )
    names = _names(reader, tuple(state))
    resolved = _resolved_names(reader, text, names, lookup.epoch())
    return TextQuery(text, resolved, names, _values(reader, resolved))


def for_token(reader: Reader, token: str) -> TextQuery:
    """Return the query for a TOKEN itself."""
    term = Term((token,))
    resolved = ResolvedNames(term, (term,))
    return TextQuery(token, resolved, NameIndex(), _values(reader, resolved))


@lru_cache(maxsize=256)
def _resolved_names(reader: Reader, text: str, names: NameIndex, _epoch: int) -> ResolvedNames:
    """Return what TEXT means and its words name; remembered for seconds, for editors add places."""
    try:
        node = parser.parse(text)
    except parser.GrammarError as error:
        detail = f"{error.detail} It is at character {error.offset + 1} of {text[:200]!r}."
        fault = ErrorDetail("bad_search", detail, offset=error.offset, shown=error.shown)
        raise QueryError({"q": [fault]}) from None
    return name_resolution.resolve_names(node, names, lambda words: _places(reader, words))


@lru_cache(maxsize=2)
def _names(reader: Reader, _state: Any) -> NameIndex:
    """Return the names of communities and episodes, which may change at any time."""
    with reader.engine.connect() as connection:
        return name_resolution.index_names(
            (token(row.id), row.name, row.aliases)
            for vocabulary, token in _TOKENS.items()
            for row in connection.execute(TERMS[vocabulary])
        )


def _places(reader: Reader, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Return the places that each of NAMES may mean, as the tokens that records have of them."""
    with reader.engine.connect() as connection:
        places_of = lookup.places_meant_by(connection, names)
    return {
        name: [
            *(tokenizer.place_token(place.geonames_id) for place in places[:_MOST_PLACES]),
            *dict.fromkeys(tokenizer.city_token(place.folded) for place in places[:_MOST_PLACES]),
        ]
        for name, places in places_of.items()
    }


def _values(reader: Reader, resolved: ResolvedNames) -> dict[str, str]:
    """Return what is bound: the query, and each unit in each column, for both indexes."""
    engine = indexer.ENGINES[reader.engine.dialect.name]
    values = {}
    for index in (index_tables.PUBLIC_INDEX, index_tables.PRIVATE_INDEX):
        known = (lambda word: _known(reader, word)) if index is index_tables.PUBLIC_INDEX else None
        values[index.parameter()] = engine.render(resolved.node, known)
        for number, unit in enumerate(resolved.units):
            for column in index_tables.WEIGHTS:
                rendered = engine.render_in(column, unit, resolved.node, known)
                values[index.parameter(number, column)] = rendered
    return values


def _known(reader: Reader, beginning: str) -> list[str]:
    """Return the words of published records that begin so, at most one more than are used."""
    values = {
        "first": beginning,
        "last": f"{beginning}\U0010ffff",
        "most": sqlite.MAX_EXPANDED + 1,
    }
    return [word for (word,) in reader.run(_WORDS, values)]
