"""Reading JSON strictly, and loading what is right by the short way as by the long one."""

import json
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from schemas import incident, strict_json
from schemas.errors import flatten
from schemas.fields import StrictSchema
from tests import builders

TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        [
            "armenian",
            "arrests",
            "participant",
            "2020-07-24",
            "2020-07",
            "clash",
            "cordon",
            "https://news.example/a",
            "7zq3m8k2xd",
            "RU",
            "Armenien",
            " ",
            "\x00",
            "\ud800",
        ]
    ),
)
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner))
)


def depth(value):
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@pytest.mark.slow
@given(VALUES)
def test_json_reads_as_the_standard_library_reads_it(value):
    assert strict_json.parse(json.dumps(value).encode()) == value
    assert strict_json.parse(json.dumps([value], indent=1).encode()) == [value]


@given(st.text('[]{}"\\a,', max_size=12), st.integers(10, 20), st.booleans())
def test_brackets_in_texts_are_no_nesting(text, levels, objects):
    value = text
    for _ in range(levels):
        value = {text: value} if objects else [value]
    body = json.dumps([value, text]).encode()
    if depth([value]) <= strict_json.MAX_DEPTH:
        assert strict_json.parse(body) == [value, text]
    else:
        with pytest.raises(strict_json.ParseError, match="levels"):
            strict_json.parse(body)


@pytest.mark.parametrize(
    "body", [b'{"a": NaN}', b'{"a": 1, "a": 2}', b"\xff", b"", b"[1,]", b'"\\', b"[" * 10**6]
)
def test_what_is_not_strict_json_is_told(body):
    with pytest.raises(strict_json.ParseError, match=r"\.$"):
        strict_json.parse(body)


def _paths(value, path=()):
    """Walk every place in a body."""
    yield path
    if isinstance(value, list):
        value = dict(enumerate(value))
    for name, inner in value.items() if isinstance(value, dict) else ():
        yield from _paths(inner, (*path, name))


WHOLE = builders.incident(
    arrests=13,
    injuries_low=2,
    latitude=50.45,
    longitude=30.52,
    property_damage=True,
    summary="x",
    police_measures=["cordon"],
    episode="july-2020-border-clashes",
    sources=[
        {
            "article": {"url": "https://news.example/a", "published": "2020-07"},
            "locator": "paragraph 1",
            "claims": [{"field": "arrests", "value": 13}, {"field": "injuries", "low": 2}],
        },
        {"article": "7zq3m8k2xd"},
    ],
)


@st.composite
def bodies(draw):
    """Draw a whole body with a few places replaced, added or dropped."""
    body = json.loads(json.dumps(WHOLE))
    for _ in range(draw(st.integers(0, 3))):
        *path, last = draw(st.sampled_from([path for path in _paths(body) if path]))
        place = body
        for name in path:
            place = place[name]
        match draw(st.sampled_from(["replace", "drop", "add"])):
            case "replace":
                place[last] = draw(VALUES)
            case "drop":
                del place[last]
            case "add" if isinstance(place, dict):
                place[draw(st.one_of(st.sampled_from(["url", "version", "high", "id"]), TEXTS))] = (
                    draw(VALUES)
                )
    return body


def _loaded(body):
    try:
        return incident.load(body)
    except ValidationError as error:
        return sorted(map(repr, flatten(error.messages)))


@pytest.mark.slow
@settings(max_examples=400)
@given(bodies())
def test_what_is_right_loads_alike_by_the_short_way_and_by_the_long_one(body):
    refuse = mock.Mock(side_effect=ValidationError("the long way"))
    with mock.patch.object(StrictSchema, "load_strictly", refuse):
        expected = _loaded(json.loads(json.dumps(body)))
    assert _loaded(body) == expected
