"""Versions: the history of an incident, one version of it, and restoring."""

from flask import Blueprint, Response

from api import versions
from api.db import reader
from api.http import answers, keys
from api.http.openapi import READ, answer, list_of, object_of, operation
from api.http.parameters import load
from api.refusals import not_found
from api.routes.incidents import record_id
from schemas.query import NoQuery

blueprint = Blueprint("versions", __name__, url_prefix="/api/v1/incidents/<id_>/versions")


@blueprint.get("")
@operation(
    "history",
    answers={200: answer(object_of(data=list_of("VersionEntry")), READ)},
    problems=("not-found", "gone"),
)
def list_versions(id_: str) -> Response:
    """List the versions of an incident: who made each, when and why."""
    load(NoQuery)
    actor = keys.actor()
    found = versions.find(reader(), record_id(id_), actor)
    return answers.plain(
        {"data": versions.history(reader(), found, actor)},
        dataset_version=found.dataset_version,
        etag=f'"{found.version}"',
        private=found.private(actor),
    )


@blueprint.get("/<number>")
@operation(
    "history",
    answers={200: answer("Incident", READ)},
    problems=("not-found", "gone"),
    path={"number": {"type": "integer", "minimum": 1}},
)
def read_version(id_: str, number: str) -> Response:
    """Read one version of an incident as it was."""
    load(NoQuery)
    actor = keys.actor()
    found = versions.find(reader(), record_id(id_), actor)
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise not_found(f"There is no version {number[:40]!r} of this incident.")
    document = versions.one(reader(), found, int(number), actor)
    return answers.record(
        document, int(number), found.dataset_version, private=found.private(actor)
    )
