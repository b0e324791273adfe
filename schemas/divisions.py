"""Divisions of countries of the first order: their names in many languages, and their codes.

A division is known by its country and GeoNames' code, has one spelling that is shown, and its
ISO 3166-2 code where it has one. `divisions.tsv` is a name file;
`python -m api.geo.build_places` makes it.
"""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from schemas.name_files import NameFile
from schemas.name_folding import fold

LONGEST_NAME = 150  # characters; what is longer names no division
_FILE = NameFile(Path(__file__).with_name("divisions.tsv"))
_CODES, _PARTS, _COUNTRY = "cg", "pq", "x"  # how a name may name a division, see build_divisions


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
    values = _FILE.values(f"={country}/{code}") if code else []
    return Division(country, code, values[0][0], values[0][1] or None) if values and code else None


def divisions_named(text: str, country: str | None = None) -> list[DivisionName]:
    """Return what TEXT names of COUNTRY, or of the world: whole divisions before parts of one.

    TEXT is a name in any language that is known, an ISO 3166-2 code with or without its country
    (`DE-BY`, `BY`), or GeoNames' code. Codes count only with a COUNTRY.
    """
    names = []
    for place, code, kind in _values(text):
        known = division(place, code) if country in (None, place) and kind != _COUNTRY else None
        if known and (country or kind not in _CODES):
            names.append(DivisionName(known, kind in _CODES, kind in _PARTS))
    return sorted(names, key=lambda each: each.is_part)


def country_within(text: str, country: str) -> str | None:
    """Return the code of the country that ISO 3166-2 lists as a division TEXT of COUNTRY too."""
    codes = (code for place, code, kind in _values(text) if (place, kind) == (country, _COUNTRY))
    return next(codes, None)


@lru_cache(maxsize=4096)
def _values(text: str) -> list[list[str]]:
    folded = fold(text) if len(text) <= LONGEST_NAME else ""
    return _FILE.values(folded) if folded else []
