"""What is erased is found nowhere: in no version, list, search, feed, export or file."""

import json
from pathlib import Path

import pytest

from api.database.engines import db
from tests.conftest import run

INCIDENTS = "/api/v1/incidents"
WORD = "Quagmirex"


@pytest.fixture
def post(client, editor, incident):
    """Return a function that posts an incident and returns its document."""

    def make(headers=None, **changes):
        answer = client.post(
            f"{INCIDENTS}?allow_duplicate=true", json=incident(**changes), headers=headers or editor
        )
        assert answer.status_code == 201, answer.text
        return answer.json

    return make


@pytest.fixture
def erase(client, admin):
    """Return a function that erases as an admin."""

    def make(path, document, status=200, **body):
        body = {"version": document["version"], **body}
        answer = client.post(f"/api/v1/{path}/{document['id']}/erase", json=body, headers=admin)
        assert answer.status_code == status, answer.text
        return answer.json

    return make


def everywhere(client, headers):
    """Read every address that might show a word, as text."""
    found = []
    for address in (
        INCIDENTS,
        f"{INCIDENTS}?status=withdrawn,published,draft",
        "/api/v1/articles",
        "/api/v1/changes?since=0&limit=1000",
    ):
        found.append(client.get(address, headers=headers).text)
    for entry in client.get("/api/v1/changes?since=0&limit=1000").json["data"]:
        if entry.get("resource", "incident") == "incident":
            path = f"{INCIDENTS}/{entry['id']}"
            for below in ("", "/versions", f"/versions/{entry['version']}", "/similar", "/claims"):
                found.append(client.get(path + below, headers=headers).text)
        elif entry["resource"] == "article":
            found.append(client.get(f"/api/v1/articles/{entry['id']}", headers=headers).text)
    return "\n".join(found)


def sources():
    claim = {"field": "arrests", "value": 3, "text": f"{WORD} three"}
    article = {"url": "https://news.example/1", "title": f"{WORD} report"}
    return [{"article": article, "locator": "p1", "claims": [claim]}]


def test_a_record_erased_as_a_whole_leaves_id_and_dates(client, editor, admin, post, erase):
    record = post(title=f"{WORD} in the square", summary=WORD, reason=WORD)
    changed = client.patch(
        f"{INCIDENTS}/{record['id']}", json={"version": 1, "venue": WORD}, headers=editor
    ).json
    assert WORD in everywhere(client, {})
    erase("incidents", changed, status=204, code="legal")
    for headers in ({}, editor, admin):
        assert WORD not in everywhere(client, headers)
        gone = client.get(f"{INCIDENTS}/{record['id']}", headers=headers)
        assert (gone.status_code, gone.json["code"]) == (410, "legal")
        versions = client.get(f"{INCIDENTS}/{record['id']}/versions", headers=headers).json["data"]
        assert [entry["version"] for entry in versions] == [1, 2, 3]
        assert all(set(entry) == {"version", "at", "code"} for entry in versions)
    last = client.get("/api/v1/changes?since=0&limit=1000").json["data"][-1]
    assert (last["action"], last["id"], last["incident"]) == ("erased", record["id"], None)
    assert client.get(INCIDENTS).json["total"] == 0


def test_what_was_erased_is_in_no_list_of_what_was_withdrawn(client, editor, admin, post, erase):
    erase("incidents", post(title="One"), status=204)
    erase("incidents", post(title="Two", status="draft"), status=204)
    kept = post(title="Three")
    path = f"{INCIDENTS}/{kept['id']}"
    assert client.delete(path, headers={**editor, "If-Match": "*"}).status_code == 204
    asked = "status=withdrawn,draft,published"
    for headers in (editor, admin):

        def ask(address, headers=headers):
            answer = client.get(f"/api/v1/{address}", headers=headers)
            assert answer.status_code == 200, answer.text
            return answer

        for more in ("", "&fields=id,title", "&sort=arrests", "&count=exact", "&city=Kyiv"):
            found = ask(f"incidents?{asked}{more}").json
            assert ([one["id"] for one in found["data"]], found["total"]) == ([kept["id"]], 1)
        for end in ("csv", "ndjson", "geojson"):
            assert ask(f"incidents.{end}?{asked}").headers["Record-Count"] == "1"
        for group in ("type", "city,month", "community", "year"):
            assert ask(f"stats?group_by={group}&{asked}").json["total"]["incidents"] == 1


def test_a_merged_record_that_is_erased_leads_nowhere_any_more(client, editor, post, erase):
    into, record = post(), post(title=WORD)
    path = f"{INCIDENTS}/{record['id']}"
    body = {"into": into["id"], "version": 1}
    assert client.post(f"{path}/merge", json=body, headers=editor).status_code == 200
    assert client.get(path).status_code == 308
    erase("incidents", {**record, "version": 2}, status=204, code="legal")
    for headers in ({}, editor):
        for below in ("", "/versions/1", "/versions/2", "/claims", "/similar"):
            assert client.get(path + below, headers=headers).status_code == 410, below
        versions = client.get(f"{path}/versions", headers=headers).json["data"]
        assert [entry["version"] for entry in versions] == [1, 2, 3]


def test_what_was_erased_cannot_be_restored_changed_or_posted_again(
    client, editor, post, erase, incident
):
    record = post()
    erase("incidents", record, status=204)
    path = f"{INCIDENTS}/{record['id']}"
    body = {"version": 2}
    assert client.post(f"{path}/versions/1/restore", json=body, headers=editor).status_code == 410
    assert client.patch(path, json={**body, "title": "x"}, headers=editor).status_code == 410
    again = client.post(INCIDENTS, json=incident(id=record["id"]), headers=editor)
    assert again.status_code == 409


def test_a_field_is_erased_from_every_version_with_its_claims(client, editor, admin, post, erase):
    record = post(summary=WORD, arrests=3, sources=sources())
    client.patch(f"{INCIDENTS}/{record['id']}", json={"version": 1, "deaths": 1}, headers=editor)
    left = erase("incidents", {**record, "version": 2}, fields=["summary", "arrests"])
    assert (left["version"], left["summary"], left["arrests_text"]) == (3, None, "not reported")
    assert left["sources"][0]["claims"] == []
    assert left["deaths"] == 1
    text = everywhere(client, admin)
    assert f"{WORD} three" not in text
    assert f'"summary":"{WORD}"' not in text
    first = client.get(f"{INCIDENTS}/{record['id']}/versions/1").json
    assert (first["arrests"], first["arrests_low"], first["version"]) == (None, None, 1)


@pytest.mark.parametrize("nothing", [[], None])
def test_to_name_no_field_erases_nothing(client, post, erase, nothing):
    record = post(sources=sources())
    refused = erase("incidents", record, status=422, fields=nothing)
    assert (refused["errors"][0]["pointer"], refused["errors"][0]["code"]) == ("/fields", "empty")
    refused = erase("incidents", record, status=422, fields_=["title"])
    assert refused["errors"][0]["suggestion"] == "fields"
    refused = erase("incidents", record, status=422, fields=["titel"], code="legel")
    assert [fault["pointer"] for fault in refused["errors"]] == ["/fields/0", "/code"]
    article = client.get(f"/api/v1/articles/{record['sources'][0]['article']['id']}").json
    erase("articles", article, status=422, fields=nothing)
    assert client.get(f"{INCIDENTS}/{record['id']}").json == record


def test_officers_go_with_the_injured(client, editor, post, erase):
    claim = {"field": "injuries_police", "value": 5}
    record = post(injuries=9, injuries_police=5, sources=[{**sources()[0], "claims": [claim]}])
    left = erase("incidents", record, fields=["injuries"])
    assert (left["injuries_text"], left["injuries_police_text"]) == ("not reported",) * 2
    assert left["sources"][0]["claims"] == []
    change = {"version": 2, "venue": "A square"}
    path = f"{INCIDENTS}/{record['id']}"
    assert client.patch(path, json=change, headers=editor).status_code == 200


def test_an_erasure_says_which_record_took_over_what_was_merged(client, editor, admin, post):
    into, record, other = post(), post(title=WORD, sources=sources()), post(corrects=None)
    path = f"{INCIDENTS}/{record['id']}"
    headers = {**editor, "If-Match": "*"}
    assert (
        client.post(f"{path}/merge", json={"into": into["id"]}, headers=headers).status_code == 200
    )
    for body in ({"fields": ["title"]}, {}):
        answer = client.post(f"{path}/erase", json=body, headers={**admin, "If-Match": "*"})
        (warning,) = json.loads(answer.headers["Warnings"])
        assert warning["code"] == "taken_over"
        assert into["id"] in warning["detail"]
        assert other["id"] not in warning["detail"]
        # What was undone stands in versions all the same.
        client.post(f"{path}/versions/1/restore", json={}, headers=headers)
    answer = client.post(
        f"{INCIDENTS}/{other['id']}/erase", json={}, headers={**admin, "If-Match": "*"}
    )
    assert (answer.status_code, "Warnings" in answer.headers) == (204, False)


def test_an_erased_venue_takes_its_point_with_it(client, post, erase):
    record = post(venue=WORD, latitude=50.4001, longitude=30.6201, geo_precision="venue")
    left = erase("incidents", record, fields=["venue"])
    assert left["geo_precision"] == "city"
    assert (left["latitude"], left["longitude"]) != (50.4001, 30.6201)
    first = client.get(f"{INCIDENTS}/{record['id']}/versions/1").json
    assert (first["venue"], first["latitude"]) == (None, left["latitude"])


def test_an_article_is_erased_wherever_it_ever_showed(client, editor, admin, post, erase):
    record = post(sources=sources())
    article = record["sources"][0]["article"]
    cited_no_more = {"version": 1, "sources": []}
    client.patch(f"{INCIDENTS}/{record['id']}", json=cited_no_more, headers=editor)
    post(city="Lviv", sources=[{"article": article["id"]}])
    left = erase("articles", {"id": article["id"], "version": 1})
    assert (left["title"], left["url"]) == ("[erased]", None)
    text = everywhere(client, admin)
    assert f"{WORD} report" not in text
    assert "news.example" not in text


def test_a_draft_that_was_withdrawn_can_be_erased_by_field(
    client, editor, contributor, post, erase
):
    draft = post(contributor, summary=WORD, sources=sources())
    path = f"{INCIDENTS}/{draft['id']}"
    client.delete(path, headers={**contributor, "If-Match": "1"})
    left = erase("incidents", {**draft, "version": 2}, fields=["summary"])
    assert left["sources"][0]["article"]["title"] == f"{WORD} report"
    left = erase("incidents", left, fields=["sources"])
    assert left["sources"] == []
    for number in (1, 2, 3, 4):
        assert WORD not in client.get(f"{path}/versions/{number}", headers=editor).text


def test_what_is_erased_comes_back_by_no_correction(
    client, editor, admin, contributor, post, erase
):
    record = post(summary=WORD, venue="Market")
    copy = {"summary": WORD, "venue": "Square", "corrects": record["id"]}
    early, late = post(contributor, **copy), post(contributor, **copy)
    path = f"{INCIDENTS}/{early['id']}/publish"
    assert client.post(path, json={"version": 1}, headers=editor).status_code == 200
    erase("incidents", {**record, "version": 2}, fields=["summary"])
    path = f"{INCIDENTS}/{late['id']}"
    assert client.get(path, headers=contributor).json["summary"] is None
    for number in (1, 2):
        for draft in (early, late):
            version = f"{INCIDENTS}/{draft['id']}/versions/{number}"
            assert WORD not in client.get(version, headers=editor).text
    done = client.post(f"{path}/publish", json={"version": 2}, headers=editor)
    assert (done.status_code, done.json["summary"]) == (200, None)
    another = post(contributor, **copy)
    erase("incidents", done.json, status=204)
    assert client.get(f"{INCIDENTS}/{another['id']}", headers=admin).status_code == 410
    assert WORD not in everywhere(client, admin)


def test_only_an_admin_erases(client, editor, contributor, post):
    record = post()
    path = f"{INCIDENTS}/{record['id']}/erase"
    assert client.post(path, json={"version": 1}).status_code == 401
    for headers in (contributor, editor):
        assert client.post(path, json={"version": 1}, headers=headers).status_code == 403
    assert client.get(f"{INCIDENTS}/{record['id']}").json == record


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_after_compaction_the_files_hold_nothing_of_it(app, client, post, erase):
    record = post(title=f"{WORD} in the square", sources=sources())
    other = post(title="Another one", city="Lviv")
    erase("incidents", record, status=204)
    article = record["sources"][0]["article"]
    erase("articles", {"id": article["id"], "version": 1})
    run(app, "compact")
    with app.app_context():
        path = Path(db.engine.url.database)
    kept = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert other["title"].encode() in kept
    for word in (WORD, WORD.lower(), "news.example"):
        assert word.encode() not in kept
