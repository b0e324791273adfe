"""History: every version with who, when, why and what changed; any is readable, and comes back."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from api.http.conditional import etag
from tests.test_json_patch import apply

ARTICLE = {"title": "A report", "url": "https://news.example/a"}


@pytest.fixture
def write(client, editor):
    """Return a function that sends a change as an editor and returns the record, or the problem."""

    def send(method, path, body=None, based_on="*", status=200, headers=editor):
        answer = client.open(
            path, method=method, json=body, headers={**headers, "If-Match": f"{based_on}"}
        )
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.json

    return send


@pytest.fixture
def record(client, editor, incident):
    """Return a published record of one version."""
    body = incident(arrests=13, reason="first report", sources=[{"article": ARTICLE}])
    return client.post("/api/v1/incidents", json=body, headers=editor).json


def versions(client, record, headers=None, query=""):
    answer = client.get(f"{record['url']}/versions{query}", headers=headers)
    assert answer.status_code == 200, answer.json
    return answer.json["data"]


def now():
    """Return a time apart from those of the writes before and after it, which know milliseconds."""
    time.sleep(0.002)
    moment = datetime.now(UTC)
    time.sleep(0.002)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_version_tells_who_when_why_and_what_changed(client, editor, record, write):
    write("PATCH", record["url"], {"arrests_low": 10, "reason": "a second report"})

    first, second = versions(client, record)

    assert (first["version"], first["action"], first["actor"]) == (1, "created", "editor")
    assert (first["reason"], first["patch"]) == ("first report", None)
    assert (second["version"], second["action"]) == (2, "changed")
    assert second["reason"] == "a second report"
    changed = {one["path"]: one["value"] for one in second["patch"]}
    assert changed.pop("/updated_at") == second["at"]
    assert changed == {
        "/version": 2,
        "/arrests_low": 10,
        "/arrests_text": "about 13 (10–13)",
    }
    assert versions(client, record, editor)[0]["actor"] == "test editor"


def test_the_patches_replay_the_first_version_to_the_present(client, record, write):
    for change in (
        {"sources": [{"article": ARTICLE, "claims": [{"field": "arrests", "value": 13}]}]},
        {"communities": ["armenian"], "city": "Odesa"},
        {"sources": [], "property_damage": False},
        {"date": "2019-05", "police_measures": ["cordon", "detention"]},
    ):
        write("PATCH", record["url"], change)

    document = client.get(f"{record['url']}/versions/1").json
    for entry in versions(client, record)[1:]:
        document = apply(document, entry["patch"])
        assert document == client.get(f"{record['url']}/versions/{entry['version']}").json
    assert document == client.get(record["url"]).json


def test_patches_are_left_out_where_they_are_not_wanted(client, record):
    assert "patch" not in versions(client, record, query="?patch=false")[0]


def test_a_history_is_read_in_pages_with_the_same_patches(client, record, write):
    for number in range(5):
        write("PATCH", record["url"], {"arrests": number})
    whole = versions(client, record)

    paged, address = [], f"{record['url']}/versions?limit=2"
    while address:
        page = client.get(address)
        assert ("Link" in page.headers) == (page.json["next"] is not None)
        paged += page.json["data"]
        address = page.json["next"]

    assert paged == whole
    assert len(whole) == 6


def test_a_damaged_cursor_of_a_history_is_refused(client, record):
    answer = client.get(f"{record['url']}/versions?cursor=abc")

    assert answer.status_code == 422
    assert answer.json["errors"][0]["code"] == "bad_cursor"


def test_any_version_is_readable_as_it_was_by_number(client, record, write):
    write("PATCH", record["url"], {"title": "Another title"})

    then = client.get(f"{record['url']}/versions/1")

    assert then.json == record
    assert then.headers["ETag"] == etag(1)
    assert client.get(f"{record['url']}/versions/3").status_code == 404
    assert client.get(f"{record['url']}/versions/one").status_code == 404


def test_a_record_is_readable_as_of_a_time(client, record, write):
    between = now()
    write("PATCH", record["url"], {"title": "Another title"})
    path = record["url"]

    assert client.get(f"{path}?as_of={between}").json == record
    assert client.get(f"{path}?as_of={now()}").json["title"] == "Another title"
    assert client.get(f"{path}?as_of={between}&fields=title").json == {"title": record["title"]}
    assert [one["version"] for one in versions(client, record, query=f"?as_of={between}")] == [1]


def test_a_day_as_of_means_its_end(client, record, write):
    write("PATCH", record["url"], {"title": "Another title"})
    today = datetime.now(UTC).date()
    path = record["url"]

    for moment in (f"{today}", f"{today:%Y-%m}", f"{today:%Y}"):
        assert client.get(f"{path}?as_of={moment}").json["version"] == 2
    before = client.get(f"{path}?as_of={today - timedelta(days=400)}")
    assert before.status_code == 404
    assert "was not there yet" in before.json["detail"]


@pytest.mark.parametrize("moment", ["2020-07-01..2020-07-05", "yesterday", "2020-07-01T99"])
def test_what_is_no_moment_is_refused(client, record, moment):
    answer = client.get(f"{record['url']}?as_of={moment}")

    assert answer.status_code == 422
    assert answer.json["errors"][0]["parameter"] == "as_of"


def test_public_history_begins_at_first_publication(client, contributor, editor, incident, write):
    body = incident(title="A first draft")
    draft = client.post("/api/v1/incidents", json=body, headers=contributor).json
    drafted = now()
    write("PATCH", draft["url"], {"title": "A better draft"})
    write("PATCH", draft["url"], {"status": "published"})
    write("PATCH", draft["url"], {"arrests": 2})

    public = versions(client, draft)
    assert [(one["version"], one["action"]) for one in public] == [(3, "created"), (4, "changed")]
    assert public[0]["patch"] is None
    assert public[1]["patch"] is not None
    assert "first draft" not in client.get(f"{draft['url']}/versions").get_data(as_text=True)
    for hidden in ("/versions/1", "/versions/2", f"?as_of={drafted}"):
        assert client.get(draft["url"] + hidden).status_code == 404
    assert [one["version"] for one in versions(client, draft, editor)] == [1, 2, 3, 4]
    assert client.get(f"{draft['url']}/versions/1", headers=editor).json["title"] == "A first draft"


def test_the_author_of_a_draft_sees_roles_and_not_names(client, contributor, incident, write):
    draft = client.post("/api/v1/incidents", json=incident(), headers=contributor).json
    write("PATCH", draft["url"], {"title": "A better draft"})

    assert [one["actor"] for one in versions(client, draft, contributor)] == [
        "contributor",
        "editor",
    ]
    assert client.get(f"{draft['url']}/versions").status_code == 404


def test_of_a_withdrawn_record_the_public_learns_numbers_dates_and_codes(
    client, editor, record, write
):
    path = record["url"]
    write("DELETE", f"{path}?code=safety&reason=names+a+neighbour", status=204)

    answer = client.get(f"{path}/versions")

    assert answer.status_code == 200
    assert answer.json["data"] == [
        {"version": 1, "at": record["created_at"], "code": None},
        {"version": 2, "at": answer.json["data"][1]["at"], "code": "safety"},
    ]
    for hidden in ("/versions/1", "/versions/2", f"?as_of={record['created_at']}", ""):
        gone = client.get(path + hidden)
        assert gone.status_code == 410, hidden
        assert gone.json["code"] == "safety"
    entry = versions(client, record, editor)[1]
    assert (entry["action"], entry["reason"]) == ("withdrawn", "names a neighbour")
    assert client.get(f"{path}/versions/1", headers=editor).json == record


def test_a_withdrawal_is_undone_by_restoring(client, record, write):
    path = record["url"]
    write("DELETE", f"{path}?code=legal&reason=a+letter", status=204)

    restored = write("POST", f"{path}/versions/1/restore", {"reason": "settled"}, based_on=2)

    assert restored == client.get(path).json
    same = {"version": 3, "updated_at": restored["updated_at"]}
    assert restored == {**record, **same}
    _, withdrawal, third = versions(client, record)
    assert (withdrawal["code"], withdrawal["reason"], withdrawal["patch"]) == ("legal", None, None)
    assert (third["action"], third["reason"]) == ("restored", "settled")
    assert apply(record, third["patch"]) == restored
    gone = client.get(f"{path}/versions/2")
    assert (gone.status_code, gone.json["code"]) == (410, "legal")


def test_as_of_a_time_when_it_was_withdrawn_a_record_is_gone(client, record, write):
    write("DELETE", record["url"], status=204)
    meanwhile = now()
    write("POST", f"{record['url']}/versions/1/restore")

    assert client.get(f"{record['url']}?as_of={meanwhile}").status_code == 410
    assert client.get(f"{record['url']}?as_of={now()}").status_code == 200


def test_the_content_of_an_earlier_version_comes_back(client, record, write):
    path = record["url"]
    write(
        "PATCH",
        path,
        {"title": "Wrong", "arrests": None, "sources": [], "communities": ["armenian"]},
    )

    restored = write("POST", f"{path}/versions/1/restore", based_on=2)

    assert restored["version"] == 3
    changing = {"version", "updated_at"}
    assert {name: value for name, value in restored.items() if name not in changing} == {
        name: value for name, value in record.items() if name not in changing
    }
    found = client.get("/api/v1/incidents?community=azerbaijani")
    assert [one["id"] for one in found.json["data"]] == [record["id"]]


def test_an_earlier_version_comes_back_with_what_its_article_says_now(client, record, write):
    article = record["sources"][0]["article"]["id"]
    write("PATCH", record["url"], {"sources": []})
    write("PATCH", f"/api/v1/articles/{article}", {"title": "A corrected headline"})

    restored = write("POST", f"{record['url']}/versions/1/restore")

    assert restored["sources"][0]["article"]["title"] == "A corrected headline"


def test_an_article_that_was_deleted_comes_back_with_the_version_that_cites_it(
    client, record, write
):
    article = record["sources"][0]["article"]["id"]
    write("PATCH", record["url"], {"sources": []})
    write("DELETE", f"/api/v1/articles/{article}", status=204)

    write("POST", f"{record['url']}/versions/1/restore")

    assert client.get(f"/api/v1/articles/{article}").json["title"] == ARTICLE["title"]


def test_a_version_that_names_a_deleted_episode_is_not_restorable(client, record, write):
    term = {"id": "a-wave", "name": "A wave"}
    write("POST", "/api/v1/episodes", term, status=201)
    write("PATCH", record["url"], {"episode": "a-wave"})
    write("PATCH", record["url"], {"episode": None})
    write("DELETE", "/api/v1/episodes/a-wave", status=204)

    refused = write("POST", f"{record['url']}/versions/2/restore", status=409)

    assert refused["type"].endswith("/problems/not-restorable")
    assert "a-wave" in refused["detail"]


def test_restoring_what_stands_makes_no_version(client, record, write):
    assert write("POST", f"{record['url']}/versions/1/restore")["version"] == 1


def test_restoring_takes_an_editor_and_the_version_it_is_based_on(
    client, contributor, editor, record, write
):
    path = f"{record['url']}/versions/1/restore"
    write("DELETE", record["url"], status=204)

    assert client.post(path).status_code == 401
    assert client.post(path, headers=contributor).status_code == 403
    missing = client.post(path, headers=editor)
    assert missing.status_code == 428
    assert "stands at 2" in missing.json["detail"]
    assert client.post(path, headers={**editor, "If-Match": "1"}).status_code == 412
    unknown = f"{record['url']}/versions/7/restore"
    assert client.post(unknown, headers={**editor, "If-Match": "2"}).status_code == 404
    assert client.post(path, json={"version": 2}, headers=editor).status_code == 200


def test_a_restore_can_be_tried_and_retried(client, editor, record, write):
    path = f"{record['url']}/versions/1/restore"
    write("PATCH", record["url"], {"arrests": None})

    tried = write("POST", f"{path}?dry_run=true", based_on=2)
    assert (tried["would"], tried["record"]["arrests"]) == ("restore", 13)
    assert client.get(record["url"]).json["version"] == 2

    headers = {**editor, "If-Match": "2", "Idempotency-Key": "once"}
    first, second = (client.post(path, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json == second.json == client.get(record["url"]).json
    assert client.get(record["url"]).json["version"] == 3


def test_a_withdrawn_draft_comes_back_as_a_draft(client, contributor, incident, write):
    body = incident(sources=[{"article": ARTICLE}])
    draft = client.post("/api/v1/incidents", json=body, headers=contributor).json
    before = client.get("/api/v1/incidents").headers["Dataset-Version"]
    write("DELETE", draft["url"], status=204, headers=contributor)

    restored = write("POST", f"{draft['url']}/versions/1/restore")

    assert restored["status"] == "draft"
    assert client.get(draft["url"]).status_code == 404
    assert client.get("/api/v1/incidents").headers["Dataset-Version"] == before


def test_a_history_that_is_held_is_not_sent_again(client, editor, record, write):
    path = f"{record['url']}/versions"
    public = client.get(path).headers["ETag"]

    assert client.get(path, headers={"If-None-Match": public}).status_code == 304
    other = client.get(path, headers={**editor, "If-None-Match": public})
    assert other.status_code == 200
    assert other.headers["Cache-Control"] == "private, no-store"
    write("PATCH", record["url"], {"arrests": 1})
    assert client.get(path, headers={"If-None-Match": public}).status_code == 200
