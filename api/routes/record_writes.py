"""Writes of one record: tried or done, once for an Idempotency-Key, and answered alike."""

from collections.abc import Callable
from functools import partial

from flask import Response

from api.core.permissions import Actor
from api.database.transactions import transaction, trial
from api.http import idempotency
from api.http.idempotency import Outcome
from api.http.openapi import answer as answer_of
from api.http.openapi import operation
from api.http.request_bodies import Body
from api.records import reading
from api.records.results import WriteResult
from api.routes import responses
from schemas.query.requests import AmendQuery

DRY_RUN = answer_of("DryRun")
# A write that `dry_run=true` tries only, as the description tells in words.
describe = partial(operation, query=AmendQuery, in_words=["dry_run"], other_answers=[DRY_RUN])


def answer(
    work: Callable[[], WriteResult],
    *,
    dry_run: bool,
    would: Callable[[WriteResult], str] | str,
    once_for: tuple[Actor, Body] | None = None,
    status: int = 200,
) -> Response:
    """Do WORK and answer with the record; in a DRY_RUN undo it and say what it would do.

    - WOULD: what it does, in a word
    - ONCE_FOR: the actor and the body of a request that takes an Idempotency-Key
    - STATUS: that of a change; where nothing changed it is 200
    """

    def run() -> Outcome[WriteResult]:
        result = work()
        reference = {"id": result.id, "version": result.version}
        return Outcome(status if result.changed else 200, reference, result)

    if dry_run:
        if once_for is not None:
            idempotency.key()  # is not used, and not ignored either
        result = _try(work)
        word = would(result) if callable(would) else would
        return responses.dry_run(result, word if result.changed else "leave unchanged")
    with transaction() as session:
        if once_for is None:
            outcome = run()
        else:
            actor, body = once_for
            outcome = idempotency.run(session, actor, body.raw, run)
        result = outcome.result or reading.replay(session, outcome.answer)
    return responses.written(result, outcome.status)


def _try(work: Callable[[], WriteResult]) -> WriteResult:
    """Do WORK and undo it."""
    with trial():
        return work()
