"""History: the current record and its past, as far as a caller may read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
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

# Bytes of documents that one answer compares, and versions that one statement reads.
MOST_BYTES = 1_500_000
_AT_ONCE = 20

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
        Version.import_id,
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
_VERSION = select(AsUtf8(Version.document), Version.status, Version.code, Version.at).where(
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
    taken from the caller, `sees_everything` whether drafts and notes are for the caller too.
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
    sees_everything: bool
    code: str | None
    at: str

    def private(self, actor: Actor) -> bool:
        """Whether the answer must not be cached by anyone else."""
        return actor.pk is not None or self.status == "draft"


@dataclass(frozen=True, slots=True)
class History:
    """A stretch of a record's versions, and the number of the one that follows."""

    versions: list[dict[str, Any]]
    following: int | None
    size: int = 0  # of the documents that were read


def find(reader: Reader, id_: str, actor: Actor) -> Current:
    """Return a record that ACTOR may know of, withdrawn ones too. Raises ApiError: not found."""
    rows = reader.run(_CURRENT, {"id": id_})
    if rows:
        row = rows[0]
        status, version, public_from, author, code, at, document, dataset, into, pk, erased = row
        own = actor.pk is not None and author == actor.pk and public_from is None
        sees_everything = actor.reads_all or own
        if public_from is not None or sees_everything:
            return Current(
                pk,
                id_,
                status,
                version,
                1 if sees_everything else public_from,
                document,
                dataset,
                # Merged first and erased then, it leads nowhere any more.
                into if erased is None else None,
                withdrawn=status == "withdrawn" and (erased is not None or not sees_everything),
                sees_everything=sees_everything,
                code=code,
                at=at,
            )
    raise not_found(f"There is no incident {id_}.")


def current(reader: Reader, id_: str, actor: Actor) -> Current:
    """Return a record as it stands; a merged one says where it went. Raises ApiError: gone."""
    record = find(reader, id_, actor)
    if record.withdrawn:
        raise _gone(f"Incident {id_} was withdrawn ({record.code}).", record.code, record.at)
    return record


def _gone(detail: str, code: str | None, at: str) -> ApiError:
    return ApiError("gone", detail, code=code, withdrawn_at=at)


def history(
    reader: Reader,
    record: Current,
    actor: Actor,
    *,
    after: int = 0,
    limit: int,
    with_patches: bool = True,
    only: int | None = None,
) -> History:
    """Return the versions after number AFTER (ONLY: that one) as far as ACTOR may read them.

    Public history begins at first publication. Its patches lead from one published version to the
    next. The public sees an actor's role, editors the key's name; of a withdrawn record the public
    sees numbers, dates and codes. They end before the limit where much was to be compared.
    """
    history = _stretch(
        reader, record, actor, after, min(limit, _AT_ONCE), with_patches=with_patches, only=only
    )
    versions, size = history.versions, history.size
    while history.following and len(versions) < limit and size < MOST_BYTES:
        number = min(_AT_ONCE, limit - len(versions))
        history = _stretch(
            reader, record, actor, history.following, number, with_patches=with_patches
        )
        versions += history.versions
        size += history.size
    return History(versions, history.following)


def _stretch(
    reader: Reader,
    record: Current,
    actor: Actor,
    after: int,
    limit: int,
    *,
    with_patches: bool,
    only: int | None = None,
) -> History:
    """Return a few versions, read by one statement."""
    first, last = (after + 1, record.version) if only is None else (only, only)
    first = max(first, record.first)
    rows = reader.run(_HISTORY, {"pk": record.pk, "first": first, "last": last, "limit": limit + 1})
    shown = _few_bytes(rows[:limit])
    following = shown[-1][0] if len(rows) > len(shown) else None
    entries = [_entry(record, row, actor) for row in shown]
    if with_patches and not record.withdrawn and rows:
        base = _before(reader, record, first)
        for entry, row in zip(entries, shown, strict=True):
            entry["patch"] = None
            if record.sees_everything or row[2] == "published":
                document = documents.load(row[9])
                entry["patch"] = json_patch.between(base, document) if base else None
                base = document
    return History(entries, following, sum(len(row[9]) for row in shown))


def _few_bytes(rows: Sequence[Any]) -> Sequence[Any]:
    """Return the first of ROWS, up to the one by which their documents are larger than agreed."""
    sizes = accumulate(len(row[9]) for row in rows)
    return rows[: 1 + sum(1 for _ in takewhile(lambda size: size < MOST_BYTES, sizes))]


def _entry(record: Current, row: Any, actor: Actor) -> dict[str, Any]:
    """Return one version as the list shows it."""
    number, action, status, code, at, reason, name, role, import_id, _ = row
    if record.withdrawn:
        return {"version": number, "at": at, "code": code}
    if action == "published" and number == record.first:
        action = "created"
    return {
        "version": number,
        "action": action,
        "status": status,
        "code": code,
        "actor": (name if actor.reads_all else role) or "operator",
        "at": at,
        # Why a record was withdrawn is for editors; the code says it to all.
        "reason": reason if record.sees_everything or status == "published" else None,
        "import_id": import_id,
    }


def _before(reader: Reader, record: Current, number: int) -> dict[str, Any] | None:
    """Return the document that version NUMBER is a change of, None where it is the first."""
    values = {"pk": record.pk, "number": number}
    if record.sees_everything:
        rows = reader.run(_EARLIER, values)
    else:
        rows = reader.run(_EARLIER_PUBLIC, {**values, "first": record.first})
    return documents.load(rows[0][0]) if rows else None


def read_version(reader: Reader, record: Current, number: int) -> bytes:
    """Return the document of one version. Raises ApiError: not found, or gone."""
    rows = reader.run(_VERSION, {"pk": record.pk, "number": number})
    if not rows or number < record.first:
        raise not_found(f"There is no version {number} of this incident.")
    document, status, code, at = rows[0]
    if record.withdrawn:
        raise _gone(f"Incident {record.id} was withdrawn ({record.code}).", record.code, record.at)
    if status in ("withdrawn", "merged") and not record.sees_everything:
        what = f"withdrawn ({code})" if status == "withdrawn" else "merged into another one"
        raise _gone(f"By version {number} the incident was {what}.", code, at)
    text: bytes = document
    return text


def as_of(reader: Reader, record: Current, moment: str) -> int:
    """Return the version that stood at MOMENT. Raises ApiError: it was not there yet."""
    rows = reader.run(_AS_OF, {"pk": record.pk, "moment": moment})
    if not rows or rows[0][0] < record.first:
        raise not_found(f"Incident {record.id} was not there yet at {moment}.")
    number: int = rows[0][0]
    return number
