"""Batches make the data set that records make one by one."""

import json
import random
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from api.database.engines import db
from api.imports import file_import, importer, jobs, summary
from api.imports.staging import StagedLine, in_groups
from tests.builders import incident as body_of
from tests.test_imports import id_of

URL = "/api/v1/incidents"
CITIES = ("Kazan", "Samara", "Omsk")

# Articles that lines make before, beside and after one another: the same under other names and
# addresses, with more or less said of them, copies of each other, and bare ids.
ARTICLES = [
    {"id": id_of(1), "title": "One", "url": "https://one.example/a"},
    {"id": id_of(1), "title": "One", "url": "https://one.example/a"},
    {"id": id_of(1), "title": "One, otherwise"},
    {"id": id_of(1)},
    {"id": id_of(2), "url": "https://ONE.example/a?utm_source=x"},
    {"url": "https://one.example/a#end", "title": "One"},
    {"id": id_of(1), "url": "https://two.example/b", "title": "One"},
    {"id": id_of(3), "url": "https://two.example/b", "title": "Two"},
    {"url": "https://two.example/b", "title": "Two"},
    {"url": "https://two.example/b", "title": "Two", "publisher": "The Two"},
    {"title": "No address"},
    {"id": id_of(4), "title": "Copied", "syndicated_from": id_of(1)},
    {"id": id_of(5), "title": "Copied again", "syndicated_from": id_of(4)},
    {"id": id_of(6), "title": "Copied from afar", "syndicated_from": id_of(7)},
    {"id": id_of(7), "title": "Afar", "url": "https://afar.example/"},
]


def lines(number, seed):
    """Draw records that cite ARTICLES; of some the id comes again in a later file."""
    draw = random.Random(seed)
    for n in range(3):
        yield body_of(id=id_of(90 + n), title=f"Base {n}")
    for n in range(number):
        sources = [
            {"article": draw.choice(ARTICLES), "claims": [{"field": "arrests", "value": n % 3}]}
            for _ in range(draw.randrange(3))
        ]
        changes = {}
        if draw.random() < 0.2:
            changes["status"] = "draft"
            if draw.random() < 0.5:
                changes["corrects"] = id_of(90 + draw.randrange(3))
        if draw.random() < 0.2:
            changes["reason"] = f"reason {n % 4}"
        yield body_of(
            id=id_of(100 + n),
            title=f"Event {draw.randrange(10**6)}",
            date=str(date(2001, 1, 1) + timedelta(days=draw.randrange(40))),
            city=draw.choice(CITIES),
            country="RU",
            sources=sources,
            **changes,
        )


def works(app, body, path):
    """Whether a record can be imported by itself, after those before it."""
    path.write_text(json.dumps(body) + "\n")
    with app.app_context():
        try:
            file_import.run(jobs.Job(path), lambda *_: None)
        except importer.ApiError:
            return False
    return True


def imported(app, path):
    """Import a file in batches; return what was counted and warned of."""
    with app.app_context():
        options = summary.Options(on_conflict="update")
        job = jobs.Job(path, options, batch=25, check=False)
        result = file_import.run(job, lambda *_: None).summary
        # What is told in words names ids that were drawn.
        return result.counts(), [
            (one["line"], one["pointer"], one["code"]) for one in result.warnings
        ]


# What stands in the tables, but for keys, times and ids that were drawn.
QUERIES = (
    """SELECT i.id, i.status, i.disputed, i.number_of_sources, i.city_key, i.sort_date
    FROM incidents i""",
    """SELECT i.id, s.position, coalesce(a.url, a.title), s.city_key FROM sources s
    JOIN incidents i ON i.pk = s.incident_pk JOIN articles a ON a.pk = s.article_pk""",
    """SELECT i.id, c.position, c.community, c.listed, c.sort_date, c.document_pk = i.document_pk
    FROM incident_communities c JOIN incidents i ON i.pk = c.incident_pk""",
    """SELECT i.id, c.source_position, c.position, c.field, c.low, c.high, c.conflicting
    FROM claims c JOIN incidents i ON i.pk = c.incident_pk""",
    """SELECT i.id, v.number, v.action, v.status, v.reason, v.pk = i.document_pk
    FROM versions v JOIN incidents i ON i.pk = v.incident_pk""",
    """SELECT c.id, c.action, c.version FROM changes c WHERE c.resource = 'incident'""",
    """SELECT coalesce(a.url, a.title), a.publisher, a.syndicated_from, a.version, d.id
    FROM articles a LEFT JOIN incidents d ON d.pk = a.draft_pk""",
    "SELECT word FROM search_words",
)


def stored_rows(app):
    """Return what an instance holds."""
    with app.app_context(), db.engine.connect() as connection:
        found = [sorted(map(repr, connection.execute(text(query)))) for query in QUERIES]
        order = connection.execute(text("SELECT id FROM changes WHERE resource = 'incident'"))
        found.append([id_ for (id_,) in order])
    answer = app.test_client().get(f"{URL}.ndjson?sort=date").data.splitlines()
    documents = [json.loads(line) for line in answer]
    for document in documents:
        del document["created_at"], document["updated_at"]
        for source in document["sources"]:
            article = source["article"]
            if article["title"] in ("No address", "Two", "One"):
                article["id"] = None  # drawn, where the line names none
    return [*found, documents]


def test_a_record_that_is_counted_again_takes_no_key_of_a_later_line(
    make_app, tmp_path, monkeypatch
):
    monkeypatch.setattr(importer, "in_groups", lambda lines: in_groups(lines, 1))
    first = {"id": id_of(1), "title": "First"}
    copy = {"id": id_of(2), "title": "Copy", "syndicated_from": id_of(1)}
    copy_of_that = {"id": id_of(3), "title": "Copy of a copy", "syndicated_from": id_of(2)}
    path, app = tmp_path / "records.ndjson", make_app()
    cited = [[first, copy_of_that], [copy], [], [first], []]
    path.write_text(
        "".join(
            json.dumps(body_of(id=id_of(10 + n), sources=[{"article": one} for one in articles]))
            + "\n"
            for n, articles in enumerate(cited)
        )
    )
    assert imported(app, path)[0]["created"] == 5
    counted = app.test_client().get(f"{URL}/{id_of(10)}").json
    assert (counted["version"], counted["number_of_sources"]) == (2, 1)


@pytest.mark.slow
def test_a_file_makes_what_its_records_make_one_by_one(make_app, tmp_path, monkeypatch):
    monkeypatch.setattr(importer, "in_groups", lambda lines: in_groups(lines, 5))
    path, loaded, trial = tmp_path / "records.ndjson", make_app(), make_app()
    drawn = ({**body, "corrects": None} for body in lines(60, 3))
    bodies = [body for body in drawn if works(trial, body, path)]
    path.write_text("".join(f"{json.dumps(body)}\n" for body in bodies))
    with loaded.app_context():
        done = file_import.run(jobs.Job(path), lambda *_: None)
    assert done.summary.created == len(bodies)
    for found, expected in zip(stored_rows(loaded), stored_rows(trial), strict=True):
        assert found == expected


def test_what_is_wrong_in_a_batch_is_told_of_every_line(make_app, tmp_path, monkeypatch):
    monkeypatch.setattr(importer, "in_groups", lambda lines: in_groups(lines, 5))
    bodies = [body_of(id=id_of(n), title=f"Event {n}", city="Kazan") for n in range(60)]
    for body in bodies:
        body["country"] = "RU"
    bodies[41]["city"], bodies[59]["communities"] = "Atlantis", ["martian"]
    path = Path(tmp_path / "records.ndjson")
    path.write_text("".join(f"{json.dumps(body)}\n" for body in bodies))
    app = make_app()
    result = app.test_cli_runner().invoke(args=["import", str(path), "--no-check", "--batch", "30"])
    assert result.exit_code == 1
    faults = [line.split(":")[0] for line in result.stderr.splitlines() if line.startswith("line ")]
    assert faults == ["line 42", "line 60"]
    assert "the 30 lines before are written" in result.stderr
    assert app.test_client().get(f"{URL}?count=exact").json["total"] == 30


def test_a_group_ends_with_so_many_lines_or_bytes():
    small, large = (StagedLine(1, None, b"x" * size) for size in (10, 700_000))
    groups = in_groups([large, large, small, small, small, large, large], 3)
    assert [len(group) for group in groups] == [2, 3, 2]
