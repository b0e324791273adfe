"""Posts to a record: what they share, whatever they do to it."""

from collections.abc import Callable
from typing import Any

from flask import Response

from api.core.permissions import Actor
from api.database.engines import db
from api.database.transactions import transaction
from api.http import idempotency, responses
from api.http.request_bodies import Body
from api.models import feed
from api.queries import history
from api.records.verbs import Written


def answer(
    work: Callable[[], Written],
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
        idempotency.key()  # is not used, and not ignored either
        result = _tried(work)
        return responses.tried(result, would if result.changed else "leave unchanged")
    made: list[Written] = []

    def once() -> tuple[int, dict[str, Any]]:
        result = work()
        made.append(result)
        return status if result.changed else 200, {"id": result.id, "version": result.version}

    with transaction() as session:
        code, described, replayed = idempotency.once(session, actor, body.raw, once)
        result = history.replay(session, described) if replayed else made[0]
    return responses.written(result, code, feed.version_after_write())


def _tried(work: Callable[[], Written]) -> Written:
    """Do WORK and undo it."""
    try:
        db.session.connection(execution_options={"immediate": True})
        return work()
    finally:
        db.session.rollback()
