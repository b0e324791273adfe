"""Decisions on whole records: publish, reject, merge; and what looks like the same event."""

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Response
from marshmallow import Schema, ValidationError
from sqlalchemy.orm import Session

from api import documents
from api.core.permissions import Actor
from api.database.engines import db, reader
from api.database.transactions import transaction, trial
from api.http import authentication, conditional, idempotency, request_bodies
from api.http.openapi import (
    PAGE,
    READ,
    WRITTEN,
    answer,
    body_of,
    list_of,
    object_of,
    operation,
)
from api.http.openapi.schema_builders import JsonSchema, Shape, component
from api.http.query_strings import load
from api.http.responses import json, next_address, no_content
from api.models import feed
from api.queries import history
from api.records import access, duplicates, merges, reviews, similarity
from api.records.results import Row, WriteResult
from api.routes import record_writes, responses
from api.routes.record_paths import MOVED, record_id
from schemas.decisions import DecisionSchema, DistinctSchema, MergeSchema, RejectionSchema
from schemas.errors import ErrorDetail
from schemas.query.parameters import NoQuery
from schemas.query.requests import AmendQuery, PairQuery

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
    "reasons": list_of(
        component("SimilarityReason", {"type": "string", "enum": list(similarity.REASONS)})
    ),
}


_SIMILAR = component(
    "SimilarIncident",
    object_of(
        "A record that looks like the same event.",
        {**_FACE, **_ALIKE},
        judged_distinct={"type": "boolean"},
    ),
)
_PAIRED = component("PairedIncident", object_of("One of two records that look alike.", _FACE))
_PAIR = component(
    "SimilarPair",
    object_of("Two records that look like one event.", _ALIKE, incidents=list_of(_PAIRED)),
)
_CHANGE = object_of("", {"from": {}, "to": {}}, field=_TEXT)
_CONFLICT = object_of("", field=_TEXT, base={}, current={}, draft={})
_PREVIEW = component(
    "PublishPreview",
    object_of(
        "What publishing would change in the record that a draft corrects; nothing was written.",
        would={"type": "string", "enum": ["publish", "refuse"]},
        changes=list_of(_CHANGE),
        emptied=list_of(_TEXT, "Fields that would be empty, or lose entries of their list."),
        conflicts=list_of(_CONFLICT, "Fields that the draft and the record both changed."),
    ),
)
_SIMILAR_LIST = component(
    "SimilarIncidents",
    object_of("Records that look like the same event.", data=list_of(_SIMILAR)),
)
_PAIRS = component(
    "SimilarPairs",
    object_of(
        "A stretch of the likely pairs.",
        data=list_of(_PAIR),
        next={"type": ["string", "null"], "description": "Address of the next ones, or null."},
    ),
)
_DECIDED = {200: answer("Incident", WRITTEN)}
_PROBLEMS = ("not-found", "record-withdrawn", "gone")


def _decide(
    id_: str,
    schema: type[Schema],
    decide: Callable[[Session, Row, dict[str, Any], Actor], WriteResult],
    verb: str,
    permission: str,
) -> Response:
    """Load the decision, read the record that it is about, decide, answer."""
    actor = authentication.require(permission)
    options = load(AmendQuery)
    key = record_id(id_)
    optional = schema is DecisionSchema
    body = request_bodies.optional_object() if optional else request_bodies.json_object()
    data = schema().load(body.value)

    def work() -> WriteResult:
        record = access.get_for_update(db.session(), key, actor, conditional.if_match(data))
        return decide(db.session(), record, data, actor)

    dry_run = options.get("dry_run", False)
    return record_writes.answer(work, dry_run=dry_run, would=verb, once_for=(actor, body))


_describe_decision = partial(record_writes.describe, "curation", if_match=True, idempotent=True)


@blueprint.post("/incidents/<id_>/publish")
@_describe_decision(
    body=body_of(DecisionSchema, optional=True),
    answers=_DECIDED,
    other_answers=[answer(_PREVIEW)],
    permission="publish",
    problems=(*_PROBLEMS, "not-a-draft", "correction-conflicts"),
)
def publish_incident(id_: str) -> Response:
    """Publish a draft; one that corrects a record becomes that record's next version.

    A dry run answers with what would change, what would be emptied, and what conflicts.
    """
    if load(AmendQuery).get("dry_run", False):
        return _preview(id_)
    return _decide(id_, DecisionSchema, _publish, "publish", "publish")


def _publish(session: Session, record: Row, data: dict[str, Any], actor: Actor) -> WriteResult:
    return reviews.publish(session, record, actor, reason=data.get("reason"))


def _preview(id_: str) -> Response:
    actor = authentication.require("publish")
    idempotency.key()  # is not used, and not ignored either
    data = DecisionSchema().load(request_bodies.optional_object().value)
    key, expected = record_id(id_), conditional.if_match(data)
    with trial() as session:
        outcome = reviews.preview(session, access.get_for_update(session, key, actor, expected))
    would = "refuse" if outcome["conflicts"] else "publish"
    return responses.preview({"would": would, **outcome})


@blueprint.post("/incidents/<id_>/reject")
@_describe_decision(
    body=body_of(RejectionSchema),
    answers=_DECIDED,
    permission="publish",
    problems=(*_PROBLEMS, "not-a-draft"),
)
def reject_incident(id_: str) -> Response:
    """Reject a draft with a reason that its author can read in `review`."""
    return _decide(id_, RejectionSchema, _reject, "reject", "publish")


def _reject(session: Session, record: Row, data: dict[str, Any], actor: Actor) -> WriteResult:
    return reviews.reject(session, record, actor, reason=data["reason"])


@blueprint.post("/incidents/<id_>/merge")
@_describe_decision(
    body=body_of(MergeSchema),
    answers=_DECIDED,
    permission="merge",
    problems=(*_PROBLEMS, "unmergeable"),
)
def merge_incident(id_: str) -> Response:
    """Merge the record into another, which keeps the sources and claims of both."""
    return _decide(id_, MergeSchema, _merge, "merge", "merge")


def _merge(session: Session, record: Row, data: dict[str, Any], actor: Actor) -> WriteResult:
    headline, reason = data.get("headline", ()), data.get("reason")
    return merges.merge(session, record, data["into"], actor, headline=headline, reason=reason)


@blueprint.get("/incidents/<id_>/similar")
@operation(
    "curation",
    answers={200: answer(_SIMILAR_LIST, READ), **MOVED},
    problems=("not-found", "gone"),
)
def list_similar(id_: str) -> Response:
    """Rank the records that look like the same event, with a score and reasons."""
    load(NoQuery)
    actor = authentication.actor()
    record = history.current(reader(), record_id(id_), actor)
    if record.moved_to is not None:
        return responses.merged_into(record.moved_to)
    data = similarity.similar(reader(), record.pk, documents.load(record.document), actor)
    judged = sum(one["judged_distinct"] for one in data)  # has no dataset version of its own
    return json(
        {"data": data},
        dataset_version=record.dataset_version,
        etag=None if actor.pk else conditional.etag(record.dataset_version, f"-{judged}"),
        private=record.private(actor),
    )


@blueprint.post("/incidents/<id_>/distinct")
@operation(
    "curation",
    body=body_of(DistinctSchema),
    answers={204: answer(None, ["Dataset-Version"], description="They are remembered as two.")},
    permission="merge",
    problems=_PROBLEMS,
)
def judge_distinct(id_: str) -> Response:
    """Note that the record and the `other` are two events, which no list of pairs names again.

    Neither record changes, so that no version is asked for; sent again, it is answered alike.
    """
    actor = authentication.require("merge")
    load(NoQuery)
    idempotency.key()  # is not needed, and not ignored either
    key, other = record_id(id_), DistinctSchema().load(request_bodies.json_object().value)["other"]
    if key == other:
        fault = ErrorDetail("same_record", "This is the record itself; it takes another's id.")
        raise ValidationError({"other": [fault]})
    with transaction() as session:
        duplicates.judge_distinct(session, (key, other), actor)
    return no_content(feed.version_after_write())


@blueprint.get("/similar")
@operation(
    "curation",
    query=PairQuery,
    permission="merge",
    answers={200: answer(_PAIRS, PAGE)},
)
def list_pairs() -> Response:
    """List the likely pairs among published records that nobody has judged distinct."""
    authentication.require("merge")
    query = load(PairQuery)
    data, cursor = similarity.pairs(reader(), query.get("cursor", 0), query.get("limit", 200))
    return json(
        {"data": data, "next": next_address(cursor)},
        dataset_version=feed.current_version(),
        private=True,
    )
