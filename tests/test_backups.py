"""Backups: taken while others write, they hold one state of the feed, and come back whole."""

import json
import random
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, make_url, text

from api.database.engines import db
from api.database.transactions import transaction
from api.management import audits
from api.management.backups import backup as backups
from api.records import erasure_log, reference_erasures
from tests import builders, servers, tools
from tests.conftest import close

INCIDENTS = "/api/v1/incidents"
SECRET = "Quagmirex"


@pytest.fixture
def folder(tmp_path):
    """Return a folder for what stands beside the database."""
    return tmp_path


@pytest.fixture
def make(make_app, folder, database):
    """Return a function that makes an application whose files are in the folder."""
    if database.engine.name == "postgresql":
        tools.find("pg_dump")

    def made(**settings):
        own = {
            "ERASURE_LOG": str(folder / "erasures.ndjson"),
            "RELEASE_FOLDER": str(folder / "releases"),
            **settings,
        }
        return make_app(**own)

    return made


def run(app, *arguments, status=0):
    """Run a command and return all that it says."""
    result = app.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == status, result.output + repr(result.exception)
    return result.output


def write(app, headers, method, path, body=None):
    answer = app.test_client().open(
        path, method=method, json=body, headers={**headers, "If-Match": "*"}
    )
    assert answer.status_code < 300, answer.text
    return answer.json


def post(app, headers, **changes):
    path = f"{INCIDENTS}?allow_duplicate=true"
    return write(app, headers, "POST", path, builders.incident(**changes))


def served(app):
    """Return all that the public reads: records by id, and the whole feed."""
    client = app.test_client()
    records = [json.loads(line) for line in client.get(f"{INCIDENTS}.ndjson").text.splitlines()]
    feed, following = [], "/api/v1/changes?since=0&limit=1000"
    while following is not None:
        page = client.get(following).json
        feed += page["data"]
        following = page["next"]
    return {record["id"]: record for record in records}, feed


class Writer(threading.Thread):
    """Posts, amends and withdraws until it is told to stop."""

    def __init__(self, number, address, headers, stop):
        super().__init__()
        self.chance, self.address, self.stop = random.Random(number), address, stop
        self.headers = {**headers, "If-Match": "*", "Content-Type": "application/json"}
        self.ids = []

    def run(self):
        for number in count():
            if self.stop.is_set():
                return
            body = builders.incident(arrests=number, date=f"2020-07-{1 + number % 28:02}")
            source = {"article": {"title": f"Report {number}"}, "locator": "p1"}
            made = self.send(
                "POST", f"{INCIDENTS}?allow_duplicate=true", {**body, "sources": [source]}
            )
            self.ids.append(made["id"])
            path = f"{INCIDENTS}/{self.chance.choice(self.ids)}"
            self.send("PATCH", path, {"arrests": number + 1})
            if number % 3 == 0:
                self.send("DELETE", path)

    def send(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, self.headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 409:  # it has withdrawn that one before
                raise
            return None


def await_posts(writers, numbers, timeout=60):
    """Wait until each of WRITERS has posted its number of records."""
    end = time.monotonic() + timeout
    while any(len(writer.ids) < n for writer, n in zip(writers, numbers, strict=True)):
        assert time.monotonic() < end, "the writers do not get on"
        time.sleep(0.01)


@pytest.mark.slow
def test_a_backup_under_load_restores_to_a_state_that_the_feed_names(make, editor, admin, folder):
    app, other = make(), make()
    file = folder / "backup"
    with servers.serving(app.config["DATABASE_URL"], workers=2) as address:
        stop = threading.Event()
        writers = [Writer(number, address, editor, stop) for number in range(4)]
        for writer in writers:
            writer.start()
        try:
            await_posts(writers, [3] * len(writers))
            said = run(app, "backup", str(file))
            await_posts(writers, [len(writer.ids) + 2 for writer in writers])
        finally:
            stop.set()
            for writer in writers:
                writer.join()
    version = int(said.partition("dataset version ")[2].partition(",")[0])
    run(other, "restore", str(file), "--replace")

    records, feed = served(other)
    _, whole = served(app)
    assert 0 < version < len(whole)
    assert [entry["seq"] for entry in feed] == list(range(1, version + 1))
    named = set(feed[0]) - {"incident"}
    for ours, theirs in zip(feed, whole, strict=False):
        assert {name: ours.get(name) for name in named} == {
            name: theirs.get(name) for name in named
        }
    # The last entry of each record up to that number says which version stood then.
    last = {entry["id"]: entry for entry in whole[:version] if "incident" in entry}
    standing = {id_: one for id_, one in last.items() if one["action"] != "withdrawn"}
    assert records.keys() == standing.keys()
    client = app.test_client()
    for id_, entry in standing.items():
        path = f"{INCIDENTS}/{id_}/versions/{entry['version']}"
        assert records[id_] == client.get(path, headers=admin).json
    assert run(other, "verify").count("whole") == 6


@pytest.mark.slow
def test_a_backup_restores_into_a_database_with_nothing_in_it(make, editor, folder, database):
    app = make()
    record = post(app, editor, sources=[{"article": {"title": "A report"}}])
    run(app, "backup", str(folder / "backup"))
    empty = make()
    close(empty)
    drop_everything(empty.config["DATABASE_URL"])
    said = run(empty, "restore", str(folder / "backup"))
    assert served(empty) == served(app)
    assert empty.test_client().get(record["url"]).json == record
    assert f"dataset version {len(served(app)[1])}" in said
    # Writes go on where the backup ended.
    post(empty, editor)
    assert run(empty, "verify").count("whole") == 6


def drop_everything(url):
    url = make_url(url)
    if url.get_backend_name() == "sqlite":
        for file in Path(url.database).parent.glob(f"{Path(url.database).name}*"):
            file.unlink()
        return
    engine = create_engine(url)
    with engine.begin() as connection:
        for name in inspect(connection).get_table_names():
            connection.execute(text(f'DROP TABLE "{name}" CASCADE'))
    engine.dispose()


@pytest.mark.slow
def test_a_database_that_holds_something_is_overwritten_only_when_told(
    make, editor, folder, monkeypatch
):
    monkeypatch.setattr("api.exports.exporter.IN_MEMORY", 100)
    app = make(EXPORT_FOLDER=str(folder / "exports"))
    client, file = app.test_client(), folder / "backup"
    run(app, "backup", str(file))
    kept = post(app, editor)
    client.get(f"{INCIDENTS}.ndjson").close()
    exports = [path for path in (folder / "exports").iterdir() if path.stat().st_size > 100]
    said = run(app, "restore", str(file), status=1)
    assert "holds 1 records, 3 keys" in said
    assert "--replace" in said
    assert client.get(kept["url"]).json == kept
    run(app, "restore", str(file), "--replace")
    assert client.get(kept["url"]).status_code == 404
    # Nor is it in a file of an export.
    assert exports
    assert not any(path.exists() for path in exports)


def page_size(path):
    with closing(sqlite3.connect(path)) as database:
        return database.execute("PRAGMA page_size").fetchone()[0]


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_backup_with_pages_of_another_size_restores(make, editor, folder):
    app, file = make(), folder / "backup"
    record = post(app, editor)
    run(app, "backup", str(file))
    path = make_url(app.config["DATABASE_URL"]).database
    assert page_size(path) == page_size(file) == 8192
    with closing(sqlite3.connect(file)) as backup:
        backup.execute("PRAGMA page_size = 4096")
        backup.execute("VACUUM")
    for size in (4096, 8192):
        close(app)
        run(app, "restore", str(file), "--replace")
        assert (page_size(path), app.test_client().get(record["url"]).json) == (size, record)
        with closing(sqlite3.connect(file)) as backup:
            backup.execute("PRAGMA page_size = 8192")
            backup.execute("VACUUM")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_such_a_backup_waits_for_nobody_who_reads(make, editor, folder):
    app, file = make(), folder / "backup"
    run(app, "backup", str(file))
    kept = post(app, editor)
    with closing(sqlite3.connect(file)) as backup:
        backup.execute("PRAGMA page_size = 4096")
        backup.execute("VACUUM")
    with closing(sqlite3.connect(make_url(app.config["DATABASE_URL"]).database)) as reading:
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM incidents").fetchone()
        said = run(app, "restore", str(file), "--replace", status=1)
    assert "The database is in use, and nothing was changed. Stop the service." in said
    assert app.test_client().get(kept["url"]).json == kept


@pytest.mark.slow
def test_what_was_erased_after_a_backup_is_erased_again(make, editor, admin, folder):
    app, other = make(), make()
    client = app.test_client()
    sources = [{"article": {"title": f"{SECRET} report"}, "locator": "p1"}]
    whole = post(app, editor, title=SECRET)
    part = post(app, editor, summary=SECRET, sources=sources)
    early = post(app, editor, venue=SECRET)
    write(app, admin, "POST", f"{early['url']}/erase", {"fields": ["venue"]})
    write(app, admin, "POST", "/api/v1/releases", {"name": "first"})
    file = folder / "backup"
    run(app, "backup", str(file))
    write(app, admin, "POST", f"{whole['url']}/erase", {"code": "legal"})
    write(app, admin, "POST", f"{part['url']}/erase", {"fields": ["summary"]})
    article = part["sources"][0]["article"]["id"]
    write(app, admin, "POST", f"/api/v1/articles/{article}/erase", {})
    late = post(app, editor, title=f"{SECRET} unknown to the backup")
    write(app, admin, "POST", f"{late['url']}/erase", {})

    said = run(other, "restore", str(file), "--replace")

    assert "Erasures applied again: 3" in said
    client = other.test_client()
    assert client.get(whole["url"]).json["code"] == "legal"
    assert client.get(part["url"]).json["summary"] is None
    assert client.get(late["url"]).status_code == 404
    actions = [(entry["action"], entry["id"]) for entry in served(other)[1][-4:]]
    assert {action for action, _ in actions} == {"erased"}
    for address in (
        f"{INCIDENTS}.csv",
        "/api/v1/changes",
        f"{part['url']}/versions/1",
        f"/api/v1/articles/{article}",
        "/api/v1/releases/first/incidents.ndjson",
        "/api/v1/releases/first/claims.csv",
    ):
        assert SECRET not in client.get(address).text
    # What was restored knows what was applied: a backup of it needs nothing again.
    with other.app_context():
        with transaction() as session:
            assert reference_erasures.reapply(session, erasure_log.read_log()) == []
        db.session.remove()
    assert len((folder / "erasures.ndjson").read_text().splitlines()) == 5


def test_a_rebuild_drops_the_exports_that_were_kept(make, editor, folder, monkeypatch):
    monkeypatch.setattr("api.exports.exporter.IN_MEMORY", 100)
    app = make(EXPORT_FOLDER=str(folder / "exports"))
    post(app, editor)
    app.test_client().get(f"{INCIDENTS}.ndjson").close()
    exports = [path for path in (folder / "exports").iterdir() if path.stat().st_size > 100]
    run(app, "documents", "rebuild")
    assert exports
    assert not any(path.exists() for path in exports)


# What is refused


def test_a_file_that_is_there_is_not_written_over_unasked(make, folder):
    app, file = make(), folder / "backup"
    file.write_text("mine")
    assert "--replace" in run(app, "backup", str(file), status=1)
    assert file.read_text() == "mine"
    run(app, "backup", str(file), "--replace")
    assert file.read_bytes()[:5] in (b"SQLit", b"PGDMP")
    assert file.stat().st_mode & 0o077 == 0
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["backup"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_database_is_no_backup_of_itself(make):
    app = make()
    path = make_url(app.config["DATABASE_URL"]).database
    assert "the database itself" in run(app, "backup", path, "--replace", status=1)


def test_what_is_no_whole_backup_of_this_service_is_refused_and_changes_nothing(
    make, editor, folder
):
    app, file = make(), folder / "backup"
    record = post(app, editor)
    with app.app_context():
        with transaction() as session:
            session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        db.session.remove()
    run(app, "backup", str(file))
    content = file.read_bytes()
    others = {b"SQLit": b"PGDMP", b"PGDMP": b"SQLite format 3\x00"}
    for damaged, said in (
        (content, "newer service"),
        (content[: len(content) // 2], ""),
        (others[content[:5]], "is a backup of"),
        (b"", "is no backup"),
        (None, "No such file"),
    ):
        file.unlink()
        if damaged is not None:
            file.write_bytes(damaged)
        assert said in run(app, "restore", str(file), "--replace", status=1)
        assert app.test_client().get(record["url"]).json == record


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_missing_programs_are_named_with_what_installs_them(make, folder, monkeypatch):
    app = make()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(backups.postgresql, "_ELSEWHERE", folder)
    said = run(app, "backup", str(folder / "backup"), status=1)
    assert "postgresql-client" in said
    assert not (folder / "backup").exists()


# What verify finds

_NOTED = "INSERT INTO erasures (resource, id, fields, code, at)"
_LAST = "seq = (SELECT max(seq) FROM changes)"
FAULTS = {
    "history": (
        "UPDATE versions SET number = 7 WHERE number = 2",
        "UPDATE versions SET document = '{}' WHERE number = 1",
        "UPDATE incidents SET document_pk = (SELECT pk FROM versions WHERE number = 1)",
        "UPDATE incidents SET public_from = 3",
    ),
    "feed": (
        "DELETE FROM changes WHERE seq = 2",
        "UPDATE dataset SET version = version + 1",
        f"UPDATE changes SET version = 9 WHERE {_LAST}",
        f"UPDATE changes SET version_pk = NULL WHERE {_LAST}",
        "UPDATE incidents SET public_from = NULL",
    ),
    "erasures": (
        f"{_NOTED} SELECT 'incident', id, '[\"title\"]', 'safety', '2999-01-01' FROM incidents",
        f"{_NOTED} SELECT 'article', id, NULL, 'safety', '2999-01-01' FROM articles",
    ),
}


def test_damage_is_found(make, editor):
    app = make()
    record = post(app, editor, sources=[{"article": {"title": "A report"}}])
    write(app, editor, "PATCH", record["url"], {"arrests": 3})
    assert run(app, "verify").count("whole") == 6
    with app.app_context():
        session = db.session()
        for audit, damages in FAULTS.items():
            for damage in damages:
                assert session.execute(text(damage)).rowcount == 1
                assert list(audits.AUDITS[audit](session)), damage
                session.rollback()
    assert run(app, "verify").count("whole") == 6


def test_verify_ends_with_1_where_anything_is_wrong(make, editor):
    app = make()
    post(app, editor)
    with app.app_context():
        with transaction() as session:
            session.execute(text("UPDATE dataset SET published = 7"))
        db.session.remove()
    said = run(app, "verify", status=1)
    assert "documents: faults, 1\n  the counter of published records has 7, there are 1" in said


def test_an_erasure_that_only_the_record_outside_knows_is_found(make, editor, folder):
    app = make()
    record = post(app, editor)
    noted = {
        "resource": "incident",
        "id": record["id"],
        "fields": None,
        "code": "legal",
        "at": "2020-01-01T00:00:00.000Z",
    }
    (folder / "erasures.ndjson").write_text(json.dumps(noted) + "\n" + '{"broken off')
    said = run(app, "verify", status=1)
    assert f"{record['id']} was erased" in said


def test_a_release_that_was_touched_is_found(make, editor, admin, folder):
    app = make()
    post(app, editor)
    write(app, admin, "POST", "/api/v1/releases", {"name": "first"})
    path = folder / "releases" / "first" / "r1" / "incidents.csv"
    path.write_bytes(path.read_bytes() + b" ")
    assert "not what its digest says" in run(app, "verify", status=1)
    path.unlink()
    assert "is not in" in run(app, "verify", status=1)
