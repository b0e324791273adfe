"""The server's processes and threads: slow clients hold nothing up, and nothing is left behind."""

import os
import signal
import socket
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests import servers

INCIDENTS = "/api/v1/incidents"
SLOW = 40

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
