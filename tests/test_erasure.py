"""What is erased is found nowhere: in no version, list, search, feed, export or file."""

import json
from pathlib import Path

import pytest
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from api.core.permissions import OPERATOR
from api.database.engines import db
from api.records import article_erasures, erasure_log, reading, reference_erasures, references
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
    found = everywhere(client, admin)
    assert f"{WORD} three" not in found
    assert f'"summary":"{WORD}"' not in found
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
    found = everywhere(client, admin)
    assert f"{WORD} report" not in found
    assert "news.example" not in found


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


def last_change(client):
    """Return the newest entry of the feed."""
    return client.get("/api/v1/changes?since=0&limit=1000").json["data"][-1]


def stored_texts(app):
    """Return every text of every table but the gazetteer's, as one."""
    texts = []
    with app.app_context(), db.engine.connect() as connection:
        for name in inspect(connection).get_table_names():
            if name not in ("places", "place_names") and not name.startswith("search"):
                texts += [str(row) for row in connection.execute(text(f"SELECT * FROM {name}"))]
    return "\n".join(texts)


@pytest.mark.parametrize(
    ("path", "fixed"),
    [
        ("communities", {"id": "erased"}),
        ("episodes", {"id": "erased"}),
        ("places", {"id": "erased0001", "country": "UA", "latitude": 49.12, "longitude": 31.23}),
        ("articles", {}),
    ],
)
@pytest.mark.parametrize("deleted", [False, True])
def test_what_records_refer_to_is_erased_with_its_history(
    app, client, editor, admin, erase, path, fixed, deleted
):
    words = {"title": WORD} if path == "articles" else {"name": WORD, "aliases": [f"{WORD} too"]}
    body = {**words, **fixed, "reason": WORD}
    made = client.post(f"/api/v1/{path}", json=body, headers=editor).json
    address = f"/api/v1/{path}/{made['id']}"
    if deleted:
        headers = {**editor, "If-Match": "*"}
        assert client.delete(f"{address}?reason={WORD}", headers=headers).status_code == 204
    gone = deleted or path == "places"
    erase(path, {**made, "version": 1 + deleted}, status=204 if gone else 200)
    entry = last_change(client)
    assert (entry["action"], entry["id"]) == ("erased", made["id"])
    assert WORD not in stored_texts(app) + client.get(address).text
    assert client.get(address).status_code == (
        200 if not gone else 404 if path == "places" else 410
    )
    again = client.post(f"{address}/erase", json={}, headers={**editor, "If-Match": "*"})
    assert again.status_code == 403


def test_what_never_was_cannot_be_erased(client, admin):
    headers = {**admin, "If-Match": "*"}
    for path in (
        "articles/7zq3m8k2xd",
        "communities/nobody",
        "places/geonames-703448",
        "episodes/x",
    ):
        assert client.post(f"/api/v1/{path}/erase", json={}, headers=headers).status_code == 404


def test_a_community_keeps_what_is_not_erased_of_it(client, editor, erase, post):
    body = {"id": "erased", "name": "Named", "aliases": [WORD], "description": WORD}
    client.post("/api/v1/communities", json=body, headers=editor)
    record = post(communities=[WORD])
    left = erase("communities", {"id": "erased", "version": 1}, fields=["aliases"])
    assert (left["name"], left["aliases"], left["description"]) == ("Named", [], WORD)
    left = erase("communities", left)
    assert (left["name"], left["description"], left["version"]) == ("erased", None, 3)
    assert client.get(f"{INCIDENTS}/{record['id']}").json == record
    assert client.get(f"{INCIDENTS}?community={WORD}").status_code == 422
    assert client.get(f"{INCIDENTS}?community=erased").json["total"] == 1


@pytest.mark.parametrize("fields", [["reason"], None])
def test_a_reason_goes_from_wherever_it_was_said(app, client, editor, post, erase, fields):
    into = post(city="Lviv", reason=WORD)
    record = post(reason=f"{WORD} 1", sources=sources()[:1])
    path = f"{INCIDENTS}/{record['id']}"
    headers = {**editor, "If-Match": "*"}
    body = {"into": into["id"], "reason": f"{WORD} 2"}
    assert client.post(f"{path}/merge", json=body, headers=headers).status_code == 200
    body = {"reason": f"{WORD} 3"}
    assert client.post(f"{path}/versions/1/restore", json=body, headers=headers).status_code == 200
    more = {"fields": fields} if fields else {}
    erase("incidents", {**record, "version": 3}, status=200 if fields else 204, **more)
    texts = stored_texts(app)
    assert [f"{WORD} {number}" in texts for number in (1, 2, 3)] == [False] * 3
    assert client.get(f"{INCIDENTS}/{into['id']}/versions").json["data"][0]["reason"] == WORD


def test_a_review_goes_with_the_reasons_of_rejections(
    app, client, editor, contributor, erase, post
):
    draft = post(contributor, reason="Heard on the radio")
    path = f"{INCIDENTS}/{draft['id']}"
    body = {"version": 1, "reason": WORD}
    assert client.post(f"{path}/reject", json=body, headers=editor).json["review"] == WORD
    left = erase("incidents", {**draft, "version": 2}, fields=["review"])
    assert left["review"] is None
    assert WORD not in stored_texts(app)
    versions = client.get(f"{path}/versions", headers=editor).json["data"]
    assert [entry["reason"] for entry in versions] == ["Heard on the radio", None, "erasure"]


def test_the_copy_that_a_draft_has_of_an_article_goes_with_it(
    app, client, editor, contributor, post, erase
):
    draft = post(contributor, sources=sources())
    other = {"url": "http://www.news.example/1/", "title": "Public"}
    made = client.post("/api/v1/articles", json=other, headers=editor).json
    erase("articles", made)
    article = client.get(f"{INCIDENTS}/{draft['id']}", headers=contributor).json["sources"][0]
    assert (article["article"]["title"], article["article"]["url"]) == ("[erased]", None)
    assert f"{WORD} report" not in stored_texts(app)


def test_an_answer_to_a_retry_says_that_it_was_erased(app, client, editor, incident, erase):
    headers = {**editor, "Idempotency-Key": WORD}
    made = client.post(INCIDENTS, json=incident(), headers=headers).json
    erase("incidents", made, status=204)
    assert client.post(INCIDENTS, json=incident(), headers=headers).status_code == 410
    assert WORD not in stored_texts(app)
    term = {"id": "erased", "name": WORD}
    made = client.post("/api/v1/episodes", json=term, headers=headers).json
    erase("episodes", made)
    assert client.post("/api/v1/episodes", json=term, headers=headers).status_code == 410


@pytest.fixture
def log(app, tmp_path):
    """Have the application note erasures in a file of the test's, and return it."""
    app.config["ERASURE_LOG"] = str(tmp_path / "log" / "erasures.ndjson")
    return tmp_path / "log" / "erasures.ndjson"


def test_what_cannot_be_noted_is_not_erased(app, client, admin, post, erase, log):
    record = post(title=WORD)
    log.parent.write_text("a file stands where the folder should")
    refused = erase("incidents", record, status=503)
    assert refused["type"].endswith("/erasure-not-noted")
    assert client.get(f"{INCIDENTS}/{record['id']}").json == record
    assert client.get("/readyz").json["erasures"] is False
    assert "erasure_log_writable 0.0" in client.get("/metrics").text
    log.parent.unlink()
    assert client.get("/readyz").json["erasures"] is True
    erase("incidents", record, status=204)
    assert len(log.read_text().splitlines()) == 1
    assert (log.stat().st_mode & 0o777, log.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_an_erasure_that_is_not_stored_is_not_noted(app, client, post, erase, log, monkeypatch):
    first, second = post(), post()
    erase("incidents", first, status=204)
    noted = log.read_bytes()
    with monkeypatch.context() as broken:

        def no_room(*_):
            raise OperationalError("COMMIT", None, Exception("disk I/O error"))

        broken.setattr(FlaskSession, "commit", no_room)
        erase("incidents", second, status=503)
    assert log.read_bytes() == noted
    erase("incidents", second, status=204)


def test_others_write_while_an_article_goes_from_many_records(
    app, client, editor, post, monkeypatch
):
    monkeypatch.setattr(article_erasures, "BATCH", 1)
    record = post(sources=sources())
    article = record["sources"][0]["article"]["id"]
    for number in range(3):
        post(city="Lviv", date=f"201{number}", sources=[{"article": article}])
    written = []

    def write(done, total):
        written.append((done, total, post(city="Odesa")["id"]))

    with app.app_context():
        with erasure_log.erasing() as session:
            kind = references.ARTICLES
            erased = reference_erasures.erase(session, kind, article, (), OPERATOR, code="legal")
        article_erasures.finish(erased.traces, OPERATOR, write)
    assert [entry[:2] for entry in written] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert f"{WORD} report" not in everywhere(client, editor)


def test_an_erasure_that_was_cut_off_goes_on_when_it_is_sent_again(
    app, client, editor, post, erase, monkeypatch
):
    record = post(sources=sources())
    article = client.get(f"/api/v1/articles/{record['sources'][0]['article']['id']}").json
    with monkeypatch.context() as broken:
        broken.setattr(article_erasures, "rewrite", lambda *_: 1 / 0)
        erase("articles", article, status=500)
    assert f"{WORD} report" in client.get(f"{INCIDENTS}/{record['id']}").text
    erase("articles", {**article, "version": 2})
    assert f"{WORD} report" not in stored_texts(app)


def test_an_article_of_more_records_than_a_request_rewrites_goes_by_command(
    app, client, post, erase, monkeypatch
):
    record = post(sources=sources())
    article = client.get(f"/api/v1/articles/{record['sources'][0]['article']['id']}").json
    post(city="Lviv", sources=[{"article": article["id"]}])
    monkeypatch.setattr(reading, "MOST_REWRITTEN", 1)
    refused = erase("articles", article, status=409)
    assert f"flask --app api articles erase {article['id']}" in refused["detail"]
    assert run(app, "articles", "erase", article["id"]) == f"Article {article['id']} is erased."
    assert client.get(f"/api/v1/articles/{article['id']}").json["title"] == "[erased]"
    assert f"{WORD} report" not in stored_texts(app)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_backup_before_an_upgrade_is_named_by_every_erasure(app, client, admin, post):
    with app.app_context():
        path = Path(db.engine.url.database)
    copy = path.with_name(f"{path.stem}.before-upgrade-from-0001.20260101T000000000000Z.sqlite")
    copy.touch()
    try:
        for path in (f"incidents/{post()['id']}", "communities/armenian"):
            headers = {**admin, "If-Match": "*"}
            answer = client.post(f"/api/v1/{path}/erase", json={}, headers=headers)
            (warning,) = json.loads(answer.headers["Warnings"])
            assert warning["code"] == "held_by_backup"
            assert copy.name in warning["detail"]
    finally:
        copy.unlink()
