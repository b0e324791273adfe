"""Review, merging and likeness: what editors decide about whole records."""

import pytest

from api.records import similarity

INCIDENTS = "/api/v1/incidents"
CLAIM = {"field": "arrests", "value": 13, "scope": "one brawl"}


def article(name):
    return {"url": f"https://news.example/{name}", "title": name.title()}


def source(name, *claims):
    return {"article": article(name), "locator": "paragraph 1", "claims": list(claims)}


@pytest.fixture
def post(client, editor, incident):
    """Return a function that posts an incident and returns its document."""

    def make(headers=None, **changes):
        answer = client.post(
            f"{INCIDENTS}?allow_duplicate=true", json=incident(**changes), headers=headers or editor
        )
        assert answer.status_code == 201, answer.text
        return answer.json

    return make


@pytest.fixture
def decide(client, editor):
    """Return a function that posts a decision on a record."""

    def make(document, what, headers=None, status=200, **body):
        answer = client.post(
            f"{INCIDENTS}/{document['id']}/{what}",
            json={"version": document["version"], **body},
            headers=headers or editor,
        )
        assert answer.status_code == status, answer.text
        return answer.json

    return make


def test_a_draft_is_published_by_an_editor(client, contributor, post, decide):
    draft = post(contributor)
    assert client.get(f"{INCIDENTS}/{draft['id']}").status_code == 404
    decide(draft, "publish", headers=contributor, status=403)
    published = decide(draft, "publish", reason="checked")
    assert published["status"] == "published"
    assert client.get(f"{INCIDENTS}/{draft['id']}").json == published


def test_a_rejected_draft_tells_its_author_why_and_waits_anew_when_amended(
    client, contributor, post, decide
):
    draft = post(contributor)
    rejected = decide(draft, "reject", reason="the source says nothing of it")
    read = client.get(f"{INCIDENTS}/{draft['id']}", headers=contributor).json
    assert read["review"] == "the source says nothing of it"
    amended = client.patch(
        f"{INCIDENTS}/{draft['id']}",
        json={"title": "Another title", "version": rejected["version"]},
        headers=contributor,
    ).json
    assert amended["review"] is None
    decide(decide(amended, "publish"), "reject", reason="too late", status=409)


def test_a_correction_becomes_the_next_version_of_what_it_corrects(
    client, contributor, post, decide
):
    record = post(arrests=13, sources=[source("one", CLAIM)])
    draft = post(
        contributor,
        corrects=record["id"],
        arrests=25,
        sources=[source("one", CLAIM), source("two", {"field": "arrests", "low": 25})],
    )
    assert client.get(f"{INCIDENTS}/{record['id']}").json == record
    corrected = decide(draft, "publish")
    assert (corrected["id"], corrected["version"], corrected["arrests"]) == (record["id"], 2, 25)
    assert corrected["arrests_high"] == 25
    assert len(corrected["sources"]) == 2
    assert corrected["former_ids"] == []
    assert client.get(f"{INCIDENTS}/{draft['id']}").status_code == 404
    assert client.get(f"{INCIDENTS}/{draft['id']}", headers=contributor).status_code == 308
    titles = [one["title"] for one in client.get("/api/v1/articles").json["data"]]
    assert sorted(titles) == ["One", "Two"]


def test_a_correction_is_posted_as_a_draft_by_whomever(client, editor, incident, post):
    record = post(arrests=13)
    body = incident(arrests=25, corrects=record["id"])
    answer = client.post(INCIDENTS, json=body, headers=editor)
    assert answer.status_code == 422
    (fault,) = answer.json["errors"]
    assert (fault["pointer"], fault["code"]) == ("/corrects", "bad_corrects")
    path = f"{INCIDENTS}?allow_duplicate=true"
    answer = client.post(path, json={**body, "status": "draft"}, headers=editor)
    assert (answer.status_code, answer.json["corrects"]) == (201, record["id"])


def test_a_correction_is_a_merge_patch_on_the_record(client, contributor, post, decide):
    record = post(arrests=13, summary="What happened.", sources=[source("one", CLAIM)])
    answer = client.post(
        INCIDENTS, json={"corrects": record["id"], "arrests": 14}, headers=contributor
    )
    draft = answer.json
    same = {"title", "summary", "date", "city", "communities", "sources", "latitude"}
    assert answer.status_code == 201, draft
    assert {name: draft[name] for name in same} == {name: record[name] for name in same}
    assert [draft[f"arrests{end}"] for end in ("", "_low", "_high")] == [14, 14, 14]
    corrected = decide(draft, "publish")
    assert (corrected["arrests"], corrected["summary"]) == (14, "What happened.")
    assert corrected["sources"] == record["sources"]


def test_a_record_that_was_read_is_sent_back_with_what_it_corrects(
    client, contributor, post, decide
):
    record = post(arrests=13, injuries_low=3, sources=[source("one", CLAIM)])
    body = {**record, "corrects": record["id"], "arrests": 14, "title": "Another title"}
    answer = client.post(INCIDENTS, json=body, headers=contributor)
    assert answer.status_code == 201, answer.json
    draft = answer.json
    assert draft["id"] != record["id"]
    preview = decide(draft, "publish?dry_run=true")
    assert preview["would"] == "publish"
    assert {change["field"]: change["to"] for change in preview["changes"]} == {
        "title": "Another title",
        "arrests": 14,
        "arrests_low": 14,
        "arrests_high": 14,
    }
    assert (preview["emptied"], preview["conflicts"]) == ([], [])


def test_a_review_shows_what_would_be_emptied_and_what_conflicts(
    client, contributor, editor, post, decide
):
    record = post(arrests=13, summary="What happened.", police_measures=["cordon", "baton"])
    patch = {"summary": None, "police_measures": ["baton"], "arrests": 20}
    draft = post(contributor, **patch, corrects=record["id"])
    path = f"{INCIDENTS}/{record['id']}"
    client.patch(path, json={"version": 1, "arrests": 30}, headers=editor)
    preview = decide(draft, "publish?dry_run=true")
    assert preview["would"] == "refuse"
    assert sorted(preview["emptied"]) == ["police_measures", "summary"]
    assert preview["conflicts"][0] == {"field": "arrests", "base": 13, "current": 30, "draft": 20}
    refused = decide(draft, "publish", status=409)
    assert refused["conflicts"] == preview["conflicts"]


@pytest.mark.parametrize("version", [0, 3, 99])
def test_a_correction_is_based_on_a_version_that_is_public(client, contributor, post, version):
    record = post(contributor)
    answer = client.post(
        INCIDENTS,
        json={"corrects": record["id"], "arrests": 1, "version": version},
        headers=contributor,
    )
    assert answer.status_code == 422


def test_publishing_and_restoring_need_no_body(client, contributor, editor, post):
    draft = post(contributor)
    path = f"{INCIDENTS}/{draft['id']}"
    forced = {**editor, "If-Match": "*"}
    assert client.post(f"{path}/publish", headers=forced).status_code == 200
    assert client.post(f"{path}/versions/1/restore", headers=forced).status_code == 200


def test_a_withdrawal_is_told_by_query_or_by_body(client, editor, post):
    record = post()
    path = f"{INCIDENTS}/{record['id']}"
    body = {"code": "duplicate", "reason": "Reported twice.", "version": 1}
    refused = client.delete(f"{path}?code=error", json=body, headers=editor)
    assert refused.json["errors"][0]["pointer"] == "/code"
    assert client.delete(path, json=body, headers=editor).status_code == 204
    assert client.get(path).json["code"] == "duplicate"
    versions = client.get(f"{path}/versions", headers=editor).json["data"]
    assert versions[-1]["reason"] == "Reported twice." or versions[0]["reason"] == "Reported twice."


def test_a_correction_keeps_what_changed_since_and_names_what_both_changed(
    client, editor, contributor, post, decide
):
    record = post(arrests=13)
    draft = post(contributor, corrects=record["id"], arrests=25)
    path = f"{INCIDENTS}/{record['id']}"
    change = {"version": 1, "arrests": 14, "injuries": 2}
    assert client.patch(path, json=change, headers=editor).status_code == 200
    refused = decide(draft, "publish", status=409)
    assert refused["type"] == "/problems/correction-conflicts"
    assert refused["fields"] == ["arrests"]
    client.patch(path, json={"version": 2, "arrests": 13}, headers=editor)
    corrected = decide(draft, "publish")
    assert (corrected["arrests"], corrected["injuries"]) == (25, 2)


def test_a_merge_keeps_the_sources_of_both_and_leaves_a_way(client, post, decide):
    one = post(arrests=13, sources=[source("one", CLAIM)])
    two = post(arrests=50, injuries=3, sources=[source("two", {**CLAIM, "value": 50})])
    seq = int(client.get(INCIDENTS).headers["Dataset-Version"])
    merged = decide(two, "merge", into=one["id"], headline=["injuries"], reason="one event")
    assert merged["id"] == one["id"]
    assert (merged["arrests"], merged["injuries"], merged["injuries_high"]) == (13, 3, 3)
    assert [s["article"]["title"] for s in merged["sources"]] == ["One", "Two"]
    assert merged["disputed"] == ["arrests"]
    assert merged["former_ids"] == [two["id"]]
    moved = client.get(f"{INCIDENTS}/{two['id']}")
    assert moved.status_code == 308
    assert moved.headers["Location"] == f"{INCIDENTS}/{one['id']}"
    assert moved.headers["Cache-Control"] == "no-cache"
    assert client.get(f"{INCIDENTS}?count=exact").json["total"] == 1
    assert int(client.get(INCIDENTS).headers["Dataset-Version"]) == seq + 2


def test_a_merge_is_undone_and_what_came_since_stays(client, editor, post, decide):
    one = post(arrests=13, sources=[source("one", CLAIM)])
    two = post(arrests=50, sources=[source("two", {**CLAIM, "value": 50})])
    merged = decide(two, "merge", into=one["id"], headline=["arrests"])
    later = {"version": merged["version"], "deaths": 1}
    client.patch(f"{INCIDENTS}/{one['id']}", json=later, headers=editor)
    restored = decide({"id": two["id"], "version": 2}, "versions/1/restore")
    assert (restored["status"], restored["arrests"]) == ("published", 50)
    left = client.get(f"{INCIDENTS}/{one['id']}").json
    assert (left["arrests"], left["deaths"], left["former_ids"]) == (13, 1, [])
    assert [s["article"]["title"] for s in left["sources"]] == ["One"]
    assert client.get(INCIDENTS).json["total"] == 2


def test_what_cannot_be_merged_is_refused(client, contributor, post, decide):
    one, draft = post(), post(contributor)
    assert decide(one, "merge", into=one["id"], status=409)["type"] == "/problems/unmergeable"
    decide(one, "merge", into=draft["id"], status=409)
    decide(one, "merge", into="7zq3m8k2xd", status=404)
    decide(one, "merge", status=422)
    decide(one, "merge", into=draft["id"], headline=["arests"], status=422)
    decide(draft, "merge", into=one["id"], headers=contributor, status=403)


def test_what_two_records_do_not_make_together_is_refused_in_words(
    client, editor, contributor, post, decide
):
    one = post(injuries=9, injuries_police=5)
    two = post(injuries=2)
    refused = decide(two, "merge", into=one["id"], headline=["injuries"], status=409)
    assert (refused["type"], refused["fields"]) == ("/problems/unmergeable", ["injuries_police"])
    assert "5 is above the 2 of injuries" in refused["detail"]
    draft = post(contributor, corrects=one["id"], injuries=9, injuries_police=9)
    change = {"version": 1, "injuries": 6}
    assert client.patch(f"{INCIDENTS}/{one['id']}", json=change, headers=editor).status_code == 200
    refused = decide(draft, "publish", status=409)
    assert refused["type"] == "/problems/correction-conflicts"
    assert refused["fields"] == ["injuries_police"]
    both = decide(two, "merge", into=one["id"], headline=["injuries", "injuries_police"])
    assert (both["injuries"], both["injuries_police"]) == (2, None)


def test_a_merge_makes_no_list_longer_than_a_record_may_have(client, post, decide):
    def claims(first):
        return [{"field": "arrests", "value": value} for value in range(first, first + 300)]

    one, two = (post(sources=[source("one", *claims(first))]) for first in (0, 300))
    refused = decide(two, "merge", into=one["id"], status=409)
    assert (refused["type"], refused["fields"]) == ("/problems/unmergeable", ["claims"])
    assert "600 claims" in refused["detail"]


def test_a_merge_is_not_undone_to_a_record_without_a_community(client, editor, post, decide):
    one = post(communities=["armenian"])
    two = post(communities=["azerbaijani"])
    merged = decide(two, "merge", into=one["id"])
    change = {"version": merged["version"], "communities": ["azerbaijani"]}
    changed = client.patch(f"{INCIDENTS}/{one['id']}", json=change, headers=editor).json
    standing = {"id": two["id"], "version": 2}
    refused = decide(standing, "versions/1/restore", status=409)
    assert (refused["type"], refused["fields"]) == ("/problems/not-restorable", ["communities"])
    assert client.get(f"{INCIDENTS}/{one['id']}").json == changed
    change = {"version": changed["version"], "communities": ["armenian", "azerbaijani"]}
    client.patch(f"{INCIDENTS}/{one['id']}", json=change, headers=editor)
    assert decide(standing, "versions/1/restore")["status"] == "published"


def test_a_draft_merged_into_a_record_brings_its_sources(client, contributor, post, decide):
    one = post(sources=[source("one")])
    draft = post(contributor, sources=[source("two", CLAIM)])
    merged = decide(draft, "merge", into=one["id"])
    assert [s["article"]["title"] for s in merged["sources"]] == ["One", "Two"]
    assert merged["former_ids"] == []
    assert client.get(f"{INCIDENTS}/{draft['id']}").status_code == 404
    assert client.get("/api/v1/articles").json["total"] == 2


def test_a_draft_merged_into_another_draft_brings_its_own_articles_and_undoing_takes_them_out(
    client, editor, admin, contributor, post, decide
):
    one = post(contributor, sources=[source("one")])
    two = post(contributor, sources=[source("two", CLAIM)])
    merged = decide(two, "merge", into=one["id"])
    assert [s["article"]["title"] for s in merged["sources"]] == ["One", "Two"]
    assert client.get("/api/v1/articles").json["total"] == 0
    public = decide(merged, "publish")
    assert [s["article"]["title"] for s in public["sources"]] == ["One", "Two"]
    restored = decide({"id": two["id"], "version": 2}, "versions/1/restore")
    assert (restored["status"], restored["sources"]) == ("draft", two["sources"])
    left = client.get(f"{INCIDENTS}/{one['id']}").json
    assert [s["article"]["title"] for s in left["sources"]] == ["One"]
    # Erased in public, it is erased in the draft as well.
    article = two["sources"][0]["article"]["id"]
    client.post(f"/api/v1/articles/{article}/erase", headers={**admin, "If-Match": "*"}, json={})
    for number in ("", "/versions/1", "/versions/3"):
        shown = client.get(f"{INCIDENTS}/{two['id']}{number}", headers=editor).json["sources"]
        assert [s["article"]["title"] for s in shown] == ["[erased]"]
    again = decide({"id": two["id"], "version": 4}, "publish")
    assert [s["article"]["title"] for s in again["sources"]] == ["[erased]"]


def test_a_merge_is_undone_whose_article_was_joined_to_another_in_public(
    client, editor, contributor, post, decide
):
    one = post(sources=[source("one")])
    draft = post(contributor, sources=[source("two", CLAIM)])
    same = {"title": "Two, held meanwhile", "url": draft["sources"][0]["article"]["url"]}
    existing = client.post("/api/v1/articles", json=same, headers=editor).json
    merged = decide(draft, "merge", into=one["id"])
    assert merged["sources"][1]["article"]["id"] == existing["id"]
    restored = decide({"id": draft["id"], "version": 2}, "versions/1/restore")
    assert restored["sources"] == draft["sources"]


def test_likeness_is_ranked_with_reasons(client, editor, post):
    one = post(title="Clash at the market", sources=[source("one")])
    same = post(title="Clash at a market", date="2019-05-05", sources=[source("one")])
    other = post(title="Vigil", type="vigil", date="2019-05-20", communities=["azerbaijani"])
    found = client.get(f"{INCIDENTS}/{one['id']}/similar").json["data"]
    assert [entry["id"] for entry in found] == [same["id"]]
    assert found[0]["score"] > 0.9
    assert set(found[0]["reasons"]) == {"article", "place", "dates", "communities", "title"}
    assert found[0]["judged_distinct"] is True  # posted with allow_duplicate
    assert other["id"] not in str(found)


def test_likely_pairs_are_listed_once_and_not_when_judged_distinct(
    client, editor, incident, contributor
):
    bodies = [incident(date="2019-05-04"), incident(date="2019-05-04", city="Lviv")]
    for body in [*bodies, incident(date="2019-05"), incident(date="2019-05", city="Lviv")]:
        assert client.post(INCIDENTS, json=body, headers=editor).status_code == 201
    report = client.get("/api/v1/similar?limit=1", headers=editor).json
    pairs, address = report["data"], report["next"]
    while address:
        report = client.get(address, headers=editor).json
        pairs, address = [*pairs, *report["data"]], report["next"]
    assert sorted(pair["incidents"][0]["city"] for pair in pairs) == ["Kyiv", "Lviv"]
    assert client.get("/api/v1/similar", headers=contributor).status_code == 403
    assert client.get("/api/v1/similar").status_code == 401


def test_two_records_are_called_distinct_and_are_no_pair_from_then_on(
    client, contributor, editor, incident
):
    made = [
        client.post(INCIDENTS, json=incident(date=date), headers=editor).json
        for date in ("2019-05", "2019-05-04")
    ]
    path, other = f"{INCIDENTS}/{made[0]['id']}", made[1]["id"]
    before = client.get(f"{path}/similar")
    for role, status in ((None, 401), (contributor, 403), (editor, 204), (editor, 204)):
        answer = client.post(f"{path}/distinct", json={"other": other}, headers=role)
        assert answer.status_code == status
    assert client.get("/api/v1/similar", headers=editor).json["data"] == []
    cached = client.get(f"{path}/similar", headers={"If-None-Match": before.headers["ETag"]})
    assert [one["judged_distinct"] for one in cached.json["data"]] == [True]
    assert client.get(path).json == made[0]


@pytest.mark.parametrize(
    ("other", "status"), [("itself", 422), ("0000000000", 404), ("withdrawn", 409), (None, 422)]
)
def test_what_cannot_be_called_distinct_is_refused(client, editor, post, other, status):
    record, withdrawn = post(), post()
    client.delete(f"{INCIDENTS}/{withdrawn['id']}", headers={**editor, "If-Match": "*"})
    ids = {"itself": record["id"], "withdrawn": withdrawn["id"]}
    body = {} if other is None else {"other": ids.get(other, other)}
    answer = client.post(f"{INCIDENTS}/{record['id']}/distinct", json=body, headers=editor)
    assert answer.status_code == status


def test_a_pair_is_listed_however_many_others_are_as_like(client, editor, post, monkeypatch):
    monkeypatch.setattr(similarity, "MOST", 2)
    records = [post(title="The same event", date="2019-05") for _ in range(5)]
    found = client.get(f"{INCIDENTS}/{records[0]['id']}/similar").json["data"]
    assert len(found) == 2
    pairs = client.get("/api/v1/similar", headers=editor).json["data"]
    assert len(pairs) == 10


def test_drafts_are_not_among_what_the_public_sees_alike(client, contributor, post):
    one = post()
    draft = post(contributor)
    path = f"{INCIDENTS}/{one['id']}/similar"
    assert client.get(path).json["data"] == []
    assert [e["id"] for e in client.get(path, headers=contributor).json["data"]] == [draft["id"]]
