"""Copies of one report count as one source, however they are cited, held and corrected."""

import pytest

PAPERS = ("p1paper000", "p2paper000", "p3paper000", "p4paper000", "p5paper000")
AGENCY = "agency0000"
RELAY = "re1ay00000"


def article(id_, copied=None):
    return {
        "id": id_,
        "title": f"Report {id_}",
        "url": f"https://{id_}.example/a",
        "syndicated_from": copied,
    }


def cite(*articles):
    return [{"article": one} for one in articles]


@pytest.fixture
def post(client, editor, incident):
    def send(*articles, **changes):
        body = incident(sources=cite(*articles), **changes)
        answer = client.post("/api/v1/incidents", json=body, headers=editor)
        assert answer.status_code == 201, answer.json
        return answer.json

    return send


@pytest.fixture
def hold(client, editor):
    def send(*articles):
        for one in articles:
            answer = client.post("/api/v1/articles", json=one, headers=editor)
            assert answer.status_code == 201, answer.json

    return send


def number(client, record):
    return client.get(record["url"]).json["number_of_sources"]


def test_five_copies_of_one_agency_story_count_as_one_source(post):
    copies = [article(paper, AGENCY) for paper in PAPERS]

    assert post(*copies)["number_of_sources"] == 1


def test_the_agency_story_and_its_copies_count_as_one_source(post):
    record = post(article(AGENCY), *(article(paper, AGENCY) for paper in PAPERS))

    assert record["number_of_sources"] == 1


def test_a_report_of_its_own_counts_beside_the_copies(post):
    copies = [article(paper, AGENCY) for paper in PAPERS]

    assert post(*copies, article("0wn0report"))["number_of_sources"] == 2


def test_an_article_cited_twice_counts_once(post):
    assert post(article(AGENCY), {"id": AGENCY})["number_of_sources"] == 1


def test_a_chain_of_copies_counts_once(post):
    record = post(article(PAPERS[0], RELAY), article(RELAY, AGENCY), article(AGENCY))

    assert record["number_of_sources"] == 1


def test_a_chain_is_followed_through_articles_that_are_held_and_not_cited(post, hold):
    hold(article(RELAY, AGENCY), article(AGENCY))

    assert post(article(PAPERS[0], RELAY), {"id": AGENCY})["number_of_sources"] == 1


def test_a_circle_of_copies_counts_once(post):
    circle = [article(PAPERS[0], PAPERS[1]), article(PAPERS[1], PAPERS[2])]

    record = post(*circle, article(PAPERS[2], PAPERS[0]), article(PAPERS[3], PAPERS[1]))

    assert record["number_of_sources"] == 1


def test_naming_the_original_later_refreshes_the_records_that_cite_the_copy(client, editor, post):
    record = post(article(PAPERS[0]), article(PAPERS[1]))
    assert record["number_of_sources"] == 2

    for paper in PAPERS[:2]:
        answer = client.patch(
            f"/api/v1/articles/{paper}",
            json={"syndicated_from": AGENCY, "version": 1, "reason": "both print the agency"},
            headers=editor,
        )
        assert answer.status_code == 200, answer.json

    found = client.get(record["url"]).json
    assert found["number_of_sources"] == 1
    assert [source["article"]["syndicated_from"] for source in found["sources"]] == [AGENCY] * 2
    history = client.get(f"{record['url']}/versions").json["data"]
    assert [entry["reason"] for entry in history[1:]] == ["both print the agency"] * 2


@pytest.mark.parametrize("way", ["made", "made inline", "corrected", "deleted"])
def test_a_link_in_a_chain_refreshes_records_that_do_not_cite_it(client, editor, post, hold, way):
    gap = way.startswith("made")
    if not gap:
        hold(article(RELAY, AGENCY if way == "deleted" else None))
    record = post(article(PAPERS[0], RELAY), article(AGENCY))
    other = post(article(PAPERS[1]), article(PAPERS[2]), city="Batumi", country="GE")
    assert number(client, record) == (1 if way == "deleted" else 2)

    path = f"/api/v1/articles/{RELAY}"
    if way == "made":
        hold(article(RELAY, AGENCY))
    elif way == "made inline":
        post(article(RELAY, AGENCY), city="Tbilisi", country="GE")
    elif way == "corrected":
        client.patch(path, json={"syndicated_from": AGENCY, "version": 1}, headers=editor)
    else:
        client.delete(path, headers={**editor, "If-Match": "1"})

    assert number(client, record) == (2 if way == "deleted" else 1)
    assert client.get(record["url"]).json["version"] == 2
    assert client.get(other["url"]).json["version"] == 1


def test_a_chain_does_not_lead_through_the_article_of_anothers_draft(
    client, contributor, incident, post
):
    draft = incident(sources=cite(article(RELAY, AGENCY)), city="Batumi", country="GE")
    made = client.post("/api/v1/incidents", json=draft, headers=contributor)
    assert made.json["status"] == "draft"

    assert post(article(PAPERS[0], RELAY), article(AGENCY))["number_of_sources"] == 2


def test_publishing_a_draft_makes_its_article_a_link_for_others(
    client, contributor, editor, incident, post
):
    body = incident(sources=cite(article(RELAY, AGENCY)), city="Batumi", country="GE")
    draft = client.post("/api/v1/incidents", json=body, headers=contributor).json
    record = post(article(PAPERS[0], RELAY), article(AGENCY))

    client.patch(draft["url"], json={"status": "published", "version": 1}, headers=editor)

    assert number(client, record) == 1


def test_an_article_first_named_inline_is_in_the_feed_like_any_other(client, post):
    before = int(client.get("/api/v1/incidents").headers["Dataset-Version"])

    record = post(article(AGENCY), article(PAPERS[0]))

    after = client.get(record["url"])
    assert int(after.headers["Dataset-Version"]) == before + 3


def test_an_article_that_was_deleted_can_be_named_inline_again(client, editor, post, hold):
    hold(article(AGENCY))
    path = f"/api/v1/articles/{AGENCY}"
    client.delete(path, headers={**editor, "If-Match": "1"})
    assert client.get(path).status_code == 410

    post(article(AGENCY))

    assert client.get(path).json["version"] == 3
