"""Versions: the current record and its past, as far as a caller may read them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, literal_column, select
from sqlalchemy.orm import aliased

from api import documents
from api.core.errors import ApiError, not_found
from api.core.permissions import Actor
from api.database.readers import Reader
from api.database.statements import AsUtf8
from api.models import ApiKey, Dataset, Incident, Version
from api.queries import json_patch

_Into = aliased(Incident)
_CURRENT = (
    select(
        Incident.status,
        Incident.version,
        Incident.public_from,
        Incident.author_pk,
        Incident.withdrawal_code,
        Incident.updated_at,
        AsUtf8(Version.document),
        select(Dataset.version).scalar_subquery(),
        select(_Into.id).where(_Into.pk == Incident.merged_into_pk).scalar_subquery(),
        Incident.pk,
        Incident.erased_at,
    )
    .join(Version, Version.pk == Incident.document_pk)
    .where(Incident.id == bindparam("id"))
)
_PUBLISHED: ColumnElement[str] = literal_column("'published'")
_HISTORY = (
    select(
        Version.number,
        Version.action,
        Version.status,
        Version.code,
        Version.at,
        Version.reason,
        ApiKey.name,
        ApiKey.role,
        Version.document,
    )
    .outerjoin(ApiKey, ApiKey.pk == Version.actor_pk)
    .where(
        Version.incident_pk == bindparam("pk"),
        Version.number >= bindparam("first"),
        Version.number <= bindparam("last"),
    )
    .order_by(Version.number)
    .limit(bindparam("limit"))
)
_ONE = select(AsUtf8(Version.document), Version.status, Version.code, Version.at).where(
    Version.incident_pk == bindparam("pk"), Version.number == bindparam("number")
)
_EARLIER = (
    select(Version.document)
    .where(Version.incident_pk == bindparam("pk"), Version.number < bindparam("number"))
    .order_by(Version.number.desc())
    .limit(1)
)
_EARLIER_PUBLIC = _EARLIER.where(Version.number >= bindparam("first"), Version.status == _PUBLISHED)
_AS_OF = (
    select(Version.number)
    .where(Version.incident_pk == bindparam("pk"), Version.at <= bindparam("moment"))
    .order_by(Version.number.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Current:
    """A record as it stands for a caller who may know of it.

    `first` is the first version that the caller may know of, `withdrawn` whether its content was
    taken from the caller, `all_of_it` whether drafts and notes are for the caller too.
    """

    pk: int
    id: str
    status: str
    version: int
    first: int
    document: bytes
    dataset_version: int
    moved_to: str | None
    withdrawn: bool
    all_of_it: bool
    code: str | None
    at: str

    def private(self, actor: Actor) -> bool:
        """Tell whether the answer must not be kept by anyone else."""
        return actor.pk is not None or self.status == "draft"


@dataclass(frozen=True, slots=True)
class History:
    """A stretch of a record's versions, and the number of the one that follows."""

    versions: list[dict[str, Any]]
    following: int | None


def locate(reader: Reader, id_: str, actor: Actor) -> Current:
    """Find a record that ACTOR may know of, withdrawn ones too. Raises ApiError: not found."""
    rows = reader.run(_CURRENT, {"id": id_})
    if rows:
        (
            status,
            version,
            public_from,
            author,
            code,
            at,
            document,
            dataset,
            into,
            pk,
            erased,
        ) = rows[0]
        own = actor.pk is not None and author == actor.pk and public_from is None
        all_of_it = actor.reads_all or own
        if public_from is not None or all_of_it:
            # Merged first and erased then, it leads nowhere any more.
            into = into if erased is None else None
            return Current(
                pk,
                id_,
                status,
                version,
                1 if all_of_it else public_from,
                document,
                dataset,
                into,
                withdrawn=status == "withdrawn" and (erased is not None or not all_of_it),
                all_of_it=all_of_it,
                code=code,
                at=at,
            )
    raise not_found(f"There is no incident {id_}.")


def current(reader: Reader, id_: str, actor: Actor) -> Current:
    """Read a record as it stands; a merged one says where it went. Raises ApiError: gone."""
    found = locate(reader, id_, actor)
    if found.withdrawn:
        raise _gone(f"Incident {id_} was withdrawn ({found.code}).", found.code, found.at)
    return found


def _gone(detail: str, code: str | None, at: str) -> ApiError:
    return ApiError("gone", detail, code=code, withdrawn_at=at)


def history(
    reader: Reader,
    found: Current,
    actor: Actor,
    *,
    after: int = 0,
    limit: int,
    with_patches: bool = True,
    only: int | None = None,
) -> History:
    """List the versions after number AFTER (ONLY: that one) as far as ACTOR may read them.

    Public history begins at first publication. Its patches lead from one published version to the
    next. The public sees an actor's role, editors the key's name; of a withdrawn record the public
    sees numbers, dates and codes.
    """
    first, last = (after + 1, found.version) if only is None else (only, only)
    first = max(first, found.first)
    rows = reader.run(_HISTORY, {"pk": found.pk, "first": first, "last": last, "limit": limit + 1})
    following = rows[limit - 1][0] if len(rows) > limit else None
    entries = [_entry(found, row, actor) for row in rows[:limit]]
    if with_patches and not found.withdrawn and rows:
        base = _before(reader, found, first)
        for entry, row in zip(entries, rows, strict=False):
            entry["patch"] = None
            if found.all_of_it or row[2] == "published":
                document = documents.load(row[8])
                entry["patch"] = json_patch.between(base, document) if base else None
                base = document
    return History(entries, following)


def _entry(found: Current, row: Any, actor: Actor) -> dict[str, Any]:
    """Lay out one version for a list."""
    number, action, status, code, at, reason, name, role, _ = row
    if found.withdrawn:
        return {"version": number, "at": at, "code": code}
    if action == "published" and number == found.first:
        action = "created"
    return {
        "version": number,
        "action": action,
        "status": status,
        "code": code,
        "actor": (name if actor.reads_all else role) or "operator",
        "at": at,
        # Why a record was withdrawn is for editors; the code says it to all.
        "reason": reason if found.all_of_it or status == "published" else None,
    }


def _before(reader: Reader, found: Current, number: int) -> dict[str, Any] | None:
    """Read the document that version NUMBER is a change of, None where it is the first."""
    values = {"pk": found.pk, "number": number}
    if found.all_of_it:
        rows = reader.run(_EARLIER, values)
    else:
        rows = reader.run(_EARLIER_PUBLIC, {**values, "first": found.first})
    return documents.load(rows[0][0]) if rows else None


def one(reader: Reader, found: Current, number: int) -> bytes:
    """Read the document of one version. Raises ApiError: not found, or gone."""
    rows = reader.run(_ONE, {"pk": found.pk, "number": number})
    if not rows or number < found.first:
        raise not_found(f"There is no version {number} of this incident.")
    document, status, code, at = rows[0]
    if found.withdrawn:
        raise _gone(f"Incident {found.id} was withdrawn ({found.code}).", found.code, found.at)
    if status in ("withdrawn", "merged") and not found.all_of_it:
        what = f"withdrawn ({code})" if status == "withdrawn" else "merged into another one"
        raise _gone(f"By version {number} the incident was {what}.", code, at)
    text: bytes = document
    return text


def as_of(reader: Reader, found: Current, moment: str) -> int:
    """Tell which version stood at MOMENT. Raises ApiError: not found, it was not there yet."""
    rows = reader.run(_AS_OF, {"pk": found.pk, "moment": moment})
    if not rows or rows[0][0] < found.first:
        raise not_found(f"Incident {found.id} was not there yet at {moment}.")
    number: int = rows[0][0]
    return number
