"""The tokenizer: texts and queries meet in its tokens, on every database alike.

A text is cut into words; each is folded (`schemas.name_folding`), stemmed, and at most 64
characters long. Both engines only store and compare what comes out of here.

Stemming goes by script, where one language prevails in it: Latin letters are stemmed as English
(records are written in English), Cyrillic as Russian, Armenian as Armenian, Greek as Greek. Names
and foreign words pass through the same stemmer in texts and in queries, so they meet all the same.
Scripts without blanks between words give one token a character. Digits stay as they are: `1,500`
is `1500`, and `2020-07-24` three tokens in a row.

Tokens that begin with an underscore, which no word does, stand for ids (`schemas` of ours, such
as `_carmenian`); see `api.search.indexed_text`.
"""

import re
import sys
import threading
import unicodedata
from collections.abc import Iterator, Sequence, Set
from functools import cache, lru_cache
from importlib.metadata import version
from itertools import chain
from typing import NamedTuple

import snowballstemmer

from schemas.name_folding import fold

# Raised when this module or `indexed_text` makes other tokens: the index is then built anew.
TOKENIZER_REVISION = 1
MAX_TOKEN_LENGTH = 64

_STEMMERS = (
    ("a", "\u0250", "english"),
    ("\u0370", "\u0400", "greek"),
    ("\u0400", "\u0530", "russian"),
    ("\u0530", "\u0590", "armenian"),
)
_ALGORITHMS = {name: snowballstemmer.stemmer(name) for *_, name in _STEMMERS}
# A stemmer keeps the word that it works on in itself, and threads share it.
_STEMMING = threading.Lock()


def _category(first: str) -> str:
    """Return the characters whose general category starts with FIRST, escaped for a class."""
    characters = (chr(n) for n in range(0x80, 0x10000))
    return re.escape("".join(c for c in characters if unicodedata.category(c).startswith(first)))


_MARKS = _category("M")
_INSIDE = f"'`´‘’‚‛′ʹʺʻʼʽʾʿˈˊˋ՚׳＇{_MARKS}{_category('Cf')}"
_SIGN = r"[^\W_]"  # a letter or a digit
# What may be one word or several: cut off fast, and known again. Most texts are ASCII.
_CHUNK = re.compile(rf"{_SIGN}+(?:[.,{_INSIDE}]+{_SIGN}+)*[{_MARKS}]*")
_ASCII_CHUNK = re.compile(r"[A-Za-z0-9]+(?:[.,'`][A-Za-z0-9]+)*")
_WORD = re.compile(
    # initials: U.S., D.C.
    rf"[^\W\d_](?:\.[^\W\d_])+(?!\.?{_SIGN})"
    # a number in groups: 1,500
    r"|(?<![\w,.])[0-9]{1,3}(?:,[0-9]{3})+(?![\w,]|\.[0-9])"
    # a word, with the apostrophes, marks and invisible characters inside it
    rf"|{_SIGN}+(?:[{_INSIDE}]+{_SIGN}+)*[{_MARKS}]*"
)
_UNSPACED = re.compile(
    "[\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]"
)


class Word(NamedTuple):
    """A word of a text: where it stands, and the tokens it gives (mostly one)."""

    start: int
    end: int
    tokens: tuple[str, ...]


def words(text: str) -> Iterator[Word]:
    """Yield the words of TEXT."""
    for chunk in _chunks_in(text).finditer(text):
        start = chunk.start()
        for first, last, tokens in _words(chunk[0]):
            yield Word(start + first, start + last, tokens)


def tokenize(text: str) -> tuple[str, ...]:
    """Return the tokens of TEXT in order."""
    return _tokenize_name(text) if len(text) <= MAX_TOKEN_LENGTH else _tokenize(text)


def _tokenize(text: str) -> tuple[str, ...]:
    return tuple(chain.from_iterable(_tokens_of(_chunks_in(text).findall(text))))


# Names of places, kinds and publishers come again and again.
_tokenize_name = lru_cache(maxsize=10_000)(_tokenize)


def spans(text: str, tokens: Set[str]) -> list[tuple[int, int]]:
    """Return the spans (start, end) of the words of TEXT that have one of TOKENS."""
    chunks = _chunks_in(text).findall(text)
    matches = []
    end = 0
    for chunk, chunk_tokens in zip(chunks, _tokens_of(chunks), strict=True):
        start = text.index(chunk, end)  # no letter stands between two chunks
        end = start + len(chunk)
        if not tokens.isdisjoint(chunk_tokens):
            matches += [
                (start + first, start + last)
                for first, last, word_tokens in _words(chunk)
                if not tokens.isdisjoint(word_tokens)
            ]
    return matches


def _chunks_in(text: str) -> re.Pattern[str]:
    return _ASCII_CHUNK if text.isascii() else _CHUNK


def prefix_of(word: str) -> str:
    """Return what tokens of words begin with that begin with WORD: it folded, not stemmed."""
    return fold(word[:MAX_TOKEN_LENGTH]).replace(" ", "")[:MAX_TOKEN_LENGTH]


def is_spaced(token: str) -> bool:
    """Whether TOKEN is of a script that puts blanks between words."""
    return _UNSPACED.search(token) is None


def _cut(chunk: str) -> tuple[Word, ...]:
    """Cut a chunk into its words."""
    return tuple(
        Word(*match.span(), tokens)
        for match in _WORD.finditer(chunk)
        if (tokens := _tokens_of_word(match[0][:MAX_TOKEN_LENGTH]))
    )


def _tokens_of_word(word: str) -> tuple[str, ...]:
    """Return the tokens of a word."""
    if word[0].isdigit() and "," in word:
        return (word.replace(",", ""),)
    return tuple(
        token[:MAX_TOKEN_LENGTH] for part in fold(word).split() for token in _parts(word, part)
    )


# What is long does not come again; it would only fill the memory.
_cached_cut = lru_cache(maxsize=5_000)(_cut)
_cached_tokens = lru_cache(maxsize=50_000)(
    lambda chunk: tuple(token for word in _cut(chunk) for token in word.tokens)
)


def _words(chunk: str) -> tuple[Word, ...]:
    return _cached_cut(chunk) if len(chunk) <= MAX_TOKEN_LENGTH else _cut(chunk)


def _tokens_of(chunks: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the tokens of each chunk."""
    long = max(map(len, chunks), default=0) > MAX_TOKEN_LENGTH
    return map(_tokens if long else _cached_tokens, chunks)


def _tokens(chunk: str) -> tuple[str, ...]:
    known = _cached_tokens if len(chunk) <= MAX_TOKEN_LENGTH else _cached_tokens.__wrapped__
    return known(chunk)


def _parts(word: str, folded: str) -> list[str]:
    """Cut what has no blanks into characters, stem what has."""
    if not _UNSPACED.search(folded):
        return [_stem(word, folded)]
    parts = _UNSPACED.sub(lambda character: f" {character[0]} ", folded)
    return [_stem(part, part) for part in parts.split()]


def _stem(word: str, folded: str) -> str:
    """Stem FOLDED, which is WORD or a part of it, by the language of its script."""
    language = next((name for first, end, name in _STEMMERS if first <= folded[0] < end), None)
    if language is None:
        return folded
    if language == "russian":
        # Folding takes the marks off й, and with them the endings that the stemmer knows.
        whole = unicodedata.normalize("NFC", word).casefold().replace("ё", "е")
        letters = "".join(character for character in whole if character.isalnum())
        folded = letters if fold(letters) == folded else folded
    with _STEMMING:
        stemmed: str = _ALGORITHMS[language].stemWord(folded)
    return fold(stemmed) or folded


@cache
def tokenizer_version() -> str:
    """Return what decides which tokens a text has; an index of another version is built anew."""
    stemmers = version("snowballstemmer")
    unicode = f"{unicodedata.unidata_version} {sys.version_info.major}.{sys.version_info.minor}"
    return f"{TOKENIZER_REVISION}; snowballstemmer {stemmers}; Unicode {unicode}"


def place_token(geonames_id: int) -> str:
    """Return the token of a place of the gazetteer."""
    return f"_p{geonames_id}"


def city_token(folded: str) -> str:
    """Return the token of a city that the gazetteer does not know, by its folded name."""
    return f"_n{folded.replace(' ', '-')}"[:MAX_TOKEN_LENGTH]


def country_token(code: str) -> str:
    """Return the token of a country."""
    return f"_k{code.lower()}"


def community_token(id_: str) -> str:
    """Return the token of a community."""
    return f"_c{id_}"


def episode_token(id_: str) -> str:
    """Return the token of an episode."""
    return f"_e{id_}"
