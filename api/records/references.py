"""What incidents refer to: the write verbs of articles, communities and episodes.

Each change leaves a version behind and is announced to the feed. Editing an article rewrites the
records that show it; renaming a community or an episode touches none, for they hold its id only.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError
from sqlalchemy import Select, Table, delete, func, insert, literal, select, update
from sqlalchemy.orm import Session

from api import documents
from api.core import clock
from api.core.errors import ApiError, WriteConflict, not_found
from api.core.ids import new_id
from api.core.permissions import Actor
from api.core.preconditions import ExpectedVersion, check_version
from api.database import advisory_locks
from api.database.base import Base
from api.models import (
    AddedPlace,
    Article,
    Claim,
    Community,
    Episode,
    Incident,
    IncidentCommunity,
    ReferenceVersion,
    Source,
)
from api.models.tables import table
from api.records import feed, reading, writer
from api.records.citations import (
    address_digest,
    article_columns,
    copies_of,
    pass_on_address,
)
from api.records.results import Keys, Row
from api.search.term_names import term_names
from schemas.article import ARTICLE_FIELDS, EMBEDDED_FIELDS, ArticleSchema, embed
from schemas.errors import ErrorDetail
from schemas.name_folding import fold
from schemas.places import PLACE_FIELDS, PlaceSchema
from schemas.vocabulary_terms import TermSchema

TERM_FIELDS = ("name", "aliases", "description")


@dataclass(frozen=True)
class Kind:
    """One kind of thing that incidents refer to."""

    resource: str
    plural: str
    model: type[Base]
    schema: Schema
    fields: tuple[str, ...]
    render: Callable[[Mapping[str, Any]], dict[str, Any]]

    @property
    def table(self) -> Table:
        """Return its table."""
        return table(self.model)

    @property
    def path(self) -> str:
        """Return the path of its list."""
        return f"{documents.PREFIX}/{self.plural}"


ARTICLES = Kind("article", "articles", Article, ArticleSchema(), ARTICLE_FIELDS, documents.article)
COMMUNITIES = Kind("community", "communities", Community, TermSchema(), TERM_FIELDS, documents.term)
EPISODES = Kind("episode", "episodes", Episode, TermSchema(), TERM_FIELDS, documents.term)
PLACES = Kind("place", "places", AddedPlace, PlaceSchema(), PLACE_FIELDS, documents.place)
HISTORY = table(ReferenceVersion)
KINDS = (ARTICLES, COMMUNITIES, EPISODES)


@dataclass(slots=True)
class WrittenReference:
    """What a verb wrote."""

    id: str
    version: int
    document: dict[str, Any]
    changed: bool = True


def is_public(kind: Kind) -> Any:
    """Return the condition of rows that everyone may see: articles of drafts are not."""
    columns = kind.table.c
    return columns.draft_pk.is_(None) if kind is ARTICLES else columns.id.is_not(None)


def find(session: Session, kind: Kind, id_: str, *, lock: bool = False) -> Row | None:
    """Find a public article, community or episode by its id; LOCK it for a change."""
    statement = select(kind.table).where(is_public(kind), kind.table.c.id == id_)
    if lock:
        statement = statement.with_for_update()
    row = session.connection().execute(statement).mappings().first()
    return row if row is None else dict(row)


def create(
    session: Session,
    kind: Kind,
    data: Mapping[str, Any],
    actor: Actor,
    reason: str | None = None,
) -> WrittenReference:
    """Make one of KIND from the fields in DATA. Raises ValidationError, ApiError."""
    at = clock.now()
    id_ = data.get("id")
    if kind is ARTICLES:
        id_ = id_ or new_id()
    elif id_ is None:
        raise ValidationError({"id": [ErrorDetail("required", "Give it an id, such as armenian.")]})
    if find(session, kind, id_) is not None:
        raise ApiError("id-taken", f"There is {kind.resource} {id_} already; change it by PATCH.")
    values = {name: data.get(name) for name in kind.fields}
    _check(session, kind, values, id_)
    version = last_version(session, kind, id_) + 1
    columns = _columns(kind, values)
    session.connection().execute(
        insert(kind.table).values(id=id_, version=version, **columns, created_at=at, updated_at=at)
    )
    written = _store_version(session, kind, id_, "created", actor, reason, at)
    if kind is ARTICLES and values["syndicated_from"] is not None:
        _rewrite(session, copies_of([id_]), written.document, actor, reason)
    return written


def amend(
    session: Session,
    kind: Kind,
    row: Row,
    data: Mapping[str, Any],
    actor: Actor,
    *,
    replace: bool = False,
    reason: str | None = None,
    most: int | None = None,
) -> WrittenReference:
    """Put the fields in DATA onto ROW; REPLACE empties what is not named (PUT).

    An article that changed is rendered anew into every record that shows it, up to MOST of them
    (None: `reading.MOST_REWRITTEN`); beyond that the ApiError names the command that does it.
    """
    most = reading.MOST_REWRITTEN if most is None else most
    at = clock.now()
    check_id(data, row)
    stored = {name: row[name] for name in kind.fields}
    values = {name: data.get(name, None if replace else stored[name]) for name in kind.fields}
    if kind is not ARTICLES:
        values["aliases"] = values["aliases"] or []
    if values == stored:
        document = _document(session, kind, row["id"])
        return WrittenReference(row["id"], row["version"], document, changed=False)
    _check(session, kind, values, row["id"], stored)
    shows = kind is ARTICLES and any(values[name] != stored[name] for name in EMBEDDED_FIELDS[1:])
    if shows:
        # Records before their article, as every other write has it: two that each hold what the
        # other waits for would both fail.
        reading.lock_citing(session, _itself(row["pk"]), most)
    columns = {**_columns(kind, values), "updated_at": at}
    if kind is ARTICLES and _same_address(values, stored):
        del columns["address_sha256"]  # another may have it: of two that are equal the older
    store(session, kind, row, columns)
    if "address_sha256" in columns:
        pass_on_address(session.connection(), row["address_sha256"])
    written = _store_version(session, kind, row["id"], "changed", actor, reason, at)
    if shows:
        cited: Keys = _itself(row["pk"])
        if values["syndicated_from"] != stored["syndicated_from"]:
            cited = _itself(row["pk"]).union(copies_of([row["id"]]))
        _rewrite(session, cited, written.document, actor, reason, most)
    return written


def check_id(data: Mapping[str, Any], row: Row) -> None:
    """Raise ValidationError where DATA names another id than that of ROW."""
    if data.get("id", row["id"]) != row["id"]:
        fault = ErrorDetail("bad_id", f"The address names {row['id']}; ids never change.")
        raise ValidationError({"id": [fault]})


def store(session: Session, kind: Kind, row: Row, columns: Mapping[str, Any]) -> None:
    """Update ROW in its next version. Raises WriteConflict where somebody else did."""
    rows, version = kind.table, row["version"]
    changed = session.connection().execute(
        update(rows)
        .where(is_public(kind), rows.c.id == row["id"], rows.c.version == version)
        .values(**columns, version=version + 1)
    )
    if not changed.rowcount:
        raise WriteConflict


def remove(session: Session, kind: Kind, row: Row, actor: Actor, reason: str | None = None) -> None:
    """Delete what nothing refers to. Raises ApiError: still cited."""
    number = count_citing(session, kind, row)
    if number:
        raise ApiError(
            "still-cited",
            f"{number:,} records refer to {kind.resource} {row['id']}; change those first.",
        )
    at = clock.now()
    session.connection().execute(
        delete(kind.table).where(is_public(kind), kind.table.c.id == row["id"])
    )
    add_version(session, kind, row["id"], row["version"] + 1, "withdrawn", actor, reason, at, None)
    if kind is ARTICLES:
        pass_on_address(session.connection(), row["address_sha256"])
    if kind is ARTICLES and row["syndicated_from"] is not None:
        _rewrite(session, copies_of([row["id"]]), kind.render(row), actor, reason)


def require_version(row: Row | None, kind: Kind, id_: str, expected: ExpectedVersion) -> Row:
    """Return ROW if it is there and stands at the version EXPECTED. Raises ApiError."""
    if row is None:
        raise not_found(f"There is no {kind.resource} {id_}.")
    check_version(row["version"], expected, "It")
    return row


def _columns(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    if kind is ARTICLES:
        return article_columns(values)
    return {**values, "aliases": values["aliases"] or []}


def _check(
    session: Session,
    kind: Kind,
    values: Mapping[str, Any],
    id_: str,
    stored: Mapping[str, Any] | None = None,
) -> None:
    if kind is not ARTICLES:
        if values["name"] is None:
            raise ValidationError({"name": [ErrorDetail("required", "Give it a name.")]})
        _check_names(session, kind, id_, _names(values) - _names(stored or {}))
        return
    if values["url"] is None and values["title"] is None:
        fault = ErrorDetail("required", "An article needs an address (url) or a title.")
        raise ValidationError({"title": [fault]})
    if values["url"] is None or _same_address(values, stored or {}):
        return
    articles = table(Article).c
    same = articles.address_sha256 == address_digest(values["url"])
    other = session.scalar(
        select(articles.id).where(articles.draft_pk.is_(None), same, articles.id != id_)
    )
    if other is not None:
        raise ApiError("address-taken", f"Article {other} has this address already.", id=other)


def _same_address(values: Mapping[str, Any], stored: Mapping[str, Any]) -> bool:
    """Whether an article has the address that it had, in whatever spelling."""
    return address_digest(values["url"]) == address_digest(stored.get("url"))


def _names(values: Mapping[str, Any]) -> set[str]:
    return {name for name in (values.get("name"), *(values.get("aliases") or ())) if name}


def _check_names(session: Session, kind: Kind, id_: str, new: Collection[str]) -> None:
    """Refuse an id and new names that another term has."""
    connection = session.connection()
    advisory_locks.hold(connection, f"names of {kind.plural}")
    names = term_names(connection, "communities" if kind is COMMUNITIES else "episodes")
    for name in (id_, *sorted(new)):
        owners = names.owners.get(fold(name), ())
        if owners and id_ not in owners:
            raise ApiError(
                "name-taken",
                f"{name[:40]!r} is a name of the {kind.resource} {owners[0]}; leave it out, or "
                "take it from that one first.",
                id=owners[0],
            )


def _store_version(
    session: Session, kind: Kind, id_: str, action: str, actor: Actor, reason: str | None, at: str
) -> WrittenReference:
    """Store the version that now stands, and announce it."""
    document = _document(session, kind, id_)
    version = document["version"]
    add_version(session, kind, id_, version, action, actor, reason, at, document)
    return WrittenReference(id_, version, document)


def add_version(
    session: Session,
    kind: Kind,
    id_: str,
    version: int,
    action: str,
    actor: Actor,
    reason: str | None,
    at: str,
    document: dict[str, Any] | None,
) -> None:
    """Store a version with its DOCUMENT (None: it is gone), and announce it in the feed."""
    session.connection().execute(
        insert(table(ReferenceVersion)).values(
            resource=kind.resource,
            id=id_,
            number=version,
            action=action,
            actor_pk=actor.pk,
            at=at,
            reason=reason,
            document=documents.dump(document) if document else None,
        )
    )
    seen = "erased" if action == "erased" else "vocabulary"
    feed.record_change(session, resource=kind.resource, action=seen, id=id_, version=version, at=at)


def store_erasure(
    session: Session, kind: Kind, id_: str, actor: Actor, reason: str, at: str
) -> dict[str, Any] | None:
    """Store what an erasure left as the next version; return it, None where nothing is."""
    row = find(session, kind, id_)
    document = None if row is None else kind.render(row)
    number = last_version(session, kind, id_) + 1 if document is None else document["version"]
    add_version(session, kind, id_, number, "erased", actor, reason, at, document)
    return document


def _document(session: Session, kind: Kind, id_: str) -> dict[str, Any]:
    row = (
        session.connection()
        .execute(select(kind.table).where(is_public(kind), kind.table.c.id == id_))
        .mappings()
        .one()
    )
    return kind.render(dict(row))


def last_version(session: Session, kind: Kind, id_: str) -> int:
    """Return the number of the newest version, also of what was deleted; 0 for what never was."""
    versions = table(ReferenceVersion).c
    number: int | None = (
        session.connection()
        .execute(
            select(func.max(versions.number)).where(
                versions.resource == kind.resource, versions.id == id_
            )
        )
        .scalar()
    )
    return number or 0


def count_citing(session: Session, kind: Kind, row: Row) -> int:
    """Return the number of the records that refer to ROW, withdrawn ones included."""
    connection = session.connection()
    if kind is ARTICLES:
        column, value = table(Source).c.article_pk, row["pk"]
        statements = [
            select(func.count(column.table.c.incident_pk.distinct())).where(column == value)
        ]
    elif kind is EPISODES:
        incidents = table(Incident).c
        statements = [select(func.count()).where(incidents.episode == row["id"])]
    else:
        statements = [
            select(func.count(rows.c.incident_pk.distinct())).where(rows.c.community == row["id"])
            for rows in (table(IncidentCommunity), table(Claim))
        ]
    return max(connection.execute(statement).scalar_one() for statement in statements)


def _itself(pk: int) -> Select[tuple[int]]:
    return select(literal(pk))


def _rewrite(
    session: Session,
    cited: Keys,
    article: dict[str, Any],
    actor: Actor,
    reason: str | None,
    most: int | None = None,
) -> None:
    """Render an article's new face into the records that cite what CITED selects.

    These are the article itself and, where its original changed, the copies of it.
    """
    most = reading.MOST_REWRITTEN if most is None else most
    records = reading.lock_citing(session, cited, most)
    if len(records) > most:
        raise ApiError(
            "too-many-records",
            f"More than {most:,} records show this article; change it by: "
            f"flask --app api articles amend {article['id']} FILE",
        )
    note = reason or f"article {article['id']} was corrected"
    for record in records:
        writer.refresh(session, record, embed(article), actor, reason=note)


def is_known(session: Session, kind: Kind, id_: str) -> bool:
    """Whether the id is or was in use: what was deleted is not to come back by itself."""
    return find(session, kind, id_) is not None or last_version(session, kind, id_) > 0
