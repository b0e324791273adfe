"""Review: an editor publishes a draft, puts its corrections onto a record, or rejects it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.core import clock
from api.core.errors import ApiError
from api.core.permissions import Actor
from api.models import Incident
from api.models.tables import table
from api.records import merges, verbs
from api.records.rows import Batch
from api.records.verbs import Row, Written
from schemas import merge, record_state


def publish(session: Session, draft: Row, actor: Actor, *, reason: str | None = None) -> Written:
    """Publish DRAFT (a row of `records.locked`), or what it corrects; give what is public now."""
    _hold_draft(draft, "published")
    if draft["corrects_pk"] is not None:
        return _correct(session, draft, actor, reason)
    return verbs.amend(session, draft, {"status": "published"}, actor, reason=reason)


def reject(session: Session, draft: Row, actor: Actor, *, reason: str) -> Written:
    """Reject DRAFT: it stays one, and shows its author the reason."""
    _hold_draft(draft, "rejected")
    state = record_state.state_of(verbs.current(session, draft))
    writing = verbs.Writing(session, Batch(session.connection()), actor, clock.now(), reason)
    return writing.replace(draft, state, None, status="draft", action="rejected", review=reason)


def _hold_draft(record: Row, what: str) -> None:
    if record["status"] != "draft":
        raise ApiError(
            "not-a-draft",
            f"Incident {record['id']} is {record['status']}; only a draft is {what}.",
            version=record["version"],
        )


def _correct(session: Session, draft: Row, actor: Actor, reason: str | None) -> Written:
    """Put what the draft changed onto the record that it corrects.

    What the record gained since the draft was posted stays. A field that both changed, to
    different values, is a conflict that the editor decides in the draft.
    """
    incidents = table(Incident)
    statement = (
        select(incidents)
        .where(incidents.c.pk == draft["corrects_pk"])
        .with_for_update(key_share=True)
    )
    target = dict(session.connection().execute(statement).mappings().one())
    if target["status"] != "published":
        raise ApiError(
            "record-withdrawn",
            f"The record it corrects, {target['id']}, is {target['status']}.",
            version=draft["version"],
        )
    base = verbs.content(session, target, draft["corrects_version"])
    states = [
        record_state.state_of(document)
        for document in (
            verbs.current(session, target),
            base,
            verbs.current(session, draft),
        )
    ]
    state, conflicts = merge.rebased(*states)
    if conflicts:
        raise ApiError(
            "correction-conflicts",
            f"Since the draft was posted {target['id']} changed too: {', '.join(conflicts)}. "
            "Amend the draft to what should stand there, or reject it.",
            fields=conflicts,
        )
    merges.hold_sound(
        state, "correction-conflicts", f"{target['id']} changed since the draft was posted."
    )
    note = reason or "a correction"  # a draft has no name in public
    writing = verbs.Writing(session, Batch(session.connection()), actor, clock.now(), note)
    renamed = writing.citations.publish(draft["pk"])
    merges.move(writing, draft, target)
    state, article_pks = writing.cite_again(state, renamed)
    return writing.replace(target, state, article_pks, status="published", action="changed")
