"""Countries and their divisions: ISO 3166-1 codes (with XK for Kosovo), names, what people write.

`countries.json` has the English name of each code; `country_names.tsv` is a name file of the
names in every language. A division of the first order is known by its country and GeoNames' code,
has one spelling that is shown, and its ISO 3166-2 code where it has one; `divisions.tsv` is the
name file of divisions. `python -m api.geo.build_places` makes all three.
"""

import json
import re
from collections.abc import Collection
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from schemas.name_files import NameFile
from schemas.name_folding import fold
from schemas.placeholders import is_placeholder
from schemas.search_budget import SearchBudget

# The code of a record that was erased as a whole: one that ISO 3166 leaves to its users.
NOWHERE = "ZZ"
_LONGEST = 100  # what is longer is no country; keeps the search for near names cheap
_NAMES = NameFile(Path(__file__).with_name("country_names.tsv"))
LONGEST_DIVISION = 150  # characters; what is longer names no division
_DIVISIONS = NameFile(Path(__file__).with_name("divisions.tsv"))
# How a name may name a division, see build_divisions.
_CODES, _PARTS, _COUNTRY, _WHOLE_NAMES = "cg", "pq", "x", "od"
# Words that people put before or behind a division's name, folded; not city, as in Kansas City.
_KIND = (
    "(?:free |federal )?(?:state|province|region|republic|territory|governorate|prefecture|canton"
    "|department|oblast|krai|voivodeship)|bundesland|land|freistaat|kanton|provinz|estado|provincia"
    "|regione|departement|departamento|область|край|республика|штат|земля"
)
_KINDS = re.compile(f"^(?:{_KIND})(?: (?:of|de|del|di|du|da|do))? |(?: (?:{_KIND}))$")
_ISO_CODE = re.compile("[A-Za-z]{2}-[A-Za-z0-9]{1,3}")
_FIRST_GUESSED = 5  # letters: one letter wrong in a shorter name may make it another's
_LONG_NAME = 10  # letters from which on two may be wrong
_BUDGET = SearchBudget(seconds=0.5, period=10)  # a search takes some three milliseconds
_NEEDED = "an ISO 3166-1 alpha-2 code such as RU, or a name"
# Why a name that people try is no country here, by its mark in the name file.
_NO_COUNTRY = {
    "!state": "is not a country of ISO 3166-1; it takes the code of one that is",
    "!former": "is no longer a country of ISO 3166-1; it takes the code of one of today's",
    "!region": "is not a country; it takes the code of one",
}


@cache
def country_names() -> dict[str, str]:
    """Return the English name of every country by its code, sorted by code."""
    text = Path(__file__).with_name("countries.json").read_text(encoding="utf-8")
    names: dict[str, str] = json.loads(text)
    return names


def country_name(code: str) -> str:
    """Return the English name of the country with this alpha-2 CODE; KeyError if there is none."""
    return country_names()[code]


def country_code(text: str) -> str | None:
    """Return the alpha-2 code that TEXT means, or None.

    TEXT is an alpha-2 or alpha-3 code in any case, or a country's name in any language of the
    Unicode CLDR or as ISO 3166-1 writes it (`Moldova, Republic of`).
    """
    code = _meaning(text)
    return None if code is None or code.startswith("!") else code


@lru_cache(maxsize=16)  # what is faulty is loaded twice, to find all its faults
def no_country(text: str) -> tuple[str, str | None]:
    """Return a sentence that says why TEXT is no country, and the code that was likely meant.

    By meaning first: a name without a code in ISO 3166-1, two countries' name, a division's name;
    then by spelling. Nothing is guessed from the name of what is no country.
    """
    shown, kind = repr(text[:40]), _meaning(text)
    if is_placeholder(text):
        return f"{shown} names no country. Every record has one: {_NEEDED}.", None
    if kind in _NO_COUNTRY:
        return f"{shown} {_NO_COUNTRY[kind]}, such as RU.", None
    if kind is not None:
        either = " or ".join(f"{country_name(code)} ({code})" for code in kind[1:].split())
        return f"{shown} may mean {either}; it takes the code of one of them.", None
    unknown = f"{shown} is no country known here; it takes {_NEEDED}."
    within = list(dict.fromkeys(n.division.country for n in divisions_named(text) if not n.is_part))
    if within:
        countries = " and of ".join(f"{country_name(code)} ({code})" for code in within[:3])
        advice = f"{shown} is a division of {countries}: give the country, and this as admin1."
        return advice, within[0] if len(within) == 1 else None
    near = nearest_country(text)
    return f"{unknown} Did you mean {country_name(near)} ({near})?" if near else unknown, near


def nearest_country(text: str) -> str | None:
    """Return the code of the one country that a mistyped TEXT is plainly near to, or None.

    Names that begin with the same letter are compared. One letter may be wrong, missing, added
    or swapped, two in a long name; what is as near to two countries is near to none.
    """
    folded = fold(text[:_LONGEST])
    if len(folded) < _FIRST_GUESSED or _meaning(text) is not None:
        return None
    with _BUDGET.search() as has_time:
        codes = _nearest(_NAMES, folded) if has_time else frozenset()
    only = next(iter(codes)) if len(codes) == 1 else "!"
    return None if only.startswith("!") else only


@lru_cache(maxsize=1024)
def _nearest(
    names: NameFile, folded: str, countries: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Return what the names nearest to FOLDED stand for, of COUNTRIES where any are given."""
    best, values = 1 + (len(folded) >= _LONG_NAME), set[str]()
    for line in names.lines(folded[0]):
        name, _, value = line.partition("\t")
        near = len(name) >= _FIRST_GUESSED - 1 and abs(len(name) - len(folded)) <= best
        # A cheap look first: an edit changes two of the letters in use at most.
        if near and len(set(name) ^ set(folded)) <= 2 * best:
            if countries and value[:2] not in countries:
                continue
            distance = _edits(name, folded)
            if distance < best:
                best, values = distance, set()
            if distance == best:
                values.add(value)
    return frozenset(values)


def _edits(word: str, other: str) -> int:
    """Return how many letters to change, add, leave out or swap with the next between two names."""
    before, above = list[int](), list(range(len(other) + 1))
    for row, letter in enumerate(word, 1):
        line = [row]
        for column, another in enumerate(other, 1):
            cost = min(line[-1] + 1, above[column] + 1, above[column - 1] + (letter != another))
            if row > 1 < column and word[row - 2 : row] == other[column - 2 : column][::-1]:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        before, above = above, line
    return above[-1]


@lru_cache(maxsize=1024)
def _meaning(text: str) -> str | None:
    """Return the code of the country that TEXT names, the mark of what else it is, or None."""
    folded = fold(text) if len(text) <= _LONGEST else ""
    values = _NAMES.values(folded) if folded else []
    return values[0][0] if values else None


class Division(NamedTuple):
    """A first-order division of a country."""

    country: str
    code: str  # GeoNames': BY's is 02
    name: str  # the one spelling that is shown
    iso: str | None  # ISO 3166-2: DE-BY


class DivisionName(NamedTuple):
    """What a text names: a division, or a part of it, by a name or by a code."""

    division: Division
    by_code: bool
    is_part: bool


@lru_cache(maxsize=1024)
def division(country: str, code: str | None) -> Division | None:
    """Return the division of COUNTRY with GeoNames' CODE, or None."""
    values = _DIVISIONS.values(f"={country}/{code}") if code else []
    return Division(country, code, values[0][0], values[0][1] or None) if values and code else None


def divisions_named(text: str, country: str | None = None) -> list[DivisionName]:
    """Return what TEXT names of COUNTRY, or of the world: whole divisions before parts of one.

    TEXT is a name in any language that is known, an ISO 3166-2 code with or without its country
    (`DE-BY`, `BY`), or GeoNames' code. Codes count only with a COUNTRY.
    """
    names = []
    for owner, code, kind in _divisions_meant(text):
        known = division(owner, code) if country in (None, owner) and kind != _COUNTRY else None
        if known and (country or kind not in _CODES):
            names.append(DivisionName(known, kind in _CODES, kind in _PARTS))
    return sorted(names, key=lambda each: each.is_part)


def without_kind(text: str) -> str:
    """Return a division's name, folded, without a word for its kind."""
    return _KINDS.sub("", fold(text)) if len(text) <= LONGEST_DIVISION else ""


def likely_divisions(text: str, country: str) -> list[DivisionName]:
    """Return what TEXT most likely names of COUNTRY: what is shown so, else whole divisions.

    A word for the kind may stand beside the name: `Freistaat Bayern`, `State of California`.
    """
    names = divisions_named(text, country)
    if not names:
        bare = divisions_named(without_kind(text), country)
        names = [name for name in bare if not name.by_code]
    shown = [each for each in names if fold(each.division.name) == fold(text)]
    return shown or [each for each in names if not each.is_part] or names


@lru_cache(maxsize=4096)
def division_label(country: str, admin1: str | None) -> str | None:
    """Return the country and the name of a division, in the one spelling that is shown."""
    if admin1 is None:
        return None
    shown = {each.division.name for each in likely_divisions(admin1, country)}
    return f"{country} {shown.pop() if len(shown) == 1 else admin1}"


def iso_divisions(text: str) -> list[DivisionName]:
    """Return what TEXT names by an ISO 3166-2 code with its country: a division, a part of one."""
    country = text[:2].upper()
    is_code = _ISO_CODE.fullmatch(text) is not None and country in country_names()
    return divisions_named(text, country) if is_code else []


def near_divisions(text: str, countries: Collection[str] = ()) -> list[Division]:
    """Return the divisions of COUNTRIES, or of the world, that a mistyped TEXT is nearest to."""
    folded = fold(text[:_LONGEST])
    if len(folded) < _FIRST_GUESSED:
        return []
    with _BUDGET.search() as has_time:
        near = _nearest(_DIVISIONS, folded, frozenset(countries)) if has_time else frozenset()
    known = {division(*value.split("\t")[:2]) for value in near if value[-1] in _WHOLE_NAMES}
    return sorted(each for each in known if each is not None)


def country_within(text: str, country: str) -> str | None:
    """Return the code of the country that ISO 3166-2 lists as a division TEXT of COUNTRY too."""
    codes = (
        code for owner, code, kind in _divisions_meant(text) if (owner, kind) == (country, _COUNTRY)
    )
    return next(codes, None)


@lru_cache(maxsize=4096)
def _divisions_meant(text: str) -> list[list[str]]:
    folded = fold(text) if len(text) <= LONGEST_DIVISION else ""
    return _DIVISIONS.values(folded) if folded else []
