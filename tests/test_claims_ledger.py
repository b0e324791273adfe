"""The claims ledger: reports that really disagree are recorded, read back, filtered, explained."""

import csv
import io
import json

import pytest

from api.queries.claims import listing
from schemas.query.parameters import CONTROLS
from schemas.query.requests import ClaimQuery

POLICE = {
    "id": "p1paper000",
    "title": "Thirteen detained",
    "publisher": "Morning Post",
    "url": "https://post.example/a",
}
MEDIA = {
    "id": "p2paper000",
    "title": "Unrest across the city",
    "publisher": "Evening News",
    "url": "https://news.example/b",
}
BRAWL, CITY = "brawl at the market", "the whole city"
SOURCES = [
    {
        "article": POLICE,
        "locator": "paragraph 1",
        "claims": [
            {
                "field": "arrests",
                "value": 13,
                "text": "13 detained",
                "attributed_to": "Police",
                "scope": BRAWL,
            },
            {
                "field": "arrests",
                "low": 25,
                "text": "at least 25",
                "attributed_to": "police",
                "scope": CITY,
            },
        ],
    },
    {
        "article": MEDIA,
        "locator": "paragraph 4",
        "claims": [
            {"field": "arrests", "value": 50, "text": "around 50", "scope": "The whole  city"},
            {"field": "arrests", "value": 20, "attributed_to": "a witness", "scope": CITY},
            {"field": "injuries", "text": "dozens", "community": "armenian"},
        ],
    },
]
ONE, AT_LEAST, AROUND, WITNESS, WORDS = (
    "/sources/0/claims/0",
    "/sources/0/claims/1",
    "/sources/1/claims/0",
    "/sources/1/claims/1",
    "/sources/1/claims/2",
)


@pytest.fixture
def post(client, editor, incident):
    def send(headers=editor, **changes):
        answer = client.post("/api/v1/incidents", json=incident(**changes), headers=headers)
        assert answer.status_code == 201, answer.json
        return answer.json

    return send


@pytest.fixture
def record(post):
    """Return the record of a city where reports disagree, with 13 arrests as its headline."""
    return post(arrests=13, sources=SOURCES)


def ledger(client, record, query="", headers=None):
    answer = client.get(f"{record['url']}/claims{query}", headers=headers)
    assert answer.status_code == 200, answer.json
    return answer.json


def claims(client, query=""):
    answer = client.get(f"/api/v1/claims{query}")
    assert answer.status_code == 200, answer.json
    return answer.json["data"]


def test_reports_that_disagree_are_read_back_without_one_number_lost(client, record):
    found = ledger(client, record)["data"]

    all_claims = [claim for source in SOURCES for claim in source["claims"]]
    assert len(found) == len(all_claims)
    for one, claim in zip(found, all_claims, strict=True):
        stored = {name: one[name] for name in claim}
        assert stored == claim
        assert all(one[name] is None for name in ("value", "low", "high") if name not in claim)
    assert [one["article"]["publisher"] for one in found] == ["Morning Post"] * 2 + [
        "Evening News"
    ] * 3
    assert [one["locator"] for one in found] == ["paragraph 1"] * 2 + ["paragraph 4"] * 3


def test_what_disagrees_is_told_apart_from_what_is_about_something_else(client, record):
    found = {one["pointer"]: one for one in ledger(client, record)["data"]}

    assert found[ONE]["conflicts_with"] == []
    assert found[AT_LEAST]["conflicts_with"] == [WITNESS]
    assert found[AROUND]["conflicts_with"] == [WITNESS]
    assert found[WITNESS]["conflicts_with"] == [AT_LEAST, AROUND]
    assert found[WITNESS]["conflicts"] == 2
    assert found[WORDS]["conflicts"] == 0


def test_a_headline_is_explained_by_what_agrees_conflicts_and_was_not_compared(client, record):
    fields = ledger(client, record)["fields"]

    arrests = fields["arrests"]
    assert (arrests["best"], arrests["low"], arrests["high"], arrests["text"]) == (13, 13, 13, "13")
    assert (arrests["disputed"], arrests["claims"]) == (True, 4)
    assert arrests["agree"] == [ONE]
    assert arrests["conflicts"] == [
        {"claims": [AT_LEAST, WITNESS], "reason": "at least 25 and 20 cannot both be right"},
        {"claims": [AROUND, WITNESS], "reason": "50 and 20 cannot both be right"},
    ]
    assert arrests["conflicts_total"] == 2
    assert arrests["not_compared"] == [
        {"claims": [ONE, other], "reason": "scope"} for other in (AT_LEAST, AROUND, WITNESS)
    ]
    assert arrests["not_compared_total"] == 3
    injuries = fields["injuries"]
    assert (injuries["best"], injuries["text"], injuries["claims"]) == (None, "not reported", 1)
    assert fields["type"]["value"] == fields["type"]["text"] == "clash"
    assert fields["property_damage"]["text"] == "not reported"
    assert fields["deaths"]["claims"] == 0


@pytest.mark.parametrize(
    ("headline", "figure", "agrees"),
    [
        ({"arrests": 13}, {"value": 13}, True),
        ({"arrests": 13}, {"value": 14}, False),
        ({"arrests": 13}, {"low": 5}, True),
        ({"arrests": 0}, {"value": 0}, True),
        ({"arrests": 0}, {"low": 1}, False),
        ({"arrests_low": 25}, {"value": 50}, True),
        ({"arrests_low": 25}, {"value": 20}, False),
        ({"arrests_low": 10, "arrests_high": 20}, {"low": 15, "high": 30}, True),
        ({"arrests": 30, "arrests_low": 25, "arrests_high": None}, {"value": 50}, True),
        ({"arrests": 30, "arrests_low": None, "arrests_high": None}, {"value": 31}, False),
        ({"arrests": 13}, {"text": "some"}, None),
        ({}, {"value": 13}, None),
        ({"arrests": 13}, {"value": 13, "community": "armenian"}, None),
        ({"arrests": 13}, {"value": 13, "scope": "one street"}, True),
    ],
)
def test_a_claim_agrees_with_a_headline_that_it_leaves_room_for(
    headline, figure, agrees, client, post
):
    claim = {"field": "arrests", **figure}

    record = post(sources=[{"article": POLICE, "claims": [claim]}], **headline)

    (found,) = ledger(client, record)["data"]
    assert found["agrees"] is agrees


def test_a_ledger_is_read_in_pages_and_its_fields_are_always_whole(client, record):
    whole = ledger(client, record)

    paged, query = [], "?limit=2"
    while query:
        page = ledger(client, record, query)
        assert page["fields"] == whole["fields"]
        paged += page["data"]
        query = page["next"] and "?" + page["next"].partition("?")[2]

    assert paged == whole["data"]
    assert client.get(f"{record['url']}/claims?cursor=x").status_code == 422


def test_a_ledger_of_very_many_claims_lists_some_pairs_and_counts_all(client, post):
    all_claims = [{"field": "arrests", "value": number % 2} for number in range(500)]
    record = post(sources=[{"article": POLICE, "claims": all_claims}])

    found = ledger(client, record)

    assert len(found["data"]) == 500
    assert found["data"][0]["conflicts"] == 250
    assert len(found["data"][0]["conflicts_with"]) == 100
    arrests = found["fields"]["arrests"]
    assert (len(arrests["conflicts"]), arrests["conflicts_total"]) == (100, 250 * 250)
    assert arrests["not_compared_total"] == 0


def test_a_ledger_is_served_like_its_record(client, contributor, editor, incident, record, post):
    path = f"{record['url']}/claims"
    tag = client.get(path).headers["ETag"]
    assert tag == client.get(record["url"]).headers["ETag"]
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304

    draft = post(headers=contributor, city="Batumi", country="GE")
    hidden = f"{draft['url']}/claims"
    assert client.get(hidden).status_code == 404
    mine = client.get(hidden, headers=contributor)
    assert (mine.status_code, mine.headers["Cache-Control"]) == (200, "private, no-store")
    client.delete(record["url"], headers={**editor, "If-Match": "*"})
    assert client.get(path).status_code == 410


def test_claims_of_all_incidents_are_listed_with_record_source_and_headline(client, post, record):
    other = post(
        city="Batumi",
        country="GE",
        deaths=0,
        sources=[{"article": {"title": "Quiet"}, "claims": [{"field": "deaths", "value": 0}]}],
    )

    found = claims(client)

    assert len(found) == 6
    one = next(claim for claim in found if claim["field"] == "deaths")
    assert one["incident"] == {
        name: other[name] for name in ("id", "url", "title", "date", "city", "country")
    }
    assert (one["value"], one["headline"], one["agrees"]) == (0, "0", True)
    assert one["article"]["title"] == "Quiet"
    of_record = {
        claim["pointer"]: claim for claim in found if claim["incident"]["id"] != other["id"]
    }
    for claim in ledger(client, record)["data"]:
        apart = {**of_record[claim["pointer"]]}
        apart.pop("incident")
        apart.pop("headline")
        assert apart == claim


FILTERS = [
    ("field=injuries", [WORDS]),
    ("field=injuries,arrests", [ONE, AT_LEAST, AROUND, WITNESS, WORDS]),
    ("attributed_to=POLICE", [ONE, AT_LEAST]),
    ("attributed_to=police,A witness", [ONE, AT_LEAST, WITNESS]),
    ("attributed_to=nobody", []),
    ("community=armenian", [WORDS]),
    ("conflicting=true", [AT_LEAST, AROUND, WITNESS]),
    ("conflicting=false", [ONE, WORDS]),
    ("conflicting=true,false", [ONE, AT_LEAST, AROUND, WITNESS, WORDS]),
    ("publisher=morning post", [ONE, AT_LEAST]),
    ("publisher=Morning Post,Evening News&field=injuries", [WORDS]),
    ("article=p2paper000&conflicting=true", [AROUND, WITNESS]),
    ("article=p2PAPERooo", [AROUND, WITNESS, WORDS]),
    ("country=UA&field=injuries", [WORDS]),
    ("country=GE", []),
    ("country=UA&admin1=UA-30&field=injuries", [WORDS]),
    ("country=UA&admin1=Lviv", []),
    ("city=Kiev&field=injuries", [WORDS]),
    ("city=Batumi", []),
    ("type=clash,rally&field=injuries", [WORDS]),
    ("type=rally", []),
    ("episode=autumn-2020-war", []),
    ("date=2019-05&field=injuries", [WORDS]),
    ("date=2020", []),
    ("date_from=2019&date_to=2019-05-04&field=injuries", [WORDS]),
    ("date_to=2019-05-03", []),
    ("date_from=2019-05-05", []),
    ("tag=nowhere", []),
    ("organisation=Nobody", []),
]


@pytest.mark.parametrize(("query", "expected"), FILTERS)
def test_claims_are_filtered(query, expected, client, record):
    assert [one["pointer"] for one in claims(client, f"?{query}")] == expected
    counted = client.get(f"/api/v1/claims?{query}&count=exact&limit=1").json
    assert counted["total"] == len(expected)


def test_every_filter_of_claims_is_tried():
    tried = {part.partition("=")[0] for query, _ in FILTERS for part in query.split("&")}
    assert listing.FILTERS.keys() - {"incident"} == tried
    assert listing.FILTERS.keys() == ClaimQuery._declared_fields.keys() - CONTROLS


def test_claims_of_one_incident_are_found_by_its_id(client, post, record):
    other = {"article": POLICE["id"], "claims": [{"field": "deaths", "value": 0}]}
    post(city="Batumi", country="GE", sources=[other])

    assert {one["incident"]["id"] for one in claims(client, f"?incident={record['id']}")} == {
        record["id"]
    }


def test_all_claims_are_paged_through_each_once(client, post, record):
    for place in range(3):
        post(date=f"2019-06-{10 + place * 5}", sources=SOURCES)
    whole = client.get("/api/v1/claims?limit=1000").json
    assert (whole["total"], whole["next"]) == (20, None)

    paged, address = [], "/api/v1/claims?limit=3&fields=incident,pointer"
    while address:
        page = client.get(address).json
        paged += page["data"]
        assert page["total"] is None
        address = page["next"]

    assert paged == [{name: one[name] for name in ("incident", "pointer")} for one in whole["data"]]
    following = client.get("/api/v1/claims?limit=3").json["next"]
    refused = client.get(f"{following}&field=arrests")
    assert refused.json["errors"][0]["code"] == "bad_cursor"


@pytest.mark.parametrize(
    ("query", "parameter", "suggestion"),
    [
        ("atributed_to=x", "atributed_to", "attributed_to"),
        ("field=arrest", "field", "arrests"),
        ("conflicting=yes", "conflicting", None),
        ("fields=feild", "fields", "field"),
        ("limit=1&limit=2", "limit", None),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused(query, parameter, suggestion, client, record):
    answer = client.get(f"/api/v1/claims?{query}")

    assert answer.status_code == 422
    (fault,) = answer.json["errors"]
    assert (fault["parameter"], fault.get("suggestion")) == (parameter, suggestion)


def test_drafts_and_withdrawn_records_have_no_claims_for_anyone(
    client, contributor, editor, post, record
):
    secret = [{"article": {"title": "A secret"}, "claims": [{"field": "deaths", "value": 7}]}]
    post(headers=contributor, city="Batumi", country="GE", sources=secret)

    for headers in (None, contributor, editor):
        answer = client.get("/api/v1/claims?field=deaths", headers=headers)
        assert answer.json["data"] == []
        assert answer.headers["Cache-Control"] == "public, no-cache"
    client.delete(record["url"], headers={**editor, "If-Match": "*"})
    assert claims(client) == []
    client.post(f"{record['url']}/versions/1/restore", headers={**editor, "If-Match": "*"})
    assert len(claims(client)) == 5


def test_the_list_of_claims_follows_every_change_of_its_record(client, editor, record):
    headers = {**editor, "If-Match": "*"}
    tag = client.get("/api/v1/claims").headers["ETag"]
    assert client.get("/api/v1/claims", headers={"If-None-Match": tag}).status_code == 304

    added = {"article": MEDIA["id"], "claims": [{"field": "arrests", "value": 13, "scope": BRAWL}]}
    client.post(f"{record['url']}/sources", json=added, headers=headers)
    assert len(claims(client, f"?attributed_to=police&publisher={POLICE['publisher']}")) == 2
    assert len(claims(client)) == 6
    client.delete(f"{record['url']}/sources/{MEDIA['id']}", headers=headers)
    assert [one["pointer"] for one in claims(client)] == [ONE, AT_LEAST]
    assert claims(client, "?conflicting=true") == []
    client.patch(
        f"/api/v1/articles/{POLICE['id']}", json={"publisher": "Daily Post"}, headers=headers
    )
    assert claims(client, "?publisher=Morning Post") == []
    assert {one["article"]["publisher"] for one in claims(client, "?publisher=daily post")} == {
        "Daily Post"
    }
    assert client.get("/api/v1/claims", headers={"If-None-Match": tag}).status_code == 200


def test_the_seeds_have_their_claims_in_the_ledger(seeded, client):
    found = claims(client, "?incident=3a8a51z8j1&field=arrests")

    assert [one["value"] for one in found] == [13, None]
    assert found[0]["scope"] == "brawl in the south-east"


def rows(client, query=""):
    """Read the claims as a spreadsheet would."""
    answer = client.get(f"/api/v1/claims.csv{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.get_data().startswith("\ufeff".encode())
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline="")))


def test_the_claims_of_all_incidents_are_a_table_with_a_row_a_claim(client, record):
    found = rows(client)

    assert [row["pointer"] for row in found] == [ONE, AT_LEAST, AROUND, WITNESS, WORDS]
    assert {row["incident_id"] for row in found} == {record["id"]}
    assert found[1] == {
        "incident_id": record["id"],
        "incident_url": record["url"],
        "title": record["title"],
        "date": "2019-05-04",
        "city": "Kyiv",
        "country": "UA",
        "pointer": AT_LEAST,
        "field": "arrests",
        "value": "",
        "low": "25",
        "high": "",
        "text": "at least 25",
        "attributed_to": "police",
        "community": "",
        "scope": CITY,
        "headline": "13",
        "agrees": "false",
        "conflicts": "1",
        "conflicts_with": WITNESS,
        "article_id": POLICE["id"],
        "article_title": POLICE["title"],
        "publisher": POLICE["publisher"],
        "published": "",
        "article_url": POLICE["url"],
        "syndicated_from": "",
        "locator": "paragraph 1",
    }
    assert found[3]["conflicts_with"] == f"{AT_LEAST}; {AROUND}"


def test_values_of_every_kind_and_formulas_are_written_as_what_they_are(client, post):
    all_claims = [
        {"field": "deaths", "value": 0},
        {"field": "property_damage", "value": False},
        {"field": "date", "value": "2019-05"},
        {"field": "arrests", "text": "=1+1"},
    ]
    post(sources=[{"article": POLICE, "claims": all_claims}])

    assert [row["value"] for row in rows(client)] == ["0", "false", "2019-05", ""]
    assert rows(client)[3]["text"] == "'=1+1"


def test_exports_of_claims_take_every_filter_and_the_columns_asked_for(client, post, record):
    assert [row["pointer"] for row in rows(client, "?attributed_to=police")] == [ONE, AT_LEAST]
    assert rows(client, "?field=injuries&fields=text,article_id") == [
        {"text": "dozens", "article_id": MEDIA["id"]}
    ]
    assert rows(client, "?field=deaths") == []
    assert client.get("/api/v1/claims.csv?fields=article").status_code == 422
    page = client.get("/api/v1/claims.csv?limit=2")
    assert page.headers["Record-Count"] == "2"
    assert 'rel="next"' in page.headers.getlist("Link")[-1]


def test_an_export_of_claims_is_whole_and_of_one_state(client, post, monkeypatch):
    monkeypatch.setattr(listing, "BATCH", 3)
    for place in range(4):
        post(date=f"2019-06-{10 + place * 5}", sources=SOURCES)

    answer = client.get("/api/v1/claims.ndjson")

    lines = [json.loads(line) for line in answer.get_data().splitlines()]
    assert answer.headers["Record-Count"] == "20"
    assert lines == claims(client, "?limit=1000")
    assert answer.headers["ETag"].endswith('-ndjson"')
    cached = {"If-None-Match": answer.headers["ETag"]}
    assert client.get("/api/v1/claims.ndjson", headers=cached).status_code == 304
    assert client.get("/api/v1/claims?format=csv").headers["Record-Count"] == "20"
    as_text = client.get("/api/v1/claims", headers={"Accept": "text/csv"})
    assert as_text.headers["Content-Type"].startswith("text/csv")
    assert client.get("/api/v1/claims.json").json["total"] == 20
    assert client.get("/api/v1/claims.geojson").status_code == 404
