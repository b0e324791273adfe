"""Draw names of countries and of divisions, for the test that they resolve.

`python -m benchmarks.drawn_names` writes `tests/data/drawn_names.tsv`: 300 names of countries in
twelve languages from the Unicode CLDR and as ISO 3166-1 writes them, 300 of first-order divisions
from ISO 3166-2 and its translations, each with what it means there. It
needs the extra `[gazetteer]`; the same packages give the same names.
"""

import gettext
import random
from collections.abc import Iterator
from pathlib import Path

import pycountry
from babel import Locale

SAMPLE = Path(__file__).parent.parent / "tests" / "data" / "drawn_names.tsv"
EACH = 300
COUNTRIES_IN = ("ar", "az", "de", "en", "es", "fa", "fr", "hy", "it", "ru", "tr", "zh")
DIVISIONS_IN = ("ba", "be", "de", "fr", "he", "it", "ja", "pl", "ru", "sv", "tr", "uk")


def main() -> None:
    draw = random.Random(13)
    countries, divisions = sorted(set(_countries())), sorted(set(_divisions()))
    rows = draw.sample(countries, EACH) + draw.sample(divisions, EACH)
    SAMPLE.parent.mkdir(exist_ok=True)
    SAMPLE.write_text("".join(f"{name}\t{code}\n" for name, code in rows), encoding="utf-8")


def _countries() -> Iterator[tuple[str, str]]:
    codes = {country.alpha_2 for country in pycountry.countries} | {"XK"}
    for language in COUNTRIES_IN:
        for code, name in Locale(language).territories.items():
            if code in codes:
                yield name, code
    for country in pycountry.countries:
        yield country.name, country.alpha_2
        yield getattr(country, "official_name", country.name), country.alpha_2


def _divisions() -> Iterator[tuple[str, str]]:
    for language in DIVISIONS_IN:
        folder = Path(pycountry.LOCALES_DIR)
        with (folder / language / "LC_MESSAGES" / "iso3166-2.mo").open("rb") as file:
            catalogue = gettext.GNUTranslations(file)
        first_order = (each for each in pycountry.subdivisions if each.parent_code is None)
        for division in first_order:
            yield catalogue.gettext(division.name), division.code
            yield division.name, division.code
            yield division.code, division.code


if __name__ == "__main__":
    main()
