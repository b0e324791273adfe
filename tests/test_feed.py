"""The change feed: every public change in commit order, from which copies stay in step.

The proof with eight writers runs for FEED_SECONDS, three unless set; FEED_SECONDS=60 is the long
one.
"""

import json
import os
import random
import runpy
import sqlite3
import sys
import threading
import time
import urllib.error
import urllib.request
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text

from api.core import clock
from api.database.engines import db
from api.database.transactions import transaction
from api.records import feed
from tests import processes, servers

SECONDS = float(os.environ.get("FEED_SECONDS", "3"))
MIRROR = Path(__file__).parent.parent / "examples" / "mirror.py"
Mirror = runpy.run_path(str(MIRROR))["Mirror"]
PAPER = {"id": "p1paper000", "title": "A report", "url": "https://news.example/a"}


@pytest.fixture
def write(client, editor):
    """Return a function that sends a write as an editor and returns what it answers."""

    def send(method, path, body=None, headers=editor):
        headers = {**headers, "If-Match": "*"}
        answer = client.open(f"/api/v1{path}", method=method, json=body, headers=headers)
        assert answer.status_code < 300, answer.get_data(as_text=True)
        return answer.json

    return send


@pytest.fixture
def since(client):
    """Return the number of the last change before the test."""
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
        "vocabulary",
        "article",
        PAPER["id"],
    )
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

    incidents = {
        one["id"]: one["incident"] for one in changes(client, since + 3) if "incident" in one
    }
    assert incidents.keys() == {record["id"] for record in records}
    for record in records:
        assert incidents[record["id"]]["sources"][0]["article"]["publisher"] == "Morning Post"
        assert client.get(record["url"]).json == incidents[record["id"]]
        history = client.get(f"{record['url']}/versions").json["data"]
        assert history[1]["reason"] == "the paper was named wrongly"


def test_the_feed_can_tell_only_what_changed(client, since, incident, write):
    record = write("POST", "/incidents", incident())

    (entry,) = changes(client, since, "&documents=false")

    assert entry == {
        "seq": since + 1,
        "action": "created",
        "id": record["id"],
        "version": 1,
        "at": record["created_at"],
    }


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
        "data": [],
        "next": None,
        "last_seq": since + 1,
    }


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
    cached = {"If-None-Match": answer.headers["ETag"]}
    assert client.get("/api/v1/changes", headers=cached).status_code == 304

    write("POST", "/incidents", incident())

    assert client.get("/api/v1/changes", headers=cached).status_code == 200


def test_a_failed_write_and_a_dry_run_take_no_number(client, since, editor, incident, write):
    record = write("POST", "/incidents", incident())
    client.post("/api/v1/incidents", json=incident(), headers=editor)
    client.post("/api/v1/incidents?dry_run=true", json=incident(arrests=1), headers=editor)
    client.patch(record["url"], json={"title": None, "version": 1}, headers=editor)
    write("PATCH", f"/incidents/{record['id']}", {"title": record["title"]})

    assert [one["seq"] for one in changes(client, since)] == [since + 1]


def test_a_savepoint_gives_no_number_before_the_commit(app, client, since):
    with app.app_context(), transaction() as session:
        feed.record_change(
            session,
            resource="community",
            action="vocabulary",
            id="armenian",
            version=1,
            at=clock.now(),
        )
        with session.begin_nested():
            pass
        assert "changes" in session.info

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
            {"seq": since + 1, "at": clock.now()},
        )
        assert changes(client, since) == []
        assert not done
        slow.commit()
    later.join()

    assert [one["id"] for one in changes(client, since)] == ["slow", done[0]["id"]]


# A reference consumer, and the proof that it stays in step.


def copied(path):
    """Return the documents of a copy by id, and the number of the last change that is in it."""
    with sqlite3.connect(path, timeout=30) as copy:
        records = {
            id_: json.loads(document)
            for id_, document in copy.execute("SELECT id, document FROM incidents")
        }
        (seq,) = copy.execute("SELECT seq FROM place").fetchone() or (None,)
    copy.close()
    return records, seq


def served(address, plural="incidents"):
    """Return the documents that a service serves by id."""
    records, path = {}, f"/api/v1/{plural}?limit=1000"
    while path:
        with urllib.request.urlopen(address + path) as answer:
            page = json.load(answer)
        records |= {one["id"]: one for one in page["data"]}
        path = page["next"]
    return records


@pytest.mark.slow
def test_a_copy_begins_with_an_export_and_follows_the_feed(
    seeded, live_server, tmp_path, incident, write
):
    mirror = Mirror(live_server, tmp_path / "copy.sqlite")
    assert mirror.seq is None
    mirror.load()
    assert copied(tmp_path / "copy.sqlite")[0] == served(live_server)

    path = f"/incidents/{write('POST', '/incidents', incident())['id']}"
    write("PATCH", path, {"summary": "«Кишинёв»  \u2028"})
    write("DELETE", "/incidents/3a8a51z8j1")
    assert mirror.step() is False

    records, seq = copied(tmp_path / "copy.sqlite")
    assert records == served(live_server)
    assert path.rpartition("/")[2] in records
    assert "3a8a51z8j1" not in records
    assert seq == mirror.seq == Mirror(live_server, tmp_path / "copy.sqlite").seq


class Writer(threading.Thread):
    """Does what curators do, at random, until it is told to stop."""

    def __init__(self, number, address, editor, contributor, ids, stop):
        super().__init__(name=f"writer {number}")
        self.chance = random.Random(number)
        self.address, self.editor, self.contributor = address, editor, contributor
        self.ids, self.stop = ids, stop
        self.written = 0
        self.odd = []

    def run(self):
        acts = [
            self.post,
            self.post,
            self.amend,
            self.amend,
            self.cite,
            self.draft,
            self.withdraw,
            self.restore,
            self.correct,
            self.merge,
        ]
        while not self.stop.is_set():
            self.chance.choice(acts)()

    def send(self, method, path, body=None, headers=None):
        request = urllib.request.Request(
            f"{self.address}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                **(headers or self.editor),
                "If-Match": "*",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                self.written += 1
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            # Others withdraw, merge and delete at the same time; busy is busy.
            if error.code not in (404, 409, 410, 412, 422, 503):
                self.odd.append((method, path, error.code, error.read()))
            error.close()
            return None

    def body(self):
        day = self.chance.randrange(1, 29)
        paper = self.paper()
        return {
            "title": f"An event of {self.name}",
            "type": "rally",
            "date": f"2020-07-{day:02}",
            "city": self.chance.choice(["Kyiv", "Moscow", "Brussels"]),
            "country": None,
            "communities": ["armenian"],
            "arrests": self.chance.randrange(50),
            "sources": [{"article": {"id": paper, "title": f"Report {paper}"}}],
        }

    def paper(self):
        return f"paper{self.chance.randrange(20):05}"

    def known(self):
        return self.chance.choice(self.ids)

    def post(self, headers=None):
        body = self.body()
        body["country"] = {"Kyiv": "UA", "Moscow": "RU", "Brussels": "BE"}[body["city"]]
        made = self.send("POST", "/incidents?allow_duplicate=true", body, headers)
        if made:
            self.ids.append(made["id"])
        return made

    def draft(self):
        made = self.post(self.contributor)
        if made and self.chance.random() < 0.5:
            self.send("PATCH", f"/incidents/{made['id']}", {"status": "published"})

    def amend(self):
        self.send("PATCH", f"/incidents/{self.known()}", {"arrests": self.chance.randrange(99)})

    def cite(self):
        source = self.body()["sources"][0]
        self.send("POST", f"/incidents/{self.known()}/sources", {**source, "locator": self.name})

    def withdraw(self):
        self.send("DELETE", f"/incidents/{self.known()}")

    def restore(self):
        self.send("POST", f"/incidents/{self.known()}/versions/1/restore")

    def merge(self):
        if self.chance.random() < 0.2:
            self.send("POST", f"/incidents/{self.known()}/merge", {"into": self.known()})

    def correct(self):
        title = f"Corrected by {self.name} {self.written} times"
        self.send("PATCH", f"/articles/{self.paper()}", {"title": title})


def watch(address, since, stop, faults):
    """Follow the bare feed closely and note every number that is skipped or comes twice."""
    while not stop.is_set():
        with urllib.request.urlopen(
            f"{address}/api/v1/changes?documents=false&limit=1000&since={since}"
        ) as answer:
            page = json.load(answer)
        numbers = [since, *(one["seq"] for one in page["data"])]
        faults += [pair for pair in pairwise(numbers) if pair[1] != pair[0] + 1]
        since = numbers[-1]
        if page["next"] is None and since != page["last_seq"]:
            faults.append((since, page["last_seq"]))


def consumer(address, file):
    """Start the reference consumer as anyone would."""
    return processes.start(
        [sys.executable, str(MIRROR), address, str(file), "0.02"], stop_signal="KILL"
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_copies_equal_the_service_after_eight_writers_at_once(
    app, client, since, editor, contributor, incident, write, tmp_path
):
    """Two consumers follow meanwhile, one of them cut off at random."""
    ids = [write("POST", "/incidents", incident())["id"]]
    steady, cut_off = tmp_path / "steady.sqlite", tmp_path / "cut-off.sqlite"
    with servers.serving(
        app.config["DATABASE_URL"], workers=2, RATELIMIT_ENABLED="false"
    ) as address:
        stop, faults = threading.Event(), []
        writers = [Writer(number, address, editor, contributor, ids, stop) for number in range(8)]
        watcher = threading.Thread(target=watch, args=(address, since, stop, faults))
        follower, victim = consumer(address, steady), consumer(address, cut_off)
        cuts, chance = 0, random.Random(0)
        for thread in (*writers, watcher):
            thread.start()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.1, 0.6))
            processes.stop(victim)
            cuts += 1
            victim = consumer(address, cut_off)
        stop.set()
        for thread in (*writers, watcher):
            thread.join()
        last = client.get("/api/v1/changes").json["last_seq"]
        await_copies(last, steady, cut_off)
        expected, articles = served(address), served(address, "articles")
        for process in (follower, victim):
            processes.stop(process)

    assert [writer.odd for writer in writers if writer.odd] == []
    assert faults == []
    assert cuts > 2
    assert sum(writer.written for writer in writers) > 40
    assert min(writer.written for writer in writers) > 0
    for file in (steady, cut_off):
        records, seq = copied(file)
        assert seq == last
        assert records.keys() == expected.keys()
        for id_, document in expected.items():
            assert records[id_] == document
    for document in expected.values():
        for shown in (source["article"] for source in document["sources"]):
            cached = articles[shown["id"]]
            assert shown == {name: cached[name] for name in shown}


def await_copies(last, *files, timeout=60):
    """Wait until the copies hold the LAST change."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if all(file.exists() and copied(file)[1] == last for file in files):
            return
        time.sleep(0.1)
    raise AssertionError(f"{[copied(file)[1] for file in files]} of {last} after {timeout} s")
