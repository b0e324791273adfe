"""Texts beside a record that an erasure reaches: reasons, reviews, imports, answers to retries.

A reason stands wherever the same act put it: in both records of a merge, in the first versions of
the articles that a post named, in an import and all that it made.
"""

from collections.abc import Collection, Iterable
from typing import Any

import orjson
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from api.models import IdempotencyKey, Import, Incident, ReferenceVersion, Version
from api.models.tables import table
from api.records.results import Row
from schemas import erasure

_VERSIONS, _REFERENCES = table(Version), table(ReferenceVersion)


def erase_notes(
    session: Session, record: Row, fields: Collection[str], partners: Iterable[int] = ()
) -> None:
    """Erase the reasons of RECORD's versions, where FIELDS (of `erasure.NOTES`) say so.

    PARTNERS are the records that it was merged with or that it corrects: what was said of both is
    taken out of theirs too. With `review` the reasons of rejections go, with `reason` all of them.
    """
    if not any(name in fields for name in erasure.NOTES):
        return
    connection, columns = session.connection(), _VERSIONS.c
    own = [columns.incident_pk == record["pk"], columns.reason.is_not(None)]
    if "reason" not in fields:
        own.append(columns.action == "rejected")
    rows = connection.execute(select(columns.reason, columns.import_id).where(*own)).all()
    reasons = sorted({row.reason for row in rows})
    connection.execute(update(_VERSIONS).where(*own).values(reason=None))
    if "reason" in fields:
        _erase_from_imports(session, record, reasons)
    if reasons:
        others = columns.incident_pk.in_(sorted(partners))
        connection.execute(
            update(_VERSIONS).where(others, columns.reason.in_(reasons)).values(reason=None)
        )
        connection.execute(
            update(_REFERENCES)
            .where(
                _REFERENCES.c.resource == "article",
                _REFERENCES.c.id.in_(sorted(_articles_shown(session, record))),
                _REFERENCES.c.reason.in_(reasons),
            )
            .values(reason=None)
        )


def _erase_from_imports(session: Session, record: Row, reasons: Collection[str]) -> None:
    """Erase why the imports were made that made versions of RECORD, and the names of their files.

    Their other versions lose those of REASONS too: it was said once for all of them.
    """
    connection, columns, imports = session.connection(), _VERSIONS.c, table(Import)
    made = select(columns.import_id).where(
        columns.incident_pk == record["pk"], columns.import_id.is_not(None)
    )
    ids = sorted(set(connection.execute(made).scalars()))
    if not ids:
        return
    connection.execute(update(imports).where(imports.c.id.in_(ids)).values(reason=None, file=None))
    connection.execute(
        update(_VERSIONS)
        .where(columns.import_id.in_(ids), columns.reason.in_(list(reasons)))
        .values(reason=None)
    )


def partners(session: Session, record: Row) -> set[int]:
    """Return the records that share a reason with RECORD: merged with it, or corrected by it."""
    incidents = table(Incident).c
    ids = {id_ for document in _documents(session, record) for id_ in document["former_ids"]}
    near = or_(
        incidents.merged_into_pk == record["pk"],
        incidents.corrects_pk == record["pk"],
        incidents.id.in_(sorted(ids)),
    )
    pks = set(session.connection().execute(select(incidents.pk).where(near)).scalars())
    return pks | ({record["merged_into_pk"], record["corrects_pk"]} - {None})


def _articles_shown(session: Session, record: Row) -> set[str]:
    return {
        source["article"]["id"]
        for document in _documents(session, record)
        for source in document["sources"]
    }


def _documents(session: Session, record: Row) -> Iterable[dict[str, Any]]:
    """Yield the documents of all versions of RECORD."""
    statement = select(_VERSIONS.c.document).where(_VERSIONS.c.incident_pk == record["pk"])
    for text in session.connection().execute(statement).scalars():
        yield orjson.loads(text)


def erase_answers(session: Session, id_: str) -> None:
    """Erase the warnings of bulk requests that name ID_: they may repeat what a line said."""
    rows = table(IdempotencyKey)
    connection = session.connection()
    named = rows.c.answer.contains(f'"{id_}"', autoescape=True)
    own = (rows.c.api_key_pk, rows.c.route, rows.c.key)
    for *names, text in connection.execute(select(*own, rows.c.answer).where(named)).all():
        answer = orjson.loads(text)
        if answer.get("warnings"):
            same = [column == value for column, value in zip(own, names, strict=True)]
            blank = orjson.dumps({**answer, "warnings": []}).decode()
            connection.execute(update(rows).where(*same).values(answer=blank))
