"""Incidents over HTTP: made, read, changed, withdrawn; nothing lost, nothing done twice."""

import json

import orjson
import pytest

from api.http.conditional import etag
from tests import builders
from tests.problems import fault_pointers, problem_of

INCIDENTS = "/api/v1/incidents"


@pytest.fixture
def post(client, editor):
    """Return a function that posts an incident as the editor, which must succeed."""

    def send(query="", **changes):
        body = builders.incident(**changes)
        answer = client.post(f"{INCIDENTS}?allow_duplicate=true{query}", json=body, headers=editor)
        assert answer.status_code == 201, answer.data
        return answer

    return send


@pytest.fixture
def patch(client, editor):
    """Return a function that amends a record as the editor, whatever its version."""

    def send(record, **named):
        headers = {**editor, "If-Match": "*"}
        return client.patch(record["url"], json=named, headers=headers)

    return send


# Making and reading


def test_what_is_posted_is_what_is_read(client, post):
    made = post(arrests=13)
    assert made.headers["Location"] == made.json["url"] == f"{INCIDENTS}/{made.json['id']}"
    assert made.headers["ETag"] == etag(1)
    read = client.get(made.json["url"])
    assert read.status_code == 200
    assert read.data == made.data
    assert read.headers["ETag"] == etag(1)
    assert int(read.headers["Dataset-Version"]) == int(made.headers["Dataset-Version"])


def test_a_record_says_all_that_follows_from_what_was_named(post):
    made = post(date="2020-07", arrests=13, injuries_low=2, injuries_police=1).json
    assert (made["date_start"], made["date_end"]) == ("2020-07-01", "2020-07-31")
    assert made["date_precision"] == "month"
    assert (made["country_name"], made["admin1"], made["geonames_id"]) == (
        "Ukraine",
        "Kyiv City",
        703448,
    )
    assert (made["latitude"], made["longitude"], made["geo_precision"]) == (
        50.4547,
        30.5238,
        "city",
    )
    assert [made[f"{name}_text"] for name in ("arrests", "injuries", "deaths")] == [
        "13",
        "at least 2",
        "not reported",
    ]
    assert (made["status"], made["version"], made["number_of_sources"]) == ("published", 1, 0)
    assert made["created_at"] == made["updated_at"]


def test_a_community_may_be_named_by_its_id_alone(post):
    made = post(communities=["armenian"]).json
    assert made["communities"][0] == {
        "community": "armenian",
        "role": "participant",
        "participants": None,
        "participants_low": None,
        "participants_high": None,
        "organisations": [],
    }


def test_an_id_that_is_given_is_kept_and_read_as_people_copy_it(client, post):
    made = post(id="7ZQ3M8K2XD").json
    assert made["id"] == "7zq3m8k2xd"
    assert client.get(f"{INCIDENTS}/7ZQ3M8K2XD").json == made
    post(id="1000000000")
    assert client.get(f"{INCIDENTS}/iooooooooo").json["id"] == "1000000000"
    assert client.get(f"{INCIDENTS}/LOOOOOOOOO").json["id"] == "1000000000"


def test_an_id_is_never_given_twice(client, editor, post):
    first = post(id="7zq3m8k2xd").json
    body = builders.incident(id="7zq3m8k2xd", city="Batumi", country="GE")
    problem_of(client.post(INCIDENTS, json=body, headers=editor), 409, "id-taken")
    client.delete(first["url"], headers={**editor, "If-Match": "1"})
    problem_of(client.post(INCIDENTS, json=body, headers=editor), 409, "id-taken")


def test_derived_members_are_ignored_on_input(post):
    made = post(
        url="/x",
        date_start="1999-01-01",
        arrests_text="many",
        disputed=["arrests"],
        number_of_sources=9,
        created_at="1999-01-01T00:00:00Z",
        former_ids=["7zq3m8k2xd"],
        country_name="Nowhere",
        review="fine",
    ).json
    assert made["date_start"] == "2019-05-04"
    assert (made["disputed"], made["number_of_sources"], made["former_ids"]) == ([], 0, [])
    assert made["created_at"] > "2020"
    assert made["review"] is None


@pytest.mark.parametrize("city", ["Kishinev", "Кишинёв", "Chişinău", "chisinau"])
def test_a_city_is_found_by_any_of_its_names(post, city):
    assert post(city=city, country="Moldova").json["geonames_id"] == 618426


# Changing


def test_a_patch_changes_what_it_names(client, editor, post):
    made = post(arrests=13, venue="Market").json
    answer = client.patch(
        made["url"], json={"venue": None, "arrests": 25}, headers={**editor, "If-Match": '"1"'}
    )
    assert answer.status_code == 200
    assert answer.headers["ETag"] == etag(2)
    changed = answer.json
    assert (changed["version"], changed["venue"], changed["arrests_high"]) == (2, None, 25)
    assert client.get(made["url"]).data == answer.data
    differing = {name for name in made if made[name] != changed[name]}
    assert differing == {
        "version",
        "venue",
        "arrests",
        "arrests_low",
        "arrests_high",
        "arrests_text",
        "updated_at",
    }


def test_a_put_replaces_and_empties_what_it_leaves_out(client, editor, post):
    made = post(arrests=13, venue="Market", summary="Words.").json
    body = builders.incident(title="Another title")
    answer = client.put(made["url"], json=body, headers={**editor, "If-Match": "1"})
    assert answer.status_code == 200
    assert [answer.json[name] for name in ("title", "arrests", "venue", "summary")] == [
        "Another title",
        None,
        None,
        None,
    ]
    assert answer.json["created_at"] == made["created_at"]


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"arrests": 25}, "arrests 25 without bounds was taken as exact"),
        ({"arrests": 25, "arrests_low": None, "arrests_high": None}, "was taken as about so many"),
        ({"arrests": 25, "arrests_low": 25, "arrests_high": 25}, None),
    ],
)
def test_a_put_says_what_it_took_a_figure_for(client, editor, post, figures, words):
    made = post().json
    body = builders.incident(**figures)
    answer = client.put(made["url"], json=body, headers={**editor, "If-Match": "1"})
    warnings = json.loads(answer.headers.get("Warnings", "[]"))
    assumed = [each for each in warnings if each["code"] == "figure_assumed"]
    assert [each["pointer"] for each in assumed] == (["/arrests"] if words else [])
    assert all(words in each["detail"] for each in assumed)


def test_a_record_that_was_read_is_put_back_unchanged_and_makes_no_version(client, editor, post):
    made = post(arrests=30, arrests_low=25, arrests_high=None)
    before = made.headers["Dataset-Version"]
    answer = client.put(made.json["url"], json=made.json, headers=editor)
    assert answer.status_code == 200
    assert answer.data == made.data
    assert answer.headers["Dataset-Version"] == before


def test_a_merge_patch_may_say_so(client, editor, post):
    made = post().json
    for media_type in ("application/json", "application/merge-patch+json"):
        answer = client.patch(
            made["url"],
            data=json.dumps({"venue": media_type}),
            content_type=media_type,
            headers={**editor, "If-Match": "*"},
        )
        assert answer.json["venue"] == media_type
    put = {"data": json.dumps(made), "content_type": "application/merge-patch+json"}
    problem_of(client.put(made["url"], headers={**editor, "If-Match": "*"}, **put), 415)


def test_naming_one_city_brings_all_that_belongs_to_it_and_back(post, patch):
    made = post(city="Brussels", country="BE").json
    moved = patch(made, city="Kishinev", country="MD").json
    assert (moved["city"], moved["country_name"], moved["geonames_id"]) == (
        "Chisinau",
        "Moldova",
        618426,
    )
    back = patch(made, city="Brussels", country="BE").json
    same = ("city", "admin1", "country", "latitude", "longitude", "geo_precision", "geonames_id")
    assert [back[name] for name in same] == [made[name] for name in same]


def test_a_point_alone_is_a_place_and_keeps_its_region_out(post):
    made = post(city=..., latitude=48.123456, longitude=37.5).json
    assert (made["city"], made["latitude"], made["longitude"]) == (None, 48.1235, 37.5)
    assert made["geo_precision"] == "city"


def test_a_name_that_the_gazetteer_does_not_know_stands_beside_its_point(post):
    made = post(city="Little Hamlet", latitude=50.1, longitude=30.1).json
    assert (made["city"], made["geonames_id"]) == ("Little Hamlet", None)


def test_a_geonames_id_says_which_city(post):
    made = post(city=..., country="US", geonames_id=4250542).json
    assert (made["city"], made["admin1"]) == ("Springfield", "Illinois")


@pytest.mark.parametrize("body", [{"id": "7zq3m8k2xd"}, {"corrects": "7zq3m8k2xd"}])
def test_what_is_said_once_and_for_all_is_not_changed(post, patch, body):
    post(id="7zq3m8k2xd", city="Batumi", country="GE")
    made = post().json
    assert fault_pointers(problem_of(patch(made, **body), 422)) == [f"/{next(iter(body))}"]


# Which version a change is based on


SPELLINGS = [
    '"2"',
    "2",
    'W/"2"',
    ' "2" ',
    '"2-csv"',
    '"2-geojson-all"',
    '"2:gzip"',
    'W/"2-csv"',
    '"1", "2"',
    "1, 2",
    '"7","2-csv"',
    "*",
    " * ",
]


@pytest.mark.parametrize("tag", SPELLINGS)
def test_every_spelling_of_the_current_version_is_taken(client, editor, post, patch, tag):
    made = post().json
    patch(made, venue="Market")
    headers = {**editor, "If-Match": tag}
    assert client.patch(made["url"], json={"venue": "Bazaar"}, headers=headers).status_code == 200


@pytest.mark.parametrize("tag", ['"1"', "1", 'W/"1"', '"1-csv"', '"22"', '"2x"', "two", '""'])
def test_another_version_is_a_412_that_says_which_stands(client, editor, post, patch, tag):
    made = post().json
    patch(made, venue="Market")
    headers = {**editor, "If-Match": tag}
    for method, body in (("PATCH", {"venue": "x"}), ("PUT", made), ("DELETE", None)):
        answer = client.open(made["url"], method=method, json=body, headers=headers)
        assert problem_of(answer, 412, "version-stale")["version"] == 2
    assert client.get(made["url"]).json["venue"] == "Market"


def test_the_version_may_stand_in_the_body_and_the_header_wins(client, editor, post):
    made = post().json
    answer = client.patch(made["url"], json={"version": 1, "venue": "A"}, headers=editor)
    assert answer.json["version"] == 2
    problem_of(client.patch(made["url"], json={"version": 1, "venue": "B"}, headers=editor), 412)
    headers = {**editor, "If-Match": "2"}
    answer = client.patch(made["url"], json={"version": 1, "venue": "C"}, headers=headers)
    assert answer.json["version"] == 3


def test_a_change_without_a_version_is_told_how_to_name_it(client, editor, post):
    made = post().json
    answer = client.patch(made["url"], json={"venue": "A"}, headers=editor)
    body = problem_of(answer, 428, "precondition-required")
    assert body["version"] == 1
    assert "curl -X PATCH -H 'If-Match: \"1\"'" in body["detail"]


# Conditional reads


def test_a_read_of_what_is_held_is_a_304(client, post):
    made = post().json
    held, weak, packed = etag(1), f"W/{etag(1)}", f'{etag(1)[:-1]}-gzip"'
    for tags, named in {
        held: held,
        weak: weak,
        packed: packed,
        f'"0", {held}': held,
        "*": held,
    }.items():
        answer = client.get(made["url"], headers={"If-None-Match": tags})
        assert (answer.status_code, answer.data) == (304, b"")
        assert answer.headers["ETag"] == named  # of what is held, so that a cache finds it
        assert "Content-Type" not in answer.headers
        for name in ("Dataset-Version", "Vary", "Cache-Control"):
            assert name in answer.headers
    assert client.get(made["url"], headers={"If-None-Match": '"2"'}).status_code == 200


def test_a_list_is_held_until_the_dataset_changes(client, post):
    post()
    tag = client.get(INCIDENTS).headers["ETag"]
    assert client.get(INCIDENTS, headers={"If-None-Match": tag}).status_code == 304
    post(city="Batumi", country="GE")
    assert client.get(INCIDENTS, headers={"If-None-Match": tag}).status_code == 200


# Withdrawing


def test_a_withdrawn_record_is_a_410_with_its_code_and_date_and_no_content(client, editor, post):
    made = post().json
    headers = {**editor, "If-Match": "1"}
    answer = client.delete(f"{made['url']}?code=safety&reason=told%20so", headers=headers)
    assert (answer.status_code, answer.data) == (204, b"")
    gone = client.get(made["url"])
    body = problem_of(gone, 410, "gone")
    assert body["code"] == "safety"
    assert body["withdrawn_at"].startswith("20")
    assert made["title"] not in gone.text
    assert "told so" not in gone.text
    assert client.get(INCIDENTS).json["data"] == []
    assert client.get(made["url"], headers=editor).json["status"] == "withdrawn"


def test_a_withdrawn_record_takes_no_change(client, editor, post):
    made = post().json
    client.delete(made["url"], headers={**editor, "If-Match": "1"})
    for method in ("PUT", "PATCH", "DELETE"):
        body = None if method == "DELETE" else made
        answer = client.open(
            made["url"], method=method, json=body, headers={**editor, "If-Match": "*"}
        )
        problem_of(answer, 409, "record-withdrawn")


def test_an_editor_may_withdraw_by_its_status_and_say_why(client, editor, post, patch):
    made = post().json
    assert patch(made, status="withdrawn", reason="out of scope").json["status"] == "withdrawn"
    problem_of(client.get(made["url"]), 410)
    other = post().json
    assert fault_pointers(problem_of(patch(other, status="withdrawn", title="x"), 422)) == [
        "/status"
    ]


def test_what_was_published_is_no_draft_again(post, patch):
    assert fault_pointers(problem_of(patch(post().json, status="draft"), 422)) == ["/status"]


# Retrying


def test_a_post_that_is_sent_again_happens_once(client, editor):
    headers = {**editor, "Idempotency-Key": "first"}
    first = client.post(INCIDENTS, json=builders.incident(), headers=headers)
    again = client.post(INCIDENTS, json=builders.incident(), headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data
    for name in ("ETag", "Location", "Content-Type", "Dataset-Version"):
        assert again.headers[name] == first.headers[name]
    assert client.get(INCIDENTS).json["total"] == 1


def test_a_replay_answers_as_the_first_did_though_the_record_has_moved_on(client, editor, patch):
    headers = {**editor, "Idempotency-Key": "first"}
    first = client.post(INCIDENTS, json=builders.incident(), headers=headers)
    patch(first.json, venue="Market")
    again = client.post(INCIDENTS, json=builders.incident(), headers=headers)
    assert again.data == first.data


def test_the_same_key_with_another_body_is_refused(client, editor):
    headers = {**editor, "Idempotency-Key": "first"}
    client.post(INCIDENTS, json=builders.incident(), headers=headers)
    other = builders.incident(city="Batumi", country="GE")
    problem_of(client.post(INCIDENTS, json=other, headers=headers), 422, "idempotency-mismatch")
    assert client.get(INCIDENTS).json["total"] == 1


def test_a_key_belongs_to_its_caller_and_its_route(client, editor, admin):
    name = {"Idempotency-Key": "first"}
    other = builders.incident(city="Batumi", country="GE")
    assert client.post(INCIDENTS, json=other, headers={**editor, **name}).status_code == 201
    answer = client.post(INCIDENTS, json=builders.incident(), headers={**admin, **name})
    assert answer.status_code == 201
    article = client.post("/api/v1/articles", json={"title": "A"}, headers={**editor, **name})
    assert article.status_code == 201


def test_a_refused_post_leaves_its_key_free(client, editor):
    headers = {**editor, "Idempotency-Key": "first"}
    problem_of(client.post(INCIDENTS, json=builders.incident(date="soon"), headers=headers), 422)
    problem_of(
        client.post(INCIDENTS, json=builders.incident(city="Nowherium"), headers=headers), 422
    )
    assert client.post(INCIDENTS, json=builders.incident(), headers=headers).status_code == 201


def test_a_key_is_forgotten_after_its_hours(make_app, runner):
    app = make_app(IDEMPOTENCY_HOURS=0)
    key = app.test_cli_runner().invoke(args=["keys", "create", "x", "--role", "editor"])
    headers = {
        "Authorization": f"Bearer {key.stdout.split()[-1]}",
        "Idempotency-Key": "first",
    }
    client = app.test_client()
    first = client.post("/api/v1/articles", json={"title": "A"}, headers=headers)
    again = client.post("/api/v1/articles", json={"title": "A"}, headers=headers)
    assert first.json["id"] != again.json["id"]


# Trying


@pytest.fixture
def content(database):
    """Return a function that reads all that the database holds."""

    def read():
        found = database.engine.snapshot(database.url)
        found.pop("counters", None)
        return found

    return read


# A dry run has an address of its own, and a parameter.
DRY_RUNS = pytest.mark.parametrize("dry_run", ["/dry-run?", "?dry_run=true"])


@DRY_RUNS
def test_a_dry_run_says_what_would_be_and_writes_nothing(client, editor, content, dry_run):
    sources = [{"article": {"title": "A report", "url": "https://news.example/1"}}]
    body = builders.incident(arrests=5, sources=sources)
    before = content()
    headers = {**editor, "Idempotency-Key": "tried"}
    answer = client.post(f"{INCIDENTS}{dry_run}", json=body, headers=headers)
    assert answer.status_code == 200
    assert (answer.json["would"], answer.json["record"]["arrests_high"]) == ("create", 5)
    assert (answer.json["warnings"], answer.json["similar"]) == ([], [])
    assert content() == before
    assert client.post(INCIDENTS, json=body, headers=headers).status_code == 201


def test_a_dry_run_of_a_change_shows_the_record_as_it_would_be(client, editor, post, content):
    made = post().json
    before = content()
    headers = {**editor, "If-Match": "1"}
    for method in ("PUT", "PATCH"):
        body = builders.incident(arrests=7)
        answer = client.open(
            f"{made['url']}?dry_run=true", method=method, json=body, headers=headers
        )
        assert (answer.json["would"], answer.json["record"]["arrests_low"]) == ("change", 7)
        answer = client.open(
            f"{made['url']}?dry_run=true", method=method, json=made, headers=headers
        )
        assert answer.json["would"] == "leave unchanged"
    assert content() == before


@DRY_RUNS
def test_a_dry_run_of_a_duplicate_says_that_it_would_be_refused(
    client, editor, post, content, dry_run
):
    made = post().json
    before = content()
    address = f"{INCIDENTS}{dry_run}"
    answer = client.post(address, json=builders.incident(), headers=editor).json
    assert answer["would"] == "refuse"
    assert [one["id"] for one in answer["similar"]] == [made["id"]]
    answer = client.post(
        f"{address}&allow_duplicate=true", json=builders.incident(), headers=editor
    ).json
    assert answer["would"] == "create"
    assert content() == before


# Duplicates


NEAR = {
    "the same": ({}, True),
    "a day later": ({"date": "2019-05-05"}, True),
    "two days later": ({"date": "2019-05-06"}, False),
    "known to three days": ({"date": "2019-05-05..2019-05-07"}, True),
    "known to four days": ({"date": "2019-05-04..2019-05-07"}, False),
    "known to the month": ({"date": "2019-05"}, False),
    "of one community": ({"communities": ["azerbaijani"]}, True),
    "of no community of it": ({"communities": ["frisian"]}, False),
    "in another city": ({"city": "Lviv"}, False),
    "of another type and title": ({"type": "protest", "title": "Something else"}, True),
}


@pytest.mark.parametrize("case", NEAR)
def test_the_same_event_again_is_a_409_that_names_it(client, editor, post, case):
    client.post("/api/v1/communities", json={"id": "frisian", "name": "Frisian"}, headers=editor)
    first = post().json
    changes, refused = NEAR[case]
    answer = client.post(INCIDENTS, json=builders.incident(**changes), headers=editor)
    if not refused:
        assert answer.status_code == 201, answer.data
        return
    body = problem_of(answer, 409, "duplicate")
    (candidate,) = body["similar"]
    assert candidate["id"] == first["id"]
    assert candidate["url"] == first["url"]
    assert candidate["reasons"]
    assert client.get(INCIDENTS).json["total"] == 1


ARTICLE = {"title": "A report", "url": "https://news.example/1"}


def test_the_same_article_on_overlapping_dates_is_a_duplicate_too(client, editor, post):
    post(sources=[{"article": ARTICLE}], communities=["armenian"])
    for date, refused in (("2019-05", True), ("2019-04-30..2019-06-02", True), ("2019-06", False)):
        body = builders.incident(
            date=date, sources=[{"article": ARTICLE}], communities=["azerbaijani"]
        )
        answer = client.post(f"{INCIDENTS}?dry_run=true", json=body, headers=editor).json
        assert (answer["would"] == "refuse") == refused, date


def test_withdrawn_records_are_no_duplicates(client, editor, post):
    made = post().json
    client.delete(made["url"], headers={**editor, "If-Match": "1"})
    assert client.post(INCIDENTS, json=builders.incident(), headers=editor).status_code == 201


def test_a_judged_duplicate_is_made_and_the_listed_ones_are_remembered(
    client, editor, post, content
):
    first = post().json
    post(city="Lviv")
    answer = client.post(
        f"{INCIDENTS}?allow_duplicate=true", json=builders.incident(), headers=editor
    )
    assert answer.status_code == 201
    warned = json.loads(answer.headers["Warnings"])
    assert [note["similar"]["id"] for note in warned] == [first["id"]]
    assert answer.headers["Warnings"].isascii()
    pairs = content()["distinct_pairs"]
    assert len(pairs if isinstance(pairs, list) else pairs.splitlines()) == 1


def test_at_most_twenty_candidates_are_listed(client, editor, post):
    for number in range(22):
        post(title=f"Clash {number}")
    body = problem_of(client.post(INCIDENTS, json=builders.incident(), headers=editor), 409)
    assert len(body["similar"]) == 20


def test_a_correction_is_no_duplicate_of_what_it_corrects(client, contributor, post):
    made = post().json
    draft = builders.incident(corrects=made["id"], arrests=4)
    answer = client.post(INCIDENTS, json=draft, headers=contributor)
    assert answer.status_code == 201
    assert (answer.json["corrects"], answer.json["status"]) == (made["id"], "draft")


# Why


def test_a_reason_is_kept_with_the_version_and_never_shown_in_the_record(client, editor, post):
    made = post(reason="first report").json
    assert "reason" not in made
    client.patch(
        made["url"],
        json={"arrests": 3, "reason": "court records"},
        headers={**editor, "If-Match": "1"},
    )
    history = client.get(f"{made['url']}/versions").json["data"]
    assert [entry["reason"] for entry in history] == ["first report", "court records"]
    assert "reason" not in client.get(made["url"]).json


def test_a_reason_alone_changes_nothing(post, patch):
    assert patch(post().json, reason="nothing").json["version"] == 1


# The bytes


def test_an_answer_is_utf_8_and_escapes_nothing(client, post):
    made = post(title="Столкновение у рынка — «Ճակատ»")
    assert "Столкновение у рынка — «Ճակատ»".encode() in client.get(made.json["url"]).data
    assert client.get(made.json["url"]).data == orjson.dumps(made.json)


def test_a_list_is_joined_from_the_records_as_they_are_served(client, post):
    one = post().data
    assert one in client.get(INCIDENTS).data
