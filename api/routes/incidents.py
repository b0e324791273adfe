"""Incidents: list, create, read, replace, amend, withdraw."""

from functools import partial
from typing import Any

from flask import Blueprint, Response
from marshmallow import Schema

from api import documents
from api.core.permissions import Actor
from api.database.engines import db, reader
from api.database.transactions import transaction
from api.documents import FIELDS, select_fields
from api.exports.formats import csv, registry
from api.exports.formats.citations import of_record
from api.http import authentication, conditional, negotiation, request_bodies
from api.http.openapi import MADE, READ, WRITTEN, answer, body_of, either_of, operation, page_of
from api.http.query_strings import load, load_query
from api.http.read_warnings import show_warnings
from api.http.request_bodies import Body
from api.http.responses import etag_of, no_content, origin, respond
from api.models import feed
from api.queries import history, pages
from api.queries.resolver import resolve
from api.records import access, foresight, verbs
from api.records.results import Row, WriteResult
from api.routes import bulk_create, citations, list_exports, record_writes, responses
from api.routes.record_paths import MOVED, record_id
from schemas import incident, record_state
from schemas.decisions import WithdrawalSchema
from schemas.incident import IncidentSchema
from schemas.query.parameters import NoQuery
from schemas.query.requests import (
    AmendQuery,
    BulkQuery,
    CreateQuery,
    DeleteQuery,
    ItemQuery,
    TryQuery,
)

blueprint = Blueprint("incidents", __name__, url_prefix="/api/v1")

_OWN = "edit and withdraw own drafts"
_CHANGED = {200: answer("Incident", WRITTEN)}
_REQUIRED = (*record_state.REQUIRED, "communities")
_COMPLETE = body_of(IncidentSchema, required=_REQUIRED)
_CORRECTION = body_of(IncidentSchema, required=["corrects"], name="CorrectionInput")
_PATCH = body_of(IncidentSchema, media_types=[request_bodies.MERGE_PATCH], name="IncidentPatch")
_CHANGE_PROBLEMS = ("not-found", "record-withdrawn", "gone")


@blueprint.get("/incidents")
@list_exports.describe_list(
    "incidents",
    list_exports.INCIDENT_QUERY,
    page_of("Incident"),
    registry.INCIDENTS,
)
def list_incidents() -> Response:
    """List, filter and page incidents.

    A suffix of the address exports all that match: `/incidents.csv`, `/incidents.geojson`,
    `/incidents.ndjson`. So do `format=csv` and `Accept: text/csv` here.
    """
    return _list()


def _list(suffix: str | None = None) -> Response:
    format_ = negotiation.choose(registry.INCIDENTS, suffix)
    actor = authentication.actor()
    query = resolve(load_query(list_exports.INCIDENT_QUERY, format_.fields), actor)
    show_warnings(query.warnings)
    return list_exports.respond(
        "incidents",
        format_,
        query,
        page=lambda: pages.page(reader(), query, actor),
        batches=lambda: pages.batches(reader(), query, actor),
        private=responses.may_show_drafts(actor, query),
    )


list_exports.add_exports(
    blueprint, "incidents", list_exports.INCIDENT_QUERY, registry.INCIDENTS, _list
)


@blueprint.get("/incidents/template.csv")
@operation(
    "imports",
    answers={200: answer({"type": "string"}, READ, media_types=["text/csv"])},
)
def read_template() -> Response:
    """Send the header of a CSV file with every column that a new row can have."""
    load(NoQuery)
    body = b"".join(csv.table(csv.INPUT_COLUMNS, ()))
    response = respond(
        body,
        etag=etag_of(body),
        dataset_version=feed.dataset_version(db.session()),
        media_type=csv.FORMAT.media_type,
    )
    if response.status_code == 200:
        response.headers["Content-Disposition"] = 'attachment; filename="incidents-template.csv"'
    return response


_ITEM_QUERY = Schema.from_dict(
    {**ItemQuery._declared_fields, "format": citations.parameter()}, name="ItemQuery"
)


@blueprint.get("/incidents/<id_>")
@operation(
    "incidents",
    query=_ITEM_QUERY,
    answers={200: answer("Incident", READ), **MOVED},
    problems=("not-found", "not-acceptable", "gone"),
    allowed={"fields": sorted(FIELDS)},
    in_words=["fields", "format"],
    other_answers=citations.ANSWERS,
)
def read_incident(id_: str) -> Response:
    """Read one incident, as it stands or as it stood, or its citation."""
    format_ = citations.wanted()
    query = load_query(_ITEM_QUERY, FIELDS if format_ is None else frozenset())
    actor = authentication.actor()
    record = history.current(reader(), record_id(id_), actor)
    if record.moved_to is not None:
        return responses.merged_into(record.moved_to)
    document, version = record.document, record.version
    if "as_of" in query.criteria:
        version = history.as_of(reader(), record, query.criteria["as_of"])
        document = history.read_version(reader(), record, version)
    private = record.private(actor)
    if format_ is not None:
        page = f"{origin()}/incidents/{record.id}"
        return citations.answer(
            format_,
            lambda: of_record(documents.load(document), page, record.dataset_version),
            etag=conditional.etag(version, f"{format_.tag}-{record.dataset_version}"),
            dataset_version=record.dataset_version,
            private=private,
        )
    if query.fields is not None:
        document = select_fields(document, query.fields)
    return responses.record(document, version, record.dataset_version, private=private)


_describe_create = partial(
    operation,
    "incidents",
    body=either_of("NewIncident", _COMPLETE, _CORRECTION),
    permission="post drafts",
    idempotent=True,
)
_CREATE_PROBLEMS = (
    "duplicate",
    "id-taken",
    "quota-reached",
    "version-stale",
    "record-withdrawn",
    "gone",
)


@blueprint.post("/incidents")
@_describe_create(
    query=CreateQuery,
    answers={201: answer("Incident", MADE)},
    problems=_CREATE_PROBLEMS,
    in_words=[*BulkQuery._declared_fields],
    other_answers=[record_writes.DRY_RUN, bulk_create.ANSWER],
)
def create_incident() -> Response:
    """Create an incident: published by an editor, a draft by a contributor.

    A draft that `corrects` a record is a merge patch on it: what it does not name stays.
    Many records at once go to `/imports`; a list of them, NDJSON or CSV is taken here too, and
    answered as there.
    """
    actor = authentication.require("post drafts")
    options = load(CreateQuery)
    form = request_bodies.form_of_many()
    if form is not None:
        return bulk_create.import_incidents(form, actor, options)
    bulk_create.refuse_options_of_many(options)
    types = (*request_bodies.JSON_TYPES, *request_bodies.MANY_TYPES)
    return _create(actor, request_bodies.json_object(types), options)


@blueprint.post("/incidents/dry-run")
@_describe_create(query=TryQuery, answers={200: record_writes.DRY_RUN}, problems=_CREATE_PROBLEMS)
def try_incident() -> Response:
    """Say what creating an incident would do, and write nothing.

    `record` is the record that would be made, `similar` are those like it that are there.
    """
    actor = authentication.require("post drafts")
    options = load(TryQuery)
    return _create(actor, request_bodies.json_object(), {**options, "dry_run": True})


def _create(actor: Actor, body: Body, options: dict[str, Any]) -> Response:
    data: Row = incident.load(body.value)
    dry_run = options.get("dry_run", False)
    duplicate = options.get("allow_duplicate", False)
    foresight.look_up_place(db.session(), data)
    work = partial(
        verbs.create,
        db.session(),
        data,
        actor,
        status=access.initial_status(data, actor),
        allow_duplicate=duplicate or dry_run,
        reason=data.get("reason"),
    )

    def would(result: WriteResult) -> str:
        return "refuse" if result.similar and not duplicate else "create"

    return record_writes.answer(
        work, dry_run=dry_run, would=would, once_for=(actor, body), status=201
    )


@blueprint.put("/incidents/<id_>")
@record_writes.describe(
    "incidents",
    body=_COMPLETE,
    answers=_CHANGED,
    permission=_OWN,
    if_match=True,
    problems=_CHANGE_PROBLEMS,
)
def replace_incident(id_: str) -> Response:
    """Replace an incident: what is not named is emptied."""
    return _amend(id_, request_bodies.JSON_TYPES, replace=True)


@blueprint.patch("/incidents/<id_>")
@record_writes.describe(
    "incidents",
    body=_PATCH,
    answers=_CHANGED,
    permission=_OWN,
    if_match=True,
    problems=_CHANGE_PROBLEMS,
)
def amend_incident(id_: str) -> Response:
    """Amend an incident by a merge patch (RFC 7396)."""
    return _amend(id_, request_bodies.PATCH_TYPES, replace=False)


def _amend(id_: str, types: tuple[str, ...], *, replace: bool) -> Response:
    actor = authentication.require(_OWN)
    options = load(AmendQuery)
    key = record_id(id_)
    data = incident.load(request_bodies.json_object(types).value)
    foresight.look_up_place(db.session(), data, key, replace=replace)

    def work() -> WriteResult:
        session = db.session()
        record = access.get_for_update(session, key, actor, conditional.if_match(data))
        if data.get("status", record["status"]) != record["status"]:
            authentication.require("set a status")
        reason = data.get("reason")
        return verbs.amend(session, record, data, actor, replace=replace, reason=reason)

    return record_writes.answer(work, dry_run=options.get("dry_run", False), would="change")


@blueprint.delete("/incidents/<id_>")
@operation(
    "incidents",
    query=DeleteQuery,
    body=body_of(WithdrawalSchema, optional=True),
    answers={204: answer(None, ["Dataset-Version"], description="The record is withdrawn.")},
    permission=_OWN,
    if_match=True,
    problems=_CHANGE_PROBLEMS,
)
def withdraw_incident(id_: str) -> Response:
    """Withdraw an incident; its id then answers 410 with the code and the date.

    `code` and `reason` are given by query or in the body.
    """
    actor = authentication.require(_OWN)
    options = request_bodies.with_options(load(DeleteQuery), WithdrawalSchema)
    with transaction() as session:
        expected = conditional.if_match(options)
        record = access.get_for_update(session, record_id(id_), actor, expected)
        verbs.withdraw(
            session,
            record,
            actor,
            code=options.get("code", "error"),
            reason=options.get("reason"),
        )
    return no_content(feed.version_after_write())
