"""Where people wait: for the first answer, the first statistics after a write, an export."""

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks import machine, servers, services
from benchmarks.datasets import CACHE
from benchmarks.runs import Run
from benchmarks.servers import ROOT
from benchmarks.services import API, Service
from benchmarks.writes import copy_with_key


def first_answer(run: Run) -> None:
    """Measure the seconds from the start of the command to the first list."""
    for engine in run.engines:
        row = run.row("first answer after a start", engine, "s")
        for _ in range(run.pairs):
            port = servers.free_port()
            command = [sys.executable, "-m", "flask", "--app", "api", "serve"]
            environment = {"DATABASE_URL": engine.dataset(run.size), "PORT": str(port)}
            with machine.watch() as seen:
                began = time.perf_counter()
                with servers.running(command, port, f"{API}/incidents", **environment):
                    seconds = time.perf_counter() - began
            row.add(seconds, seen.others)


def after_a_write(run: Run) -> None:
    """Measure the first statistics after a record was changed."""
    year = "date_from=2019-01-01&date_to=2019-12-31"
    asked = {"a year's by city and month": f"group_by=city,month&{year}", "all": "group_by=country"}
    for engine in run.engines:
        url, key = copy_with_key(run, engine)
        with services.ours(engine, url) as ours:
            for name, query in asked.items():
                row = run.row(f"first statistics after a write, {name}", engine, "ms")
                servers.get(ours.url(f"/stats?{query}"))
                for number in range(run.pairs):
                    _change(ours, key, f"{name}, {number}")
                    with machine.watch() as seen:
                        milliseconds = 1000 * servers.get(ours.url(f"/stats?{query}"))
                    row.add(milliseconds, seen.others)
        engine.drop(url)


def _change(ours: Service, key: str, title: str) -> None:
    headers = {"Authorization": f"Bearer {key}", "If-Match": "*"}
    request = urllib.request.Request(
        ours.server.address + ours.paths["one"],
        json.dumps({"title": f"Changed for {title}"}).encode(),
        {**headers, "Content-Type": "application/json"},
        method="PATCH",
    )
    urllib.request.urlopen(request).close()


def export(run: Run) -> None:
    """Measure exports of everything as NDJSON, each asked for the first time, and prove them."""
    for engine in run.engines:
        row = run.row("export of everything as NDJSON, the first time", engine, "a second")
        with services.ours(engine, engine.dataset(run.size)) as ours:
            for number in range(run.pairs):
                with machine.watch() as seen:
                    began = time.perf_counter()
                    check_export(ours.url(f"/incidents.ndjson?date_to={3000 + number}"), run.size)
                    seconds = time.perf_counter() - began
                row.add(run.size / seconds, seen.others)


def check_export(url: str, size: int) -> None:
    """Read an export of SIZE records of NDJSON, and hold it to its count, length and digest."""
    digest, lines, length = hashlib.sha256(), 0, 0
    with urllib.request.urlopen(url, timeout=600) as answer:
        while block := answer.read(1 << 20):
            digest.update(block)
            lines += block.count(b"\n")
            length += len(block)
        told = answer.headers
    found = f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    if (lines, length, found) != (size, int(told["Content-Length"]), told["Repr-Digest"]):
        raise SystemExit(f"the export is not whole: {lines:,} lines, {length:,} bytes, {found}")


def clone(run: Run) -> None:
    """Measure `make serve` in a new clone until it answers, and once more in the same one."""
    command = [sys.executable, "-m", "pip", "cache", "info"]
    told = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    size = next((line for line in told if "page cache size" in line), "none")
    print(f"pip's local cache, from which packages may come: {size.rpartition(':')[2].strip()}")
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        folder = Path(name) / "clone"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
        for what in ("in a new clone", "again"):
            row = run.row(f"make serve to the first answer, {what}", run.engines[0], "s", once=True)
            with machine.watch() as seen:
                seconds = _make_serve(folder)
            row.add(seconds, seen.others)


def _make_serve(folder: Path) -> float:
    """Return the seconds until `make serve` in FOLDER answers a list; stop it then."""
    port = servers.free_port()
    hidden = ("DATABASE_URL", "VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL")
    without = [word for name in hidden for word in ("-u", name)]
    command = ["env", *without, "make", "serve", f"PORT={port}"]
    began = time.perf_counter()
    with servers.running(command, port, f"{API}/incidents", pinned=False, folder=folder):
        return time.perf_counter() - began
