"""Incidents: list, create, read, replace, amend, withdraw, restore."""

from flask import Blueprint, Response

from api.core.errors import not_found
from api.database.engines import db, reader
from api.database.transactions import transaction
from api.documents import FIELDS, select_fields
from api.exports.formats import registry
from api.exports.formats.registry import Format
from api.http import (
    authentication,
    conditional,
    negotiation,
    request_bodies,
    responses,
)
from api.http.openapi import (
    MADE,
    READ,
    WRITTEN,
    answer,
    any_of,
    body_of,
    operation,
)
from api.http.query_strings import load, load_query
from api.http.read_warnings import show_warnings
from api.models import feed
from api.queries import history, pages
from api.queries.resolver import resolve
from api.records import access, verbs
from api.records.results import WriteResult
from api.routes import bulk_create, list_exports, record_writes
from schemas import incident, record_state
from schemas.fields import read_id
from schemas.incident import IncidentSchema
from schemas.query.filters import IncidentQuery
from schemas.query.requests import AmendQuery, CreateQuery, DeleteQuery, ItemQuery

blueprint = Blueprint("incidents", __name__, url_prefix="/api/v1")

_OWN = "edit and withdraw own drafts"
_CHANGED = {200: answer(any_of("Incident", "DryRun"), WRITTEN)}
_COMPLETE = body_of(IncidentSchema, required=(*record_state.REQUIRED, "communities"))
_NAMED = body_of(IncidentSchema, media_types=request_bodies.PATCH_TYPES, name="IncidentPatch")
MOVED = {308: answer(None, ["Location"], description="The record was merged into another one.")}


def record_id(text: str) -> str:
    """Read an id from the path; one that is none leads nowhere."""
    found = read_id(text)
    if found is None:
        raise not_found(f"There is no incident {text[:40]!r}: an id has 10 characters.")
    return found


@blueprint.get("/incidents")
@operation(
    "incidents",
    query=IncidentQuery,
    answers=list_exports.ANSWERS,
    problems=list_exports.PROBLEMS,
    allowed={"fields": list_exports.FIELDS},
)
def list_incidents() -> Response:
    """List, filter and page incidents, or export them in the format that is asked for."""
    return _list(negotiation.choose(registry.INCIDENTS))


@blueprint.get("/incidents.<suffix>")
@operation(
    "incidents",
    query=IncidentQuery,
    answers=list_exports.ANSWERS,
    problems=("not-found", *list_exports.PROBLEMS),
    path={"suffix": {"type": "string", "enum": list(registry.INCIDENTS)}},
    allowed={"fields": list_exports.FIELDS},
)
def export_incidents(suffix: str) -> Response:
    """Export all incidents that match: as `.csv`, `.geojson` or `.ndjson`; `.json` is the list."""
    return _list(negotiation.choose(registry.INCIDENTS, suffix))


def _list(format_: Format) -> Response:
    actor = authentication.actor()
    query = resolve(load_query(IncidentQuery, format_.fields), actor)
    show_warnings(query.warnings)
    private = actor.pk is not None and query.criteria.get("status") != ["published"]
    if not private and (same := responses.held(suffix=format_.tag)):
        return same
    if format_ is not registry.JSON:
        return list_exports.send(
            "incidents",
            format_,
            query,
            page=lambda: pages.page(reader(), query, actor),
            batches=lambda: pages.batches(reader(), query, actor),
            key=None if private else query.identity,
        )
    found = pages.page(reader(), query, actor)
    return responses.page(found, fields=query.fields, private=private)


@blueprint.get("/incidents/<id_>")
@operation(
    "incidents",
    query=ItemQuery,
    answers={200: answer(any_of("Incident", "SparseIncident"), READ), **MOVED},
    problems=("not-found", "gone"),
    allowed={"fields": sorted(FIELDS)},
)
def read_incident(id_: str) -> Response:
    """Read one incident, as it stands or as it stood."""
    query = load_query(ItemQuery, FIELDS)
    actor = authentication.actor()
    found = history.current(reader(), record_id(id_), actor)
    if found.moved_to is not None:
        return responses.moved(found.moved_to)
    document, version = found.document, found.version
    if "as_of" in query.criteria:
        version = history.as_of(reader(), found, query.criteria["as_of"])
        document = history.read_version(reader(), found, version)
    if query.fields is not None:
        document = select_fields(document, query.fields)
    return responses.record(document, version, found.dataset_version, private=found.private(actor))


@blueprint.post("/incidents")
@operation(
    "incidents",
    query=CreateQuery,
    body=body_of(
        IncidentSchema,
        required=(*record_state.REQUIRED, "communities"),
        also={media_type: {"type": "string"} for media_type in request_bodies.MANY_TYPES},
    ),
    answers={
        201: answer("Incident", MADE),
        200: answer(
            any_of("DryRun", "ImportSummary"),
            ["Dataset-Version"],
            description="What became of many records, or what would happen.",
        ),
    },
    permission="post drafts",
    idempotent=True,
    problems=("duplicate", "id-taken", "version-stale", "record-withdrawn", "gone"),
)
def create_incident() -> Response:
    """Create an incident, or many: published by an editor, drafts by a contributor.

    A list of records, NDJSON or CSV creates all of them or none: the answer counts them, a refusal
    names every fault with its line.
    """
    actor = authentication.require("post drafts")
    options = load(CreateQuery)
    form = request_bodies.form_of_many()
    if form is not None:
        return bulk_create.import_incidents(form, actor, options)
    bulk_create.refuse_options_of_many(options)
    types = (*request_bodies.JSON_TYPES, *request_bodies.MANY_TYPES)
    body = request_bodies.json_object(types)
    named = incident.load(body.value)
    status = access.initial_status(named, actor)

    dry_run = options.get("dry_run", False)
    allow_duplicate = options.get("allow_duplicate", False)

    def work() -> WriteResult:
        return verbs.create(
            db.session(),
            named,
            actor,
            status=status,
            allow_duplicate=allow_duplicate or dry_run,
            reason=named.get("reason"),
        )

    if dry_run:
        result = record_writes.undone(work)
        refused = result.similar and not allow_duplicate
        return responses.tried(result, "refuse" if refused else "create")
    return record_writes.answer(work, actor, body, dry_run=False, would="create", status=201)


@blueprint.put("/incidents/<id_>")
@operation(
    "incidents",
    query=AmendQuery,
    body=_COMPLETE,
    answers=_CHANGED,
    permission=_OWN,
    if_match=True,
    problems=("not-found", "record-withdrawn", "gone"),
)
def replace_incident(id_: str) -> Response:
    """Replace an incident: what is not named is emptied."""
    return _amend(id_, request_bodies.JSON_TYPES, replace=True)


@blueprint.patch("/incidents/<id_>")
@operation(
    "incidents",
    query=AmendQuery,
    body=_NAMED,
    answers=_CHANGED,
    permission=_OWN,
    if_match=True,
    problems=("not-found", "record-withdrawn", "gone"),
)
def amend_incident(id_: str) -> Response:
    """Amend an incident by a merge patch (RFC 7396)."""
    return _amend(id_, request_bodies.PATCH_TYPES, replace=False)


def _amend(id_: str, types: tuple[str, ...], *, replace: bool) -> Response:
    actor = authentication.require(_OWN)
    options = load(AmendQuery)
    key = record_id(id_)
    named = incident.load(request_bodies.json_object(types).value)
    with transaction() as session:
        record = access.get_for_update(session, key, actor, conditional.if_match(named))
        if named.get("status", record["status"]) != record["status"]:
            authentication.require("set a status")
        result = verbs.amend(
            session, record, named, actor, replace=replace, reason=named.get("reason")
        )
        if options.get("dry_run", False):
            session.rollback()
            return responses.tried(result, "change" if result.changed else "leave unchanged")
    return responses.written(result, 200, feed.version_after_write())


@blueprint.delete("/incidents/<id_>")
@operation(
    "incidents",
    query=DeleteQuery,
    answers={204: answer(None, ["Dataset-Version"], description="The record is withdrawn.")},
    permission=_OWN,
    if_match=True,
    problems=("not-found", "record-withdrawn", "gone"),
)
def withdraw_incident(id_: str) -> Response:
    """Withdraw an incident; its id then answers 410 with the code and the date."""
    actor = authentication.require(_OWN)
    options = load(DeleteQuery)
    with transaction() as session:
        record = access.get_for_update(session, record_id(id_), actor, conditional.if_match())
        verbs.withdraw(
            session,
            record,
            actor,
            code=options.get("code", "error"),
            reason=options.get("reason"),
        )
    return responses.nothing(feed.version_after_write())
