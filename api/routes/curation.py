"""Decisions on whole records: publish, reject, merge; and what looks like the same event."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response
from marshmallow import Schema
from sqlalchemy.orm import Session

from api import documents
from api.core.permissions import Actor
from api.database.engines import db, reader
from api.http import authentication, conditional, request_bodies, responses
from api.http.openapi import (
    PAGE,
    READ,
    WRITTEN,
    answer,
    any_of,
    body_of,
    list_of,
    object_of,
    operation,
)
from api.http.openapi.schema_builders import JsonSchema, Shape, component
from api.http.query_strings import load
from api.models import feed
from api.queries import history
from api.records import access, merges, reviews, similarity
from api.records.results import Row, WriteResult
from api.routes import record_writes
from api.routes.incidents import MOVED, record_id
from schemas.decisions import DecisionSchema, MergeSchema, RejectionSchema
from schemas.query.requests import AmendQuery, NoQuery, PairQuery

blueprint = Blueprint("curation", __name__, url_prefix="/api/v1")

_TEXT: JsonSchema = {"type": "string"}
_FACE: dict[str, Shape] = {
    "id": _TEXT,
    "url": _TEXT,
    "title": _TEXT,
    "date": _TEXT,
    "city": {"type": ["string", "null"]},
}
_ALIKE: dict[str, Shape] = {
    "score": {"type": "number", "minimum": 0, "maximum": 1},
    "reasons": list_of({"type": "string", "enum": list(similarity.WEIGHTS)}),
}


_SIMILAR = component(
    "SimilarIncident", object_of("", {**_FACE, **_ALIKE}, judged_distinct={"type": "boolean"})
)
_PAIR = component("SimilarPair", object_of("", _ALIKE, incidents=list_of(object_of("", _FACE))))
_DECIDED = {200: answer(any_of("Incident", "DryRun"), WRITTEN)}
_REFUSALS = ("not-found", "record-withdrawn", "gone")


def _decide(
    id_: str,
    schema: type[Schema],
    actor: Actor,
    decide: Callable[[Session, Row, dict[str, Any]], WriteResult],
    would: str,
) -> Response:
    """Load the decision, find the record that it is about, decide, answer."""
    options = load(AmendQuery)
    key = record_id(id_)
    body = request_bodies.json_object()
    named = schema().load(body.value)

    def work() -> WriteResult:
        record = access.get_for_update(db.session(), key, actor, conditional.if_match(named))
        return decide(db.session(), record, named)

    return record_writes.answer(
        work, actor, body, dry_run=options.get("dry_run", False), would=would
    )


@blueprint.post("/incidents/<id_>/publish")
@operation(
    "curation",
    query=AmendQuery,
    body=body_of(DecisionSchema),
    answers=_DECIDED,
    permission="publish",
    if_match=True,
    idempotent=True,
    problems=(*_REFUSALS, "not-a-draft", "correction-conflicts"),
)
def publish_incident(id_: str) -> Response:
    """Publish a draft; one that corrects a record becomes that record's next version."""
    actor = authentication.require("publish")
    return _decide(
        id_,
        DecisionSchema,
        actor,
        lambda session, record, named: reviews.publish(
            session, record, actor, reason=named.get("reason")
        ),
        "publish",
    )


@blueprint.post("/incidents/<id_>/reject")
@operation(
    "curation",
    query=AmendQuery,
    body=body_of(RejectionSchema),
    answers=_DECIDED,
    permission="publish",
    if_match=True,
    idempotent=True,
    problems=(*_REFUSALS, "not-a-draft"),
)
def reject_incident(id_: str) -> Response:
    """Reject a draft with a reason that its author can read in `review`."""
    actor = authentication.require("publish")
    return _decide(
        id_,
        RejectionSchema,
        actor,
        lambda session, record, named: reviews.reject(
            session, record, actor, reason=named["reason"]
        ),
        "reject",
    )


@blueprint.post("/incidents/<id_>/merge")
@operation(
    "curation",
    query=AmendQuery,
    body=body_of(MergeSchema),
    answers=_DECIDED,
    permission="merge",
    if_match=True,
    idempotent=True,
    problems=(*_REFUSALS, "unmergeable"),
)
def merge_incident(id_: str) -> Response:
    """Merge the record into another, which keeps the sources and claims of both."""
    actor = authentication.require("merge")
    return _decide(
        id_,
        MergeSchema,
        actor,
        lambda session, record, named: merges.merge(
            session,
            record,
            named["into"],
            actor,
            headline=named.get("headline", ()),
            reason=named.get("reason"),
        ),
        "merge",
    )


@blueprint.get("/incidents/<id_>/similar")
@operation(
    "curation",
    answers={200: answer(object_of(data=list_of(_SIMILAR)), READ), **MOVED},
    problems=("not-found", "gone"),
)
def list_similar(id_: str) -> Response:
    """Rank the records that look like the same event, with a score and reasons."""
    load(NoQuery)
    actor = authentication.actor()
    found = history.current(reader(), record_id(id_), actor)
    if found.moved_to is not None:
        return responses.moved(found.moved_to)
    data = similarity.similar(reader(), found.pk, documents.load(found.document), actor)
    return responses.plain(
        {"data": data},
        dataset_version=found.dataset_version,
        etag=None if actor.pk else conditional.etag(found.dataset_version),
        private=found.private(actor),
    )


@blueprint.get("/similar")
@operation(
    "curation",
    query=PairQuery,
    permission="merge",
    answers={200: answer(object_of(data=list_of(_PAIR), next={"type": ["string", "null"]}), PAGE)},
)
def list_pairs() -> Response:
    """List the likely pairs among published records that nobody has judged distinct."""
    authentication.require("merge")
    query = load(PairQuery)
    data, following = similarity.pairs(reader(), query.get("cursor", 0), query.get("limit", 200))
    address = responses.next_address(None if following is None else str(following))
    return responses.plain(
        {"data": data, "next": address},
        dataset_version=feed.current_version(),
        private=True,
    )
