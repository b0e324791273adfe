"""Texts: what of a record is searched, in which column it counts, and as which tokens.

Aliases and names that may change are not written into the index. A place, a community and an
episode leave a token of their id; `api.search.name_resolution` finds these tokens for the names in
a query. So a rename re-indexes nothing, and every alias in every script finds the record.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from api.search.tokenizer import LONGEST, split
from schemas.name_folding import fold
from schemas.vocabulary import EVENT_TYPES, POLICE_MEASURES

COLUMNS = ("title", "place", "text", "sources")

# A word between two texts of one column, so that no phrase reaches from one into the other.
BREAK = "_"
# What PostgreSQL keeps of one document: positions in all, and places of one word.
_MOST_TOKENS = 16_000
_MOST_REPEATED = 255

_SLOT_BITS = 40
PK_MASK = (1 << _SLOT_BITS) - 1
_LAST_DAY = date.max.toordinal()


class Piece(NamedTuple):
    """One text of a record: the field it is from, its column, and tokens of ids beside it."""

    field: str
    column: str
    text: str | None
    ids: tuple[str, ...] = ()


class Entry(NamedTuple):
    """What the index holds of a record: its slot, whether all may find it, tokens by column."""

    slot: int
    public: bool
    columns: tuple[str, ...]


def words_of(entries: Iterable[Entry]) -> set[str]:
    """Give the tokens of ENTRIES that are words, not ids."""
    tokens: set[str] = set()
    for entry in entries:
        for column in entry.columns:
            tokens.update(column.split(" "))
    return set(filter(is_word, tokens))


def is_word(token: str) -> bool:
    """Tell a word from the token of an id, and from nothing."""
    return token != "" and token[0] != "_"


def slot(day: str, pk: int) -> int:
    """Give a record's number in the index, which counts from the newest date to the oldest.

    An index is walked in the order of its numbers: so the newest come first at no cost, and a
    range of dates is a range of numbers.
    """
    return (_LAST_DAY - date.fromisoformat(day).toordinal() << _SLOT_BITS) | pk


def first_slot(day: str) -> int:
    """Give the lowest slot of a DAY."""
    return slot(day, 0)


def last_slot(day: str) -> int:
    """Give the highest slot of a DAY."""
    return slot(day, PK_MASK)


def entry(pk: int, sort_date: str, document: Mapping[str, Any]) -> Entry:
    """Make the entry of a record from its DOCUMENT."""
    columns: dict[str, list[str]] = {name: [] for name in COLUMNS}
    for piece in pieces(document):
        tokens = columns[piece.column]
        if tokens:
            tokens.append(BREAK)
        if piece.text is not None:
            tokens.extend(split(piece.text))
        tokens.extend(piece.ids)
    kept = _within_bounds(columns)
    return Entry(slot(sort_date, pk), document["status"] == "published", kept)


def _within_bounds(columns: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Join the tokens of each column, cut to what both engines keep of a document."""
    if sum(map(len, columns.values())) <= _MOST_REPEATED:
        return tuple(map(" ".join, columns.values()))
    left = _MOST_TOKENS
    seen: Counter[str] = Counter()
    kept = []
    for tokens in columns.values():
        tokens = tokens[:left]
        left -= len(tokens)
        for place, token in enumerate(tokens):
            seen[token] += 1
            if seen[token] > _MOST_REPEATED:
                tokens[place] = BREAK
        kept.append(" ".join(tokens))
    return tuple(kept)


def pieces(document: Mapping[str, Any]) -> Iterator[Piece]:
    """Walk the texts of a DOCUMENT that are searched, the weightiest first."""
    yield Piece("title", "title", document["title"])
    yield from _place(document)
    if document["summary"] is not None:
        yield Piece("summary", "text", document["summary"])
    if document["type"] is not None:
        yield Piece("type", "text", EVENT_TYPES[document["type"]].label)
    for measure in document["police_measures"]:
        yield Piece("police_measures", "text", POLICE_MEASURES[measure].label)
    for part in document["communities"]:
        yield Piece("communities", "text", None, (community_token(part["community"]),))
        for organisation in part["organisations"]:
            yield Piece("communities", "text", organisation)
    if document["episode"] is not None:
        yield Piece("episode", "text", None, (episode_token(document["episode"]),))
    names = [
        source["article"][name] for source in document["sources"] for name in ("title", "publisher")
    ]
    for name in dict.fromkeys(names):
        if name is not None:
            yield Piece("sources", "sources", name)


def _place(document: Mapping[str, Any]) -> Iterator[Piece]:
    city, geonames_id = document["city"], document["geonames_id"]
    if document["venue"] is not None:
        yield Piece("venue", "place", document["venue"])
    ids: tuple[str, ...] = ()
    if geonames_id is not None:
        ids = (place_token(geonames_id),)
    elif city is not None:
        ids = (city_token(fold(city)),)
    if city is not None or ids:
        yield Piece("city", "place", city, ids)
    if document["admin1"] is not None:
        yield Piece("admin1", "place", document["admin1"])
    country = document["country"]
    yield Piece("country", "place", document["country_name"], (country_token(country),))


def place_token(geonames_id: int) -> str:
    """Stand for a place of the gazetteer."""
    return f"_p{geonames_id}"


def city_token(folded: str) -> str:
    """Stand for a city that the gazetteer does not know, by its folded name."""
    return f"_n{folded.replace(' ', '-')}"[:LONGEST]


def country_token(code: str) -> str:
    """Stand for a country."""
    return f"_k{code.lower()}"


def community_token(id_: str) -> str:
    """Stand for a community."""
    return f"_c{id_}"


def episode_token(id_: str) -> str:
    """Stand for an episode."""
    return f"_e{id_}"
