"""External ids and tags: how they are given, who is told of shared ones, and what is not served."""

import json

import pytest

from tests.problems import fault_pointers

INCIDENTS = "/api/v1/incidents"
ACLED = {"scheme": "acled", "id": "RUS1234"}


@pytest.fixture
def post(client, editor, incident):
    def send(headers=editor, status=201, **changes):
        answer = client.post(
            f"{INCIDENTS}?allow_duplicate=true", json=incident(**changes), headers=headers
        )
        assert answer.status_code == status, answer.text
        return answer

    return send


@pytest.fixture
def ask(client):
    """Return a function that asks for incidents; it returns their ids and the warnings."""

    def get(headers=None, path=INCIDENTS, **query):
        answer = client.get(path, query_string=query, headers=headers)
        assert answer.status_code == 200, answer.text
        ids = [record.get("id") for record in answer.json["data"]]
        return ids, json.loads(answer.headers.get("Warnings", "[]"))

    return get


def shared(answer):
    """Return the warnings of shared external ids in the header of an answer to a write."""
    notes = json.loads(answer.headers.get("Warnings", "[]"))
    return [note["detail"] for note in notes if note.get("code") == "external_id_shared"]


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"external_ids": ["RUS1234"]}, "/external_ids/0", "bad_external_id"),
        ({"external_ids": ["acled:"]}, "/external_ids/0", "bad_external_id"),
        ({"external_ids": ["AC LED:1"]}, "/external_ids/0/scheme", "bad_slug"),
        ({"external_ids": [{"scheme": "acled"}]}, "/external_ids/0/id", "required"),
        ({"external_ids": ["acled:1;2"]}, "/external_ids/0/id", "bad_character"),
        ({"external_ids": [f"acled:{'1' * 101}"]}, "/external_ids/0/id", "too_long"),
        ({"external_ids": [ACLED, "acled:RUS1234"]}, "/external_ids/1", "repeated"),
        ({"tags": ["Not a slug"]}, "/tags/0", "bad_slug"),
        ({"tags": ["one", "one"]}, "/tags/1", "repeated"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(post, given, pointer, code):
    (error,) = post(status=422, **given).json["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)


def test_they_are_in_every_form_of_a_record_and_found_in_its_text(client, editor, post):
    made = post(external_ids=["acled:RUS1234", "gdelt:9, b"], tags=["wave-2", "reviewed"]).json
    assert made["external_ids"] == [ACLED, {"scheme": "gdelt", "id": "9, b"}]
    assert made["tags"] == ["wave-2", "reviewed"]
    header, row = client.get(f"{INCIDENTS}.csv").text.splitlines()
    assert header.endswith(",updated_at,external_ids,tags")
    assert row.endswith(',"acled:RUS1234; gdelt:9, b",wave-2; reviewed')
    for words in ("RUS1234", '"wave 2"'):
        found = client.get("/api/v1/search", query_string={"q": words}).json["data"]
        assert [hit["incident"]["id"] for hit in found] == [made["id"]]
    page = client.get(made["url"].removeprefix("/api/v1"), headers={"Accept": "text/html"}).text
    assert '<a href="/?tag=wave-2">wave-2</a>' in page
    assert "<dt>External ids</dt><dd><bdi>acled:RUS1234, gdelt:9, b</bdi></dd>" in page
    sent = client.post(
        f"{INCIDENTS}?on_conflict=update",
        data=client.get(f"{INCIDENTS}.csv").data.replace(b"RUS1234", b"RUS5"),
        content_type="text/csv",
        headers=editor,
    )
    assert sent.json["changed"] == 1
    assert client.get(made["url"]).json["external_ids"][0] == {"scheme": "acled", "id": "RUS5"}


def test_who_writes_a_number_that_another_record_has_is_told_and_they_are_similar(
    client, editor, post
):
    first = post(external_ids=["acled:RUS1234"], city="Paris", country="FR").json
    second = post(external_ids=["gdelt:1", ACLED], date="2011-05-04")
    assert shared(second) == [
        f"acled:RUS1234 is the number of {first['id']} too; is it the same event?"
    ]
    (other,) = client.get(f"{first['url']}/similar").json["data"]
    assert (other["id"], other["score"]) == (second.json["id"], 1)
    assert "external_id" in other["reasons"]
    headers = {**editor, "If-Match": "*"}
    same = client.patch(second.json["url"], json={"tags": ["a"]}, headers=headers)
    assert shared(same) == []
    third = post(date="2012-05-04").json
    changed = client.patch(third["url"], json={"external_ids": [ACLED]}, headers=headers)
    assert f"{first['id']}, {second.json['id']} too" in shared(changed)[0]


def test_a_draft_of_others_is_not_told_of(client, contributor, editor, admin, post):
    draft = post(contributor, external_ids=[ACLED]).json
    client.post(
        f"{INCIDENTS}/{draft['id']}/reject", json={"reason": "x", "version": 1}, headers=editor
    )
    other = client.post(
        "/api/v1/keys", json={"name": "other", "role": "contributor"}, headers=admin
    )
    stranger = {"Authorization": f"Bearer {other.json['key']}"}
    assert shared(post(stranger, external_ids=[ACLED])) == []
    assert draft["id"] in shared(post(contributor, external_ids=[ACLED]))[0]
    published = client.post(
        f"{INCIDENTS}/{draft['id']}/publish", headers={**editor, "If-Match": "*"}
    )
    assert published.status_code == 200
    assert len(shared(published)) == 1


def test_an_import_tells_of_numbers_that_its_own_lines_share(client, editor, incident):
    lines = [incident(date=f"201{n}-05-04", external_ids=[ACLED]) for n in (1, 2)]
    body = "\n".join(map(json.dumps, lines))
    sent = {"data": body, "content_type": "application/x-ndjson", "headers": editor}
    answer = client.post(INCIDENTS, **sent).json
    told = {warning["line"]: warning["detail"] for warning in answer["warnings"]}
    assert [answer["ids"][1] in told[1], answer["ids"][0] in told[2]] == [True, True]


@pytest.fixture
def named(post, contributor):
    """Make a public record and a draft that name what filters ask for."""

    def names(tag, organisation, number):
        communities = [{"community": "armenian", "organisations": [organisation]}]
        return {"tags": [tag], "communities": communities, "external_ids": [f"acled:{number}"]}

    public = post(**names("wave-2", "Union of Armenians", "RUS1")).json["id"]
    draft = post(contributor, date="2011-05-04", **names("hidden-tag", "Hidden Union", "HID1")).json
    return public, draft["id"]


@pytest.mark.parametrize(
    ("parameter", "value", "near", "known", "own"),
    [
        ("tag", "wave-3", "wave-2", "wave-2", "hidden-tag"),
        ("tag", "hiden-tag", "", "WAVE-2", "hidden-tag"),
        (
            "organisation",
            "Unoin of Armenians",
            "Union of Armenians",
            "union of armenians",
            "Hidden Union",
        ),
        ("organisation", "armenians", "Union of Armenians", "Union  of Armenians", "hidden union"),
        ("external_id", "acled:rus1", "acled:RUS1", "acled:RUS1", "acled:HID1"),
        ("external_id", "gdelt:HID1", "", "ACLED:RUS1", "acled:HID1"),
    ],
)
def test_a_name_that_nothing_has_is_an_empty_answer_with_near_public_names(
    named, ask, contributor, parameter, value, near, known, own
):
    ids, (warning,) = ask(**{parameter: value})
    assert (ids, warning["code"]) == ([], f"unknown_{parameter}")
    assert warning["parameter"] == parameter
    assert warning["detail"].partition("Near names: ")[2].rstrip(".") == near
    assert ask(**{parameter: known}) == ([named[0]], [])
    ids, (warning,) = ask(**{parameter: own})
    assert (ids, "Near" in warning["detail"]) == ([], False)
    assert ask(contributor, **{parameter: own}) == ([named[1]], [])


def test_claims_are_found_by_organisation_and_tag(named, post, client, editor):
    source = {"article": {"title": "One"}, "claims": [{"field": "arrests", "value": 1}]}
    headers = {**editor, "If-Match": "*"}
    client.post(f"{INCIDENTS}/{named[0]}/sources", json=source, headers=headers)
    for query in ("organisation=union%20of%20armenians", "tag=wave-2", "tag=wave-2&organisation=x"):
        answer = client.get(f"/api/v1/claims?{query}")
        assert len(answer.json["data"]) == (0 if query.endswith("x") else 1)


def test_ids_lead_on_and_those_that_are_not_served_are_named(
    client, editor, contributor, post, ask
):
    one, two, three, gone = (post(date=f"201{n}-05-04").json["id"] for n in range(4))
    draft = post(contributor, date="2009-01-01").json["id"]
    for id_, into in ((one, two), (two, three)):
        body = {
            "into": into,
            "reason": "the same",
            "version": client.get(f"{INCIDENTS}/{id_}").json["version"],
        }
        assert client.post(f"{INCIDENTS}/{id_}/merge", json=body, headers=editor).status_code == 200
    client.delete(f"{INCIDENTS}/{gone}", headers={**editor, "If-Match": "*"})

    ids, (warning,) = ask(id=f"{one.upper()},{gone},{draft},0000000000,{three}")

    assert ids == [three]
    assert (warning["code"], warning["parameter"]) == ("not_served", "id")
    assert warning["detail"].startswith(f"Not served: {gone}, {draft}, 0000000000. ")
    assert ask(id=two) == ([three], [])
    assert ask(contributor, id=f"{draft},{one}") == ([three, draft], [])
    assert ask(editor, id=gone, status="withdrawn") == ([gone], [])
    assert ask(id=",".join([three] * 3))[0] == [three]
    many = ",".join(f"{n:010}" for n in range(101))
    answer = client.get(f"{INCIDENTS}?id={many}")
    assert fault_pointers(answer.json) == ["id"]


@pytest.mark.parametrize("name", ["limit", "sort", "q", "date", "min_arrests", "near"])
def test_what_takes_one_value_is_refused_twice(client, name):
    answer = client.get(f"{INCIDENTS}?{name}=1&{name}=2")
    assert answer.status_code == 422
    assert [error["code"] for error in answer.json["errors"]] == ["repeated"]


def test_statistics_list_tags_and_organisations(client, named, post):
    post(
        date="2012-01-01",
        arrests=3,
        participants_low=20,
        tags=["wave-2", "other"],
        communities=[
            {"community": "armenian", "role": "organiser", "organisations": ["Union of Armenians"]},
            {"community": "azerbaijani", "organisations": ["Union of Armenians", "Youth"]},
        ],
    )
    rows = client.get("/api/v1/stats?group_by=tag").json["data"]
    assert [(row["tag"], row["incidents"], row["arrests"]["known"]) for row in rows] == [
        ("wave-2", 2, 1),
        ("other", 1, 1),
    ]
    known = {"low": 20, "high": None, "known": 1, "unknown": 1, "open_ended": 1}
    assert rows[0]["participants"] == known
    answer = client.get("/api/v1/stats?group_by=organisation").json
    none = {"organiser": 0, "participant": 0, "counter_participant": 0, "target": 0}
    assert answer["data"] == [
        {
            "organisation": "Union of Armenians",
            "incidents": 2,
            "roles": {**none, "organiser": 1, "participant": 2},
        },
        {"organisation": "Youth", "incidents": 1, "roles": {**none, "participant": 1}},
    ]
    assert answer["notes"][0]["code"] == "no_sums_by_community"
    refused = client.get("/api/v1/stats?group_by=organisation,community")
    assert refused.json["errors"][0]["code"] == "same_twice"
