"""Copies: everything from one database into another, and answers that are byte for byte the same.

`COPY_RECORDS=100000` in the environment takes so many records, and prints the seconds.
"""

import os
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

import pytest
from flask import Flask
from sqlalchemy import inspect, select, text

from api import create_app
from api.database.base import Base
from api.database.engines import db
from api.management import audits, database_copy
from tests import builders, copied_world, engines, tools
from tests.conftest import ROLES, close, prepare, run

RECORDS = int(os.environ.get("COPY_RECORDS", "100"))
IS_LONG = RECORDS >= 10_000
OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}
# What each engine keeps in its own way, made anew: the full-text indexes.
DERIVED = "search_"
_numbers = count()

only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
needs_postgresql = pytest.mark.needs("postgresql")


@pytest.fixture(scope="module")
def empty():
    """Return a function that gives the address of an empty database of an engine."""
    started = {}

    def make(name):
        if name not in started:
            started[name] = engines.ENGINES[name](prepare)
        return started[name].empty()

    yield make
    for engine in started.values():
        engine.stop()


def opened(url, folder):
    """Open an application on a database; exports are its own, releases are in one folder."""
    return create_app(
        {
            "DATABASE_URL": url,
            "RATELIMIT_ENABLED": False,
            "RELEASE_FOLDER": str(folder / "releases"),
            "EXPORT_FOLDER": str(folder / f"exports-{next(_numbers)}"),
            "ERASURE_LOG": str(folder / "erasures.ndjson"),
        }
    )


@pytest.fixture
def source(database, tmp_path):
    """Yield an application on a database like the template."""
    with engines.copied(database.engine) as url:
        app = opened(url, tmp_path)
        yield app
        close(app)


def copy(app, url):
    """Copy by the command; return the seconds that it took."""
    began = time.monotonic()
    result = app.test_cli_runner().invoke(args=["copy", "--to", url])
    assert result.exit_code == 0, result.output + repr(result.exception)
    assert "Copied and checked" in result.output
    return time.monotonic() - began


def rows_of(app):
    """Return the rows of every table that the database has, but the derived ones."""
    rows = {}
    with app.app_context(), db.engine.connect() as connection:
        for name in inspect(connection).get_table_names():
            if not name.startswith(DERIVED):
                model = Base.metadata.tables.get(name)
                statement = text(f"SELECT * FROM {name}") if model is None else select(model)
                rows[name] = sorted(map(repr, connection.execute(statement).mappings()))
    return rows


def faults(app):
    with app.app_context():
        return [finding for _, findings in audits.run(db.session()) for finding in findings]


@dataclass
class Hop:
    """A database on the way there and back: its application, and what it held and answered."""

    app: Flask
    keys: dict
    answers: dict
    rows: dict
    faults: list


def look(app, keys):
    rows = {} if IS_LONG else rows_of(app)
    return Hop(app, keys, copied_world.walk(app, keys), rows, faults(app))


@pytest.fixture(scope="module")
def hops(tmp_path_factory, empty):
    """Return a world in SQLite, its copy in PostgreSQL, and the copy of that in SQLite."""
    tools.find("postgresql")
    folder = tmp_path_factory.mktemp("hops")
    app = opened(empty("sqlite"), folder)
    run(app, "db", "upgrade")
    run(app, "documents", "upgrade")
    run(app, "seed", "--only", "vocabularies")
    keys = {role: run(app, "keys", "create", role, "--role", role) for role in ROLES}
    copied_world.fill(app, RECORDS, keys)
    hops = [look(app, keys)]
    for engine in ("postgresql", "sqlite"):
        url = empty(engine)
        seconds = copy(app, url)
        if IS_LONG:
            print(f"\n{RECORDS:,} records copied to {engine} in {seconds:.0f} s")  # noqa: T201
        app = opened(url, folder)
        hops.append(look(app, keys))
    yield hops
    for hop in hops:
        close(hop.app)


def test_there_and_back_every_answer_is_the_same(hops):
    answers = hops[0].answers
    statuses = Counter(status for status, *_ in answers.values())
    assert statuses.keys() >= {200, 308, 401, 403, 404, 410}
    assert statuses[200] > len(answers) // 2
    for hop in hops[1:]:
        assert hop.answers.keys() == answers.keys()
        differing = [key for key in answers if answers[key] != hop.answers[key]]
        assert [(key, answers[key], hop.answers[key]) for key in differing[:3]] == []


def test_every_copy_is_whole(hops):
    assert [hop.faults for hop in hops] == [[], [], []]


@pytest.mark.skipif(IS_LONG, reason="the copy compares them itself")
def test_no_table_is_left_out(hops):
    rows = hops[0].rows
    assert [name for name, those in rows.items() if not those] == []
    for hop in hops[1:]:
        assert hop.rows == rows


def test_a_copy_goes_on_with_the_numbers_that_the_source_would_draw(hops):
    newest = "SELECT (SELECT max(pk) FROM articles), (SELECT max(pk) FROM versions)"
    drawn = set()
    for hop in hops:
        headers = {"Authorization": f"Bearer {hop.keys['admin']}"}
        for path, body in (
            ("/api/v1/articles", {"title": "The next"}),
            ("/api/v1/incidents?allow_duplicate=true", builders.incident(title="The next")),
        ):
            answer = hop.app.test_client().post(path, json=body, headers=headers)
            assert answer.status_code == 201, answer.text
        with hop.app.app_context():
            drawn.add(tuple(db.session.execute(text(newest)).one()))
            db.session.remove()
    assert len(drawn) == 1


@contextmanager
def written_to(app, headers):
    """Write to APP in a thread of its own, as long as the block runs."""
    stop, written = threading.Event(), []

    def write():
        path = "/api/v1/incidents?allow_duplicate=true"
        while not stop.is_set():
            answer = app.test_client().post(path, json=builders.incident(), headers=headers)
            written.append(answer.status_code)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        while len(written) < 5:
            time.sleep(0.01)
        yield written
    finally:
        stop.set()
        thread.join()


@pytest.mark.slow
@needs_postgresql
def test_a_copy_of_a_live_service_is_one_state(source, database, tmp_path, empty, editor):
    url = empty(OTHER[database.engine.name])
    with written_to(source, editor) as written:
        copy(source, url)
    app = opened(url, tmp_path)
    assert set(written) == {201}
    assert faults(app) == []
    public = app.test_client().get("/api/v1/incidents?limit=1&count=exact")
    # Each write made one change, and some were made after the copy began.
    before = int(public.headers["Dataset-Version"]) - version_of(source) + len(written)
    assert 5 <= public.json["total"] == before < len(written)
    close(app)


def version_of(app):
    return int(app.test_client().get("/api/v1/incidents?limit=1").headers["Dataset-Version"])


@only_sqlite
@needs_postgresql
@pytest.mark.parametrize("to", ["sqlite", "postgresql"])
def test_a_copy_that_is_cut_off_leaves_nothing_under_its_name(source, empty, tmp_path, to):
    url = empty(to)

    def cut_off(step, done, _total):
        if step == "Rows" and done > 1000:
            raise KeyboardInterrupt

    address = url.replace("postgresql:", "postgresql+psycopg:")
    with source.app_context(), pytest.raises(KeyboardInterrupt):
        database_copy.run(address, cut_off)
    app = opened(url, tmp_path)
    refused = app.test_cli_runner().invoke(args=["keys", "list"])
    assert "The database has no tables yet" in refused.output
    close(app)


@only_sqlite
@needs_postgresql
@pytest.mark.parametrize("to", ["sqlite", "postgresql", "itself"])
def test_a_database_that_holds_tables_is_refused(source, empty, tmp_path, to):
    url = source.config["DATABASE_URL"] if to == "itself" else empty(to)
    target = opened(url, tmp_path)
    run(target, "db", "upgrade")
    kept = "" if to == "itself" else run(target, "keys", "create", "kept", "--role", "editor")
    refused = source.test_cli_runner().invoke(args=["copy", "--to", url])
    assert refused.exit_code == 1
    assert "holds tables of this service already" in refused.output
    assert ("createdb" if to == "postgresql" else "not there yet") in refused.output
    assert kept.partition("_")[0] in run(target, "keys", "list")
    close(target)


@only_sqlite
@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("mysql://localhost/x", "it takes sqlite:///FILE or postgresql://USER@HOST/NAME"),
        ("sqlite:///:memory:", "A copy goes to a file"),
        ("sqlite:////nowhere/at/all.sqlite", "No such file or directory"),
        ("postgresql://nobody@127.0.0.1:1/x", "The database cannot be"),
    ],
)
def test_an_address_that_cannot_be_is_refused(source, url, advice):
    refused = source.test_cli_runner().invoke(args=["copy", "--to", url])
    assert refused.exit_code == 1
    assert advice in refused.output


@pytest.mark.slow
@only_sqlite
def test_a_release_whose_file_is_not_as_it_was_is_told(source, admin, empty, tmp_path):
    release = source.test_client().post("/api/v1/releases", json={"name": "one"}, headers=admin)
    assert release.status_code == 201
    (file,) = (tmp_path / "releases").glob("one/**/claims.csv")
    file.write_text("other")
    result = source.test_cli_runner().invoke(args=["copy", "--to", empty("sqlite")])
    assert result.exit_code == 1
    assert "The copy is whole, but" in result.output
    assert "claims.csv" in result.output
