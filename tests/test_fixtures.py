"""The ground under the other tests: what `conftest.py` promises."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
import warnings

import pytest
from flask import g

from tests import processes, servers, tools


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_starts_without_records(client, editor, incident, time):
    assert client.get("/api/v1/incidents").json["data"] == []
    assert client.post("/api/v1/incidents", json=incident(), headers=editor).status_code == 201
    assert len(client.get("/api/v1/incidents").json["data"]) == 1


@pytest.mark.parametrize("time", ["first", "second"])
def test_the_counters_are_put_back_with_the_rows(client, editor, incident, time):
    before = int(client.get("/api/v1/incidents").headers["Dataset-Version"])
    answer = client.post("/api/v1/incidents", json=incident(), headers=editor)
    assert int(answer.headers["Dataset-Version"]) == before + 1


# Twice: the second test begins where the first one did.
@pytest.mark.parametrize("time", ["first", "second"])
def test_the_seeds_are_there_where_asked_for(seeded, client, time):
    assert client.get("/api/v1/incidents?city=Moscow").json["data"]


def test_two_requests_share_no_context(app, client):
    seen = []
    app.before_request(lambda: seen.append(g.setdefault("token", object())))
    client.get("/api/v1/incidents")
    client.get("/api/v1/incidents")
    assert seen[0] is not seen[1]


def test_a_second_instance_is_another_database(client, editor, incident, make_app):
    client.post("/api/v1/incidents", json=incident(), headers=editor)
    other = make_app().test_client()
    assert other.get("/api/v1/incidents").json["data"] == []
    assert other.post("/api/v1/incidents", json=incident(), headers=editor).status_code == 201


@pytest.mark.slow
def test_the_live_server_serves_the_database_of_the_test(client, editor, incident, live_server):
    path = client.post("/api/v1/incidents", json=incident(), headers=editor).json["url"]
    with urllib.request.urlopen(live_server + path) as answer:
        assert answer.status == 200


@pytest.mark.slow
def test_a_server_that_cannot_start_shows_why(tmp_path):
    with (
        pytest.raises(AssertionError, match="it takes sqlite:///FILE"),
        servers.serving("mysql://nowhere"),
    ):
        pass


def test_a_warning_of_our_own_is_an_error():
    with pytest.raises(UserWarning):
        warnings.warn("ours", stacklevel=1)


def test_what_the_tests_started_ends_with_them(tmp_path):
    (folder := tmp_path / "kept").mkdir()
    script = f"""
import pathlib, sys, time
from tests import processes

child = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
processes.start([sys.executable, "-c", child])
processes.keep(pathlib.Path({str(folder)!r}))
time.sleep(600)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=servers.ROOT, stdout=subprocess.PIPE
    )
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    assert eventually(lambda: gone(child))
    assert eventually(lambda: not folder.exists())


def gone(process_id):
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    return False


def eventually(holds, timeout=10):
    for _ in range(timeout * 50):
        if holds():
            return True
        time.sleep(0.02)
    return False


def test_a_program_that_ignores_its_signal_is_ended():
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print('up', flush=True); time.sleep(600)"
    )
    process = processes.start([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
    process.stdout.readline()
    assert processes.stop(process, timeout=0.2) == -signal.SIGKILL


def test_a_missing_tool_skips_and_is_named(monkeypatch):
    monkeypatch.setattr(tools, "missed", set())
    monkeypatch.setitem(tools.TOOLS, "hen", tools.Tool(lambda: None, None, "a hen"))
    monkeypatch.delenv("REQUIRE_TOOLS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs a hen"):
        tools.find("hen")
    assert tools.missed == {"hen"}


def test_a_missing_tool_fails_where_tools_are_required(monkeypatch):
    monkeypatch.setattr(tools, "missed", set())
    monkeypatch.setitem(tools.TOOLS, "hen", tools.Tool(lambda: None, None, "a hen"))
    monkeypatch.setenv("REQUIRE_TOOLS", "1")
    with pytest.raises(pytest.fail.Exception, match="needs a hen, and REQUIRE_TOOLS is set"):
        tools.find("hen")
