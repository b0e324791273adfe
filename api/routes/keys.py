"""Keys: whose the caller's is, and all of them, for admins."""

from typing import Any

from flask import Blueprint, Response

from api.core.errors import ApiError, not_found
from api.core.permissions import PERMISSIONS
from api.database.engines import db
from api.database.transactions import transaction
from api.http import api_keys, authentication, idempotency, request_bodies
from api.http.idempotency import Outcome
from api.http.openapi import answer, body_of, list_of, object_of, operation
from api.http.openapi.schema_builders import JsonSchema, component
from api.http.query_strings import load
from api.http.responses import json, no_content
from api.models import feed
from schemas.api_keys import KEY_ROLES, ApiKeySchema, NoBodySchema
from schemas.query.parameters import NoQuery

blueprint = Blueprint("keys", __name__, url_prefix="/api/v1")

_ADMIN = "manage keys and releases"
_WHO = "ask whose a key is"
_HEADERS = ("Dataset-Version",)
_TEXT: JsonSchema = {"type": "string"}
_ROLE: JsonSchema = {"type": "string", "enum": [*KEY_ROLES]}
_KEY = {
    "id": {"type": "string", "description": "The key's part before the underscore."},
    "name": _TEXT,
    "role": _ROLE,
    "created_at": {"type": "string", "format": "date-time"},
    "revoked_at": {"type": ["string", "null"], "format": "date-time"},
}
_API_KEY = component("ApiKey", object_of("A key, without its secret.", **_KEY))
_API_KEYS = component("ApiKeys", object_of("All keys.", data=list_of(_API_KEY)))
_NEW_KEY = component(
    "NewApiKey",
    object_of(
        "A key that was created.",
        **_KEY,
        key={
            "type": ["string", "null"],
            "description": "What a request sends, shown this once: null where the request was "
            "repeated with its Idempotency-Key.",
        },
    ),
)
_ME = component(
    "Me",
    object_of(
        "Whose a key is.",
        id=_TEXT,
        name=_TEXT,
        role=_ROLE,
        may={
            "type": "array",
            "items": {"type": "string", "enum": [*PERMISSIONS]},
            "description": "What this key may do.",
        },
    ),
)


@blueprint.get("/me")
@operation("keys", answers={200: answer(_ME, _HEADERS)}, permission=_WHO)
def read_me() -> Response:
    """Say whose the key is that the request carries, and what it may do."""
    actor = authentication.require(_WHO)
    load(NoQuery)
    may = [what for what in PERMISSIONS if actor.can(what)]
    return _private({"id": actor.prefix, "name": actor.name, "role": actor.role, "may": may})


@blueprint.get("/keys")
@operation("keys", answers={200: answer(_API_KEYS, _HEADERS)}, permission=_ADMIN)
def list_keys() -> Response:
    """List all keys, revoked ones too, the oldest first."""
    authentication.require(_ADMIN)
    load(NoQuery)
    return _private({"data": api_keys.listing(db.session())})


@blueprint.post("/keys")
@operation(
    "keys",
    body=body_of(ApiKeySchema),
    answers={201: answer(_NEW_KEY, _HEADERS)},
    permission=_ADMIN,
    idempotent=True,
)
def create_key() -> Response:
    """Create a key; it is shown in this answer, and never again."""
    actor = authentication.require(_ADMIN)
    load(NoQuery)
    body = request_bodies.json_object()
    data = ApiKeySchema().load(body.value)

    def work() -> Outcome[str]:
        key = api_keys.create(db.session(), data["name"], data["role"])
        return Outcome(201, {"id": key.partition("_")[0]}, key)

    with transaction() as session:
        outcome = idempotency.run(session, actor, body.raw, work)
        created = api_keys.find(session, outcome.answer["id"])
    return _private({**created, "key": outcome.result}, status=201)


@blueprint.delete("/keys/<id_>")
@operation(
    "keys",
    answers={204: answer(None, _HEADERS)},
    permission=_ADMIN,
    path={"id_": {**_TEXT, "example": "b9f59284"}},
    problems=("not-found", "own-key"),
)
def revoke_key(id_: str) -> Response:
    """Revoke a key from the next request on; an admin's own is revoked by another."""
    actor = authentication.require(_ADMIN)
    load(NoQuery)
    NoBodySchema().load(request_bodies.optional_object().value)
    if id_ == actor.prefix:
        raise ApiError(
            "own-key",
            "This is the key that you send. Another admin revokes it, or the command: "
            f"flask --app api keys revoke {id_}",
        )
    with transaction() as session:
        if "\x00" in id_ or not api_keys.revoke(session, id_):
            raise not_found(f"There is no key {id_[:40]!r} in use; GET /api/v1/keys lists them.")
    return no_content(feed.version_after_write())


def _private(value: dict[str, Any], status: int = 200) -> Response:
    version = feed.dataset_version(db.session())
    return json(value, dataset_version=version, status=status, private=True)
