"""The overview of all records outlives the server: it is counted once, read, and brought on."""

import json

import pytest

from api import create_app
from api.queries.overview import aggregates, file_cache, summary
from tests import conftest


@pytest.fixture
def counted(monkeypatch):
    """Count how often the records are counted; few of them are worth keeping here."""
    calls, compute = [], aggregates.compute

    def watched(*arguments):
        calls.append(arguments)
        return compute(*arguments)

    monkeypatch.setattr(aggregates, "compute", watched)
    monkeypatch.setattr(file_cache, "WORTH", 1)
    return calls


@pytest.fixture
def start(app, tmp_path):
    """Give a function that starts the service anew on the same database and folder."""
    started = []

    def make():
        started.append(
            create_app({"DATABASE_URL": app.config["DATABASE_URL"], "EXPORT_FOLDER": str(tmp_path)})
        )
        return started[-1]

    yield make
    for one in started:
        conftest.close(one)


def held(folder):
    return [path for path in folder.iterdir() if path.suffix == ".json"]


def overview(app):
    return app.test_client().get("/api/v1/overview").json


def publish(client, editor, incident, city="Moscow", country="RU"):
    made = client.post(
        "/api/v1/incidents?allow_duplicate=true",
        json=incident(city=city, country=country),
        headers=editor,
    )
    assert made.status_code == 201, made.json
    return made.json


def test_a_restart_finds_what_was_counted_and_follows_what_changed(
    start, counted, client, editor, incident
):
    for _ in range(3):
        publish(client, editor, incident)
    first = overview(start())
    assert overview(start()) == first
    publish(client, editor, incident)
    second = overview(start())
    assert second["incidents"] == first["incidents"] + 1 == 4
    assert len(counted) == 1
    assert second == client.get("/api/v1/overview").json  # of who has another folder
    assert len(counted) == 2


def test_few_records_are_not_worth_a_file(
    start, counted, monkeypatch, tmp_path, client, editor, incident
):
    monkeypatch.setattr(file_cache, "WORTH", 2)
    publish(client, editor, incident)
    overview(start())
    assert list(tmp_path.iterdir()) == []


def test_the_overview_is_ready_before_someone_asks(start, counted, client, editor, incident):
    publish(client, editor, incident)
    app = start()
    with app.app_context():
        summary.warm()
    assert len(counted) == 1
    assert overview(app)["incidents"] == 1
    assert len(counted) == 1


def test_an_import_leaves_the_overview_ready(start, counted, tmp_path, incident):
    lines = tmp_path / "records.ndjson"
    lines.write_text(json.dumps(incident()) + "\n")
    conftest.run(start(), "import", str(lines))
    assert len(counted) == 1
    assert overview(start())["incidents"] == 1
    assert len(counted) == 1


def test_an_erasure_removes_what_was_kept(start, counted, tmp_path, editor, admin, incident):
    app = start()
    client = app.test_client()
    record = publish(client, editor, incident)
    publish(client, editor, incident, city="Brussels", country="BE")
    overview(app)
    assert len(held(tmp_path)) == 1
    answer = client.post(
        f"/api/v1/incidents/{record['id']}/erase",
        json={"code": "legal"},
        headers=admin | {"If-Match": "*"},
    )
    assert answer.status_code in (200, 204), answer.json
    assert held(tmp_path) == []
    assert overview(start())["incidents"] == 1
    assert len(counted) == 2


def test_what_was_counted_before_an_erasure_is_not_kept_after_it(
    start, counted, monkeypatch, tmp_path, editor, admin, incident
):
    app = start()
    client = app.test_client()
    records = [publish(client, editor, incident) for _ in range(2)]
    write = file_cache.Kept._write

    def late(self, reader, tally):
        erased = client.post(
            f"/api/v1/incidents/{records[0]['id']}/erase",
            json={"code": "legal"},
            headers=admin | {"If-Match": "*"},
        )
        assert erased.status_code in (200, 204), erased.json
        write(self, reader, tally)

    monkeypatch.setattr(file_cache.Kept, "_write", late)
    overview(app)
    assert held(tmp_path) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found | {"at": "1999-01-01T00:00:00.000Z"},  # of another history
        lambda found: found | {"revision": 0},
        lambda found: {},
        lambda found: [],
    ],
)
def test_a_file_that_is_not_of_this_data_is_counted_anew(
    start, counted, tmp_path, client, editor, incident, change
):
    publish(client, editor, incident)
    first = overview(start())
    (path,) = held(tmp_path)
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    assert overview(start()) == first
    assert len(counted) == 2


def test_what_has_moved_far_is_kept_anew(
    start, counted, monkeypatch, tmp_path, client, editor, incident
):
    publish(client, editor, incident)
    app = start()
    first = overview(app)["dataset_version"]
    (path,) = held(tmp_path)
    monkeypatch.setattr(file_cache, "MOST_CHANGES", 4)
    versions = []
    for _ in range(3):
        publish(client, editor, incident)
        assert overview(app)["dataset_version"] > first
        versions.append(json.loads(path.read_text())["version"])
    assert versions[0] == first < versions[-1]
    assert len(counted) == 1


def test_where_nothing_can_be_written_the_overview_is_counted(
    app, counted, tmp_path, client, editor, incident
):
    publish(client, editor, incident)
    (tmp_path / "file").write_text("in the way")
    other = create_app(
        {"DATABASE_URL": app.config["DATABASE_URL"], "EXPORT_FOLDER": str(tmp_path / "file")}
    )
    try:
        assert overview(other)["incidents"] == 1
    finally:
        conftest.close(other)
