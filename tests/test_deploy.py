"""The files of deploy/ as they are shipped: what the unit allows, what the proxy keeps closed.

Where systemd does not run, a mount namespace stands for the unit's: all is read-only but its
folders, no capability is left, and the files it makes are its own.
"""

import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests import processes, servers, tools

ROOT = Path(__file__).parent.parent
UNIT, CADDYFILE = ROOT / "deploy" / "incidents.service", ROOT / "deploy" / "Caddyfile"
# As the unit's section has it: a key may stand in several lines.
SETTINGS = [
    line.split("=", 1) for line in UNIT.read_text().splitlines() if re.match(r"[A-Z]\w+=", line)
]
# `$1` is the folder of the state, `$2` the repository; all else is read-only.
SANDBOX = """
set -e
mount --make-rprivate /
mount -t tmpfs none /srv
mkdir /srv/incidents
mount --bind "$2" /srv/incidents
mount -t tmpfs none /var/lib
mkdir /var/lib/incidents
mount --bind "$1" /var/lib/incidents
mount -t tmpfs none /tmp
for place in / /srv /srv/incidents /work /home /root /dev/shm; do
  mountpoint -q $place && mount -o remount,bind,ro $place || true
done
cd /srv/incidents
"""


def values(name):
    """Return what the unit sets NAME to, in all lines."""
    return [value for key, value in SETTINGS if key == name]


def environment(port):
    """Return the environment that the unit gives the service, and what /etc/incidents.env would."""
    pairs = [pair.split("=", 1) for line in values("Environment") for pair in line.split()]
    named = {"DATABASE_URL": "sqlite:////var/lib/incidents/incidents.sqlite", "WORKERS": "1"}
    return {"PATH": os.environ["PATH"], **dict(pairs), **named, "PORT": str(port)}


@pytest.fixture
def state(tmp_path):
    """Return the folder that systemd would make for the unit."""
    folder = tmp_path / "state"
    folder.mkdir(mode=int(values("StateDirectoryMode")[0], 8))
    return folder


def in_sandbox(state, script):
    """Return the command that runs SCRIPT as the unit would run it."""
    confined = 'exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all sh -ec "$3"'
    (umask,) = values("UMask")
    text = f"{SANDBOX}\numask {umask}\n{confined}"
    return ["unshare", "--mount", "sh", "-c", text, "sh", str(state), str(ROOT), script]


def ask(address, method, path, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(address + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.slow
@pytest.mark.needs("root", "unshare", "setpriv")
def test_the_unit_lets_the_service_erase_and_note_it(state, incident):
    port = servers.free_port()
    before, serve = values("ExecStartPre")[0], values("ExecStart")[0]
    flask = before.partition(" ")[0]
    script = f"{before}; {flask} --app api keys create me --role admin; exec {serve}"
    log = (state.parent / "log").open("w+b")
    command = in_sandbox(state, script)
    process = processes.start(command, env=environment(port), stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        assert answers(process, address), (state.parent / "log").read_text()
        key = re.search(r"^\w+_\w+$", (state.parent / "log").read_text(), re.MULTILINE)[0]
        headers = {"Authorization": f"Bearer {key}", "If-Match": "*"}
        path = "/api/v1/incidents"
        status, text = ask(address, "POST", path, incident(), **headers)
        assert status == 201, text
        path = f"{path}/{json.loads(text)['id']}/erase"
        assert ask(address, "POST", path, {}, **headers)[0] == 204
        status, text = ask(address, "GET", "/readyz")
        assert (status, json.loads(text)["erasures"]) == (200, True)
    finally:
        processes.stop(process)
        log.close()
    (line,) = (state / "erasures.ndjson").read_text().splitlines()
    assert json.loads(line)["resource"] == "incident"
    assert {path.stat().st_mode & 0o077 for path in [state, *state.rglob("*")]} == {0}


@pytest.mark.slow
@pytest.mark.needs("root", "unshare", "setpriv")
def test_a_service_that_could_note_no_erasure_does_not_start(state):
    given = environment(servers.free_port())
    given.pop("ERASURE_LOG")  # it would lie beside the code, which is read-only
    command = in_sandbox(state, f"exec {values('ExecStart')[0]}")
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "ERASURE_LOG (/srv/incidents/instance/erasures.ndjson) cannot be written" in done.stderr


def answers(process, address):
    """Whether a server answers at ADDRESS before its process ends, in two minutes."""
    end = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < end:
        try:
            return ask(address, "GET", "/healthz")[0] == 200
        except OSError:
            time.sleep(0.1)
    return False


@pytest.mark.needs("systemd-analyze")
def test_systemd_finds_the_unit_sound_and_little_exposed():
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout  # exposure of at most 2.0 of 10
    done = subprocess.run(
        ["systemd-analyze", "verify", str(UNIT)], capture_output=True, text=True, check=False
    )
    complaints = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert all("is not executable" in line for line in complaints), complaints


@pytest.mark.parametrize(
    "name", ["UMask", "CapabilityBoundingSet", "SystemCallFilter", "MemoryMax", "TasksMax"]
)
def test_the_unit_bounds_what_the_service_may_have(name):
    assert values(name)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    """Yield the port of Caddy with the shipped file, on plain HTTP, before a page of words."""
    caddy, folder = tools.find("caddy"), tmp_path_factory.mktemp("caddy")
    port, behind = servers.free_port(), servers.free_port()
    shipped = CADDYFILE.read_text()
    checked = subprocess.run(
        [caddy, "validate", "--config", str(CADDYFILE), "--adapter", "caddyfile"],
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(folder)},
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    text = shipped.replace("incidents.example {", f"http://127.0.0.1:{port} {{", 1)
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{behind}")
    text = f"{{\n\tadmin off\n}}\n{text}\nhttp://127.0.0.1:{behind} {{\n\trespond secret\n}}\n"
    (folder / "Caddyfile").write_text(text)
    with (folder / "log").open("wb") as log:
        process = processes.start(
            [caddy, "run", "--config", str(folder / "Caddyfile")],
            env={**os.environ, "HOME": str(folder)},
            stdout=log,
            stderr=log,
        )
        try:
            wait_for(port, process, folder / "log")
            yield port
        finally:
            processes.stop(process)


def wait_for(port, process, log):
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        try:
            if get(port, "/")[1] == b"secret":
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def get(port, path):
    """Ask for a path just as it is written."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


@pytest.mark.needs("caddy")
@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/metrics/",
        "//metrics",
        "///metrics//",
        "/Metrics",
        "/METRICS",
        "/%6Detrics",
        "/%6d%65trics?x=1",
        "/%2Fmetrics",
        "/./metrics",
        "/x/../metrics",
        "/metrics?format=text",
        "/metrics/x",
    ],
)
def test_no_spelling_of_metrics_passes_the_proxy(proxy, path):
    answer, body = get(proxy, path)
    assert (answer.status, body) == (404, b"")


@pytest.mark.needs("caddy")
@pytest.mark.parametrize("path", ["/", "/api/v1/incidents", "/docs", "/api/v1/metrics-of"])
def test_what_is_for_the_public_passes_with_strict_transport(proxy, path):
    answer, body = get(proxy, path)
    assert (answer.status, body) == (200, b"secret")
    assert (
        int(re.search(r"max-age=(\d+)", answer.headers["Strict-Transport-Security"])[1]) >= 31536000
    )
