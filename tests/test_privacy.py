"""Who may see and do what: writes without a key are refused, and a draft is seen by nobody else.

`draft` is a contributor's post whose every word is found nowhere else. What the public and another
contributor are answered must be the same, byte for byte, as if it had never been written.
"""

import json
import re

import pytest

from tests import builders
from tests.problems import problem_of

INCIDENTS = "/api/v1/incidents"
SECRET = "Zanzibarian"
HIDDEN = {
    "id": "hhhhhhhhh1",
    "title": f"{SECRET} clash",
    "summary": f"{SECRET} words.",
    "city": "Tbilisi",
    "country": "GE",
    "date": "2021-03-03",
    "venue": f"{SECRET} market",
    "arrests": 777,
    "episode": "autumn-2020-war",
    "police_measures": ["tear_gas"],
    "sources": [
        {
            "article": {
                "id": "aaaaaaaaa1",
                "title": f"{SECRET} report",
                "publisher": f"{SECRET} Post",
                "url": "https://hidden.example/zanzibarian",
            },
            "claims": [{"field": "arrests", "value": 777, "attributed_to": f"{SECRET} police"}],
        }
    ],
}


def key(runner, role, name):
    result = runner.invoke(args=["keys", "create", name, "--role", role])
    return {"Authorization": f"Bearer {result.stdout.split()[-1]}"}


@pytest.fixture
def stranger(runner):
    """Return the headers of another contributor."""
    return key(runner, "contributor", "another contributor")


@pytest.fixture
def public(client, editor):
    """Make a published record of the same day and place, and the articles that it cites."""
    sources = [{"article": {"title": "Open report", "url": "https://open.example/1"}}]
    body = builders.incident(sources=sources, **{k: HIDDEN[k] for k in ("city", "country", "date")})
    return client.post(INCIDENTS, json=body, headers=editor).json


def post_draft(client, contributor):
    body = builders.incident(**HIDDEN)
    answer = client.post(f"{INCIDENTS}?allow_duplicate=true", json=body, headers=contributor)
    assert answer.status_code == 201, answer.data
    assert answer.json["status"] == "draft"
    return answer


# Who may write


@pytest.fixture
def writes(client, public):
    """List every write of the API: method, address and body."""
    found = []
    for rule in sorted(client.application.url_map.iter_rules(), key=str):
        path = str(rule)
        if not path.startswith("/api/v1"):
            continue
        kind = path.split("/")[3] if path.count("/") > 2 else ""
        ids = {
            "incidents": public["id"],
            "articles": public["sources"][0]["article"]["id"],
            "communities": "armenian",
            "episodes": "autumn-2020-war",
        }
        path = path.replace("<id_>", ids.get(kind, "none")).replace("<number>", "1")
        address = re.sub(r"<[^>]+>", "none", path)
        found += [(m, address) for m in rule.methods & {"POST", "PUT", "PATCH", "DELETE"}]
    return found


@pytest.fixture
def content(database):
    """Return a function that reads all that the database holds."""

    def read():
        found = database.engine.snapshot(database.url)
        found.pop("counters", None)
        return found

    return read


def refused_keys(runner):
    made = key(runner, "admin", "for a day")
    assert runner.invoke(args=["keys", "revoke", made["Authorization"].split()[1]]).exit_code == 0
    right = key(runner, "editor", "right")["Authorization"]
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    return {
        "no key": {},
        "a wrong secret": {"Authorization": wrong},
        "the prefix alone": {"Authorization": right.split("_")[0]},
        "a revoked key": made,
        "another scheme": {"Authorization": right.replace("Bearer", "Basic")},
        "the hash that is stored": {"Authorization": right.split("_")[0] + "_" + "0" * 64},
    }


def test_every_write_without_a_good_key_is_a_401_and_writes_nothing(
    client, runner, writes, content
):
    keys = refused_keys(runner)
    before = content()
    for case, headers in keys.items():
        for method, address in writes:
            headers = {**headers, "If-Match": "*", "Idempotency-Key": "x"}
            answer = client.open(address, method=method, json=builders.incident(), headers=headers)
            problem_of(answer, 401, "unauthorized")
            assert "WWW-Authenticate" in answer.headers, case
    assert content() == before


def test_a_revoked_key_reads_nothing_more_than_an_unknown_one(client, runner):
    for headers in refused_keys(runner).values():
        if headers:
            problem_of(client.get(INCIDENTS, headers=headers), 401, "unauthorized")


def test_a_contributor_may_change_nothing_that_is_public(
    client, contributor, public, writes, content
):
    before = content()
    for method, address in writes:
        if (method, address) == ("POST", INCIDENTS):
            continue
        answer = client.open(
            address,
            method=method,
            json={**builders.incident(), "name": "A"},
            headers={**contributor, "If-Match": "*"},
        )
        assert answer.status_code in (403, 404, 422), (method, address, answer.data)
        problem_of(answer)
    assert content() == before


@pytest.mark.parametrize("status", ["published", "withdrawn"])
def test_a_contributor_sets_no_status(client, contributor, status):
    body = builders.incident(status=status)
    problem_of(client.post(INCIDENTS, json=body, headers=contributor), 403, "forbidden")
    draft = client.post(INCIDENTS, json=builders.incident(), headers=contributor).json
    headers = {**contributor, "If-Match": "1"}
    problem_of(
        client.patch(draft["url"], json={"status": status}, headers=headers), 403, "forbidden"
    )
    problem_of(client.put(draft["url"], json={**draft, "status": status}, headers=headers), 403)


def test_a_contributor_has_its_own_drafts(client, contributor, stranger):
    draft = client.post(INCIDENTS, json=builders.incident(), headers=contributor).json
    read = client.get(draft["url"], headers=contributor)
    assert read.json == draft
    changed = client.patch(
        draft["url"], json={"arrests": 3}, headers={**contributor, "If-Match": "1"}
    )
    assert changed.json["version"] == 2
    for method in ("PUT", "PATCH", "DELETE"):
        body = None if method == "DELETE" else draft
        answer = client.open(
            draft["url"], method=method, json=body, headers={**stranger, "If-Match": "*"}
        )
        problem_of(answer, 404, "not-found")
    gone = client.delete(draft["url"], headers={**contributor, "If-Match": "2"})
    assert gone.status_code == 204
    assert client.get(draft["url"], headers=contributor).json["status"] == "withdrawn"
    problem_of(client.get(draft["url"], headers=stranger), 404)
    problem_of(client.get(draft["url"]), 404)


def test_once_published_a_record_is_the_editors(client, contributor, editor):
    draft = client.post(INCIDENTS, json=builders.incident(), headers=contributor).json
    client.patch(draft["url"], json={"status": "published"}, headers={**editor, "If-Match": "1"})
    for method in ("PUT", "PATCH", "DELETE"):
        answer = client.open(
            draft["url"],
            method=method,
            json=None if method == "DELETE" else builders.incident(),
            headers={**contributor, "If-Match": "*"},
        )
        problem_of(answer, 403, "forbidden")


def test_what_was_published_and_withdrawn_is_gone_for_its_author_too(client, contributor, editor):
    draft = post_draft(client, contributor).json
    client.post(f"{draft['url']}/publish", json={}, headers={**editor, "If-Match": "*"})
    client.delete(f"{draft['url']}?code=legal", headers={**editor, "If-Match": "*"})
    problem_of(client.get(draft["url"], headers=contributor), 410, "gone")
    for address in (
        f"{INCIDENTS}?status=withdrawn",
        f"{INCIDENTS}.csv?status=withdrawn,draft",
        f"{INCIDENTS}?status=withdrawn&q={SECRET}&sort=arrests",
        f"/api/v1/search?q={SECRET}&status=withdrawn",
        "/api/v1/stats?group_by=city&status=withdrawn",
    ):
        assert client.get(address, headers=editor).data.count(b"Tbilisi"), address
        assert not client.get(address, headers=contributor).data.count(b"Tbilisi"), address


# What a draft leaves for others to see


def everything(client, headers):
    """Ask for all that can be read, as the caller of HEADERS, and return the answers by address."""
    answers = {}
    for address in questions():
        answer = client.get(address, headers=headers)
        kept = {
            name: value
            for name, value in answer.headers
            if name not in ("X-Request-Id", "Date", "Server-Timing")
        }
        answers[address] = (answer.status_code, kept, steady(address, answer.data))
    return answers


def steady(address, data):
    """Leave out what differs from one moment to the next by itself."""
    return re.sub(rb'"(ms|took|generated_at)":[^,}]+', b"", data)


def questions():
    """List every address of a read: each list with each filter that the draft would answer to."""
    base = [
        "",
        "?count=exact",
        "?status=draft",
        "?status=draft,published,withdrawn",
        "?limit=1",
        "?sort=-arrests",
        "?sort=-updated_at",
        "?city=Tbilisi",
        "?city=Tbilisi&count=exact",
        "?country=GE",
        "?community=armenian&count=exact",
        "?date=2021-03-03",
        "?date_from=2021",
        "?min_arrests=700",
        "?publisher=Zanzibarian%20Post",
        "?article=aaaaaaaaa1",
        "?episode=autumn-2020-war",
        "?police_measure=tear_gas",
        "?min_sources=1",
        "?disputed=false&count=exact",
        "?unreported=deaths&count=exact",
        "?updated_since=2020-01-01",
        "?bbox=44,41,45,42",
        "?type=clash&count=exact",
        "?role=participant&count=exact",
        "?fields=id,title",
    ]
    yield from (f"{INCIDENTS}{query}" for query in base)
    one = f"{INCIDENTS}/{HIDDEN['id']}"
    yield from (one, f"{one}/versions", f"{one}/versions/1", f"{one}/claims", f"{one}/similar")
    for kind in ("articles", "communities", "episodes"):
        yield from (f"/api/v1/{kind}", f"/api/v1/{kind}?limit=1")
    yield "/api/v1/articles/aaaaaaaaa1"
    yield from ("/api/v1", "/api/v1/codebook", "/api/v1/changes", "/api/v1/changes?since=0")
    yield from ("/api/v1/claims", "/api/v1/claims?field=arrests", "/api/v1/stats?group_by=country")
    yield from (f"/api/v1/search?q={SECRET}", "/api/v1/search?q=clash", "/api/v1/releases")
    yield from (f"/api/v1/incidents.{end}" for end in ("csv", "ndjson", "geojson"))


@pytest.mark.parametrize("caller", ["the public", "another contributor"])
def test_a_draft_changes_no_answer_that_anyone_else_is_given(
    client, contributor, stranger, public, caller
):
    headers = {} if caller == "the public" else stranger
    before = everything(client, headers)
    draft = post_draft(client, contributor).json
    assert everything(client, headers) == before
    for change in ({"arrests": 778}, {"city": "Batumi"}, {"sources": []}):
        client.patch(draft["url"], json=change, headers={**contributor, "If-Match": "*"})
    assert everything(client, headers) == before
    client.delete(draft["url"], headers={**contributor, "If-Match": "*"})
    assert everything(client, headers) == before


def test_the_words_of_a_draft_are_in_no_answer_and_no_header(client, contributor, public):
    post_draft(client, contributor)
    for status, headers, data in everything(client, {}).values():
        assert status != 500
        asked = json.dumps(headers) + data.decode()
        assert f"{SECRET} " not in re.sub(r'\\*"(?:instance|detail)\\*": ?\\*"[^"]*"', "", asked)
        assert "hidden.example" not in asked


def test_its_author_and_editors_see_the_draft(client, contributor, editor, public):
    draft = post_draft(client, contributor).json
    for headers in (contributor, editor):
        assert client.get(draft["url"], headers=headers).json == draft
        listed = client.get(f"{INCIDENTS}?status=draft", headers=headers)
        assert [one["id"] for one in listed.json["data"]] == [draft["id"]]
        assert listed.headers["Cache-Control"] == "private, no-store"
        assert "ETag" not in listed.headers
        both = client.get(INCIDENTS, headers=headers).json["data"]
        assert {one["id"] for one in both} == {draft["id"], public["id"]}
        only = client.get(f"{INCIDENTS}?status=published", headers=headers)
        assert [one["id"] for one in only.json["data"]] == [public["id"]]
        assert client.get(draft["url"], headers=headers).headers["Cache-Control"] == (
            "private, no-store"
        )


def test_a_tag_that_the_public_was_given_is_not_the_contributors(client, contributor, public):
    tag = client.get(INCIDENTS).headers["ETag"]
    post_draft(client, contributor)
    answer = client.get(INCIDENTS, headers={**contributor, "If-None-Match": tag})
    assert answer.status_code == 200
    assert client.get(INCIDENTS, headers={"If-None-Match": tag}).status_code == 304


def test_a_draft_is_no_duplicate_for_another_contributor(client, contributor, stranger, editor):
    post_draft(client, contributor)
    again = builders.incident(**{**HIDDEN, "id": ..., "title": "Mine"})
    for query in ("?dry_run=true", ""):
        answer = client.post(f"{INCIDENTS}{query}", json=again, headers=stranger)
        assert answer.status_code in (200, 201)
        assert SECRET not in re.sub(
            r"Zanzibarian (words|market|report|Post|police)",
            "",
            answer.text + json.dumps(dict(answer.headers)),
        )
    # Its author and editors are told.
    assert client.post(INCIDENTS, json=again, headers=contributor).status_code == 409
    body = problem_of(client.post(INCIDENTS, json=again, headers=editor), 409, "duplicate")
    assert "hhhhhhhhh1" in {one["id"] for one in body["similar"]}
    assert len(body["similar"]) == 2


def test_the_article_of_a_draft_is_matched_by_no_other_record(
    client, contributor, stranger, editor
):
    post_draft(client, contributor)
    sources = [{"article": {"url": "https://hidden.example/zanzibarian", "title": "Mine"}}]
    body = builders.incident(sources=sources)
    mine = client.post(INCIDENTS, json=body, headers=stranger).json
    article = mine["sources"][0]["article"]
    assert (article["title"], article["publisher"]) == ("Mine", None)
    assert article["id"] != "aaaaaaaaa1"
    # Nor by its id, and an article of this id and address can be made.
    by_id = builders.incident(city="Lviv", sources=[{"article": "aaaaaaaaa1"}])
    problem_of(client.post(INCIDENTS, json=by_id, headers=stranger), 422)
    problem_of(client.post(INCIDENTS, json=by_id, headers=editor), 422)
    named = {"id": "aaaaaaaaa1", "title": "A", "url": "https://hidden.example/zanzibarian"}
    made = client.post("/api/v1/articles", json=named, headers=editor)
    assert (made.status_code, made.json["version"]) == (201, 1)


def test_a_draft_may_correct_nothing_that_its_author_may_not_see(client, contributor, stranger):
    draft = post_draft(client, contributor).json
    body = builders.incident(corrects=draft["id"])
    said = problem_of(client.post(INCIDENTS, json=body, headers=stranger), 422)
    unknown = builders.incident(corrects="0000000000")
    same = problem_of(client.post(INCIDENTS, json=unknown, headers=stranger), 422)
    assert json.dumps(said).replace(draft["id"], "0000000000") == json.dumps(same)


def test_a_correction_leaves_no_trace_on_what_it_corrects(client, contributor, public):
    before = everything(client, {})
    body = builders.incident(corrects=public["id"], title=f"{SECRET} correction")
    made = client.post(f"{INCIDENTS}?allow_duplicate=true", json=body, headers=contributor)
    assert made.json["corrects"] == public["id"]
    assert everything(client, {}) == before


def test_the_answer_for_a_draft_is_that_for_what_never_was(client, contributor, stranger):
    draft = post_draft(client, contributor).json
    for headers in ({}, stranger):
        for below in ("", "/versions", "/versions/1"):
            hidden = client.get(f"{draft['url']}{below}", headers=headers)
            nothing = client.get(f"{INCIDENTS}/0000000000{below}", headers=headers)
            assert hidden.status_code == nothing.status_code == 404
            assert hidden.text.replace(draft["id"], "0000000000") == nothing.text


# What becomes public


def test_publication_begins_a_records_public_history(client, contributor, editor):
    draft = post_draft(client, contributor).json
    client.patch(
        draft["url"], json={"title": "Second words"}, headers={**contributor, "If-Match": "1"}
    )
    before = int(client.get(INCIDENTS).headers["Dataset-Version"])
    published = client.patch(
        draft["url"],
        json={"status": "published", "title": "Third words"},
        headers={**editor, "If-Match": "2"},
    )
    assert published.json["version"] == 3
    assert int(published.headers["Dataset-Version"]) > before
    history = client.get(f"{draft['url']}/versions").json["data"]
    assert [(one["version"], one["action"]) for one in history] == [(3, "created")]
    for number in (1, 2):
        problem_of(client.get(f"{draft['url']}/versions/{number}"), 404)
        problem_of(client.get(f"{draft['url']}/versions/{number}", headers=contributor), 404)
        assert client.get(f"{draft['url']}/versions/{number}", headers=editor).status_code == 200
    whole = client.get(f"{draft['url']}/versions", headers=editor).json["data"]
    assert [one["version"] for one in whole] == [1, 2, 3]
    seen = client.get(draft["url"]).text + client.get(f"{draft['url']}/versions").text
    assert "Second words" not in seen


def test_publication_makes_a_drafts_articles_public(client, contributor, editor):
    draft = post_draft(client, contributor).json
    problem_of(client.get("/api/v1/articles/aaaaaaaaa1"), 404)
    client.patch(draft["url"], json={"status": "published"}, headers={**editor, "If-Match": "1"})
    article = client.get("/api/v1/articles/aaaaaaaaa1").json
    assert article["publisher"] == f"{SECRET} Post"
    assert client.get(draft["url"]).json["sources"][0]["article"]["id"] == "aaaaaaaaa1"


def test_publication_joins_a_drafts_article_to_the_held_one(client, contributor, editor):
    draft = post_draft(client, contributor).json
    held_ = client.post(
        "/api/v1/articles",
        headers=editor,
        json={"title": "Held meanwhile", "url": "https://HIDDEN.example/zanzibarian?utm_x=1"},
    ).json
    client.patch(draft["url"], json={"status": "published"}, headers={**editor, "If-Match": "1"})
    shown = client.get(draft["url"]).json["sources"][0]
    assert (shown["article"]["id"], shown["article"]["title"]) == (held_["id"], "Held meanwhile")
    assert shown["claims"][0]["value"] == 777
    assert client.get("/api/v1/articles").json["total"] == 1
    found = client.get(f"{INCIDENTS}?article={held_['id']}").json["data"]
    assert [one["id"] for one in found] == [draft["id"]]


def test_publication_keeps_apart_what_only_shares_an_id(client, contributor, editor):
    draft = post_draft(client, contributor).json
    other = {"id": "aaaaaaaaa1", "title": "Another report", "url": "https://other.example/"}
    client.post("/api/v1/articles", json=other, headers=editor)
    client.patch(draft["url"], json={"status": "published"}, headers={**editor, "If-Match": "1"})
    article = client.get(draft["url"]).json["sources"][0]["article"]
    assert article["id"] != "aaaaaaaaa1"
    assert article["title"] == f"{SECRET} report"
    assert client.get("/api/v1/articles/aaaaaaaaa1").json["title"] == "Another report"


def test_a_copy_that_follows_its_original_into_the_public_still_names_it(
    client, contributor, editor
):
    sources = [
        {"article": {"id": "aaaaaaaaa1", "title": "Wire", "url": "https://wire.example/1"}},
        {"article": {"id": "aaaaaaaaa2", "title": "Copy", "syndicated_from": "aaaaaaaaa1"}},
    ]
    body = builders.incident(sources=sources)
    draft = client.post(INCIDENTS, json=body, headers=contributor).json
    assert draft["number_of_sources"] == 1
    held_ = client.post(
        "/api/v1/articles", json={"title": "Wire", "url": "https://wire.example/1"}, headers=editor
    ).json
    client.patch(draft["url"], json={"status": "published"}, headers={**editor, "If-Match": "1"})
    record = client.get(draft["url"]).json
    assert record["sources"][1]["article"]["syndicated_from"] == held_["id"]
    assert record["number_of_sources"] == 1


def test_a_draft_that_is_withdrawn_takes_its_articles_along(client, contributor, public):
    draft = post_draft(client, contributor).json
    client.delete(draft["url"], headers={**contributor, "If-Match": "1"})
    problem_of(client.get("/api/v1/articles/aaaaaaaaa1"), 404)
    assert "aaaaaaaaa1" not in client.get("/api/v1/articles").text


# Names


def test_the_public_sees_an_actors_role_and_editors_the_keys_name(client, contributor, editor):
    made = client.post(INCIDENTS, json=builders.incident(), headers=editor).json
    public = client.get(f"{made['url']}/versions").headers["ETag"]
    for headers, shown in (({}, "editor"), (contributor, "editor"), (editor, "test editor")):
        (entry,) = client.get(f"{made['url']}/versions", headers=headers).json["data"]
        assert entry["actor"] == shown
        held_ = client.get(f"{made['url']}/versions", headers={**headers, "If-None-Match": public})
        assert held_.status_code == (200 if headers == editor else 304)


def test_a_key_is_stored_as_its_digest_alone(database, client, editor, content):
    client.post(INCIDENTS, json=builders.incident(), headers=editor)
    secret = editor["Authorization"].partition("_")[2]
    assert secret not in repr(content())


def test_answers_that_may_hold_drafts_are_kept_by_nobody(client, contributor, editor, public):
    for headers in (contributor, editor):
        for address in (INCIDENTS, public["url"], f"{public['url']}/versions"):
            answer = client.get(address, headers=headers)
            assert answer.headers["Cache-Control"] == "private, no-store", address
            assert "Authorization" in answer.headers["Vary"]
    assert "public" in client.get(INCIDENTS).headers["Cache-Control"]


@pytest.mark.parametrize("how", ["merge", "publish"])
def test_a_record_that_took_a_draft_over_does_not_name_it(client, contributor, editor, public, how):
    correcting = {"corrects": public["id"]} if how == "publish" else {}
    body = {**builders.incident(**HIDDEN), **correcting}
    draft = client.post(f"{INCIDENTS}?allow_duplicate=true", json=body, headers=contributor).json
    named = {"into": public["id"]} if how == "merge" else {}
    path = f"{draft['url']}/{how}"
    answer = client.post(path, json=named, headers={**editor, "If-Match": "*"})
    assert (answer.status_code, answer.json["id"]) == (200, public["id"])
    for below in ("", "/versions", "/versions/2", "/claims", "/similar"):
        assert draft["id"] not in client.get(public["url"] + below).text
    assert draft["id"] not in client.get("/api/v1/changes").text
    problem_of(client.get(draft["url"]), 404)
