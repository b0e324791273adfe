"""Authentication: each request's key becomes its actor."""

import hashlib
import hmac

from flask import Flask, g, request
from sqlalchemy import bindparam, select

from api.core.errors import ApiError
from api.core.permissions import PERMISSIONS, PUBLIC, ROLES, Actor
from api.database.engines import reader
from api.models import ApiKey

_LOOKUP = select(ApiKey.pk, ApiKey.role, ApiKey.name, ApiKey.secret_sha256).where(
    ApiKey.prefix == bindparam("prefix"), ApiKey.revoked_at.is_(None)
)


def digest(secret: str) -> str:
    """Return the hash of a secret of 160 random bits; a slow one would add nothing to those."""
    return hashlib.sha256(secret.encode()).hexdigest()


def init_app(app: Flask) -> None:
    """Refuse a key that is not known on every endpoint of the API, where none is needed too."""

    @app.before_request
    def check() -> None:
        if "HTTP_AUTHORIZATION" in request.environ and request.path.startswith("/api/"):
            actor()


def actor() -> Actor:
    """Return who asks: the public without a key. Raises ApiError: 401, the key is not known."""
    if "HTTP_AUTHORIZATION" not in request.environ:
        return PUBLIC
    if "actor" not in g:
        g.actor = _authenticate(request.headers.get("Authorization"))
    caller: Actor = g.actor
    return caller


def _authenticate(header: str | None) -> Actor:
    if not header:
        return PUBLIC
    scheme, _, key = header.strip().partition(" ")
    prefix, _, secret = key.strip().partition("_")
    if scheme.lower() != "bearer" or not secret:
        raise ApiError("unauthorized", "Send the key as: Authorization: Bearer KEY")
    plain = key.isascii() and key.isprintable()
    rows = reader().run(_LOOKUP, {"prefix": prefix[:16]}) if plain else ()
    stored = rows[0][3] if rows else digest("")
    if not hmac.compare_digest(digest(secret), stored) or not rows:
        raise ApiError("unauthorized", "This key is not known, or was revoked.")
    pk, role, name, _ = rows[0]
    caller = Actor(pk, role, name, prefix)
    request.environ["actor"] = caller  # for the log line of this request
    return caller


def require(what: str) -> Actor:
    """Return the actor if it may do WHAT, a row of `PERMISSIONS`. Raises ApiError: 401 or 403."""
    caller = actor()
    if caller.can(what):
        return caller
    least = PERMISSIONS[what]
    if caller is PUBLIC or caller.role == ROLES[0]:
        raise ApiError(
            "unauthorized",
            f"To {what} takes a key of role {least} or more: send it as Authorization: Bearer KEY",
        )
    raise ApiError(
        "forbidden", f"To {what} takes a key of role {least}; this one is {caller.role}."
    )
