"""Other servers: each line of docs/running.md starts one, which answers as ours does."""

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import processes, servers

DOCS = servers.ROOT / "docs" / "running.md"
INCIDENTS = "/api/v1/incidents"
LINES = re.findall(r"^\$ \.venv/bin/((?:granian|gunicorn|waitress)\S* .*)$", DOCS.read_text(), re.M)

only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(params=LINES, ids=[line.partition(" ")[0] for line in LINES])
def address(request, seeded, tmp_path):
    """Yield the address of a server that a line of the documentation started."""
    port = servers.free_port()
    program, *arguments = shlex.split(request.param.replace("8000", str(port)))
    environment = {
        **os.environ,
        "DATABASE_URL": seeded.config["DATABASE_URL"],
        "RATELIMIT_ENABLED": "false",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
    }
    path = str(Path(sys.executable).parent / program)
    log = tmp_path / "server.log"
    with log.open("wb") as output:
        process = processes.start(
            [path, *arguments], cwd=servers.ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        assert servers.answers(process, f"http://127.0.0.1:{port}"), log.read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        began = time.monotonic()
        processes.stop(process, timeout=60)
        assert time.monotonic() - began < 45  # it stops by itself


def test_three_servers_are_documented():
    assert [line.partition(" ")[0] for line in LINES] == ["granian", "gunicorn", "waitress-serve"]


@pytest.mark.slow
@only_sqlite
def test_a_server_answers_as_the_application_does(address, seeded, editor, incident):
    import requests

    client = seeded.test_client()
    for path in (INCIDENTS, f"{INCIDENTS}.csv", "/openapi.json", "/api/v1/nothing", "/guide"):
        expected = client.get(path)
        with requests.get(address + path, timeout=60) as answer:
            assert (answer.status_code, answer.content) == (expected.status_code, expected.data)
    etag = client.get(INCIDENTS).headers["ETag"]
    known = {"If-None-Match": etag}
    assert requests.get(f"{address}{INCIDENTS}", headers=known, timeout=60).status_code == 304
    part = {"Range": "bytes=10-19"}
    with requests.get(f"{address}{INCIDENTS}.ndjson", headers=part, timeout=60) as answer:
        assert (answer.status_code, len(answer.content)) == (206, 10)
    head = requests.head(f"{address}{INCIDENTS}.csv", timeout=60)
    assert (head.status_code, head.content) == (200, b"")
    url = f"{address}{INCIDENTS}?allow_duplicate=true"
    made = requests.post(url, json=incident(), headers=editor, timeout=60)
    assert made.status_code == 201
    again = requests.get(f"{address}{made.json()['url']}", timeout=60)
    assert again.json() == made.json()
    text = requests.get(f"{address}/metrics", timeout=60).text
    (posts,) = re.findall(r'_count\{method="POST",route="/api/v1/incidents",.*\} (\S+)', text)
    assert float(posts) == 1


@pytest.mark.slow
@only_sqlite
def test_a_host_that_is_no_address_is_told_where_it_may_be_from(app):
    environment = {
        **os.environ,
        "DATABASE_URL": app.config["DATABASE_URL"],
        "HOST": "x86_64-conda-linux-gnu",
    }
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "api", "serve"],
        cwd=servers.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "unset HOST" in done.stderr


@pytest.mark.parametrize(("argument", "host"), [((), "127.0.0.1"), (("HOST=0.0.0.0",), "0.0.0.0")])
def test_make_takes_its_host_from_its_arguments_alone(tmp_path, argument, host):
    show = tmp_path / "show.mk"
    show.write_text("show:\n\t@echo $$HOST\n")
    shell = {**os.environ, "HOST": "x86_64-conda-linux-gnu"}
    command = ["make", "-f", "Makefile", "-f", str(show), "show", *argument]
    done = subprocess.run(
        command, cwd=servers.ROOT, env=shell, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == host
