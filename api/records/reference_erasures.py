"""Erasure of what records refer to: articles, communities, episodes and places.

It is taken from every version, also of what was deleted. Ids stay: records hold those of
communities and episodes. A place that is erased as a whole is looked up no more; what records took
from it is theirs.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from api.core import clock
from api.core.errors import ApiError
from api.core.permissions import OPERATOR, Actor
from api.models import Erasure
from api.models.tables import table
from api.records import (
    access,
    article_erasures,
    erased_texts,
    erasure_log,
    erasures,
    place_rows,
    reading,
    references,
)
from api.records.article_erasures import Traces
from api.records.erasure_log import ErasureEntry
from api.records.references import ARTICLES, COMMUNITIES, EPISODES, PLACES, Kind
from api.records.version_rewrites import REASON
from schemas import erasure

_KINDS = {kind.resource: kind for kind in (ARTICLES, COMMUNITIES, EPISODES, PLACES)}


@dataclass(frozen=True, slots=True)
class ErasedReference:
    """What is left of it, None where it is not there any more, and what records still show."""

    document: dict[str, Any] | None
    traces: Traces | None = None


def erase(
    session: Session, kind: Kind, id_: str, fields: Collection[str], actor: Actor, *, code: str
) -> ErasedReference:
    """Take FIELDS (none: all) out of one of KIND, which is or was there.

    Where it returns traces, `article_erasures.finish` has to follow.
    """
    at = clock.now()
    if kind is ARTICLES:
        traces = article_erasures.begin(session, id_, fields, at)
    else:
        traces = None
        _erase_row(session, kind, id_, fields, at)
        own = references.HISTORY.c.resource == kind.resource, references.HISTORY.c.id == id_
        session.connection().execute(
            update(references.HISTORY).where(*own).values(document=None, reason=None)
        )
    document = references.store_erasure(session, kind, id_, actor, REASON, at)
    erased_texts.erase_answers(session, id_)
    erasure_log.add(session, kind.resource, id_, list(fields) or None, code, actor, at)
    return ErasedReference(document, traces)


def _erase_row(session: Session, kind: Kind, id_: str, fields: Collection[str], at: str) -> None:
    connection, row = session.connection(), references.find(session, kind, id_)
    if row is None:
        return
    if kind is not PLACES:
        # What has no name is called by its id.
        left: dict[str, Any] = {"name": id_, "aliases": [], "description": None}
        erased = {name: left[name] for name in fields or erasure.TERM_ERASABLE}
        references.store(session, kind, row, {**erased, "updated_at": at})
    elif fields:
        references.store(session, kind, row, {"aliases": [], "updated_at": at})
        place_rows.put_names(connection, row["geonames_id"], {**row, "aliases": []})
    else:
        place_rows.drop(connection, row)


def require_few_citing(session: Session, id_: str) -> None:
    """Raise ApiError where more records cite an article than one request rewrites."""
    article = references.find(session, ARTICLES, id_)
    number = 0 if article is None else references.count_citing(session, ARTICLES, article)
    if number > reading.MOST_REWRITTEN:
        raise ApiError(
            "too-many-records",
            f"{number:,} records show this article, and a request rewrites "
            f"{reading.MOST_REWRITTEN:,}; erase it by: flask --app api articles erase {id_}",
        )


def reapply(session: Session, entries: Collection[ErasureEntry]) -> list[ErasureEntry]:
    """Apply those ENTRIES of another log that this database does not know.

    Returns those that it had something to erase for; they keep their time.
    """
    known = {erasure_log.identity(entry) for entry in erasure_log.list_entries(session)}
    ordered = sorted(entries, key=lambda entry: str(entry["at"]))
    return [
        entry
        for entry in ordered
        if erasure_log.identity(entry) not in known and _again(session, entry)
    ]


def _again(session: Session, entry: ErasureEntry) -> bool:
    """Whether there was anything to apply ENTRY to."""
    again = _record if entry["resource"] == "incident" else _reference
    if not again(session, entry):
        return False
    rows = table(Erasure)
    last = select(func.max(rows.c.pk)).scalar_subquery()
    session.connection().execute(update(rows).where(rows.c.pk == last).values(at=entry["at"]))
    return True


def _record(session: Session, entry: ErasureEntry) -> bool:
    record = access.find(session, entry["id"], lock=True)
    if record is None or record["erased_at"] is not None:
        return False
    if entry["fields"] is None:
        erasures.erase_incident(session, record, OPERATOR, code=entry["code"])
    else:
        erasures.erase_fields(session, record, entry["fields"], OPERATOR, code=entry["code"])
    return True


def _reference(session: Session, entry: ErasureEntry) -> bool:
    kind, id_ = _KINDS[entry["resource"]], entry["id"]
    if not references.is_known(session, kind, id_):
        return False
    erased = erase(session, kind, id_, entry["fields"] or (), OPERATOR, code=entry["code"])
    if erased.traces is not None:
        pks = article_erasures.find_records(session, erased.traces)
        article_erasures.rewrite(session, erased.traces, pks, OPERATOR)
        article_erasures.end(session, erased.traces)
    return True
