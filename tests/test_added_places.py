"""Places that editors add to the gazetteer, and names that they give to those of GeoNames."""

import pytest

PLACES = "/api/v1/places"
INCIDENTS = "/api/v1/incidents"
MOLENBEEK = "geonames-2791018"
BOURJ_HAMMOUD = {
    "name": "Bourj Hammoud",
    "country": "LB",
    "latitude": 33.8937,
    "longitude": 35.5406,
    "aliases": ["Burj Hammud", "Պուրճ Համուտ"],
}


@pytest.fixture
def added(client, editor):
    answer = client.post(PLACES, json=BOURJ_HAMMOUD, headers=editor)
    assert answer.status_code == 201, answer.json
    return answer.json


def amend(client, editor, id_, changes, version="*"):
    headers = {**editor, "If-Match": version}
    return client.patch(f"{PLACES}/{id_}", json=changes, headers=headers)


@pytest.mark.parametrize("name", ["Bourj Hammoud", "burj hammud", "Պուրճ Համուտ"])
def test_records_resolve_to_an_added_place_by_each_name(client, incident, editor, added, name):
    body = incident(city=name, country="LB")

    record = client.post(INCIDENTS, json=body, headers=editor).json

    place = (record["city"], record["latitude"], record["geonames_id"], record["geo_precision"])
    assert place == ("Bourj Hammoud", 33.8937, None, "city")
    assert record["place_id"] == added["id"]
    (found,) = client.get(PLACES, query_string={"q": name}).json["data"]
    assert (found["name"], found["geonames_id"]) == ("Bourj Hammoud", None)
    assert found["place_id"] == added["id"]


@pytest.fixture
def record(client, incident, editor, added):
    """A record that an added place resolved."""
    body = incident(city="Burj Hammud", country="LB")
    return client.post(INCIDENTS, json=body, headers=editor).json


def place_ids(client, query):
    return [each["place_id"] for each in client.get(f"{INCIDENTS}?{query}").json["data"]]


@pytest.mark.parametrize(
    ("changes", "keeps"),
    [
        ({"title": "Another title"}, True),
        ({"latitude": 33.89, "longitude": 35.54}, True),
        ({"place_id": None}, True),
        ({"city": "Nor Adana", "latitude": 33.89, "longitude": 35.54}, False),
        ({"city": "Beirut"}, False),
        ({"city": None, "geo_precision": "country"}, False),
    ],
)
def test_a_record_says_which_added_place_it_was_resolved_to(
    changes, keeps, client, editor, added, record
):
    headers = {**editor, "If-Match": "*"}

    changed = client.patch(record["url"], json=changes, headers=headers).json
    put = client.put(record["url"], json=changed, headers=headers)

    assert changed["place_id"] == (added["id"] if keeps else None)
    assert put.json["version"] == changed["version"], put.json


def test_the_records_that_a_place_resolved_are_listed_though_it_is_gone(
    client, editor, incident, added, record
):
    client.post(INCIDENTS, json=incident(), headers=editor)
    path, query = f"{PLACES}/{added['id']}", f"place={added['id'].upper()}"

    assert client.delete(path, headers={**editor, "If-Match": "*"}).status_code == 204

    assert place_ids(client, query) == [added["id"]]
    assert place_ids(client, "place=geonames-703448") == [None]
    assert client.get(f"/api/v1/stats?group_by=type&{query}").json["total"]["incidents"] == 1
    assert client.get(f"/api/v1/search?q=clash&{query}").json["data"][0]["incident"] == record
    exported = client.get(f"{INCIDENTS}.ndjson?{query}").text
    assert record["id"] in exported
    again = {**editor, "Content-Type": "application/x-ndjson"}
    answer = client.post(f"{INCIDENTS}?on_conflict=update", data=exported, headers=again)
    assert answer.json["unchanged"] == 1, answer.json


def test_words_find_a_record_by_another_name_of_its_added_place(client, editor, added, record):
    assert amend(client, editor, added["id"], {"aliases": ["Nor Marash"]}).status_code == 200

    found = client.get("/api/v1/search", query_string={"q": "Nor Marash"}).json["data"]

    assert [hit["incident"]["id"] for hit in found] == [record["id"]]


@pytest.mark.parametrize("place", ["703448", "geonames-0703448", "Kyiv", "geonames-", "geonames-x"])
def test_what_is_no_id_of_a_place_is_refused_with_what_is(client, place):
    answer = client.get(f"{INCIDENTS}?place={place}")

    (error,) = answer.json["errors"]
    assert (answer.status_code, error["code"]) == (422, "bad_id")
    assert ("703448" in place) == (error.get("suggestion") == "geonames-703448")


def test_an_added_place_is_read_amended_and_deleted_with_its_history_in_the_feed(
    client, editor, added
):
    path = f"{PLACES}/{added['id']}"
    since = client.get("/api/v1/changes?since=0&limit=1000").json["last_seq"]

    assert client.get(path).json == added
    amended = amend(client, editor, added["id"], {"aliases": ["Nor Marash"]}, '"1"').json
    assert (amended["version"], amended["aliases"]) == (2, ["Nor Marash"])
    assert client.get(PLACES, query_string={"q": "Burj Hammud"}).json["data"] == []
    assert client.delete(path, headers={**editor, "If-Match": '"2"'}).status_code == 204
    assert client.get(path).status_code == 404
    assert client.get(PLACES, query_string={"q": "Nor Marash"}).json["data"] == []
    changes = client.get(f"/api/v1/changes?since={since}").json["data"]
    assert [(each["resource"], each["id"], each["action"]) for each in changes] == [
        ("place", added["id"], "vocabulary")
    ] * 2


def test_a_place_that_is_deleted_may_be_added_again_and_counts_on(client, editor, added):
    path = f"{PLACES}/{added['id']}"
    assert client.delete(path, headers={**editor, "If-Match": '"1"'}).status_code == 204
    again = client.post(PLACES, json={**BOURJ_HAMMOUD, "id": added["id"]}, headers=editor)
    assert (again.status_code, again.json["version"]) == (201, 3)
    assert client.get(path).json == again.json


def test_names_of_a_place_of_geonames_may_be_given_again_and_count_on(client, editor):
    names = {"aliases": ["Molenbeek am Kanal"]}
    assert amend(client, editor, MOLENBEEK, names).json["version"] == 1
    headers = {**editor, "If-Match": "*"}
    assert client.delete(f"{PLACES}/{MOLENBEEK}", headers=headers).status_code == 204
    assert amend(client, editor, MOLENBEEK, names).json["version"] == 3


def test_a_place_of_geonames_is_given_a_name(client, incident, editor):
    assert client.get(f"{PLACES}/{MOLENBEEK}").json["version"] == 0

    answer = amend(client, editor, MOLENBEEK, {"aliases": ["Molem"]})

    assert (answer.status_code, answer.json["version"]) == (200, 1), answer.json
    record = client.post(INCIDENTS, json=incident(city="Molem", country="BE"), headers=editor)
    assert record.json["city"] == "Molenbeek-Saint-Jean"
    assert record.json["geonames_id"] == 2791018


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"name": None}, 422, "A place needs name"),
        ({"latitude": None}, 422, "cannot be null"),
        ({"latitude": 50.0, "longitude": 4.0}, 422, "300 km from every place"),
        ({"admin1": "Atlantis"}, 422, "is no division"),
        ({"name": "!!!"}, 422, "letters or digits"),
        ({"aliases": ["Beirut"]}, 409, "is a name of Beirut"),
        ({"name": "Beirut"}, 409, "is a name of Beirut"),
    ],
)
def test_a_place_that_cannot_be_is_refused(client, editor, changes, status, words):
    answer = client.post(PLACES, json=BOURJ_HAMMOUD | changes, headers=editor)

    details = [answer.json["detail"], *(e["detail"] for e in answer.json.get("errors", ()))]
    assert answer.status_code == status
    assert any(words in detail for detail in details), details


def test_the_same_place_is_not_added_twice(client, editor, added):
    answer = client.post(PLACES, json=BOURJ_HAMMOUD, headers=editor)

    assert (answer.status_code, answer.json["id"]) == (409, added["id"])


def test_what_geonames_says_of_a_place_is_not_changed(client, editor):
    assert amend(client, editor, MOLENBEEK, {"name": "Elsewhere"}).status_code == 422


def test_only_editors_add_places_and_a_retry_adds_none(client, contributor, editor):
    headers = {**editor, "Idempotency-Key": "one"}

    assert client.post(PLACES, json=BOURJ_HAMMOUD).status_code == 401
    assert client.post(PLACES, json=BOURJ_HAMMOUD, headers=contributor).status_code == 403
    answers = [client.post(PLACES, json=BOURJ_HAMMOUD, headers=headers) for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 201]
    assert answers[0].json == answers[1].json


@pytest.mark.parametrize("id_", ["0000000000", "geonames-1", "geonames-x", "x" * 100])
def test_a_place_that_is_not_there_is_not_found(client, id_):
    assert client.get(f"{PLACES}/{id_}").status_code == 404
