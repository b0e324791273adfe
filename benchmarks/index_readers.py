"""Requests of every kind, and the indexes that the plans of their statements use."""

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import event

from api.database.engines import db
from api.database.readers import Reader

API = "/api/v1"
_SORTS = "date -date arrests -arrests injuries -injuries deaths -deaths updated_at -updated_at"
_GROUPS = "country city admin1 community community_pair type year month week episode publisher"
_GROUPS += " police_measure country,year city,month"
# Filters with values that the synthetic records have.
_FILTERS = (
    *("id={id}", "q=embassy", "city=Paris", "city=Paris,London", "country=US&admin1=US-CA"),
    *("place=geonames-2988507", "country=FR", "country=FR,DE,IT", "type=clash", "role=participant"),
    *("community=community-1", "community=community-1:participant", "police_measure=tear_gas"),
    *("community=community-0&community=community-1", "episode=none-of-these", "tag=festival"),
    *("external_id=acled:RUS1234", "organisation=Union", "publisher=Paper 7", "article={article}"),
    *("disputed=true", "disputed=arrests", "unreported=deaths", "property_damage=unknown"),
    *("date=2019", "date=2019-05-04", "date_from=2019-06&date_to=2019-08", "min_sources=2"),
    *("bbox=2,48,3,49", "bbox=-10,35,30,60", "near=Paris", "near=48.9,2.3&radius_km=20"),
    *("updated_since=2020-01-01T00:00:00Z", "min_arrests=50", "max_arrests=2", "min_deaths=1"),
)
_OTHERS = (
    *("/overview", "/overview?country=FR", "/overview?date=2019", "/claims", "/claims?field=type"),
    *("/search?q=embassy", "/search?q=%22border police%22", "/incidents.ndjson?date=2019"),
    *(
        "/incidents.csv?country=FR",
        "/incidents.atom",
        "/changes",
        "/articles",
        "/similar?country=FR&date=2019-05-04",
    ),
    *("/incidents/{id}", "/incidents/{id}/versions", "/incidents/{id}/claims"),
    *("/incidents/{id}/similar", "/incidents?status=draft", "/incidents?status=withdrawn,draft"),
    "/incidents?status=draft&sort=-updated_at",
)


def requests(id_: str, article: str) -> Iterator[str]:
    """Yield paths: each filter alone, with a window of dates and counted; sorts; statistics."""
    for query in _FILTERS:
        yield f"/incidents?{query}"
        if "date" not in query:
            yield f"/incidents?{query}&date_from=2012&date_to=2013"
        yield f"/incidents?{query}&limit=1&count=exact"
        yield f"/stats?group_by=country&{query}"
    for sort in _SORTS.split():
        yield f"/incidents?sort={sort}"
        yield f"/incidents?sort={sort}&country=FR"
        yield f"/incidents?sort={sort}&type=clash&date=2019"
    for group in _GROUPS.split():
        yield f"/stats?group_by={group}"
        yield f"/stats?group_by={group}&date=2019"
    yield from _OTHERS


def readers(app: Flask, key: str, bodies: list[dict[str, Any]], indexes: set[str]) -> Any:
    """Return index -> the requests whose plans use it; writes are asked for with BODIES."""
    client = app.test_client()
    headers = {"Authorization": f"Bearer {key}", "If-Match": "*"}
    first = client.get(f"{API}/incidents?limit=1").json["data"][0]
    id_, article = first["id"], first["sources"][0]["article"]["id"]
    found: dict[str, set[str]] = defaultdict(set)

    def ask(name: str, method: str, path: str, **words: Any) -> Any:
        known = method != "GET" or "status=" in path
        with _noted(app) as statements:
            answer = client.open(path, method=method, headers=headers if known else {}, **words)
        if answer.status_code >= 400:
            print(f"  {name}: {answer.status_code} {answer.get_data(as_text=True)[:150]}")
        for index in _used(app, statements, indexes):
            found[index].add(name)
        return answer.json if answer.is_json else None

    asked = list(requests(id_, article))
    for path in asked:
        ask(path, "GET", API + path.replace("{id}", id_).replace("{article}", article))
    _write(ask, bodies)
    print(f"  {len(asked)} reads, and writes of 5 kinds")
    return found


def _write(ask: Any, bodies: list[dict[str, Any]]) -> None:
    """Post, change, merge, withdraw and erase."""
    path = f"{API}/incidents"
    posted = [ask("POST", "POST", path, json=body) for body in bodies[:3]]
    ids = [record["id"] for record in posted]
    reason = {"reason": "measured", "code": "out_of_scope"}
    ask("PATCH", "PATCH", f"{path}/{ids[0]}", json={"title": "Changed"})
    ask("merge", "POST", f"{path}/{ids[0]}/merge", json={"into": ids[1], "reason": "the same"})
    ask("withdraw", "DELETE", f"{path}/{ids[2]}", json=reason)
    ask("erase", "POST", f"{path}/{ids[2]}/erase", json={"reason": "a claim of privacy"})


@contextmanager
def _noted(app: Flask) -> Iterator[list[tuple[str, Any]]]:
    """Note each statement with its parameters, of the readers and of the session."""
    statements: list[tuple[str, Any]] = []
    run, stream = Reader._run, Reader.stream

    def note(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        statements.append((sql, parameters))

    def noting(original: Any) -> Any:
        def noted(self: Reader, prepared: Any, parameters: Any, *words: Any, **more: Any) -> Any:
            statements.append((prepared.sql, {**prepared.fixed, **parameters}))
            return original(self, prepared, parameters, *words, **more)

        return noted

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    Reader._run, Reader.stream = noting(run), noting(stream)  # type: ignore[method-assign]
    try:
        yield statements
    finally:
        Reader._run, Reader.stream = run, stream  # type: ignore[method-assign]
        event.remove(engine, "before_cursor_execute", note)


def _used(app: Flask, statements: list[tuple[str, Any]], indexes: set[str]) -> set[str]:
    """Return which INDEXES stand in the plans of STATEMENTS."""
    reader = app.extensions["reader"]
    explain = "EXPLAIN QUERY PLAN" if reader.engine.dialect.name == "sqlite" else "EXPLAIN"
    connection = reader._connect()
    words: set[str] = set()
    for sql, parameters in statements:
        if sql.lstrip("( ").startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
            rows = connection.cursor().execute(f"{explain} {sql}", parameters).fetchall()
            words |= set(re.findall(r"\w+", " ".join(str(row[-1]) for row in rows)))
    connection.close()
    return words & indexes
