"""Paging by cursor while others write: what stays is seen exactly once.

`PAGING_RECORDS=100000` in the environment pages through so many records (`make paging`); without
it a few hundred show the same.
"""

import json
import os
import random
import threading
from collections import Counter
from datetime import date, timedelta

import pytest

from schemas.query.values import SORTS
from tests import builders, random_records

RECORDS = int(os.environ.get("PAGING_RECORDS", "600"))
LIMIT = 1000 if RECORDS > 10_000 else 25
WRITERS = 2


def body(rng):
    """Make a record whose sort values are often shared, and often unknown."""
    day = date(2019, 1, 1) + timedelta(days=rng.randrange(120))
    figures = {name: rng.choice((0, 1, 2, 7, 40)) for name in ("arrests", "injuries")}
    known = {name: figure for name, figure in figures.items() if rng.random() < 0.4}
    # Few of one town: each new record is compared with what is like it.
    town = rng.randrange(300)
    place = {"city": f"Town {town}", "latitude": 48 + town / 100, "longitude": 30.5}
    return builders.incident(date=f"{day}", communities=["armenian"], **place, **known)


def write(client, headers, number, seed=5):
    """Write so many records at once and return their ids."""
    rng = random.Random(seed)
    ids = []
    while len(ids) < number:
        bodies = [{"id": random_records.an_id(rng), **body(rng)} for _ in range(min(5000, number))]
        answer = client.post(
            "/api/v1/incidents",
            data="\n".join(map(json.dumps, bodies)),
            content_type="application/x-ndjson",
            headers=headers,
        )
        assert answer.json["created"] == len(bodies), answer.json
        ids += [one["id"] for one in bodies]
    return ids


class Writer(threading.Thread):
    """Inserts, changes and withdraws until it is told to stop; notes what it touched."""

    def __init__(self, app, headers, ids, seed):
        super().__init__()
        self.client = app.test_client()
        self.headers = headers | {"If-Match": "*"}
        self.rng = random.Random(seed)
        self.ids = ids  # those it may write to; the others stay as they are
        self.moved = set()
        self.written = 0
        self.faults = []
        self.enough = threading.Event()

    def run(self):
        while not self.enough.is_set():
            answer = self.act()
            self.written += 1
            if answer.status_code not in (200, 201, 204):
                self.faults.append(answer.text)

    def act(self):
        path = "/api/v1/incidents"
        what = self.rng.random()
        if what < 0.4 or not self.ids:
            address = f"{path}?allow_duplicate=true"
            return self.client.post(address, json=body(self.rng), headers=self.headers)
        id_ = self.rng.choice(self.ids)
        if what < 0.6:
            self.ids.remove(id_)
            self.moved.add(id_)
            return self.client.delete(f"{path}/{id_}", headers=self.headers)
        changes = body(self.rng)
        named = {name: changes.get(name) for name in ("date", "arrests", "injuries")}
        self.moved.add(id_)
        return self.client.patch(f"{path}/{id_}", json=named, headers=self.headers)


@pytest.fixture
def ids(client, editor):
    """Fill the database and return the ids."""
    return write(client, editor, RECORDS)


@pytest.fixture
def writers(app, editor, ids):
    """Let others write to a tenth of the records, each to its own."""
    found = [Writer(app, editor, ids[number :: 10 * WRITERS], number) for number in range(WRITERS)]
    for writer in found:
        writer.start()
    yield found
    for writer in found:
        writer.enough.set()
    for writer in found:
        writer.join()


@pytest.mark.slow
def test_what_stays_is_seen_exactly_once_in_every_order(client, ids, writers):
    seen = {}
    for sort in set(SORTS) - {"relevance"}:
        seen[sort] = Counter()
        address = f"/api/v1/incidents?sort={sort}&limit={LIMIT}&fields=id"
        while address:
            answer = client.get(address)
            assert answer.status_code == 200, answer.json
            seen[sort].update(record["id"] for record in answer.json["data"])
            address = answer.json["next"]
    for writer in writers:
        writer.enough.set()
    for writer in writers:
        writer.join()
        assert writer.faults == []
        assert writer.written > 0
    touched = set().union(*(writer.moved for writer in writers))
    stayed = set(ids) - touched
    assert len(stayed) >= 0.85 * len(ids)
    for sort, times in seen.items():
        wrong = {id_: times[id_] for id_ in stayed if times[id_] != 1}
        assert wrong == {}, sort
        # A record that was never touched cannot come twice; a new one can only come once.
        new = {id_ for id_ in times if id_ not in touched}
        assert all(times[id_] == 1 for id_ in new), sort


@pytest.mark.slow
def test_filters_that_part_into_walks_page_as_well(client, ids, writers):
    """Alternatives and a window of dates are several walks, merged; each goes on where it was."""
    query = "country=UA,GE&community=armenian&date=2019-02..2019-03&match=possible"
    before = set(pages(client, query))
    again = Counter(record for record in pages(client, query))
    touched = set().union(*(writer.moved for writer in writers))
    assert all(again[id_] == 1 for id_ in before - touched)


def pages(client, query):
    address = f"/api/v1/incidents?{query}&limit=10&fields=id"
    while address:
        answer = client.get(address).json
        yield from (record["id"] for record in answer["data"])
        address = answer["next"]
