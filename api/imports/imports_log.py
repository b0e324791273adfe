"""The log of imports: each with its id, what became of its lines, and whether it was undone."""

from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from api.core import clock
from api.core.errors import ApiError, not_found
from api.core.ids import new_id
from api.core.permissions import Actor
from api.imports.summary import COUNTS
from api.models import ApiKey, Import
from schemas.fields import read_id

_LISTED = select(Import, ApiKey.name, ApiKey.role).outerjoin(ApiKey, ApiKey.pk == Import.actor_pk)


def start(
    session: Session, actor: Actor, *, file: str | None = None, reason: str | None = None
) -> str:
    """Note an import that begins, and return its id."""
    id_ = new_id()
    session.execute(
        insert(Import).values(
            id=id_,
            actor_pk=actor.pk,
            at=clock.now(),
            file=file,
            reason=reason,
            counts=dict.fromkeys(COUNTS, 0),
        )
    )
    return id_


def note_counts(session: Session, id_: str, counts: dict[str, int]) -> None:
    """Note what became of the lines of an import so far."""
    session.execute(update(Import).filter_by(id=id_).values(counts=counts))


def listing(
    session: Session, actor: Actor, *, before: int | None, limit: int
) -> tuple[list[dict[str, Any]], int | None]:
    """Return imports, the newest first, and what the next page comes before.

    A contributor sees its own.
    """
    statement = _LISTED.order_by(Import.pk.desc()).limit(limit + 1)
    if before is not None:
        statement = statement.where(Import.pk < before)
    if not actor.reads_all:
        statement = statement.where(Import.actor_pk == actor.pk)
    rows = session.execute(statement).all()
    shown = rows[:limit]
    following = shown[-1][0].pk if len(rows) > limit else None
    return [_public(*row) for row in shown], following


def _public(entry: Import, name: str | None, role: str | None) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": entry.at,
        "actor": name or "operator",
        "role": role or "operator",
        "file": entry.file,
        "reason": entry.reason,
        **{name: entry.counts[name] for name in COUNTS},
        "reverted_at": entry.reverted_at,
    }


def get_for_update(session: Session, id_: str, actor: Actor) -> Import:
    """Return an import that ACTOR may undo, locked. Raises ApiError: not found, or forbidden."""
    statement = select(Import).filter_by(id=read_id(id_) or "").with_for_update()
    entry = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if entry is None or not (actor.reads_all or entry.actor_pk == actor.pk):
        raise not_found(f"There is no import {id_[:40]!r}.")
    if not actor.can("edit and withdraw own drafts"):
        raise ApiError("forbidden", f"A {actor.role} undoes no import.")
    return entry
