"""What the write verbs read of records: documents, metadata, and who cites an article."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, or_, select
from sqlalchemy.orm import Session

from api import documents
from api.core.errors import ApiError, not_found
from api.documents import RecordMetadata
from api.models import Incident, Source, Version
from api.models.tables import table
from api.records.results import Keys, Row, WriteResult
from schemas import record_state
from schemas.record_fields import State

# Records that one change of an article renders anew within its own request.
MOST_REWRITTEN = 1000


def current_document(session: Session, record: Row) -> dict[str, Any]:
    """Return the current document of a record."""
    versions = table(Version).c
    text = (
        session.connection()
        .execute(select(versions.document).where(versions.pk == record["document_pk"]))
        .scalar_one()
    )
    return documents.load(text)


def current_state(session: Session, record: Row) -> State:
    """Return the state of a record, as its current document has it."""
    return record_state.state_of(current_document(session, record))


def version_document(session: Session, record: Row, number: int) -> dict[str, Any]:
    """Return the document of version NUMBER of a record. Raises ApiError: not found."""
    versions = table(Version).c
    text = (
        session.connection()
        .execute(
            select(versions.document).where(
                versions.incident_pk == record["pk"], versions.number == number
            )
        )
        .scalar()
    )
    if text is None:
        raise not_found(f"There is no version {number} of incident {record['id']}.")
    return documents.load(text)


def replay(session: Session, answer: Mapping[str, Any]) -> WriteResult:
    """Return what an earlier request wrote, by the {"id", "version"} that it noted.

    Raises ApiError: it was erased since.
    """
    row = session.execute(
        select(
            Version.document,
            Version.status,
            Incident.pk,
            Incident.withdrawal_code,
            Incident.erased_at,
        )
        .join(Incident, Incident.pk == Version.incident_pk)
        .where(Incident.id == answer["id"], Version.number == answer["version"])
    ).one()
    if row.erased_at is not None:
        raise ApiError(
            "gone",
            f"Incident {answer['id']}, which this request made, was erased.",
            code=row.withdrawal_code,
            withdrawn_at=row.erased_at,
        )
    return WriteResult(row.pk, answer["id"], answer["version"], row.status, row.document)


def lock_citing(session: Session, article_pks: Keys, most: int = MOST_REWRITTEN) -> list[Row]:
    """Return the records, drafts too, that cite any of ARTICLE_PKS, locked: MOST and one more."""
    incidents, sources = table(Incident), table(Source).c
    statement = (
        select(incidents)
        .where(
            incidents.c.pk.in_(
                select(sources.incident_pk).where(sources.article_pk.in_(article_pks))
            ),
            or_(incidents.c.status == "published", incidents.c.status == "draft"),
        )
        .order_by(incidents.c.pk)
        .limit(most + 1)
        .with_for_update(key_share=True)
    )
    return [dict(row) for row in session.connection().execute(statement).mappings()]


def load_metadata(connection: Connection, records: Collection[Row]) -> dict[int, RecordMetadata]:
    """Return what the documents of RECORDS say of the records themselves, by primary key."""
    incidents = table(Incident).c
    former: dict[int, list[str]] = defaultdict(list)
    merged = select(incidents.merged_into_pk, incidents.id).where(
        incidents.merged_into_pk.in_([record["pk"] for record in records]),
        incidents.public_from.is_not(None),
    )
    for into, id_ in connection.execute(merged.order_by(incidents.id)):
        former[into].append(id_)
    # What a published record once corrected is history.
    drafts = {record["corrects_pk"] for record in records if record["status"] != "published"}
    corrected: dict[int | None, str] = {}
    if drafts - {None}:
        ids = select(incidents.pk, incidents.id).where(incidents.pk.in_(drafts - {None}))
        corrected = {row.pk: row.id for row in connection.execute(ids)}
    return {
        record["pk"]: RecordMetadata(
            record["id"],
            record["version"],
            # Of the public's view, a merged record is withdrawn.
            "withdrawn" if record["status"] == "merged" else record["status"],
            record["created_at"],
            record["updated_at"],
            former[record["pk"]],
            None if record["status"] == "published" else corrected.get(record["corrects_pk"]),
            record["review"],
        )
        for record in records
    }
