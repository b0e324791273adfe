"""Many records at once: NDJSON, a JSON list or CSV, all of them or none."""

import json
import random
import sqlite3

import pytest

from tests.builders import incident as body_of

NDJSON = "application/x-ndjson"
URL = "/api/v1/incidents"


def ndjson(*bodies):
    return "".join(f"{json.dumps(body)}\n" for body in bodies)


@pytest.fixture
def post(client, editor):
    """Return a function that posts many records."""

    def send(data, media_type=NDJSON, query="", headers=(), key=editor):
        if isinstance(data, list):
            data = json.dumps(data) if media_type.endswith("/json") else ndjson(*data)
        return client.post(
            f"{URL}{query}", data=data, content_type=media_type, headers={**key, **dict(headers)}
        )

    return send


def counts(answer):
    assert answer.status_code == 200, answer.text
    names = ("created", "changed", "unchanged", "skipped", "duplicates")
    return {name: answer.json[name] for name in names if answer.json[name]}


def faults(answer):
    return [(fault["line"], fault["pointer"], fault["code"]) for fault in answer.json["errors"]]


def state(client):
    """Read what a refused body must not have touched."""
    answer = client.get(f"{URL}?count=exact")
    return answer.json["total"], answer.headers["Dataset-Version"]


def ids_of(*names):
    """Make ids that are easy to tell apart."""
    return [f"{name * 10}"[:10] for name in names]


@pytest.mark.parametrize("media_type", [NDJSON, "application/json", "application/ndjson"])
def test_many_records_are_made_in_the_order_of_their_lines(client, post, incident, media_type):
    bodies = [incident(title=f"Event {n}", date=f"2019-0{n}-01") for n in range(1, 6)]
    answer = post(bodies, media_type)
    assert counts(answer) == {"created": 5}
    titles = [client.get(f"{URL}/{id_}").json["title"] for id_ in answer.json["ids"]]
    assert titles == [body["title"] for body in bodies]
    assert state(client)[0] == 5


def test_every_fault_of_every_line_is_told_at_once_and_nothing_is_written(client, post, incident):
    a, b = ids_of("a", "b")
    lines = [
        incident(id=a),
        incident(date="2020-13", arrests=-1),
        {"title": "x"},
        incident(venu="Market"),
        incident(city="Atlantis"),
        incident(id=a, title="The same id again"),
        incident(communities=["martian"], episode="war-of-the-worlds"),
        incident(sources=[{"article": b}]),
        incident(id=b, arrests=5, arrests_low=7),
    ]
    before = state(client)
    answer = post(
        ndjson(*lines) + '\n{"title": }\n{"a": 1, "a": 2}\n' + '{"a": ' + "[" * 16 + "]" * 16 + "}"
    )
    assert answer.status_code == 400
    assert answer.json["type"].endswith("/malformed-json")
    assert faults(answer) == [
        (2, "/arrests", "out_of_range"),
        (2, "/date", "bad_date"),
        (3, "/type", "required"),
        (3, "/date", "required"),
        (3, "/country", "required"),
        (3, "/communities", "required"),
        (3, "/city", "required"),
        (4, "/venu", "unknown_field"),
        (5, "/city", "unknown_place"),
        (6, "/id", "repeated"),
        (7, "/communities/0/community", "unknown_community"),
        (7, "/episode", "unknown_episode"),
        (8, "/sources/0/article/id", "unknown_article"),
        (9, "/arrests_low", "bounds_order"),
        (11, "", "malformed_json"),
        (12, "", "malformed_json"),
        (13, "", "malformed_json"),
    ]
    assert answer.json["faults"] == 17
    assert answer.json["missing"] == {"communities": ["martian"], "episodes": ["war-of-the-worlds"]}
    assert state(client) == before


def test_bytes_that_are_not_text_are_told_with_their_line(post, incident):
    body = ndjson(incident()).encode() + b'{"title": "\xff"}\n' + ndjson(incident()).encode()
    assert faults(post(body)) == [(2, "", "malformed_json")]
    body = b"[" + json.dumps(incident()).encode() + b',\n{"title": "\xff"}]'
    assert faults(post(body, "application/json")) == [(2, "", "malformed_json")]


def test_what_is_no_json_is_told_with_its_place_in_the_body(post, incident):
    answer = post(ndjson(incident()) + '{"title": }')
    assert "line 2, column 11" in answer.json["errors"][0]["detail"]


def test_of_a_faulty_correction_only_what_is_wrong_is_told(post, incident):
    (id_,) = post([incident()]).json["ids"]
    draft = incident(corrects=id_, status="draft")
    answer = post([{**draft, "arrests": -1}, {**draft, "status": "published"}, draft])
    assert faults(answer) == [(1, "/arrests", "out_of_range"), (2, "/corrects", "bad_corrects")]


def test_a_list_that_breaks_off_is_told_with_the_faults_before_it(post, incident):
    body = json.dumps([incident(), incident(date="tomorrow")])
    answer = post(body[:-1], "application/json")
    assert answer.status_code == 400
    assert [code for _, _, code in faults(answer)] == ["bad_date", "malformed_json"]


def test_of_very_many_faults_the_first_are_shown_and_all_are_counted(post, incident):
    answer = post([incident(date="tomorrow", title=None) for _ in range(700)])
    assert answer.status_code == 422
    assert len(answer.json["errors"]) == 1000
    assert answer.json["faults"] == 1400
    assert "1,400 faults in 700 lines" in answer.json["detail"]


def test_missing_vocabulary_is_one_refusal_that_lists_it_all(post, incident):
    answer = post([incident(communities=[f"people-{n}"], episode=f"wave-{n}") for n in (2, 1, 1)])
    assert answer.status_code == 422
    missing = {"communities": ["people-1", "people-2"], "episodes": ["wave-1", "wave-2"]}
    assert answer.json["missing"] == missing
    assert answer.json["number_of_missing"] == {"communities": 2, "episodes": 2}
    assert all(name in answer.json["detail"] for names in missing.values() for name in names)


def test_a_known_id_that_says_otherwise_is_for_on_conflict_to_decide(client, post, incident):
    a, b, c = ids_of("a", "b", "c")
    existing = [incident(id=id_, title="As held", date="2018-01-01") for id_ in (a, b)]
    assert counts(post(existing)) == {"created": 2, "duplicates": 1}
    lines = [existing[0], {**existing[1], "title": "Otherwise"}, incident(id=c)]

    refused = post(lines)
    assert refused.status_code == 409
    assert refused.json["type"].endswith("/id-taken")
    assert faults(refused) == [(2, "", "id_taken")]

    assert counts(post(lines, query="?on_conflict=skip")) == {
        "created": 1,
        "unchanged": 1,
        "skipped": 1,
    }
    assert client.get(f"{URL}/{b}").json["title"] == "As held"

    assert counts(post(lines, query="?on_conflict=update")) == {"changed": 1, "unchanged": 2}
    assert client.get(f"{URL}/{b}").json["title"] == "Otherwise"
    assert client.get(f"{URL}/{b}").json["version"] == 2

    for how in ("error", "skip", "update"):
        assert counts(post(lines, query=f"?on_conflict={how}")) == {"unchanged": 3}


def test_a_line_is_the_whole_record_so_that_what_it_does_not_name_is_emptied(
    client, post, incident
):
    (a,) = ids_of("a")
    post([incident(id=a, venue="Market", arrests=5, sources=[{"article": {"title": "Report"}}])])
    assert counts(post([incident(id=a)], query="?on_conflict=update")) == {"changed": 1}
    record = client.get(f"{URL}/{a}").json
    assert (record["venue"], record["arrests"], record["sources"]) == (None, None, [])


def test_the_version_in_a_line_of_a_known_id_is_its_precondition(client, post, incident):
    (a,) = ids_of("a")
    post([incident(id=a)])
    post([incident(id=a, title="Second")], query="?on_conflict=update")
    stale = post([incident(id=a, title="Third", version=1)], query="?on_conflict=update")
    assert stale.status_code == 412
    assert faults(stale) == [(1, "", "version_stale")]
    same = post([incident(id=a, title="Second", version=1)], query="?on_conflict=update")
    assert counts(same) == {"unchanged": 1}
    current = post([incident(id=a, title="Third", version=2)], query="?on_conflict=update")
    assert counts(current) == {"changed": 1}


def test_an_unknown_id_keeps_version_and_times_and_its_history_starts_there(client, post, incident):
    (a,) = ids_of("a")
    kept = {
        "version": 7,
        "created_at": "2021-01-02T03:04:05.678Z",
        "updated_at": "2022-02-03T04:05:06.789Z",
    }
    assert counts(post([incident(id=a, **kept)])) == {"created": 1}
    record = client.get(f"{URL}/{a}").json
    assert {name: record[name] for name in kept} == kept
    (version,) = client.get(f"{URL}/{a}/versions").json["data"]
    assert (version["version"], version["action"]) == (7, "created")
    assert client.get(f"{URL}/{a}/versions/7").json == record
    assert client.get(f"{URL}/{a}/versions/6").status_code == 404

    post([incident(id=a, title="Changed")], query="?on_conflict=update")
    assert client.get(f"{URL}/{a}").json["version"] == 8
    assert client.get(f"{URL}/{a}").json["created_at"] == kept["created_at"]


def test_a_line_without_an_id_begins_at_version_one_now(client, post, incident):
    answer = post([incident(version=7, created_at="2001-01-01T00:00:00Z")])
    record = client.get(f"{URL}/{answer.json['ids'][0]}").json
    assert record["version"] == 1
    assert record["created_at"] > "2020"


def test_times_that_cannot_be_are_faults(post, incident):
    (a,) = ids_of("a")
    backwards = {"created_at": "2022-01-01T00:00:00Z", "updated_at": "2021-01-01T00:00:00Z"}
    answer = post([incident(id=a, **backwards), incident(updated_at="yesterday")])
    assert faults(answer) == [(1, "/updated_at", "times_order"), (2, "/updated_at", "bad_time")]


def test_what_was_read_can_be_sent_back_and_changes_nothing(client, post, incident):
    sources = [
        {
            "article": {"url": "https://news.example/1", "title": "Report"},
            "claims": [{"field": "arrests", "low": 5, "attributed_to": "police"}],
        }
    ]
    bodies = [
        incident(arrests_low=5, sources=sources, venue="Market"),
        incident(city=..., latitude=50.1, longitude=30.2, date="2019-05-01..2019-05-04"),
        incident(injuries=3, injuries_low=None, injuries_high=None, communities=["armenian"]),
    ]
    made = post(bodies).json["ids"]
    before = state(client)
    read = [client.get(f"{URL}/{id_}").json for id_ in made]
    for how in ("error", "skip", "update"):
        assert counts(post(read, query=f"?on_conflict={how}")) == {"unchanged": 3}
    assert state(client) == before


def test_a_contributors_lines_are_drafts(client, post, contributor, incident):
    answer = post([incident(), incident(date="2018-01-01")], key=contributor)
    assert counts(answer) == {"created": 2}
    for id_ in answer.json["ids"]:
        assert client.get(f"{URL}/{id_}").status_code == 404
        assert client.get(f"{URL}/{id_}", headers=contributor).json["status"] == "draft"
    assert state(client)[0] == 0


def test_a_contributor_sets_no_status_and_changes_no_record_but_its_drafts(
    client, post, contributor, editor, incident
):
    a, b, c = ids_of("a", "b", "c")
    post([incident(id=a), incident(id=b, status="draft")], query="?on_duplicate=accept")
    own = incident(id=c, date="2018-01-01")
    assert counts(post([own], key=contributor)) == {"created": 1}

    refused = post([incident(status="published")], key=contributor)
    assert (refused.status_code, faults(refused)) == (403, [(1, "", "forbidden")])

    lines = [incident(id=a, title="Mine"), incident(id=b, title="Mine"), {**own, "title": "Mine"}]
    refused = post(lines, query="?on_conflict=update", key=contributor)
    assert refused.status_code == 409
    assert faults(refused) == [(1, "", "forbidden"), (2, "", "id_taken")]

    changed = post(lines[2:], query="?on_conflict=update", key=contributor)
    assert counts(changed) == {"changed": 1}
    assert post(lines[:1], key={}).status_code == 401


def test_an_editors_lines_may_be_drafts_and_publish_drafts(client, post, editor, incident):
    (a,) = ids_of("a")
    assert counts(post([incident(id=a, status="draft")])) == {"created": 1}
    assert client.get(f"{URL}/{a}").status_code == 404
    published = post([incident(id=a, status="published")], query="?on_conflict=update")
    assert counts(published) == {"changed": 1}
    assert client.get(f"{URL}/{a}").json["status"] == "published"
    assert state(client)[0] == 1


def test_a_withdrawn_record_takes_no_line(client, post, editor, incident):
    (a,) = ids_of("a")
    post([incident(id=a)])
    client.delete(f"{URL}/{a}", headers={**editor, "If-Match": "*"})
    refused = post([incident(id=a, title="Again")], query="?on_conflict=update")
    assert (refused.status_code, faults(refused)) == (409, [(1, "", "record_withdrawn")])
    assert counts(post([incident(id=a, title="Again")], query="?on_conflict=skip")) == {
        "skipped": 1
    }


def test_a_retry_with_the_same_key_makes_nothing_twice(client, post, incident):
    key = {"Idempotency-Key": "import-1"}
    first = post([incident(), incident(date="2018-01-01")], headers=key)
    again = post([incident(), incident(date="2018-01-01")], headers=key)
    assert again.json == first.json
    assert state(client)[0] == 2
    other = post([incident()], headers=key)
    assert other.json["type"].endswith("/idempotency-mismatch")


def test_a_dry_run_says_what_would_happen_and_writes_nothing(client, post, incident):
    a, b = ids_of("a", "b")
    post([incident(id=a)])
    before = state(client)
    lines = [incident(id=a, title="Otherwise"), incident(id=b), incident(title="One more")]
    answer = post(lines[:2], query="?on_conflict=update&dry_run=true")
    assert counts(answer) == {"created": 1, "changed": 1, "duplicates": 1}
    assert answer.json["dry_run"] is True
    assert "ids" not in answer.json
    assert post(lines, query="?dry_run=true").status_code == 409
    assert state(client) == before
    assert client.get(f"{URL}/{a}").json["title"] == incident()["title"]


def test_as_many_duplicates_are_counted_as_single_posts_would_find(client, post, editor):
    draw = random.Random(1)
    articles = [{"id": name, "title": f"Report {name}"} for name in ids_of(*"123456")]
    bodies = [
        body_of(
            title=f"Event {n}",
            city=draw.choice(["Moscow", "Brussels"]),
            country=None,
            date=draw.choice(["2019", "2019-03", "2019-03-01/2019-03-03", "..2019-03-02"])
            if n % 3 == 0
            else f"2019-03-{draw.randint(1, 28):02}",
            communities=draw.sample(["armenian", "azerbaijani"], draw.randint(1, 2)),
            sources=[{"article": draw.choice(articles)}] if n % 2 else [],
        )
        for n in range(60)
    ]
    for body in bodies:
        body["country"] = {"Moscow": "RU", "Brussels": "BE"}[body["city"]]
    in_bulk = post(bodies, query="?dry_run=true").json["duplicates"]
    singly = 0
    for body in bodies:
        refused = client.post(URL, json=body, headers=editor).status_code == 409
        singly += refused
        if refused:
            made = client.post(f"{URL}?allow_duplicate=true", json=body, headers=editor)
            assert made.status_code == 201
    assert in_bulk == singly
    assert 10 < singly < 50


def test_duplicates_are_taken_and_counted_or_refused(client, post, incident):
    post([incident()])
    before = state(client)
    lines = [incident(), incident(date="2015-01-01"), incident(date="2015-01-02")]
    refused = post(lines, query="?on_duplicate=error")
    assert refused.status_code == 409
    assert refused.json["type"].endswith("/duplicate")
    assert faults(refused) == [(1, "", "duplicate"), (3, "", "duplicate")]
    assert len(refused.json["errors"][0]["candidates"]) == 1
    assert state(client) == before
    assert counts(post(lines)) == {"created": 3, "duplicates": 2}


def test_articles_are_shared_by_the_lines_that_cite_them(client, post, incident):
    article = {"id": "aaaaaaaaaa", "title": "Report", "url": "https://news.example/1"}
    lines = [
        incident(sources=[{"article": article}]),
        incident(date="2018-01-01", sources=[{"article": "aaaaaaaaaa"}]),
        incident(date="2017-01-01", sources=[{"article": {"url": "https://news.example/1"}}]),
        incident(date="2016-01-01", sources=[{"article": {**article, "title": "Otherwise"}}]),
    ]
    answer = post(lines)
    assert counts(answer) == {"created": 4}
    assert [(warning["line"], warning["pointer"]) for warning in answer.json["warnings"]] == [
        (4, "/sources/0/article/title")
    ]
    assert answer.json["number_of_warnings"] == 1
    assert client.get("/api/v1/articles").json["total"] == 1


def test_the_feed_tells_of_every_line_in_one_block_and_the_counter_is_right(client, post, incident):
    post([incident()])
    since = int(client.get(URL).headers["Dataset-Version"])
    lines = [incident(date=f"20{n:02}-01-01", title=f"Event {n}") for n in range(20)]
    made = post(lines).json["ids"]
    changes = client.get(f"/api/v1/changes?since={since}&limit=1000").json
    assert [change["seq"] for change in changes["data"]] == list(range(since + 1, since + 21))
    assert [change["id"] for change in changes["data"]] == made
    assert {change["action"] for change in changes["data"]} == {"created"}
    assert client.get(f"{URL}?limit=1").json["total"] == 21


def test_each_line_may_say_why(client, post, editor, incident):
    (a,) = ids_of("a")
    post([incident(id=a, reason="first import"), incident(date="2018-01-01")])
    post([incident(id=a, title="New", reason="second import")], query="?on_conflict=update")
    versions = client.get(f"{URL}/{a}/versions", headers=editor).json["data"]
    assert [version["reason"] for version in versions] == ["first import", "second import"]


def test_nothing_is_many_records_too(client, post):
    assert counts(post("")) == {}
    assert counts(post("[]", "application/json")) == {}


def test_a_mark_at_the_start_and_blank_lines_do_no_harm(post, incident):
    body = "\ufeff" + "\r\n\n".join(json.dumps(incident(date=f"200{n}-01-01")) for n in range(3))
    assert counts(post(body.encode())) == {"created": 3}
    assert faults(post(f"\ufeff\n\n{json.dumps(incident(date='x'))}".encode()))[0][0] == 3
    listed = f"\ufeff \n[{json.dumps(incident(date='x'))}]"
    assert faults(post(listed.encode(), "application/json"))[0][0] == 2


def test_options_of_one_and_of_many_are_not_mixed(client, post, editor, incident):
    answer = post([incident()], query="?allow_duplicate=true")
    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, "allow_duplicate")
    one = client.post(f"{URL}?on_conflict=update", json=incident(), headers=editor)
    assert (one.status_code, one.json["errors"][0]["parameter"]) == (422, "on_conflict")
    assert post([incident()], query="?on_conflict=merge").status_code == 422


def test_a_body_that_is_packed_or_not_utf_8_is_refused(post, incident):
    assert post([incident()], headers={"Content-Encoding": "gzip"}).status_code == 415
    assert post([incident()], f"{NDJSON}; charset=latin-1").status_code == 415


def test_bodies_and_lines_have_their_limits(make_app, editor, incident):
    app = make_app(MAX_BODY=2000, MAX_BULK_BODY=5000)
    runner, client = app.test_cli_runner(), app.test_client()
    key = runner.invoke(args=["keys", "create", "e", "--role", "editor"]).stdout.strip()
    headers = {"Authorization": f"Bearer {key.splitlines()[-1]}"}

    def send(*bodies):
        return client.post(URL, data=ndjson(*bodies), content_type=NDJSON, headers=headers)

    assert send(*[incident(date=f"200{n}-01-01") for n in range(9)]).status_code == 200
    long = send(incident(date="2018-01-01"), incident(summary="x" * 2500))
    assert (long.status_code, faults(long)) == (422, [(2, "", "too_long")])
    assert send(*[incident() for _ in range(50)]).status_code == 413
    unsized = client.post(
        URL,
        data=json.dumps([incident() for _ in range(50)]),
        content_type="application/json",
        headers=headers,
        environ_overrides={"CONTENT_LENGTH": "", "wsgi.input_terminated": True},
    )
    assert unsized.status_code == 413


def test_one_record_is_answered_as_before(client, editor, incident):
    body = f"  \n{json.dumps(incident())}"
    answer = client.post(URL, data=body, content_type="application/json", headers=editor)
    assert answer.status_code == 201
    assert client.get(answer.headers["Location"]).json == answer.json


def test_the_builder_makes_what_one_line_takes(post):
    assert counts(post([body_of()])) == {"created": 1}


CSV = "text/csv"


def sheet(*rows):
    """Write rows as CSV, with the columns of the first."""
    names = list(rows[0])
    return "\n".join(
        [",".join(names), *(",".join(str(row[name]) for name in names) for row in rows)]
    )


def row(**changes):
    return {
        "id": "",
        "title": "Clash",
        "type": "clash",
        "date": "2019-05-04",
        "city": "Kyiv",
        "country": "UA",
        "communities": "armenian; azerbaijani",
        **changes,
    }


def test_rows_of_csv_make_records(client, post):
    a, b = ids_of("a", "b")
    answer = post(
        sheet(row(id=a, arrests=13), row(id=b, arrests="", date="2018-01-01"), row(arrests=0)), CSV
    )
    assert counts(answer) == {"created": 3, "duplicates": 1}
    records = [client.get(f"{URL}/{id_}").json for id_ in answer.json["ids"]]
    assert [record["arrests"] for record in records] == [13, None, 0]
    assert records[0]["id"] == a
    assert [part["community"] for part in records[0]["communities"]] == ["armenian", "azerbaijani"]


def test_a_row_of_a_known_id_changes_what_it_names_and_leaves_the_rest(client, post, incident):
    (a,) = ids_of("a")
    source = {"article": {"title": "Report"}}
    post([incident(id=a, venue="Market", arrests=13, sources=[source])])
    refused = post("id,arrests\naaaaaaaaaa,20", CSV)
    assert (refused.status_code, faults(refused)) == (409, [(2, "", "id_taken")])
    query = "?on_conflict=update"
    assert counts(post("id,arrests,venue\naaaaaaaaaa,20,Market", CSV, query)) == {"changed": 1}
    assert counts(post("id,arrests,venue\naaaaaaaaaa,20,Market", CSV, query)) == {"unchanged": 1}
    record = client.get(f"{URL}/{a}").json
    assert (record["arrests"], record["venue"], len(record["sources"])) == (20, "Market", 1)
    post("id,venue\naaaaaaaaaa,", CSV, query)
    assert client.get(f"{URL}/{a}").json["venue"] is None


def test_every_fault_of_every_row_is_told_with_the_line_it_begins_on(client, post, incident):
    (a,) = ids_of("a")
    post([incident(id=a)])
    before = state(client)
    body = sheet(
        row(title='"Two\nlines"', arrests="many", date="x", country=""),
        row(arrests=1),
        row(arrests=1, city="Atlantis"),
        row(id=a, arrests=-1),
        row(id=a, arrests=2),
    )
    answer = post(f"{body}\n1,2", CSV, "?on_conflict=update")
    assert (answer.status_code, faults(answer)) == (
        422,
        [
            (2, "/date", "bad_date"),
            (2, "/arrests", "wrong_type"),
            (2, "/country", "required"),
            (5, "/city", "unknown_place"),
            (6, "/arrests", "out_of_range"),
            (7, "/id", "repeated"),
            (8, "", "bad_row"),
        ],
    )
    assert state(client) == before


def test_a_header_that_cannot_be_used_is_a_fault_of_the_first_line(post):
    answer = post("name,titel\n,x", CSV)
    assert (answer.status_code, faults(answer)) == (422, [(1, "", "unknown_column")])


def test_a_refusal_says_which_columns_were_not_used(post):
    answer = post("id,titel\n,x", CSV)
    assert (answer.status_code, faults(answer)[0]) == (422, (2, "/title", "required"))
    (warning,) = answer.json["warnings"]
    assert (warning["code"], warning["suggestion"]) == ("unknown_column", "title")


def test_a_column_that_is_not_used_is_told_and_never_silent(post):
    sheet = (
        "title,type,date,city,country,communities,Colour\nA,clash,2019-05-04,Kyiv,UA,armenian,red\n"
    )
    answer = post(sheet, CSV)
    assert answer.json["created"] == 1
    assert [(one["line"], one["code"]) for one in answer.json["warnings"]] == [
        (1, "unknown_column")
    ]
    assert answer.json["number_of_warnings"] == 1


@pytest.mark.parametrize("column", ["source_urls", "Source"])
def test_the_addresses_of_a_new_row_become_its_sources(post, client, column):
    sheet = (
        (
            f"title;type;date;city;country;communities;arrests;arrests_low;{column}\n"
            "A;clash;2019-05-04;Kyiv;UA;armenian;13;;https://a.example/1; https://b.example/2\n"
        )
        .replace("https://a.example/1; https", '"https://a.example/1; https')
        .replace("/2\n", '/2"\n')
    )
    (id_,) = post(sheet, CSV).json["ids"]
    record = client.get(f"/api/v1/incidents/{id_}").json
    urls = [source["article"]["url"] for source in record["sources"]]
    assert urls == ["https://a.example/1", "https://b.example/2"]
    assert [record[f"arrests{end}"] for end in ("", "_low", "_high")] == [13, 13, 13]


def test_a_full_disk_is_told_and_nothing_is_written(client, post, incident, monkeypatch):
    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("api.imports.receiving.StagingFile.add", full)
    assert post([incident()]).status_code == 507
