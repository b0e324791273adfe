"""Versions: the history of an incident, one version of it, and bringing one back."""

from flask import Blueprint, Response

from api.core.errors import not_found
from api.database.engines import db, reader
from api.http import authentication, conditional, request_bodies
from api.http.openapi import (
    PAGE,
    READ,
    WRITTEN,
    answer,
    any_of,
    body_of,
    component,
    list_of,
    nullable,
    object_of,
    operation,
)
from api.http.openapi.components import INCIDENT_VERSION
from api.http.query_strings import load
from api.queries import cursors, history
from api.records import access, merges, verbs
from api.records.results import WriteResult
from api.routes import record_writes, responses
from api.routes.record_paths import MOVED, record_id
from schemas.incident import RestoreSchema
from schemas.query.filters import MAX_LIMIT
from schemas.query.parameters import NoQuery
from schemas.query.requests import AmendQuery, HistoryQuery

blueprint = Blueprint("versions", __name__, url_prefix="/api/v1/incidents/<id_>/versions")

_restore = RestoreSchema()
_NUMBER = {"type": "integer", "minimum": 1}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_PATCH = list_of(
    component(
        "PatchOperation",
        object_of(
            "One operation of RFC 6902.",
            optional={"value": {"description": "The new value; none where it is removed."}},
            op={"type": "string", "enum": ["add", "remove", "replace"]},
            path={"type": "string", "description": "JSON pointer into the record."},
        ),
    ),
    "What the version changed; null for the first, and where there is no content to compare.",
)
_TIME = {"type": "string", "format": "date-time"}
_CODE = {**_TEXT_OR_NULL, "description": "Why the version withdrew the record."}
_ENTRY = component(
    "VersionEntry",
    object_of(
        "One version of a record: what was done, by whom, when and why.",
        optional={"patch": nullable(_PATCH)},
        version=_NUMBER,
        action={"type": "string"},
        status={"type": "string"},
        code=_CODE,
        actor={"type": "string", "description": "The key's role; editors see its name."},
        at=_TIME,
        reason=_TEXT_OR_NULL,
        import_id={**_TEXT_OR_NULL, "description": "The import that made or undid it."},
    ),
)
_TOMBSTONE = component(
    "VersionTombstone",
    object_of("A version of a withdrawn record.", version=_NUMBER, at=_TIME, code=_CODE),
)
_HISTORY = component(
    "History",
    object_of(
        "Versions of a record, the oldest first.",
        data=list_of(component("HistoryEntry", any_of(_ENTRY, _TOMBSTONE))),
        next={"type": ["string", "null"], "description": "Address of the following page, or null."},
    ),
)


@blueprint.get("")
@operation(
    "history",
    query=HistoryQuery,
    answers={200: answer(_HISTORY, PAGE), **MOVED},
    problems=("not-found",),
)
def list_versions(id_: str) -> Response:
    """List the versions of an incident: who made each, when, why, and what it changed.

    Of a withdrawn incident the public sees numbers, dates and codes only.
    """
    options = load(HistoryQuery)
    actor = authentication.actor()
    record = history.find(reader(), record_id(id_), actor)
    if record.moved_to is not None and not record.sees_everything:
        return responses.merged_into(record.moved_to, "/versions")
    only = history.as_of(reader(), record, options["as_of"]) if "as_of" in options else None
    page = history.history(
        reader(),
        record,
        actor,
        after=cursors.read_version(options.get("cursor")),
        limit=options.get("limit", MAX_LIMIT),
        with_patches=options.get("patch", True),
        only=only,
    )
    return responses.history(page, record, private=record.private(actor))


@blueprint.get("/<number>")
@operation(
    "history",
    answers={200: answer(INCIDENT_VERSION, READ), **MOVED},
    problems=("not-found", "gone"),
    path={"number": _NUMBER},
)
def read_version(id_: str, number: str) -> Response:
    """Read one version of an incident as it was."""
    load(NoQuery)
    actor = authentication.actor()
    record = history.find(reader(), record_id(id_), actor)
    if record.moved_to is not None and not record.sees_everything:
        return responses.merged_into(record.moved_to)
    document = history.read_version(reader(), record, _number(number))
    return responses.record(
        document, int(number), record.dataset_version, private=record.private(actor)
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise not_found(f"There is no version {text[:40]!r} of this incident.")
    return int(text)


@blueprint.post("/<number>/restore")
@record_writes.describe(
    "history",
    body=body_of(RestoreSchema, optional=True),
    answers={200: answer("Incident", WRITTEN)},
    permission="restore",
    if_match=True,
    idempotent=True,
    problems=("not-found", "record-withdrawn", "gone", "not-restorable"),
    path={"number": _NUMBER},
)
def restore_version(id_: str, number: str) -> Response:
    """Bring back what a version held, as a new version; a withdrawal is undone with it.

    Of a merged record the merge is undone: it stands as it did before, whatever the number.
    """
    actor = authentication.require("restore")
    options = load(AmendQuery)
    key, version = record_id(id_), _number(number)
    body = request_bodies.optional_object()
    data = _restore.load(body.value)

    def work() -> WriteResult:
        record = access.get_for_update(
            db.session(), key, actor, conditional.if_match(data), restoring=True
        )
        if record["status"] == "merged":
            return merges.undo(db.session(), record, actor, reason=data.get("reason"))
        return verbs.restore(db.session(), record, actor, number=version, reason=data.get("reason"))

    dry_run = options.get("dry_run", False)
    return record_writes.answer(work, dry_run=dry_run, would="restore", once_for=(actor, body))
