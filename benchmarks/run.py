"""Measure the service against the limit and its peers, in one run on one machine.

`make bench SIZE=1000000` builds the data set (once), measures every row of the goals and prints one
table: medians of the rounds with their spread, p50 and p99 in milliseconds. `--curve` measures how
rates change with the size and draws benchmarks/growth.svg. What counts are the ratios: machines
differ, and the same one differs from hour to hour.
"""

import argparse
import base64
import hashlib
import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks import datasets, growth, records, servers
from benchmarks.servers import Load

API = "/api/v1"
SMALLER = 10  # the growth goal compares with a data set so many times smaller
POSTED = 10  # posts are measured on a data set so many times smaller, a copy of which they fill
POSTS = 200  # records that posts are drawn from
NEWEST = "/incidents"


@dataclass
class Row:
    """A row of the table: what is measured, against what, and the goal for the ratio."""

    name: str
    goal: float
    unit: str = "x"
    ours: list[Load] = field(default_factory=list)
    theirs: list[Load] = field(default_factory=list)
    value: float | None = None

    @property
    def ratio(self) -> float:
        """Return the median ratio of rates, or the value measured otherwise."""
        if self.value is not None:
            return self.value
        pairs = zip(self.ours, self.theirs, strict=True)
        return statistics.median(ours.rate / theirs.rate for ours, theirs in pairs)

    def cells(self) -> list[str]:
        """Write the row for the table."""
        reached = self.ratio <= self.goal if self.unit == "ms" else self.ratio >= self.goal
        sign = "≤" if self.unit == "ms" else "≥"
        shown = {"%": f"{100 * self.ratio:.0f} %", "x": f"{self.ratio:.1f} x"}
        goal = {"%": f"{100 * self.goal:.0f} %", "x": f"{self.goal:g} x"}
        value = shown.get(self.unit, f"{self.ratio:,.1f} {self.unit}")
        wanted = goal.get(self.unit, f"{self.goal:,g} {self.unit}")
        rates = [_spread(loads) for loads in (self.ours, self.theirs)]
        last = self.ours[-1] if self.ours else None
        times = [f"{last.p50:.2f}", f"{last.p99:.2f}"] if last else ["", ""]
        return [self.name, *rates, *times, value, f"{sign} {wanted}", "yes" if reached else "NO"]


def _spread(loads: list[Load]) -> str:
    if not loads:
        return ""
    rates = [load.rate for load in loads]
    middle = statistics.median(rates)
    return f"{middle:,.0f} ({min(rates):,.0f}–{max(rates):,.0f})"


class MeasuredService:
    """The service on one data set, with the addresses that are measured."""

    def __init__(self, path: Path, address: str) -> None:
        self.address = address + API
        self.written = 0
        connection = sqlite3.connect(path)
        self.id, self.pk = connection.execute(
            "SELECT id, pk FROM incidents ORDER BY pk LIMIT 1 OFFSET 500"
        ).fetchone()
        (self.city,) = connection.execute(
            "SELECT city FROM incidents GROUP BY city ORDER BY count(*) DESC LIMIT 1 OFFSET 3"
        ).fetchone()
        connection.close()
        dates = "date_from=2012-01-01&date_to=2013-12-31"
        city = urllib.parse.quote(self.city)
        self.paths = {
            "newest": NEWEST,
            "one": f"/incidents/{self.id}",
            "city": f"/incidents?city={city}&{dates}",
            "pair": "/incidents?community=community-0&community=community-1",
            "arrests": "/incidents?community=community-2&min_arrests=40",
        }

    def url(self, name: str) -> str:
        """Return the address of what is called NAME."""
        return self.address + self.paths[name]

    def body(self, name: str) -> bytes:
        """Read an answer once."""
        with urllib.request.urlopen(self.url(name)) as answer:
            return answer.read()

    def etag(self, name: str) -> str:
        """Return the ETag of an answer."""
        with urllib.request.urlopen(self.url(name)) as answer:
            return answer.headers["ETag"]

    def deep(self, records: int) -> str:
        """Walk RECORDS deep and return the address of the page there."""
        url = f"{self.address}/incidents?limit=1000&fields=id"
        for _ in range(records // 1000):
            with urllib.request.urlopen(url) as answer:
                following = json.load(answer)["next"]
            url = self.address.removesuffix(API) + following
        return url.replace("limit=1000&fields=id", "limit=50")


@contextmanager
def service(path: Path) -> Iterator[MeasuredService]:
    """Serve a data set."""
    port = servers.free_port()
    command = [sys.executable, "-m", "flask", "--app", "api", "serve"]
    environment = {
        "DATABASE_URL": f"sqlite:///{path}",
        "RATELIMIT_ENABLED": "false",
        "WORKERS": "1",
        "PORT": str(port),
    }
    with servers.running(command, port, "/healthz", **environment) as address:
        _time(f"{address}{API}/overview")  # counted when a worker starts
        yield MeasuredService(path, address)


@contextmanager
def orm(path: Path) -> Iterator[str]:
    """Serve a data set by the ORM stack."""
    port = servers.free_port()
    command = servers.granian("benchmarks.peers.orm:create_app", port)
    with servers.running(
        command, port, "/incidents?limit=1", DATABASE_URL=f"sqlite:///{path}"
    ) as address:
        yield address


@contextmanager
def limit(bodies: dict[str, bytes]) -> Iterator[str]:
    """Serve BODIES from memory by a bare Flask route."""
    with tempfile.TemporaryDirectory() as folder:
        for name, body in bodies.items():
            (Path(folder) / name).write_bytes(body)
        port = servers.free_port()
        command = servers.granian("benchmarks.peers.limit:create_app", port)
        with servers.running(command, port, "/newest", BODIES=folder) as address:
            yield address


@contextmanager
def sqlmodel(path: Path) -> Iterator[str]:
    """Serve a data set by FastAPI and SQLModel."""
    port = servers.free_port()
    command = [
        str(servers.PEERS / "uvicorn"),
        "benchmarks.peers.sqlmodel_app:app",
        "--port",
        str(port),
        "--log-level",
        "error",
    ]
    with servers.running(
        command, port, "/incidents?limit=1", DATABASE_URL=f"sqlite:///{path}"
    ) as address:
        yield address


@contextmanager
def datasette(path: Path) -> Iterator[str]:
    """Serve a data set by Datasette."""
    port = servers.free_port()
    command = [
        str(servers.PEERS / "datasette"),
        "serve",
        "--immutable",
        str(path),
        "--port",
        str(port),
        "--setting",
        "sql_time_limit_ms",
        "20000",
    ]
    with servers.running(command, port, "/-/versions.json") as address:
        yield f"{address}/{path.stem}/incidents"


class Run:
    """One run: its sizes, rounds and rows."""

    def __init__(self, size: int, rounds: int, seconds: float) -> None:
        self.size, self.rounds, self.seconds = size, rounds, seconds
        self.path = datasets.dataset(size)
        self.rows: list[Row] = []

    def row(self, name: str, goal: float, unit: str = "x") -> Row:
        """Add a row to the table."""
        self.rows.append(Row(name, goal, unit))
        return self.rows[-1]

    def load(self, url: str, **options: Any) -> Load:
        """Drive an address for the run's seconds, or until one answer where none comes in these."""
        found = servers.load(url, seconds=self.seconds, **options)
        if found.errors:
            raise SystemExit(f"{found.errors} refused answers from {url}")
        return found if found.rate else replace(found, rate=1 / _time(url))

    def against_the_limit(self) -> None:
        """Measure lists, records and 304 against a bare route with the same bytes."""
        goals = {"newest": 0.4, "one": 0.6, "city": 0.25, "pair": 0.2, "arrests": 0.2}
        names = {
            "newest": "newest 50 / bare Flask, same bytes",
            "one": "one record / bare Flask, same bytes",
            "city": "city and dates / bare list",
            "pair": "two communities together / bare list",
            "arrests": "community and arrests / bare list",
        }
        rows = {name: self.row(names[name], goal, "%") for name, goal in goals.items()}
        unchanged = self.row("unchanged list (304) / bare Flask, one record", 0.6, "%")
        deep = self.row("page 2,000 deep / first page", 0.75, "%")
        with service(self.path) as ours:
            bodies = {name: ours.body(name) for name in goals}
            etag = (f"If-None-Match: {ours.etag('newest')}",)
            page = ours.deep(min(100_000, self.size // 2))
            with limit(bodies) as bare:
                for _ in range(self.rounds):
                    for name, row in rows.items():
                        row.ours.append(self.load(ours.url(name)))
                        row.theirs.append(self.load(f"{bare}/{name}"))
                    unchanged.ours.append(self.load(ours.url("newest"), headers=etag))
                    unchanged.theirs.append(self.load(f"{bare}/one"))
                    deep.ours.append(self.load(page))
                    deep.theirs.append(self.load(ours.url("newest")))

    def against_a_smaller_one(self) -> None:
        """Measure each query against the same on a data set ten times smaller."""
        small = datasets.dataset(self.size // SMALLER)
        with service(self.path) as ours, service(small) as theirs:
            for name in ours.paths:
                row = self.row(
                    f"{name}: {self.size:,} / {self.size // SMALLER:,} records", 0.85, "%"
                )
                for _ in range(self.rounds):
                    row.ours.append(self.load(ours.url(name)))
                    row.theirs.append(self.load(theirs.url(name)))

    def against_datasette(self) -> None:
        """Measure against Datasette on the same file."""
        rows = [
            self.row("newest 50 / Datasette", 8),
            self.row("one record / Datasette", 5),
            self.row("page 2,000 deep / Datasette", 25),
        ]
        depth = min(100_000, self.size // 2)
        connection = sqlite3.connect(self.path)
        place = connection.execute(
            "SELECT sort_date, pk FROM incidents ORDER BY sort_date DESC, pk LIMIT 1 OFFSET ?",
            (depth,),
        ).fetchone()
        connection.close()
        page = ".json?_size=50&_sort_desc=sort_date&_nocount=1&_nosuggest=1&_shape=objects"
        with service(self.path) as ours, datasette(self.path) as theirs:
            pairs = [
                (ours.url("newest"), theirs + page),
                (ours.url("one"), f"{theirs}/{ours.pk}.json?_shape=objects"),
                (ours.deep(depth), f"{theirs}{page}&_next={place[0]}%2C{place[1]}"),
            ]
            self._pairs(rows, pairs)

    def against_sqlmodel(self) -> None:
        """Measure against FastAPI and SQLModel."""
        rows = [
            self.row("newest 50 / FastAPI + SQLModel", 40),
            self.row("one record / FastAPI + SQLModel", 10),
        ]
        with service(self.path) as ours, sqlmodel(self.path) as theirs:
            pairs = [
                (ours.url("newest"), f"{theirs}/incidents"),
                (ours.url("one"), f"{theirs}/incidents/{ours.id}"),
            ]
            self._pairs(rows, pairs)

    def _pairs(self, rows: list[Row], pairs: list[tuple[str, str]]) -> None:
        for _ in range(self.rounds):
            for row, (ours, theirs) in zip(rows, pairs, strict=True):
                row.ours.append(self.load(ours))
                row.theirs.append(self.load(theirs))
                _time(theirs)  # a slow peer first ends what it was asked for, beside nobody

    def aggregates(self) -> None:
        """Measure counts and statistics: unchanged data, and the first time after a write."""
        year = "date_from=2019-01-01&date_to=2019-12-31"
        some = "community=community-2&min_arrests=20"
        asked = {
            "exact count": (f"/incidents?limit=1&count=exact&{some}", f"/count?{some}"),
            "one-year statistics": (f"/stats?group_by=city,month&{year}", f"/stats?{year}"),
        }
        with tempfile.TemporaryDirectory(dir=datasets.CACHE) as folder:
            copy = Path(folder) / self.path.name
            shutil.copy(self.path, copy)
            key = _key(copy)
            with service(copy) as ours, orm(copy) as theirs:
                for name, (own, other) in asked.items():
                    slow = statistics.median(_time(theirs + other) for _ in range(self.rounds))
                    fresh = statistics.median(
                        self._after_write(ours, own, key) for _ in range(self.rounds)
                    )
                    goal = 20 if name == "exact count" else 10
                    self.row(f"{name}, first after a write / ORM stack", goal).value = slow / fresh
                    rate = self.load(ours.address + own).rate
                    self.row(f"{name}, unchanged data / ORM stack", 100).value = slow * rate

    def _after_write(self, ours: MeasuredService, path: str, key: str) -> float:
        ours.written += 1
        body = json.dumps({"title": f"Changed for the {ours.written}. time"}).encode()
        request = urllib.request.Request(
            ours.url("one"),
            body,
            method="PATCH",
            headers={
                "Authorization": f"Bearer {key}",
                "If-Match": "*",
                "Content-Type": "application/json",
            },
        )
        urllib.request.urlopen(request).close()
        return _time(ours.address + path)

    def search(self) -> None:
        """Measure a search for a word that one record of ten has, on one connection."""
        row = self.row("search for a word in 10 % of the records, p50", 8, "ms")
        with service(self.path) as ours:
            url = f"{ours.address}/search?q={records.COMMON_WORD}"
            row.ours = [self.load(url, connections=1) for _ in range(self.rounds)]
        row.value = statistics.median(load.p50 for load in row.ours)

    def posts(self) -> None:
        """Measure durable posts, each alone in its transaction, against the ORM stack."""
        row = self.row("durable posts / ORM stack", 5)
        path = datasets.dataset(self.size // POSTED)
        for _ in range(self.rounds):
            with tempfile.TemporaryDirectory(dir=datasets.CACHE) as folder:
                copy = Path(folder) / "posts.sqlite"
                shutil.copy(path, copy)
                key = _key(copy)
                with service(copy) as ours:
                    script = _script(folder, key, copy)
                    url = f"{ours.address}/incidents?allow_duplicate=true"
                    row.ours.append(self.load(url, script=script))
                with orm(copy) as theirs:
                    script = _script(folder, key, copy)
                    url = f"{theirs}/incidents"
                    found = servers.load(url, seconds=self.seconds, script=script)
                    # Some are refused there: the database is locked by another writer.
                    refused = found.errors / self.seconds
                    row.theirs.append(replace(found, rate=found.rate - refused))

    def export(self) -> None:
        """Measure an export of a tenth as NDJSON, and how the worker's memory grows by it."""
        row = self.row("NDJSON export of a tenth / ORM stack", 60)
        with service(self.path) as ours, orm(self.path) as theirs:
            page = min(1000, self.size)
            _time(f"{theirs}/incidents?limit=50")
            slow = _time(f"{theirs}/incidents?limit={page}&offset={self.size // 10}") / page
            before = servers.memory(ours.address.removesuffix(API))
            each = []
            for number in range(self.rounds):  # each is another, which nobody has asked for before
                dates = f"date_from=2005-01-01&date_to=2007-07-{30 - number}"
                url = f"{ours.address}/incidents.ndjson?{dates}"
                each.append(_time(url) / _number_of_records(url))
            grown = servers.memory(ours.address.removesuffix(API)) - before
        row.value = slow / statistics.median(each)
        print(
            f"export: {1 / statistics.median(each):,.0f} records a second, "
            f"worker {before:.0f} MB + {grown:.0f} MB"
        )

    def memory(self) -> None:
        """Print the memory of a worker, and prove an export of everything on the way."""
        with service(self.path) as ours:
            self._print_memory("started", ours)
            for words in ("embassy", "police crowd", '"border police"', "stat*", "london"):
                _time(f"{ours.address}/search?q={urllib.parse.quote(words)}")
            for country in ("RU", "BE", "US", "CN", "IN", "DE", "FR", "BR", "NG", "GB"):
                for sort in ("date", "-date", "arrests", "-injuries", "updated_at"):
                    _time(f"{ours.address}/incidents?country={country}&sort={sort}&count=exact")
            self._print_memory("searches, and lists in many orders", ours)
            _check_export(f"{ours.address}/incidents.ndjson", self.size)
            self._print_memory("an export of everything", ours)
            for name in ours.paths:
                self.load(ours.url(name))
            self._print_memory("eight clients at once", ours)
            for group in (
                "country",
                "city",
                "community",
                "community_pair",
                "type",
                "year",
                "month",
                "week",
                "episode",
                "police_measure",
                "publisher",
                "country,year",
                "city,type",
            ):
                _time(f"{ours.address}/stats?group_by={group}")
            self._print_memory("every kind of statistics over all records", ours)
            for path in (
                "overview?country=CN",
                "overview?type=protest",
                "claims?limit=1000",
                "incidents.csv?country=CN",
                "incidents.geojson?country=IN",
            ):
                _time(f"{ours.address}/{path}")
            for page in ("/", "/?country=DE", "/codebook", "/guide", "/docs", "/openapi.json"):
                _time(ours.address.removesuffix(API) + page, accept="text/html, */*")
            self._print_memory("overviews, claims, tables, pages", ours)
            for query in _combinations(400):
                _time(f"{ours.address}/incidents?date=2012-05&{query}")
            self._print_memory("lists by 400 combinations of filters", ours)
            for path in (
                "incidents?limit=1000",
                "claims?limit=1000",
                "search?q=police",
                "overview",
                "stats?group_by=country,year&limit=10000",
            ):
                self.load(f"{ours.address}/{path}")
            self._print_memory("eight clients at once with the largest answers", ours)

    def _print_memory(self, after: str, ours: MeasuredService) -> None:
        address = ours.address.removesuffix(API)
        now, most = (servers.memory(address, which) for which in ("VmRSS", "VmHWM"))
        print(f"memory of a worker: {now:.0f} MB (at most {most:.0f} so far): {after}", flush=True)

    def bulk(self) -> None:
        """Add the row of how fast the data set was loaded."""
        row = self.row(f"bulk load of {self.size:,} records", 1000, "records/s")
        row.value = datasets.import_rate(self.size)


def _time(url: str, accept: str = "*/*") -> float:
    began = time.perf_counter()
    asked = urllib.request.Request(url, headers={"Accept": accept})
    with urllib.request.urlopen(asked, timeout=600) as answer:
        while answer.read(1 << 20):
            pass
    return time.perf_counter() - began


def _combinations(number: int) -> Iterator[str]:
    """Draw so many queries with other filters, or with the same in another number."""
    values = {
        "country": ("RU", "US,GB", "CN,IN,DE"),
        "type": ("protest", "clash,rally"),
        "community": ("community-1", "community-2,community-3"),
        "min_arrests": ("4",),
        "police_measure": ("tear_gas",),
        "disputed": ("true",),
        "bbox": ("0,40,20,60",),
        "min_sources": ("2",),
        "unreported": ("deaths",),
        "q": ("embassy", "police crowd"),
        "sort": ("date", "-date", "arrests", "-injuries"),
        "role": ("organiser",),
    }
    draw = random.Random(11)
    for _ in range(number):
        names = draw.sample(sorted(values), draw.randint(1, 5))
        yield urllib.parse.urlencode({name: draw.choice(values[name]) for name in names})


def _check_export(url: str, size: int) -> None:
    """Read an export of SIZE records of NDJSON, and hold it to its count, length and digest."""
    digest, lines, length = hashlib.sha256(), 0, 0
    with urllib.request.urlopen(url, timeout=600) as answer:
        while block := answer.read(1 << 20):
            digest.update(block)
            lines += block.count(b"\n")
            length += len(block)
    sent = answer.headers
    found = f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    if (lines, length, found) != (size, int(sent["Content-Length"]), sent["Repr-Digest"]):
        raise SystemExit(f"the export is not whole: {lines:,} lines, {length:,} bytes, {found}")
    print(f"export of everything: {lines:,} records, {length:,} bytes, as its digest says")


def _number_of_records(url: str) -> int:
    request = urllib.request.Request(url, method="HEAD")
    with urllib.request.urlopen(request, timeout=600) as answer:
        return int(answer.headers["Record-Count"])


def _key(path: Path) -> str:
    made = subprocess.run(
        [
            sys.executable,
            "-m",
            "flask",
            "--app",
            "api",
            "keys",
            "create",
            "bench",
            "--role",
            "editor",
        ],
        cwd=servers.ROOT,
        env={**os.environ, "DATABASE_URL": f"sqlite:///{path}"},
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout.strip().rpartition("\n")[2]


def _script(folder: str, key: str, path: Path) -> Path:
    """Write what posts records at places of the data set PATH, each with another id and day."""
    text = (servers.ROOT / "benchmarks" / "post.lua").read_text()
    drawn = records.incidents(POSTS, datasets.places(path), seed=11)
    bodies = ({**record, "id": "@ID", "date": "@DAY"} for record in drawn)
    quoted = ",\n".join(f"[==[{json.dumps(body)}]==]" for body in bodies)
    script = Path(folder) / "post.lua"
    script.write_text(text.replace("KEY", key, 1).replace("BODIES", quoted, 1))
    return script


def table(rows: list[Row]) -> str:
    """Lay the rows out as a Markdown table."""
    head = ["what", "ours, a second", "theirs, a second", "p50 ms", "p99 ms", "ratio", "goal", ""]
    lines = [head, ["---"] * len(head), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


PARTS: dict[str, Callable[[Run], None]] = {
    "limit": Run.against_the_limit,
    "smaller": Run.against_a_smaller_one,
    "datasette": Run.against_datasette,
    "sqlmodel": Run.against_sqlmodel,
    "aggregates": Run.aggregates,
    "search": Run.search,
    "posts": Run.posts,
    "export": Run.export,
    "memory": Run.memory,
    "bulk": Run.bulk,
}


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument(
        "--curve",
        type=int,
        nargs="?",
        const=growth.SIZES[-1],
        metavar="LARGEST",
        help="also draw the growth curve, up to so many records",
    )
    options = parser.parse_args()
    run = Run(options.size, options.rounds, options.seconds)
    for name in options.only:
        began = time.perf_counter()
        PARTS[name](run)
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    print(table(run.rows))
    if options.curve is not None:
        growth.draw(service, run.load, options.curve)


if __name__ == "__main__":
    main()
