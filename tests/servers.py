"""The running service: granian as `make serve` starts it, on a free port."""

import os
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import processes

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """Ask the system for a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    database_url: str,
    *,
    workers: int = 1,
    threads: int = 4,
    log_file: Path | None = None,
    **settings: object,
) -> Iterator[str]:
    """Serve the database that is there and return the address, such as `http://127.0.0.1:40123`.

    SETTINGS are those of `api/config.py`. The server's output goes to LOG_FILE, and is shown if it
    does not start.
    """
    port = free_port()
    command = [sys.executable, "-m", "flask", "--app", "api", "serve"]
    named = {
        "DATABASE_URL": database_url,
        "PORT": port,
        "WORKERS": workers,
        "THREADS": threads,
        "RATELIMIT_ENABLED": False,
        **settings,
    }
    environment = {**os.environ, **{name: str(value) for name, value in named.items()}}
    with log_file.open("w+b") if log_file else tempfile.TemporaryFile() as log:
        process = processes.start(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            if not answers(process, address):
                log.seek(0)
                raise AssertionError(f"the server did not start:\n{log.read().decode()}")
            yield address
        finally:
            processes.stop(process)


def answers(process: processes.Process, address: str, timeout: float = 60) -> bool:
    """Wait until the server answers; False once it has ended, or after PATIENCE seconds."""
    end = time.monotonic() + timeout
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5):
                return True
        except urllib.error.HTTPError:
            return True  # it answers, which is all that is waited for
        except OSError:
            time.sleep(0.02)
    return False


def running(setting: str) -> dict[int, int]:
    """List the processes of a server that has SETTING, such as `PORT=40123`: number -> parent."""
    found = {}
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            of = {name: Path(f"/proc/{number}/{name}").read_bytes() for name in _FILES}
        except OSError:
            continue
        if setting.encode() in of["environ"].split(b"\0") and b"granian" in of["cmdline"].split(
            b"\0"
        ):
            found[int(number)] = int(of["stat"].rpartition(b")")[2].split()[1])
    return found


_FILES = ("environ", "cmdline", "stat")


def resident(address: str) -> int:
    """Return the bytes of memory that the workers of the server at ADDRESS have."""
    found = running(f"PORT={address.rpartition(':')[2]}")
    workers = [number for number, parent in found.items() if parent in found]
    pages = (int(Path(f"/proc/{number}/statm").read_text().split()[1]) for number in workers)
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")
