"""What a worker takes of the memory, and a record of the disk."""

import random
import urllib.parse
from collections.abc import Iterator

from sqlalchemy import create_engine, text

from benchmarks import datasets, machine, servers, services
from benchmarks.datasets import Engine
from benchmarks.peers.serving import driver_url
from benchmarks.rows import Goal
from benchmarks.runs import Run
from benchmarks.services import API, Service
from benchmarks.waits import check_export

_MEMORY = Goal(150, 120, less=True)
_BYTES = Goal(2.5, 2, less=True)
_GROUPS = "country city community community_pair type year month week episode police_measure"
_GROUPS += " publisher country,year city,type"
_COUNTRIES = "RU BE US CN IN DE FR BR NG GB"
_SORTS = "date -date arrests -injuries updated_at"
_PAGES = "/ /?country=DE /codebook /guide /docs /openapi.json"
# Kinds of requests, one after the other: paths below the API's.
_STAGES = {
    "searches": [
        f"/search?q={urllib.parse.quote(words)}"
        for words in ("embassy", "police crowd", '"border police"', "stat*", "london")
    ],
    "lists in many orders": [
        f"/incidents?country={country}&sort={sort}&count=exact"
        for country in _COUNTRIES.split()
        for sort in _SORTS.split()
    ],
    "every kind of statistics": [f"/stats?group_by={group}" for group in _GROUPS.split()],
    "overviews, claims, tables": [
        "/overview?country=CN",
        "/overview?type=protest",
        "/claims?limit=1000",
        "/incidents.csv?country=CN",
        "/incidents.geojson?country=IN",
    ],
}
# What eight clients ask for at once.
_LARGEST = (
    "/incidents?limit=1000",
    "/claims?limit=1000",
    "/search?q=police",
    "/overview",
    "/stats?group_by=country,year&limit=10000",
)


def memory(run: Run) -> None:
    """Measure the memory of a worker after each kind of request, one upon the other."""
    for engine in run.engines:
        row = run.row("memory of a worker (PSS), after everything", engine, "MB", once=True)
        row.goal = _MEMORY
        with services.ours(engine, engine.dataset(run.size), WORKERS="1") as ours:
            for stage in _stages(run, ours):
                row.values = [machine.pss(ours.server.pid)]
                print(f"  {row.values[0]:.0f} MB after {stage}", flush=True)


def _stages(run: Run, ours: Service) -> Iterator[str]:
    """Ask for one kind after the other; yield the name of each when it is done."""
    yield "the start"
    for stage, paths in _STAGES.items():
        for path in paths:
            servers.get(ours.url(path))
        yield stage
    check_export(ours.url("/incidents.ndjson"), run.size)
    yield "an export of everything"
    for page in _PAGES.split():
        servers.get(ours.server.address + page, accept="text/html, */*")
    yield "pages"
    for query in _combinations(400):
        servers.get(ours.url(f"/incidents?date=2012-05&{query}"))
    yield "lists by 400 combinations of filters"
    for path in (*ours.paths.values(), *(API + path for path in _LARGEST)):
        run.load(ours.server, path)
    yield "eight clients at once, with the largest answers"


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


def disk(run: Run) -> None:
    """Measure what a record with one version takes on disk, without what an empty database has."""
    for engine in run.engines:
        row = run.row("bytes on disk a record / its JSON", engine, "x", once=True)
        row.goal = _BYTES
        empty = datasets.notes(engine, run.size)["empty_bytes"]
        each = (engine.bytes(engine.dataset(run.size)) - empty) / run.size
        length = _json_length(engine, engine.dataset(run.size))
        print(f"on {engine.name} a record takes {each:,.0f} bytes, its JSON is {length:,.0f} long")
        row.values = [each / length]


def _json_length(engine: Engine, url: str) -> float:
    """Return the mean length of a document in bytes."""
    length = (
        "length(CAST(document AS BLOB))" if engine.name == "sqlite" else "octet_length(document)"
    )
    database = create_engine(driver_url(url))
    with database.connect() as connection:
        found = connection.scalar(text(f"SELECT avg({length}) FROM versions"))
    database.dispose()
    return float(found)  # type: ignore[arg-type]
