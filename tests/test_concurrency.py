"""Many writers at once, against the running service with several workers: nothing is lost.

`many(requests)` sends requests at the same moment, each on a connection of its own, and gives the
answers in the order of the requests.
"""

import http.client
import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import sqlalchemy

from api.config import database_url
from api.database.transactions import transaction
from tests import builders, servers
from tests.engines import writing_elsewhere
from tests.problems import problem_of

INCIDENTS = "/api/v1/incidents"
# Different places, so that no two records of a test are alike.
CITIES = [
    ("Kyiv", "UA"),
    ("Lviv", "UA"),
    ("Odesa", "UA"),
    ("Kharkiv", "UA"),
    ("Batumi", "GE"),
    ("Tbilisi", "GE"),
    ("Moscow", "RU"),
    ("Kazan", "RU"),
    ("Sochi", "RU"),
    ("Brussels", "BE"),
    ("Antwerp", "BE"),
    ("Ghent", "BE"),
    ("Paris", "FR"),
    ("Lyon", "FR"),
    ("Marseille", "FR"),
    ("Berlin", "DE"),
    ("Hamburg", "DE"),
    ("Munich", "DE"),
    ("London", "GB"),
    ("Leeds", "GB"),
]


@dataclass
class Answer:
    """What a request was answered."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def kind(self):
        """Return the kind of a problem, or the status of a success."""
        if self.status < 400:
            return self.status
        return self.json["type"].removeprefix("/problems/")


@pytest.fixture(scope="module")
def server(database):
    """Serve the database that the tests share with two workers of four threads each."""
    with servers.serving(database.url, workers=2, LOCK_TIMEOUT=30) as address:
        yield address


@pytest.fixture
def send(app, server, editor):
    """Return a function that sends one request as the editor, to a database with no records."""
    address = urlsplit(server)

    def request(method, path, body=None, **headers):
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        try:
            data = None if body is None else json.dumps(body)
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(
                method, path, data, {"Content-Type": "application/json", **editor, **named}
            )
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    return request


@pytest.fixture
def many(send):
    """Return a function that sends requests at once: (method, path, body, headers) each."""

    def all_at_once(requests):
        start = threading.Barrier(len(requests))

        def one(request):
            method, path, body, headers = request
            start.wait()
            return send(method, path, body, **headers)

        with ThreadPoolExecutor(len(requests)) as threads:
            return list(threads.map(one, requests))

    return all_at_once


@pytest.fixture
def query(app):
    """Yield a function that asks the database itself."""
    engine = sqlalchemy.create_engine(database_url(app.config["DATABASE_URL"], None))

    def ask(statement):
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sqlalchemy.text(statement))]

    yield ask
    engine.dispose()


def kinds(answers):
    return Counter(answer.kind for answer in answers)


# The same version


@pytest.mark.parametrize("writers", [2, 20])
@pytest.mark.parametrize("kind", ["incidents", "articles", "communities"])
def test_of_writers_that_hold_the_same_version_one_wins(send, many, writers, kind):
    if kind == "incidents":
        path = send("POST", INCIDENTS, builders.incident()).json["url"]
    elif kind == "articles":
        made = send("POST", "/api/v1/articles", {"title": "A"})
        path = made.headers["Location"]
    else:
        path = "/api/v1/communities/armenian"
    field = "name" if kind == "communities" else "title"
    answers = many(
        [("PATCH", path, {field: f"Title {n}"}, {"If_Match": "1"}) for n in range(writers)]
    )
    assert kinds(answers) == {200: 1, "version-stale": writers - 1}
    winner = next(answer for answer in answers if answer.status == 200)
    assert send("GET", path).body == winner.body
    assert winner.json["version"] == 2


def test_a_withdrawal_and_a_change_of_the_same_version_do_not_both_happen(send, many):
    for _ in range(5):
        path = send("POST", f"{INCIDENTS}?allow_duplicate=true", builders.incident()).json["url"]
        answers = many(
            [
                ("PATCH", path, {"title": "Changed"}, {"If_Match": "1"}),
                ("DELETE", path, None, {"If_Match": "1"}),
            ]
        )
        changed, withdrawn = (answer.kind for answer in answers)
        assert (changed, withdrawn) in {(200, "version-stale"), ("record-withdrawn", 204)}


def test_writers_that_read_again_and_retry_all_come_through(send, many):
    path = send("POST", INCIDENTS, builders.incident(arrests=0)).json["url"]

    def add_one(_):
        while True:
            record = send("GET", path).json
            body = {"arrests": record["arrests"] + 1, "version": record["version"]}
            answer = send("PATCH", path, body)
            if answer.status == 200:
                return
            assert answer.kind == "version-stale"

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add_one, range(24)))
    record = send("GET", path).json
    assert (record["arrests"], record["version"]) == (24, 25)


# The same post


def test_twenty_retries_of_one_post_make_one_record_and_twenty_identical_answers(send, many, query):
    body = builders.incident(sources=[{"article": {"title": "A", "url": "https://a.example"}}])
    answers = many([("POST", INCIDENTS, body, {"Idempotency_Key": "one"}) for _ in range(20)])
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    for name in ("ETag", "Location", "Content-Type"):
        assert len({answer.headers[name] for answer in answers}) == 1
    assert query("SELECT count(*) FROM incidents") == [(1,)]
    assert query("SELECT count(*) FROM articles") == [(1,)]
    assert query("SELECT count(*) FROM versions") == [(1,)]


@pytest.mark.parametrize("writers", [2, 20])
def test_of_identical_posts_without_a_key_one_makes_a_record(send, many, query, writers):
    answers = many([("POST", INCIDENTS, builders.incident(), {}) for _ in range(writers)])
    assert kinds(answers) == {201: 1, "duplicate": writers - 1}
    made = next(answer for answer in answers if answer.status == 201).json
    for answer in answers:
        if answer.status == 409:
            assert [one["id"] for one in answer.json["similar"]] == [made["id"]]
    assert query("SELECT count(*) FROM incidents") == [(1,)]


def test_an_id_is_given_to_one_of_twenty(send, many):
    answers = many(
        [
            ("POST", INCIDENTS, builders.incident(id="7zq3m8k2xd", city=city, country=country), {})
            for city, country in CITIES
        ]
    )
    assert kinds(answers) == {201: 1, "id-taken": 19}


def test_a_community_is_made_by_one_of_twenty(send, many):
    bodies = [{"id": "frisian", "name": f"Frisian {n}"} for n in range(20)]
    answers = many([("POST", "/api/v1/communities", body, {}) for body in bodies])
    assert kinds(answers) == {201: 1, "id-taken": 19}


def test_a_name_is_given_to_one_of_twenty(send, many):
    bodies = [{"id": f"frisian-{n}", "name": f"F {n}", "aliases": ["Frisians"]} for n in range(20)]
    answers = many([("POST", "/api/v1/communities", body, {}) for body in bodies])
    assert kinds(answers) == {201: 1, "name-taken": 19}


def test_an_article_that_twenty_posts_name_at_once_is_made_once(send, many, query):
    requests = [
        (
            "POST",
            INCIDENTS,
            builders.incident(
                city=city,
                country=country,
                sources=[{"article": {"url": f"https://a.example#{n}", "title": "A"}}],
            ),
            {},
        )
        for n, (city, country) in enumerate(CITIES)
    ]
    answers = many(requests)
    assert kinds(answers) == {201: 20}
    assert len({answer.json["sources"][0]["article"]["id"] for answer in answers}) == 1
    assert query("SELECT count(*) FROM articles") == [(1,)]


# What one writer refers to and another changes


def test_a_correction_of_an_article_misses_no_record_that_is_being_posted(send, many):
    article = send("POST", "/api/v1/articles", {"title": "Before"}).json
    path = f"/api/v1/articles/{article['id']}"
    posts = [
        (
            "POST",
            INCIDENTS,
            builders.incident(city=city, country=country, sources=[{"article": article["id"]}]),
            {},
        )
        for city, country in CITIES
    ]
    changes = [("PATCH", path, {"title": "After"}, {"If_Match": "*"}) for _ in range(3)]
    answers = many([*posts[:10], *changes, *posts[10:]])
    assert {answer.status for answer in answers} <= {200, 201}, kinds(answers)
    for record in send("GET", f"{INCIDENTS}?limit=100").json["data"]:
        assert record["sources"][0]["article"]["title"] == "After"


def test_records_and_articles_that_change_at_once_all_come_through(send, many):
    article = send("POST", "/api/v1/articles", {"title": "Before"}).json
    records = [
        send(
            "POST",
            INCIDENTS,
            builders.incident(city=city, country=country, sources=[{"article": article["id"]}]),
        ).json
        for city, country in CITIES[:8]
    ]
    path = f"/api/v1/articles/{article['id']}"
    forced = {"If_Match": "*"}
    for turn in range(3):
        title = f"After {turn}"
        changes = [
            ("PATCH", record["url"], {"arrests": turn, "sources": record["sources"]}, forced)
            for record in records
        ]
        answers = many([*changes[:4], ("PATCH", path, {"title": title}, forced), *changes[4:]])
        assert kinds(answers) == {200: 9}
        for record in records:
            shown = send("GET", record["url"]).json
            assert (shown["arrests"], shown["sources"][0]["article"]["title"]) == (turn, title)


def test_what_is_deleted_while_it_is_being_named_is_named_or_gone(send, many, query):
    for turn in range(4):
        community = {"id": f"wave-{turn}", "name": f"Wave {turn}"}
        send("POST", "/api/v1/communities", community)
        posts = [
            (
                "POST",
                f"{INCIDENTS}?allow_duplicate=true",
                builders.incident(city=city, country=country, communities=[community["id"]]),
                {},
            )
            for city, country in CITIES[:6]
        ]
        delete = ("DELETE", f"/api/v1/communities/{community['id']}", None, {"If_Match": "*"})
        *made, deleted = many([*posts, delete])
        if deleted.status == 204:
            assert {answer.kind for answer in made} == {"validation-error"}
        else:
            assert deleted.kind == "still-cited"
            assert {answer.kind for answer in made} <= {201, "validation-error"}
    assert query(
        "SELECT count(*) FROM incident_communities c LEFT JOIN communities k ON k.id = c.community"
        " WHERE k.id IS NULL"
    ) == [(0,)]


# The order of all


def test_changes_are_numbered_without_gaps_in_the_order_of_their_commits(send, many, query):
    seen, done = [], threading.Event()

    def follow():
        """Read the feed while others write: each time all up to the last number, and no gap."""
        since = start
        while not done.is_set() or since < int(send("GET", INCIDENTS).headers["Dataset-Version"]):
            page = send("GET", f"/api/v1/changes?since={since}&limit=1000").json
            for change in page["data"]:
                assert change["seq"] == since + 1
                since = change["seq"]
                seen.append((change["seq"], change["id"], change["version"]))

    def write(number):
        city, country = CITIES[number]
        made = send("POST", INCIDENTS, builders.incident(city=city, country=country)).json
        for version in range(1, 4):
            answer = send("PATCH", made["url"], {"arrests": version, "version": version})
            assert answer.status == 200, answer.body
        assert send("DELETE", made["url"], If_Match="4").status == 204

    start = int(send("GET", INCIDENTS).headers["Dataset-Version"])
    follower = threading.Thread(target=follow)
    follower.start()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(16)))
    done.set()
    follower.join()
    assert [number for number, *_ in seen] == list(range(start + 1, start + 81))
    assert len(seen) == 16 * 5
    for id_ in {id_ for _, id_, _ in seen}:
        assert [version for _, of, version in seen if of == id_] == [1, 2, 3, 4, 5]
    assert query("SELECT version, published FROM dataset") == [(start + 80, 0)]
    assert query("SELECT count(*), min(seq), max(seq) FROM changes")[0][0] == start + 80


def test_the_counter_of_published_records_is_right_after_many_writers(send, many, query):
    answers = many(
        [("POST", INCIDENTS, builders.incident(city=c, country=k), {}) for c, k in CITIES]
    )
    many([("DELETE", answer.json["url"], None, {"If_Match": "1"}) for answer in answers[:7]])
    assert send("GET", INCIDENTS).json["total"] == 13
    assert query("SELECT published FROM dataset") == [(13,)]
    assert query("SELECT count(*) FROM incidents WHERE status = 'published'") == [(13,)]


# Where the wait is too long


@pytest.fixture
def hasty(make_app):
    """Make an instance whose writes wait for their turn a moment only, and the key of an editor."""
    app = make_app(LOCK_TIMEOUT=0.2)
    result = app.test_cli_runner().invoke(args=["keys", "create", "x", "--role", "editor"])
    return app, {"Authorization": f"Bearer {result.stdout.split()[-1]}"}


def test_a_write_that_waits_too_long_is_a_503_and_reads_go_on(hasty):
    app, headers = hasty
    client = app.test_client()
    with writing_elsewhere(app, "UPDATE dataset SET version = version"):
        answer = client.post(INCIDENTS, json=builders.incident(), headers=headers)
        problem_of(answer, 503, "unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
        assert client.get(INCIDENTS).json["data"] == []
    assert client.post(INCIDENTS, json=builders.incident(), headers=headers).status_code == 201


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_write_waits_no_longer_for_another_one_of_its_process(hasty):
    app, headers = hasty
    client = app.test_client()
    with app.app_context(), transaction():
        problem_of(
            client.post(INCIDENTS, json=builders.incident(), headers=headers), 503, "unavailable"
        )
    assert client.post(INCIDENTS, json=builders.incident(), headers=headers).status_code == 201


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_retry_while_the_first_is_at_work_is_told_so_after_the_wait(hasty):
    app, headers = hasty
    client = app.test_client()
    first = (
        "INSERT INTO idempotency_keys"
        f" SELECT pk, '/api/v1/incidents', '{sha256(b'one').hexdigest()}', '', 0, '', '2999'"
        " FROM api_keys"
    )
    with writing_elsewhere(app, first):
        answer = client.post(
            INCIDENTS, json=builders.incident(), headers={**headers, "Idempotency-Key": "one"}
        )
        problem_of(answer, 409, "retry-in-flight")
    answer = client.post(
        INCIDENTS, json=builders.incident(), headers={**headers, "Idempotency-Key": "one"}
    )
    assert answer.status_code == 201


@pytest.mark.slow
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_write_that_a_deadlock_ended_is_done_again(app, client, editor, monkeypatch):
    from api.records import verbs as records

    create, tries = records.create, []

    def deadlocked_once(*args, **kwargs):
        tries.append(1)
        if len(tries) == 1:
            error = psycopg.errors.DeadlockDetected("deadlock detected")
            raise sqlalchemy.exc.OperationalError("INSERT", None, error)
        return create(*args, **kwargs)

    monkeypatch.setattr(records, "create", deadlocked_once)
    answer = client.post(INCIDENTS, json=builders.incident(), headers=editor)
    assert (answer.status_code, len(tries)) == (201, 2)
    assert client.get(INCIDENTS).json["total"] == 1
