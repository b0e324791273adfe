"""What the schema of a body says of members that it does not take."""

import pytest
from marshmallow import ValidationError

from schemas import incident
from schemas.errors import flatten


def faults(body):
    with pytest.raises(ValidationError) as raised:
        incident.load(body)
    return {(fault["pointer"], fault["code"]) for fault in flatten(raised.value.messages)}


def test_a_derived_member_is_ignored_beside_a_fault_too():
    body = {"arrests": "many", "arrests_text": "13", "created_at": None, "sources": [{"x": 1}]}
    assert faults(body) == {
        ("/arrests", "wrong_type"),
        ("/sources/0/article", "required"),
        ("/sources/0/x", "unknown_field"),
    }


def test_an_article_given_by_its_address_alone_is_told_how_to_write_it():
    with pytest.raises(ValidationError) as raised:
        incident.load({"sources": [{"article": "https://news.example/a"}]})
    (fault,) = (f for f in flatten(raised.value.messages) if f["pointer"] == "/sources/0/article")
    assert fault["suggestion"] == {"url": "https://news.example/a"}
    assert '{"url": "https://…"}' in fault["detail"]
