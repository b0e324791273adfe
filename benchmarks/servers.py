"""Servers under measurement, each on one core, and wrk on the other."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks" / ".venv" / "bin"
CONNECTIONS = 8
_PIN = shutil.which("taskset") is not None and (os.cpu_count() or 1) > 1
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True)
class Load:
    """What wrk measured: requests a second, and latencies in milliseconds."""

    rate: float
    p50: float
    p99: float
    errors: int


def pinned(core: int, command: list[str]) -> list[str]:
    """Keep a command on one core, where there are two and `taskset`."""
    return ["taskset", "-c", str(core), *command] if _PIN else command


def free_port() -> int:
    """Ask the system for a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def granian(target: str, port: int, *options: str) -> list[str]:
    """Return the command that serves TARGET on the product's own server, with one worker."""
    return [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--factory",
        "--no-ws",
        "--workers",
        "1",
        "--blocking-threads",
        "4",
        "--log-level",
        "error",
        "--port",
        str(port),
        *options,
        target,
    ]


@contextmanager
def running(command: list[str], port: int, ready: str, **environment: str) -> Iterator[str]:
    """Run a server on core 0 until it answers READY, and stop it at the end."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            pinned(0, command),
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        )
        address = f"http://127.0.0.1:{port}"
        try:
            if not _answers(process, address + ready):
                log.seek(0)
                raise SystemExit(f"{command}\n{log.read().decode()}")
            yield address
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=30).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False


def memory(address: str, which: str = "VmRSS") -> float:
    """Return the resident memory, in MB, of the largest process that listens at ADDRESS.

    WHICH is `VmRSS` for what it takes now, `VmHWM` for the most that it ever took.
    """
    port = int(address.rpartition(":")[2])
    largest = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            if str(port).encode() in command:
                status = (folder / "status").read_text()
                largest = max(largest, int(re.search(rf"{which}:\s+(\d+)", status)[1]) / 1024)
        except (OSError, TypeError):
            continue
    return largest


def load(
    url: str,
    *,
    seconds: float = 3,
    connections: int = CONNECTIONS,
    script: Path | None = None,
    headers: tuple[str, ...] = (),
) -> Load:
    """Drive URL with wrk in a closed loop."""
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", "--timeout", "60"]
    for header in headers:
        words += ["-H", header]
    if script is not None:
        words += ["-s", str(script)]
    text = subprocess.run(
        pinned(1, [*words, url]), capture_output=True, text=True, check=True
    ).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return Load(
        float(rate[1]) if rate else 0.0,
        _latency(text, "50"),
        _latency(text, "99"),
        int(failed[1]) if failed else 0,
    )


def _latency(text: str, percentile: str) -> float:
    found = re.search(rf"{percentile}%\s+([\d.]+)(us|ms|s|m)\b", text)
    return float(found[1]) * _UNITS[found[2]] if found else float("nan")
