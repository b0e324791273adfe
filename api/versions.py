"""Versions: the current record and its past, as far as a caller may read them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, aliased

from api.db import Reader
from api.models import ApiKey, Dataset, Incident, Version
from api.records import Written
from api.refusals import Refusal, not_found
from api.roles import Actor

_Into = aliased(Incident)
_CURRENT = (
    select(
        Incident.status,
        Incident.version,
        Incident.public_from,
        Incident.author_pk,
        Incident.withdrawal_code,
        Incident.updated_at,
        Version.document,
        select(Dataset.version).scalar_subquery(),
        select(_Into.id).where(_Into.pk == Incident.merged_into_pk).scalar_subquery(),
        Incident.pk,
    )
    .join(Version, Version.pk == Incident.document_pk)
    .where(Incident.id == bindparam("id"))
)
_HISTORY = (
    select(
        Version.number, Version.action, Version.status, Version.at, Version.reason,
        ApiKey.name, ApiKey.role, Version.document,
    )
    .outerjoin(ApiKey, ApiKey.pk == Version.actor_pk)
    .where(Version.incident_pk == bindparam("pk"))
    .order_by(Version.number)
)  # fmt: skip
_ONE = select(Version.document, Version.number, Version.status).where(
    Version.incident_pk == bindparam("pk"), Version.number == bindparam("number")
)


@dataclass(frozen=True, slots=True)
class Current:
    """A record as it stands for a caller who may know of it."""

    pk: int
    status: str
    version: int
    public_from: int | None
    document: str
    dataset_version: int
    moved_to: str | None

    def private(self, actor: Actor) -> bool:
        """Tell whether the answer must not be kept by anyone else."""
        return actor.pk is not None or self.status != "published"


def find(reader: Reader, id_: str, actor: Actor) -> Current:
    """Find a record that ACTOR may know of; withdrawn ones too. Raises Refusal: not found."""
    rows = reader.run(_CURRENT, {"id": id_})
    if rows:
        status, version, public_from, author, code, at, document, dataset, into, pk = rows[0]
        own = actor.pk is not None and author == actor.pk
        if public_from is not None or actor.reads_all or own:
            found = Current(pk, status, version, public_from, document, dataset, into)
            if status == "withdrawn" and not (actor.reads_all or (own and public_from is None)):
                raise Refusal(
                    "gone",
                    f"Incident {id_} was withdrawn ({code}).",
                    code=code,
                    withdrawn_at=at,
                )
            return found
    raise not_found(f"There is no incident {id_}.")


def current(reader: Reader, id_: str, actor: Actor) -> Current:
    """Read a record as it stands; a merged one says where it went. Raises Refusal: gone."""
    return find(reader, id_, actor)


def replay(session: Session, answer: dict[str, Any]) -> Written:
    """Read again what an earlier request made."""
    row = session.execute(
        select(Version.document, Version.status, Incident.pk)
        .join(Incident, Incident.pk == Version.incident_pk)
        .where(Incident.id == answer["id"], Version.number == answer["version"])
    ).one()
    return Written(row.pk, answer["id"], answer["version"], row.status, row.document)


def history(reader: Reader, found: Current, actor: Actor) -> list[dict[str, Any]]:
    """List the versions that ACTOR may read: number, action, actor, time and reason.

    The public sees an actor's role, editors the key's name. Public history begins at first
    publication.
    """
    rows = reader.run(_HISTORY, {"pk": found.pk})
    first = 1 if actor.reads_all or found.public_from is None else found.public_from
    return [
        {
            "version": number,
            "action": "created" if action == "published" and number == first else action,
            "status": status,
            "actor": (name if actor.reads_all else role) or "operator",
            "at": at,
            "reason": reason,
        }
        for number, action, status, at, reason, name, role, _ in rows
        if number >= first
    ]


def one(reader: Reader, found: Current, number: int, actor: Actor) -> str:
    """Read the document of one version. Raises Refusal: not found."""
    rows = reader.run(_ONE, {"pk": found.pk, "number": number})
    hidden = not actor.reads_all and found.public_from is not None and number < found.public_from
    if not rows or hidden:
        raise not_found(f"There is no version {number} of this incident.")
    document: str = rows[0][0]
    return document
