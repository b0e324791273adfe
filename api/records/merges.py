"""Merging: two records of one event become one, and that can be undone.

The record that a merge goes into keeps its id and takes over sources, claims and communities of
the other, whose address answers 308 from then on. What was taken over is what its next version
added: undoing takes just that out again, as far as it still stands.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy.orm import Session

from api.core.errors import ApiError, not_found
from api.core.permissions import Actor
from api.records import access, reading
from api.records.results import Row, WriteResult
from api.records.writer import RecordWriter
from schemas import merge as merging
from schemas import record_state
from schemas.errors import flatten
from schemas.record_fields import State

_LIVE = ("draft", "published")


def merge(
    session: Session,
    record: Row,
    into_id: str,
    actor: Actor,
    *,
    headline: Collection[str] = (),
    reason: str | None = None,
) -> WriteResult:
    """Merge RECORD (of `access.get_for_update`) into another; return what that one is now.

    The headline stands as it is but for the fields that HEADLINE names (`merging.HEADLINES`),
    which are taken from RECORD. Raises ApiError where the two cannot be merged.
    """
    into = _find_target(session, into_id, record)
    state = merging.joined(
        reading.current_state(session, into), reading.current_state(session, record), headline
    )
    check_sound(state, "unmergeable", "Name another headline, or change one of the two first.")
    # The reason is public where the other record is: there is no draft that it could name.
    other = "A draft" if record["public_from"] is None else record["id"]
    note = reason or f"{other} was merged into it"
    writer = RecordWriter(session, actor, note)
    renamed = (
        writer.resolver.citations.publish(record["pk"]) if _becomes_public(record, into) else {}
    )
    redirect(writer, record, into)
    # A draft's own articles are for nobody else: the draft that takes it over has copies of them.
    private = writer.resolver.citations.of_draft(record["pk"]) if into["status"] == "draft" else {}
    state, article_pks = writer.resolver.re_cite(state, renamed, _owner(into), private)
    return writer.replace(into, state, article_pks, status=into["status"], action="changed")


def redirect(writer: RecordWriter, record: Row, into: Row) -> None:
    """Turn RECORD into a reference to INTO, whose next version takes over what it held."""
    state = reading.current_state(writer.session, record)
    writer.replace(
        record,
        state,
        None,
        status="merged",
        action="merged",
        merged_into_pk=into["pk"],
        merged_version=into["version"] + 1,
    )


def undo(session: Session, record: Row, actor: Actor, *, reason: str | None = None) -> WriteResult:
    """Let a merged record stand again; the other loses what it took over, in a version of its own.

    Raises ApiError where the other is itself withdrawn or merged: that one is restored first; and
    where what is left of it would be no record.
    """
    into = access.lock(session, record["merged_into_pk"])
    if into["status"] not in _LIVE:
        raise ApiError(
            "record-withdrawn",
            f"It was merged into {into['id']}, which is {into['status']}; restore that one first.",
            version=into["version"],
        )
    writer = RecordWriter(session, actor, reason)
    status = "draft" if record["public_from"] is None else "published"
    owner = record["pk"] if status == "draft" else None
    state, article_pks = writer.resolver.re_resolve(reading.current_state(session, record), owner)
    restored = writer.replace(
        record,
        state,
        article_pks,
        status=status,
        action="restored",
        merged_into_pk=None,
        merged_version=None,
    )
    number = record["merged_version"]
    after, before = (_version(session, into, at) for at in (number, number - 1))
    into_state = merging.undone(reading.current_state(session, into), after, before)
    check_sound(
        into_state, "not-restorable", f"That would be left of {into['id']}; change it first."
    )
    into_state, article_pks = writer.resolver.re_resolve(into_state, _owner(into))
    writer.replace(into, into_state, article_pks, status=into["status"], action="changed")
    return restored


def check_sound(state: State, kind: str, advice: str) -> None:
    """Raise ApiError of KIND unless what two records make together is a record."""
    messages = merging.check(state)
    if messages:
        faults = " ".join(fault["detail"] for fault in flatten(messages))
        raise ApiError(kind, f"{faults} {advice}", fields=list(messages))


def _find_target(session: Session, into_id: str, record: Row) -> Row:
    """Return the locked record to merge into. Raises ApiError."""
    into = access.find(session, into_id, lock=True)
    if into is None or into["status"] not in _LIVE:
        raise not_found(f"There is no incident {into_id} to merge into.")
    if into["pk"] == record["pk"]:
        raise ApiError("unmergeable", "A record cannot be merged into itself.")
    if into["status"] == "draft" and record["status"] == "published":
        raise ApiError(
            "unmergeable",
            f"{into_id} is a draft: what is public would be hidden. Merge it into this one, or "
            "publish it first.",
        )
    return into


def _becomes_public(record: Row, into: Row) -> bool:
    return bool(record["status"] == "draft" and into["status"] == "published")


def _owner(record: Row) -> int | None:
    """Name the draft that articles of a record belong to; none where it is public."""
    pk: int = record["pk"]
    return pk if record["status"] == "draft" else None


def _version(session: Session, record: Row, number: int) -> dict[str, Any]:
    return record_state.state_of(reading.version_document(session, record, number))
