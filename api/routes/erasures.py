"""Erasure: taking content out of a record, or of what records refer to, from every version."""

from functools import partial
from typing import Any

from flask import Blueprint, Response
from marshmallow import Schema

from api import documents
from api.core.errors import not_found
from api.core.preconditions import check_version
from api.database import sqlite
from api.database.engines import db
from api.exports import exporter, releases
from api.http import authentication, conditional, request_bodies
from api.http.openapi import WRITTEN, answer, body_of, operation, ref
from api.http.query_strings import load
from api.http.responses import ascii_json, no_content
from api.models import feed
from api.records import (
    access,
    article_erasures,
    erasures,
    reference_erasures,
    references,
)
from api.records.erasure_log import erasing
from api.records.references import ARTICLES, COMMUNITIES, EPISODES, PLACES, Kind
from api.routes import responses
from api.routes.record_paths import record_id
from api.routes.references import key_of
from schemas.erasure import EraseArticleSchema, ErasePlaceSchema, EraseSchema, EraseTermSchema
from schemas.query.parameters import NoQuery

blueprint = Blueprint("erasures", __name__, url_prefix="/api/v1")

_GONE = ["Dataset-Version", "Warnings"]
_ERASED = answer(None, _GONE, description="The record is erased as a whole.")
_NOTHING_LEFT = answer(None, _GONE, description="Nothing is left of it, or it was deleted before.")
_CODE = "safety"
_NOT_NOTED = "erasure-not-noted"
_describe = partial(operation, "erasure", permission="erase", if_match=True)


def _purge() -> list[dict[str, Any]]:
    """Drop the files that may hold what was erased; return warnings of those that are left."""
    exporter.purge()
    releases.tidy(db.session())
    return [
        {
            "pointer": "",
            "code": "held_by_backup",
            "detail": f"{path.name}, a backup made before an upgrade, may hold it still; it lies "
            "beside the database, and is to be removed.",
        }
        for path in sqlite.copies_before_upgrades(db.engine.url)
    ]


@blueprint.post("/incidents/<id_>/erase")
@_describe(
    body=body_of(EraseSchema),
    answers={200: answer("Incident", WRITTEN), 204: _ERASED},
    problems=("not-found", "gone", _NOT_NOTED),
)
def erase_incident(id_: str) -> Response:
    """Erase a record from every version, or only the fields that are named.

    `reason` takes out why its versions were made, `review` why it was rejected.
    """
    actor = authentication.require("erase")
    load(NoQuery)
    data = EraseSchema().load(request_bodies.json_object().value)
    fields, code = data.get("fields"), data.get("code", _CODE)
    key = record_id(id_)
    about = {"resource": "incident", "id": key, "fields": fields}
    with releases.revising(about) as revise, erasing() as session:
        record = access.get_for_update(
            session, key, actor, conditional.if_match(data), restoring=True
        )
        if fields:
            result = erasures.erase_fields(session, record, fields, actor, code=code)
        else:
            result = erasures.erase_incident(session, record, actor, code=code)
        revise(session)
    result.warnings = [*result.warnings, *_purge()]
    if not fields:
        return no_content(feed.version_after_write(), result.warnings)
    return responses.written(result)


def _erase_reference(kind: Kind, schema: type[Schema], key: str) -> Response:
    """Erase what is held of one of KIND, deleted or not, and answer with what is left of it."""
    actor = authentication.require("erase")
    load(NoQuery)
    data = schema().load(request_bodies.json_object().value)
    fields, code = data.get("fields") or (), data.get("code", _CODE)
    about = {"resource": kind.resource, "id": key, "fields": list(fields) or None}
    with releases.revising(about) as revise, erasing() as session:
        version = references.last_version(session, kind, key)
        if not version:
            raise not_found(f"There is no {kind.resource} {key[:40]!r}.")
        check_version(version, conditional.if_match(data), "It")
        if kind is ARTICLES:
            reference_erasures.require_few_citing(session, key)
        erased = reference_erasures.erase(session, kind, key, fields, actor, code=code)
        revise(session)
    if erased.traces is not None:
        article_erasures.finish(erased.traces, actor)
    warnings = _purge()
    if erased.document is None:
        return no_content(feed.version_after_write(), warnings)
    response = responses.reference(documents.dump(erased.document), 200)
    if warnings:
        response.headers["Warnings"] = ascii_json(warnings)
    return response


@blueprint.post("/articles/<id_>/erase")
@_describe(
    body=body_of(EraseArticleSchema),
    answers={200: answer("Article", WRITTEN), 204: _NOTHING_LEFT},
    problems=("not-found", "too-many-records", _NOT_NOTED),
)
def erase_article(id_: str) -> Response:
    """Erase what is held of an article, or only the fields that are named, wherever it shows.

    One that was deleted can be erased too. Records that show it are rewritten in batches, between
    which others write; a request that was cut off is sent again.
    """
    return _erase_reference(ARTICLES, EraseArticleSchema, record_id(id_))


_erase_term = partial(
    _describe,
    body=body_of(EraseTermSchema),
    path={"id_": ref("Slug")},
    problems=("not-found", _NOT_NOTED),
)


@blueprint.post("/communities/<id_>/erase")
@_erase_term(answers={200: answer("Community", WRITTEN), 204: _NOTHING_LEFT})
def erase_community(id_: str) -> Response:
    """Erase what is said of a community, or only the fields that are named; its id stays."""
    return _erase_reference(COMMUNITIES, EraseTermSchema, key_of(COMMUNITIES, id_))


@blueprint.post("/episodes/<id_>/erase")
@_erase_term(answers={200: answer("Episode", WRITTEN), 204: _NOTHING_LEFT})
def erase_episode(id_: str) -> Response:
    """Erase what is said of an episode, or only the fields that are named; its id stays."""
    return _erase_reference(EPISODES, EraseTermSchema, key_of(EPISODES, id_))


@blueprint.post("/places/<id_>/erase")
@_describe(
    body=body_of(ErasePlaceSchema),
    answers={200: answer("AddedPlace", WRITTEN), 204: _NOTHING_LEFT},
    path={"id_": {"type": "string", "example": "geonames-2950159"}},
    problems=("not-found", _NOT_NOTED),
)
def erase_place(id_: str) -> Response:
    """Erase an added place, or the names given to one of GeoNames; records keep what they have."""
    return _erase_reference(PLACES, ErasePlaceSchema, key_of(PLACES, id_))
