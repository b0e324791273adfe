"""Feeds of a query: as readers of the field parse them, after every kind of change."""

import json

import feedparser
import jsonschema_rs
import pytest

FEED = "/api/v1/incidents"
ATOM, JSON_FEED = "application/atom+xml", "application/feed+json"
_TEXT = {"type": "string", "minLength": 1}
_ADDRESS = {**_TEXT, "format": "uri"}
_TIME = {"type": "string", "format": "date-time"}
# https://www.jsonfeed.org/version/1.1/, what it requires and the types of what it allows.
SCHEMA = {
    "type": "object",
    "required": ["version", "title", "items"],
    "properties": {
        "version": {"const": "https://jsonfeed.org/version/1.1"},
        "title": _TEXT,
        "home_page_url": _ADDRESS,
        "feed_url": _ADDRESS,
        "description": _TEXT,
        "language": _TEXT,
        "authors": {"type": "array", "items": {"type": "object", "minProperties": 1}},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id"],
                "anyOf": [{"required": ["content_html"]}, {"required": ["content_text"]}],
                "patternProperties": {"^_": {"type": "object"}},
                "properties": {
                    "id": _TEXT,
                    "url": _ADDRESS,
                    "title": _TEXT,
                    "content_html": _TEXT,
                    "date_published": _TIME,
                    "date_modified": _TIME,
                    "tags": {"type": "array", "items": _TEXT},
                },
            },
        },
    },
}


@pytest.fixture
def post(client, editor, incident):
    def send(headers=editor, **changes):
        answer = client.post(
            f"{FEED}?allow_duplicate=true", json=incident(**changes), headers=headers
        )
        assert answer.status_code == 201, answer.text
        return answer.json

    return send


@pytest.fixture
def change(client, editor, admin):
    """Return a function that sends a change of a record, whatever its version."""

    def send(method, path, body=None):
        headers = {**editor, **admin, "If-Match": "*"}
        answer = client.open(f"{FEED}/{path}", method=method, json=body, headers=headers)
        assert answer.status_code < 300, answer.text

    return send


@pytest.fixture
def read(client):
    """Return a function that reads a feed in both forms; it returns its items by their titles."""

    def entries(**query):
        atom = client.get(f"{FEED}.atom", query_string=query)
        assert (atom.status_code, atom.mimetype) == (200, ATOM)
        parsed = feedparser.parse(atom.data, response_headers={"content-type": atom.content_type})
        assert (parsed.bozo, parsed.version) == (False, "atom10"), parsed.get("bozo_exception")
        assert all(entry.id and entry.updated_parsed and entry.link for entry in parsed.entries)
        feed = client.get(f"{FEED}.jsonfeed", query_string=query)
        assert (feed.status_code, feed.mimetype) == (200, JSON_FEED)
        jsonschema_rs.validate(SCHEMA, feed.json, validate_formats=True)
        items = feed.json["items"]
        assert len({item["id"] for item in items}) == len(items)
        in_atom = [(entry.id, entry.title, entry.updated) for entry in parsed.entries]
        assert in_atom == [(item["id"], item["title"], item["date_modified"]) for item in items]
        return {item["title"]: item for item in items}

    return entries


def test_changes_of_every_kind_are_told_as_such_the_newest_first(read, post, change):
    names = ("new", "corrected", "updated", "withdrawn", "merged", "target", "erased", "restored")
    records = {
        name: post(title=f"A {name} one", date=f"2010-0{n + 1}-04", arrests=9)
        for n, name in enumerate(names)
    }
    ids = {name: record["id"] for name, record in records.items()}
    change("PATCH", ids["corrected"], {"arrests": 13, "reason": "A later report"})
    change("PATCH", ids["updated"], {"deaths": 0})
    change("DELETE", f"{ids['withdrawn']}?code=safety&reason=secret")
    change("POST", f"{ids['merged']}/merge", {"into": ids["target"], "reason": "the same"})
    change("POST", f"{ids['erased']}/erase", {"reason": "secret"})
    change("DELETE", ids["restored"])
    change("POST", f"{ids['restored']}/versions/1/restore", {})

    items = read()

    assert set(items) == {
        "Restored: A restored one",
        "Erased: a record",
        "Updated: A target one",
        "Merged: a record",
        "Withdrawn: a record",
        "Updated: A updated one",
        "Corrected: A corrected one",
        "A new one",
    }
    assert list(items)[:2] == ["Restored: A restored one", "Erased: a record"]
    corrected = items["Corrected: A corrected one"]["content_html"]
    assert "Corrected in version 2: A later report." in corrected
    assert "<li>Arrests: 13 (before: 9)</li>" in corrected
    gone = {
        name: items[f"{name.capitalize()}: a record"] for name in ("withdrawn", "merged", "erased")
    }
    for name, item in gone.items():
        assert (item["_record"]["id"], item["_record"]["action"]) == (ids[name], name)
        assert ids[name] in item["content_html"]
        assert item["tags"] == []
        assert not {"A ", "secret"} & set(item["title"].split(":")[1:])
    assert gone["withdrawn"]["_record"]["code"] == "safety"
    assert ids["target"] in gone["merged"]["content_html"]
    text = json.dumps(items)
    for hidden in ("secret", "A withdrawn one", "A merged one", "A erased one"):
        assert hidden not in text


def test_a_feed_with_filters_has_what_they_keep_and_nothing_that_is_gone(read, post, change):
    kept = post(title="In Paris", city="Paris", country="FR")
    gone = post(title="Gone", city="Paris", country="FR", date="2010-01-01")
    post(title="In Kyiv")
    change("DELETE", gone["id"])
    change("PATCH", kept["id"], {"summary": "More is known."})
    assert list(read(country="FR")) == ["Updated: In Paris"]
    assert list(read(country="FR", community="armenian", q="paris")) == ["Updated: In Paris"]
    assert list(read(country="DE")) == []
    assert len(read(limit=2)) == 2


def test_it_has_nothing_of_a_draft_whoever_asks(client, read, post, contributor, editor):
    draft = post(contributor, title="A hidden draft")
    post(title="Public", date="2011-01-01")
    assert list(read()) == ["Public"]
    for headers in (contributor, editor):
        for query in ("", "?status=draft", f"?id={draft['id']}"):
            for suffix in ("atom", "jsonfeed"):
                answer = client.get(f"{FEED}.{suffix}{query}", headers=headers)
                assert "hidden" not in answer.text


def test_what_was_erased_of_a_record_is_in_no_feed(read, post, change):
    record = post(title="Kept", venue="A secret place")
    change("PATCH", record["id"], {"venue": "Another secret place"})
    change("POST", f"{record['id']}/erase", {"fields": ["venue"]})
    assert "secret" not in json.dumps(read())


def test_words_are_escaped(read, post):
    post(title="<script>alert(1)</script> & more", summary="<b>bold</b>")
    (item,) = read().values()
    assert "<b>" not in item["content_html"]
    assert "&lt;b&gt;bold" in item["content_html"]


@pytest.mark.parametrize("suffix", ["atom", "jsonfeed"])
def test_it_is_asked_about_by_its_tag(client, post, suffix):
    post()
    first = client.get(f"{FEED}.{suffix}")
    assert first.headers["Dataset-Version"] in first.headers["ETag"]
    tag = {"If-None-Match": first.headers["ETag"]}
    assert client.get(f"{FEED}.{suffix}", headers=tag).status_code == 304
    post(date="2012-01-01")
    assert client.get(f"{FEED}.{suffix}", headers=tag).status_code == 200
    assert first.headers["ETag"] != client.get(FEED).headers["ETag"]


@pytest.mark.parametrize("query", ["sort=date", "cursor=x", "limit=0", "county=RU", "fields=id"])
def test_what_it_does_not_take_is_refused(client, query):
    assert client.get(f"{FEED}.atom?{query}").status_code == 422


def test_pages_lead_to_the_feeds(client, post):
    record = post()
    for path, query in (
        ("/?country=UA&sort=date", "?country=UA"),
        ("/", ""),
        (f"/incidents/{record['id']}", ""),
    ):
        page = client.get(path, headers={"Accept": "text/html"}).text
        for type_, suffix in ((ATOM, "atom"), (JSON_FEED, "jsonfeed")):
            link = f'type="{type_}" title="Newest changes" href="{FEED}.{suffix}{query}">'
            assert link in page
