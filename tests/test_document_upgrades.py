"""Documents that can grow: a database written before the newest fields goes on working.

Such a database is made by taking fields out of every stored document, as a service that did not
know them would have left it; its rows have the defaults.
"""

import json

import pytest
from sqlalchemy import select, update

from api import create_app
from api.database.engines import db
from api.database.transactions import transaction
from api.http import conditional
from api.models import Dataset, Incident, Version
from tests import conftest
from tests.test_feed import Mirror

API = "/api/v1"
YOUNGER = {
    "venue": None,
    "police_measures": [],
    "external_ids": [],
    "tags": [],
    "episode": None,
    "deaths": None,
    "deaths_text": "not reported",
}


def plain(session):
    """Return every stored document by the key of its version."""
    return dict(map(tuple, session.execute(select(Version.pk, Version.document))))


def grow_old(app):
    """Take the younger fields out of all that APP's database stores."""
    with app.app_context(), transaction() as session:
        for pk, text in plain(session).items():
            document = json.loads(text)
            kept = {name: document[name] for name in document if name not in YOUNGER}
            older = json.dumps(kept, separators=(",", ":"), ensure_ascii=False)
            session.execute(update(Version).where(Version.pk == pk).values(document=older))
        session.execute(update(Dataset).values(newest_field=0))


class Service:
    """A service on a database that was written before the younger fields, and its records."""

    def __init__(self, app, headers):
        self.app = app
        self.client = app.test_client()
        self.headers = headers

    def get(self, path, status=200, **headers):
        answer = self.client.get(f"{API}{path}", headers=headers)
        assert answer.status_code == status, answer.text
        return answer

    def send(self, method, path, body=None):
        headers = {**self.headers, "If-Match": "*"}
        answer = self.client.open(f"{API}{path}", method=method, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.json

    def upgrade(self):
        result = self.app.test_cli_runner().invoke(args=["documents", "upgrade"])
        assert result.exit_code == 0, result.output
        return result.stdout


PAPER = {"id": "p1paper000", "title": "A report", "url": "https://news.example/a"}
SOURCE = {"article": PAPER, "locator": "p. 1", "claims": [{"field": "arrests", "value": 13}]}


def fill(send, incident):
    """Make records of every kind; return their ids."""
    ids = {}
    for name, city in (("one", "Kyiv"), ("other", "Odesa"), ("third", "Lviv"), ("gone", "Kharkiv")):
        body = incident(title=f"Clash {name}", city=city, country="UA", sources=[SOURCE])
        ids[name] = send("POST", "/incidents", body)["id"]
    send("PATCH", f"/incidents/{ids['one']}", {"arrests": 13})
    draft = {"corrects": ids["third"], "summary": "Corrected.", "status": "draft"}
    ids["draft"] = send("POST", "/incidents", {**incident(city="Lviv", country="UA"), **draft})[
        "id"
    ]
    send("DELETE", f"/incidents/{ids['gone']}")
    return ids


@pytest.fixture
def older(app, database, editor, admin, incident):
    """Return a service on a database written before the younger fields, not yet upgraded."""
    service = Service(app, {**editor, **admin})
    service.ids = fill(service.send, incident)
    grow_old(app)
    # The API's description has every field required: this service is not held to it.
    service.app = create_app({"DATABASE_URL": database.url, "RATELIMIT_ENABLED": False})
    service.client = service.app.test_client()
    yield service
    conftest.close(service.app)


@pytest.fixture(params=["not upgraded", "upgraded"])
def service(request, older):
    """Return the service before its documents were upgraded, and after."""
    if request.param == "upgraded":
        older.upgrade()
    return older


@pytest.mark.parametrize(
    "path",
    [
        "/incidents?fields=id,venue,deaths_text,police_measures",
        "/incidents?q=clash&country=UA&max_arrests=20",
        "/incidents.csv",
        "/incidents.csv?fields=id,venue,deaths",
        "/incidents.ndjson?fields=id,venue",
        "/incidents.ndjson",
        "/incidents.geojson?fields=id,venue",
        "/incidents.geojson",
        "/search?q=clash",
        "/claims",
        "/claims.csv",
        "/stats?group_by=type",
        "/changes",
    ],
)
def test_records_are_listed_and_exported(service, path):
    text = service.get(path).text
    if "fields" not in path and path.startswith("/incidents."):
        assert text.count("Clash") == 3
    if "fields=id,venue,deaths_text" in path:
        expected = {"venue": None, "deaths_text": "not reported", "police_measures": []}
        assert all(record.items() >= expected.items() for record in service.get(path).json["data"])


def test_a_record_is_patched_and_its_versions_are_compared(service):
    path = f"/incidents/{service.ids['one']}"
    changed = service.send("PATCH", path, {"injuries": 2, "venue": "A market"})
    assert changed.items() >= {**YOUNGER, "venue": "A market", "injuries": 2}.items()
    patches = [entry["patch"] for entry in service.get(f"{path}/versions").json["data"]]
    changed_by = [sorted({part["path"].split("/")[1] for part in patch or ()}) for patch in patches]
    counts = {"arrests", "arrests_low", "arrests_high", "arrests_text"}
    assert set(changed_by[1]) == {*counts, "version", "updated_at"}
    assert "venue" in changed_by[2]
    assert "deaths" not in changed_by[2]
    assert service.send("PATCH", path, {"venue": None})["venue"] is None


def test_an_earlier_version_is_served_as_it_was_stored_and_restored(service):
    path = f"/incidents/{service.ids['one']}"
    stored = service.get(f"{path}/versions/1")
    assert not YOUNGER.keys() & stored.json.keys()
    restored = service.send("POST", f"{path}/versions/1/restore", {})
    assert restored.items() >= {**YOUNGER, "arrests": None, "version": 3}.items()
    assert service.get(f"{path}/versions/1").text == stored.text


def test_a_withdrawn_record_is_restored(service):
    path = f"/incidents/{service.ids['gone']}"
    restored = service.send("POST", f"{path}/versions/1/restore", {})
    assert restored.items() >= {**YOUNGER, "status": "published"}.items()


def test_a_correction_is_published_and_records_are_merged(service):
    service.send("POST", f"/incidents/{service.ids['draft']}/publish", {})
    corrected = service.get(f"/incidents/{service.ids['third']}").json
    assert corrected.items() >= {**YOUNGER, "summary": "Corrected."}.items()
    into = {"into": service.ids["one"], "reason": "the same"}
    merged = service.send("POST", f"/incidents/{service.ids['other']}/merge", into)
    assert merged.items() >= YOUNGER.items()
    assert service.ids["other"] in merged["former_ids"]


@pytest.mark.parametrize("fields", [["venue"], ["title", "arrests", "sources"], None])
def test_a_record_is_erased(service, fields):
    path = f"/incidents/{service.ids['one']}"
    service.send("POST", f"{path}/erase", {"fields": fields} if fields else {})
    if fields:
        assert service.get(path).json.items() >= YOUNGER.items()
        assert "venue" not in service.get(f"{path}/versions/1").json
    else:
        service.get(path, status=410)


def test_a_page_shows_a_record_and_what_changed(service):
    answer = service.client.get(f"/incidents/{service.ids['one']}")
    assert answer.status_code == 200, answer.text


def test_an_upgrade_completes_the_current_documents_in_place(older):
    columns = select(Incident.id, Incident.version, Incident.updated_at, Incident.document_pk)
    with older.app.app_context():
        rows, texts = db.session.execute(columns).all(), plain(db.session)
    last = older.get("/changes").json["last_seq"]

    assert older.upgrade() == "5 documents gained a field.\n"

    with older.app.app_context():
        assert db.session.execute(columns).all() == rows
        current = {row.document_pk for row in rows}
        for pk, text in plain(db.session).items():
            if pk in current:
                assert list(json.loads(text)) == list(
                    older.get(f"/incidents/{older.ids['one']}").json
                )
                assert json.loads(text).items() >= {**json.loads(texts[pk]), **YOUNGER}.items()
            else:
                assert text == texts[pk]
    (entry,) = older.get(f"/changes?since={last}").json["data"]
    assert list(entry) == ["seq", "action", "resource", "at"]
    assert (entry["seq"], entry["action"], entry["resource"]) == (last + 1, "upgraded", "incident")
    assert older.upgrade() == "0 documents gained a field.\n"
    assert older.get("/changes").json["last_seq"] == last + 1


def test_a_service_is_not_started_before_its_documents_are_upgraded(older):
    run = older.app.test_cli_runner().invoke
    older.client.get("/readyz").json["detail"].index("documents upgrade")
    refused = run(args=["serve"])
    assert refused.exit_code == 1
    assert "flask --app api documents upgrade" in refused.output
    result = run(args=["setup"])
    assert result.exit_code == 0, result.output
    assert older.client.get("/readyz").status_code == 200
    check = run(args=["verify"])
    assert "faults" not in check.output.partition("erasures")[0], check.output


def test_a_tag_says_which_fields_an_answer_has(older, monkeypatch):
    older.upgrade()
    paths = [f"/incidents/{older.ids['one']}", "/incidents", "/incidents.csv", "/changes"]
    before = [older.get(path).headers["ETag"] for path in paths]
    monkeypatch.setattr(conditional, "_FIELDS", "-f99")
    for path, tag in zip(paths, before, strict=True):
        answer = older.get(path, **{"If-None-Match": tag})
        assert "-f99" in answer.headers["ETag"]
        older.get(path, status=304, **{"If-None-Match": answer.headers["ETag"]})
    headers = {**older.headers, "If-Match": older.get(paths[0]).headers["ETag"]}
    patched = older.client.patch(API + paths[0], json={"arrests": 1}, headers=headers)
    assert patched.status_code == 200, patched.text


@pytest.mark.slow
def test_a_copy_that_follows_the_feed_has_every_field(live_server, older, tmp_path):
    mirror = Mirror(live_server, tmp_path / "copy.sqlite")
    mirror.load()
    older.upgrade()
    while mirror.step():
        pass
    copy = dict(mirror.copy.execute("SELECT id, document FROM incidents"))
    served = older.get("/incidents.ndjson").text.splitlines()
    assert sorted(map(json.loads, copy.values()), key=lambda one: one["id"]) == sorted(
        map(json.loads, served), key=lambda one: one["id"]
    )
