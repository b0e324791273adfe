"""Countries: codes, names in every language, Kosovo, and what is said of what is none."""

import time
from pathlib import Path

import pytest

from schemas import countries, search_budget
from schemas.countries import (
    country_code,
    country_name,
    country_names,
    nearest_country,
    no_country,
)
from schemas.name_folding import fold


@pytest.fixture(autouse=True)
def fresh_budget(monkeypatch):
    monkeypatch.setattr(countries, "_BUDGET", search_budget.SearchBudget(0.5, 10))


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
        ("Rusland", "RU"),
        ("Ermenistan", "AM"),
        ("Իրան", "IR"),
        ("გერმანია", "DE"),
        ("Chine", "CN"),
        ("Sambia", "ZM"),
        ("Moldova, Republic of", "MD"),
        ("Taiwan, Province of China", "TW"),
        ("Iran, Islamic Republic of", "IR"),
        ("Korea (Republic of)", "KR"),
        ("Республика Армения", "AM"),
        ("Plurinational State of Bolivia", "BO"),
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


@pytest.mark.parametrize(
    "text",
    ["South Ossetia", "Южная Осетия", "Abkhazia", "Nagorno-Karabakh", "Dağlık Karabağ", "Artsakh",
     "Northern Cyprus", "Kuzey Kıbrıs", "Transnistria", "Приднестровье", "Somaliland", "Kurdistan",
     "Tibet", "Crimea", "SU", "Soviet Union", "Yugoslavia", "DDR", "Europe", "Middle East", "EU"],
)  # fmt: skip
def test_nothing_is_guessed_from_what_is_no_country(text):
    detail, suggestion = no_country(text)

    assert "country" in detail
    assert "Did you mean" not in detail
    assert (country_code(text), nearest_country(text), suggestion) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "words", "suggestion"),
    [
        ("South Ossetia", "is not a country of ISO 3166-1", None),
        ("SU", "is no longer a country", None),
        ("Congo", "Democratic Republic of the Congo (CD) or Republic of the Congo (CG)", None),
        ("Bavaria", "is a division of Germany (DE)", "DE"),
        ("Тверская область", "is a division of Russia (RU)", "RU"),
        ("Nord", "is a division of Burkina Faso (BF) and of", None),
        ("Germny", "Did you mean Germany (DE)?", "DE"),
        *((word, "names no country", None) for word in ("NaN", "nan", "None", "null", "N/A", "-")),
        ("Utopia", "alpha-2 code such as RU, or a name.", None),
    ],
)
def test_what_is_no_country_is_said_with_what_was_likely_meant(text, words, suggestion):
    detail, proposed = no_country(text)

    assert words in detail
    assert proposed == suggestion


@pytest.mark.parametrize("text", ["Austrlia", "Nigera", "Kuridstan", "Texos", "Malo"])
def test_what_is_as_near_to_two_countries_or_to_none_is_not_guessed(text):
    assert (country_code(text), nearest_country(text)) == (None, None)


def test_near_countries_are_looked_for_in_bounded_time():
    started = time.thread_time()
    for number in range(3_000):
        no_country(f"Switzerlandia{number}")

    assert time.thread_time() - started < 3


def test_a_budget_that_is_spent_is_whole_again_in_the_next_period(monkeypatch):
    now = [0.0, 0.0]
    monkeypatch.setattr(search_budget.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(search_budget.time, "thread_time", lambda: now[1])
    budget = search_budget.SearchBudget(seconds=1, period=10)

    def allowed(at):
        now[0] = at
        with budget.search() as has_time:
            now[1] += 0.6
        return has_time

    assert [allowed(at) for at in (0, 1, 2, 9.9, 10, 10.1, 10.2)] == [
        True,
        True,
        False,
        False,
        True,
        True,
        False,
    ]


def test_no_name_is_two_countries():
    names = Path(countries.__file__).with_name("country_names.tsv").read_text(encoding="utf-8")
    keys = [line.partition("\t")[0] for line in names.splitlines()]

    assert len(keys) > 40_000
    assert keys == sorted(set(keys))
    assert [key for key in keys[::50] if fold(key) != key] == []


def test_names_are_the_everyday_ones():
    assert [country_name(code) for code in ("RU", "NL", "XK")] == [
        "Russia",
        "The Netherlands",
        "Kosovo",
    ]
