"""Patches: applied to the one document they make the other, and each names one change."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.queries import json_patch

scalars = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "b"])
names = st.sampled_from(["", "a", "b", "a/b", "~", "~1", "0"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4)
)


def apply(document, operations):
    """Apply a patch as RFC 6902 has it, for the operations that are made here."""
    holder = {"": copy.deepcopy(document)}
    for operation in operations:
        steps = operation["path"].split("/")
        steps = [step.replace("~1", "/").replace("~0", "~") for step in steps]
        place = holder
        for step in steps[:-1]:
            place = place[int(step)] if isinstance(place, list) else place[step]
        last = steps[-1]
        if isinstance(place, list):
            last = int(last)
            assert last <= len(place) - (operation["op"] != "add")
            if operation["op"] == "add":
                place.insert(last, operation["value"])
                continue
        elif operation["op"] == "add":
            assert last not in place
        if operation["op"] == "remove":
            del place[last]
        else:
            assert isinstance(place, list) or operation["op"] == "add" or last in place
            place[last] = operation["value"]
    return holder[""]


def strict(value):
    """Return VALUE with its types, as Python holds 1 and true to be equal."""
    if isinstance(value, list):
        return [strict(item) for item in value]
    if isinstance(value, dict):
        return {name: strict(item) for name, item in value.items()}
    return (type(value).__name__, value)


@given(values, values)
def test_a_patch_makes_the_one_document_of_the_other(old, new):
    assert strict(apply(old, json_patch.between(old, new))) == strict(new)


@given(values)
def test_a_document_has_no_changes_from_itself(value):
    assert json_patch.between(value, copy.deepcopy(value)) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 2}, [("replace", "/a")]),
        ({"a": 1}, {"a": True}, [("replace", "/a")]),
        ({"a": None}, {}, [("remove", "/a")]),
        ({}, {"a/b": None}, [("add", "/a~1b")]),
        ([1, 2, 3], [0, 1, 2, 3], [("add", "/0")]),
        ([1, 2, 3], [1, 3], [("remove", "/1")]),
        ([1, 2, 3], [1, 2, 3, 4, 5], [("add", "/3"), ("add", "/4")]),
        ([1, 1, 1], [1], [("remove", "/2"), ("remove", "/1")]),
        ([{"a": 1, "b": [5]}], [{"a": 1, "b": [6]}], [("replace", "/0/b/0")]),
        ({"a": [1]}, {"a": {}}, [("replace", "/a")]),
    ],
)
def test_each_operation_names_one_change(old, new, expected):
    assert [(one["op"], one["path"]) for one in json_patch.between(old, new)] == expected
