"""Statistics are honest: what is not reported is in no sum, nothing is silently put anywhere."""

import pytest

from schemas.query.values import GROUPINGS

STATS = "/api/v1/stats"


@pytest.fixture
def post(client, editor, incident):
    """Return a function that posts a published incident and returns its id."""

    def write(headers=editor, **changes):
        answer = client.post(
            "/api/v1/incidents?allow_duplicate=true", json=incident(**changes), headers=headers
        )
        assert answer.status_code == 201, answer.json
        return answer.json["id"]

    return write


@pytest.fixture
def stats(client):
    """Return a function that asks for statistics by groups, as the public or with HEADERS."""

    def ask(group_by, headers=None, **query):
        answer = client.get(STATS, query_string={"group_by": group_by, **query}, headers=headers)
        assert answer.status_code == 200, answer.json
        return answer.json

    return ask


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ([], (None, None, 0, 1, 0)),
        ([{"arrests": 0}], (0, 0, 1, 0, 0)),
        ([{"arrests": 13}], (13, 13, 1, 0, 0)),
        ([{"arrests_low": 25}], (25, None, 1, 0, 1)),
        ([{"arrests_low": 100, "arrests_high": 200}], (100, 200, 1, 0, 0)),
        ([{"arrests": 3000, "arrests_low": None, "arrests_high": None}], (0, None, 1, 0, 1)),
        ([{"arrests_high": 5}], (0, 5, 1, 0, 0)),
        ([{"arrests": 13}, {"arrests_low": 25}, {}], (38, None, 2, 1, 1)),
        ([{"arrests": 13}, {"arrests_low": 100, "arrests_high": 200}, {}], (113, 213, 2, 1, 0)),
        ([{}, {}], (None, None, 0, 2, 0)),
    ],
    ids=str,
)
def test_a_sum_says_what_is_proven(stats, post, figures, expected):
    for place, figure in enumerate(figures or [{}]):
        post(date=f"2019-0{place + 1}-04", **figure)
    answer = stats("country")
    names = ("low", "high", "known", "unknown", "open_ended")
    assert answer["data"][0]["arrests"] == dict(zip(names, expected, strict=True))
    assert answer["total"]["arrests"] == answer["data"][0]["arrests"]
    assert answer["data"][0]["incidents"] == answer["total"]["incidents"] == len(figures or [{}])


@pytest.mark.parametrize(
    ("date", "year", "month", "week"),
    [
        ("2020-07-24", "2020", "2020-07", "2020-W30"),
        ("2020-07", "2020", "2020-07", None),
        ("2020", "2020", None, None),
        ("2020-07-20/2020-07-26", "2020", "2020-07", "2020-W30"),
        ("2020-07-26/2020-07-27", "2020", "2020-07", None),
        ("2020-06-30..2020-07-01", "2020", None, "2020-W27"),
        ("2019-12-31/2020-01-01", None, None, "2020-W01"),
        ("2021-01-01", "2021", "2021-01", "2020-W53"),
        ("..2020-07-22", None, None, None),
        ("2020-07-01..", None, None, None),
    ],
)
def test_a_date_is_in_the_period_that_holds_all_of_it(stats, post, date, year, month, week):
    post(date=date)
    for name, expected in (("year", year), ("month", month), ("week", week)):
        (row,) = stats(name)["data"]
        assert (row[name], row["spans"]) == (expected, expected is None)


def test_a_date_over_the_turn_of_a_month_is_in_a_row_of_its_own(stats, post):
    post(date="2020-07-24", arrests=1)
    post(date="2020-08-02", arrests=2)
    post(date="2020-07-31/2020-08-01", arrests=4)
    answer = stats("month")
    assert [(r["month"], r["spans"], r["arrests"]["low"]) for r in answer["data"]] == [
        ("2020-07", False, 1),
        ("2020-08", False, 2),
        (None, True, 4),
    ]
    assert [note["code"] for note in answer["notes"]] == ["spans"]
    by_both = stats("year,month")["data"]
    assert [(r["year"], r["month"], r["spans"]) for r in by_both] == [
        ("2020", "2020-07", False),
        ("2020", "2020-08", False),
        ("2020", None, True),
    ]


def test_communities_have_numbers_by_role_and_no_sums(stats, post):
    post(
        date="2019-01-01",
        arrests=50,
        communities=[
            {"community": "armenian", "role": "organiser"},
            {"community": "armenian", "role": "participant"},
            {"community": "azerbaijani", "role": "counter_participant"},
        ],
    )
    post(date="2019-02-01", communities=["armenian"])
    answer = stats("community")
    assert answer["data"] == [
        {
            "community": "armenian",
            "incidents": 2,
            "roles": {"organiser": 1, "participant": 2, "counter_participant": 0, "target": 0},
        },
        {
            "community": "azerbaijani",
            "incidents": 1,
            "roles": {"organiser": 0, "participant": 0, "counter_participant": 1, "target": 0},
        },
    ]
    assert answer["total"] == {"incidents": 2}
    assert [note["code"] for note in answer["notes"]] == ["no_sums_by_community", "rows_overlap"]
    assert "not for a community" in answer["notes"][0]["detail"]
    (pair,) = stats("community_pair")["data"]
    assert pair["community_pair"] == ["armenian", "azerbaijani"]
    assert pair["incidents"] == 1
    assert pair["roles"]["armenian"]["participant"] == 1
    assert pair["roles"]["azerbaijani"]["counter_participant"] == 1


def test_measures_and_publishers_count_an_incident_once_in_each(stats, post):
    articles = [
        {"title": "One", "publisher": "The Example Times"},
        {"title": "Two", "publisher": "The Example Times"},
        {"title": "Three", "publisher": "Daily Sample"},
    ]
    sources = [{"article": article} for article in articles]
    post(arrests=5, police_measures=["cordon", "detention"], sources=sources)
    post(date="2019-07-01", arrests=2)
    measures = stats("police_measure")
    shown = {(r["police_measure"], r["incidents"], r["arrests"]["low"]) for r in measures["data"]}
    assert shown == {("cordon", 1, 5), ("detention", 1, 5), (None, 1, 2)}
    assert (measures["total"]["incidents"], measures["total"]["arrests"]["low"]) == (2, 7)
    assert [note["code"] for note in measures["notes"]] == ["rows_overlap"]
    publishers = {(r["publisher"], r["incidents"]) for r in stats("publisher")["data"]}
    assert publishers == {("The Example Times", 1), ("Daily Sample", 1), (None, 1)}


def test_namesakes_are_cities_of_their_own(stats, post):
    post(city="Moscow", country="RU")
    post(city="Moscow", country="US", admin1="Idaho")
    post(city=..., country="GE", latitude=42.0, longitude=43.5)
    shown = {(r["city"], r["admin1"], r["country"]) for r in stats("city")["data"]}
    assert shown == {("Moscow", "Moscow", "RU"), ("Moscow", "Idaho", "US"), (None, None, "GE")}


def test_an_incident_of_no_episode_is_in_the_row_of_none(stats, post):
    post(episode="autumn-2020-war", date="2020-10-04")
    post()
    assert {r["episode"] for r in stats("episode")["data"]} == {"autumn-2020-war", None}


def test_nothing_is_no_row_and_a_total_of_nothing(stats):
    for grouping in GROUPINGS:
        answer = stats(grouping)
        assert (answer["data"], answer["rows"], answer["total"]["incidents"]) == ([], 0, 0)
    assert stats("country")["total"]["deaths"] == {
        "low": None,
        "high": None,
        "known": 0,
        "unknown": 0,
        "open_ended": 0,
    }


def test_rows_come_in_pages_that_hold_for_one_version(client, stats, post):
    for number, country in enumerate(("UA", "UA", "PL", "GE")):
        city = {"UA": "Kyiv", "PL": "Warsaw", "GE": "Batumi"}[country]
        post(country=country, city=city, date=f"2019-0{number + 1}-04")
    first = stats("country", limit=2)
    assert [row["country"] for row in first["data"]] == ["UA", "GE"]
    assert first["rows"] == 3
    second = client.get(first["next"])
    assert [row["country"] for row in second.json["data"]] == ["PL"]
    assert second.json["next"] is None
    other = client.get(first["next"].replace("group_by=country", "group_by=type"))
    assert (other.status_code, other.json["errors"][0]["code"]) == (422, "bad_cursor")
    post(date="2018-01-01")
    late = client.get(first["next"])
    assert (late.status_code, late.json["errors"][0]["parameter"]) == (422, "cursor")
    assert "changed" in late.json["errors"][0]["detail"]


def test_drafts_count_for_those_who_may_read_them_alone(client, stats, post, editor, contributor):
    post()
    post(headers=contributor, date="2019-08-01")
    assert stats("country")["total"]["incidents"] == 1
    assert stats("country", headers=contributor)["total"]["incidents"] == 2
    assert stats("country", headers=editor, status="draft")["total"]["incidents"] == 1
    assert stats("country", status="draft")["total"]["incidents"] == 0
    answer = client.get(f"{STATS}?group_by=country", headers=editor)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "ETag" not in answer.headers


def test_words_choose_the_incidents_and_names_that_nothing_has_are_refused(client, stats, post):
    post(title="Quarrel at a market", arrests=2)
    post(title="March to the square", date="2019-08-01", arrests=5)
    assert stats("country", q="quarrels")["total"]["arrests"]["low"] == 2
    assert stats("month", q="-quarrel march")["data"][0]["month"] == "2019-08"
    assert stats("type", q="zebra")["data"] == []
    answer = client.get(f"{STATS}?group_by=country&community=armenan")
    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, "community")


def test_a_city_that_only_drafts_have_is_known_to_those_alone_who_may_read_them(
    client, stats, post, contributor
):
    post(headers=contributor, city="Oldmarket", latitude=50.4, longitude=30.5)
    query = {"group_by": "country", "city": "Oldmarket"}
    assert stats("country", headers=contributor, city="Oldmarket")["total"]["incidents"] == 1
    assert client.get(STATS, query_string=query).status_code == 422


def test_unchanged_statistics_are_told_by_a_304(client, post):
    post()
    address = f"{STATS}?group_by=country"
    tag = client.get(address).headers["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    post(date="2019-08-01")
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("", "group_by", "required"),
        ("country=UA", "group_by", "required"),
        ("group_by=colour", "group_by", "unknown_value"),
        ("group_by=country,type,year", "group_by", "too_many"),
        ("group_by=community,community_pair", "group_by", "same_twice"),
        ("group_by=country&limit=0", "limit", "bad_number"),
        ("group_by=country&limit=10001", "limit", "bad_number"),
        ("group_by=country&sort=date", "sort", "unknown_parameter"),
        ("group_by=country&cursor=zz", "cursor", "bad_cursor"),
        ("group_by=country&radius_km=4", "radius_km", "missing_near"),
    ],
)
def test_a_bad_question_is_refused_by_name(client, query, parameter, code):
    answer = client.get(f"{STATS}?{query}")
    assert answer.status_code == 422
    assert [(e["parameter"], e["code"]) for e in answer.json["errors"]] == [(parameter, code)]


def test_too_many_rows_are_refused_with_what_helps(client, post, monkeypatch):
    from api.queries.statistics import aggregates

    monkeypatch.setattr(aggregates, "MOST_GROUPS", 1)
    post()
    post(city="Batumi", country="GE")
    answer = client.get(f"{STATS}?group_by=country")
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "too_many_rows")
    assert "narrow" in answer.json["errors"][0]["detail"]
    assert client.get(f"{STATS}?group_by=country&country=GE").status_code == 200
