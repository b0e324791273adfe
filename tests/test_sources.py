"""Sources: appended with their claims, adopted as a headline, removed; nothing else is touched."""

import json

import pytest

PAPER = {"id": "p1paper000", "title": "A report", "url": "https://news.example/a"}
OTHER = {"id": "p2paper000", "title": "Another report", "url": "https://other.example/b"}


@pytest.fixture
def record(client, editor, incident):
    """Return a published record with 13 arrests, by one claim in one source."""
    claims = [{"field": "arrests", "value": 13, "text": "13 detained"}]
    sources = [{"article": PAPER, "locator": "paragraph 1", "claims": claims}]
    body = incident(arrests=13, sources=sources)
    answer = client.post("/api/v1/incidents", json=body, headers=editor)
    assert answer.status_code == 201, answer.json
    return answer.json


@pytest.fixture
def add(client, editor, record):
    """Return a function that posts a source and returns the answer."""

    def send(body, headers=editor, based_on="*", query="", to=record):
        headers = {**headers, "If-Match": str(based_on)}
        return client.post(f"{to['url']}/sources{query}", json=body, headers=headers)

    return send


def claim(field="arrests", **members):
    return {"field": field, **members}


def faults(answer):
    assert answer.status_code == 422, answer.get_data(as_text=True)
    return [(fault["pointer"], fault["code"]) for fault in answer.json["errors"]]


def test_a_source_is_appended_and_the_headline_stands(client, record, add):
    answer = add({"article": OTHER, "claims": [claim(value=50)], "reason": "a second report"})

    assert answer.status_code == 201
    assert answer.headers["Location"] == record["url"]
    found = answer.json
    assert found == client.get(record["url"]).json
    assert (found["version"], found["arrests"], found["disputed"]) == (2, 13, ["arrests"])
    assert found["number_of_sources"] == 2
    assert found["sources"][0] == record["sources"][0]
    assert found["sources"][1]["article"]["title"] == "Another report"
    assert found["sources"][1]["claims"][0]["value"] == 50
    history = client.get(f"{record['url']}/versions").json["data"]
    assert history[1]["reason"] == "a second report"
    assert {one["path"] for one in history[1]["patch"]} >= {"/sources/1", "/disputed/0"}


def test_a_source_is_named_by_the_id_of_its_article_alone(client, editor, add):
    client.post("/api/v1/articles", json=OTHER, headers=editor)

    found = add({"article": OTHER["id"]}).json

    assert found["sources"][1]["article"]["url"] == OTHER["url"]


@pytest.mark.parametrize(
    "source",
    [
        {"article": PAPER["id"]},
        {"article": {"url": PAPER["url"] + "?utm_source=x"}},
        {"article": PAPER["id"], "locator": "Paragraph  1"},
    ],
)
def test_claims_are_added_to_a_source_that_the_record_has(source, record, add):
    found = add({**source, "claims": [claim("injuries", low=2)]}).json

    assert len(found["sources"]) == 1
    assert [one["field"] for one in found["sources"][0]["claims"]] == ["arrests", "injuries"]
    assert found["sources"][0]["locator"] == "paragraph 1"


def test_another_place_in_the_same_article_is_another_source(add):
    found = add({"article": PAPER["id"], "locator": "paragraph 9", "claims": []}).json

    assert [source["locator"] for source in found["sources"]] == ["paragraph 1", "paragraph 9"]
    assert found["number_of_sources"] == 1


def test_where_an_article_is_cited_at_several_places_the_place_must_be_said(add):
    add({"article": PAPER["id"], "locator": "paragraph 9"})

    answer = add({"article": PAPER["id"], "claims": [claim(value=13)]})

    assert faults(answer) == [("/locator", "which_locator")]
    assert answer.json["errors"][0]["allowed"] == ["paragraph 1", "paragraph 9"]


def test_a_claim_that_stands_already_is_not_said_twice(client, record, add):
    same = {"article": PAPER["id"], "claims": [claim(value=13, text="13 detained")]}

    answer = add(same)

    assert answer.status_code == 200
    assert answer.json == record
    assert client.get(record["url"]).json["version"] == 1


@pytest.mark.parametrize(
    ("new_claim", "expected"),
    [
        (claim(value=50), {"arrests": 50, "arrests_low": 50, "arrests_high": 50}),
        (claim(value=0), {"arrests": 0, "arrests_low": 0, "arrests_high": 0}),
        (claim(low=25), {"arrests": None, "arrests_low": 25, "arrests_high": None}),
        (claim(high=40), {"arrests": None, "arrests_low": None, "arrests_high": 40}),
        (claim(low=0, high=9), {"arrests": None, "arrests_low": 0, "arrests_high": 9}),
        (claim("property_damage", value=False), {"property_damage": False}),
        (claim("date", value="2019-05-05"), {"date": "2019-05-05", "date_start": "2019-05-05"}),
        (claim("type", value="protest"), {"type": "protest"}),
        (claim(value=14, scope="the market"), {"arrests": 14}),
    ],
)
def test_an_adopted_claim_becomes_the_headline_in_the_same_version(new_claim, expected, add):
    answer = add({"article": OTHER, "claims": [new_claim], "adopt": [new_claim["field"]]})

    assert answer.status_code == 201, answer.json
    found = answer.json
    assert found["version"] == 2
    assert {name: found[name] for name in expected} == expected
    assert found["sources"][1]["claims"][0]["field"] == new_claim["field"]


def test_a_claim_that_stands_already_can_be_adopted(client, editor, record, add):
    client.patch(record["url"], json={"arrests": None, "version": 1}, headers=editor)

    found = add(
        {
            "article": PAPER["id"],
            "claims": [claim(value=13, text="13 detained")],
            "adopt": ["arrests"],
        }
    ).json

    assert (found["arrests"], found["version"]) == (13, 3)
    assert found["sources"] == record["sources"]


@pytest.mark.parametrize(
    ("claims", "adopt", "expected"),
    [
        ([claim(text="dozens")], ["arrests"], [("/adopt/0", "words_only")]),
        ([claim("type", text="a brawl")], ["type"], [("/adopt/0", "words_only")]),
        ([claim(value=1)], ["deaths"], [("/adopt/0", "no_claim")]),
        ([], ["arrests"], [("/adopt/0", "no_claim")]),
        (
            [claim(value=1), claim("deaths", value=1), claim(value=2)],
            ["deaths", "arrests"],
            [("/adopt/1", "several_claims")],
        ),
        ([claim(value=1, community="armenian")], ["arrests"], [("/adopt/0", "a_part_only")]),
        (
            [claim("injuries_police", value=4)],
            ["injuries_police"],
            [("/adopt/0", "above_injuries")],
        ),
        ([claim(value=1)], ["police"], [("/adopt/0", "unknown_value")]),
    ],
)
def test_what_cannot_be_adopted_is_refused_with_the_reason(
    claims, adopt, expected, client, record, add
):
    answer = add({"article": OTHER, "claims": claims, "adopt": adopt})

    assert faults(answer) == expected
    assert client.get(record["url"]).json == record


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("/article", "required")]),
        ({"article": "p9paper000"}, [("/article/id", "unknown_article")]),
        (
            {"article": PAPER["id"], "claims": [claim(value=1, community="martian")]},
            [("/claims/0/community", "unknown_community")],
        ),
        (
            {
                "article": PAPER["id"],
                "claims": [
                    claim(value=13, text="13 detained"),
                    claim(value=1, community="martian"),
                ],
            },
            [("/claims/1/community", "unknown_community")],
        ),
        ({"article": OTHER, "claims": [claim()]}, [("/claims/0", "required")]),
        ({"article": OTHER, "claim": []}, [("/claim", "unknown_field")]),
        ({"article": OTHER, "title": "no"}, [("/title", "unknown_field")]),
    ],
)
def test_faults_point_into_what_was_posted(body, expected, add):
    assert faults(add(body)) == expected


def test_a_difference_from_the_held_article_is_a_warning(add):
    answer = add({"article": {**PAPER, "title": "Otherwise"}, "claims": [claim(value=1)]})

    assert answer.status_code == 201
    (warning,) = json.loads(answer.headers["Warnings"])
    assert (warning["pointer"], warning["code"]) == ("/article/title", "article_differs")
    assert answer.json["sources"][0]["article"]["title"] == PAPER["title"]


def test_adding_says_which_version_it_is_based_on(client, editor, record, add):
    body = {"article": OTHER}
    path = f"{record['url']}/sources"

    assert client.post(path, json=body, headers=editor).status_code == 428
    assert add(body, based_on=7).status_code == 412
    assert client.post(path, json={**body, "version": 7}, headers=editor).status_code == 412
    assert client.post(path, json={**body, "version": 1}, headers=editor).status_code == 201
    assert add({"article": PAPER["id"], "locator": "2"}, based_on=1).status_code == 412


def test_adding_can_be_tried_and_retried(client, editor, record, add):
    body = {"article": OTHER, "claims": [claim(value=50)]}

    tried = add(body, query="?dry_run=true")
    assert (tried.status_code, tried.json["would"]) == (200, "add")
    assert tried.json["record"]["number_of_sources"] == 2
    assert client.get(record["url"]).json == record
    assert client.get(f"/api/v1/articles/{OTHER['id']}").status_code == 404

    headers = {**editor, "Idempotency-Key": "add-once"}
    first, second = (add(body, headers=headers, based_on=1) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert client.get(record["url"]).json["version"] == 2


def test_a_contributor_adds_to_own_drafts_only(client, contributor, incident, record, add):
    body = incident(city="Batumi", country="GE")
    draft = client.post("/api/v1/incidents", json=body, headers=contributor).json

    own = add({"article": OTHER}, headers=contributor, to=draft)
    assert own.status_code == 201
    assert client.get(f"/api/v1/articles/{OTHER['id']}").status_code == 404
    refused = add({"article": OTHER}, headers=contributor)
    assert refused.status_code == 403
    assert '"corrects"' in refused.json["detail"]
    assert add({"article": OTHER}, headers={}).status_code == 401


def test_a_withdrawn_record_takes_no_source(client, editor, record, add):
    client.delete(record["url"], headers={**editor, "If-Match": "1"})

    assert add({"article": OTHER}).status_code == 409


def test_no_record_takes_more_claims_than_it_could_be_sent_with(make_app, incident):
    app = make_app(MAX_BODY=5_000)
    run = app.test_cli_runner().invoke
    run(args=["seed", "--only", "vocabularies"])
    key = run(args=["keys", "create", "one", "--role", "editor"]).stdout.split()[-1]
    headers = {"Authorization": f"Bearer {key}", "If-Match": "*"}
    client = app.test_client()
    path = client.post("/api/v1/incidents", json=incident(), headers=headers).json["url"]

    statuses = [
        client.post(
            f"{path}/sources",
            json={"article": PAPER, "claims": [claim(value=i, scope="s" * 900)]},
            headers=headers,
        ).status_code
        for i in range(6)
    ]

    assert statuses[0] == 201
    assert statuses[-1] == 413
    assert client.get(path).status_code == 200


def test_all_sources_of_an_article_are_removed_with_their_claims(client, editor, record, add):
    add({"article": PAPER["id"], "locator": "paragraph 9", "claims": [claim(value=15)]})
    add({"article": OTHER, "claims": [claim("deaths", value=0)]})

    answer = client.delete(
        f"{record['url']}/sources/{PAPER['id']}?reason=another+event",
        headers={**editor, "If-Match": "3"},
    )

    assert answer.status_code == 200, answer.json
    found = answer.json
    assert found == client.get(record["url"]).json
    assert [source["article"]["id"] for source in found["sources"]] == [OTHER["id"]]
    assert (found["version"], found["arrests"], found["disputed"]) == (4, 13, [])
    (warning,) = json.loads(answer.headers["Warnings"])
    assert (warning["pointer"], warning["code"]) == ("/arrests", "no_claim_left")
    assert "13" in warning["detail"]
    assert client.get(f"{record['url']}/versions").json["data"][3]["reason"] == "another event"
    assert client.get(f"/api/v1/articles/{PAPER['id']}").status_code == 200


def test_one_place_of_an_article_is_removed_by_its_locator(client, editor, record, add):
    add({"article": PAPER["id"], "locator": "paragraph 9", "claims": [claim(value=15)]})
    path = f"{record['url']}/sources/{PAPER['id']}"
    headers = {**editor, "If-Match": "*"}

    assert client.delete(f"{path}?locator=page+2", headers=headers).status_code == 404
    answer = client.delete(f"{path}?locator=Paragraph+9", headers=headers)

    assert [source["locator"] for source in answer.json["sources"]] == ["paragraph 1"]
    assert "Warnings" not in answer.headers


def test_removing_a_source_has_the_preconditions_of_every_change(
    client, contributor, editor, record
):
    path = f"{record['url']}/sources/{PAPER['id']}"
    current = {**editor, "If-Match": "1"}

    assert client.delete(path).status_code == 401
    assert client.delete(path, headers={**contributor, "If-Match": "1"}).status_code == 403
    assert client.delete(path, headers=editor).status_code == 428
    assert client.delete(path, headers={**editor, "If-Match": "9"}).status_code == 412
    unknown = client.delete(f"{record['url']}/sources/{OTHER['id']}", headers=current)
    assert unknown.status_code == 404
    assert client.delete(f"{record['url']}/sources/x", headers=current).status_code == 404
    tried = client.delete(f"{path}?dry_run=true", headers=current)
    assert (tried.json["would"], tried.json["record"]["sources"]) == ("remove", [])
    assert client.get(record["url"]).json == record
