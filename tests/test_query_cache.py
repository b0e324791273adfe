"""What a worker remembers is what it would work out anew: after every kind of write."""

import random
import threading

import pytest
from sqlalchemy import select

from api import create_app
from api.core.permissions import Actor
from api.database.engines import db
from api.models import ApiKey
from api.queries import cache, counts
from api.queries.cache import VersionedCache, cache_of
from api.queries.filters import incidents
from api.queries.overview import aggregates, summary
from api.queries.statistics import pages
from schemas.query.filters import FILTERS
from tests import conftest, oracle, random_records

ASKED = [
    ("country", {}),
    ("month,type", {"date": "2019"}),
    ("community", {"community": "armenian"}),
    ("community", {}),
    ("community_pair", {}),
    ("police_measure", {"min_arrests": "1"}),
    ("publisher", {"bbox": "-180,-90,180,60", "match": "certain"}),
    ("city,week", {"unreported": "deaths"}),
]
DRAWN = [{}, {"community": "armenian"}, {"date": "2019", "match": "certain"}]
COUNTED = [{}, {"country": "BE,RU"}, {"max_arrests": "13"}, {"community": "armenian:target"}]


@pytest.fixture
def world(app):
    """Fill the database with some records, a few of them drafts and withdrawn ones."""
    with app.app_context():
        pk = db.session.scalar(select(ApiKey.pk).filter_by(role="contributor"))
    return oracle.World(random_records.fill(app, 90, Actor(pk, "contributor", "c"), seed=3))


@pytest.fixture
def computed(monkeypatch):
    """Count how often something is worked out from the tables."""
    calls = []
    making = ((pages, "_computed"), (counts, "_computed"), (aggregates, "compute"))
    for module, name in making:
        whole = getattr(module, name)

        def watched(*arguments, whole=whole):
            calls.append(arguments)
            return whole(*arguments)

        monkeypatch.setattr(module, name, watched)
    return calls


def check(client, world):
    """Compare every question with the plain filter."""
    for grouping, query in ASKED:
        meant = world.matching(list(query.items()))
        rows, total = oracle.statistics(meant, grouping.split(","))
        found = client.get("/api/v1/stats", query_string={"group_by": grouping, **query}).json
        assert (found["data"], found["total"]) == (rows, total), (grouping, query)
    for query in DRAWN:
        found = client.get("/api/v1/overview", query_string=query).json
        del found["dataset_version"]
        assert found == oracle.overview(world.matching(list(query.items()))), query
    for query in COUNTED:
        asked = {"count": "exact", "limit": 1, **query}
        found = client.get("/api/v1/incidents", query_string=asked).json
        assert found["total"] == len(world.matching(list(query.items()))), query


class Curator:
    """Writes at random to the records of a world, and keeps its copies of them up to date."""

    def __init__(self, client, headers, world):
        self.client = client
        self.headers = headers | {"If-Match": "*"}
        self.world = world
        self.rng = random.Random(11)

    def act(self):
        record = self.rng.choice(self.world.records)
        path = f"/api/v1/incidents/{record['id']}"
        if record["status"] == "withdrawn":
            versions = f"{path}/versions/{record['version'] - 1}/restore"
            answer = self.client.post(versions, json={}, headers=self.headers)
        elif record["status"] == "draft":
            answer = self.client.post(f"{path}/publish", json={}, headers=self.headers)
        elif self.rng.random() < 0.2:
            answer = self.client.delete(path, headers=self.headers)
        else:
            answer = self.client.patch(path, json=self.change(), headers=self.headers)
        assert answer.status_code in (200, 204), answer.json
        served = self.client.get(path, headers=self.headers)
        place = self.world.records.index(record)
        if served.status_code == 200:
            self.world.records[place] = served.json | {"own": False}
        else:
            self.world.records[place] = record | {
                "status": "withdrawn",
                "version": record["version"] + 1,
            }

    def change(self):
        return self.rng.choice(
            (
                {"arrests": self.rng.choice((None, 0, 7, 60))},
                {"arrests_low": 3, "arrests_high": None, "arrests": None},
                {"date": random_records.a_date(self.rng)},
                {"communities": ["betan", {"community": "armenian", "role": "target"}]},
                {"police_measures": ["cordon"]},
                {"city": "Brussels", "country": "BE"},
                {"title": "Something else"},
            )
        )


@pytest.mark.slow
def test_what_is_remembered_follows_every_write(world, client, editor, computed):
    check(client, world)
    first = len(computed)
    assert (
        first == len(ASKED) + len(DRAWN) + len(COUNTED) - 1
    )  # the number of all comes from a counter
    curator = Curator(client, editor, world)
    for _ in range(40):
        curator.act()
        check(client, world)
    assert len(computed) == first


@pytest.mark.slow
def test_workers_that_share_a_database_tell_the_same(world, app, client, editor):
    other = create_app({"DATABASE_URL": app.config["DATABASE_URL"]})
    try:
        curator = Curator(client, editor, world)
        for _ in range(5):
            check(other.test_client(), world)
            curator.act()
            curator.act()
            check(client, world)
    finally:
        conftest.close(other)


@pytest.mark.slow
def test_the_overview_is_ready_before_someone_asks(world, app, client, computed):
    with app.app_context():
        summary.warm()
    assert len(computed) == 1
    assert client.get("/api/v1/overview").json["incidents"] > 0
    assert len(computed) == 1


@pytest.mark.slow
def test_more_changes_than_are_followed_are_worked_out_anew(
    world, client, editor, computed, monkeypatch
):
    check(client, world)
    first = len(computed)
    monkeypatch.setattr(cache, "MOST_CHANGES", 2)
    curator = Curator(client, editor, world)
    for _ in range(6):
        curator.act()
    check(client, world)
    assert len(computed) == 2 * first


@pytest.mark.slow
def test_an_erasure_has_all_forgotten(world, app, client, admin, computed):
    check(client, world)
    first = len(computed)
    record = next(r for r in world.records if r["status"] == "published" and r["city"])
    path = f"/api/v1/incidents/{record['id']}/erase"
    body = {"code": "legal"}
    answer = client.post(path, json=body, headers=admin | {"If-Match": "*"})
    assert answer.status_code in (200, 204), answer.json
    world.records.remove(record)
    assert client.get("/api/v1/stats?group_by=country").status_code == 200
    kept = cache_of(app.extensions["reader"])
    assert len(kept) == 2  # the statistics that were just asked for, and its page
    check(client, world)
    assert len(computed) == 2 * first


@pytest.mark.slow
def test_what_may_hold_drafts_is_never_remembered(world, app, client, editor, contributor):
    kept = cache_of(app.extensions["reader"])
    for headers in (editor, contributor):
        client.get("/api/v1/stats?group_by=country", headers=headers)
        client.get("/api/v1/incidents?count=exact&limit=1&country=BE", headers=headers)
    assert len(kept) == 0


def test_a_document_can_be_tested_for_every_filter_but_words():
    assert {name for name in FILTERS if incidents.has_predicates([name])} == FILTERS - {"q"}


def test_where_many_ask_one_works_it_out_and_the_others_wait(app, client):
    begun, go_on = threading.Event(), threading.Event()
    made, got = [], []

    class Number:
        version, size_bytes = client.get("/api/v1/overview").json["dataset_version"], 1

    def compute():
        made.append(Number())
        begun.set()
        assert go_on.wait(10)
        return made[-1]

    def ask():
        source = app.extensions["reader"]
        got.append(cache.cached(source, "key", compute, incremental=True))
        source.close()

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    assert begun.wait(10)
    go_on.set()
    for asker in askers:
        asker.join()
    assert got == made * 4
    assert not cache_of(app.extensions["reader"])._making


def test_the_least_used_is_forgotten_first_and_what_is_too_large_is_not_kept():
    memory = VersionedCache(capacity=100)
    for key in "abc":
        memory.put(key, 1, key, 30)
    assert memory.get("a") == (1, "a")
    memory.put("d", 1, "d", 30)
    assert [memory.get(key) is not None for key in "abcd"] == [True, False, True, True]
    memory.put("e", 1, "e", 101)
    assert memory.get("e") is None
    memory.put("a", 0, "old", 30)
    assert memory.get("a") == (1, "a")
