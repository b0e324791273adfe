"""The change feed: every public change in commit order, from which copies stay in step."""

import threading
import time

import pytest
from sqlalchemy import text

from api import feed
from api.db import db, transaction

PAPER = {"id": "p1paper000", "title": "A report", "url": "https://news.example/a"}


@pytest.fixture
def write(client, editor):
    """Give a function that sends a write as an editor and gives what it answers."""

    def send(method, path, body=None, headers=editor):
        headers = {**headers, "If-Match": "*"}
        answer = client.open(f"/api/v1{path}", method=method, json=body, headers=headers)
        assert answer.status_code < 300, answer.get_data(as_text=True)
        return answer.json

    return send


@pytest.fixture
def since(client):
    """Give the number of the last change before the test."""
    return client.get("/api/v1/changes").json["last_seq"]


def changes(client, since, query=""):
    answer = client.get(f"/api/v1/changes?since={since}&limit=1000{query}")
    assert answer.status_code == 200, answer.json
    assert answer.json["next"] is None
    assert answer.json["last_seq"] == int(answer.headers["Dataset-Version"])
    return answer.json["data"]


def test_every_public_change_is_told_in_order_with_the_document_of_its_version(
    client, since, incident, write
):
    made = write("POST", "/incidents", incident())
    changed = write("PATCH", f"/incidents/{made['id']}", {"arrests": 3})

    found = changes(client, since)

    assert [one["seq"] for one in found] == [since + 1, since + 2]
    assert [one["action"] for one in found] == ["created", "changed"]
    assert [one["version"] for one in found] == [1, 2]
    assert [one["incident"] for one in found] == [made, changed]
    assert found[1]["at"] == changed["updated_at"]
    assert all(set(one) == {"seq", "action", "id", "version", "at", "incident"} for one in found)


def test_a_withdrawal_takes_back_the_documents_of_all_earlier_entries(
    client, since, incident, write
):
    path = f"/incidents/{write('POST', '/incidents', incident(title='Withdrawn'))['id']}"
    write("PATCH", path, {"arrests": 3})
    write("DELETE", path)

    assert [(one["action"], one["incident"]) for one in changes(client, since)] == [
        ("created", None),
        ("changed", None),
        ("withdrawn", None),
    ]
    assert "Withdrawn" not in client.get("/api/v1/changes").get_data(as_text=True)

    restored = write("POST", f"{path}/versions/2/restore")
    found = changes(client, since)
    assert [one["action"] for one in found][2:] == ["withdrawn", "restored"]
    assert [one["incident"] is None for one in found] == [False, False, True, False]
    assert found[3]["incident"] == restored


def test_a_merge_and_its_undoing_are_told_of_both_records(client, since, incident, write):
    one = write("POST", "/incidents", incident())
    other = write("POST", "/incidents?allow_duplicate=true", incident(arrests=2))
    write("POST", f"/incidents/{other['id']}/merge", {"into": one["id"]})

    found = {(entry["action"], entry["id"]): entry for entry in changes(client, since)}
    assert found["merged", other["id"]]["incident"] is None
    assert found["created", other["id"]]["incident"] is None
    assert found["changed", one["id"]]["incident"]["former_ids"] == [other["id"]]


def test_drafts_are_in_no_entry_until_they_are_published(
    client, since, contributor, incident, write
):
    draft = write("POST", "/incidents", incident(sources=[{"article": PAPER}]), contributor)
    path = f"/incidents/{draft['id']}"
    write("PATCH", path, {"title": "A better draft"}, contributor)
    assert changes(client, since) == []

    write("PATCH", path, {"status": "published"})

    article, record = changes(client, since)
    assert (article["action"], article["resource"], article["id"]) == (
        "vocabulary", "article", PAPER["id"],
    )  # fmt: skip
    assert (record["action"], record["version"]) == ("created", 3)


def test_what_incidents_refer_to_is_told_by_its_kind_without_documents(
    client, since, incident, write
):
    record = write("POST", "/incidents", incident(sources=[{"article": PAPER}]))
    write("PATCH", "/communities/armenian", {"aliases": ["Hay"]})
    write("PATCH", f"/articles/{PAPER['id']}", {"title": "A better title"})
    write("POST", "/episodes", {"id": "a-wave", "name": "A wave"})
    write("DELETE", "/episodes/a-wave")

    found = changes(client, since)

    assert [(one["action"], one.get("resource"), one["id"]) for one in found] == [
        ("vocabulary", "article", PAPER["id"]),
        ("created", None, record["id"]),
        ("vocabulary", "community", "armenian"),
        ("vocabulary", "article", PAPER["id"]),
        ("changed", None, record["id"]),
        ("vocabulary", "episode", "a-wave"),
        ("vocabulary", "episode", "a-wave"),
    ]
    assert all(("incident" in one) != ("resource" in one) for one in found)


def test_a_rename_of_a_community_touches_no_record_and_is_found_at_once(
    client, since, incident, write
):
    record = write("POST", "/incidents", incident())
    write("PATCH", "/communities/armenian", {"name": "Renamed"})

    assert client.get(record["url"]).json == record
    assert client.get("/api/v1/communities/armenian").json["name"] == "Renamed"
    assert changes(client, since + 1)[0]["resource"] == "community"


def test_a_corrected_article_is_told_as_versions_with_the_reason(client, since, incident, write):
    records = [
        write("POST", "/incidents?allow_duplicate=true", incident(sources=[{"article": PAPER}]))
        for _ in range(2)
    ]
    body = {"publisher": "Morning Post", "reason": "the paper was named wrongly"}
    write("PATCH", f"/articles/{PAPER['id']}", body)

    told = {one["id"]: one["incident"] for one in changes(client, since + 3) if "incident" in one}
    assert told.keys() == {record["id"] for record in records}
    for record in records:
        assert told[record["id"]]["sources"][0]["article"]["publisher"] == "Morning Post"
        assert client.get(record["url"]).json == told[record["id"]]
        history = client.get(f"{record['url']}/versions").json["data"]
        assert history[1]["reason"] == "the paper was named wrongly"


def test_the_feed_can_tell_only_what_changed(client, since, incident, write):
    record = write("POST", "/incidents", incident())

    (entry,) = changes(client, since, "&documents=false")

    assert entry == {
        "seq": since + 1, "action": "created", "id": record["id"], "version": 1,
        "at": record["created_at"],
    }  # fmt: skip


def test_the_feed_is_read_in_stretches_that_lead_on(client, incident, write):
    for number in range(5):
        write("POST", "/incidents?allow_duplicate=true", incident(arrests=number))

    read, address = [], "/api/v1/changes?limit=2&documents=false"
    while address:
        page = client.get(address)
        assert ("Link" in page.headers) == (page.json["next"] is not None)
        read += page.json["data"]
        address = page.json["next"]

    last = client.get("/api/v1/changes").json["last_seq"]
    assert [one["seq"] for one in read] == list(range(1, last + 1))


def test_a_stretch_that_ends_with_the_last_change_leads_nowhere(client, since, incident, write):
    write("POST", "/incidents", incident())

    assert client.get(f"/api/v1/changes?since={since}&limit=1").json["next"] is None
    assert client.get(f"/api/v1/changes?since={since + 1}").json == {
        "data": [], "next": None, "last_seq": since + 1,
    }  # fmt: skip


@pytest.mark.parametrize("query", ["since=-1", "since=x", "limit=0", "limit=1001", "since="])
def test_what_does_not_fit_is_refused(query, client):
    answer = client.get(f"/api/v1/changes?{query}")

    assert answer.status_code == 422
    assert answer.json["errors"][0]["parameter"] == query.partition("=")[0]


def test_a_number_that_was_not_given_yet_is_refused(client, since):
    answer = client.get(f"/api/v1/changes?since={since + 1}")

    assert answer.status_code == 422
    assert answer.json["errors"][0]["code"] == "beyond_last"
    assert str(since) in answer.json["detail"]


def test_a_feed_that_is_held_is_not_sent_again(client, since, incident, write):
    answer = client.get("/api/v1/changes")
    assert answer.headers["Cache-Control"] == "public, no-cache"
    held = {"If-None-Match": answer.headers["ETag"]}
    assert client.get("/api/v1/changes", headers=held).status_code == 304

    write("POST", "/incidents", incident())

    assert client.get("/api/v1/changes", headers=held).status_code == 200


def test_a_failed_write_and_a_dry_run_take_no_number(client, since, editor, incident, write):
    record = write("POST", "/incidents", incident())
    client.post("/api/v1/incidents", json=incident(), headers=editor)
    client.post("/api/v1/incidents?dry_run=true", json=incident(arrests=1), headers=editor)
    client.patch(record["url"], json={"title": None, "version": 1}, headers=editor)
    write("PATCH", f"/incidents/{record['id']}", {"title": record["title"]})

    assert [one["seq"] for one in changes(client, since)] == [since + 1]


def test_a_savepoint_gives_no_number_before_the_commit(app, client, since):
    with app.app_context(), transaction() as session:
        feed.announce(
            session, resource="community", action="vocabulary", id="armenian", version=1,
            at=feed.now(),
        )  # fmt: skip
        with session.begin_nested():
            pass
        assert "announced" in session.info

    assert [one["seq"] for one in changes(client, since)] == [since + 1]


def test_a_writer_that_has_a_number_holds_back_those_after_it(app, client, since, write, incident):
    """Nobody may see a number while a lower one is still to come."""
    done = []
    later = threading.Thread(target=lambda: done.append(write("POST", "/incidents", incident())))
    with app.app_context(), db.engine.connect().execution_options(immediate=True) as slow:
        slow.execute(text("UPDATE dataset SET version = version + 1"))
        later.start()
        time.sleep(0.3)
        assert changes(client, since) == []
        slow.execute(
            text(
                "INSERT INTO changes (seq, resource, action, id, version, at) "
                "VALUES (:seq, 'community', 'vocabulary', 'slow', 1, :at)"
            ),
            {"seq": since + 1, "at": feed.now()},
        )
        assert changes(client, since) == []
        assert not done
        slow.commit()
    later.join()

    assert [one["id"] for one in changes(client, since)] == ["slow", done[0]["id"]]
