"""Erasure: taking content out of a record or an article, from every version."""

from flask import Blueprint, Response, current_app

from api import documents
from api.database.engines import db
from api.database.transactions import transaction
from api.exports import exporter, releases
from api.http import authentication, conditional, request_bodies
from api.http.openapi import WRITTEN, answer, body_of, operation
from api.http.query_strings import load
from api.http.responses import no_content
from api.models import feed
from api.records import access, erasure_log, erasures, references
from api.records.references import ARTICLES
from api.routes import responses
from api.routes.record_paths import record_id
from schemas.erasure import EraseArticleSchema, EraseSchema
from schemas.query.parameters import NoQuery

blueprint = Blueprint("erasures", __name__, url_prefix="/api/v1")

_ERASED = answer(
    None, ["Dataset-Version", "Warnings"], description="The record is erased as a whole."
)
_CODE = "safety"


def _purge() -> None:
    """Drop the files that may hold what was erased, and log it for backups."""
    exporter.purge()
    releases.tidy(db.session())
    try:
        erasure_log.write_log(db.session())
    except OSError:
        # It stands all the same; the next erasure, or the next backup, notes it too.
        current_app.logger.exception("erasures were not noted in ERASURE_LOG")


@blueprint.post("/incidents/<id_>/erase")
@operation(
    "erasure",
    body=body_of(EraseSchema),
    permission="erase",
    if_match=True,
    answers={200: answer("Incident", WRITTEN), 204: _ERASED},
    problems=("not-found", "gone"),
)
def erase_incident(id_: str) -> Response:
    """Erase a record from every version, or only the fields that are named."""
    actor = authentication.require("erase")
    load(NoQuery)
    data = EraseSchema().load(request_bodies.json_object().value)
    fields, code = data.get("fields"), data.get("code", _CODE)
    with transaction() as session:
        record = access.get_for_update(
            session, record_id(id_), actor, conditional.if_match(data), restoring=True
        )
        if fields:
            result = erasures.erase_fields(session, record, fields, actor, code=code)
        else:
            result = erasures.erase_incident(session, record, actor, code=code)
        releases.revise(session, erasure_log.list_entries(session)[-1])
    _purge()
    if not fields:
        return no_content(feed.version_after_write(), result.warnings)
    return responses.written(result)


@blueprint.post("/articles/<id_>/erase")
@operation(
    "erasure",
    body=body_of(EraseArticleSchema),
    permission="erase",
    if_match=True,
    answers={200: answer("Article", WRITTEN)},
    problems=("not-found", "gone"),
)
def erase_article(id_: str) -> Response:
    """Erase what is held of an article, or only the fields that are named, wherever it shows."""
    actor = authentication.require("erase")
    load(NoQuery)
    data = EraseArticleSchema().load(request_bodies.json_object().value)
    key = record_id(id_)
    with transaction() as session:
        article = references.require_version(
            references.find(session, ARTICLES, key), ARTICLES, key, conditional.if_match(data)
        )
        document = erasures.erase_article(
            session, article, data.get("fields") or (), actor, code=data.get("code", _CODE)
        )
        releases.revise(session, erasure_log.list_entries(session)[-1])
    _purge()
    return responses.reference(documents.dump(document), 200)
