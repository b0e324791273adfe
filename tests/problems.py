"""What every error has to be: one shape, our own words, and a type whose page exists."""

import json
import re

from api.http.problems import PROBLEM_TYPES

MEMBERS = {"type", "title", "status", "detail", "instance", "errors"}
# What some kinds of problems say besides.
MORE = {
    "duplicate": {"similar"},
    "gone": {"code", "withdrawn_at"},
    "precondition-required": {"version"},
    "version-stale": {"version"},
    "record-withdrawn": {"version"},
    "address-taken": {"id"},
    "name-taken": {"id"},
    # of many records
    "malformed-json": {"faults"},
    "validation-error": {"faults", "missing", "number_of_missing", "warnings"},
}
FAULT_MEMBERS = {"pointer", "parameter", "line", "code", "detail"}
FAULT_HELP = {"suggestion", "suggestions", "allowed", "candidates", "offset", "shown"}
# What a library would say; our own words do without.
_FOREIGN = re.compile(
    r"(?i:sqlalche|sqlite3|psycopg|traceback|exception|werkzeug|marshmallow)|\b(None|True|False)\b"
    r"|<class|object at 0x|Not a valid|Missing data|Unknown field\.|Field may not|Errno|codec can"
)


def problem_of(answer, status=None, kind=None):
    """Return the body of ANSWER, having checked that it is a problem in the one shape of all."""
    assert 400 <= answer.status_code < 600, (answer.status_code, answer.data[:300])
    assert answer.content_type == "application/problem+json", answer.content_type
    body = json.loads(answer.data)
    name = body["type"].removeprefix("/problems/")
    row = PROBLEM_TYPES[name]
    assert body.keys() - MORE.get(name, set()) == MEMBERS, body
    assert (body["status"], body["title"]) == (row.status, row.title)
    assert answer.status_code == row.status
    assert isinstance(body["detail"], str)
    assert body["detail"]
    assert re.fullmatch(r"/[!-~]*", body["instance"]), body["instance"]
    for fault in body["errors"]:
        assert len(fault.keys() & {"pointer", "parameter"}) == 1, fault
        assert {"code", "detail"} <= fault.keys() <= FAULT_MEMBERS | FAULT_HELP, fault
        assert re.fullmatch(r"[a-z0-9_]+", fault["code"]), fault
        assert re.match(r"(/|$)", fault.get("pointer", "")), fault
    if name == "validation-error":
        assert body["errors"], body
    said = [body["detail"], *(fault["detail"] for fault in body["errors"])]
    assert not [text for text in said if _FOREIGN.search(text)], said
    assert answer.headers["X-Request-Id"]
    assert answer.headers["Cache-Control"] == "no-store"
    if status is not None:
        assert answer.status_code == status, body
    if kind is not None:
        assert name == kind, body
    return body


def fault_pointers(body):
    """Return the pointers or parameters of the faults that a problem names."""
    return [fault.get("parameter", fault.get("pointer")) for fault in body["errors"]]
