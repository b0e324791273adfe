"""Claims: which conflict, which agree, which are not compared, and why."""

import math
import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import documents
from schemas.claims import (
    CLAIM_FIELDS,
    Claim,
    conflicts,
    conflicts_by_claim,
    not_compared,
    number_not_compared,
    range_of,
)
from schemas.counts import COUNT_FIELDS


def disputed(claims):
    """Return the disputed fields of a record with these CLAIMS."""
    article = {"id": "0000000001", "syndicated_from": None}
    sources = [{"article": article, "claims": [claim._asdict() for claim in claims]}]
    return documents.derive({"date": "2019", "sources": sources}, {}).disputed


RANGES = [
    (Claim("arrests", value=13), (13, 13)),
    (Claim("arrests", value=0), (0, 0)),
    (Claim("arrests", low=25), (25, math.inf)),
    (Claim("arrests", high=5), (0, 5)),
    (Claim("arrests", low=0, high=0), (0, 0)),
    (Claim("arrests", low=100, high=200), (100, 200)),
    (Claim("arrests", low=200, high=100), None),
    (Claim("arrests", text="dozens"), None),
    (Claim("arrests", value="dozens"), None),
    (Claim("arrests", value=True), None),
    (Claim("property_damage", value=True), (1, 1)),
    (Claim("property_damage", value=False), (0, 0)),
    (Claim("property_damage", value=1), None),
    (Claim("property_damage", text="windows broken"), None),
    (Claim("type", value="clash"), ("clash", "clash")),
    (Claim("type", text="a brawl"), None),
    (Claim("date", value="2020-07-24"), ("2020-07-24", "2020-07-24")),
    (Claim("date", value="2020-07-24/2020-07-24"), ("2020-07-24", "2020-07-24")),
    (Claim("date", value="2020-07"), None),
    (Claim("date", value="2020-07-22..2020-07-24"), None),
    (Claim("date", value="in July"), None),
    (Claim("venue", value="a café"), None),
]

COMPARED = [
    # one, other, whether they conflict
    (Claim("arrests", value=5), Claim("arrests", low=5), False),
    (Claim("arrests", value=5), Claim("arrests", low=6), True),
    (Claim("arrests", value=13), Claim("arrests", value=50), True),
    (Claim("arrests", value=13), Claim("arrests", value=13), False),
    (Claim("arrests", value=0), Claim("arrests", value=1), True),
    (Claim("arrests", value=0), Claim("arrests", high=5), False),
    (Claim("arrests", low=25), Claim("arrests", low=1000), False),
    (Claim("arrests", high=5), Claim("arrests", low=5), False),
    (Claim("arrests", high=5), Claim("arrests", low=6), True),
    (Claim("arrests", low=100, high=200), Claim("arrests", low=200, high=300), False),
    (Claim("arrests", low=100, high=200), Claim("arrests", low=201, high=300), True),
    (Claim("arrests", value=13), Claim("injuries", value=50), False),
    (Claim("arrests", value=13), Claim("arrests", text="dozens"), False),
    (Claim("arrests", value=13, scope="brawl"), Claim("arrests", value=50, scope="city"), False),
    (Claim("arrests", value=13), Claim("arrests", value=50, scope="the whole city"), False),
    (
        Claim("arrests", value=13, scope="The  whole city"),
        Claim("arrests", value=50, scope="the wholecity "),
        True,
    ),
    (Claim("arrests", value=13, scope=" "), Claim("arrests", value=50), True),
    (Claim("arrests", value=1, community="armenian"), Claim("arrests", value=2), False),
    (
        Claim("arrests", value=1, community="armenian"),
        Claim("arrests", value=2, community="azerbaijani"),
        False,
    ),
    (
        Claim("arrests", value=1, community="armenian"),
        Claim("arrests", value=2, community="Armenian"),
        True,
    ),
    (
        Claim("arrests", value=1, scope="Chişinău"),
        Claim("arrests", value=2, scope="CHIS\u0327INA\u0306U"),
        True,
    ),
    (Claim("property_damage", value=True), Claim("property_damage", value=False), True),
    (Claim("property_damage", value=True), Claim("property_damage", value=True), False),
    (Claim("property_damage", value=False), Claim("property_damage", value=1), False),
    (Claim("arrests", value=True), Claim("arrests", value=0), False),
    (Claim("type", value="clash"), Claim("type", value="assault"), True),
    (Claim("type", value="clash"), Claim("type", value=" Clash"), False),
    (Claim("date", value="2020-07-24"), Claim("date", value="2020-07-25"), True),
    (Claim("date", value="2020-07-24"), Claim("date", value=" 2020-07-24"), False),
    (Claim("date", value="2020-07-24"), Claim("date", value="2020-07-22/2020-07-24"), True),
    (Claim("date", value="2020-07-24"), Claim("date", value="2020-08"), False),
    (Claim("date", value="2020-07-24"), Claim("date", value="2020-07-01..2020-07-10"), False),
]

UNCOMPARED = [
    (Claim("arrests", value=1, scope="a"), Claim("arrests", value=2, scope="b"), "scope"),
    (Claim("arrests", value=1, scope="a"), Claim("arrests", text="many"), "scope"),
    (Claim("arrests", value=1, community="a"), Claim("arrests", value=2), "community"),
    (Claim("arrests", value=1, community="a"), Claim("arrests", text="many"), "community"),
    (Claim("arrests", value=1), Claim("arrests", text="dozens"), "no figure"),
    (Claim("arrests", text="some"), Claim("arrests", text="dozens"), "no figure"),
    (Claim("date", value="2020-07"), Claim("date", value="2020-07-24"), "not exact"),
    (Claim("date", value="2020-07"), Claim("date", value="2020-07"), "not exact"),
    (Claim("date", value="2020-07"), Claim("date", text="last summer"), "no figure"),
    (Claim("arrests", value=1), Claim("arrests", value=2), None),
    (Claim("arrests", value=1, scope="A a"), Claim("arrests", low=1, scope="aa"), None),
    (Claim("arrests", text="many"), Claim("injuries", text="many"), None),
]

labels = st.sampled_from([None, "", "brawl", "Brawl ", "whole city", "Whole  City"])
small = st.integers(0, 6)
counts = st.one_of(
    st.fixed_dictionaries({"value": small}),
    st.fixed_dictionaries({"low": small}),
    st.fixed_dictionaries({"high": small}),
    st.tuples(small, small).map(sorted).map(lambda pair: {"low": pair[0], "high": pair[1]}),
    st.just({"text": "dozens"}),
)
others = st.one_of(
    st.tuples(st.just("property_damage"), st.booleans()),
    st.tuples(st.just("type"), st.sampled_from(["clash", "assault", "Clash"])),
    st.tuples(st.just("date"), st.sampled_from(["2020-07", "2020-07-24", "2020-07-25"])),
)
claims = st.one_of(
    st.builds(
        lambda field, figure, community, scope: Claim(
            field, **figure, community=community, scope=scope
        ),
        st.sampled_from(COUNT_FIELDS[:2]),
        counts,
        labels,
        labels,
    ),
    st.builds(lambda pair, scope: Claim(*pair, scope=scope), others, labels),
)


def level(text: str | None) -> str:
    return "".join((text or "").lower().split())


def same_thing(one: Claim, other: Claim) -> bool:
    return (one.field, level(one.community), level(one.scope)) == (
        other.field,
        level(other.community),
        level(other.scope),
    )


@pytest.mark.parametrize(("claim", "expected"), RANGES)
def test_a_claim_has_the_range_of_its_figure_and_words_have_none(claim, expected):
    assert range_of(claim) == expected


@pytest.mark.parametrize(("one", "other", "conflict"), COMPARED)
def test_two_claims_conflict_where_their_ranges_about_one_thing_do_not_meet(one, other, conflict):
    expected = [(0, 1)] if conflict else []

    assert conflicts([one, other]) == conflicts([other, one]) == expected
    assert disputed([one, other]) == ([one.field] if conflict else [])


@pytest.mark.parametrize(("one", "other", "reason"), UNCOMPARED)
def test_claims_that_are_not_compared_say_why(one, other, reason):
    expected = [] if reason is None else [(0, 1, reason)]

    assert not_compared([one, other]) == not_compared([other, one]) == expected


def test_reports_that_really_disagree_are_all_kept_and_explained():
    claims = [
        Claim("arrests", value=13, scope="one brawl", attributed_to="police"),
        Claim("arrests", low=25, scope="whole city", attributed_to="police"),
        Claim("arrests", value=50, scope="whole city", text="around 50"),
        Claim("arrests", value=20, scope="Whole city"),
        Claim("arrests", text="dozens", scope="whole city"),
    ]

    assert conflicts(claims) == [(1, 3), (2, 3)]
    assert disputed(claims) == ["arrests"]
    assert not_compared(claims) == [
        (0, 1, "scope"),
        (0, 2, "scope"),
        (0, 3, "scope"),
        (0, 4, "scope"),
        (1, 4, "no figure"),
        (2, 4, "no figure"),
        (3, 4, "no figure"),
    ]


def test_disputed_fields_stand_in_their_fixed_order():
    claims = [
        Claim(field, value=value)
        for field, values in {
            "type": ("clash", "assault"),
            "date": ("2020-07-24", "2020-07-25"),
            "property_damage": (True, False),
            "injuries": (1, 2),
            "arrests": (3, 4),
        }.items()
        for value in values
    ]

    assert disputed(claims) == ["arrests", "injuries", "property_damage", "date", "type"]
    assert disputed(list(reversed(claims))) == disputed(claims)
    assert set(disputed(claims)) <= set(CLAIM_FIELDS)


def test_no_claims_have_no_conflicts():
    assert conflicts([]) == disputed([]) == not_compared([]) == []


@given(st.lists(claims, max_size=12))
def test_conflicts_are_those_found_by_comparing_every_pair(claims):
    expected = []
    for (i, one), (j, other) in combinations(enumerate(claims), 2):
        a, b = range_of(one), range_of(other)
        if same_thing(one, other) and a and b and (a[1] < b[0] or b[1] < a[0]):
            expected.append((i, j))

    assert conflicts(claims) == expected
    assert set(disputed(claims)) == {claims[i].field for i, _ in expected}


@given(st.lists(claims, max_size=12))
def test_every_pair_on_a_field_is_either_compared_or_explained(claims):
    explained = {(i, j) for i, j, _ in not_compared(claims)}

    for (i, one), (j, other) in combinations(enumerate(claims), 2):
        comparable = same_thing(one, other) and range_of(one) and range_of(other)
        assert ((i, j) in explained) == (one.field == other.field and not comparable)
    assert not explained & set(conflicts(claims))


@given(st.lists(claims, max_size=12), st.integers(0, 3))
def test_conflicts_by_claim_are_the_other_ends_of_conflicts_cut_but_counted_in_full(claims, most):
    expected = {}
    for i, j in conflicts(claims):
        expected.setdefault(i, set()).add(j)
        expected.setdefault(j, set()).add(i)

    found = conflicts_by_claim(claims, most)

    assert {i: number for i, (number, _) in found.items()} == {
        i: len(others) for i, others in expected.items()
    }
    for i, (number, listed) in found.items():
        assert set(listed) <= expected[i]
        assert listed == sorted(set(listed))
        assert len(listed) == min(most, number)


@pytest.mark.slow
@given(st.lists(claims, max_size=12), st.integers(0, 20))
def test_pairs_not_compared_can_be_cut_and_are_counted_in_full(claims, most):
    whole = not_compared(claims)

    assert number_not_compared(claims) == len(whole)
    cut = not_compared(claims, most)
    assert len(cut) == min(most, len(whole))
    assert set(cut) <= set(whole)


@pytest.mark.slow
def test_a_multitude_of_claims_is_counted_without_comparing_every_pair():
    claims = [Claim("arrests", value=number % 2) for number in range(100_000)]
    claims += [Claim("arrests", text="some"), Claim("arrests", value=1, scope="a street")]

    found = conflicts_by_claim(claims, 3)

    assert found[0] == (50_000, [1, 3, 5])
    assert number_not_compared(claims) == 2 * 100_000 + 1
    assert len(not_compared(claims, 10)) == 10


@given(st.lists(claims, max_size=8), st.randoms(use_true_random=False))
def test_what_is_disputed_does_not_depend_on_the_order(claims, chance: random.Random):
    shuffled = chance.sample(claims, len(claims))

    assert disputed(shuffled) == disputed(claims)
    assert len(conflicts(shuffled)) == len(conflicts(claims))
