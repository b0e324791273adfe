"""Cutting a body of many records into one piece a record."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.imports import splitter
from schemas.errors import ErrorDetail

LONGEST = 1000

TEXTS = st.one_of(
    st.text(max_size=6), st.sampled_from(['"', "\\", "[", "]}", "\n", "é", "😀", ","])
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)
BLANKS = st.text(" \t\r\n", max_size=3)


def cut(how, body, longest=LONGEST):
    raw = body if isinstance(body, bytes) else body.encode()
    return list(how(io.BytesIO(raw), longest))


@given(st.lists(st.tuples(VALUES, BLANKS, BLANKS, st.booleans()), max_size=6), BLANKS)
def test_the_items_of_a_list_are_told_with_the_line_each_begins_on(items, end):
    text, expected = end + "[" + end, []
    for number, (value, before, after, indented) in enumerate(items):
        text += "," * bool(number) + before
        written = json.dumps(value, indent=1 if indented else None, ensure_ascii=indented)
        expected.append((text.count("\n") + 1, value))
        text += written + after
    text += "]" + end
    found = cut(splitter.array, text)
    assert [(number, json.loads(raw)) for number, raw in found] == expected


@given(st.lists(st.tuples(VALUES, st.sampled_from(["\n", "\r\n", "\n\n", "\n \n"])), max_size=6))
def test_the_lines_of_ndjson_are_told_with_their_numbers(items):
    text, expected = "", []
    for value, end in items:
        expected.append((text.count("\n") + 1, value))
        text += json.dumps(value) + end
    found = cut(splitter.ndjson, text)
    assert [(number, json.loads(raw)) for number, raw in found] == expected


def test_a_single_object_is_a_list_of_one():
    assert cut(splitter.array, '\n {"a": 1}\n') == [(2, b'{"a": 1}')]


def test_nothing_holds_no_records():
    assert cut(splitter.ndjson, b"\xef\xbb\xbf\n \n") == []
    assert cut(splitter.array, b"\xef\xbb\xbf [ ] ") == []
    ((_, error),) = cut(splitter.array, b" \n")  # is no JSON
    assert error.code == "malformed_json"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('[{"a": 1},\n{"b": 2}\n{"c": 3}]', 3, "comma"),
        ('[{"a": 1},\n]', 2, "Expecting value"),
        ('[{"a": 1}', 1, "comma"),
        ('[{"a": 1},\n\n{"b": }]', 3, "Expecting value"),
        ("[1]\n\n[2]", 3, "more after the end"),
        (b'[1,\n\n"\xff"]', 3, "not UTF-8"),
        ("[" * 100_000, 1, "levels"),
        (f'[1,\n"{"x" * LONGEST}"]', 2, "at most 1,000"),
    ],
)
def test_what_breaks_a_list_is_told_with_its_line(text, line, says):
    *_, (number, fault) = cut(splitter.array, text)
    assert isinstance(fault, ErrorDetail)
    assert number == line
    assert says in fault


def test_a_line_that_is_too_long_is_told_and_those_behind_it_are_read():
    found = cut(splitter.ndjson, b'{"a": 1}\n"' + b"x" * 3 * LONGEST + b'"\n{"b": 2}')
    assert [number for number, _ in found] == [1, 2, 3]
    assert "at most 1,000" in found[1][1]
    assert found[2][1] == b'{"b": 2}'


@pytest.mark.parametrize("how", [splitter.array, splitter.ndjson])
def test_a_body_is_read_as_it_is_cut_and_never_held_as_a_whole(how):
    class Endless(io.RawIOBase):
        taken = 0

        def readable(self):
            return True

        def readinto(self, buffer):
            chunk = b'{"a": 1}\n' if how is splitter.ndjson else b'{"a": 1},\n'
            self.taken += len(chunk)
            buffer[: len(chunk)] = chunk
            return len(chunk)

    body = Endless()
    start = io.BytesIO(b"[" if how is splitter.array else b"")

    class Joined(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            return start.readinto(buffer) or body.readinto(buffer)

    pieces = how(io.BufferedReader(Joined()), LONGEST)
    for _ in range(10_000):
        next(pieces)
    assert body.taken < 10_000 * 10 + 10**6
