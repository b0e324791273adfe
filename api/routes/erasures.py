"""Erasure: taking content out of a record or an article, from every version."""

from flask import Blueprint, Response, current_app

from api import documents
from api.database.engines import db
from api.database.transactions import transaction
from api.exports import exporter, releases
from api.http import authentication, conditional, request_bodies, responses
from api.http.openapi import WRITTEN, answer, body_of, operation
from api.http.query_strings import load
from api.models import feed
from api.records import access, erasures, references
from api.records.references import ARTICLES
from api.routes.incidents import record_id
from schemas.erasure import EraseArticleSchema, EraseSchema
from schemas.query.requests import NoQuery

blueprint = Blueprint("erasures", __name__, url_prefix="/api/v1")

_ERASED = answer(
    None, ["Dataset-Version", "Warnings"], description="The record is erased as a whole."
)
_CODE = "safety"


def _tell() -> None:
    """Drop the files that may hold what was erased, and note it for backups."""
    exporter.purge()
    releases.tidy(db.session())
    try:
        erasures.write_log(db.session())
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
    named = EraseSchema().load(request_bodies.json_object().value)
    fields, code = named.get("fields"), named.get("code", _CODE)
    with transaction() as session:
        record = access.get_for_update(
            session, record_id(id_), actor, conditional.if_match(named), restoring=True
        )
        if fields:
            result = erasures.erase_fields(session, record, fields, actor, code=code)
        else:
            result = erasures.erase_incident(session, record, actor, code=code)
        releases.revise(session, erasures.list_entries(session)[-1])
    _tell()
    if not fields:
        return responses.nothing(feed.version_after_write(), result.warnings)
    return responses.written(result, 200, feed.version_after_write())


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
    named = EraseArticleSchema().load(request_bodies.json_object().value)
    key = record_id(id_)
    with transaction() as session:
        article = references.require_version(
            references.find(session, ARTICLES, key), ARTICLES, key, conditional.if_match(named)
        )
        document = erasures.erase_article(
            session, article, named.get("fields") or (), actor, code=named.get("code", _CODE)
        )
        releases.revise(session, erasures.list_entries(session)[-1])
    _tell()
    return responses.made(documents.dump(document), 200, feed.version_after_write())
