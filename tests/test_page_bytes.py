"""Pages that end before their limit, where their documents are large: nothing is left out."""

import pytest

from api.queries import feed, history, pages
from api.queries.claims import listing

API = "/api/v1"


@pytest.fixture
def records(client, editor, incident):
    """Post 70 records, each with two claims, and return their ids."""
    article = {"title": "An article"}
    claims = [{"field": "arrests", "value": number} for number in (1, 2)]
    bodies = [
        incident(date=f"19{10 + number}-05-04", sources=[{"article": article, "claims": claims}])
        for number in range(70)
    ]
    return client.post(f"{API}/incidents", json=bodies, headers=editor).json["ids"]


def walk(client, path):
    """Yield the pages of a list, from the first on."""
    while path:
        page = client.get(path).json
        yield page["data"]
        path = page["next"]


@pytest.mark.parametrize("filters", ["", "&country=UA", "&sort=arrests"])
def test_a_page_of_large_records_leads_on(client, records, monkeypatch, filters):
    monkeypatch.setattr(pages, "MOST_BYTES", 1000)
    found = list(walk(client, f"{API}/incidents?limit=1000{filters}"))
    assert [len(page) for page in found] == [50, 20]
    assert sorted(one["id"] for page in found for one in page) == sorted(records)


def test_a_long_page_is_one_where_its_records_are_small(client, records):
    answer = client.get(f"{API}/incidents?limit=70&country=UA").json
    assert [one["id"] for one in answer["data"]] == records[::-1]
    assert (answer["next"], answer["total"]) == (None, 70)
    part = client.get(f"{API}/incidents?limit=60&country=UA").json
    assert (len(part["data"]), part["total"]) == (60, None)
    assert len(client.get(part["next"]).json["data"]) == 10


def test_claims_of_large_records_lead_on(client, records, monkeypatch):
    monkeypatch.setattr(listing, "MOST_BYTES", 1)
    found = list(walk(client, f"{API}/claims?limit=100"))
    assert [len(page) for page in found] == [2] * 70
    assert [page[0]["incident"]["id"] for page in found] == records


def test_changes_of_large_records_lead_on(client, records, monkeypatch):
    whole = client.get(f"{API}/changes?limit=1000").json
    monkeypatch.setattr(feed, "MOST_BYTES", 1)
    found = [one for page in walk(client, f"{API}/changes?limit=1000") for one in page]
    assert found == whole["data"]
    assert len(client.get(f"{API}/changes?limit=1000").json["data"]) < len(found)


def test_versions_of_a_large_record_lead_on(client, editor, records, monkeypatch):
    path = f"{API}/incidents/{records[0]}"
    for number in range(4):
        body = {"summary": f"Change {number}", "version": number + 1}
        client.patch(path, json=body, headers=editor)
    whole = client.get(f"{path}/versions").json["data"]
    monkeypatch.setattr(history, "MOST_BYTES", 1)
    found = list(walk(client, f"{path}/versions"))
    assert [len(page) for page in found] == [1] * 5
    assert [page[0] for page in found] == whole


def test_a_draft_is_no_place_for_a_cursor_of_claims(client, contributor, records, incident):
    """What a forged cursor leads to does not depend on whether there is such a draft."""
    from api.queries.cursors import ClaimPosition, digest

    draft = client.post(
        f"{API}/incidents?allow_duplicate=true", json=incident(), headers=contributor
    ).json
    answers = [
        client.get(f"{API}/claims?cursor={ClaimPosition(id_, 0, 0).write(digest('[]'))}").json
        for id_ in (draft["id"], "7zq3m8k2xd")
    ]
    assert answers[0] == answers[1]


def test_a_record_has_so_many_claims(client, editor, incident, records):
    claims = [{"field": "arrests", "value": number} for number in range(500)]
    sources = [{"article": {"title": f"Article {n}"}, "claims": claims} for n in range(2)]
    body = incident(date="1905-01-01", sources=sources)
    made = client.post(f"{API}/incidents", json=body, headers=editor)
    assert made.status_code == 201
    more = {"article": {"title": "One more"}, "claims": claims[:1]}
    forced = {**editor, "If-Match": "*"}
    path = f"{API}/incidents/{made.json['id']}"
    assert client.post(f"{path}/sources", json=more, headers=forced).status_code == 422
    answer = client.patch(path, json={"sources": [*sources, more]}, headers=forced)
    assert answer.json["errors"][0]["code"] == "too_many"
    assert "1,001" in answer.json["errors"][0]["detail"]


def test_a_contributor_has_so_many_drafts_waiting(make_app, incident):
    from tests import conftest

    app = make_app(QUOTA_DRAFTS=3)
    conftest.run(app, "db", "upgrade")
    key = conftest.run(app, "keys", "create", "one", "--role", "contributor")
    client, headers = app.test_client(), {"Authorization": f"Bearer {key}"}
    bodies = [incident(date=f"190{number}-01-01") for number in range(5)]
    many = client.post(f"{API}/incidents", json=bodies, headers=headers)
    assert (many.status_code, many.json["type"]) == (403, "/problems/quota-reached")
    answers = [client.post(f"{API}/incidents", json=body, headers=headers) for body in bodies]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 403, 403]
    path, forced = f"{API}/incidents/{answers[0].json['id']}", {**headers, "If-Match": "*"}
    assert client.delete(path, headers=forced).status_code == 204
    assert client.post(f"{API}/incidents", json=bodies[4], headers=headers).status_code == 201


@pytest.mark.slow
def test_behind_many_faulty_lines_nothing_is_read(client, editor):
    headers = {**editor, "Content-Type": "application/x-ndjson"}
    answer = client.post(f"{API}/imports", data="1\n" * 10_500, headers=headers).json
    assert answer["faults"] == 10_001
    skipped = client.post(f"{API}/imports?on_error=skip", data="1\n" * 10_500, headers=headers)
    assert skipped.json["errors"][0]["code"] == "too_many_faults"
