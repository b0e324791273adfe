"""Looking places up by name."""

import pytest

PLACES = "/api/v1/places"


@pytest.mark.parametrize("name", ["Kishinev", "Кишинёв", "chisinau"])
def test_a_place_is_found_by_any_of_its_names(client, name):
    answer = client.get(PLACES, query_string={"q": name})
    first = answer.json["data"][0]
    assert (first["name"], first["country"], first["country_name"]) == ("Chisinau", "MD", "Moldova")
    assert (round(first["latitude"]), round(first["longitude"])) == (47, 29)
    assert answer.json["total"] == len(answer.json["data"])


def test_a_country_narrows_and_a_limit_says_that_there_may_be_more(client):
    everywhere = client.get(f"{PLACES}?q=Paris&limit=2").json
    assert everywhere["data"][0]["country"] == "FR"
    assert (len(everywhere["data"]), everywhere["total"], everywhere["next"]) == (2, None, None)
    there = client.get(f"{PLACES}?q=Paris&country=US").json["data"]
    assert {place["country"] for place in there} == {"US"}


def test_a_beginning_finds_the_largest_first(client):
    found = client.get(f"{PLACES}?q=mosc&limit=3").json["data"]
    assert found[0]["name"] == "Moscow"
    assert found[0]["country"] == "RU"


def test_no_place_of_the_name_is_an_empty_list(client):
    answer = client.get(f"{PLACES}?q=xyzzyqq")
    assert (answer.status_code, answer.json["data"], answer.json["total"]) == (200, [], 0)


def test_an_unchanged_gazetteer_is_told_by_a_304(client, incident, editor):
    first = client.get(f"{PLACES}?q=Paris")
    assert int(first.headers["Dataset-Version"]) > 0
    assert client.post("/api/v1/incidents", json=incident(), headers=editor).status_code == 201
    again = client.get(f"{PLACES}?q=Paris", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "q"),
        ("q=", "q"),
        ("q=Paris&country=Xanadu", "country"),
        ("q=Paris&limit=101", "limit"),
        ("q=Paris&q=Rome", "q"),
        ("q=Paris&type=clash", "type"),
        ("q=a%00b", "q"),
    ],
)
def test_a_bad_question_is_refused_by_name(client, query, parameter):
    answer = client.get(f"{PLACES}?{query}")
    assert answer.status_code == 422
    assert [error["parameter"] for error in answer.json["errors"]] == [parameter]
