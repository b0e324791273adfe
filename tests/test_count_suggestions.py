"""A text where a number belongs is refused with the members that say it."""

import pytest

from schemas.count_suggestions import explain
from schemas.errors import flatten
from schemas.incident import IncidentSchema

PROPOSED = [
    (">50", "arrests_low: 51"),
    ("50+", "arrests_low: 50"),
    ("at least 50", "arrests_low: 50"),
    ("More than 1,500", "arrests_low: 1501"),
    ("< 5", "arrests_high: 4"),
    ("up to 5", "arrests_high: 5"),
    ("20 - 30", "arrests_low: 20, arrests_high: 30"),
    ("20–30", "arrests_low: 20, arrests_high: 30"),
    ("between 20 and 30", "arrests_low: 20, arrests_high: 30"),
    ("about 50", "arrests: 50, arrests_low: null, arrests_high: null"),
    ("~50", "arrests: 50, arrests_low: null, arrests_high: null"),
    ("dozens", "arrests_low: 24"),
    ("Hundreds", "arrests_low: 200"),
    ("thousands", "arrests_low: 2000"),
    ("13", "arrests: 13"),
    ("30-20", None),
    ("several", None),
    ("1.5", None),
]


@pytest.mark.parametrize(("text", "proposal"), PROPOSED)
def test_a_text_is_answered_with_the_members_that_say_it(text, proposal):
    assert explain("arrests", text)[1] == proposal


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("1.000", "1000 or 1"),
        ("12.500", "12500 or 12.5"),
        ("1,000", "1000 or 1"),
        ("1 000", "1000 or 1"),
    ],
)
def test_a_separator_has_two_readings(text, readings):
    message, proposal = explain("arrests", text)

    assert readings in message
    assert proposal is None


@pytest.mark.parametrize(
    ("field", "text", "proposal"),
    [
        ("arrests_low", "13", "arrests_low: 13"),
        ("low", ">5", "low: 6"),
        ("high", "about 3", "value: 3, low: null, high: null"),
        ("", "about 3", "value: 3, low: null, high: null"),
    ],
)
def test_the_members_are_those_of_the_field(field, text, proposal):
    assert explain(field, text)[1] == proposal


def test_a_record_is_refused_with_the_proposal():
    errors = list(flatten(IncidentSchema().validate({"participants": ">50"}, partial=True)))

    assert errors == [
        {
            "pointer": "/participants",
            "code": "wrong_type",
            "detail": "'>50' is a text; to say so, give participants_low: 51.",
            "suggestion": "participants_low: 51",
        }
    ]


@pytest.mark.parametrize(("text", "proposal"), [("12", "value: 12"), (">50", "low: 51")])
def test_the_value_of_a_claim_is_refused_with_its_members(text, proposal):
    source = {"article": {"title": "A paper"}, "claims": [{"field": "arrests", "value": text}]}
    (error,) = flatten(IncidentSchema().validate({"sources": [source]}, partial=True))

    assert (error["pointer"], error["suggestion"]) == ("/sources/0/claims/0/value", proposal)
