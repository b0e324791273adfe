"""The example that imports data of another shape, in the layout of ACLED."""

import json
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def mapped(tmp_path, *options):
    """Run the mapping as its documentation says; return the file and the records in it."""
    command = [sys.executable, EXAMPLES / "import_acled.py", EXAMPLES / "acled_layout.csv"]
    made = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    assert made.stderr.endswith("communities: 1\n")
    file = tmp_path / "records.ndjson"
    file.write_text(made.stdout)
    return str(file), [json.loads(line) for line in made.stdout.splitlines()]


def test_the_example_is_marked_as_invented():
    rows = (EXAMPLES / "acled_layout.csv").read_text().splitlines()[1:]
    assert all("INVENTED" in row for row in rows)


def test_a_file_in_acleds_layout_imports_and_imports_again_without_a_change(
    client, runner, tmp_path
):
    file, records = mapped(tmp_path, "--status", "published")
    result = runner.invoke(args=["import", file])
    assert "3 created" in result.stdout, result.output
    again = runner.invoke(args=["import", file, "--on-conflict", "update"])
    assert "0 created, 0 changed, 3 unchanged" in again.stdout, again.output

    protest, clash, attack = (
        client.get(f"/api/v1/incidents/{record['id']}").json for record in records
    )
    # 0 fatalities are none or not known there; here nothing is made of that.
    assert [one["deaths_text"] for one in (protest, clash, attack)] == [
        "not reported",
        "about 3",
        "not reported",
    ]
    assert [one["participants_text"] for one in (protest, clash, attack)] == [
        "about 200",
        "at least 40",
        "not reported",
    ]
    assert [one["date"] for one in (protest, clash, attack)] == [
        "2001-07-18",
        "2001-07-17..2001-07-23",
        "2001-08",
    ]
    assert [one["type"] for one in (protest, clash, attack)] == ["protest", "clash", "assault"]
    assert [one["geo_precision"] for one in (protest, clash, attack)] == ["city", "city", "admin1"]
    assert [(part["community"], part["role"]) for part in clash["communities"]] == [
        ("armenian", "participant"),
        ("azerbaijani", "counter_participant"),
    ]
    assert attack["communities"][0]["role"] == "target"
    assert clash["geonames_id"] is not None


def test_without_more_words_they_are_drafts(client, runner, tmp_path, editor):
    file, records = mapped(tmp_path)
    assert "3 created" in runner.invoke(args=["import", file]).stdout
    assert client.get("/api/v1/incidents").json["total"] == 0
    drafts = client.get("/api/v1/incidents?status=draft", headers=editor).json["data"]
    assert {draft["id"] for draft in drafts} == {record["id"] for record in records}
