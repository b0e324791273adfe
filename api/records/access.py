"""Access: who may see and change which record, and which status it may take."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.core.errors import ApiError, not_found
from api.core.permissions import Actor
from api.core.preconditions import ExpectedVersion, check_version
from api.models import Incident
from api.models.tables import table
from api.records.results import Row
from schemas.errors import ErrorDetail


def find(session: Session, id_: str, *, lock: bool = False) -> Row | None:
    """Return the row of a record by its id, LOCKED for a change."""
    incidents = table(Incident)
    statement = select(incidents).where(incidents.c.id == id_)
    if lock:
        statement = statement.with_for_update(key_share=True)
    row = session.connection().execute(statement).mappings().first()
    return row if row is None else dict(row)


def lock(session: Session, pk: int) -> Row:
    """Return the locked row of the record with the primary key PK."""
    incidents = table(Incident)
    statement = select(incidents).where(incidents.c.pk == pk).with_for_update(key_share=True)
    return dict(session.connection().execute(statement).mappings().one())


def is_visible(record: Row | None, actor: Actor) -> bool:
    """Whether ACTOR may know that the record exists."""
    if record is None:
        return False
    if record["public_from"] is not None or actor.reads_all:
        return True
    return actor.pk is not None and record["author_pk"] == actor.pk


def get_for_update(
    session: Session, id_: str, actor: Actor, expected: ExpectedVersion, *, restoring: bool = False
) -> Row:
    """Return the locked row of the record that ACTOR wants to change.

    One that is withdrawn or merged takes no change but RESTORING. Raises ApiError: not found,
    forbidden, withdrawn or merged, or at another version than the one EXPECTED.
    """
    record = find(session, id_, lock=True)
    if record is None or not is_visible(record, actor):
        raise not_found(f"There is no incident {id_}.")
    authorize_change(record, actor, expected, restoring=restoring)
    return record


def authorize_change(
    record: Row, actor: Actor, expected: ExpectedVersion, *, restoring: bool = False
) -> None:
    """Raise ApiError unless ACTOR, who expects a version, may change RECORD."""
    id_ = record["id"]
    if record["erased_at"] is not None:
        raise ApiError(
            "gone",
            f"Incident {id_} was erased; what it held is nowhere.",
            code=record["withdrawal_code"],
            withdrawn_at=record["erased_at"],
        )
    own_draft = record["author_pk"] == actor.pk and record["status"] != "published"
    if not own_draft and not actor.can("read and edit every incident"):
        raise ApiError(
            "forbidden",
            "A contributor edits its own drafts; correct a published record by posting a "
            f'draft with "corrects": "{id_}".',
        )
    if record["status"] in ("withdrawn", "merged") and not restoring:
        raise ApiError(
            "record-withdrawn",
            f"Incident {id_} is {record['status']}; an editor can restore it.",
            version=record["version"],
        )
    check_version(record["version"], expected)


def check_identity(data: Mapping[str, Any], document: Mapping[str, Any]) -> None:
    """Refuse a change of what is said once and for all: the id, and what a draft corrects."""
    if data.get("id", document["id"]) != document["id"]:
        fault = ErrorDetail("bad_id", f"The address names {document['id']}; ids never change.")
        raise ValidationError({"id": [fault]})
    if data.get("corrects", document["corrects"]) != document["corrects"]:
        fault = ErrorDetail("bad_corrects", "What a draft corrects is said when it is posted.")
        raise ValidationError({"corrects": [fault]})


def next_status(record: Row, data: Mapping[str, Any]) -> str:
    """Return the status that a change asks for. Raises ValidationError where none leads there."""
    status: str = data.get("status", record["status"])
    if status == "draft" and record["status"] == "published":
        fault = "What was published cannot be a draft again; withdraw it by DELETE."
    elif status == "withdrawn" and data.keys() - {"status", "version", "id", "reason"}:
        fault = "Withdraw in a request of its own: by DELETE, or a PATCH of status alone."
    else:
        return status
    raise ValidationError({"status": [ErrorDetail("bad_status", fault)]})


def initial_status(data: Mapping[str, Any], actor: Actor) -> str:
    """Return the status of a new record: what the role may set, else its default."""
    status: str | None = data.get("status")
    default = "published" if actor.can("publish") else "draft"
    if status is None or status == default:
        return default
    if not actor.can("set a status"):
        if status == "published" and data.get("corrects") is not None:
            return default  # the status of the record that was read, to be corrected
        raise ApiError("forbidden", f"A {actor.role} posts drafts; leave status out.")
    if status not in ("draft", "published"):
        fault = ErrorDetail("bad_status", "A new record is a draft or published.")
        raise ValidationError({"status": [fault]})
    return status


def find_corrected(session: Session, id_: str, actor: Actor, status: str) -> Row:
    """Return the published record that a new one of STATUS, a draft, corrects.

    Raises ValidationError.
    """
    record = find(session, id_)
    if record is None or not is_visible(record, actor) or record["status"] != "published":
        fault = ErrorDetail("unknown_incident", f"There is no published incident {id_} to correct.")
        raise ValidationError({"corrects": [fault]})
    if status == "published":
        fault = ErrorDetail(
            "bad_corrects",
            'A correction is posted as a draft: add "status": "draft", or change the record '
            f"{record['id']} itself.",
        )
        raise ValidationError({"corrects": [fault]})
    return record
