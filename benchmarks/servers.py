"""Servers under measurement, and wrk, which asks them."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine

ROOT = Path(__file__).resolve().parent.parent
CONNECTIONS = 8
_CAN_PIN = shutil.which("taskset") is not None and (os.cpu_count() or 1) > 1
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True)
class Load:
    """What wrk measured: answers a second, refusals a second, latencies in milliseconds.

    `processor` is what an answer took of the servers, the database's too, in milliseconds: it
    says most where others use the machine. `others` is what these took, in cores.
    """

    rate: float
    refused: float
    p50: float
    p99: float
    processor: float
    others: float


@dataclass(frozen=True)
class Server:
    """A server that runs: its address, its process, and whether it has a core of its own."""

    address: str
    pid: int
    pinned: bool


def pin(core: int, command: list[str], *, pinned: bool = True) -> list[str]:
    """Keep a command on one core, where there are two and `taskset`."""
    return ["taskset", "-c", str(core), *command] if pinned and _CAN_PIN else command


def free_port() -> int:
    """Ask the system for a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: list[str],
    port: int,
    ready: str,
    *,
    pinned: bool = True,
    folder: Path = ROOT,
    **environment: str,
) -> Iterator[Server]:
    """Run a server in FOLDER, on core 0 where PINNED; it answers READY. Stop it at the end."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            pin(0, command, pinned=pinned),
            cwd=folder,
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
            yield Server(address, process.pid, pinned)
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    end = time.monotonic() + 900
    while process.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=30).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.01)
        else:
            return True
    return False


def load(
    server: Server,
    path: str,
    *,
    seconds: float,
    connections: int = CONNECTIONS,
    script: Path | None = None,
) -> Load:
    """Drive a PATH of SERVER with wrk in a closed loop; print what it showed, and the machine."""
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "60"]
    if script is not None:
        words += ["-s", str(script)]
    command = pin(1, [*words, server.address + path], pinned=server.pinned)
    with machine.watch() as seen:
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        _drain(server, path, script)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])  # type: ignore[index]
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    refused = int(failed[1]) / seconds if failed else 0.0
    if rate:
        p50, p99 = (_latency(text, percentile) for percentile in ("50", "99"))
    else:  # none came in these seconds: as many as come one after the other
        p50 = p99 = 1000 * get(server.address + path)
        rate = 1000 / p50
    answers = re.search(r"(\d+) requests in", text)
    processor = 1000 * seen.served / ((int(answers[1]) if answers else 0) + connections)
    found = Load(rate - refused, refused, p50, p99, processor, seen.others)
    _print_cell(path, found, seen)
    return found


def _print_cell(path: str, found: Load, seen: machine.Watch) -> None:
    refused = f", {found.refused:,.0f} refused" if found.refused else ""
    print(
        f"  {path[:60]:<60} {found.rate:>9,.1f} a second{refused}, "
        f"p50 {found.p50:.2f}, p99 {found.p99:.2f}, processor {found.processor:.2f} ms; "
        f"load {seen.load[0]:.1f} to {seen.load[1]:.1f}, others {seen.others:.2f} cores",
        flush=True,
    )


def _latency(text: str, percentile: str) -> float:
    found = re.search(rf"{percentile}%\s+([\d.]+)(us|ms|s|m)\b", text)
    return float(found[1]) * _UNITS[found[2]] if found else float("nan")


def _drain(server: Server, path: str, script: Path | None) -> None:
    """Wait until the server has done what wrk had asked for when it ended: nobody pays for that.

    It is counted to the answers when these share the processor's time.
    """
    if script is None:
        get(server.address + path)
    else:
        time.sleep(0.5)


def warm_up(server: Server, path: str) -> None:
    """Ask a path some times, so that what is done once is done before it is measured."""
    for _ in range(20):
        get(server.address + path)


def get(url: str, accept: str = "*/*") -> float:
    """Read an answer to its end; return the seconds that it took."""
    began = time.perf_counter()
    request = urllib.request.Request(url, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=600) as answer:
        while answer.read(1 << 20):
            pass
    return time.perf_counter() - began
