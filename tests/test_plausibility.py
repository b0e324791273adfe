"""What is hard to believe in a record: refused where a write brings it, told where it stands."""

from datetime import date

import pytest

from schemas.errors import flatten
from schemas.plausibility import judge
from schemas.record_state import EMPTY

TODAY = date(2026, 12, 1)
REFUSED = [
    # what is given, code, suggestion
    ({"date": "2202-05-01"}, "future_date", "2022-05-01"),
    ({"date": "2999-05-01"}, "future_date", None),
    ({"date": "2026-12-03"}, "future_date", None),
    ({"date": "2027"}, "future_date", None),
    ({"date": "2027-01-01.."}, "future_date", None),
    ({"title": "a\x85b"}, "control_character", None),
    ({"sources": [{"locator": "p\x07"}]}, "control_character", None),
]
TOLD = [
    ({"date": "0020-05-01"}, "far_past", "2020-05-01"),
    ({"date": "0098"}, "far_past", "1998"),
    ({"date": "..1799-12-31"}, "far_past", None),
    ({"venue": "Unknown"}, "placeholder", None),
    ({"summary": "N/A"}, "placeholder", None),
    ({"sources": [{"claims": [{"scope": "-"}]}]}, "placeholder", None),
    ({"title": "caf\ufffd"}, "replacement_character", None),
    ({"title": "ab\u202edc"}, "direction_override", None),
    ({"city": "KÃ¶ln"}, "misread_encoding", "Köln"),
    ({"arrests_low": 0}, "says_nothing", None),
]
FINE = [
    {"date": "2026-12-02"},
    {"date": "2026"},
    {"date": "..2999-01-01"},
    {"date": "1800-01-01"},
    {"title": "Unknown"},
    {"title": "Rue de l’Église, Ã"},
    {"title": "Chişinău, Кишинёв, Ёлка"},
    {"arrests_low": 0, "arrests": 0, "arrests_high": 0},
    {"arrests_low": 0, "arrests_high": 5},
]


def state(**changes):
    return {**EMPTY, "title": "A clash", "date": "2020-07-24", **changes}


def refusals(messages):
    return [(error["code"], error.get("suggestion")) for error in flatten(messages)]


@pytest.mark.parametrize(("given", "code", "suggestion"), REFUSED)
def test_what_a_write_may_not_bring_is_refused(given, code, suggestion):
    messages, _ = judge(state(**given), state(), TODAY)

    assert refusals(messages) == [(code, suggestion)]


@pytest.mark.parametrize(("given", "code", "suggestion"), REFUSED)
@pytest.mark.parametrize("lenient", [False, True])
def test_what_stands_or_brings_its_history_is_told(given, code, suggestion, lenient):
    stored = None if lenient else state(**given)
    messages, warnings = judge(state(**given, type="clash"), stored, TODAY, lenient=lenient)

    assert messages == {}
    assert [warning["code"] for warning in warnings] == [code]


@pytest.mark.parametrize(("given", "code", "suggestion"), TOLD)
def test_what_is_odd_is_told_once(given, code, suggestion):
    messages, warnings = judge(state(**given), None, TODAY)

    assert messages == {}
    assert [(one["code"], one.get("suggestion")) for one in warnings] == [(code, suggestion)]
    assert judge(state(**given), state(**given), TODAY) == ({}, [])


@pytest.mark.parametrize("given", FINE)
def test_what_is_plain_passes(given):
    assert judge(state(**given), None, TODAY) == ({}, [])
