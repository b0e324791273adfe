"""Articles, communities, episodes: one set of views, a blueprint each."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import Blueprint, Response
from sqlalchemy import func, select

from api import documents
from api.core.errors import ApiError, not_found
from api.database.engines import db
from api.database.transactions import transaction
from api.http import authentication, conditional, idempotency, request_bodies
from api.http.idempotency import Outcome
from api.http.openapi import MADE, PAGE, READ, Body, answer, body_of, operation, page_of, ref
from api.http.query_strings import load
from api.http.responses import json, no_content
from api.models import ReferenceVersion, feed
from api.queries import cursors
from api.records import references
from api.records.references import ARTICLES, KINDS, Kind, WrittenReference
from api.routes import responses
from schemas.decisions import RemovalSchema
from schemas.fields import read_id
from schemas.query.filters import DEFAULT_LIMIT, PageQuery
from schemas.query.parameters import NoQuery
from schemas.query.requests import ReferenceDeleteQuery

_WRITE = "write articles, communities, episodes and places"


def _blueprint(kind: Kind) -> Blueprint:
    """Return the views of one kind."""
    blueprint = Blueprint(kind.plural, __name__, url_prefix=kind.path)
    add = partial(_add_view, blueprint, kind)
    path = {} if kind is ARTICLES else {"id_": ref("Slug")}
    _add_reads(add, kind, path)
    _add_writes(add, kind, path)
    return blueprint


def _add_view(
    blueprint: Blueprint,
    kind: Kind,
    verb: str,
    act: Callable[..., Response],
    rule: str,
    method: str,
    **described: Any,
) -> None:
    """Add what ACT does to a KIND, in the words of its VERB."""
    what = kind.plural if verb == "list" else kind.resource
    article = "" if verb == "list" else "an " if what[0] in "aeiou" else "a "
    words: dict[str, Any] = {
        "name": f"{verb}_{what}",
        "summary": f"{verb.capitalize()} {article}{what}",
    }
    view = operation(kind.plural, **words, **described)(partial(act, kind))
    blueprint.add_url_rule(rule, verb, view, methods=[method])


def _add_reads(add: Callable[..., None], kind: Kind, path: Mapping[str, Any]) -> None:
    name = kind.resource.capitalize()
    page = {200: answer(page_of(name), PAGE)}
    add("list", _list, "", "GET", query=PageQuery, answers=page)
    single = {200: answer(name, READ)}
    add("read", _read, "/<id_>", "GET", path=path, answers=single, problems=("not-found", "gone"))


def _add_writes(add: Callable[..., None], kind: Kind, path: Mapping[str, Any]) -> None:
    name = kind.resource.capitalize()
    whole, full, part = _bodies(kind)
    refused = ("address-taken", "too-many-records") if kind is ARTICLES else ("name-taken",)
    write = partial(add, permission=_WRITE)
    write(
        "create",
        _create,
        "",
        "POST",
        body=whole,
        idempotent=True,
        answers={201: answer(name, MADE)},
        problems=("id-taken", *refused[:1]),
    )
    change = partial(write, path=path, if_match=True)
    changed = {"answers": {200: answer(name, READ)}, "problems": ("not-found", *refused)}
    change("replace", partial(_amend, replace=True), "/<id_>", "PUT", body=full, **changed)
    change("amend", partial(_amend, replace=False), "/<id_>", "PATCH", body=part, **changed)
    change(
        "delete",
        _remove,
        "/<id_>",
        "DELETE",
        query=ReferenceDeleteQuery,
        body=body_of(RemovalSchema, optional=True),
        answers={204: answer(None, ["Dataset-Version"])},
        problems=("not-found", "still-cited"),
    )


def _bodies(kind: Kind) -> tuple[Body, Body, Body]:
    """Describe what makes one of KIND, what replaces it, and what amends it."""
    schema, name = type(kind.schema), kind.resource.capitalize()
    part = body_of(schema, media_types=[request_bodies.MERGE_PATCH], name=f"{name}Patch")
    if kind is ARTICLES:
        whole = body_of(schema)
        return whole, whole, part
    new = body_of(schema, required=("id", "name"), name=f"{name}Input")
    return new, body_of(schema, required=("name",), name=f"{name}Replacement"), part


def key_of(kind: Kind, text: str) -> str:
    """Read an id from the path."""
    key = read_id(text) if kind is ARTICLES else text.lower()
    if key is None or "\x00" in key or len(key) > 64:
        raise not_found(f"There is no {kind.resource} {text[:40]!r}.")
    return key


def _list(kind: Kind) -> Response:
    """List them by id, a page at a time."""
    query = load(PageQuery)
    limit = query.get("limit", DEFAULT_LIMIT)
    columns = kind.table.c
    dataset = feed.dataset_version(db.session())
    statement = select(kind.table).where(references.is_public(kind)).order_by(columns.id)
    after = cursors.read_name(query.get("cursor"), kind.plural, kind.path)
    result = db.session.execute(statement.where(columns.id > after).limit(limit + 1))
    rows = result.mappings().all()
    following = (
        cursors.write_name(kind.plural, rows[limit - 1]["id"]) if len(rows) > limit else None
    )
    total = len(rows) if not after and following is None else _total(kind)
    data = [kind.render(dict(row)) for row in rows[:limit]]
    return responses.collection(data, following, total, dataset)


def _total(kind: Kind) -> int:
    number: int = db.session.execute(
        select(func.count()).select_from(kind.table).where(references.is_public(kind))
    ).scalar_one()
    return number


def _read(kind: Kind, id_: str) -> Response:
    """Read one."""
    load(NoQuery)
    key = key_of(kind, id_)
    dataset = feed.dataset_version(db.session())
    row = references.find(db.session(), kind, key)
    if row is None:
        raise _missing(kind, key)
    return json(kind.render(row), dataset_version=dataset, etag=f'"{row["version"]}"')


def _missing(kind: Kind, key: str) -> ApiError:
    """Return the error for what never was, or for what was deleted."""
    removed = db.session.execute(
        select(ReferenceVersion.at)
        .filter_by(resource=kind.resource, id=key)
        .order_by(ReferenceVersion.number.desc())
    ).scalar()
    if removed is None:
        return not_found(f"There is no {kind.resource} {key}.")
    return ApiError("gone", f"The {kind.resource} {key} was deleted.", withdrawn_at=removed)


def _create(kind: Kind) -> Response:
    """Create one."""
    actor = authentication.require(_WRITE)
    load(NoQuery)
    body = request_bodies.json_object()
    data = kind.schema.load(body.value)

    def work() -> Outcome[WrittenReference]:
        result = references.create(db.session(), kind, data, actor, data.get("reason"))
        return Outcome(201, {"id": result.id, "version": result.version}, result)

    with transaction() as session:
        reference = idempotency.run(session, actor, body.raw, work).answer
        document = stored_version(kind, reference)
    return responses.reference(document, 201, f"{kind.path}/{reference['id']}")


def stored_version(kind: Kind, reference: Mapping[str, object]) -> str:
    """Return the document of the version that a write made, also where a retry asks again.

    Raises ApiError: it was erased since.
    """
    versions = select(ReferenceVersion.document).filter_by(resource=kind.resource)
    made = versions.filter_by(id=reference["id"], number=reference["version"])
    document: str | None = db.session.execute(made).scalar_one()
    if document is None:
        raise ApiError("gone", f"The {kind.resource} {reference['id']} was erased as it was made.")
    return document


def _amend(kind: Kind, id_: str, *, replace: bool) -> Response:
    """Replace or amend one."""
    actor = authentication.require(_WRITE)
    load(NoQuery)
    key = key_of(kind, id_)
    types = request_bodies.JSON_TYPES if replace else request_bodies.PATCH_TYPES
    data = kind.schema.load(request_bodies.json_object(types).value)
    with transaction() as session:
        stored = references.find(session, kind, key)
        row = references.require_version(stored, kind, key, conditional.if_match(data))
        written = references.amend(
            session, kind, row, data, actor, replace=replace, reason=data.get("reason")
        )
    return responses.reference(documents.dump(written.document), 200)


def _remove(kind: Kind, id_: str) -> Response:
    """Delete one that nothing refers to."""
    actor = authentication.require(_WRITE)
    options = request_bodies.with_options(load(ReferenceDeleteQuery), RemovalSchema)
    key = key_of(kind, id_)
    with transaction() as session:
        stored = references.find(session, kind, key, lock=True)
        row = references.require_version(stored, kind, key, conditional.if_match(options))
        references.remove(session, kind, row, actor, options.get("reason"))
    return no_content(feed.version_after_write())


blueprints = [_blueprint(kind) for kind in KINDS]
