"""What is hard to believe in a record: refused where a write brings it, told where it stands."""

import json
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
    ({"title": "NaN"}, "placeholder", None),
    ({"venue": "#REF!"}, "placeholder", None),
    ({"city": "NA"}, "placeholder", None),
    ({"admin1": "unknown"}, "placeholder", None),
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
    {"title": "Unknown men attack a shop"},
    {"city": "None", "admin1": "Nan"},
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
@pytest.mark.parametrize("strict", [True, False])
def test_what_stands_or_brings_its_history_is_told(given, code, suggestion, strict):
    stored = state(**given) if strict else None
    messages, warnings = judge(state(**given, type="clash"), stored, TODAY, strict=strict)

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


# The same over HTTP: what a write brings, and what stands.

INCIDENTS = "/api/v1/incidents"
HISTORY = {"version": 2, "created_at": "2020-08-01T00:00:00Z", "updated_at": "2020-08-02T00:00:00Z"}


def warnings_of(answer):
    return [warning["code"] for warning in json.loads(answer.headers.get("Warnings", "[]"))]


def test_a_future_date_is_refused_with_the_likely_year(client, editor, incident):
    answer = client.post(INCIDENTS, json=incident(date="2202-05-01"), headers=editor)

    assert answer.status_code == 422
    (error,) = answer.json["errors"]
    assert (error["code"], error["suggestion"]) == ("future_date", "2022-05-01")


def test_what_is_odd_is_stored_and_told(client, editor, incident):
    body = incident(venue="Unknown", date="0020-05-01", arrests_low=0)
    answer = client.post(INCIDENTS, json=body, headers=editor)

    assert answer.status_code == 201
    assert sorted(warnings_of(answer)) == ["far_past", "placeholder", "says_nothing"]


@pytest.fixture
def old(client, editor, incident):
    """Return a record from before the rules: published, and a draft, with what they refuse."""
    fields = {"date": "2999-05-01", "venue": "a\x07b"}
    lines = [
        incident(id="0000000001", **fields, **HISTORY),
        incident(id="0000000002", status="draft", city="Lviv", **fields, **HISTORY),
    ]
    answer = client.post(INCIDENTS, json=lines, headers=editor)
    assert answer.status_code == 200, answer.json
    assert answer.json["number_of_warnings"] == 4
    return f"{INCIDENTS}/0000000001", f"{INCIDENTS}/0000000002"


def test_a_record_from_before_the_rules_can_be_amended_and_put_back(client, editor, old):
    forced = {**editor, "If-Match": "*"}
    amended = client.patch(old[0], json={"arrests": 5}, headers=forced)
    put = client.put(old[0], json={**amended.json, "arrests": 6}, headers=forced)
    restored = client.post(f"{old[0]}/versions/2/restore", json={}, headers=forced)

    assert [answer.status_code for answer in (amended, put, restored)] == [200, 200, 200]
    assert sorted(warnings_of(amended)) == ["control_character", "future_date"]


def test_a_record_from_before_the_rules_can_be_published_and_imported_again(client, editor, old):
    forced = {**editor, "If-Match": "*"}
    published = client.post(f"{old[1]}/publish", json={}, headers=forced)
    line = client.get(old[0]).json | {"title": "Another title"}
    imported = client.post(f"{INCIDENTS}?on_conflict=update", json=[line], headers=editor)

    assert published.status_code == 200
    assert (imported.status_code, imported.json["changed"]) == (200, 1)


def test_a_change_may_not_bring_what_is_refused(client, editor, old):
    forced = {**editor, "If-Match": "*"}
    answer = client.patch(old[0], json={"date": "2998-01-01"}, headers=forced)

    assert [error["code"] for error in answer.json["errors"]] == ["future_date"]
