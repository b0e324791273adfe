"""Importing files: progress that survives, every fault before anything is written, round trips."""

import gzip
import json
import os
import random
import re
from datetime import date, timedelta

import pytest

from api.imports import importer
from schemas import dates
from tests.builders import incident as body_of

URL = "/api/v1/incidents"
# `make imports` takes the full size, 100,000.
LINES = int(os.environ.get("IMPORT_LINES", "3000"))

CITIES = ("Moscow", "Saint Petersburg", "Kazan", "Samara", "Omsk", "Rostov-on-Don", "Perm")
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def id_of(number):
    """Make the id of a number."""
    digits = ""
    for _ in range(10):
        number, digit = divmod(number, 32)
        digits = ALPHABET[digit] + digits
    return digits


def bodies(number):
    """Make so many different records, with sources, of which some share an article."""
    for n in range(number):
        yield body_of(
            id=id_of(n),
            title=f"Event {n}",
            date=str(date(1990, 1, 1) + timedelta(days=n % 10_007)),
            city=CITIES[n % len(CITIES)],
            country="RU",
            arrests=n % 7 or None,
            sources=[
                {
                    "article": {"id": id_of(10**9 + n // 3), "title": f"Report {n // 3}"},
                    "claims": [{"field": "arrests", "value": n % 7}],
                }
            ],
        )


@pytest.fixture
def file(tmp_path):
    """Return a function that writes records to a file."""

    def write(records, name="records.ndjson"):
        path = tmp_path / name
        text = "".join(f"{json.dumps(record)}\n" for record in records)
        if name.endswith(".json"):
            text = json.dumps(list(records))
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return str(path)

    return write


@pytest.fixture
def run(runner):
    """Return a function that runs `import`."""
    return lambda *arguments: runner.invoke(args=["import", *arguments])


def total(client):
    return client.get(f"{URL}?count=exact").json["total"]


@pytest.mark.parametrize("name", ["a.ndjson", "a.jsonl", "a.json", "a.ndjson.gz"])
def test_a_file_is_imported_by_what_its_name_says(client, run, file, name):
    result = run(file(list(bodies(5)), name))
    assert result.exit_code == 0, result.output
    assert "5 created, 0 changed, 0 unchanged, 0 skipped." in result.stdout
    assert total(client) == 5


def test_a_name_that_says_nothing_is_refused(run, file):
    result = run(file(bodies(1), "a.txt"))
    assert result.exit_code == 1
    assert ".ndjson" in result.output


@pytest.mark.parametrize("options", [(), ("--no-check", "--batch", "0"), ("--batch", "500")])
def test_an_import_with_37_faults_changes_nothing_and_tells_all_37(client, run, file, options):
    before = client.get(URL).headers["Dataset-Version"]
    records = list(bodies(LINES))
    wrong = [7 + n * (LINES - 20) // 37 for n in range(37)]
    breakages = [
        {"date": "2019-02-30"},
        {"city": "Atlantis"},
        {"communities": ["martian"]},
        {"arrests": 5, "arrests_low": 6},
        {"id": records[0]["id"]},
        {"venu": "Market"},
        {"sources": [{"article": id_of(2**49)}]},
    ]
    faulty = list(records)
    for n, place in enumerate(wrong):
        faulty[place] = {**records[place], **breakages[n % len(breakages)]}
    result = run(file(faulty), *options)
    assert result.exit_code == 1
    faults = [line for line in result.stderr.splitlines() if line.startswith("line ")]
    assert [int(line.split()[1].rstrip(":")) for line in faults] == [place + 1 for place in wrong]
    assert "37 faults in 37 lines; nothing was written" in result.stderr
    assert client.get(URL).headers["Dataset-Version"] == before
    assert total(client) == 0


@pytest.mark.slow
def test_corrected_it_loads_and_run_again_it_changes_nothing(client, run, file):
    path = file(bodies(LINES))
    result = run(path, "--batch", str(LINES // 3))
    assert f"{LINES:,} created" in result.stdout, result.output
    version = client.get(URL).headers["Dataset-Version"]
    for how in ("update", "error", "skip"):
        result = run(path, "--on-conflict", how)
        assert f"0 created, 0 changed, {LINES:,} unchanged, 0 skipped." in result.stdout
    assert client.get(URL).headers["Dataset-Version"] == version
    assert total(client) == LINES


@pytest.mark.slow
def test_cut_off_the_same_command_goes_on_where_it_stood(client, run, file, monkeypatch):
    path = file([{k: v for k, v in body.items() if k != "id"} for body in bodies(100)])
    whole = importer.Importer.run
    runs = []

    def cut_off(self, after, *arguments, **rest):
        runs.append(after)
        if len(runs) == 4:
            raise KeyboardInterrupt
        return whole(self, after, *arguments, **rest)

    monkeypatch.setattr(importer.Importer, "run", cut_off)
    assert run(path, "--no-check", "--batch", "20").exit_code != 0
    assert runs == [0, 20, 40, 60]
    assert total(client) == 60
    monkeypatch.undo()
    result = run(path, "--no-check", "--batch", "20")
    assert result.exit_code == 0, result.output
    assert "Taken up after line 60" in result.stdout
    assert "100 created" in result.stdout
    titles = {client.get(f"{URL}?limit=1000").json["data"][n]["title"] for n in range(100)}
    assert titles == {f"Event {n}" for n in range(100)}
    # That import is over: the next one of the same file is one of its own.
    assert "100 created" in run(path).stdout


def test_without_a_check_a_fault_stops_at_its_batch_and_says_what_is_written(client, run, file):
    records = list(bodies(50))
    records[33]["city"] = "Atlantis"
    result = run(file(records), "--no-check", "--batch", "10")
    assert result.exit_code == 1
    assert "line 34: /city" in result.stderr
    assert "the 30 lines before are written" in result.stderr
    assert total(client) == 30


def test_a_dry_run_says_what_would_happen(client, run, file):
    run(file(bodies(3)))
    records = list(bodies(5))
    records[1]["title"] = "Otherwise"
    result = run(file(records), "--dry-run", "--on-conflict", "update")
    assert "Would be: 2 created, 1 changed, 2 unchanged, 0 skipped." in result.stdout
    assert total(client) == 3


def test_duplicates_are_counted_or_refused_as_a_whole(client, run, file):
    records = [body_of(title=f"Event {n}") for n in range(5)]
    result = run(file(records), "--on-duplicate", "error", "--batch", "2")
    assert result.exit_code == 1
    assert "4 faults in 4 lines; nothing was written" in result.stderr
    assert total(client) == 0
    assert "4 of the new records look like" in run(file(records), "--batch", "2").stdout


DATES = (
    "2020-07-20",
    "2020-07-21",
    "2020-07-23",
    "2020-07-19/2020-07-21",
    "2020-07-20/2020-07-28",
    "2020-07",
    "2020",
    "2020-07-22..",
    "..2020-07-22",
    "2020-07-24..2020-07-25",
)


def drawn(source, number):
    """Draw records of few places, dates, communities and articles, so that many look alike."""
    city, country = source.choice((("Moscow", "RU"), ("London", "GB"), ("London", "CA")))
    community = source.choice(("armenian", "azerbaijani"))
    status = source.choice(("published", "published", "published", "draft"))
    article = {"id": id_of(source.randrange(9)), "title": "Report"}
    # The articles of a draft are its own until it is published.
    sources = [{"article": article}] * (status == "published" and source.randrange(2))
    return body_of(
        id=id_of(100 + number),
        title=f"Event {number}",
        date=source.choice(DATES).replace("-07", f"-0{source.randrange(1, 10)}"),
        city=city,
        country=country,
        communities=[{"community": community}],
        status=status,
        sources=sources,
    )


def alike(one, other):
    """Whether, by the rule itself, two records look like the same event."""
    if (one["city"], one["country"]) != (other["city"], other["country"]):
        return False
    span, its = dates.parse(one["date"]), dates.parse(other["date"])
    share = {part["community"] for part in one["communities"]}.intersection(
        part["community"] for part in other["communities"]
    )
    cited, citing = (
        {source["article"]["id"] for source in record["sources"]} for record in (one, other)
    )
    cites = cited & citing
    return bool((share and span.close_to(its)) or (cites and span.overlaps(its)))


@pytest.mark.parametrize("options", [(), ("--batch", "7")])
def test_the_duplicates_that_are_counted_are_those_of_the_rule(run, file, options):
    source = random.Random(11)
    records = [drawn(source, number) for number in range(200)]
    counted = 0
    for name, part in (("a.ndjson", records[:90]), ("b.ndjson", records[90:])):
        result = run(file(part, name), *options)
        assert result.exit_code == 0, result.output
        counted += int(re.search(r"(\d+) of the new", result.stdout)[1])
    expected = [
        any(alike(record, before) for before in records[:number])
        for number, record in enumerate(records)
    ]
    assert 40 < sum(expected) < 160
    assert counted == sum(expected)


# What is wrong with a record, by its place in a file, and what is then told of its line.
NOBODY = {"communities": [{"community": "nobody"}]}
WRONG = {
    200: (NOBODY, "line 201: /communities"),
    800: ({"date": "2019-02-30"}, "line 801: /date"),
    1300: ({"id": id_of(7)}, "line 1301: /id Line 8 has this id already"),
}


@pytest.mark.parametrize("places", [(200, 800, 1300), (1300,)])
def test_a_file_with_faults_is_told_all_of_them_and_changes_nothing(client, run, file, places):
    records = list(bodies(1400))
    version = client.get("/api/v1/changes").json
    for place in places:
        records[place] |= WRONG[place][0]
    result = run(file(records))
    assert result.exit_code == 1
    faults = [line for line in result.stderr.splitlines() if line.startswith("line ")]
    for line, place in zip(faults, places, strict=True):
        assert line.startswith(WRONG[place][1])
    assert "nothing was written" in result.stderr
    assert total(client) == 0
    assert client.get("/api/v1/changes").json == version


def test_what_is_imported_is_in_history_and_feed_with_its_reason(client, run, file, editor):
    result = run(file(bodies(5)), "--reason", "moved from elsewhere", "--batch", "2")
    assert result.exit_code == 0, result.output
    (version,) = client.get(f"{URL}/{id_of(0)}/versions", headers=editor).json["data"]
    assert (version["reason"], version["actor"]) == ("moved from elsewhere", "operator")
    changes = client.get("/api/v1/changes?limit=1000").json["data"]
    made = [change["id"] for change in changes if change["action"] == "created"]
    assert made == [id_of(n) for n in range(5)]
    assert client.get(URL).json["total"] == 5


def exported(client, name):
    """Export what is published, as FILE of that name."""
    answer = client.get(f"{URL}.{name}?sort=date")
    assert answer.status_code == 200
    return answer.data


def test_the_seeds_move_to_another_instance_and_back_without_a_difference(
    seeded, client, make_app, tmp_path
):
    lines = exported(client, "ndjson")
    file = tmp_path / "seeds.ndjson"
    file.write_bytes(lines)
    other = make_app()
    result = other.test_cli_runner().invoke(args=["import", str(file)])
    assert f"{len(lines.splitlines())} created" in result.stdout, result.output
    assert exported(other.test_client(), "ndjson") == lines


@pytest.mark.parametrize("name", ["csv", "ndjson"])
def test_an_export_that_is_imported_over_its_original_changes_nothing(
    seeded, client, run, editor, tmp_path, name
):
    body = exported(client, name)
    version = client.get(URL).headers["Dataset-Version"]
    file = tmp_path / f"seeds.{name}"
    file.write_bytes(body)
    number = len(exported(client, "ndjson").splitlines())
    for how in ("error", "update", "skip"):
        result = run(str(file), "--on-conflict", how)
        assert f"0 created, 0 changed, {number} unchanged, 0 skipped." in result.stdout
    media_type = {"csv": "text/csv", "ndjson": "application/x-ndjson"}[name]
    query = f"{URL}?on_conflict=update"
    answer = client.post(query, data=body, content_type=media_type, headers=editor)
    assert answer.json["unchanged"] == number
    assert client.get(URL).headers["Dataset-Version"] == version
    assert exported(client, name) == body
