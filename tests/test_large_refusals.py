"""Refusing a large faulty body is cheap and takes nothing from others, on a real server.

Bodies have REFUSED_LINES lines, 300 unless set: `make refusals` takes 5,000 and prints the seconds.
"""

import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from api.database.engines import db
from api.models import Place
from tests import servers
from tests.builders import incident as body_of

LINES = int(os.environ.get("REFUSED_LINES", "300"))
WRITERS = 8
URL = "/api/v1/incidents"
NDJSON, CSV = "application/x-ndjson", "text/csv"
CITIES = ("Springfeild", "Washingtn", "San Fransisco", "Harpers Fery", "Los Angelos")


def ndjson(bodies):
    return "".join(f"{json.dumps(body)}\n" for body in bodies)


def faulty(n):
    """Make a line with a fault of its own: place, division, country, community or all."""
    return (
        body_of(city=f"{CITIES[n % 5]} {n}", country="US"),
        body_of(city="Springfield", country="US", admin1=f"Nowhere {n}"),
        body_of(country=f"Ruslandia {n}"),
        body_of(communities=[f"armeniann {n}"]),
        {},
    )[n % 5]


def wide(lines):
    """Make CSV whose header has 20,000 columns."""
    header = ",".join(["title", *(f"column {n}" for n in range(20_000))])
    return header + f"\n{',' * 20_000}" * lines


BODIES = {
    "places": (NDJSON, lambda: ndjson(faulty(5 * n) for n in range(LINES))),
    "divisions": (NDJSON, lambda: ndjson(faulty(5 * n + 1) for n in range(LINES))),
    "countries": (NDJSON, lambda: ndjson(faulty(5 * n + 2) for n in range(LINES))),
    "communities": (NDJSON, lambda: ndjson(faulty(5 * n + 3) for n in range(LINES))),
    "empty objects": (NDJSON, lambda: "{}\n" * LINES),
    "all of them": (NDJSON, lambda: ndjson(map(faulty, range(LINES)))),
    "20,000 columns": (CSV, lambda: wide(LINES // 100)),
}


class Writer(threading.Thread):
    """Posts one record after another until it is told to stop, and keeps the answers."""

    def __init__(self, number, address, key, stop):
        super().__init__(name=f"writer {number}")
        self.number, self.address, self.key, self.stop = number, address, key, stop
        self.statuses = []

    def run(self):
        while not self.stop.is_set():
            title = f"Event {self.number}-{len(self.statuses)}"
            year = 1900 + len(self.statuses) % 120
            line = body_of(title=title, date=f"{year}-{1 + self.number:02}-01")
            address = f"{self.address}{URL}?allow_duplicate=true"
            status, _ = send(address, json.dumps(line), "application/json", self.key)
            self.statuses.append(status)


def send(address, body, media_type, key):
    """Return the status and the JSON of what a POST is answered."""
    headers = {**key, "Content-Type": media_type}
    request = urllib.request.Request(address, body.encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=600) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.slow
def test_eight_write_undisturbed_while_large_bodies_are_refused(app, editor):
    with servers.serving(app.config["DATABASE_URL"], threads=12) as address:
        stop = threading.Event()
        writers = [Writer(number, address, editor, stop) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        refusals = {}
        for name, (media_type, body) in BODIES.items():
            text, started = body(), time.monotonic()
            refusals[name] = send(f"{address}{URL}", text, media_type, editor)
            sys.stdout.write(f"\n{name}: refused after {time.monotonic() - started:.1f} s")
        stop.set()
        for writer in writers:
            writer.join()
    sys.stdout.write(f"\nwritten meanwhile: {sum(len(writer.statuses) for writer in writers)}\n")
    for writer in writers:
        assert set(writer.statuses) == {201}
    for status, problem in refusals.values():
        assert status == 422
        assert 0 < len(problem["errors"]) <= 1000
        assert all(len(names) <= 1000 for names in problem.get("missing", {}).values())
    assert refusals["empty objects"][1]["faults"] >= 2 * LINES


def test_near_names_are_looked_for_a_bounded_number_of_times(app, client, editor):
    with app.app_context():
        names = db.session.scalars(
            select(Place.name)
            .where(Place.country == "US")
            .order_by(Place.population.desc())
            .limit(600)
        ).all()
    names = list(dict.fromkeys(names))[:400]
    lines = ndjson(body_of(city=f"{name}x", country="US") for name in names)
    problem = client.post(URL, data=lines, content_type=NDJSON, headers=editor).json
    explained = [error for error in problem["errors"] if "Near names" in error["detail"]]
    assert len(problem["errors"]) == 400
    assert 100 < len(explained) <= 200
    assert problem["errors"][-1]["code"] == "unknown_place"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_names_that_are_missing_are_listed_up_to_a_thousand(client, editor):
    lines = ndjson(body_of(communities=[f"people {n}"]) for n in range(1100))
    problem = client.post(URL, data=lines, content_type=NDJSON, headers=editor).json
    assert len(problem["missing"]["communities"]) == 1000
    assert "and 1080 more among communities" in problem["detail"]


@pytest.mark.slow
def test_eight_write_undisturbed_while_a_large_import_is_undone(app, client, editor):
    days = (date(1700, 1, 1) + timedelta(days=3 * n) for n in range(2 * LINES))
    lines = ndjson(body_of(date=str(day), city="Lviv") for day in days)
    answer = client.post("/api/v1/imports", data=lines, content_type=NDJSON, headers=editor)
    path = f"/api/v1/imports/{answer.json['import_id']}/revert"
    with servers.serving(app.config["DATABASE_URL"], threads=12) as address:
        stop = threading.Event()
        writers = [Writer(number, address, editor, stop) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        started = time.monotonic()
        status, outcome = send(f"{address}{path}", "{}", "application/json", editor)
        sys.stdout.write(f"\nundone after {time.monotonic() - started:.1f} s")
        stop.set()
        for writer in writers:
            writer.join()
    sys.stdout.write(f"\nwritten meanwhile: {sum(len(writer.statuses) for writer in writers)}\n")
    assert (status, outcome["withdrawn"], outcome["kept"]) == (200, 2 * LINES, [])
    for writer in writers:
        assert set(writer.statuses) == {201}
