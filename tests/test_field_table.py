"""A field is one row of one table: one that is added there is everywhere."""

import json
import subprocess
import sys

import pytest

from tests import conftest, engines
from tests.test_architecture import ROOT


@pytest.fixture(scope="module")
def told(database):
    """Return what a service says whose table has a field more than the database was made with."""
    with engines.copied(database.engine) as url:
        app = conftest.create_app({"DATABASE_URL": url, "RATELIMIT_ENABLED": False})
        keys = [conftest.run(app, "keys", "create", "one", "--role", "admin")]
        body = conftest.builders.incident()
        headers = {"Authorization": f"Bearer {keys[0]}"}
        assert app.test_client().post("/api/v1/incidents", json=body, headers=headers).json["id"]
        conftest.close(app)
        command = [sys.executable, "-m", "tests.grown_service", url, *keys]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_record_written_before_the_field_has_its_default(told):
    assert told["upgrade"].endswith("1 documents gained a field.\n")
    assert [(record["note"], record["marks"]) for record in told["old"]] == [(None, [])]


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        ("made", "Quokkas were seen"),
        ("patched", "Quokkas left"),
        ("put", "Quokkas left"),
        ("fields", "Quokkas left"),
        ("imported", "Quokkas came back"),
        ("erased", None),
        ("first", None),
    ],
)
def test_a_request_sets_the_field_and_answers_show_it(told, answer, note):
    assert told[answer]["note"] == note
    members = list(told["made"])
    assert members.index("note") == members.index("marks") - 1 == members.index("sources") - 2


def test_a_list_is_set_by_its_short_forms_and_by_a_cell(told):
    marks = [{"scheme": "acled", "mark": "RUS1"}, {"scheme": "quokka", "mark": "2"}]
    assert told["made"]["marks"] == told["put"]["marks"] == marks
    assert told["imported"]["marks"] == [{"scheme": "acled", "mark": "RUS2"}, marks[1]]
    assert told["erased"]["marks"] == []


def test_a_record_that_is_put_back_as_it_was_read_is_unchanged(told):
    assert told["put"] == told["patched"]


def test_csv_has_the_column_last_and_reads_it(told):
    header, *rows = told["csv"].splitlines()
    assert header.endswith(",note,marks")
    cells = sorted(tuple(row.split(",")[-2:]) for row in rows)
    assert cells == [("", ""), ("Quokkas left", "acled:RUS1; quokka:2")]
    assert (told["import"]["changed"], told["import"]["unchanged"]) == (1, 1)


def test_the_history_tells_what_became_of_the_field(told):
    patches = [entry["patch"] for entry in told["versions"]]
    assert {"op": "replace", "path": "/note", "value": "Quokkas left"} in patches[1]


def test_its_words_are_searched(told):
    (hit,) = told["search"]["data"]
    assert "note" in hit["matched"]
    assert "<mark>" in hit["snippet"]


def test_the_codebook_and_the_description_of_the_api_define_it(told):
    assert told["codebook"]["note"]["definition"] == "A note of the curators."
    for schema in ("Incident", "IncidentVersion"):
        assert told["openapi"][schema]["properties"]["note"] == {
            "type": ["string", "null"],
            "description": "A note of the curators. Null: none.",
        }
    assert "note" in told["openapi"]["Incident"]["required"]
    assert "note" not in told["openapi"]["IncidentVersion"]["required"]
    assert told["openapi"]["IncidentInput"]["properties"]["note"]["maxLength"] == 1000
    assert told["broken"] == []


def test_the_page_of_a_record_shows_it(told):
    assert "<dt>Note</dt><dd><bdi>Quokkas came back</bdi></dd>" in told["page"]
    assert "<dt>Marks</dt><dd><bdi>acled:RUS2, quokka:2</bdi></dd>" in told["page"]
    assert "Quokkas were seen" in told["page"]  # in its history


def test_a_tag_names_it_and_rows_and_documents_agree(told):
    assert "-f" in told["etag"]
    assert told["check"].endswith("Every document is as the rows have it.\n")
