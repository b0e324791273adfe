"""Erasure: taking content out of a record or an article, from every version."""

from flask import Blueprint, Response, current_app

from api import documents
from api.database.engines import db, transaction
from api.exports import exporter as exports
from api.exports import releases
from api.http import authentication as keys
from api.http import conditional
from api.http import request_bodies as bodies
from api.http import responses as answers
from api.http.openapi import WRITTEN, answer, body_of, operation
from api.http.query_strings import load
from api.imports import file_import as files
from api.queries import feed
from api.records import erasures, references
from api.records import verbs as records
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
    exports.purge()
    releases.tidy(db.session())
    files.sweep()
    try:
        erasures.keep(db.session())
    except OSError:
        # It stands all the same; the next erasure, or the next backup, notes it too.
        current_app.logger.exception("erasures were not noted in ERASURE_LOG")


@blueprint.post("/incidents/<id_>/erase")
@operation(
    "erasure", body=body_of(EraseSchema), needs="erase", based_on=True,
    answers={200: answer("Incident", WRITTEN), 204: _ERASED}, problems=("not-found", "gone"),
)  # fmt: skip
def erase_incident(id_: str) -> Response:
    """Erase a record from every version, or only the fields that are named."""
    actor = keys.require("erase")
    load(NoQuery)
    named = EraseSchema().load(bodies.json_object().value)
    fields, code = named.get("fields"), named.get("code", _CODE)
    with transaction() as session:
        record = records.locked(
            session, record_id(id_), actor, conditional.based_on(named), restoring=True
        )
        if fields:
            result = erasures.erase_fields(session, record, fields, actor, code=code)
        else:
            result = erasures.erase_incident(session, record, actor, code=code)
        releases.revise(session, erasures.log(session)[-1])
    _tell()
    if not fields:
        return answers.nothing(feed.last_version(), result.warnings)
    return answers.written(result, 200, feed.last_version())


@blueprint.post("/articles/<id_>/erase")
@operation(
    "erasure", body=body_of(EraseArticleSchema), needs="erase", based_on=True,
    answers={200: answer("Article", WRITTEN)}, problems=("not-found", "gone"),
)  # fmt: skip
def erase_article(id_: str) -> Response:
    """Erase what is held of an article, or only the fields that are named, wherever it shows."""
    actor = keys.require("erase")
    load(NoQuery)
    named = EraseArticleSchema().load(bodies.json_object().value)
    key = record_id(id_)
    with transaction() as session:
        article = references.checked(
            references.find(session, ARTICLES, key), ARTICLES, key, conditional.based_on(named)
        )
        document = erasures.erase_article(
            session, article, named.get("fields") or (), actor, code=named.get("code", _CODE)
        )
        releases.revise(session, erasures.log(session)[-1])
    _tell()
    return answers.made(documents.dump(document), 200, feed.last_version())
