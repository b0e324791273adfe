"""The query language, row by row: what each parameter keeps of a handful of records.

`tests/test_query_property.py` compares generated queries with a plain filter; here stands in plain
sight what a value means. Records go by one letter, their title.
"""

import pytest

from api.queries.filters.incidents import FILTERS
from api.queries.filters.orders import ORDERS
from schemas.counts import COUNT_FIELDS
from schemas.query import filters, parameters, values
from tests import builders
from tests.problems import fault_pointers, problem_of

INCIDENTS = "/api/v1/incidents"
WIRE = {"id": "wwwwwwwww1", "title": "Wire", "publisher": "The Wire", "url": "https://w.example/1"}
PAPER = {"id": "ppppppppp1", "title": "Paper", "publisher": "Le Papier", "url": "https://p.example"}
BOTH = ["armenian", "azerbaijani"]


def claim(**members):
    return {"field": "arrests", **members}


RECORDS = {
    "a": {
        "date": "2019-05-04",
        "type": "clash",
        "id": "aaaaaaaaa1",
        "external_ids": ["acled:RUS1", {"scheme": "gdelt", "id": "9:7, b"}],
        "tags": ["reviewed", "festival"],
        "communities": [
            {"community": "armenian", "organisations": ["Union of Armenians", "Ligue, Lyon"]},
            "azerbaijani",
        ],
        "arrests": 13,
        "deaths": 0,
        "police_measures": ["tear_gas", "cordon"],
        "property_damage": True,
        "sources": [{"article": WIRE, "claims": [claim(value=13)]}],
    },
    "b": {
        "date": "2020-07-22/2020-07-24",
        "type": "protest",
        "city": "Lviv",
        "arrests_low": 25,
        "external_ids": ["gdelt:RUS1"],
        "tags": ["reviewed"],
        "communities": [
            {"community": "armenian", "role": "target", "organisations": ["Union of Armenians"]}
        ],
        "police_measures": ["tear_gas"],
        "property_damage": False,
        "episode": "july-2020-border-clashes",
    },
    "c": {
        "date": "2020-07",
        "type": "dispute",
        "city": "Tbilisi",
        "country": "GE",
        "communities": [{"community": "azerbaijani", "role": "organiser"}],
        "sources": [
            {"article": WIRE, "claims": [claim(value=5)]},
            {"article": PAPER, "claims": [claim(value=50)]},
        ],
    },
    "d": {
        "date": "2020-07-02..2020-07-22",
        "type": "rally",
        "city": "Brussels",
        "country": "BE",
        "communities": BOTH,
        "arrests_low": 100,
        "arrests_high": 200,
        "injuries": 3,
        "injuries_police": 1,
        "episode": "autumn-2020-war",
    },
    "e": {
        "date": "2020",
        "type": "clash",
        "city": "Paris",
        "country": "FR",
        "arrests": 0,
        "communities": ["armenian"],
        "participants": 3000,
        "participants_low": None,
        "participants_high": None,
    },
    "f": {
        "date": "..2015-01-01",
        "type": "other",
        "city": ...,
        "country": "FJ",
        "latitude": -17.8,
        "longitude": 179.9,
        "arrests": 30,
        "arrests_low": None,
        "arrests_high": None,
        "communities": ["armenian"],
    },
    "g": {
        "date": "2010-01-01/2013-12-31",
        "type": "vigil",
        "city": "Little Hamlet",
        "latitude": 50.0,
        "longitude": 4.4,
        "country": "BE",
        "arrests_high": 5,
        "communities": [{"community": "armenian", "role": "organiser"}],
    },
}
ALL = "".join(RECORDS)

ROWS: dict[str, list[tuple[str, str]]] = {
    "id": [("id=aaaaaaaaa1", "a"), ("id=AAAAAAAAAI,0000000000", "a"), ("id=0000000000", "")],
    "external_id": [
        ("external_id=acled:RUS1", "a"),
        ("external_id=ACLED:RUS1,gdelt:RUS1", "ab"),
        ("external_id=acled:RUS1&external_id=gdelt:RUS1", "ab"),
        ("external_id=gdelt:9:7,%20b", "a"),
        ("external_id=acled:rus1", ""),
    ],
    "tag": [
        ("tag=reviewed", "ab"),
        ("tag=Reviewed&tag=festival", "a"),
        ("tag=festival,nothing", "a"),
        ("tag=nothing", ""),
    ],
    "organisation": [
        ("organisation=union%20of%20armenians", "ab"),
        ("organisation=Union%20of%20Armenians&organisation=%22Ligue,Lyon%22", "a"),
        ("organisation=%22Ligue,%20Lyon%22,Nobody", "a"),
        ("organisation=Nobody", ""),
    ],
    "city": [
        ("city=Kyiv", "a"),
        ("city=Київ", "a"),
        ("city=kiev,Lemberg", "ab"),
        ("city=little%20hamlet", "g"),
        ("city=Bruxelles", "d"),
        ("city=Washington,%20D.C.", ""),
    ],
    "admin1": [
        ("admin1=Kyiv%20City", "a"),
        ("admin1=UA-46", "b"),
        ("admin1=Львівська%20область", "b"),
        ("admin1=lvivska%20oblast,UA-30", "ab"),
        ("admin1=46&country=UA", "b"),
        ("admin1=Kyiv%20City&country=DE,UA", "a"),
        ("admin1=Bavaria", ""),
    ],
    "place": [
        ("place=geonames-703448", "a"),
        ("place=geonames-703448,geonames-702550", "ab"),
        ("place=7zq3m8k2xd", ""),
        ("place=geonames-9999999999", ""),
    ],
    "country": [("country=BE", "dg"), ("country=belgium,FR", "deg"), ("country=US", "")],
    "community": [
        ("community=armenian", "abdefg"),
        ("community=azerbaijani", "acd"),
        ("community=armenian&community=azerbaijani", "ad"),
        ("community=armenian,azerbaijani", ALL),
        ("community=armenian:target", "b"),
        ("community=armenian:target,azerbaijani:organiser", "bc"),
        ("community=armenian:organiser&community=azerbaijani", ""),
    ],
    "role": [
        ("role=organiser", "cg"),
        ("role=organiser,target", "bcg"),
        ("role=counter_participant", ""),
    ],
    "type": [("type=clash", "ae"), ("type=clash,vigil", "aeg"), ("type=threat", "")],
    "episode": [
        ("episode=july-2020-border-clashes", "b"),
        ("episode=july-2020-border-clashes,autumn-2020-war", "bd"),
    ],
    "police_measure": [
        ("police_measure=tear_gas", "ab"),
        ("police_measure=cordon,baton", "a"),
        ("police_measure=tear_gas&police_measure=cordon", "a"),
    ],
    "publisher": [
        ("publisher=the%20wire", "ac"),
        ("publisher=LE%20PAPIER", "c"),
        ("publisher=Nobody", ""),
    ],
    "article": [
        ("article=wwwwwwwww1", "ac"),
        ("article=PPPPPPPPP1", "c"),
        ("article=0000000000", ""),
    ],
    "status": [("status=published", ALL), ("status=draft", ""), ("status=draft,published", ALL)],
    "disputed": [
        ("disputed=true", "c"),
        ("disputed=arrests", "c"),
        ("disputed=deaths", ""),
        ("disputed=false", "abdefg"),
        ("disputed=deaths,arrests", "c"),
    ],
    "unreported": [
        ("unreported=arrests", "c"),
        ("unreported=deaths", "bcdefg"),
        ("unreported=property_damage", "cdefg"),
        ("unreported=arrests,deaths", "bcdefg"),
    ],
    "property_damage": [
        ("property_damage=true", "a"),
        ("property_damage=false", "b"),
        ("property_damage=unknown", "cdefg"),
        ("property_damage=true,false", "ab"),
    ],
    "date": [
        ("date=2019-05-04", "a"),
        ("date=2020-07-23", "bce"),
        ("date=2020-07-01", "ce"),
        ("date=2020-07-23&match=certain", "b"),
        ("date=2020-07&match=certain", "bcd"),
        ("date=2020&match=certain", "bcde"),
        ("date=2012", "fg"),
        ("date=2012&match=certain", "g"),
        ("date=1999", "f"),
        ("date=1999&match=certain", ""),
        ("date=2025", ""),
        ("date=..2015-01-01&match=certain", "fg"),
        ("date=2013-12-31..2019-05-04", "afg"),
    ],
    "date_from": [
        ("date_from=2020-07-23", "bce"),
        ("date_from=2020-07-23&match=certain", "b"),
        ("date_from=2019", "abcde"),
        ("date_from=2021", ""),
    ],
    "date_to": [
        ("date_to=2019-05-04", "afg"),
        ("date_to=2009", "f"),
        ("date_from=2013-12-31&date_to=2019-05-03", "fg"),
        ("date_from=2020-07-02&date_to=2020-07-02", "cde"),
    ],
    "updated_since": [
        ("updated_since=2020-01-01", ALL),
        ("updated_since=2999-01-01T00:00:00Z", ""),
    ],
    "min_sources": [("min_sources=0", ALL), ("min_sources=1", "ac"), ("min_sources=2", "c")],
    "bbox": [
        ("bbox=4,50,5,51", "dg"),
        ("bbox=30,50,31,51", "a"),
        ("bbox=179,-18,-179,-17", "f"),
        ("bbox=-180,-90,180,90", ALL),
    ],
    "near": [
        ("near=50.85,4.35&radius_km=20", "d"),
        ("near=Brussels&radius_km=100", "dg"),
        ("near=-17.8,-179.9&radius_km=50", "f"),
        ("near=90,0&radius_km=100", ""),
    ],
    "min_arrests": [
        ("min_arrests=0", "abdef"),
        ("min_arrests=1", "abdf"),
        ("min_arrests=14", "bdf"),
        ("min_arrests=100", "d"),
        ("min_arrests=101", ""),
        ("min_arrests=150&match=possible", "bdf"),
        ("min_arrests=30&match=certain", "d"),
        ("min_arrests=5&match=possible", "abdfg"),
        ("min_arrests=6&match=possible", "abdf"),
    ],
    "max_arrests": [
        ("max_arrests=0", "e"),
        ("max_arrests=5", "eg"),
        ("max_arrests=13", "aeg"),
        ("max_arrests=30", "aefg"),
        ("max_arrests=200", "adefg"),
        ("max_arrests=100&match=possible", "abdefg"),
        ("max_arrests=30&match=certain", "aeg"),
        ("max_arrests=24&match=possible", "aefg"),
    ],
    "min_deaths": [("min_deaths=0", "a"), ("min_deaths=1", "")],
    "max_deaths": [("max_deaths=0", "a"), ("max_deaths=1000000000", "a")],
    "min_injuries": [("min_injuries=3", "d"), ("min_injuries=4", "")],
    "max_injuries": [("max_injuries=3", "d"), ("max_injuries=2", "")],
    "min_injuries_police": [("min_injuries_police=1", "d")],
    "max_injuries_police": [("max_injuries_police=1", "d"), ("max_injuries_police=0", "")],
    "min_participants": [
        ("min_participants=3000", "e"),
        ("min_participants=3001", ""),
        ("min_participants=9000&match=possible", "e"),
        ("min_participants=1&match=certain", ""),
    ],
    "max_participants": [
        ("max_participants=3000", "e"),
        ("max_participants=1&match=possible", "e"),
    ],
}

# Each order; the last two of arrests are unknown, those of injuries all but the first.
SORTED = {
    "date": "gfaecdb",
    "-date": "bdceafg",
    "arrests": "eabfd",
    "-arrests": "dfbae",
    "injuries": "d",
    "-injuries": "d",
    "updated_at": ALL,
    "-updated_at": ALL[::-1],
}


@pytest.fixture
def letters(client, editor):
    """Make the records; return a function that says which a query keeps."""
    for letter, changes in RECORDS.items():
        body = builders.incident(title=letter, **changes)
        answer = client.post(f"{INCIDENTS}?allow_duplicate=true", json=body, headers=editor)
        assert answer.status_code == 201, answer.json

    def ask(text, headers=None):
        answer = client.get(f"{INCIDENTS}?{text}", headers=headers)
        assert answer.status_code == 200, (text, answer.json)
        return "".join(record["title"] for record in answer.json["data"])

    return ask


def test_parameters_filters_and_rows_are_the_same_set():
    declared = set(filters.IncidentQuery._declared_fields) - parameters.CONTROLS
    assert declared == filters.FILTERS == set(FILTERS) - {"filter"}  # of OGC API Features alone
    assert declared - ELSEWHERE == set(ROWS)
    counts = {f"{end}_{name}" for name in COUNT_FIELDS for end in ("min", "max")}
    assert counts <= set(ROWS)


def test_faults_come_in_the_order_of_their_names(client):
    answer = client.get(f"{INCIDENTS}?type=x&min_arrests=x&bbox=x&country=x&city=").json
    names = [error["parameter"] for error in answer["errors"]]
    assert names == ["bbox", "city", "country", "min_arrests", "type"]


# Filters with tables of rows of their own.
ELSEWHERE = {"q"} & set(FILTERS)


def test_sorts_and_orders_are_the_same_set():
    assert set(values.SORTS) - {"relevance"} == set(ORDERS) == set(SORTED)


@pytest.mark.parametrize("name", ROWS)
def test_a_filter_keeps_what_it_says(letters, name):
    for text, kept in ROWS[name]:
        assert "".join(sorted(letters(text))) == kept, text
        assert "".join(sorted(letters(f"{text}&sort=-arrests&limit=1000"))) == kept, text


def test_filters_hold_together(letters):
    assert letters("country=UA&min_arrests=14") == "b"
    assert letters("community=armenian&date=2020-07&match=certain&sort=date") == "db"
    assert letters("near=Brussels&radius_km=200&max_arrests=10") == "g"
    assert letters("disputed=true&publisher=the%20wire&type=dispute&country=GE") == "c"
    assert letters("country=UA,BE&role=target") == "b"


@pytest.mark.parametrize("sort", SORTED)
def test_an_order_is_total_and_what_is_unknown_comes_last(letters, sort):
    found = letters(f"sort={sort}")
    assert sorted(found) == sorted(ALL)
    known = SORTED[sort]
    assert found.startswith(known)  # what ties goes by its id
    assert letters(f"sort=%2B{sort}" if not sort.startswith("-") else f"sort={sort}") == found


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
@pytest.mark.parametrize("sort", SORTED)
def test_pages_of_equal_and_unknown_values_skip_and_repeat_nothing(client, editor, sort, limit):
    """Seven records of one day: some with the same figure, some with none."""
    for number, arrests in enumerate((5, 5, None, 5, None, 7, None)):
        body = builders.incident(title=str(number), arrests=arrests, injuries_low=arrests)
        client.post(f"{INCIDENTS}?allow_duplicate=true", json=body, headers=editor)
    whole = [one["id"] for one in client.get(f"{INCIDENTS}?sort={sort}").json["data"]]
    assert len(set(whole)) == 7
    for criteria in ("", "&city=Kyiv", "&date=2019", "&community=armenian"):
        seen, following = [], f"{INCIDENTS}?sort={sort}&limit={limit}{criteria}"
        while following:
            page = client.get(following).json
            seen += [one["id"] for one in page["data"]]
            following = page["next"]
        assert seen == whole, criteria


def test_paging_goes_on_past_what_comes_and_goes(client, editor, letters):
    """Who pages sees each record that stayed where it was, once."""
    first = client.get(f"{INCIDENTS}?limit=3").json
    assert "".join(one["title"] for one in first["data"]) == "bdc"
    client.delete(first["data"][2]["url"], headers={**editor, "If-Match": "*"})
    for day in ("2021-01-01", "2020-02-01"):
        body = builders.incident(title=day, city="Lyon", country="FR", date=day)
        assert client.post(INCIDENTS, json=body, headers=editor).status_code == 201
    rest = client.get(first["next"]).json["data"]
    assert [one["title"] for one in rest] == ["2020-02-01", "e", "a"]


@pytest.mark.parametrize("match", ["", "&match=possible", "&match=certain"])
@pytest.mark.parametrize("path", [INCIDENTS, "/api/v1/stats", f"{INCIDENTS}.csv"])
@pytest.mark.parametrize("name", COUNT_FIELDS)
def test_a_least_figure_above_the_most_is_refused(name, path, match, client):
    group = "&group_by=country" if path.endswith("stats") else ""
    answer = client.get(f"{path}?min_{name}=14&max_{name}=13{match}{group}")
    body = problem_of(answer, 422)
    assert fault_pointers(body) == [f"max_{name}"]
    assert body["errors"][0]["code"] == "contradiction"
    assert f"min_{name}=14" in body["errors"][0]["detail"]
    equal = client.get(f"{path}?min_{name}=13&max_{name}=13{match}{group}")
    assert equal.status_code == 200


# Totals


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("", 7),
        ("limit=2", 7),
        ("limit=2&sort=arrests", 7),
        ("country=BE", 2),
        ("community=armenian&limit=2", None),
        ("community=armenian&limit=2&count=exact", 6),
        ("community=armenian&limit=6", 6),
        ("type=threat", 0),
        ("type=threat&count=exact", 0),
    ],
)
def test_a_total_is_a_number_where_it_is_known_and_else_null(query, total, client, letters):
    page = client.get(f"{INCIDENTS}?{query}").json
    assert (page["total"], page.keys()) == (total, {"data", "next", "total"})


def test_the_total_of_a_later_page_is_known_by_counting_alone(client, letters):
    following = client.get(f"{INCIDENTS}?community=armenian&limit=4").json["next"]
    last = client.get(following).json
    assert (len(last["data"]), last["total"], last["next"]) == (2, None, None)
    assert client.get(f"{following}&count=exact").json["total"] == 6
    unfiltered = client.get(f"{INCIDENTS}?limit=4").json["next"]
    assert client.get(unfiltered).json["total"] == 7


def test_without_filters_the_total_counts_the_drafts_of_whoever_asks(
    client, letters, incident, contributor, editor
):
    client.post(
        INCIDENTS, json=incident(title="Mine", city="Lyon", country="FR"), headers=contributor
    )
    body = incident(title="Theirs", city="Nice", country="FR", status="draft")
    assert client.post(INCIDENTS, json=body, headers=editor).status_code == 201
    for headers, total in ((None, 7), (contributor, 8), (editor, 9)):
        assert client.get(f"{INCIDENTS}?limit=2", headers=headers).json["total"] == total


def test_a_link_leads_on_as_next_does(client, letters):
    page = client.get(f"{INCIDENTS}?limit=2&country=BE,FR&sort=date")
    assert page.headers["Link"] == f'<{page.json["next"]}>; rel="next"'
    assert page.json["next"].startswith(f"{INCIDENTS}?limit=2&country=BE,FR&sort=date&cursor=")
    assert "Link" not in client.get(INCIDENTS).headers


def test_links_are_built_from_the_public_address_and_never_from_the_host(make_app, editor):
    client = make_app(PUBLIC_URL="https://incidents.example/").test_client()
    for day in ("2019-01-01", "2019-02-01"):
        made = client.post(
            INCIDENTS, json=builders.incident(date=day), headers={**editor, "Host": "evil.example"}
        )
        assert made.headers["Location"] == f"https://incidents.example{made.json['url']}"
    page = client.get(f"{INCIDENTS}?limit=1", headers={"Host": "evil.example"})
    assert page.json["next"].startswith("https://incidents.example/api/v1/incidents?limit=1&cursor")
    assert "evil" not in page.text + str(page.headers)


# Names that nothing is called


UNKNOWN = [
    ("community=armenien", "community", "armenian"),
    ("community=armenian&community=azerbaijan:target", "community", "azerbaijani"),
    ("community=armenain,armenian", "community", "armenian"),
    ("episode=july-2020-border-clash", "episode", "july-2020-border-clashes"),
    ("city=Brusels", "city", "Brussels"),
    ("city=Kyiv,Brusels&country=BE", "city", "Brussels"),
    ("city=Xqzzyqwv", "city", None),
]


@pytest.mark.parametrize(("text", "name", "meant"), UNKNOWN)
def test_a_name_that_nothing_is_called_is_refused_with_the_nearest(
    client, letters, text, name, meant
):
    body = problem_of(client.get(f"{INCIDENTS}?{text}"), 422)
    assert fault_pointers(body) == [name]
    (fault,) = body["errors"]
    assert fault["code"] == f"unknown_{name}"
    offered = [fault.get("suggestion"), *fault.get("suggestions", [])]
    assert meant in offered
    assert meant is None or meant in body["detail"]


def test_a_name_that_is_added_is_known_at_once(client, editor, letters):
    assert client.get(f"{INCIDENTS}?community=frisian").status_code == 422
    client.post("/api/v1/communities", json={"id": "frisian", "name": "K"}, headers=editor)
    assert letters("community=frisian") == ""


def test_a_city_that_only_a_record_knows_is_known_to_those_who_may_read_it(
    client, contributor, editor, runner
):
    body = builders.incident(city="Faraway-in-the-Hills", latitude=50.0, longitude=30.0)
    assert client.post(INCIDENTS, json=body, headers=contributor).status_code == 201
    made = runner.invoke(args=["keys", "create", "another", "--role", "contributor"])
    stranger = {"Authorization": f"Bearer {made.stdout.split()[-1]}"}
    address = f"{INCIDENTS}?city=faraway%20in%20the%20hills"
    assert client.get(address, headers=contributor).json["total"] == 1
    assert client.get(address, headers=editor).json["total"] == 1
    for headers in ({}, stranger):
        problem_of(client.get(address, headers=headers), 422)


def test_a_window_that_ends_before_it_begins_is_refused(client):
    answer = client.get(f"{INCIDENTS}?date_from=2021&date_to=2020")
    assert fault_pointers(problem_of(answer, 422)) == ["date_to"]
    assert client.get(f"{INCIDENTS}?date_from=2020-07&date_to=2020").status_code == 200
