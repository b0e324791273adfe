"""Countries: codes, names in several languages, Kosovo, and near names for a typo."""

import pytest

from schemas.countries import country_code, country_name, country_names, meant, nearest_country


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("MD", "MD"),
        ("md", "MD"),
        ("MDA", "MD"),
        ("Moldova", "MD"),
        ("Republic of Moldova", "MD"),
        ("Russia", "RU"),
        ("Россия", "RU"),
        ("Russian Federation", "RU"),
        ("Iran", "IR"),
        ("The Netherlands", "NL"),
        ("Netherlands", "NL"),
        ("Holland", "NL"),
        ("USA", "US"),
        ("U.S.A.", "US"),
        ("United States of America", "US"),
        ("UK", "GB"),
        ("Great Britain", "GB"),
        ("Türkiye", "TR"),
        ("Turkey", "TR"),
        ("Հայաստան", "AM"),
        ("Azərbaycan", "AZ"),
        ("საქართველო", "GE"),
        ("Deutschland", "DE"),
        ("XK", "XK"),
        ("Kosovo", "XK"),
        ("Kosova", "XK"),
    ],
)
def test_a_country_is_found_by_code_and_name(text, code):
    assert country_code(text) == code


@pytest.mark.parametrize(
    "text", ["SU", "ZZ", "XX", "Atlantis", "Congo", "", " ", "\x00", "a" * 10_000]
)
def test_what_names_no_single_country_is_none(text):
    assert country_code(text) is None


def test_every_country_is_found_by_its_own_code_and_name():
    for code, name in country_names().items():
        assert (country_code(code), country_code(name)) == (code, code)


@pytest.mark.parametrize(
    ("typo", "code"), [("Germny", "DE"), ("Moldovia", "MD"), ("Armeina", "AM"), ("ZZ", None)]
)
def test_a_typo_suggests_the_nearest_country(typo, code):
    assert nearest_country(typo) == code


def test_a_near_country_is_asked_for_by_its_name():
    assert meant("AM") == " Did you mean Armenia (AM)?"
    assert meant(None) == ""


def test_names_are_the_everyday_ones():
    assert [country_name(code) for code in ("RU", "NL", "XK")] == [
        "Russia",
        "The Netherlands",
        "Kosovo",
    ]
