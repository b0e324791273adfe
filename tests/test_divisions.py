"""Divisions: names in many languages, codes of ISO 3166-2, parts, and names drawn at random."""

from pathlib import Path

import pytest

from schemas import countries
from schemas.countries import country_code, country_within, division, divisions_named
from schemas.name_files import NameFile

DRAWN = [
    line.split("\t")
    for line in (Path(__file__).parent / "data" / "drawn_names.tsv").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize(
    ("country", "iso", "names"),
    [
        ("DE", "DE-BY", ["Bavaria", "Bayern", "BAYERN", "BY", "DE-BY", "Бавария", "02"]),
        ("DE", "DE-BY", ["Βαυαρία", "بافاريا", "ბავარია", "בוואריה"]),
        ("US", "US-CA", ["Կալիֆոռնիա", "加利福尼亚州", "Kaliforniya", "Californië"]),
        ("DE", "DE-SN", ["Saxony", "Sachsen", "Саксония", "SN"]),
        ("DE", "DE-BE", ["Berlin", "BE", "Land Berlin"]),
        ("AT", "AT-9", ["Vienna", "Wien", "9"]),
        ("AZ", "AZ-BA", ["Baku", "Bakı", "Баку"]),
        ("CA", "CA-ON", ["Ontario", "ON", "Онтарио"]),
        ("US", "US-NJ", ["New Jersey", "NJ", "us-nj", "Нью-Джерси"]),
        ("US", "US-DC", ["Washington, D.C.", "District of Columbia", "DC"]),
        ("RU", "RU-TA", ["Tatarstan", "Tatarstan, Respublika", "Татарстан"]),
        ("RU", "RU-TVE", ["Tver Oblast", "Tverskaya oblast'", "Тверская область"]),
        ("ES", "ES-CT", ["Catalonia", "Catalunya", "Каталония"]),
        (
            "BE",
            "BE-BRU",
            ["Brussels", "Bruxelles-Capitale, Région de", "Région Bruxelloise"],
        ),
        ("TR", "TR-34", ["Istanbul", "İstanbul"]),
        ("GB", "GB-SCT", ["Scotland", "Alba", "Шотландия"]),
        ("AM", "AM-ER", ["Yerevan", "Erevan"]),
    ],
)
def test_a_division_is_known_by_its_names_and_codes(country, iso, names):
    for name in names:
        assert [each.division.iso for each in divisions_named(name, country)] == [iso], name


@pytest.mark.parametrize(
    ("name", "country", "isos"),
    [
        ("Kyiv", "UA", ["UA-30", "UA-32"]),  # the city and the land about it
        ("Moscow", "RU", ["RU-MOS", "RU-MOW"]),
        ("Atlantis", "US", []),
        ("", "US", []),
        ("a\nb", "US", []),
        ("x" * 10_000, "US", []),
    ],
)
def test_what_is_named_may_be_two_divisions_or_none(name, country, isos):
    assert [each.division.iso for each in divisions_named(name, country)] == isos


@pytest.mark.parametrize(
    ("part", "country", "whole"),
    [
        ("Bouches-du-Rhône", "FR", "FR-PAC"),
        ("FR-13", "FR", "FR-PAC"),
        ("Milano", "IT", "IT-25"),
        ("Kent", "GB", "GB-ENG"),
        ("Cork", "IE", "IE-M"),
    ],
)
def test_a_part_leads_to_the_division_that_it_is_in(part, country, whole):
    (name,) = divisions_named(part, country)

    assert (name.division.iso, name.is_part) == (whole, True)


def test_a_code_counts_with_its_country_only():
    assert divisions_named("BY") == []
    assert [each.by_code for each in divisions_named("BY", "DE")] == [True]


@pytest.mark.parametrize("name", ["Puerto Rico", "US-PR", "PR"])
def test_a_country_that_is_listed_within_another_is_known(name):
    assert country_within(name, "US") == "PR"
    assert country_within(name, "ES") is None


def test_every_division_is_found_by_the_spelling_that_is_shown():
    path = Path(countries.__file__).with_name("divisions.tsv")
    heads = [line[1:].split("\t") for line in NameFile(path).lines("=")]
    keys = [head[0].split("/") for head in heads]

    assert len(keys) > 3_500
    for country, code in keys:
        shown = division(country, code)
        assert shown in [each.division for each in divisions_named(shown.name, country)]


@pytest.mark.parametrize(("name", "code"), [row for row in DRAWN if len(row[1]) == 2])
def test_a_country_drawn_from_cldr_and_iso_resolves(name, code):
    assert country_code(name) == code


def test_divisions_drawn_from_iso_resolve_and_none_to_another():
    drawn = [row for row in DRAWN if len(row[1]) > 2]
    resolved = [
        (name, iso, [each.division.iso for each in named])
        for name, iso in drawn
        if (named := [n for n in divisions_named(name, iso[:2]) if not n.is_part])
    ]

    assert [row for row in resolved if row[1] not in row[2]] == []
    # The others are of an older list than GeoNames', or countries of their own.
    assert len(resolved) > 0.93 * len(drawn) == 0.93 * 300


def test_the_first_and_the_last_line_of_a_name_file_are_found(tmp_path):
    path = tmp_path / "names.tsv"
    path.write_text("a\t1\naa\t2\naa\t3\nż\t4\n", encoding="utf-8")
    names = NameFile(path)

    assert [names.values(key) for key in ("a", "aa", "ż", "b", "")] == [
        [["1"]],
        [["2"], ["3"]],
        [["4"]],
        [],
        [],
    ]
    assert list(names.lines("a")) == ["a\t1", "aa\t2", "aa\t3"]
