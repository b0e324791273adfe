"""The server's processes and threads: slow clients hold nothing up, and nothing is left behind."""

import os
import signal
import socket
import sqlite3
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from urllib.parse import urlsplit

import pytest
from sqlalchemy import make_url

from api.http.body_reading import BODIES_OF_A_CLIENT
from tests import servers

INCIDENTS = "/api/v1/incidents"
SLOW = 16  # bodies of one client

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def connection(address, text):
    parts = urlsplit(address)
    opened = socket.create_connection((parts.hostname, parts.port))
    opened.sendall(text.encode())
    return opened


def body_begun(address, headers):
    """Send the head of a POST and one byte of its body."""
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = [f"POST {INCIDENTS} HTTP/1.1", "Host: x", "Content-Type: application/json", *lines]
    return connection(address, "\r\n".join([*head, "Content-Length: 500", "", "{"]))


def status(address):
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.slow
@pytest.mark.parametrize("keyed", [True, False])
def test_bodies_that_come_byte_by_byte_hold_up_nobody(app, editor, incident, keyed):
    import requests

    with ExitStack() as stack:
        address = stack.enter_context(servers.serving(app.config["DATABASE_URL"], threads=1))
        for _ in range(SLOW):
            stack.enter_context(body_begun(address, editor if keyed else {}))
        for _ in range(5):
            assert status(f"{address}{INCIDENTS}") == 200
        url = f"{address}{INCIDENTS}?allow_duplicate=true"
        with requests.post(url, json=incident(), headers=editor, timeout=20) as made:
            assert made.status_code == 201


@pytest.mark.slow
def test_a_slow_body_is_answered_once_it_is_there(app, editor):
    with (
        servers.serving(app.config["DATABASE_URL"], threads=1) as address,
        body_begun(address, editor) as slow,
    ):
        for _ in range(10):
            slow.sendall(b" " * 49)
            time.sleep(0.01)
        slow.sendall(b" " * 9)
        assert slow.recv(15) == b"HTTP/1.1 400 Ba"  # a lone brace


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_workers_end_with_a_server_that_is_killed(app, tmp_path):
    settings = {"workers": 2, "EXPORT_FOLDER": tmp_path}
    with servers.serving(app.config["DATABASE_URL"], **settings) as address:
        mark = f"EXPORT_FOLDER={tmp_path}"
        started = servers.running(mark)
        (server,) = {number for number, parent in started.items() if parent not in started}
        assert list(started.values()).count(server) >= 2
        os.kill(server, signal.SIGKILL)
        end = time.monotonic() + 20
        while servers.running(mark) and time.monotonic() < end:
            time.sleep(0.1)
        assert servers.running(mark) == {}
        socket.create_server(("127.0.0.1", urlsplit(address).port)).close()


@pytest.mark.slow
def test_a_body_that_is_too_slow_is_answered_and_holds_no_thread(app, editor):
    settings = {"threads": 1, "BODY_SECONDS": 0.5}
    with servers.serving(app.config["DATABASE_URL"], **settings) as address:
        with body_begun(address, editor) as slow:
            slow.settimeout(20)
            assert slow.recv(12) == b"HTTP/1.1 408"
        assert status(f"{address}{INCIDENTS}") == 200


@pytest.mark.slow
def test_a_client_has_few_of_the_places_for_bodies(app, editor, incident):
    import requests

    with ExitStack() as stack:
        address = stack.enter_context(servers.serving(app.config["DATABASE_URL"], threads=1))
        for _ in range(BODIES_OF_A_CLIENT):
            stack.enter_context(body_begun(address, editor))
        time.sleep(0.5)
        url = f"{address}{INCIDENTS}?allow_duplicate=true"
        with requests.post(url, json=incident(), headers=editor, timeout=20) as refused:
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")


@pytest.mark.slow
def test_writers_that_wait_for_the_lock_hold_up_no_reader(app, editor, incident):
    import requests

    url = app.config["DATABASE_URL"]
    with ExitStack() as stack:
        address = stack.enter_context(servers.serving(url, threads=2, LOCK_TIMEOUT=10))
        lock = sqlite3.connect(make_url(url).database, isolation_level=None)
        stack.callback(lock.close)
        lock.execute("BEGIN IMMEDIATE")
        post = partial(requests.post, f"{address}{INCIDENTS}?allow_duplicate=true", timeout=60)
        writers = stack.enter_context(ThreadPoolExecutor(24))
        made = [writers.submit(post, json=incident(), headers=editor) for _ in range(24)]
        time.sleep(1)
        for _ in range(20):
            assert status(f"{address}{INCIDENTS}") == 200
        assert not any(each.done() for each in made)
        lock.rollback()
        assert {each.result().status_code for each in made} == {201}
