"""Foresight: what a write will ask of the gazetteer is asked before it takes the write lock.

The answers are remembered (`api.geo.answers`). Where a record changed in between, the write asks
again.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from api.geo.answers import answers
from api.records import access
from api.records.reading import current_state
from api.records.resolver import find_place, propose_country
from schemas import record_state
from schemas.record_state import PLACE_CLUES


def look_up_place(
    session: Session, data: Mapping[str, Any], id_: str | None = None, *, replace: bool = False
) -> None:
    """Have the place looked up that DATA makes of a new record, or of the one with an id."""
    if not (replace or data.keys() & set(PLACE_CLUES)):
        return
    base = id_ or data.get("corrects")
    record = access.find(session, base) if base else None
    if base and (record is None or record["erased_at"] is not None):
        return
    stored = current_state(session, record) if record else None
    if record and not id_:
        data = record_state.as_patch(stored or {}, data)
    clues = record_state.amend(stored, data, replace=replace).place
    if clues is None:
        return
    connection = session.connection()
    known = answers(connection)
    if clues.get("country") is not None:
        find_place(connection, known, clues, strict=True)
    elif clues.get("city") is not None:
        propose_country(connection, known, clues["city"])
