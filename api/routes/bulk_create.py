"""Many incidents by one POST: all of them, or none."""

from contextlib import closing
from typing import Any

from flask import Response, current_app

from api.core.permissions import Actor
from api.database.engines import db
from api.database.transactions import transaction
from api.http import idempotency, request_bodies, responses
from api.http.idempotency import Outcome
from api.imports.receiving import Importing, Options, Scratch, Summary, received
from api.models import feed
from schemas.errors import ErrorDetail
from schemas.query.parameters import QueryError


def import_incidents(form: str, actor: Actor, query: dict[str, Any]) -> Response:
    """Take the body's records, or tell all that is wrong with them."""
    options = _options(query)
    upload = request_bodies.upload(form)
    with closing(received(upload.opened(), form, current_app.config["MAX_BODY"])) as scratch:
        return _answer(actor, options, upload, scratch, dry_run=query.get("dry_run", False))


def _answer(
    actor: Actor,
    options: Options,
    upload: request_bodies.Upload,
    scratch: Scratch,
    *,
    dry_run: bool,
) -> Response:
    if scratch.faulty:
        # They are refused in any case, whatever else is found: nobody has to wait for that.
        checking = Importing(db.session(), actor, options, write=False, scratch=scratch)
        checking.run(scratch.lines(), notes=scratch.notes)
    if dry_run:
        return _tried(actor, options, scratch)

    def work() -> Outcome[Summary]:
        importing = Importing(db.session(), actor, options, write=True)
        summary = importing.run(scratch.lines(), notes=scratch.notes)
        return Outcome(200, summary.public(), summary)

    with transaction() as session:
        outcome = idempotency.run(session, actor, upload.sha256, work)
    return responses.imported(outcome.made, feed.version_after_write())


def _tried(actor: Actor, options: Options, scratch: Scratch) -> Response:
    """Do all of it, say what it would have done, and undo it."""
    db.session.rollback()
    try:
        db.session.connection(execution_options={"immediate": True})
        importing = Importing(db.session(), actor, options, write=True)
        return responses.imported(
            importing.run(scratch.lines(), notes=scratch.notes).public(dry_run=True), None
        )
    finally:
        db.session.rollback()


def _options(query: dict[str, Any]) -> Options:
    if query.get("allow_duplicate", False):
        fault = ErrorDetail("not_for_many", "For many records it is on_duplicate=accept or error.")
        raise QueryError({"allow_duplicate": [fault]})
    return Options(query.get("on_conflict", "error"), query.get("on_duplicate", "accept"))


def refuse_options_of_many(query: dict[str, Any]) -> None:
    """Refuse parameters that mean nothing for a single record; clients may send defaults."""
    defaults = {"on_conflict": "error", "on_duplicate": "accept"}
    given = [name for name, default in defaults.items() if query.get(name, default) != default]
    if given:
        fault = ErrorDetail(
            "only_for_many", "It is for bodies of many records: NDJSON, a list or CSV."
        )
        raise QueryError({name: [fault] for name in given})
