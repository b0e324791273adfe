"""Many incidents by one POST: all of them or none, unless bad lines are to be skipped."""

from contextlib import closing
from itertools import islice
from typing import Any

from flask import Response, current_app
from marshmallow import ValidationError

from api.core.errors import ApiError
from api.core.permissions import Actor
from api.database.engines import db
from api.database.transactions import transaction, trial
from api.http import idempotency, request_bodies
from api.http.idempotency import Outcome
from api.http.openapi import answer, body_of, list_of
from api.imports import imports_log
from api.imports.importer import Importer, LinesRejected, check
from api.imports.receiving import stage
from api.imports.staging import StagingFile
from api.imports.summary import Options, Summary
from api.models import feed
from api.routes import responses
from schemas.errors import ErrorDetail
from schemas.query.parameters import QueryError

BODY = body_of(
    list_of("IncidentInput"),
    also={media_type: {"type": "string"} for media_type in request_bodies.MANY_TYPES},
)
ANSWER = answer("ImportSummary", ["Dataset-Version"])
_MAX_ATTEMPTS = 3  # at writing, while others keep making good lines bad
_MAX_FAULTY = 10_000  # lines that are looked at, or rejected
_TOO_MANY = ErrorDetail(
    "too_many_faults", f"More than {_MAX_FAULTY:,} lines are faulty; send the others without them."
)
# Lines that a dry run writes and undoes; more would keep others from writing for seconds.
_MOST_TRIED = 1000
_NOT_COMPARED = {
    "line": 1,
    "pointer": "",
    "code": "not_compared",
    "detail": f"A dry run of more than {_MOST_TRIED:,} lines compares each with the records that "
    "are there, not with the other lines.",
}
_MAX_TEXT = 4_000_000  # characters of rejected lines that it repeats


def import_incidents(form: str, actor: Actor, query: dict[str, Any]) -> Response:
    """Take the body's records, or answer with all that is wrong with them."""
    options = _options(query)
    dry_run = query.get("dry_run", False)
    upload = request_bodies.upload(form)
    if not dry_run:
        replayed = idempotency.find(db.session(), actor, upload.sha256)
        if replayed is not None:
            return responses.imported(replayed.answer, feed.version_after_write())
    with closing(_staged(upload, options)) as staging_file:
        # Bad lines are found before anybody waits for this request to write.
        is_large = dry_run and staging_file.count > _MOST_TRIED
        summary = check(
            db.session(),
            actor,
            options,
            staging_file,
            before_writing=not is_large,
            counts_duplicates=is_large,
        )
        if staging_file.number_of_rejected > _MAX_FAULTY:
            raise ValidationError([_TOO_MANY])
        if is_large:
            summary.note([_NOT_COMPARED])
            return _tried(summary, staging_file)
        for _ in range(_MAX_ATTEMPTS):
            try:
                if dry_run:
                    return _try_out(actor, options, staging_file)
                return _write(actor, options, upload, staging_file)
            except LinesRejected:
                continue
    raise ApiError("conflict", "Others write the same records at the same time; send it again.")


def _staged(upload: request_bodies.Upload, options: Options) -> StagingFile:
    return stage(
        upload.opened(),
        upload.form,
        current_app.config["MAX_BODY"],
        keep_text=options.skips_bad_lines,
        max_faulty=_MAX_FAULTY,
    )


def _write(
    actor: Actor, options: Options, upload: request_bodies.Upload, staging_file: StagingFile
) -> Response:
    def work() -> Outcome[Summary]:
        session = db.session()
        import_id = imports_log.start(session, actor)
        summary = Importer(
            session, actor, options, staging_file, write=True, import_id=import_id
        ).run()
        imports_log.note_counts(session, import_id, summary.counts())
        answer = summary.public()
        answer["rejected"] = [{"line": entry["line"]} for entry in _rejected(staging_file)]
        answer["number_of_rejected"] = staging_file.number_of_rejected
        return Outcome(200, answer, summary)

    with transaction() as session:
        outcome = idempotency.run(session, actor, upload.sha256, work)
    answer = outcome.answer
    if outcome.result is not None:
        answer = {**answer, "rejected": _rejected(staging_file)}
    return responses.imported(answer, feed.version_after_write())


def _try_out(actor: Actor, options: Options, staging_file: StagingFile) -> Response:
    """Do all of it, answer with what it would have done, and undo it."""
    with trial() as session:
        summary = Importer(session, actor, options, staging_file, write=True).run()
    return _tried(summary, staging_file)


def _tried(summary: Summary, staging_file: StagingFile) -> Response:
    summary.rejected = _rejected(staging_file)
    summary.number_of_rejected = staging_file.number_of_rejected
    return responses.imported(summary.public(dry_run=True), None)


def _rejected(staging_file: StagingFile) -> list[dict[str, Any]]:
    """Return the rejected lines for an answer, the text of the first of them too."""
    room = _MAX_TEXT
    rejected = []
    for line in islice(staging_file.rejected(), _MAX_FAULTY):
        room -= len(line["text"] or "")
        rejected.append(line if room >= 0 else {**line, "text": None})
    return rejected


def _options(query: dict[str, Any]) -> Options:
    if query.get("allow_duplicate", False):
        error = ErrorDetail("not_for_many", "For many records it is on_duplicate=accept or error.")
        raise QueryError({"allow_duplicate": [error]})
    return Options(
        query.get("on_conflict", "error"),
        query.get("on_duplicate", "accept"),
        query.get("on_error", "refuse"),
    )


def refuse_options_of_many(query: dict[str, Any]) -> None:
    """Refuse parameters that mean nothing for a single record; clients may send defaults."""
    defaults = {"on_conflict": "error", "on_duplicate": "accept", "on_error": "refuse"}
    names = [name for name, default in defaults.items() if query.get(name, default) != default]
    if names:
        error = ErrorDetail(
            "only_for_many", "It is for bodies of many records: NDJSON, a list or CSV."
        )
        raise QueryError({name: [error] for name in names})
