"""Releases: frozen, proven, served unchanged, and revised by an erasure alone."""

import csv
import gzip
import hashlib
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy.exc import OperationalError

from api.database.engines import db
from api.exports import release_package, releases

RELEASES = "/api/v1/releases"
INCIDENTS = "/api/v1/incidents"
WORD = "Quagmirex"


@pytest.fixture
def freeze(client, admin):
    """Return a function that makes a release and returns its description."""

    def make(name="2026-11", status=201, headers=None, **body):
        answer = client.post(RELEASES, json={"name": name, **body}, headers=headers or admin)
        assert answer.status_code == status, answer.text
        return answer.json

    return make


def content(client, file):
    """Return what a file of a release holds, unpacked."""
    data = client.get(file["url"]).data
    return gzip.decompress(data) if file["name"].endswith(".gz") else data


@pytest.fixture
def record(client, editor, incident):
    """Return a published record with a source and a claim."""
    claim = {"field": "arrests", "value": 3, "text": "=three"}
    article = {"url": "https://news.example/1", "title": f"{WORD} report"}
    source = {"article": article, "locator": "p1", "claims": [claim]}
    body = incident(summary=f"{WORD} said", arrests=3, sources=[source])
    return client.post(INCIDENTS, json=body, headers=editor).json


def test_a_release_has_files_that_prove_themselves(client, freeze, record):
    made = freeze(doi="10.5281/zenodo.1", title="Incidents")
    assert made["dataset_version"] == int(client.get(INCIDENTS).headers["Dataset-Version"])
    assert "https://doi.org/10.5281/zenodo.1" in made["citation"]
    assert [file["name"] for file in made["files"]] == [
        "incidents.ndjson",
        "incidents.csv",
        "claims.csv",
        "incidents.ndjson.gz",
        "incidents.csv.gz",
        "claims.csv.gz",
        "incidents.parquet",
        *release_package.MEDIA_TYPES,
    ]
    for file in made["files"]:
        answer = client.get(file["url"])
        assert hashlib.sha256(answer.data).hexdigest() == file["sha256"]
        assert len(answer.data) == file["bytes"] == int(answer.headers["Content-Length"])
        assert file["records"] == (0 if file["name"] in release_package.MEDIA_TYPES else 1)
        assert answer.headers["Link"] == f'<{file["url"]}>; rel="canonical"'
    assert json.loads(client.get(made["files"][0]["url"]).data) == record
    (claim,) = csv.DictReader(
        io.StringIO(client.get(made["files"][2]["url"]).text.lstrip("\ufeff"))
    )
    assert (claim["incident"], claim["value"], claim["text"]) == (record["id"], "3", "'=three")


def test_a_release_stands_whatever_changes_after_it(client, editor, freeze, record, incident):
    made = freeze()
    client.patch(f"{INCIDENTS}/{record['id']}", json={"version": 1, "arrests": 9}, headers=editor)
    client.post(INCIDENTS, json=incident(city="Lviv"), headers=editor)
    assert client.get(f"{RELEASES}/2026-11").json == made
    assert json.loads(client.get(made["files"][0]["url"]).data)["arrests"] == 3
    assert [one["name"] for one in client.get(RELEASES).json["data"]] == ["2026-11"]


def test_drafts_and_withdrawn_records_are_in_no_release(
    client, editor, contributor, freeze, record, incident
):
    client.post(INCIDENTS, json=incident(city="Lviv"), headers=contributor)
    path = f"{INCIDENTS}/{record['id']}"
    client.delete(path, headers={**editor, "If-Match": "*"})
    assert [file["records"] for file in freeze()["files"]] == [0] * 13


def test_an_erasure_makes_a_new_revision_and_keeps_both_digests(
    client, admin, freeze, record, incident, editor
):
    client.post(INCIDENTS, json=incident(city="Lviv"), headers=editor)
    made = freeze()
    path = f"{INCIDENTS}/{record['id']}/erase"
    assert (
        client.post(path, json={"version": 1, "fields": ["summary"]}, headers=admin).status_code
        == 200
    )
    second = client.get(f"{RELEASES}/2026-11").json
    assert (second["revision"], len(second["revisions"])) == (2, 2)
    assert second["revisions"][0]["files"][0]["sha256"] == made["files"][0]["sha256"]
    assert f"{WORD} said" not in client.get(second["files"][0]["url"]).text
    article = record["sources"][0]["article"]["id"]
    client.post(f"/api/v1/articles/{article}/erase", json={"version": 1}, headers=admin)
    third = client.get(f"{RELEASES}/2026-11").json
    for file in third["files"]:
        assert WORD.encode() not in content(client, file)
    client.post(path, json={"version": 3}, headers=admin)
    last = client.get(f"{RELEASES}/2026-11").json
    assert (last["revision"], last["files"][0]["records"]) == (4, 1)
    assert record["id"] not in client.get(last["files"][0]["url"]).text


def test_an_erasure_that_is_not_stored_leaves_the_release_as_it_was(
    app, client, admin, freeze, record, monkeypatch
):
    made = freeze()
    path = f"{INCIDENTS}/{record['id']}/erase"
    with monkeypatch.context() as broken:

        def no_room(*_):
            raise OperationalError("COMMIT", None, Exception("disk I/O error"))

        broken.setattr(FlaskSession, "commit", no_room)
        assert client.post(path, json={"version": 1}, headers=admin).status_code >= 500
    for file in made["files"]:
        assert hashlib.sha256(client.get(file["url"]).data).hexdigest() == file["sha256"]
    assert client.post(path, json={"version": 1}, headers=admin).status_code == 204
    for file in client.get(f"{RELEASES}/2026-11").json["files"]:
        assert WORD.encode() not in content(client, file)


def test_files_that_were_left_behind_go_and_those_that_stand_stay(app, freeze, record):
    freeze("2026-tidy")
    with app.app_context():
        place = releases.folder() / "2026-tidy"
        for name in ("r0", ".1234567890"):
            (place / name).mkdir()
            (place / name / "incidents.ndjson").write_text(WORD)
        releases.tidy(db.session())
        assert [path.name for path in place.iterdir()] == ["r1"]


def test_a_file_that_is_not_there_is_no_fault_without_words(app, client, freeze, record):
    (file, *_) = freeze("2026-absent")["files"]
    with app.app_context():
        (releases.folder() / "2026-absent" / "r1" / file["name"]).unlink()
    answer = client.get(file["url"])
    assert (answer.status_code, answer.json["detail"][:28]) == (503, "The file is being replaced, ")
    assert answer.headers["Retry-After"]


def test_only_an_admin_makes_a_release_and_no_name_is_taken_twice(
    client, editor, contributor, freeze
):
    assert client.post(RELEASES, json={"name": "x"}).status_code == 401
    freeze(headers=contributor, status=403)
    freeze(headers=editor, status=403)
    freeze()
    freeze(status=409)
    freeze(name="Not A Slug", status=422)
    assert client.get(f"{RELEASES}/other").status_code == 404
    assert client.get(f"{RELEASES}/2026-11/other.csv").status_code == 404


def test_a_doi_is_noted_later(client, admin, freeze):
    freeze()
    answer = client.patch(f"{RELEASES}/2026-11", json={"doi": "10.5281/zenodo.7"}, headers=admin)
    assert answer.json["doi"] == "10.5281/zenodo.7"
    bad = client.patch(f"{RELEASES}/2026-11", json={"doi": "https://x"}, headers=admin)
    assert bad.status_code == 422


@pytest.mark.slow
@pytest.mark.parametrize("same", [True, False])
def test_two_releases_at_once_are_each_whole_or_refused(
    database, live_server, admin, editor, client, record, same
):
    names = ["twice", "twice" if same else "other"]
    gate = threading.Barrier(len(names) + 1)

    def make(name):
        gate.wait()
        return requests.post(f"{live_server}{RELEASES}", json={"name": name}, headers=admin)

    with ThreadPoolExecutor(len(names)) as pool:
        answers = [pool.submit(make, name) for name in names]
        gate.wait()
        statuses = sorted(answer.result().status_code for answer in answers)
    assert statuses == ([201, 409] if same else [201, 201])
    for name in {*names}:
        for file in client.get(f"{RELEASES}/{name}").json["files"]:
            data = requests.get(live_server + file["url"], timeout=30).content
            assert hashlib.sha256(data).hexdigest() == file["sha256"]


def test_a_release_is_of_one_state_while_others_write_and_erase(
    app, client, admin, editor, record, incident, freeze, monkeypatch
):
    """What is published, or erased, while its files are written, is not half in it."""
    write = releases._file

    def elsewhere(path, body, headers):
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(client.post, path, json=body, headers=headers).result()

    def meanwhile(path, *more):
        with monkeypatch.context() as once:
            once.setattr(releases, "_file", write)
            body = incident(city="Lviv")
            posted = elsewhere(f"{INCIDENTS}?allow_duplicate=true", body, editor)
            assert posted.status_code == 201  # no writer waits for a release
        return write(path, *more)

    monkeypatch.setattr(releases, "_file", meanwhile)
    made = freeze()
    assert made["dataset_version"] < int(client.get(INCIDENTS).headers["Dataset-Version"])
    assert [file["records"] for file in made["files"][:2]] == [1, 1]

    def erase(path, *more):
        monkeypatch.setattr(releases, "_file", write)
        address = f"{INCIDENTS}/{record['id']}/erase"
        assert elsewhere(address, {"version": 1}, admin).status_code == 204
        return write(path, *more)

    monkeypatch.setattr(releases, "_file", erase)
    for file in freeze("2026-12")["files"]:
        assert WORD.encode() not in content(client, file)
