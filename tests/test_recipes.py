"""The recipes of `examples/` do what they say, on a running service."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from api.exports.formats import csv
from tests.examples import MOSCOW

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def run(program, name, address):
    """Run a recipe on the service at ADDRESS and return the lines that it prints."""
    done = subprocess.run(
        [program, EXAMPLES / name, address],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [line.strip() for line in done.stdout.splitlines()]


@pytest.mark.slow
@on_sqlite
@pytest.mark.needs("curl", "jq")
def test_curl_and_jq(seeded, client, live_server):
    said = run(shutil.which("bash"), "curl_and_jq.sh", live_server)
    assert "2020-07-24\tclash\t13" in said
    assert "13\tNews.ru\tbrawl in the south-east" in said
    assert {"arrests\t3\t5", "deaths\t0\t8"} <= set(said)
    ids = [one["id"] for one in client.get("/api/v1/incidents").json["data"]]
    assert [line for line in said if line in ids] == ids
    assert MOSCOW in ids
    assert said[-1] == "304"


@pytest.mark.slow
@on_sqlite
def test_pandas(seeded, live_server):
    said = run(sys.executable, "with_pandas.py", live_server)
    assert (
        "At least 31 arrests in the 3 incidents that report any figure; 5 of 8 report none." in said
    )
    assert "2020-10    1" in said
    assert any(line.split() == ["armenian", "8"] for line in said)


@pytest.mark.slow
@on_sqlite
def test_duckdb(seeded, live_server):
    said = run(sys.executable, "with_duckdb.py", live_server)
    assert "The Hague\t2020-07\tnot reported\tnot reported" in said
    assert "Moscow\tNews.ru\t13\tbrawl in the south-east" in said
    assert "['armenian', 'azerbaijani']\t5" in said


@pytest.mark.slow
@on_sqlite
@pytest.mark.needs("rscript")
def test_r(seeded, live_server):
    said = run(shutil.which("Rscript"), "with_r.R", live_server)
    assert (
        "At least 31 arrests in the 3 incidents that report any figure; 5 of 8 report none." in said
    )
    assert ["RU", "clash", "1"] in map(str.split, said)
    months = said.index("Incidents by month, those whose date leaves no doubt of it")
    assert (
        dict(zip(said[months + 2].split(), said[months + 3].split(), strict=True))["2020-10"] == "1"
    )


@pytest.mark.slow
@on_sqlite
@pytest.mark.needs("node")
def test_javascript(seeded, live_server):
    said = run(shutil.which("node"), "with_javascript.mjs", live_server)
    assert "2020-07-24\tMoscow\t13" in said
    assert said[-1] == (
        "At least 31 arrests in the 3 incidents that report any figure; 5 of 8 report none."
    )


def test_the_recipes_for_spreadsheets_name_columns_that_there_are():
    text = (EXAMPLES.parent / "docs" / "tools.md").read_text()
    typed = re.findall(r'\{"(\w+)", (?:type|Int64)', text)
    asked = re.search(r"=IMPORTDATA\(.*fields=([\w,]+)", text)[1].split(",")
    assert len(typed) > 5
    assert {*typed, *asked} <= set(csv.COLUMNS)


def test_every_recipe_is_listed_and_run():
    listed = (EXAMPLES / "README.md").read_text()
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    for path in EXAMPLES.iterdir():
        if path.suffix in (".py", ".sh", ".R", ".mjs"):
            assert f"]({path.name})" in listed
            assert path.name in tests
