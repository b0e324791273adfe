"""Sources of an incident: append one or its claims, remove one."""

from flask import Blueprint, Response, current_app

from api.core.errors import ApiError, not_found
from api.database.engines import db
from api.http import authentication, conditional, request_bodies
from api.http.openapi import MADE, WRITTEN, answer, body_of, ref
from api.http.query_strings import load
from api.records import access, sources
from api.records.results import WriteResult
from api.routes import record_writes
from api.routes.record_paths import record_id
from schemas.decisions import RemovalSchema
from schemas.fields import read_id
from schemas.incident import NewSourceSchema
from schemas.query.requests import AmendQuery, SourceDeleteQuery

blueprint = Blueprint("sources", __name__, url_prefix="/api/v1/incidents/<id_>/sources")

_OWN = "edit and withdraw own drafts"
_schema = NewSourceSchema()


@blueprint.post("")
@record_writes.describe(
    "incidents",
    body=body_of(NewSourceSchema),
    answers={
        201: answer("Incident", MADE),
        200: answer("Incident", WRITTEN, description="Nothing was to be added."),
    },
    permission=_OWN,
    if_match=True,
    idempotent=True,
    problems=("not-found", "record-withdrawn", "gone"),
)
def add_source(id_: str) -> Response:
    """Add a source to an incident, or claims to a source that it has.

    Claims go to the source with the same article and locator; where the locator is left out, to
    the one source of that article. `adopt` makes the posted claim on a field its headline.
    """
    actor = authentication.require(_OWN)
    options = load(AmendQuery)
    key = record_id(id_)
    body = request_bodies.json_object()
    data = _schema.load(body.value)

    def work() -> WriteResult:
        session = db.session()
        record = access.get_for_update(session, key, actor, conditional.if_match(data))
        result = sources.append(session, record, data, actor, reason=data.get("reason"))
        _check_size(result)
        return result

    dry_run = options.get("dry_run", False)
    return record_writes.answer(
        work, dry_run=dry_run, would="add", once_for=(actor, body), status=201
    )


def _check_size(result: WriteResult) -> None:
    """Refuse to let a record grow beyond what a client could send back."""
    most = current_app.config["MAX_BODY"]
    size = len(result.document.encode())
    if size > most:
        raise ApiError("too-large", f"The record would have {size:,} bytes; {most:,} are taken.")


@blueprint.delete("/<article_id>")
@record_writes.describe(
    "incidents",
    query=SourceDeleteQuery,
    body=body_of(RemovalSchema, optional=True),
    answers={200: answer("Incident", WRITTEN)},
    permission=_OWN,
    if_match=True,
    problems=("not-found", "record-withdrawn", "gone"),
    path={"article_id": ref("RecordId")},
)
def remove_source(id_: str, article_id: str) -> Response:
    """Remove the sources of an article from an incident, with their claims.

    All that cite the article go, or the one at `locator`. Headlines stand as they are.
    """
    actor = authentication.require(_OWN)
    options = request_bodies.with_options(load(SourceDeleteQuery), RemovalSchema)
    key, article = record_id(id_), read_id(article_id)
    if article is None:
        raise not_found(f"There is no article {article_id[:40]!r}: an id has 10 characters.")

    def work() -> WriteResult:
        record = access.get_for_update(db.session(), key, actor, conditional.if_match(options))
        locator, reason = options.get("locator"), options.get("reason")
        return sources.remove(db.session(), record, article, actor, locator=locator, reason=reason)

    return record_writes.answer(work, dry_run=options.get("dry_run", False), would="remove")
