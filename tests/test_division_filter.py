"""The filter `admin1`: divisions in any spelling that people use, and what is none."""

import pytest

from api.geo import lookup
from api.queries.filters import division_names

INCIDENTS = "/api/v1/incidents"
PLACES = {
    "munich": {"city": "Munich", "country": "DE"},
    "milan": {"city": "Milan", "country": "IT"},
    "atlanta": {"city": "Atlanta", "country": "US"},
    "fresno": {"city": "Fresno", "country": "US"},
    "texas": {"country": "US", "admin1": "TX", "geo_precision": "admin1"},
    "lahore": {"city": "Lahore", "country": "PK"},
    "hamlet": {"city": "Hamlet", "country": "AQ", "admin1": "The Ice"}
    | {"latitude": -80.0, "longitude": 0.0},
}


@pytest.fixture
def records(client, editor, incident):
    for title, place in PLACES.items():
        body = incident(title=title, **({"city": None} | place))
        answer = client.post(INCIDENTS, json=body, headers=editor)
        assert answer.status_code == 201, answer.json


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("admin1=Bavaria", "munich"),
        ("admin1=bayern", "munich"),
        ("admin1=DE-BY", "munich"),
        ("admin1=de-by", "munich"),
        ("admin1=BY&country=DE", "munich"),
        ("admin1=Бавария", "munich"),
        ("admin1=Freistaat Bayern", "munich"),
        ("admin1=State of California", "fresno"),
        ("admin1=بافاريا", "munich"),
        ("admin1=Province of Punjab&country=PK", "lahore"),
        ("admin1=Βαυαρία", "munich"),
        ("admin1=Lombardia,US-CA", "fresno milan"),
        ("admin1=Lombardia&admin1=US-CA", "fresno milan"),
        ("admin1=Georgia", "atlanta"),
        ("admin1=Texas", "texas"),
        ("admin1=TX&country=US", "texas"),
        ("admin1=Punjab&country=PK", "lahore"),
        ("admin1=Punjab&country=PK,IN", "lahore"),
        ("admin1=IN-PB", ""),
        ("admin1=the ice", "hamlet"),
        ("admin1=The Ice&country=AQ", "hamlet"),
        ("admin1=Bavaria&city=Munich&date=2019", "munich"),
    ],
)
def test_a_division_is_found_by_what_people_call_it(client, records, query, titles):
    answer = client.get(f"{INCIDENTS}?{query}")

    assert answer.status_code == 200, answer.json
    assert sorted(each["title"] for each in answer.json["data"]) == titles.split()
    whole = client.get(f"{INCIDENTS}.ndjson?{query}")
    assert whole.headers["Record-Count"] == str(len(titles.split()))


@pytest.mark.parametrize(
    ("query", "code", "suggested", "words"),
    [
        ("admin1=Punjab", "ambiguous_division", ["IN-PB", "PK-PB"], "Pakistan (PK)"),
        ("admin1=Kyiv", "ambiguous_division", ["UA-30", "UA-32"], "Kyiv City (UA-30)"),
        ("admin1=Bouches-du-Rhône", "part_of_division", ["FR-PAC"], "whole division"),
        ("admin1=Bavaria&country=AT", "unknown_division", ["DE-BY"], "Germany (DE)"),
        ("admin1=US-CA&country=MX", "unknown_division", ["US-CA"], "California"),
        ("admin1=California, US", "unknown_division", ["US-CA"], "the code alone"),
        ("admin1=Germany", "unknown_division", [], "give country=DE"),
        ("admin1=Puerto Rico", "unknown_division", [], "give country=PR"),
        ("admin1=Nuremberg", "unknown_division", [], "city=Nuremberg, or admin1=Bavaria"),
        ("admin1=Califronia", "unknown_division", ["US-CA"], "Did you mean California"),
        ("admin1=Bavarai&country=DE", "unknown_division", ["DE-BY"], "Did you mean Bavaria"),
        ("admin1=FR-13", "part_of_division", ["FR-PAC"], "whole division"),
        ("admin1=Bavaria, Saxony", "blank_after_comma", ["Bavaria,Saxony"], "without the blank"),
        ("admin1=😀", "unknown_division", [], "such as DE-BY"),
        ("admin1=Xanadu", "unknown_division", [], "such as DE-BY"),
        ("admin1=TX", "unknown_division", ["US-TX"], "without its country: give US-TX."),
        ("admin1=DE-99", "unknown_division", [], "such as DE-BY"),
        ("state=California", "unknown_parameter", ["admin1"], "admin1"),
    ],
)
def test_what_is_no_division_is_refused_with_what_may_be_meant(
    client, records, query, code, suggested, words
):
    answer = client.get(f"{INCIDENTS}?{query}")

    assert answer.status_code == 422, answer.json
    (error,) = answer.json["errors"]
    only = [error["suggestion"]] if "suggestion" in error else []
    assert (error["code"], error.get("suggestions", only)) == (code, suggested), error
    assert words in error["detail"]


def test_what_is_looked_up_for_many_unknown_divisions_is_bounded(client, monkeypatch):
    looked_up = []
    monkeypatch.setattr(
        division_names, "near_divisions", lambda *names: looked_up.append(names) or []
    )
    monkeypatch.setattr(lookup, "places_meant", lambda *_: [])

    answer = client.get(f"{INCIDENTS}?admin1={','.join(f'Nowhere {n}' for n in range(100))}")

    assert (answer.status_code, len(answer.json["errors"])) == (422, 100)
    assert len(looked_up) <= 3


def test_what_else_the_name_means_is_told(client, records):
    answer = client.get(f"{INCIDENTS}?admin1=Limburg")

    assert answer.status_code == 200
    assert "Flanders" in answer.headers["Warnings"]


def test_a_division_that_only_a_draft_has_is_known_to_those_who_may_read_it(
    client, editor, contributor, incident
):
    place = {"city": "Hamlet", "admin1": "The Far Hills", "latitude": 50.0, "longitude": 30.0}
    client.post(INCIDENTS, json=incident(**place), headers=contributor)
    query = f"{INCIDENTS}?admin1=the%20far%20hills"

    assert client.get(query).status_code == 422
    for who in (contributor, editor):
        assert len(client.get(query, headers=who).json["data"]) == 1


def test_statistics_are_grouped_by_division(client, records):
    rows = client.get("/api/v1/stats?group_by=admin1&country=US,DE").json["data"]

    assert sorted((row["admin1"], row["country"], row["incidents"]) for row in rows) == [
        ("Bavaria", "DE", 1),
        ("California", "US", 1),
        ("Georgia", "US", 1),
        ("Texas", "US", 1),
    ]
