"""The date grammar: what each form means, what is refused and what is proposed instead."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dates import EARLIEST, LATEST, LONGEST, DateError, DateSpan, parse

READ = [
    # written, canonical, start, end, precision
    ("2020-07-24", "2020-07-24", "2020-07-24", "2020-07-24", "day"),
    ("2020-02-29", "2020-02-29", "2020-02-29", "2020-02-29", "day"),
    ("0001-01-01", "0001-01-01", "0001-01-01", "0001-01-01", "day"),
    ("9999-12-31", "9999-12-31", "9999-12-31", "9999-12-31", "day"),
    ("2020-07", "2020-07", "2020-07-01", "2020-07-31", "month"),
    ("2021-02", "2021-02", "2021-02-01", "2021-02-28", "month"),
    ("2020", "2020", "2020-01-01", "2020-12-31", "year"),
    ("2020-07-22/2020-07-24", "2020-07-22/2020-07-24", "2020-07-22", "2020-07-24", "interval"),
    ("2020-07-01..2020-07-22", "2020-07-01..2020-07-22", "2020-07-01", "2020-07-22", "range"),
    ("..2020-07-22", "..2020-07-22", None, "2020-07-22", "range"),
    ("2020-07-01..", "2020-07-01..", "2020-07-01", None, "range"),
    ("[2020-07-01..2020-07-22]", "2020-07-01..2020-07-22", "2020-07-01", "2020-07-22", "range"),
    ("[..2020-07-22]", "..2020-07-22", None, "2020-07-22", "range"),
    (" 2020-07-24\t\n", "2020-07-24", "2020-07-24", "2020-07-24", "day"),
    ("2020-07..2020-08", "2020-07-01..2020-08-31", "2020-07-01", "2020-08-31", "range"),
    ("2020..2020-07-02", "2020-01-01..2020-07-02", "2020-01-01", "2020-07-02", "range"),
    ("2020-07..", "2020-07-01..", "2020-07-01", None, "range"),
    ("..2020", "..2020-12-31", None, "2020-12-31", "range"),
    ("2020-07-24/2020-07-24", "2020-07-24", "2020-07-24", "2020-07-24", "day"),
    ("2020-07-24..2020-07-24", "2020-07-24", "2020-07-24", "2020-07-24", "day"),
    ("2020-07..2020-07", "2020-07", "2020-07-01", "2020-07-31", "month"),
    ("2020-07-31..2020-07", "2020-07-31", "2020-07-31", "2020-07-31", "day"),
]

REFUSED = [
    # written, suggestion
    ("July 2020", "2020-07"),
    ("24 July 2020", "2020-07-24"),
    ("July 24th, 2020", "2020-07-24"),
    ("24-Jul-2020", "2020-07-24"),
    ("Oct-2014", "2014-10"),
    ("early January 2020", "2020-01-01..2020-01-10"),
    ("mid-June 2021", "2021-06-11..2021-06-20"),
    ("end of February 2020", "2020-02-21..2020-02-29"),
    ("43834", "2020-01-04"),
    ("43834.5", "2020-01-04"),
    ("99999", None),
    ("Jul-20", None),
    ("24-Jul-20", None),
    ("31 Feb 2020", None),
    ("May", None),
    ("24.07.20", "2020-07-24"),
    ("7/24/20", "2020-07-24"),
    ("07/08/20", None),
    ("2020-07-24~", "2020-07-23..2020-07-25"),
    ("2020-07-24?", "2020-07-23..2020-07-25"),
    ("2020-03-01%", "2020-02-29..2020-03-02"),
    ("2020-07~", "2020-06-01..2020-08-31"),
    ("2020-01~", "2019-12-01..2020-02-29"),
    ("2020~", "2019-01-01..2021-12-31"),
    ("~2020", "2019-01-01..2021-12-31"),
    ("2020-07-22~/2020-07-24", "2020-07-21..2020-07-24"),
    ("[2020-07~..2020-08-02]", "2020-06-01..2020-08-02"),
    ("2020-07~..", "2020-06-01.."),
    ("9999~", None),
    ("0001-01-01~", None),
    ("~", None),
    ("2020-07-2X", "2020-07-20..2020-07-29"),
    ("2020-07-2x", "2020-07-20..2020-07-29"),
    ("2020-07-3X", "2020-07-30..2020-07-31"),
    ("2020-02-3X", None),
    ("2020-07-XX", "2020-07"),
    ("2020-07-??", "2020-07"),
    ("2020-XX", "2020"),
    ("2020-XX-XX", "2020"),
    ("2020-XX-24", "2020-01-24..2020-12-24"),
    ("2020-1X", "2020-10-01..2020-12-31"),
    ("2020-4X", None),
    ("202X", "2020-01-01..2029-12-31"),
    ("20uu", "2000-01-01..2099-12-31"),
    ("XXXX", None),
    ("2020-07-01/", "2020-07-01.."),
    ("2020-07-01/..", "2020-07-01.."),
    ("/2020-07-22", "..2020-07-22"),
    ("../2020-07-22", "..2020-07-22"),
    ("/..", None),
    ("/", None),
    ("..", None),
    ("[..]", None),
    ("2020-07/2020-08", "2020-07-01..2020-08-31"),
    ("2020-07/2020-07", "2020-07"),
    ("2020-07/2020-08-03", "2020-07-01..2020-08-03"),
    ("2020-07-24/2020-07-22", "2020-07-22/2020-07-24"),
    ("2020-07-24..2020-07-22", "2020-07-22..2020-07-24"),
    ("2020-08..2020-07", "2020-07-01..2020-08-31"),
    ("2020-21", None),
    ("2020-13", None),
    ("2020-24-07", "2020-07-24"),
    ("2020-00", "2020"),
    ("2020-07-00", "2020-07"),
    ("2020-02-30", "2020-02"),
    ("2020-06-20..2020-06-31", "2020-06-20..2020-06-30"),
    ("2020-07-24T18:30:00Z", "2020-07-24"),
    ("2020-07-24 18:30", "2020-07-24"),
    ("2020-07-24T18:30:00.5+03:00", "2020-07-24"),
    ("2020-07-22T10:00/2020-07-24T12:00", None),
    ("24.07.2020", "2020-07-24"),
    ("4.7.2020", "2020-07-04"),
    ("07.24.2020", "2020-07-24"),
    ("31.02.2020", None),
    ("07/24/2020", "2020-07-24"),
    ("24/07/2020", "2020-07-24"),
    ("07/04/2020", None),
    ("05/05/2020", "2020-05-05"),
    ("24-07-2020", "2020-07-24"),
    ("07/2020", "2020-07"),
    ("2020/07/24", "2020-07-24"),
    ("2020-7-4", "2020-07-04"),
    ("2020-7", "2020-07"),
    ("20200724", "2020-07-24"),
    ("0000", None),
    ("0000-01-01", None),
    ("12020-01-01", None),
    ("Y12020", None),
    ("-0044", None),
    ("[2020-07-24]", "2020-07-24"),
    ("[2020-07-01..", "2020-07-01.."),
    ("{2020-07-22..2020-07-24}", "2020-07-22/2020-07-24"),
    ("2020-07-22–2020-07-24", "2020-07-22..2020-07-24"),
    ("2020-07-22 to 2020-07-24", "2020-07-22..2020-07-24"),
    ("2020-07-22 .. 2020-07-24", "2020-07-22..2020-07-24"),
    ("2020 07 24", "2020-07-24"),
    ("2020‑07‑24", "2020-07-24"),
    ("٢٠٢٠-٠٧-٢٤", "2020-07-24"),
    ("２０２０", "2020"),
    ("2020-07-01/2020-07-02/2020-07-03", None),
    ("", None),
    ("   ", None),
    ("unknown", None),
    ("2020\x00", None),
    ("\ud800", None),
    (" " * LONGEST + "2020", None),
    ("9" * 1_000_000, None),
]

days = st.dates()
months = days.map(lambda d: d.isoformat()[:7])
years = days.map(lambda d: d.isoformat()[:4])
pairs = st.tuples(days, days).map(sorted)
near = st.tuples(st.dates(date(2020, 1, 1), date(2020, 3, 31)), st.integers(0, 40)).map(
    lambda start: [start[0], start[0] + timedelta(days=start[1])]
)
both = pairs | near
written = st.one_of(
    days.map(date.isoformat),
    months,
    years,
    both.map(lambda p: f"{p[0]}/{p[1]}"),
    both.map(lambda p: f"{p[0]}..{p[1]}"),
    days.map(lambda d: f"..{d}"),
    days.map(lambda d: f"{d}.."),
)
spans = written.map(parse)
# Close to dates, so that the search reaches the branches that plain text never would.
almost = st.one_of(
    st.text(),
    st.text("0123456789-/.[]~?%Xxu:T +{}", max_size=30),
    st.text("0123456789-/.[]~?%Xxu:T +{}٢２ \u2013\u2026", max_size=30),
    st.tuples(written, st.text("~?%X/.][ T0", max_size=3)).map("".join),
    st.tuples(written, st.sampled_from("/-~.X "), written).map("".join),
    st.from_regex(r"\A[0-9X?]{1,5}[-./][0-9X?]{1,2}[-./][0-9X?]{1,4}[~?%]?\Z"),
)


@pytest.mark.parametrize(("text", "canonical", "start", "end", "precision"), READ)
def test_each_form_is_read_as_what_it_means(text, canonical, start, end, precision):
    read = parse(text)

    assert read == DateSpan(
        canonical,
        start and date.fromisoformat(start),
        end and date.fromisoformat(end),
        precision,
    )


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("Jul-20", ["2020-07", "a day without a year"]),
        ("24-Jul-20", ["2020-07-24", "2024-07-20"]),
        ("07/08/20", ["2020-08-07", "2020-07-08"]),
        ("07/08/2020", ["2020-08-07", "2020-07-08"]),
    ],
)
def test_where_two_readings_are_possible_both_are_named(text, readings):
    with pytest.raises(DateError) as refused:
        parse(text)

    assert all(reading in refused.value.message for reading in readings)


@pytest.mark.parametrize(("text", "suggestion"), REFUSED)
def test_what_is_no_date_is_refused_with_the_date_that_was_meant(text, suggestion):
    with pytest.raises(DateError) as refused:
        parse(text)

    assert refused.value.suggestion == suggestion
    assert refused.value.message == str(refused.value)
    assert len(refused.value.message) < 300


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2021-02-29", "February 2021 has 28 days"),
        ("2020-13-40", "no month 13"),
        ("2020-22", "Seasons"),
        ("0000-05", "0001 to 9999"),
        ("2020-07-24..2020-07-22", "2020-07-24 is later than 2020-07-22"),
        ("2020-07/2020-08", "how long it lasted"),
        ("07/04/2020", "2020-04-07 or 2020-07-04"),
        ("2020-07-24T10:00", "Times"),
        ("soon", "2020-07-01..2020-07-22"),
    ],
)
def test_a_refusal_says_what_was_wrong(text, words):
    with pytest.raises(DateError, match=words):
        parse(text)


@given(almost)
def test_any_text_is_a_date_or_a_date_error_whose_suggestion_parses(text):
    try:
        canonical = parse(text).text
    except DateError as refused:
        canonical = refused.suggestion
        refused.message.encode("ascii")

    assert canonical is None or parse(canonical).text == canonical


@given(written)
def test_the_canonical_form_reads_as_itself(text):
    assert parse(parse(text).text) == parse(text)


@given(spans)
def test_bounds_are_in_order_and_only_a_range_is_open(read):
    assert EARLIEST <= read.earliest <= read.latest <= LATEST
    assert read.earliest <= read.sort_date <= read.latest
    if read.precision == "range":
        assert read.start or read.end
    else:
        assert read.start
        assert read.end
    if read.start and read.end:
        assert (read.start == read.end) == (read.precision == "day")


@given(days)
def test_a_day_lies_within_its_month_and_its_year(day):
    written_day = parse(day.isoformat())

    assert written_day.certain_overlap(parse(day.isoformat()[:7]))
    assert written_day.certain_overlap(parse(day.isoformat()[:4]))


@given(spans, spans)
def test_what_is_certain_is_possible_and_overlap_is_symmetric(one, other):
    if one.certain_overlap(other):
        assert one.possible_overlap(other)
    assert one.possible_overlap(other) == one.overlaps(other) == other.overlaps(one)
    assert one.close_to(other) == other.close_to(one)


@given(near, near)
def test_overlap_is_sharing_a_day(one, other):
    def all_days(pair):
        return {pair[0] + timedelta(days=n) for n in range((pair[1] - pair[0]).days + 1)}

    shared = bool(all_days(one) & all_days(other))

    assert parse("{}/{}".format(*one)).overlaps(parse("{}/{}".format(*other))) == shared


@given(spans)
def test_a_date_that_is_known_closely_is_close_to_itself(read):
    known = read.exact or (read.start and read.end and (read.end - read.start).days < 3)

    assert read.close_to(read) == bool(known)


@pytest.mark.parametrize(
    ("text", "sort_date"),
    [
        ("2020-07", "2020-07-01"),
        ("2020-07-22/2020-07-24", "2020-07-22"),
        ("..2020-07-22", "2020-07-22"),
        ("2020-07-01..", "2020-07-01"),
        ("0033", "0033-01-01"),
    ],
)
def test_sorting_uses_the_start_or_the_end_where_the_start_is_open(text, sort_date):
    assert parse(text).sort_date == sort_date


@pytest.mark.parametrize(
    ("text", "window", "possible", "certain"),
    [
        ("2020-07-24", "2020-07", True, True),
        ("2020-07-24", "2020-08", False, False),
        ("2020-07-22/2020-08-02", "2020-07", True, True),
        ("2020-07-30..2020-08-02", "2020-07", True, False),
        ("2020-07-01..2020-07-22", "2020-07", True, True),
        ("2020-07", "2020", True, True),
        ("2020", "2020-07", True, False),
        ("2020-07", "2020-07-01..2020-07-31", True, True),
        ("2020-07-01..", "2020", True, False),
        ("2020-07-01..", "2020..", True, True),
        ("..2020-07-22", "..2020-07-22", True, True),
        ("..2020-07-22", "2020-07-23..", False, False),
    ],
)
def test_a_window_is_met_possibly_or_certainly(text, window, possible, certain):
    assert parse(text).possible_overlap(parse(window)) is possible
    assert parse(text).certain_overlap(parse(window)) is certain


@pytest.mark.parametrize(
    ("one", "other", "close"),
    [
        ("2020-07-24", "2020-07-24", True),
        ("2020-07-24", "2020-07-25", True),
        ("2020-02-28", "2020-03-01", False),
        ("2021-02-28", "2021-03-01", True),
        ("2020-07-24", "2020-07-26", False),
        ("2020-07-22..2020-07-24", "2020-07-25", True),
        ("2020-07-22..2020-07-24", "2020-07-26", False),
        ("2020-07-22/2020-07-24", "2020-07-22", True),
        ("2020-07-22/2020-07-24", "2020-07-25..2020-07-27", True),
        ("2020-07-21..2020-07-24", "2020-07-24", False),
        ("2020-07", "2020-07-24", False),
        ("2020-07", "2020-07", False),
        ("2020-07-24..", "2020-07-24", False),
        ("..2020-07-24", "..2020-07-24", False),
        ("2020-07-01/2020-07-31", "2020-07-01/2020-07-30", True),
        ("2020-07-01/2020-07-31", "2020-07-15", False),
        ("2020-07-01/2020-07-31", "2020-07-01..2020-07-31", False),
        ("2020-07-01/2020-07-31", "2020-07-31", False),
        ("2020-07-22/2020-07-25", "2020-07-23..2020-07-25", True),
    ],
)
def test_close_dates_are_known_to_three_days_and_at_most_a_day_apart(one, other, close):
    assert parse(one).close_to(parse(other)) is close
    assert parse(other).close_to(parse(one)) is close
