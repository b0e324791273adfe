"""Duplicates: the rule that refuses a post, against a plain reading of it."""

import random

import orjson
import pytest

from schemas import dates

CITIES = [("Kyiv", "UA"), ("Lviv", "UA"), ("Brussels", "BE")]
DATES = [
    "2019-05-04",
    "2019-05-05",
    "2019-05-06",
    "2019-05-08",
    "2019-05-04/2019-05-06",
    "2019-05-01/2019-06-30",
    "2019-05-05..2019-05-06",
    "2019-05",
    "2019",
    "..2019-05-05",
    "2019-05-02..",
    "2021-01-01",
]
COMMUNITIES = ["armenian", "azerbaijani"]
ARTICLES = [f"https://news.example/{number}" for number in range(3)]


def _body(draw, incident):
    city, country = draw.choice(CITIES)
    cited = draw.sample(ARTICLES, draw.randrange(3))
    return incident(
        city=city,
        country=country,
        date=draw.choice(DATES),
        communities=draw.sample(COMMUNITIES, draw.randrange(1, 3)),
        sources=[{"article": {"url": url}} for url in cited],
        status=draw.choice(["published", "published", "draft"]),
    )


def _same(one, other):
    """Read the rule as the design has it."""
    if one["city"] != other["city"]:
        return False
    span, other_span = dates.parse(one["date"]), dates.parse(other["date"])
    shared = set(one["communities"]) & set(other["communities"])
    urls = [{source["article"]["url"] for source in each["sources"]} for each in (one, other)]
    return bool(
        (shared and span.close_to(other_span)) or (urls[0] & urls[1] and span.overlaps(other_span))
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_post_is_refused_for_exactly_the_records_that_the_rule_names(
    client, editor, incident, seed
):
    draw = random.Random(seed)
    for url in ARTICLES:  # an article that a draft is first to name would be that draft's own
        client.post("/api/v1/articles", json={"url": url}, headers=editor)
    stored = []
    for _ in range(25):
        body = _body(draw, incident)
        made = client.post("/api/v1/incidents?allow_duplicate=true", json=body, headers=editor)
        assert made.status_code == 201, made.text
        stored.append({**body, "id": made.json["id"]})
    for _ in range(25):
        body = _body(draw, incident)
        same = {other["id"] for other in stored if _same(body, other)}
        answer = client.post("/api/v1/incidents?dry_run=true", json=body, headers=editor)
        listed = {other["id"] for other in answer.json["similar"]}
        assert listed <= same
        assert len(listed) == min(len(same), 20)
        if same:
            assert client.post("/api/v1/incidents", json=body, headers=editor).status_code == 409


def test_a_draft_of_someone_else_is_no_duplicate_that_a_contributor_hears_of(
    client, contributor, editor, incident
):
    hidden = incident(status="draft")
    assert client.post("/api/v1/incidents", json=hidden, headers=editor).status_code == 201
    own = client.post("/api/v1/incidents", json=incident(), headers=contributor)
    assert own.status_code == 201
    again = client.post("/api/v1/incidents", json=incident(), headers=contributor)
    assert again.status_code == 409
    assert [other["id"] for other in orjson.loads(again.data)["similar"]] == [own.json["id"]]
