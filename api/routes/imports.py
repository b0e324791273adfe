"""Imports: many records at once, listed, and undone as a whole."""

from flask import Blueprint, Response
from marshmallow import ValidationError

from api.database.engines import db
from api.http import authentication, idempotency, request_bodies
from api.http.openapi import READ, answer, body_of, list_of, object_of, operation
from api.http.openapi.schema_builders import JsonSchema, component
from api.http.query_strings import load
from api.http.responses import json, next_address
from api.imports import imports_log, reverting
from api.models import feed
from api.queries import cursors
from api.routes import bulk_create
from schemas.decisions import ReasonSchema
from schemas.errors import ErrorDetail
from schemas.query.filters import DEFAULT_LIMIT
from schemas.query.parameters import NoQuery
from schemas.query.requests import BulkQuery, ImportsQuery

blueprint = Blueprint("imports", __name__, url_prefix="/api/v1/imports")

_TEXT: JsonSchema = {"type": "string"}
_TEXT_OR_NULL: JsonSchema = {"type": ["string", "null"]}
_WHOLE: JsonSchema = {"type": "integer", "minimum": 0}
_TIME: JsonSchema = {"type": "string", "format": "date-time"}
_IMPORT = component(
    "Import",
    object_of(
        "An import: whose it is, when it was made, what became of its lines.",
        id=_TEXT,
        at=_TIME,
        actor={"type": "string", "description": "The key's name."},
        role=_TEXT,
        file={**_TEXT_OR_NULL, "description": "The name of the file of the `import` command."},
        reason=_TEXT_OR_NULL,
        created=_WHOLE,
        changed=_WHOLE,
        unchanged=_WHOLE,
        skipped=_WHOLE,
        duplicates=_WHOLE,
        number_of_warnings=_WHOLE,
        reverted_at={"type": ["string", "null"], "format": "date-time"},
    ),
)
_IMPORTS = component(
    "Imports",
    object_of(
        "A page of imports.",
        data=list_of(_IMPORT),
        next={**_TEXT_OR_NULL, "description": "Address of the following page, or null."},
    ),
)
_REVERTED = component(
    "Reverted",
    object_of(
        "What undoing an import did.",
        withdrawn={**_WHOLE, "description": "Records that it had created."},
        restored={**_WHOLE, "description": "Records that it had changed."},
        kept=list_of(
            component(
                "KeptRecord",
                object_of("A record that stays as it is, and why.", id="RecordId", why=_TEXT),
            ),
            "Records that stay as they are, the first 1,000.",
        ),
        number_of_kept=_WHOLE,
    ),
)


@blueprint.post("")
@operation(
    "imports",
    query=BulkQuery,
    body=bulk_create.BODY,
    answers={200: bulk_create.ANSWER},
    permission="post drafts",
    idempotent=True,
    problems=(
        "duplicate",
        "id-taken",
        "quota-reached",
        "version-stale",
        "record-withdrawn",
        "gone",
    ),
)
def create_import() -> Response:
    """Create or change many incidents: all or none, unless bad lines are to be skipped."""
    actor = authentication.require("post drafts")
    options = load(BulkQuery)
    form = request_bodies.form_of_many()
    if form is None:
        request_bodies.json_object()
        detail = "This is one object; it takes a list of records, or NDJSON or CSV."
        raise ValidationError({"_schema": [ErrorDetail("wrong_type", detail)]})
    return bulk_create.import_incidents(form, actor, options)


@blueprint.get("")
@operation(
    "imports",
    query=ImportsQuery,
    answers={200: answer(_IMPORTS, READ)},
    permission="post drafts",
)
def list_imports() -> Response:
    """List the imports, the newest first; a contributor sees its own."""
    actor = authentication.require("post drafts")
    options = load(ImportsQuery)
    session = db.session()
    data, following = imports_log.listing(
        session,
        actor,
        before=cursors.read_number(options.get("cursor")) or None,
        limit=options.get("limit", DEFAULT_LIMIT),
    )
    cursor = None if following is None else cursors.write_number(following)
    next_page = next_address(cursor)
    return json(
        {"data": data, "next": next_page},
        dataset_version=feed.dataset_version(session),
        private=True,
        next_page=next_page,
    )


@blueprint.post("/<id_>/revert")
@operation(
    "imports",
    body=body_of(ReasonSchema, optional=True),
    answers={200: answer(_REVERTED, ["Dataset-Version"])},
    permission="edit and withdraw own drafts",
    problems=("not-found",),
)
def revert_import(id_: str) -> Response:
    """Undo an import: withdraw what it created, restore what it changed unless changed since.

    Records are taken in batches. Sent again, it goes on where it was cut off, or is answered as
    the first time.
    """
    actor = authentication.require("edit and withdraw own drafts")
    load(NoQuery)
    idempotency.key()  # is not needed, and not ignored either
    data = ReasonSchema().load(request_bodies.optional_object().value)
    outcome = reverting.revert(id_, actor, data.get("reason"))
    return json(outcome, dataset_version=feed.version_after_write(), private=True)
