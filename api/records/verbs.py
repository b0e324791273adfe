"""The write verbs: create, amend, withdraw, restore. They never commit."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from api import documents
from api.core.errors import ApiError
from api.core.ids import new_id
from api.core.permissions import Actor
from api.database import advisory_locks
from api.models.tables import key
from api.records import access, duplicates, external_ids, quotas
from api.records.reading import current_document, current_state, version_document
from api.records.results import Row, WriteResult
from api.records.writer import RecordWriter
from schemas import record_state


def create(
    session: Session,
    data: Mapping[str, Any],
    actor: Actor,
    *,
    status: str = "published",
    allow_duplicate: bool = False,
    refuse_duplicates: bool = True,
    reason: str | None = None,
) -> WriteResult:
    """Make a record of the fields in DATA, as a draft or published.

    Raises ValidationError for what is wrong with the fields, ApiError for an id that is taken and
    for a duplicate (unless ALLOW_DUPLICATE, which remembers the listed ones as distinct).
    """
    writer = RecordWriter(session, actor, reason)
    connection = writer.batch.connection
    id_ = data.get("id")
    if id_ == data.get("corrects"):  # a record that was read, to be corrected: the draft is another
        id_ = None
    if id_ is not None and access.find(session, id_) is not None:
        raise ApiError("id-taken", f"The id {id_} is taken; leave id out to have one drawn.")
    new = writer.prepare(data, status, id_ or new_id())
    refuse = refuse_duplicates and not allow_duplicate
    if refuse:
        # The same event, posted twice at once: the second waits here, then finds the first.
        city = f"city {new.state['country']} {key(new.state['city'])}"
        advisory_locks.hold(connection, city)
    pk = new.record["pk"]
    probe = duplicates.probe_of(pk, new.state, new.article_pks.values())
    excluded = (new.record["corrects_pk"],)
    candidates = duplicates.candidates(connection, probe, actor, excluded) if probe else []
    if candidates and refuse:
        raise duplicates.duplicate_error(candidates)
    new.warnings += external_ids.shared(connection, {pk: new.state}, actor, excluded)[pk]
    result = writer.add(new)
    writer.write()
    quotas.check(session, actor)
    if candidates and allow_duplicate:
        pks = [candidate.pk for candidate in candidates]
        duplicates.remember_distinct(connection, pk, pks, writer.at)
    result.similar = candidates
    return result


def amend(
    session: Session,
    record: Row,
    data: Mapping[str, Any],
    actor: Actor,
    *,
    replace: bool = False,
    reason: str | None = None,
) -> WriteResult:
    """Put the fields in DATA onto RECORD (of `get_for_update`); REPLACE is the rule of PUT.

    A change of nothing makes no version. A `status` of published publishes a draft.
    """
    document = current_document(session, record)
    access.check_identity(data, document)
    if access.next_status(record, data) == "withdrawn":
        return withdraw(session, record, actor, reason=reason)
    writer = RecordWriter(session, actor, reason)
    amendment = writer.prepare_change(record, document, data, replace=replace)
    if amendment.changed:
        return writer.change(amendment)
    result = _unchanged(record, document)
    result.warnings = amendment.warnings
    return result


def _unchanged(record: Row, document: Mapping[str, Any]) -> WriteResult:
    return WriteResult(
        record["pk"],
        record["id"],
        record["version"],
        record["status"],
        documents.dump(document),
        changed=False,
    )


def withdraw(
    session: Session,
    record: Row,
    actor: Actor,
    *,
    code: str = "error",
    reason: str | None = None,
    import_id: str | None = None,
) -> WriteResult:
    """Take RECORD back: the public gets its code and date from now on, and no content.

    IMPORT_ID is the import that is undone by it.
    """
    state = current_state(session, record)
    return RecordWriter(session, actor, reason, import_id=import_id).replace(
        record, state, None, status="withdrawn", action="withdrawn", withdrawal_code=code
    )


def restore(
    session: Session,
    record: Row,
    actor: Actor,
    *,
    number: int,
    reason: str | None = None,
    import_id: str | None = None,
) -> WriteResult:
    """Bring back what version NUMBER of RECORD held, in a new version; undo a withdrawal with it.

    IMPORT_ID is the import that is undone by it. A record that stands as it did then gets no
    version. Raises ApiError: no such version, or one that refers to what is there no more.
    """
    document = version_document(session, record, number)
    writer = RecordWriter(session, actor, reason, import_id=import_id)
    status = "draft" if record["public_from"] is None else "published"
    state, article_pks = writer.resolver.re_resolve(
        record_state.state_of(document), record["pk"] if status == "draft" else None
    )
    stored = current_document(session, record)
    if status == record["status"] and state == record_state.state_of(stored):
        return _unchanged(record, stored)
    return writer.replace(
        record, state, article_pks, status=status, action="restored", withdrawal_code=None
    )
