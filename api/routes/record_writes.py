"""Posts to a record: what they share, whatever they do to it."""

from collections.abc import Callable

from flask import Response

from api.core.permissions import Actor
from api.database.engines import db
from api.database.transactions import transaction
from api.http import idempotency, responses
from api.http.idempotency import Outcome
from api.http.request_bodies import Body
from api.models import feed
from api.records import reading
from api.records.results import WriteResult


def answer(
    work: Callable[[], WriteResult],
    actor: Actor,
    body: Body,
    *,
    dry_run: bool,
    would: str,
    status: int = 200,
) -> Response:
    """Do WORK once for its Idempotency-Key and answer with the record; only try it in a DRY_RUN.

    WOULD says in a word what it does, STATUS is that of a change.
    """
    if dry_run:
        result = undone(work)
        return responses.tried(result, would if result.changed else "leave unchanged")

    def once() -> Outcome[WriteResult]:
        result = work()
        made = {"id": result.id, "version": result.version}
        return Outcome(status if result.changed else 200, made, result)

    with transaction() as session:
        outcome = idempotency.run(session, actor, body.raw, once)
        result = outcome.result or reading.replay(session, outcome.made)
    return responses.written(result, outcome.status, feed.version_after_write())


def undone(work: Callable[[], WriteResult]) -> WriteResult:
    """Return what WORK writes, and undo it."""
    idempotency.key()  # is not used, and not ignored either
    try:
        db.session.connection(execution_options={"immediate": True})
        return work()
    finally:
        db.session.rollback()
