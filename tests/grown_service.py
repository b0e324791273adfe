"""A service whose table of fields has two rows more: `python -m tests.grown_service URL KEY`.

It adds the rows to the table as its module is loaded, a column and a table to the models
and to the database at URL, upgrades the documents, and prints what the service answers of them as
JSON.
"""

import importlib.util
import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import schemas
from schemas.fields import StrictSchema, Text

ROWS = """
    RecordField(
        name="note",
        type="text",
        definition="A note of the curators.",
        unknown="null: none.",
        reader=Text(),
        columns=("note",),
        erasable=True,
        searched=SearchColumn("text", 101),
        since=NUMBER,
    ),
    RecordField(
        name="marks",
        type="list",
        definition="Marks, each as `scheme:mark`.",
        reader=ListOf(ObjectOf("__main__.MarkSchema", short=lambda text: dict(
            zip(("scheme", "mark"), text.partition(":")[::2])))),
        default=[],
        columns=("marks",),
        spell=lambda mark: f"{mark['scheme']}:{mark['mark']}",
        erasable=True,
        searched=SearchColumn("text", 102),
        since=NUMBER,
    ),
"""
MARKS = [{"scheme": "acled", "mark": "RUS1"}, "quokka:2"]
BEHIND = '    RecordField(\n        name="sources",'


class MarkSchema(StrictSchema):
    """A mark in a scheme."""

    scheme = Text(required=True)
    mark = Text(required=True)


def grow() -> None:
    """Load the table of fields with the rows, before anybody else does, and add the columns."""
    spec = importlib.util.find_spec("schemas.record_fields")
    assert isinstance(spec, ModuleSpec)
    assert spec.origin
    source = Path(spec.origin).read_text(encoding="utf-8")
    numbers = [
        int(line.strip(" ,\n").partition("=")[2]) for line in source.split("\n") if "since=" in line
    ]
    rows = ROWS.replace("NUMBER", str(max(numbers, default=1) + 1))
    module = ModuleType(spec.name)
    sys.modules[spec.name] = module
    exec(compile(source.replace(BEHIND, rows + BEHIND), spec.origin, "exec"), module.__dict__)
    schemas.record_fields = module  # type: ignore[attr-defined, unused-ignore]

    from sqlalchemy import ForeignKey, Integer
    from sqlalchemy import Text as TextColumn
    from sqlalchemy.orm import mapped_column

    from api.database.base import Base
    from api.models import LIST_TABLES, Incident

    Incident.note = mapped_column(TextColumn)  # type: ignore[attr-defined]
    columns = {
        "incident_pk": mapped_column(Integer, ForeignKey("incidents.pk"), primary_key=True),
        "position": mapped_column(Integer, primary_key=True),
        "scheme": mapped_column(TextColumn),
        "mark": mapped_column(TextColumn),
    }
    LIST_TABLES["marks"] = type("Mark", (Base,), {"__tablename__": "incident_marks", **columns})


def answers(url: str, key: str) -> dict[str, Any]:
    """Return what a service on the database at URL answers, to the editor with KEY."""
    from api import create_app
    from api.database.base import Base
    from api.database.engines import db
    from tests import contract
    from tests.builders import incident

    app = create_app({"DATABASE_URL": url, "RATELIMIT_ENABLED": False})
    with app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE incidents ADD COLUMN note TEXT")
        Base.metadata.tables["incident_marks"].create(connection)
    broken = contract.watch(app)
    client, run = app.test_client(), app.test_cli_runner().invoke
    headers = {"Authorization": f"Bearer {key}", "If-Match": "*"}
    outcomes: dict[str, Any] = {"upgrade": run(args=["documents", "upgrade"]).output}

    def text(path: str, method: str = "GET", **options: Any) -> str:
        answer = client.open(path, method=method, headers=headers, **options)
        return answer.text if answer.status_code < 300 else f"{answer.status} {answer.text}"

    api = "/api/v1/incidents"
    outcomes["old"] = json.loads(text(api))["data"]
    made = json.loads(
        text(api, "POST", json=incident(city="Odesa", note="Quokkas were seen", marks=MARKS))
    )
    path = f"{api}/{made['id']}"
    outcomes["made"] = made
    outcomes["patched"] = json.loads(text(path, "PATCH", json={"note": "Quokkas left"}))
    outcomes["put"] = json.loads(text(path, "PUT", json=outcomes["patched"]))
    outcomes["fields"] = json.loads(text(f"{path}?fields=id,note"))
    outcomes["search"] = json.loads(text("/api/v1/search?q=quokka"))
    outcomes["csv"] = text(f"{api}.csv")
    changed = outcomes["csv"].replace("Quokkas left", "Quokkas came back").replace("RUS1", "RUS2")
    outcomes["import"] = json.loads(
        text(f"{api}?on_conflict=update", "POST", data=changed.encode(), content_type="text/csv")
    )
    outcomes["imported"] = json.loads(text(path))
    outcomes["versions"] = json.loads(text(f"{path}/versions"))["data"]
    outcomes["page"] = client.get(
        path.removeprefix("/api/v1"), headers={"Accept": "text/html"}
    ).text
    outcomes["codebook"] = json.loads(text("/api/v1/codebook"))["fields"]
    outcomes["openapi"] = json.loads(text("/openapi.json"))["components"]["schemas"]
    outcomes["etag"] = client.get(path).headers["ETag"]
    outcomes["erased"] = json.loads(
        text(f"{path}/erase", "POST", json={"fields": ["note", "marks"]})
    )
    outcomes["first"] = json.loads(text(f"{path}/versions/1"))
    outcomes["check"] = run(args=["documents", "check"]).output
    return {**outcomes, "broken": list(map(str, broken))}


if __name__ == "__main__":
    grow()
    sys.stdout.write(f"{json.dumps(answers(*sys.argv[1:]))}\n")
