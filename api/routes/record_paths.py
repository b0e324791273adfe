"""Paths of records: what all views below `/incidents/<id_>` read and describe alike."""

from api.core.errors import not_found
from api.http.openapi import answer
from schemas.fields import read_id

MOVED = {308: answer(None, ["Location"], description="The record was merged into another one.")}


def record_id(text: str) -> str:
    """Return the id that TEXT of a path means. Raises ApiError: what is no id leads nowhere."""
    id_ = read_id(text)
    if id_ is None:
        raise not_found(f"There is no incident {text[:40]!r}: an id has 10 characters.")
    return id_
