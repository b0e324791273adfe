"""Two records made one, and that undone, on states alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.merge import GROUPS, LISTS, joined, rebased, undone
from schemas.record_state import EMPTY

claims = st.lists(
    st.builds(lambda n: {"field": "arrests", "value": n}, st.integers(0, 3)),
    max_size=3,
    unique_by=str,
)
sources = st.lists(
    st.builds(
        lambda id_, locator, claims: {"article": {"id": id_}, "locator": locator, "claims": claims},
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([None, "p1"]),
        claims,
    ),
    max_size=3,
    unique_by=lambda source: (source["article"]["id"], source["locator"]),
)
communities = st.lists(
    st.builds(
        lambda name, size: {"community": name, "role": "participant", "participants": size},
        st.sampled_from(["armenian", "azerbaijani", "other"]),
        st.integers(0, 2),
    ),
    max_size=3,
    unique_by=lambda entry: entry["community"],
)
fields = st.fixed_dictionaries(
    {
        **{name: st.integers(0, 2) for name in EMPTY if name not in LISTS},
        "communities": communities,
        "police_measures": st.lists(
            st.sampled_from(["cordon", "baton", "tear_gas"]), max_size=3, unique=True
        ),
        "external_ids": st.lists(
            st.builds(lambda id_: {"scheme": "acled", "id": id_}, st.sampled_from("123")),
            max_size=3,
            unique_by=lambda one: one["id"],
        ),
        "tags": st.lists(st.sampled_from(["one", "two", "three"]), max_size=3, unique=True),
        "sources": sources,
    }
)


def sorted_lists(state):
    """Return a state with its lists sorted, so that states compare without regard to order."""
    return {
        name: sorted(map(_sorted_claims, value), key=str) if name in LISTS else value
        for name, value in state.items()
    }


def _sorted_claims(item):
    if isinstance(item, dict) and "claims" in item:
        return {**item, "claims": sorted(item["claims"], key=str)}
    return item


def all_claims(state):
    return {
        (source["article"]["id"], source["locator"], str(claim))
        for source in state["sources"]
        for claim in source["claims"]
    }


def test_every_field_belongs_to_a_group_or_is_a_list():
    assert {member for members in GROUPS.values() for member in members} | set(LISTS) == set(EMPTY)


@given(fields, fields)
def test_a_merge_keeps_every_claim_of_both(into, merged):
    assert all_claims(joined(into, merged, [])) == all_claims(into) | all_claims(merged)


@given(fields, fields)
def test_a_headline_moves_with_its_bounds(into, merged):
    state = joined(into, merged, ["arrests"])
    for name in ("arrests", "arrests_low", "arrests_high"):
        assert state[name] == merged[name]
    assert state["injuries"] == into["injuries"]


@given(fields, fields, st.sets(st.sampled_from(sorted(GROUPS))))
def test_a_merge_undone_at_once_leaves_what_was(into, merged, headline):
    after = joined(into, merged, headline)
    now = after  # nothing was written since
    assert sorted_lists(undone(now, after, into)) == sorted_lists(into)


@given(fields, fields)
def test_what_was_corrected_since_the_merge_outlives_its_undoing(into, merged):
    after = joined(into, merged, ["arrests"])
    since = {**after, "injuries": 99, "injuries_low": 99, "injuries_high": 99}
    state = undone(since, after, into)
    assert state["injuries"] == 99
    assert state["arrests"] == into["arrests"]


@pytest.mark.slow
@given(fields, fields)
def test_a_correction_of_what_stands_unchanged_is_taken_whole(base, draft):
    state, conflicts = rebased(base, base, draft)
    assert sorted_lists(state) == sorted_lists(draft)
    assert conflicts == []


@given(fields, fields)
def test_a_draft_that_changes_nothing_takes_nothing_back(base, current):
    state, conflicts = rebased(current, base, base)
    assert sorted_lists(state) == sorted_lists(current)
    assert conflicts == []


def test_both_sides_changing_one_field_is_a_conflict():
    base = {**EMPTY, "arrests": 1, "title": "a"}
    current, draft = {**base, "arrests": 2, "title": "b"}, {**base, "arrests": 3}
    state, conflicts = rebased(current, base, draft)
    assert conflicts == ["arrests"]
    assert (state["arrests"], state["title"]) == (3, "b")
