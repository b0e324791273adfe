"""Counts: what a figure says, what it may be, what belongs together, what a filter finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.counts import MAXIMUM, NOT_REPORTED, Figure, at_least, at_most, name, put

SAID = [
    # low, best, high, text
    (None, None, None, "not reported"),
    (13, 13, 13, "13"),
    (0, 0, 0, "0"),
    (3000, 3000, 3000, "3,000"),
    (25, None, None, "at least 25"),
    (0, None, None, "at least 0"),
    (None, None, 5, "at most 5"),
    (None, None, 0, "0"),
    (None, 0, 0, "0"),
    (100, None, 200, "100–200"),
    (0, None, 2000, "0–2,000"),
    (5, None, 5, "5"),
    (None, 3000, None, "about 3,000"),
    (None, 0, None, "about 0"),
    (100, 150, 200, "about 150 (100–200)"),
    (100, 100, 200, "about 100 (100–200)"),
    (100, 200, 200, "about 200 (100–200)"),
    (0, 0, 3, "about 0 (0–3)"),
    (25, 30, None, "about 30 (at least 25)"),
    (25, 25, None, "25 or more"),
    (None, 30, 50, "about 30 (at most 50)"),
    (None, 50, 50, "50 or fewer"),
    (1000, 1500, 2000, "about 1,500 (1,000–2,000)"),
]

UNFIT = [
    # low, best, high, members named as problems
    (-1, None, None, ["low"]),
    (None, MAXIMUM + 1, None, ["best"]),
    (None, None, MAXIMUM + 1, ["high"]),
    (30, 25, None, ["low"]),
    (None, 25, 20, ["high"]),
    (30, 25, 20, ["low", "high"]),
    (30, None, 20, ["low"]),
    (30, 35, 20, ["high"]),
    (-3, -2, -1, ["best", "low", "high"]),
]

NAMED = [
    # stored, named, result
    (NOT_REPORTED, {"best": 25}, (25, 25, 25)),
    (NOT_REPORTED, {"best": 0}, (0, 0, 0)),
    ((13, 13, 13), {"best": 25}, (25, 25, 25)),
    ((100, 150, 200), {"best": 25}, (25, 25, 25)),
    ((100, 150, 200), {"best": None}, (None, None, None)),
    ((100, 150, 200), {}, (100, 150, 200)),
    (NOT_REPORTED, {"low": 25}, (25, None, None)),
    ((13, 13, 13), {"low": 10}, (10, 13, 13)),
    ((13, 13, 13), {"high": None}, (13, 13, None)),
    ((13, 13, 13), {"low": 25}, (25, 13, 13)),
    ((100, 150, 200), {"low": None, "high": None}, (None, 150, None)),
    (NOT_REPORTED, {"best": 3000, "low": None, "high": None}, (None, 3000, None)),
    ((13, 13, 13), {"best": 3000, "low": None, "high": None}, (None, 3000, None)),
    ((13, 13, 13), {"best": None, "low": 25, "high": None}, (25, None, None)),
    (NOT_REPORTED, {"best": 25, "low": 20}, (20, 25, None)),
    ((100, 150, 200), {"best": 160, "low": 120}, (120, 160, 200)),
    ((100, 150, 200), {"best": None, "low": 120}, (120, None, 200)),
    (NOT_REPORTED, {"low": 13, "high": 13}, (13, 13, 13)),
    ((100, None, 200), {"low": 200}, (200, 200, 200)),
]

PUT = [
    # stored, members in the body, result
    ((13, 13, 13), {"low": 13, "best": 25, "high": 13}, (25, 25, 25)),
    ((13, 13, 13), {"low": 13, "best": 0, "high": 13}, (0, 0, 0)),
    ((13, 13, 13), {"low": 13, "best": None, "high": 13}, (None, None, None)),
    ((13, 13, 13), {"low": 13, "best": 25, "high": 25}, (13, 25, 25)),
    ((13, 13, 13), {"low": 13, "best": None, "high": None}, (13, None, None)),
    ((13, 13, 13), {"low": 10, "best": 13, "high": 13}, (10, 13, 13)),
    ((13, 13, 13), {"low": None, "best": None, "high": None}, (None, None, None)),
    ((13, 13, 13), {"best": 25}, (25, 25, 25)),
    ((13, 13, 13), {}, (None, None, None)),
    ((25, None, None), {"low": 25, "best": 30, "high": None}, (25, 30, None)),
    ((25, None, None), {"low": None, "best": None, "high": None}, (None, None, None)),
    ((100, 150, 200), {"low": 100, "best": 160, "high": 200}, (100, 160, 200)),
    ((100, 150, 200), {"low": 150, "best": 150, "high": 150}, (150, 150, 150)),
    ((100, 150, 200), {"low": 100, "best": None, "high": 200}, (100, None, 200)),
    ((100, 150, 200), {"best": 150}, (100, 150, 200)),
    ((100, None, 200), {"best": None}, (100, None, 200)),
    ((100, 150, 200), {"best": 160}, (160, 160, 160)),
    ((100, 150, 200), {"low": 25}, (25, None, None)),
    ((100, 150, 200), {"best": 150, "high": 200}, (None, 150, 200)),
    ((13, 13, 13), {"low": 25}, (25, None, None)),
    ((13, 13, 13), {"low": 13}, (13, None, None)),
    (NOT_REPORTED, {"low": None, "best": 5, "high": None}, (None, 5, None)),
    (NOT_REPORTED, {"best": 5}, (5, 5, 5)),
    (NOT_REPORTED, {}, (None, None, None)),
]

FOUND = [
    # figure, n, min by match None / possible / certain, max by match None / possible / certain
    (NOT_REPORTED, 0, "---", "---"),
    ((13, 13, 13), 13, "+++", "+++"),
    ((13, 13, 13), 14, "---", "+++"),
    ((0, 0, 0), 0, "+++", "+++"),
    ((0, 0, 0), 1, "---", "+++"),
    ((25, None, None), 25, "+++", "-+-"),
    ((25, None, None), 26, "-+-", "-+-"),
    ((25, None, None), 24, "+++", "---"),
    ((None, None, 5), 5, "-+-", "+++"),
    ((None, None, 5), 0, "-+-", "-+-"),
    ((None, None, 5), 6, "---", "+++"),
    ((100, None, 200), 150, "-+-", "-+-"),
    ((100, 150, 200), 150, "++-", "++-"),
    ((100, 150, 200), 100, "+++", "-+-"),
    ((None, 3000, None), 3000, "++-", "++-"),
    ((None, 3000, None), 10**9, "-+-", "++-"),
    ((None, 3000, None), 0, "++-", "-+-"),
]

member = st.none() | st.integers(0, 8) | st.integers(0, MAXIMUM)
figures = st.builds(Figure, member, member, member).filter(lambda figure: not figure.check())
bodies = st.fixed_dictionaries({}, optional={"best": member, "low": member, "high": member})


def figure(stored: Figure | tuple) -> Figure:
    return stored if isinstance(stored, Figure) else Figure(*stored)


def members(read: Figure) -> dict[str, int | None]:
    return {"low": read.low, "best": read.best, "high": read.high}


def has_equal_bounds_alone(read: Figure) -> bool:
    return read.best is None and read.low is not None and read.low == read.high


@pytest.mark.parametrize(("low", "best", "high", "text"), SAID)
def test_a_figure_says_itself_in_words(low, best, high, text):
    assert Figure(low, best, high).text == text
    assert Figure(low, best, high).check() == []


@given(figures)
def test_only_three_nulls_are_not_reported(read):
    assert (read.text == "not reported") == (read == NOT_REPORTED) == (not read.reported)


@pytest.mark.parametrize(("low", "best", "high", "named"), UNFIT)
def test_what_does_not_fit_is_named(low, best, high, named):
    assert [problem.member for problem in Figure(low, best, high).check()] == named


@given(member, member, member)
def test_the_check_finds_every_wrong_order_and_no_other(low, best, high):
    given_in_order = [value for value in (low, best, high) if value is not None]

    assert (not Figure(low, best, high).check()) == (given_in_order == sorted(given_in_order))


def test_a_problem_says_both_numbers_and_the_way_out():
    (problem,) = Figure(2500, 1300, None).check()

    assert "2,500 is above the best figure 1,300" in problem.detail
    assert "null" in problem.detail


@pytest.mark.parametrize(("stored", "named", "result"), NAMED)
def test_members_that_belong_together_change_together(stored, named, result):
    assert name(figure(stored), named) == Figure(*result)


@given(figures, member)
def test_the_best_figure_named_alone_is_exact_or_not_reported(stored, best):
    named = name(stored, {"best": best})

    assert named == Figure(best, best, best)
    assert named.exact == (best is not None)
    assert named.reported == (best is not None)


@given(figures, member, member)
def test_a_bound_named_alone_leaves_the_other_two(stored, low, high):
    lowered, raised = name(stored, {"low": low}), name(stored, {"high": high})

    assert (lowered.low, lowered.high) == (low, stored.high)
    assert (raised.low, raised.high) == (stored.low, high)
    assert stored.best in (None, lowered.best)
    assert stored.best in (None, raised.best)


@given(figures, figures)
def test_all_three_members_named_are_taken_as_they_are(stored, wanted):
    if has_equal_bounds_alone(wanted):
        wanted_exactly = Figure(wanted.low, wanted.low, wanted.low)
    else:
        wanted_exactly = wanted

    assert name(stored, members(wanted)) == wanted_exactly


@given(figures, bodies)
def test_bounds_that_meet_never_stay_without_the_best_figure(stored, named):
    assert named == {} or not has_equal_bounds_alone(name(stored, named))


def test_a_key_that_is_no_member_is_an_error():
    with pytest.raises(KeyError, match="arrests_low"):
        name(NOT_REPORTED, {"arrests_low": 5})


@pytest.mark.parametrize(("stored", "body", "result"), PUT)
def test_a_put_takes_what_was_edited(stored, body, result):
    assert put(figure(stored), body) == Figure(*result)


@given(figures.filter(lambda read: not has_equal_bounds_alone(read)))
def test_a_put_of_what_was_read_changes_nothing(stored):
    assert put(stored, members(stored)) == stored


@given(figures, member)
def test_a_put_of_an_exact_figure_with_another_best_is_exact_again(stored, best):
    exact = name(stored, {"best": 7})

    assert put(exact, members(exact) | {"best": best}) == Figure(best, best, best)


@given(figures, figures.filter(lambda read: not has_equal_bounds_alone(read)))
def test_a_put_of_a_whole_figure_does_not_depend_on_what_was_stored(stored, wanted):
    first = put(stored, members(wanted))

    assert first == wanted
    assert put(first, members(wanted)) == wanted


@pytest.mark.parametrize(("read", "number", "minimum", "maximum"), FOUND)
def test_a_filter_finds_what_its_match_says(read, number, minimum, maximum):
    matches = (None, "possible", "certain")
    least = [at_least(figure(read), number, match) for match in matches]
    most = [at_most(figure(read), number, match) for match in matches]

    assert least == [sign == "+" for sign in minimum]
    assert most == [sign == "+" for sign in maximum]


@given(figures, member.filter(lambda number: number is not None))
def test_what_is_certain_is_found_and_what_is_found_is_possible(read, number):
    for satisfies in (at_least, at_most):
        certain, found, possible = (
            satisfies(read, number, m) for m in ("certain", None, "possible")
        )
        assert certain <= found <= possible
        assert read.reported or not possible


@given(st.integers(0, 50), st.integers(0, 50))
def test_every_match_agrees_on_an_exact_figure(value, number):
    read = Figure(value, value, value)

    for match in (None, "possible", "certain"):
        assert at_least(read, number, match) == (value >= number)
        assert at_most(read, number, match) == (value <= number)


@pytest.mark.parametrize(
    ("read", "expected"),
    [((100, 150, 200), 150), ((25, None, None), 25), ((None, None, 5), None), ((0, 0, 0), 0)],
)
def test_a_count_sorts_by_best_else_low(read, expected):
    assert figure(read).sort_figure == expected
