"""What an import's answer says: similar records, grouped warnings, rejected lines."""

import json

import pytest

from api.imports import importer
from api.routes import bulk_create
from tests.builders import incident as body_of
from tests.engines import writing_elsewhere

NDJSON = "application/x-ndjson"
CSV = "text/csv"
URL = "/api/v1/incidents"
BAD = {"date": "2019-02-30"}


def ndjson(*bodies):
    return "".join(f"{json.dumps(body)}\n" for body in bodies)


@pytest.fixture
def post(client, editor):
    """Return a function that posts many records."""

    def send(body, query="", media_type=NDJSON, key=editor, **headers):
        body = ndjson(*body) if isinstance(body, list) else body
        return client.post(
            f"{URL}{query}", data=body, content_type=media_type, headers={**key, **headers}
        )

    return send


def total(client):
    return client.get(f"{URL}?count=exact").json["total"]


def sheet(*rows, date="2019-05-04"):
    header = "title,type,date,city,country,communities"
    return "\n".join(
        [header, *(f"{title},clash,{date},{city},UA,armenian" for title, city in rows)]
    )


def test_an_answer_says_which_line_looks_like_which_record(post):
    (first,) = post([body_of()]).json["ids"]
    answer = post([body_of(date="2001-01-01"), body_of(), body_of()]).json
    second = answer["ids"][1]
    assert answer["duplicates"] == 2
    lines = [(entry["line"], sorted(entry["ids"])) for entry in answer["similar"]]
    assert lines == [(2, [first]), (3, sorted([first, second]))]


def test_a_dry_run_names_no_record_that_it_drew(post):
    (first,) = post([body_of()]).json["ids"]
    answer = post([body_of(), body_of(id="aaaaaaaaaa"), body_of()], "?dry_run=true").json
    assert [sorted(entry["ids"]) for entry in answer["similar"]] == [
        [first],
        [first],
        sorted([first, "aaaaaaaaaa"]),
    ]


def test_warnings_are_grouped_with_their_first_line_and_number(post):
    stored_article = {"id": "aaaaaaaaaa", "title": "Report"}
    post([body_of(sources=[{"article": stored_article}])])
    lines = [
        body_of(
            date=f"20{n:02}-01-01", sources=[{"article": {**stored_article, "title": "Otherwise"}}]
        )
        for n in range(12)
    ]
    answer = post([body_of(date="1999-01-01"), *lines]).json
    assert answer["number_of_warnings"] == 12
    assert [(group["line"], group["code"], group["count"]) for group in answer["warnings"]] == [
        (2, "article_differs", 12)
    ]


def test_a_line_that_changes_nothing_warns_of_nothing(post):
    stored_article = {"id": "aaaaaaaaaa", "title": "Report"}
    post([body_of(id="bbbbbbbbbb", sources=[{"article": stored_article}])])
    same = body_of(id="bbbbbbbbbb", sources=[{"article": {**stored_article, "title": "Otherwise"}}])
    answer = post([same], "?on_conflict=update").json
    assert (answer["unchanged"], answer["warnings"]) == (1, [])


def test_of_a_contributors_line_version_and_times_are_not_used(client, post, contributor):
    line = body_of(id="aaaaaaaaaa", version=7, created_at="2001-01-01T00:00:00Z")
    answer = post([line], key=contributor).json
    assert [group["pointer"] for group in answer["warnings"]] == ["/version", "/created_at"]
    record = client.get(f"{URL}/aaaaaaaaaa", headers=contributor).json
    assert record["version"] == 1
    assert record["created_at"] > "2020"


@pytest.mark.parametrize(("version", "status"), [(1_000_000, 200), (1_000_001, 422)])
def test_a_version_that_is_brought_along_has_a_bound(post, version, status):
    assert post([body_of(id="aaaaaaaaaa", version=version)]).status_code == status


@pytest.mark.parametrize(
    ("media_type", "lines"), [(NDJSON, [1, 2, 3, 4]), ("application/json", [2, 3, 4, 5])]
)
def test_good_lines_are_taken_and_bad_ones_given_back(client, post, media_type, lines):
    bodies = [body_of(), body_of(**BAD), body_of(city="Atlantis"), body_of(date="2018-01-01")]
    texts = [json.dumps(body) for body in bodies]
    body = "\n".join(texts) if media_type == NDJSON else "[\n" + ",\n".join(texts) + "]"
    answer = post(body, "?on_error=skip", media_type)
    assert (answer.status_code, answer.json["created"], total(client)) == (200, 2, 2)
    rejected = answer.json["rejected"]
    assert [(entry["line"], entry["text"]) for entry in rejected] == [
        (lines[1], texts[1]),
        (lines[2], texts[2]),
    ]
    assert [entry["errors"][0]["pointer"] for entry in rejected] == ["/date", "/city"]
    assert answer.json["number_of_rejected"] == 2


def test_rows_of_csv_are_given_back_as_they_stand(client, post):
    body = sheet(("A", "Kyiv"), ('"B, ""b"""', "Atlantis"), ("C\t", "Kyiv")) + "\nD,clash\n"
    answer = post(body, "?on_error=skip", CSV).json
    assert answer["created"] == 2
    texts = [(entry["line"], entry["text"]) for entry in answer["rejected"]]
    assert texts == [(3, body.splitlines()[2]), (5, "D,clash")]


def test_a_replay_gives_back_line_numbers_alone(client, post):
    key = {"Idempotency-Key": "k"}
    lines = [body_of(), body_of(**BAD)]
    first = post(lines, "?on_error=skip", **key).json
    assert first["rejected"][0]["text"] == json.dumps(lines[1])
    again = post(lines, "?on_error=skip", **key).json
    assert again == {**first, "rejected": [{"line": 2}]}
    assert total(client) == 1


def test_a_replay_is_answered_though_its_lines_would_be_refused_now(client, post, editor):
    key = {"Idempotency-Key": "k"}
    lines = [body_of(id="aaaaaaaaaa")]
    first = post(lines, **key)
    patch = {**editor, "If-Match": "*"}
    client.patch(f"{URL}/aaaaaaaaaa", json={"title": "Otherwise"}, headers=patch)
    assert post(lines).status_code == 409
    assert post(lines, **key).json == first.json


def test_a_line_that_relies_on_a_rejected_one_is_rejected_too(client, post):
    article = {"id": "aaaaaaaaaa", "title": "Report"}
    lines = [
        body_of(sources=[{"article": article}], **BAD),
        body_of(sources=[{"article": "aaaaaaaaaa"}]),
        body_of(date="2018-01-01", sources=[{"article": article}]),
        body_of(date="2017-01-01", sources=[{"article": "aaaaaaaaaa"}]),
    ]
    answer = post(lines, "?on_error=skip").json
    assert [entry["line"] for entry in answer["rejected"]] == [1, 2]
    assert answer["created"] == 2


def test_duplicates_may_be_left_out(client, post):
    post([body_of()])
    lines = [body_of(), body_of(date="2015-01-01"), body_of(date="2015-01-02"), body_of(**BAD)]
    answer = post(lines, "?on_error=skip&on_duplicate=error").json
    assert [entry["line"] for entry in answer["rejected"]] == [1, 3, 4]
    assert [entry["errors"][0]["code"] for entry in answer["rejected"][:2]] == ["duplicate"] * 2
    assert (answer["created"], total(client)) == (1, 2)


def test_a_large_dry_run_compares_with_records_only_and_writes_nothing(app, post, monkeypatch):
    monkeypatch.setattr(bulk_create, "_MOST_TRIED", 2)
    (first,) = post([body_of()]).json["ids"]
    with writing_elsewhere(app, "SELECT * FROM dataset FOR UPDATE"):
        answer = post([body_of(), body_of(date="2001-01-01"), body_of()], "?dry_run=true").json
    assert (answer["created"], answer["duplicates"]) == (3, 2)
    assert [entry["ids"] for entry in answer["similar"]] == [[first], [first]]
    assert [warning["code"] for warning in answer["warnings"]] == ["not_compared"]


def test_what_is_left_out_is_said_by_a_dry_run_too(client, post):
    answer = post([body_of(), body_of(**BAD)], "?on_error=skip&dry_run=true").json
    assert (answer["created"], answer["number_of_rejected"], total(client)) == (1, 1, 0)


def test_one_record_has_no_line_to_skip(client, editor):
    answer = client.post(f"{URL}?on_error=skip", json=body_of(), headers=editor)
    assert answer.status_code == 422


@pytest.mark.parametrize("batch", [(), ("--batch", "2"), ("--no-check", "--batch", "2")])
def test_a_file_of_good_and_bad_lines_leaves_the_bad_ones_in_another(
    client, runner, tmp_path, batch
):
    path, rejects = tmp_path / "records.ndjson", tmp_path / "rejects.ndjson"
    lines = [body_of(date=f"20{n:02}-01-01") for n in range(10)]
    lines[2] |= BAD
    lines[7]["city"] = "Atlantis"
    path.write_text(ndjson(*lines))
    result = runner.invoke(args=["import", str(path), "--rejects", str(rejects), *batch])
    assert result.exit_code == 0, result.output
    assert "8 created" in result.stdout
    assert "2 lines were rejected" in result.stdout
    rejected = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [(entry["line"], json.loads(entry["text"])) for entry in rejected] == [
        (3, lines[2]),
        (8, lines[7]),
    ]
    assert total(client) == 8


@pytest.mark.parametrize("date", ["7/24/2020", "24.07.2020", "July 2020"])
def test_a_column_that_is_spelled_otherwise_is_answered_once(post, date):
    rows = [(f"Event {n}", "Kyiv") for n in range(40)]
    answer = post(sheet(*rows, ("One more", "Atlantis"), date=date), media_type=CSV)
    assert answer.status_code == 422
    column, city = answer.json["errors"]
    assert (column["pointer"], column["rows"], city["pointer"]) == ("/date", 41, "/city")
    assert "41 of 41 rows" in column["detail"]
    assert "2020-07" in column["detail"]
    assert answer.json["faults"] == 42


def test_a_column_leaves_room_for_other_errors(post):
    rows = [(f"Event {n}", "Kyiv") for n in range(1200)]
    answer = post(sheet(*rows, ("Last", "Atlantis"), date="7/24/2020"), media_type=CSV)
    assert [error["pointer"] for error in answer.json["errors"]] == ["/date", "/city"]


def test_bad_lines_are_refused_before_anyone_waits(post, monkeypatch):
    writing = []
    whole = importer.Importer.run

    def run(self, *arguments, **rest):
        writing.append(self.write)
        return whole(self, *arguments, **rest)

    monkeypatch.setattr(importer.Importer, "run", run)
    assert post([body_of(), body_of(city="Atlantis")]).status_code == 422
    assert writing == [False]


def test_a_header_of_warnings_is_short_and_counts_the_rest(client, editor):
    articles = [{"id": f"{n:010}", "title": f"Report {n}"} for n in range(200)]
    client.post(URL, json=body_of(sources=[{"article": one} for one in articles]), headers=editor)
    others = [{"article": {**one, "title": "Otherwise"}} for one in articles]
    answer = client.post(URL, json=body_of(date="2001-01-01", sources=others), headers=editor)
    assert answer.status_code == 201
    assert len(answer.headers["Warnings"]) <= 2000
    *shown, more = json.loads(answer.headers["Warnings"])
    assert {warning["code"] for warning in shown} == {"article_differs"}
    assert more["count"] == 200 - len(shown)


HEADER = "title,type,date,city,country,communities"
ROW = "Clash,clash,2020-07-24,Kyiv,UA,armenian"


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("date_start", "2020-07-20"),
        ("date_precision", "month"),
        ("country_name", "Poland"),
        ("arrests_text", "at least 25"),
        ("disputed", "arrests"),
        ("number_of_sources", "3"),
        ("review", "not neutral"),
        ("version", "3"),
        ("updated_at", "2011-01-01T00:00:00Z"),
    ],
)
def test_a_cell_of_a_new_row_that_is_not_read_is_told(post, column, cell):
    answer = post(f"{HEADER},{column}\n{ROW},{cell}\n", media_type=CSV).json
    (warning,) = answer["warnings"]
    assert (answer["created"], warning["pointer"]) == (1, f"/{column}")


def test_cells_that_follow_from_the_others_are_not_told(post):
    derived = "date_start,date_end,date_precision,country_name,arrests,arrests_text,disputed"
    row = f'{ROW},2020-07-24,2020-07-24,day,Ukraine,3000,"3,000",'
    assert post(f"{HEADER},{derived}\n{row}\n", media_type=CSV).json["warnings"] == []


@pytest.mark.parametrize(
    ("before", "after", "column"),
    [
        ("https://a.example/1", "https://b.example/1", "source_urls"),
        ("Ukraine", "Russia", "country_name"),
        ("not reported", "13", "arrests_text"),
        (",day,", ",month,", "date_precision"),
    ],
)
def test_an_export_edited_where_nothing_is_read_is_told(client, post, before, after, column):
    post([body_of(sources=[{"article": {"url": "https://a.example/1"}}])])
    export = client.get(f"{URL}.csv").text
    edited = export.replace(before, after, 1)
    answer = post(edited, "?on_conflict=update", CSV).json
    assert (answer["unchanged"], answer["changed"]) == (1, 0)
    assert [warning["pointer"] for warning in answer["warnings"]] == [f"/{column}"]


def test_cells_left_behind_by_an_edit_are_not_told(client, post):
    post([body_of()])
    edited = client.get(f"{URL}.csv").text.replace("2019-05-04", "2019-06", 1)
    answer = post(edited, "?on_conflict=update", CSV).json
    assert (answer["changed"], answer["warnings"]) == (1, [])


@pytest.mark.parametrize(
    "cell",
    [
        "https://a.example/1; https://a.example/2",
        "https://a.example/1;https://a.example/2;",
        "https://a.example/1, https://a.example/2",
        "https://a.example/1 | https://a.example/2",
        " https://a.example/1 https://a.example/2 ",
        '"https://a.example/1\nhttps://a.example/2"',
    ],
)
def test_addresses_of_sources_are_parted_as_people_part_them(client, post, cell):
    cell = cell if cell.startswith('"') else f'"{cell}"'
    (id_,) = post(f"{HEADER},source_urls\n{ROW},{cell}\n", media_type=CSV).json["ids"]
    sources = client.get(f"{URL}/{id_}").json["sources"]
    addresses = [source["article"]["url"] for source in sources]
    assert addresses == ["https://a.example/1", "https://a.example/2"]


def test_sources_without_addresses_are_one_fault_of_their_column(post):
    rows = "\n".join(f"{ROW},New York Times" for _ in range(9))
    (error,) = post(f"{HEADER},Source\n{rows}\n", media_type=CSV).json["errors"]
    assert (error["pointer"], error["code"], error["rows"]) == ("/source_urls", "bad_address", 9)


def test_about_in_words_leaves_bounds_open(client, post):
    body = f"{HEADER},arrests,arrests_text\n{ROW},3000,About 3000\n"
    (id_,) = post(body, media_type=CSV).json["ids"]
    record = client.get(f"{URL}/{id_}").json
    assert (record["arrests_text"], record["arrests_low"]) == ("about 3,000", None)


def test_a_template_names_the_columns_of_a_new_row(client, post):
    answer = client.get(f"{URL}/template.csv")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/csv")
    header = answer.data.decode("utf-8-sig").strip().split(",")
    assert {"title", "date", "communities", "arrests_low", "source_urls"} <= set(header)
    assert not {"url", "version", "country_name", "arrests_text", "disputed"} & set(header)
    cells = {
        "title": "A rally",
        "type": "rally",
        "date": "2019-05-04",
        "city": "Kyiv",
        "country": "UA",
        "communities": "armenian",
    }
    row = ",".join(cells.get(name, "") for name in header)
    made = post(answer.data.decode("utf-8-sig") + row, media_type=CSV).json
    assert (made["created"], made["warnings"]) == (1, [])
    same = client.get(f"{URL}/template.csv", headers={"If-None-Match": answer.headers["ETag"]})
    assert same.status_code == 304


def test_names_that_are_unknown_are_listed_for_each_row(post):
    rows = [(f"Event {n}", f"Atlantis {n}") for n in range(20)]
    assert len(post(sheet(*rows), media_type=CSV).json["errors"]) == 20
