"""Review: an editor publishes a draft, puts its corrections onto a record, or rejects it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from api.core.errors import ApiError
from api.core.permissions import Actor
from api.records import access, merges, reading, verbs
from api.records.results import Row, WriteResult
from api.records.writer import RecordWriter
from schemas import merge, record_state
from schemas.record_fields import State


def publish(
    session: Session, draft: Row, actor: Actor, *, reason: str | None = None
) -> WriteResult:
    """Publish DRAFT (of `access.get_for_update`), or what it corrects; return what is public."""
    _require_draft(draft, "published")
    if draft["corrects_pk"] is not None:
        return _correct(session, draft, actor, reason)
    return verbs.amend(session, draft, {"status": "published"}, actor, reason=reason)


def reject(session: Session, draft: Row, actor: Actor, *, reason: str) -> WriteResult:
    """Reject DRAFT: it stays one, and shows its author the reason."""
    _require_draft(draft, "rejected")
    state = reading.current_state(session, draft)
    writer = RecordWriter(session, actor, reason)
    return writer.replace(draft, state, None, status="draft", action="rejected", review=reason)


def _require_draft(record: Row, what: str) -> None:
    if record["status"] != "draft":
        raise ApiError(
            "not-a-draft",
            f"Incident {record['id']} is {record['status']}; only a draft is {what}.",
            version=record["version"],
        )


def preview(session: Session, draft: Row) -> dict[str, Any]:
    """Return what publishing DRAFT would do: `{changes, emptied, conflicts}`.

    A change is `{field, from, to}`; `emptied` names the fields that would be empty or lose entries
    of their list; a conflict is `{field, base, current, draft}`. Raises ApiError as `publish` does,
    but for conflicts.
    """
    _require_draft(draft, "published")
    if draft["corrects_pk"] is None:
        return {"changes": [], "emptied": [], "conflicts": []}
    _, states, state, conflicts = _rebase(session, draft)
    current = states[0]
    changes = merge.differences(current, state)
    return {
        "changes": changes,
        "emptied": [change["field"] for change in changes if merge.is_emptied(change)],
        "conflicts": _conflicts(states, conflicts),
    }


def _conflicts(states: Sequence[State], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return what the base, the record and the draft say of the fields that both changed."""
    current, base, draft = states
    return [
        {"field": member, "base": base[member], "current": current[member], "draft": draft[member]}
        for name in names
        for member in merge.GROUPS[name]
        if current[member] != draft[member]
    ]


def _rebase(session: Session, draft: Row) -> tuple[Row, list[State], State, list[str]]:
    """Return what publishing a correction starts from and makes.

    These are the record that it corrects, locked; the states of that record, of the version that
    the draft began with and of the draft; the state that results; and the groups of fields that
    both changed.
    """
    target = access.lock(session, draft["corrects_pk"])
    if target["status"] != "published":
        raise ApiError(
            "record-withdrawn",
            f"The record it corrects, {target['id']}, is {target['status']}.",
            version=draft["version"],
        )
    base = reading.version_document(session, target, draft["corrects_version"])
    states = [
        reading.current_state(session, target),
        record_state.state_of(base),
        reading.current_state(session, draft),
    ]
    return target, states, *merge.rebased(*states)


def _correct(session: Session, draft: Row, actor: Actor, reason: str | None) -> WriteResult:
    """Put what the draft changed onto the record that it corrects.

    What the record gained since the draft was posted stays. A field that both changed, to
    different values, is a conflict that the editor decides in the draft.
    """
    target, states, state, conflicts = _rebase(session, draft)
    if conflicts:
        raise ApiError(
            "correction-conflicts",
            f"Since the draft was posted {target['id']} changed too: {', '.join(conflicts)}. "
            "Amend the draft to what should stand there, or reject it.",
            fields=conflicts,
            conflicts=_conflicts(states, conflicts),
        )
    merges.check_sound(
        state, "correction-conflicts", f"{target['id']} changed since the draft was posted."
    )
    note = reason or "a correction"  # a draft has no name in public
    writer = RecordWriter(session, actor, note)
    renamed = writer.resolver.citations.publish(draft["pk"])
    merges.redirect(writer, draft, target)
    state, article_pks = writer.resolver.re_cite(state, renamed)
    return writer.replace(target, state, article_pks, status="published", action="changed")
