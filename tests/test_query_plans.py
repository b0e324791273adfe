"""The statements of hot queries walk an index in the order of the page and sort nothing whole.

The tables are small here, so the choice of a path is told that they are large, and PostgreSQL that
a sort is dear.
"""

import json

import pytest
from sqlalchemy import text

from api.core.permissions import Actor
from api.database import statements
from api.database.engines import db
from api.database.readers import Reader
from api.queries.plans.access_paths import RowEstimates
from tests import random_records
from tests.builders import incident

# Query -> an index of SQLite that its statement must walk.
HOT = {
    "": "ix_incidents_date",
    "sort=date": "ix_incidents_date",
    "sort=-arrests": "ix_incidents_arrests_down",
    "sort=arrests": "ix_incidents_arrests_up",
    "sort=-injuries": "ix_incidents_injuries_down",
    "sort=injuries": "ix_incidents_injuries_up",
    "sort=-updated_at": "ix_incidents_updated",
    "sort=updated_at": "ix_incidents_updated",
    "city=Moscow": "ix_incidents_city",
    "city=Moscow&date=2020": "ix_incidents_city",
    "place=geonames-524901": "ix_incidents_place",
    "city=Moscow,Brussels,Paris&date_from=2019-06": "ix_incidents_city",
    "country=RU": "ix_incidents_country",
    "country=RU,BE&sort=date": "ix_incidents_country",
    "country=RU,BE&date=2019": "ix_incidents_country",
    "type=clash": "ix_incidents_type",
    "type=clash,rally&match=certain&date=2019": "ix_incidents_type",
    "episode=autumn-2020-war": "ix_incidents_episode",
    "community=armenian": "ix_incident_communities_listed",
    "community=armenian,azerbaijani": "ix_incident_communities_listed",
    "community=armenian&community=azerbaijani": "ix_incident_communities_listed",
    "community=armenian:target&date=2019-05": "ix_incident_communities_listed",
    "community=armenian&min_injuries_police=1": "ix_incident_communities_listed",
    "date=2019": "ix_incidents_date",
    "date_from=1000&date_to=3000": "ix_incidents_date",
    "bbox=4,50,5,51": "ix_incidents_cell",
    "bbox=-10,35,30,60": "ix_incidents_region",
    "near=Brussels": "ix_incidents_cell",
    "near=-17,179.9&radius_km=100&sort=date": "ix_incidents_cell",
    "disputed=true": "ix_incidents_disputed",
    "disputed=arrests&date=2019": "ix_incidents_disputed",
}
COUNTED = {
    "country=RU": "COVERING INDEX ix_incidents_country",
    "country=RU&date=2019": "COVERING INDEX ix_incidents_country",
    "type=clash&date_from=2019-01-01&date_to=2019-12-31": "COVERING INDEX ix_incidents_type",
    "city=Moscow&date=2019": "COVERING INDEX ix_incidents_city",
    "date=2019": "COVERING INDEX ix_incidents_date",
    "community=armenian": "COVERING INDEX ix_incident_communities_listed",
    "community=armenian&date=2019": "COVERING INDEX ix_incident_communities_listed",
}
ADDED_UP = {
    "group_by=country": "COVERING INDEX ix_incidents_figures",
    "group_by=week": "COVERING INDEX ix_incidents_figures",
    "group_by=city,month&date=2019": "COVERING INDEX ix_incidents_figures (sort_date>? AND",
    "group_by=type,episode&max_arrests=2": "COVERING INDEX ix_incidents_figures",
    "group_by=community": "SCAN all_parts USING COVERING INDEX ix_incident_communities_community",
}


@pytest.fixture
def large(monkeypatch):
    """Have the choice of a path believe that there are a million records, and many of each kind."""
    sizes = {"date": 200_000, "date_from": 200_000, "date_to": 200_000}
    monkeypatch.setattr(RowEstimates, "published", lambda _: 1_000_000)
    monkeypatch.setattr(
        RowEstimates,
        "for_paths",
        lambda _, paths, *__: {path: sizes.get(path[0], 50_000) for path in paths},
    )


@pytest.fixture
def statements_of(app, large, monkeypatch):
    """Return a function that asks and returns the statements on incidents with their values."""
    random_records.fill(app, 60, Actor(None, "contributor", "c"))
    statements = []

    def watched(run):
        def noting(self, prepared, parameters, *words, **options):
            statements.append((prepared.sql, {**prepared.fixed, **parameters}))
            return run(self, prepared, parameters, *words, **options)

        return noting

    monkeypatch.setattr(Reader, "_run", watched(Reader._run))
    monkeypatch.setattr(Reader, "stream", watched(Reader.stream))

    def ask(address):
        statements.clear()
        answer = app.test_client().get(address)
        assert answer.status_code == 200, answer.json
        return [one for one in statements if "incident" in one[0]]

    return ask


def explained(app, sql, parameters, prefix):
    connection = app.extensions["reader"]._connect()
    try:
        cursor = connection.cursor()
        for setting in ("enable_seqscan", "enable_sort", "enable_bitmapscan"):
            if "FORMAT" in prefix:
                cursor.execute(f"SET {setting} = off")
        cursor.execute(f"{prefix} {sql}", parameters)
        return cursor.fetchall()
    finally:
        connection.close()


def sqlite_plan(app, statement):
    return [row[3] for row in explained(app, *statement, "EXPLAIN QUERY PLAN")]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("query", HOT)
def test_a_page_walks_its_index_on_sqlite(app, statements_of, query):
    (statement,) = statements_of(f"/api/v1/incidents?{query}")
    plan = sqlite_plan(app, statement)
    assert any(f"INDEX {HOT[query]}" in step for step in plan), plan
    # What reaches into a window from before it, of several cities at once, is little to sort.
    little = query.startswith("city=") and "," in query and "date" in query
    assert len([step for step in plan if "TEMP B-TREE" in step]) == little, plan
    assert not [step for step in plan if step == "SCAN incidents"], plan


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("query", COUNTED)
def test_a_count_reads_an_index_alone_on_sqlite(app, statements_of, query):
    *_, statement = statements_of(f"/api/v1/incidents?count=exact&limit=1&{query}")
    assert any(COUNTED[query] in step for step in sqlite_plan(app, statement))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("query", ADDED_UP)
def test_statistics_read_an_index_alone_on_sqlite(app, statements_of, query):
    (statement,) = statements_of(f"/api/v1/stats?{query}")
    assert any(ADDED_UP[query] in step for step in sqlite_plan(app, statement))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_overview_of_all_records_reads_indexes_alone_on_sqlite(app, statements_of):
    *_, statement = statements_of("/api/v1/overview")
    plan = sqlite_plan(app, statement)
    walked = [step for step in plan if "incidents" in step]
    assert sorted(walked) == [
        f"SCAN incidents USING COVERING INDEX ix_incidents_{name}"
        for name in ("figures", "points", "type")
    ]


def nodes(plan):
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def bounded(plan):
    """Whether what is sorted is no more than a page of each walk."""
    if plan["Node Type"] == "Limit":
        return True
    if plan["Node Type"] in ("Append", "Merge Append", "Subquery Scan"):
        return all(bounded(below) for below in plan["Plans"])
    return False


# A few wide dates, and those that reach into a window from before it, are gathered and sorted.
FEW = {"ix_incidents_wide", "ix_incidents_lasting"}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("query", HOT)
def test_a_page_can_walk_an_index_on_postgresql(app, statements_of, query):
    (statement,) = statements_of(f"/api/v1/incidents?{query}")
    rows = explained(app, *statement, "EXPLAIN (FORMAT JSON)")
    plan = rows[0][0] if isinstance(rows[0][0], list) else json.loads(rows[0][0])
    for node in nodes(plan[0]["Plan"]):
        assert node["Node Type"] != "Seq Scan" or node["Relation Name"] == "dataset", plan
        if "Sort" in node["Node Type"]:
            (below,) = node["Plans"]
            used = {one["Index Name"] for one in nodes(below) if "Index Name" in one}
            assert bounded(below) or used & FEW, json.dumps(plan, indent=1)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_post_finds_the_articles_that_it_names_by_an_index(app, client, editor, monkeypatch):
    written = []
    run = statements.run
    monkeypatch.setattr(statements, "run", lambda *words: written.append(words) or run(*words))
    article = {"title": "Report", "url": "https://paper.example/1"}
    body = incident(sources=[{"article": article}])
    assert client.post("/api/v1/incidents", json=body, headers=editor).status_code == 201
    with app.app_context():
        read = [
            (sql, {**fixed, **(values[0] if values else {})})
            for _, statement, *values in written
            for sql, fixed in (statements.compiled(db.engine.dialect.name, statement),)
            if "FROM articles" in sql
        ]
        assert read
        for sql, values in read:
            rows = db.session.execute(text(f"EXPLAIN QUERY PLAN {sql}"), values).all()
            plan = " ".join(row[3] for row in rows)
            assert "SEARCH articles" in plan, plan
            assert "(draft_pk=?)" not in plan, plan
