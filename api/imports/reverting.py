"""Undoing an import: what it created is withdrawn, what it changed is restored.

A record that was changed since stays as it is, and is named. Records are taken in batches, each a
transaction that notes how far it came: cut off, the same request goes on from there, and answers
with all of it.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from api.core import clock
from api.core.errors import ApiError
from api.core.permissions import Actor
from api.database.statements import InJsonList, json_list
from api.database.transactions import transaction
from api.imports import imports_log
from api.models import Import, Incident, Version
from api.models.tables import table
from api.records import access, verbs
from api.records.results import Row

BATCH = 50  # records of a transaction: others wait for it no longer than for a few single writes
MAX_KEPT = 1000  # records that are named

_VERSIONS, _INCIDENTS = table(Version).c, table(Incident)
_NEXT_RECORDS = (
    select(_VERSIONS.incident_pk)
    .where(
        _VERSIONS.import_id == bindparam("import_id"), _VERSIONS.incident_pk > bindparam("after")
    )
    .distinct()
    .order_by(_VERSIONS.incident_pk)
    .limit(BATCH)
)
_MADE = (
    select(_VERSIONS.incident_pk, _VERSIONS.number, _VERSIONS.action)
    .where(_VERSIONS.import_id == bindparam("import_id"), InJsonList(_VERSIONS.incident_pk, "pks"))
    .order_by(_VERSIONS.incident_pk, _VERSIONS.number)
)
_LOCKED = (
    select(_INCIDENTS)
    .where(InJsonList(_INCIDENTS.c.pk, "pks"))
    .order_by(_INCIDENTS.c.pk)
    .with_for_update(key_share=True)
)
# By such a version a record came to be there, or to be seen.
_BEGINNINGS = {"created", "published", "restored"}


def revert(
    id_: str,
    actor: Actor,
    reason: str | None = None,
    on_progress: Callable[[int, int], None] = lambda *_: None,
) -> dict[str, Any]:
    """Undo an import; return {"withdrawn", "restored", "kept": [{"id", "why"}], "number_of_kept"}.

    One that was undone before is answered as then. ON_PROGRESS is called with how many of how many
    records were looked at. Raises ApiError: not found.
    """
    done = 0
    while True:
        with transaction() as session:
            entry = imports_log.get_for_update(session, id_, actor)
            if entry.reverted_at is None:
                done += _revert_batch(session, entry, actor, reason)
            total = entry.counts["created"] + entry.counts["changed"]
            answer, is_over = dict(entry.revert or {}), entry.reverted_at is not None
        if is_over:
            return answer
        on_progress(done, total)


def _revert_batch(session: Session, entry: Import, actor: Actor, reason: str | None) -> int:
    """Undo what an import did to the next records, and note it; return their number."""
    answer: dict[str, Any] = entry.revert or {
        "withdrawn": 0,
        "restored": 0,
        "kept": [],
        "number_of_kept": 0,
    }
    answer = {**answer, "kept": [*answer["kept"]]}
    values = {"import_id": entry.id, "after": entry.reverted_until}
    pks = [pk for (pk,) in session.connection().execute(_NEXT_RECORDS, values)]
    versions: dict[int, list[tuple[int, str]]] = defaultdict(list)
    values = {"import_id": entry.id, "pks": json_list(pks)}
    for pk, number, action in session.connection().execute(_MADE, values):
        versions[pk].append((number, action))
    locked = session.connection().execute(_LOCKED, {"pks": json_list(pks)}).mappings().all()
    for record in map(dict, locked):
        try:
            done = _undo(session, record, versions[record["pk"]], actor, reason, entry.id)
        except ApiError as error:
            answer["number_of_kept"] += 1
            if len(answer["kept"]) < MAX_KEPT:
                answer["kept"].append({"id": record["id"], "why": error.detail})
        else:
            if done:
                answer[done] += 1
    entry.revert = answer
    if len(pks) < BATCH:
        entry.reverted_at = clock.now()
    else:
        entry.reverted_until = pks[-1]
    return len(pks)


def _undo(
    session: Session,
    record: Row,
    versions: list[tuple[int, str]],
    actor: Actor,
    reason: str | None,
    import_id: str,
) -> str | None:
    """Withdraw or restore a record of which an import made VERSIONS; return which of the two.

    None where nothing is to be done. Raises ApiError for a record that stays as it is.
    """
    if record["erased_at"] is not None:
        raise ApiError("gone", "It was erased.")
    if record["version"] != versions[-1][0]:
        what = record["status"] if record["status"] in ("withdrawn", "merged") else "changed"
        raise ApiError("conflict", f"It was {what} since.")
    access.authorize_change(record, actor, "*", restoring=True)
    why = reason or f"import {import_id} undone"
    if any(action in _BEGINNINGS for _, action in versions):
        verbs.withdraw(session, record, actor, reason=why, import_id=import_id)
        return "withdrawn"
    before = versions[0][0] - 1
    result = verbs.restore(session, record, actor, number=before, reason=why, import_id=import_id)
    return "restored" if result.changed else None
