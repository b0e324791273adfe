"""Stored documents against the rows: every one is compared, and what differs is mended."""

import json

import orjson
import pytest
import sqlalchemy

from api.config import database_url
from api.http.conditional import etag
from tests import builders

INCIDENTS = "/api/v1/incidents"
SOURCES = [
    {
        "article": {"title": "A report", "publisher": "The Paper", "url": "https://a.example/1"},
        "locator": "paragraph 1",
        "claims": [
            {"field": "arrests", "value": 13, "attributed_to": "Police"},
            {"field": "arrests", "low": 50, "high": 60, "text": "dozens", "scope": "one street"},
            {"field": "property_damage", "value": False},
            {"field": "date", "value": "2019-05-04", "community": "armenian"},
            {"field": "type", "value": "clash"},
        ],
    },
    {"article": {"title": "A copy", "url": "https://b.example/2"}},
]
WHOLE = {
    "summary": "Words.",
    "venue": "Market",
    "latitude": 50.45,
    "longitude": 30.52,
    "geo_precision": "venue",
    "arrests": 13,
    "injuries": 3,
    "injuries_police": 1,
    "deaths": 0,
    "participants_low": 200,
    "property_damage": True,
    "police_measures": ["tear_gas", "cordon"],
    "episode": "autumn-2020-war",
    "sources": SOURCES,
    "communities": [
        {
            "community": "armenian",
            "role": "organiser",
            "participants": 100,
            "organisations": ["A union", "Ще одна"],
        },
        {"community": "azerbaijani", "role": "counter_participant", "participants_low": 24},
        {"community": "armenian", "role": "target"},
    ],
}

OF_IT = "incident_pk = (SELECT pk FROM incidents WHERE id = :id)"
FIRST = f"{OF_IT} AND source_position = 0 AND position = 0"


@pytest.fixture
def write(client, editor):
    """Return a function that writes as the editor and returns what was answered."""

    def send(method, path, body=None):
        answer = client.open(path, method=method, json=body, headers={**editor, "If-Match": "*"})
        assert answer.status_code < 300, answer.data
        return answer.json

    return send


@pytest.fixture
def records(write, client, contributor):
    """Make records of every standing, and all that can be said of one."""
    made = [write("POST", INCIDENTS, builders.incident(**WHOLE))]
    for number, date in enumerate(("2020", "2020-07..2020-08", "..2019-01-01", "2018-01-01/2019")):
        if date == "2018-01-01/2019":
            date = "2018-01-01/2019-06-01"
        body = builders.incident(date=date, title=f"Clash {number}", arrests_high=number)
        made.append(write("POST", INCIDENTS, body))
    point = builders.incident(city=..., latitude=46.5, longitude=31.5, date="2017")
    made.append(write("POST", INCIDENTS, point))
    withdrawn = write("POST", INCIDENTS, builders.incident(city="Lviv", sources=SOURCES))
    write("DELETE", withdrawn["url"])
    merged = write("POST", INCIDENTS, builders.incident(city="Odesa", sources=SOURCES))
    into = write("POST", f"{INCIDENTS}?allow_duplicate=true", builders.incident(city="Odesa"))
    write("POST", f"{merged['url']}/merge", {"into": into["id"]})
    draft = builders.incident(
        city="Batumi",
        country="GE",
        sources=[{"article": {"title": "Only here", "url": "https://c.example/3"}}],
    )
    client.post(INCIDENTS, json=draft, headers=contributor)
    correction = builders.incident(corrects=made[0]["id"], arrests=4)
    client.post(INCIDENTS, json=correction, headers=contributor)
    write("PATCH", made[0]["url"], {"arrests": 14})
    for article in client.get("/api/v1/articles").json["data"]:
        write("PATCH", f"/api/v1/articles/{article['id']}", {"publisher": "The Other Paper"})
    return made


@pytest.fixture
def change(app):
    """Yield a function that changes the tables behind the service's back."""
    engine = sqlalchemy.create_engine(database_url(app.config["DATABASE_URL"], None))

    def execute(statement, **values):
        with engine.begin() as connection:
            return connection.execute(sqlalchemy.text(statement), values)

    yield execute
    engine.dispose()


def document_of(change, record):
    (row,) = change(
        "SELECT v.pk, v.document FROM versions v JOIN incidents i ON i.document_pk = v.pk"
        " WHERE i.id = :id",
        id=record["id"],
    )
    return row


def check(runner):
    result = runner.invoke(args=["documents", "check"])
    return result.exit_code, [
        line.removeprefix("differs: ")
        for line in result.stdout.splitlines()
        if line.startswith("differs: ")
    ]


def rebuild(runner):
    result = runner.invoke(args=["documents", "rebuild"])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_what_was_written_by_the_verbs_is_as_the_rows_have_it(runner, records):
    assert check(runner) == (0, [])
    assert "0 records mended" in rebuild(runner)


def test_the_seeds_are_as_the_rows_have_them(seeded, runner):
    assert check(runner) == (0, [])


def test_the_rows_hold_everything_that_a_document_shows(runner, records, change, client):
    """Every document is taken away, and comes back from the rows alone."""
    before = client.get(f"{INCIDENTS}?limit=100").json["data"]
    change("UPDATE versions SET document = '{}'")
    status, found = check(runner)
    assert status == 1
    assert len(found) == 11
    rebuild(runner)
    assert check(runner) == (0, [])
    after = client.get(f"{INCIDENTS}?limit=100").json["data"]
    own = ("version", "updated_at")
    assert [{**one, **dict.fromkeys(own)} for one in after] == [
        {**one, **dict.fromkeys(own)} for one in before
    ]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("title", "Another title"),
        ("arrests", 99),
        ("arrests_text", "many"),
        ("city", None),
        ("communities", []),
        ("disputed", ["deaths"]),
        ("sources", []),
        ("version", 7),
        ("status", "draft"),
        ("latitude", 1.0),
        ("former_ids", ["x"]),
        ("extra", 1),
    ],
)
def test_a_corrupted_member_is_found_named_and_mended(
    runner, records, change, client, member, value
):
    record = records[0]
    stands = client.get(record["url"]).json
    before = int(client.get(INCIDENTS).headers["Dataset-Version"])
    pk, text = document_of(change, record)
    spoilt = orjson.dumps({**json.loads(text), member: value}).decode()
    change("UPDATE versions SET document = :document WHERE pk = :pk", pk=pk, document=spoilt)
    assert check(runner) == (1, [f"{record['id']}: {member}"])
    assert "1 records mended" in rebuild(runner)
    assert check(runner) == (0, [])
    mended = client.get(record["url"])
    # Caches and mirrors learn of it: a tag, a version and a place in the feed of its own.
    assert mended.headers["ETag"] == etag(stands["version"] + 1)
    assert int(mended.headers["Dataset-Version"]) == before + 1
    own = dict.fromkeys(("version", "updated_at"))
    assert {**mended.json, **own} == {**stands, **own}
    last = client.get(f"{record['url']}/versions").json["data"][-1]
    assert (last["actor"], last["reason"]) == ("operator", f"rebuilt from the rows: {member}")


@pytest.mark.parametrize("spoilt", ["", "{", "null", '{"id": 1', "[]", '"text"', "not JSON"])
def test_a_document_that_cannot_be_read_is_found_and_mended(
    runner, records, change, client, spoilt
):
    record = records[0]
    stands = client.get(record["url"]).json
    pk, _ = document_of(change, record)
    change("UPDATE versions SET document = :document WHERE pk = :pk", pk=pk, document=spoilt)
    assert check(runner) == (1, [f"{record['id']}: (the document cannot be read)"])
    rebuild(runner)
    assert check(runner) == (0, [])
    assert client.get(record["url"]).json["title"] == stands["title"]
    # What it held is put right too: history is read again.
    assert client.get(f"{record['url']}/versions/{stands['version']}").json == stands
    assert client.get(f"{record['url']}/versions").status_code == 200


def test_a_missing_document_is_found_and_mended(runner, records, change, client):
    record = records[1]
    change("UPDATE incidents SET document_pk = NULL WHERE id = :id", id=record["id"])
    status, found = check(runner)
    assert status == 1
    assert any(record["id"] in line for line in found)
    rebuild(runner)
    assert check(runner) == (0, [])
    assert client.get(record["url"]).json["title"] == record["title"]


@pytest.mark.parametrize(
    ("column", "statement"),
    [
        ("incidents.city_key", "UPDATE incidents SET city_key = 'x' WHERE id = :id"),
        ("incidents.sort_date", "UPDATE incidents SET sort_date = '1999-01-01' WHERE id = :id"),
        ("incidents.wide", "UPDATE incidents SET wide = NOT wide WHERE id = :id"),
        ("incidents.disputed", "UPDATE incidents SET disputed = '|deaths|' WHERE id = :id"),
        (
            "incidents.number_of_sources",
            "UPDATE incidents SET number_of_sources = 9 WHERE id = :id",
        ),
        (
            "incident_communities.listed",
            "UPDATE incident_communities SET listed = NOT listed WHERE id = :id AND position = 0",
        ),
        (
            "incident_communities.sort_date",
            "UPDATE incident_communities SET sort_date = '1999-01-01' WHERE id = :id",
        ),
        ("claims.conflicting", f"UPDATE claims SET conflicting = NOT conflicting WHERE {FIRST}"),
        ("claims.attributed_key", f"UPDATE claims SET attributed_key = 'x' WHERE {FIRST}"),
        ("sources.city_key", f"UPDATE sources SET city_key = 'x' WHERE {OF_IT}"),
    ],
)
def test_a_column_that_repeats_another_is_found_and_mended_without_a_version(
    runner, records, change, client, column, statement
):
    record = records[0]
    stands = client.get(record["url"])
    change(statement, id=record["id"])
    assert check(runner) == (1, [f"{record['id']}: {column}"])
    rebuild(runner)
    assert check(runner) == (0, [])
    again = client.get(record["url"])
    assert again.data == stands.data
    assert again.headers["Dataset-Version"] == stands.headers["Dataset-Version"]


def test_the_rows_have_the_last_word(runner, records, change, client):
    record = records[0]
    change("UPDATE incidents SET title = 'As the rows have it' WHERE id = :id", id=record["id"])
    assert check(runner) == (1, [f"{record['id']}: title"])
    rebuild(runner)
    assert client.get(record["url"]).json["title"] == "As the rows have it"


def test_drafts_are_mended_and_the_public_learns_nothing(
    runner, records, change, client, contributor
):
    (draft,) = [
        one
        for one in client.get(f"{INCIDENTS}?status=draft", headers=contributor).json["data"]
        if one["corrects"] is None
    ]
    before = client.get(INCIDENTS).headers["Dataset-Version"]
    pk, text = document_of(change, draft)
    spoilt = text.replace("Batumi", "Poti")
    change("UPDATE versions SET document = :document WHERE pk = :pk", pk=pk, document=spoilt)
    assert check(runner) == (1, [f"{draft['id']}: city"])
    rebuild(runner)
    assert client.get(draft["url"], headers=contributor).json["city"] == "Batumi"
    assert client.get(INCIDENTS).headers["Dataset-Version"] == before


def test_a_withdrawn_record_is_mended_in_place(runner, records, change, client, editor):
    listed = client.get(f"{INCIDENTS}?status=withdrawn", headers=editor).json["data"]
    record = next(one for one in listed if one["city"] == "Lviv")
    before = client.get(INCIDENTS).headers["Dataset-Version"]
    pk, text = document_of(change, record)
    change(
        "UPDATE versions SET document = :document WHERE pk = :pk",
        pk=pk,
        document=text.replace('"city":"Lviv"', '"city":"Rivne"'),
    )
    assert check(runner) == (1, [f"{record['id']}: city"])
    rebuild(runner)
    assert client.get(record["url"], headers=editor).json == record
    assert client.get(INCIDENTS).headers["Dataset-Version"] == before
    assert client.get(record["url"]).status_code == 410


def test_the_counter_of_published_records_is_checked_and_mended(runner, records, change, client):
    number = client.get(INCIDENTS).json["total"]
    change("UPDATE dataset SET published = 99")
    assert check(runner) == (1, [f"the counter of published records has 99, there are {number}"])
    rebuild(runner)
    assert check(runner) == (0, [])
    assert client.get(INCIDENTS).json["total"] == number


def test_more_records_than_a_batch_are_all_compared(runner, records, change, monkeypatch):
    monkeypatch.setattr("api.management.consistency.BATCH", 3)
    change("UPDATE versions SET document = '{}'")
    assert len(check(runner)[1]) == 11
    assert "11 records mended" in rebuild(runner)
    assert check(runner) == (0, [])
