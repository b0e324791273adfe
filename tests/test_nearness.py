"""Nearness: records of one day and community at points near each other are alike, as people see."""

import pytest

from api.records import duplicates, similarity

INCIDENTS = "/api/v1/incidents"
# A small town in South Carolina and points about it: 1 km, 14 km and 16 km to the north.
TOWN = {"city": "Dalzell", "country": "US", "admin1": "South Carolina"}
DALZELL = (34.0174, -80.4306)
TITLE = "Rally at a church"


def at(north_km, **changes):
    point = {
        "city": f"A place {north_km} km off",
        "country": "US",
        "latitude": round(DALZELL[0] + north_km / 111.2, 4),
        "longitude": DALZELL[1],
    }
    return {"title": TITLE, "date": "2020-07-18", **point, **changes}


@pytest.fixture
def post(client, editor, incident):
    def send(headers=editor, **changes):
        sent = client.post(
            f"{INCIDENTS}?allow_duplicate=true", json=incident(**changes), headers=headers
        )
        assert sent.status_code == 201, sent.text
        return sent.json

    return send


@pytest.fixture
def town(post):
    place = {**TOWN, "latitude": DALZELL[0], "longitude": DALZELL[1]}
    return post(title=TITLE, date="2020-07-18", **place)


@pytest.fixture
def alike(client, town):
    def ids(headers=None, record=town):
        answer = client.get(f"{record['url']}/similar", headers=headers)
        return [other["id"] for other in answer.json["data"]]

    return ids


@pytest.mark.parametrize(
    ("other", "is_alike"),
    [
        (at(1), True),
        (at(14), True),
        (at(16), False),
        (at(1, title="Something else entirely"), True),
        (at(1, date="2020-07-18/2020-07-19"), True),
        (at(1, date="2020-07-20"), False),
        (at(1, date="2020-07"), False),
        (at(1, communities=["azerbaijani"]), False),
        (at(1, city=None, admin1="South Carolina", geo_precision="admin1"), False),
    ],
)
def test_what_lies_near_on_the_same_day_is_similar(other, is_alike, town, post, alike):
    # The titles differ in the rows that are not alike, as they weigh too.
    changes = other if is_alike else {**other, "title": "Zyx"}
    record = post(**changes)
    assert alike() == ([record["id"]] if is_alike else [])
    assert alike(record=record) == ([town["id"]] if is_alike else [])


def test_points_across_the_antimeridian_are_near(client, post):
    east = post(**at(1, country="FJ", latitude=-16.8, longitude=179.99))
    west = post(**at(2, country="FJ", latitude=-16.8, longitude=-179.99))
    (other,) = client.get(f"{east['url']}/similar").json["data"]
    assert (other["id"], "place" in other["reasons"]) == (west["id"], True)


def test_near_records_are_likely_pairs_and_no_duplicates(client, editor, incident, town):
    sent = client.post(INCIDENTS, json=incident(**at(1)), headers=editor)
    assert sent.status_code == 201  # the rule that refuses compares cities by name
    (pair,) = client.get("/api/v1/similar", headers=editor).json["data"]
    assert {face["id"] for face in pair["incidents"]} == {town["id"], sent.json["id"]}


def test_a_near_draft_shows_to_those_alone_who_may_read_it(post, alike, contributor, editor):
    draft = post(contributor, **at(1))
    post(editor, status="draft", **at(2))
    assert alike() == []
    assert alike(contributor) == [draft["id"]]
    assert len(alike(editor)) == 2


def test_drafts_of_others_crowd_nothing_out_of_what_is_similar(
    monkeypatch, client, post, contributor, editor
):
    article = {"title": "Report", "url": "https://news.example/report"}
    assert client.post("/api/v1/articles", json=article, headers=editor).status_code == 201
    cited = {"sources": [{"article": article}], "date": "2020-07-18"}
    one = post(city="Kyiv", country="UA", **cited)
    other = post(city="Lviv", country="UA", **cited)
    own = post(contributor, city="Odesa", country="UA", **cited)
    hidden = [post(editor, city="Lviv", country="UA", status="draft", **cited) for _ in range(4)]
    monkeypatch.setattr(similarity, "_SCANNED", 2)  # of statements that are made anew below
    statements = [
        similarity._select(similarity._citing(readable), readable)
        for readable in (similarity._PUBLISHED, similarity._OWN)
    ]
    monkeypatch.setattr(similarity, "_STATEMENTS", statements)
    monkeypatch.setattr(similarity, "_PUBLIC_STATEMENTS", statements[:1])
    path = f"{one['url']}/similar"
    for headers, ids in ((None, {other["id"]}), (contributor, {other["id"], own["id"]})):
        found = {entry["id"] for entry in client.get(path, headers=headers).json["data"]}
        assert found == ids
        assert not found & {draft["id"] for draft in hidden}


def test_drafts_of_others_change_no_refusal_of_a_duplicate(
    client, post, contributor, editor, incident
):
    article = {"title": "Report", "url": "https://news.example/report"}
    assert client.post("/api/v1/articles", json=article, headers=editor).status_code == 201
    cited = {"sources": [{"article": article}], "date": "2020"}
    public = post(editor, **cited)
    lines = [incident(status="draft", **cited) for _ in range(duplicates._MOST_CITING + 1)]
    made = client.post(INCIDENTS, json=lines, headers=editor)
    assert made.json["created"] == len(lines), made.text
    refused = client.post(INCIDENTS, json=incident(**cited), headers=contributor)
    assert (refused.status_code, [r["id"] for r in refused.json["similar"]]) == (
        409,
        [public["id"]],
    )
    imported = client.post(INCIDENTS, json=[incident(**cited)], headers=contributor)
    assert imported.json["duplicates"] == 1
    assert [entry["ids"] for entry in imported.json["similar"]] == [[public["id"]]]
