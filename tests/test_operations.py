"""What whoever runs the service sees: health, metrics, logs, limits, headers for browsers."""

import inspect
import json
import logging
import os
import re
import signal
import subprocess
import sys

import pytest
from granian import log
from granian.server import mp

from api import create_app
from api.config import ConfigError
from api.database.engines import db
from tests import conftest, servers, tools

INCIDENTS = "/api/v1/incidents"


@pytest.fixture
def lines(caplog):
    """Yield the request lines that were logged."""
    logging.getLogger("api").addHandler(caplog.handler)
    yield lambda: [r.msg for r in caplog.records if r.name == "api.requests"]
    logging.getLogger("api").removeHandler(caplog.handler)


def test_the_service_is_ready_with_current_tables(client):
    last = client.get("/api/v1/changes?limit=1").json["last_seq"]
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {
        "ready": True,
        "faults": [],
        "dataset_version": last,
        "incidents": 0,
        "erasures": True,
    }


def test_tables_that_are_not_current_are_told(app, client):
    with app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'other'")
    try:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert "db upgrade" in answer.json["detail"]
        assert client.get("/healthz").status_code == 200
    finally:
        with app.app_context(), db.engine.begin() as connection:
            from api.database.schema_version import newest_revision

            connection.exec_driver_sql(
                f"UPDATE alembic_version SET version_num = '{newest_revision()}'"
            )


@pytest.mark.slow
def test_metrics_add_up_over_the_workers(app, incident, editor):
    import requests

    with servers.serving(app.config["DATABASE_URL"], workers=2) as address:
        for _ in range(40):
            with requests.get(f"{address}{INCIDENTS}", timeout=30) as answer:
                assert answer.ok
        text = requests.get(f"{address}/metrics", timeout=30).text
    counts = [
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith("http_request_duration_seconds_count") and INCIDENTS in line
    ]
    assert sum(counts) == 40
    assert "incidents_published 0.0" in text


@pytest.mark.slow
@pytest.mark.needs("promtool")
@pytest.mark.parametrize("workers", [1, 2])
def test_metrics_pass_the_check_of_prometheus_whichever_worker_answers(
    app, incident, editor, workers
):
    import requests

    url = f"{INCIDENTS}?allow_duplicate=true"
    with servers.serving(app.config["DATABASE_URL"], workers=workers) as address:
        for number in range(1, 9):
            with requests.post(
                f"{address}{url}", json=incident(), headers=editor, timeout=30
            ) as made:
                assert made.status_code == 201
            text = requests.get(f"{address}/metrics", timeout=30).text
            assert f"\nincidents_published {number}.0\n" in text
            command = [tools.find("promtool"), "check", "metrics"]
            done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_write_is_logged_without_secrets(client, editor, incident, lines):
    client.post(f"{INCIDENTS}?reason_word=hidden", json=incident(), headers=editor)
    client.post(INCIDENTS, json=incident(title="SECRET-TITLE"), headers=editor)
    client.get(f"{INCIDENTS}?city=Kyiv")
    logged = lines()
    assert [line["status"] for line in logged] == [422, 201]
    text = json.dumps(logged)
    key = editor["Authorization"].partition(" ")[2]
    for secret in ("hidden", "SECRET-TITLE", key, key.partition("_")[2], "127.0.0.1"):
        assert secret not in text
    assert logged[1]["key"] == key.partition("_")[0]
    assert logged[1]["address"] == "127.0.0.0/24"


def test_a_request_id_cannot_break_a_log_line(client, editor, incident, lines):
    headers = {**editor, "X-Request-Id": 'x" , "forged": "1'}
    answer = client.post(INCIDENTS, json=incident(), headers=headers)
    assert answer.headers["X-Request-Id"] == lines()[0]["request_id"]
    assert '"' not in answer.headers["X-Request-Id"]


def test_writes_are_limited_by_key(make_app, incident):
    app = make_app(RATELIMIT_ENABLED=True, RATELIMIT_WRITES="2/minute")
    client = app.test_client()
    for status in (401, 401, 429):
        answer = client.post(INCIDENTS, json=incident())
        assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert 0 < int(answer.headers["Retry-After"]) <= 61
    assert answer.headers["RateLimit"].startswith('"writes";r=0;t=')
    assert answer.headers["RateLimit-Policy"] == '"writes";q=2;w=60'
    assert client.get(INCIDENTS).status_code == 200  # reads of lists are not limited


@pytest.mark.parametrize(
    "path",
    ["search?q=rally", "incidents?limit=1&q=rally", "claims?limit=1", "stats?group_by=year"],
)
def test_reads_that_cost_are_limited(make_app, path):
    client = make_app(RATELIMIT_ENABLED=True, RATELIMIT_READS="2/minute").test_client()
    answers = [client.get(f"/api/v1/{path}") for _ in range(3)]
    statuses = [200, 200, 200 if path.startswith("claims") else 429]
    assert [answer.status_code for answer in answers] == statuses
    if statuses[-1] == 429:
        assert answers[0].headers["RateLimit"].startswith('"reads";r=1;t=')


def test_keys_that_are_guessed_are_limited_and_a_good_one_goes_on(make_app):
    app = make_app(RATELIMIT_ENABLED=True, RATELIMIT_KEYS="2/minute")
    client, good = (
        app.test_client(),
        conftest.run(app, "keys", "create", "good", "--role", "editor"),
    )
    headers = {"Authorization": "Bearer 12345678_nothing"}
    answers = [client.get(INCIDENTS, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert '"keys";q=2;w=60' in answers[-1].headers["RateLimit-Policy"]
    assert client.get(INCIDENTS, headers={"Authorization": f"Bearer {good}"}).status_code == 200
    assert client.get(INCIDENTS).status_code == 200


def test_whoever_used_up_its_processor_time_waits_until_some_is_back(make_app):
    app = make_app(RATELIMIT_ENABLED=True, RATELIMIT_TIME=0.0001)
    client, other = app.test_client(), {"REMOTE_ADDR": "198.51.100.7"}
    answers = [client.get(INCIDENTS) for _ in range(3)]  # one may take all of it, and no more
    answer = answers[-1]
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.headers["RateLimit"].startswith('"time";r=0;t=')
    assert client.get(INCIDENTS, environ_base=other).status_code == 200


def test_an_ipv6_network_is_one_client(make_app, incident):
    app = make_app(RATELIMIT_ENABLED=True, RATELIMIT_WRITES="1/minute")
    statuses = [
        app.test_client().post(INCIDENTS, json=incident(), environ_base={"REMOTE_ADDR": address})
        for address in ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1", "::ffff:192.0.2.1")
    ]
    assert [answer.status_code for answer in statuses] == [401, 429, 401, 401]


def test_an_export_counts_as_a_read(make_app):
    client = make_app(RATELIMIT_ENABLED=True, RATELIMIT_READS="1/minute").test_client()
    answers = [client.get("/api/v1/incidents.csv").status_code for _ in range(2)]
    assert answers == [200, 429]


def test_a_dead_limit_store_stops_nothing(make_app, incident):
    app = make_app(
        RATELIMIT_ENABLED=True, RATELIMIT_WRITES="2/minute", RATELIMIT_STORAGE="redis://127.0.0.1:1"
    )
    statuses = [app.test_client().post(INCIDENTS, json=incident()).status_code for _ in range(3)]
    assert statuses == [401, 401, 429]


def test_a_page_of_another_site_may_read(client):
    answer = client.get(INCIDENTS, headers={"Origin": "https://a.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Dataset-Version" in answer.headers["Access-Control-Expose-Headers"]
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "PATCH"}
    preflight = client.options(f"{INCIDENTS}/7zq3m8k2xd", headers=asked)
    assert preflight.status_code == 204
    assert "If-Match" in preflight.headers["Access-Control-Allow-Headers"]


def test_answers_carry_headers_that_keep_browsers_safe(client):
    headers = client.get(INCIDENTS).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("AUTO_MIGRATE", "perhaps"),
        ("DATABASE_URL", "mysql://x"),
        ("PUBLIC_URL", "incidents.example"),
        ("PUBLIC_URL", "https://incidents.example/a?b"),
        ("PUBLIC_URL", "https://incidents.example/a b"),
        ("RATELIMIT_WRITES", "often"),
        ("RATELIMIT_STORAGE", "postgres://x"),
    ],
)
def test_a_setting_that_does_not_fit_is_told_with_what_would(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=f"^{name} .*; it takes"):
        create_app()


def test_the_server_says_what_it_does_and_alarms_nobody_with_its_threads(capfd):
    started = json.loads((servers.ROOT / "api" / "core" / "server_log.json").read_text())
    (said,) = re.findall(r"f'(Configuration allows [^{]*)", inspect.getsource(mp))
    try:
        log.configure_logging(log.LogLevels.info, started)
        log.logger.warning(f"{said}260 Python threads")
        log.logger.warning("a worker died")
    finally:
        log.logger.filters.clear()
        log.logger.handlers.clear()
        log.logger.propagate = True
    assert capfd.readouterr().out == "[WARNING] a worker died\n"


STARTING = """
import os, signal, time
from api import server
signal.signal(signal.SIGTERM, lambda *_: None)  # the server's, which a worker is forked with
server.served = lambda: {meanwhile}
server.start()
print("it serves")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("meanwhile", "parent", "status"),
    [
        ("(os.kill(os.getpid(), signal.SIGTERM), time.sleep(60))", os.getpid(), -signal.SIGTERM),
        ("time.sleep(0)", os.getppid(), 1),
    ],
    ids=["stopped", "its server was killed"],
)
def test_a_worker_that_only_starts_is_not_waited_for(meanwhile, parent, status):
    done = subprocess.run(
        [sys.executable, "-c", STARTING.format(meanwhile=meanwhile)],
        cwd=servers.ROOT,
        env={**os.environ, "INCIDENTS_SERVER": str(parent)},
        capture_output=True,
    )
    assert (done.returncode, done.stdout) == (status, b"")


SERVING = """
import sys
from api import served
app = served({"DATABASE_URL": "sqlite:///nothing.sqlite"})
assert app.test_client().get("/readyz").status_code == 503
print(*{"alembic", "api.management", "flask_migrate", "psycopg"} & set(sys.modules))
"""


@pytest.mark.slow
def test_a_server_loads_neither_what_commands_need_nor_a_driver_that_it_does_without(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SERVING],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(servers.ROOT)},
    )
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


def test_the_index_leads_to_what_is_there(client):
    links = client.get("/api/v1").json["links"]
    assert {"overview", "guide", "codebook"} <= set(links)
    for address in links.values():  # search, statistics and places want a parameter
        assert client.get(address).status_code in (200, 422), address
