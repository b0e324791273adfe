"""What was read can be put back, and posted to another instance, and is the same."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests import builders, strategies

INCIDENTS = "/api/v1/incidents"
# What an instance assigns itself.
OWN = ("version", "created_at", "updated_at")


@pytest.fixture
def other(make_app):
    """Return a client of a second, empty instance: it has the vocabularies alone."""
    client = make_app().test_client()
    assert client.get(INCIDENTS).json["total"] == 0
    assert client.get("/api/v1/articles").json["total"] == 0
    return client


def post(client, headers, body):
    answer = client.post(f"{INCIDENTS}?allow_duplicate=true", json=body, headers=headers)
    assert answer.status_code == 201, answer.data
    return answer.json


def without(record, *names):
    return {name: value for name, value in record.items() if name not in names}


def test_every_seed_is_put_back_unchanged(seeded, client, editor):
    records = client.get(INCIDENTS).json["data"]
    assert len(records) >= 8
    before = client.get(INCIDENTS).headers["Dataset-Version"]
    for record in records:
        for method in ("PUT", "PATCH"):
            answer = client.open(record["url"], method=method, json=record, headers=editor)
            assert (answer.status_code, answer.json) == (200, record)
            assert "Warnings" not in answer.headers
    assert client.get(INCIDENTS).headers["Dataset-Version"] == before


def test_every_seed_is_the_same_in_a_second_empty_instance(seeded, client, editor, other):
    records = client.get(INCIDENTS).json["data"]
    for record in records:
        made = post(other, editor, record)
        assert without(made, *OWN) == without(record, *OWN)
        assert made["version"] == 1
        assert other.get(record["url"]).json == made
    both = "community=armenian&community=azerbaijani"
    for filters in ("city=Moscow", both, "min_arrests=13", "disputed=true", "sort=-arrests"):
        ours, theirs = (c.get(f"{INCIDENTS}?{filters}").json["data"] for c in (client, other))
        assert [one["id"] for one in theirs] == [one["id"] for one in ours]


def test_every_seed_article_is_the_same_in_a_second_instance(seeded, client, editor, other):
    for article in client.get("/api/v1/articles").json["data"]:
        made = other.post("/api/v1/articles", json=article, headers=editor)
        assert made.status_code == 201
        assert without(made.json, *OWN) == without(article, *OWN)
        answer = client.put(f"/api/v1/articles/{article['id']}", json=article, headers=editor)
        assert answer.json == article


@pytest.mark.slow
@given(body=strategies.bodies(strategies.places))
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
def test_what_is_posted_comes_back_the_same_here_and_elsewhere(client, other, editor, body):
    made = post(client, editor, body)
    assert client.get(made["url"]).json == made
    put = client.put(made["url"], json=made, headers=editor)
    assert (put.status_code, put.json) == (200, made)
    elsewhere = post(other, editor, made)
    assert without(elsewhere, *OWN) == without(made, *OWN)


def test_one_figure_is_corrected_with_what_belongs_to_it(seeded, client, editor):
    (record,) = client.get(f"{INCIDENTS}?city=Brussels").json["data"]
    assert (record["arrests"], record["arrests_low"], record["arrests_high"]) == (17, 17, 17)
    answer = client.put(record["url"], json={**record, "arrests": 18}, headers=editor)
    changed = answer.json
    assert (changed["arrests_low"], changed["arrests_high"], changed["arrests_text"]) == (
        18,
        18,
        "18",
    )
    own = ("arrests", "arrests_low", "arrests_high", "arrests_text", "version", "updated_at")
    assert without(changed, *own) == without(record, *own)


def test_one_city_is_corrected_with_what_belongs_to_it(seeded, client, editor):
    (record,) = client.get(f"{INCIDENTS}?city=Brussels").json["data"]
    answer = client.put(record["url"], json={**record, "city": "Antwerp"}, headers=editor)
    changed = answer.json
    assert (changed["city"], changed["admin1"], changed["geonames_id"]) == (
        "Antwerp",
        "Flanders",
        2803138,
    )
    assert (round(changed["latitude"]), round(changed["longitude"])) == (51, 4)
    back = client.put(changed["url"], json={**changed, "city": "Brussels"}, headers=editor).json
    assert without(back, "version", "updated_at") == without(record, "version", "updated_at")


def test_a_record_of_an_article_in_parts_comes_back_whole(client, editor, other):
    """An article without an address is known by its id, which the other instance takes over."""
    sources = [
        {"article": {"title": "A", "publisher": "P"}, "locator": "p. 1"},
        {"article": {"title": "B", "syndicated_from": "7zq3m8k2xd"}},
    ]
    made = post(client, editor, builders.incident(sources=sources))
    elsewhere = post(other, editor, made)
    assert elsewhere["sources"] == made["sources"]
    again = post(other, editor, {**made, "id": "0000000001", "city": "Lviv"})
    assert again["sources"] == made["sources"]
    assert other.get("/api/v1/articles").json["total"] == 2
