"""Ids that a filter names: merged ones lead on, and those that are not served are told."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from api.core.permissions import Actor
from api.database.readers import Reader
from api.database.statements import InJsonList, json_list
from api.models import Incident
from api.models.tables import table

_Into = aliased(Incident)
_RECORDS = (
    select(
        Incident.id,
        Incident.status,
        Incident.public_from,
        Incident.author_pk,
        _Into.id,
        Incident.erased_at,
    )
    .outerjoin(_Into, _Into.pk == Incident.merged_into_pk)
    .where(InJsonList(table(Incident).c.id, "ids"))
)
_MOST_STEPS = 100  # from one merged record to the next
_MOST_NAMED = 20


def follow(
    reader: Reader, ids: Sequence[str], actor: Actor, statuses: Collection[str] = ()
) -> tuple[list[str], tuple[dict[str, str], ...]]:
    """Return the IDS with those of merged records replaced, and a warning of what is not served.

    An id that ACTOR may not know of stands as it is: a list of what ACTOR may read has no such
    record. Withdrawn ones are served where their status is among the STATUSES that are asked for.
    """
    leads, served = {id_: id_ for id_ in ids}, set()
    wanted = set(ids)
    for _ in range(_MOST_STEPS):
        following: dict[str, str] = {}
        for id_, status, public_from, author_pk, into, erased_at in _records(reader, wanted):
            own = actor.pk is not None and author_pk == actor.pk and public_from is None
            sees_everything = actor.reads_all or own
            if into is not None and erased_at is None and (public_from or sees_everything):
                following[id_] = into
                continue
            readable = sees_everything and erased_at is None and status in ("draft", *statuses)
            if status == "published" or readable:
                served.add(id_)
        if not following:
            break
        leads = {id_: following.get(target, target) for id_, target in leads.items()}
        wanted = set(following.values())
    lacking = [id_ for id_, target in leads.items() if target not in served]
    return list(dict.fromkeys(leads.values())), _warning(lacking)


def _records(reader: Reader, ids: set[str]) -> Sequence[Any]:
    return reader.run(_RECORDS, {"ids": json_list(sorted(ids))})


def _warning(lacking: Sequence[str]) -> tuple[dict[str, str], ...]:
    if not lacking:
        return ()
    shown = ", ".join(lacking[:_MOST_NAMED])
    more = f" and {len(lacking) - _MOST_NAMED} more" if lacking[_MOST_NAMED:] else ""
    detail = f"Not served: {shown}{more}. Each is unknown, withdrawn, or a draft of others."
    return ({"parameter": "id", "code": "not_served", "detail": detail},)
