"""Databases that are slow, frozen, away, or another server than before: nothing hangs or is lost.

PostgreSQL is reached through a proxy that does what networks do (`tests/proxies.py`).
"""

import re
import threading
import time

import click
import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from api import config, create_app
from api.database import postgresql
from api.database.engines import reader
from api.database.readers import PreparedStatement
from api.database.timeouts import Timeouts
from api.models import feed
from tests import builders, conftest, engines, proxies
from tests.problems import problem_of

INCIDENTS = "/api/v1/incidents"
POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
ENDLESS = PreparedStatement(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", {}
)


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """Let a silent server be doubted soon."""
    monkeypatch.setattr(postgresql, "_PROBE_AFTER", 0.2)
    monkeypatch.setattr(postgresql, "_ALIVE_WITHIN", 0.3)


@pytest.fixture
def proxy(app):
    """Yield a proxy before the database of `app`."""
    found = proxies.Proxy(app.config["DATABASE_URL"])
    yield found
    found.refuse()


@pytest.fixture
def client_behind(proxy):
    """Yield a function that makes an application whose database is behind the proxy."""
    made = []

    def make(**settings):
        named = {"DATABASE_URL": proxy.url, "RATELIMIT_ENABLED": False, "FAILOVER_WAIT": 0.3}
        made.append(create_app({**named, **settings}))
        return made[-1].test_client()

    yield make
    for app in made:
        conftest.close(app)


def post(client, headers, **changes):
    return client.post(
        f"{INCIDENTS}?allow_duplicate=true", json=builders.incident(**changes), headers=headers
    )


# Statements that take too long


def test_a_query_that_takes_too_long_is_stopped_with_advice(make_app, monkeypatch):
    client = make_app(STATEMENT_TIMEOUT=0.2).test_client()
    with monkeypatch.context() as patch:
        patch.setattr(feed, "current_version", lambda: reader().rows(ENDLESS))
        answer = client.get("/api/v1/places?q=Kyiv")
    problem_of(answer, 503, "too-costly")
    assert int(answer.headers["Retry-After"]) > 1
    assert "shorter time" in answer.json["detail"]
    assert client.get("/api/v1/places?q=Kyiv").status_code == 200


def test_a_statement_of_a_snapshot_is_stopped_too(make_app):
    app = make_app(STATEMENT_TIMEOUT=0.2)
    stopped = pytest.raises(OperationalError, match=r"(?i)interrupted|timeout")
    with app.app_context(), reader().snapshot(), stopped:
        list(reader().stream(ENDLESS, {}, 1))


def test_a_command_may_take_as_long_as_it_needs():
    timeouts = Timeouts(lock=5, statement=20)
    assert (timeouts.statement_timeout, timeouts.read_timeout) == (20, 30)
    with click.Context(click.Command("export")):
        assert timeouts.statement_timeout == timeouts.read_timeout == float("inf")
    assert Timeouts(lock=5, statement=0).statement_timeout == float("inf")


# A database that is away


@POSTGRESQL
def test_a_frozen_server_is_given_up_and_found_again(client_behind, proxy, editor):
    client = client_behind()
    assert client.get(INCIDENTS).status_code == 200
    proxy.frozen.set()
    began = time.monotonic()
    problem_of(client.get(INCIDENTS), 503, "unavailable")
    assert time.monotonic() - began < 15  # and not for ever
    proxy.frozen.clear()
    assert client.get(INCIDENTS).status_code == 200
    assert post(client, editor).status_code == 201


@POSTGRESQL
def test_a_slow_server_is_waited_for(client_behind, proxy):
    client = client_behind()
    assert client.get(INCIDENTS).status_code == 200
    proxy.delay = 0.7  # longer than the time after which it is doubted
    connected = proxy.taken
    assert client.get(f"{INCIDENTS}?city=Kyiv").status_code in (200, 503)
    proxy.delay = 0
    assert client.get(INCIDENTS).status_code == 200
    assert proxy.taken > connected


@POSTGRESQL
def test_connections_that_were_cut_are_made_anew_without_an_error(client_behind, proxy, editor):
    client = client_behind()
    for _ in range(3):
        assert client.get(INCIDENTS, headers=editor).status_code == 200
        proxy.cut()
        assert post(client, editor).status_code == 201
        proxy.cut()
    assert client.get(INCIDENTS).json["total"] == 3


@POSTGRESQL
def test_while_it_is_away_every_answer_says_so_and_when_it_is_back_all_goes_on(
    client_behind, proxy, editor
):
    client = client_behind()
    assert post(client, editor).status_code == 201
    proxy.refuse()
    for answer in (client.get(INCIDENTS), post(client, editor), client.get(INCIDENTS)):
        problem_of(answer, 503, "unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    proxy.listen()
    assert post(client, editor).status_code == 201
    assert client.get(INCIDENTS).json["total"] == 2


@POSTGRESQL
def test_a_request_waits_for_a_database_that_comes_back(client_behind, proxy, editor):
    client = client_behind(FAILOVER_WAIT=20)
    proxy.refuse()
    threading.Timer(0.5, proxy.listen).start()
    assert post(client, editor).status_code == 201


@POSTGRESQL
@pytest.mark.parametrize("path", ["/api/v1/communities", INCIDENTS, "/api/v1/communities/none"])
def test_a_server_that_goes_when_all_is_read_breaks_no_answer(client_behind, proxy, path):
    client = client_behind()
    whole = client.get(path)
    for _ in range(30):  # more than there are connections to be lost
        proxy.cut_at = b"ROLLBACK"
        again = client.get(path)
        assert (again.status_code, again.data) == (whole.status_code, whole.data)


@POSTGRESQL
def test_a_write_that_broke_off_before_it_was_stored_is_done_again(client_behind, proxy, editor):
    client = client_behind(FAILOVER_WAIT=5)
    proxy.cut_at = b"INSERT INTO incidents"
    assert post(client, editor).status_code == 201
    assert proxy.cut_at is None
    assert client.get(INCIDENTS).json["total"] == 1


@POSTGRESQL
@pytest.mark.parametrize("stored", [True, False])
def test_a_write_that_broke_off_while_it_was_stored_is_not_told_as_done_or_undone(
    client_behind, proxy, editor, stored
):
    client = client_behind(FAILOVER_WAIT=5)
    proxy.cut_at, proxy.after = b"COMMIT", stored
    answer = post(client, editor)
    problem_of(answer, 503, "outcome-unknown")
    assert "Idempotency-Key" in answer.json["detail"]
    assert client.get(INCIDENTS).json["total"] == int(stored)


@POSTGRESQL
@pytest.mark.parametrize("stored", [True, False])
def test_with_an_idempotency_key_it_is_done_once_whatever_happened(
    client_behind, proxy, editor, stored
):
    client = client_behind(FAILOVER_WAIT=5)
    proxy.cut_at, proxy.after = b"COMMIT", stored
    answer = post(client, {**editor, "Idempotency-Key": "one"})
    assert answer.status_code == 201
    assert proxy.cut_at is None
    assert [one["id"] for one in client.get(INCIDENTS).json["data"]] == [answer.json["id"]]


@POSTGRESQL
def test_a_server_that_takes_no_writes_any_more_is_a_503(app, client, editor, proxy, client_behind):
    client = client_behind()
    with app.app_context():
        name = proxy.url.rpartition("/")[2]
        _run(app, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    try:
        proxy.cut()
        problem_of(post(client, editor), 503, "unavailable")
        assert client.get(INCIDENTS).status_code == 200
    finally:
        _run(
            app,
            "BEGIN; SET TRANSACTION READ WRITE;"
            f'ALTER DATABASE "{name}" RESET default_transaction_read_only; COMMIT',
        )
    proxy.cut()
    assert post(client, editor).status_code == 201


def _run(app, statement):
    url = app.config["DATABASE_URL"].replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


@POSTGRESQL
def test_of_several_hosts_the_one_that_answers_is_found(app, editor):
    first, second = (proxies.Proxy(app.config["DATABASE_URL"]) for _ in range(2))
    both = re.sub(r"@[^/]*", f"@127.0.0.1:{first.port},127.0.0.1:{second.port}", first.url)
    made = create_app({"DATABASE_URL": both, "RATELIMIT_ENABLED": False})
    client = made.test_client()
    assert post(client, editor).status_code == 201
    first.refuse()
    assert post(client, editor).status_code == 201
    assert second.taken
    conftest.close(made)
    second.refuse()


# Standbys


@pytest.fixture
def apart(app, database):
    """Yield an application whose standby is a database apart, where nothing arrives."""
    with engines.copied(database.engine) as url:
        made = create_app(
            {
                "DATABASE_URL": app.config["DATABASE_URL"],
                "DATABASE_READ_URL": url,
                "RATELIMIT_ENABLED": False,
                "FAILOVER_WAIT": 0.2,
            }
        )
        yield made.test_client()
        conftest.close(made)
        made.extensions["standby_reader"].close()
        made.extensions["standbys"].dispose()


def test_what_is_read_without_a_key_is_read_on_a_standby(apart, editor):
    made = post(apart, editor)
    assert made.status_code == 201
    article = apart.post("/api/v1/articles", json={"title": "A"}, headers=editor)
    for path in (made.json["url"], article.headers["Location"]):
        assert apart.get(path).status_code == 404
        assert apart.get(path, headers=editor).status_code == 200
    old, new = apart.get(INCIDENTS), apart.get(INCIDENTS, headers=editor)
    assert (old.json["total"], new.json["total"]) == (0, 1)
    assert int(new.headers["Dataset-Version"]) == int(old.headers["Dataset-Version"]) + 2
    assert apart.get(f"{INCIDENTS}.csv").headers["Record-Count"] == "0"
    assert apart.get("/api/v1/articles").json["total"] == 0


def test_readiness_shows_where_the_standby_stands(apart, editor):
    post(apart, editor)
    state = apart.get("/readyz").json
    assert state["dataset_version"] == state["reads"]["dataset_version"] + 1
    assert state["writes"] is state["ready"] is True


@POSTGRESQL
def test_without_its_primary_the_service_is_read(app, proxy, client_behind, editor):
    client = client_behind(DATABASE_READ_URL=app.config["DATABASE_URL"])
    assert post(client, editor).status_code == 201
    proxy.refuse()
    assert client.get(INCIDENTS).json["total"] == 1
    assert client.get("/api/v1/communities").json["total"] > 0
    assert client.get("/api/v1/incidents?city=Kyiv").status_code == 200
    problem_of(post(client, editor), 503, "unavailable")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["writes"]) == (200, False)


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_READ_URL"])
def test_an_address_that_cannot_be_read_is_told(name):
    with pytest.raises(config.ConfigError, match=f"^{name} cannot be read"):
        create_app({"DATABASE_URL": "sqlite:///:memory:", name: "postgresql://u@h/n?colour=red"})
