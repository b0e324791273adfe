"""Indexed text: what of a record is searched, in which column it counts, and as which tokens.

Aliases and names that may change are not written into the index. A place, a community and an
episode leave a token of their id; `api.search.name_resolution` finds these tokens for the names in
a query. So a rename re-indexes nothing, and every alias in every script finds the record.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from api.search.index_tables import BREAK, COLUMNS, Entry, doc_id
from api.search.tokenizer import (
    city_token,
    community_token,
    country_token,
    episode_token,
    place_token,
    tokenize,
)
from schemas.name_folding import fold
from schemas.record_fields import FIELDS
from schemas.vocabulary import EVENT_TYPES, POLICE_MEASURES

# What PostgreSQL keeps of one document: positions in all, and places of one word.
_MOST_TOKENS = 16_000
_MOST_REPEATED = 255


class IndexedField(NamedTuple):
    """One text of a record: the field it is from, its column, and tokens of ids beside it."""

    name: str
    column: str
    text: str | None
    ids: tuple[str, ...] = ()


def entry(pk: int, sort_date: str, document: Mapping[str, Any]) -> Entry:
    """Return the entry of a record from its DOCUMENT."""
    columns: dict[str, list[str]] = {name: [] for name in COLUMNS}
    for field in indexed_fields(document):
        tokens = columns[field.column]
        if tokens:
            tokens.append(BREAK)
        if field.text is not None:
            tokens.extend(tokenize(field.text))
        tokens.extend(field.ids)
    public = document["status"] == "published"
    return Entry(doc_id(sort_date, pk), public, _within_bounds(columns))


def _within_bounds(columns: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Join the tokens of each column, cut to what both engines keep of a document."""
    if sum(map(len, columns.values())) <= _MOST_REPEATED:
        return tuple(map(" ".join, columns.values()))
    room = _MOST_TOKENS
    seen: Counter[str] = Counter()
    joined = []
    for tokens in columns.values():
        tokens = tokens[:room]
        room -= len(tokens)
        for i, token in enumerate(tokens):
            seen[token] += 1
            if seen[token] > _MOST_REPEATED:
                tokens[i] = BREAK
        joined.append(" ".join(tokens))
    return tuple(joined)


def indexed_fields(document: Mapping[str, Any]) -> list[IndexedField]:
    """Return the texts of a DOCUMENT that are searched, the weightiest first."""
    fields = []
    for name, column, read in _SEARCHED:
        value = document[name]
        if not value and name != "city":  # a place may be known by its id alone
            continue
        for text, ids in [(value, ())] if read is None else read(document):
            fields.append(IndexedField(name, column, text, ids))
    return fields


# A text, and tokens of ids beside it.
Texts = list[tuple[str | None, tuple[str, ...]]]


def _items(name: str, document: Mapping[str, Any]) -> Texts:
    return [(FIELDS[name].spell(item), ()) for item in document[name]]


def _type(document: Mapping[str, Any]) -> Texts:
    return [(EVENT_TYPES[document["type"]].label, ())]


def _police_measures(document: Mapping[str, Any]) -> Texts:
    return [(POLICE_MEASURES[measure].label, ()) for measure in document["police_measures"]]


def _communities(document: Mapping[str, Any]) -> Texts:
    texts: Texts = []
    for part in document["communities"]:
        texts.append((None, (community_token(part["community"]),)))
        texts += [(organisation, ()) for organisation in part["organisations"]]
    return texts


def _episode(document: Mapping[str, Any]) -> Texts:
    return [(None, (episode_token(document["episode"]),))]


def _sources(document: Mapping[str, Any]) -> Texts:
    articles = [source["article"] for source in document["sources"]]
    names = [article[member] for article in articles for member in ("title", "publisher")]
    return [(name, ()) for name in dict.fromkeys(names) if name is not None]


def _city(document: Mapping[str, Any]) -> Texts:
    city, geonames_id = document["city"], document["geonames_id"]
    if geonames_id is not None:
        return [(city, (place_token(geonames_id),))]
    return [] if city is None else [(city, (city_token(fold(city)),))]


def _country(document: Mapping[str, Any]) -> Texts:
    return [(document["country_name"], (country_token(document["country"]),))]


# Fields that are searched otherwise than by their own text.
_READ: dict[str, Callable[[Mapping[str, Any]], Texts]] = {
    "type": _type,
    "police_measures": _police_measures,
    "communities": _communities,
    "episode": _episode,
    "sources": _sources,
    "city": _city,
    "country": _country,
}
_RANKED = [(field.searched, field.name) for field in FIELDS.values() if field.searched is not None]
_SEARCHED = [
    (
        name,
        searched.column,
        _READ.get(name) or (partial(_items, name) if FIELDS[name].default == [] else None),
    )
    for searched, name in sorted(_RANKED, key=lambda ranked: ranked[0].rank)
]
