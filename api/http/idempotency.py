"""Idempotency-Key: a POST that is sent again does not happen again.

A digest of the key is stored in the write's own transaction, per API key and route, with one of the
body, the status and what was made, never the words themselves. Only successes are kept. A parallel
retry waits for the first (on the database's own locks) and is answered as the first was.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

import orjson
from flask import current_app, request
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from api.core import clock
from api.core.errors import ApiError
from api.core.permissions import Actor
from api.models import IdempotencyKey
from schemas.errors import ErrorDetail
from schemas.query.parameters import QueryError

MAX_KEY = 255
_LOCK_NOT_AVAILABLE = "55P03"  # SQLSTATE: the lock timeout is over


def key() -> str | None:
    """Read the Idempotency-Key header, refusing one that cannot be stored."""
    value = request.headers.get("Idempotency-Key")
    if value is None:
        return None
    value = value.strip()
    if not value or len(value) > MAX_KEY or not (value.isascii() and value.isprintable()):
        fault = ErrorDetail("bad_key", "It takes 1 to 255 printable ASCII characters.")
        raise QueryError({"Idempotency-Key": [fault]})
    return value


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What became of a POST: its status, and a small `answer` from which a retry is answered too.

    `result` is what the work of this request returned, None where an earlier request did it.
    """

    status: int
    answer: dict[str, Any]
    result: T | None = None


def run(session: Session, actor: Actor, body: bytes, work: Callable[[], Outcome[T]]) -> Outcome[T]:
    """Return the outcome of WORK, done once for the request's key.

    Runs inside the transaction of the write. Raises ApiError where the key was used with another
    body.
    """
    names = _names(actor)
    if names is None:
        return work()
    stored = _claim(session, names, _digest(body))
    if stored is not None:
        return _stored_outcome(stored, body)
    outcome = work()
    session.execute(
        update(IdempotencyKey)
        .filter_by(**names)
        .values(status=outcome.status, answer=orjson.dumps(outcome.answer).decode())
    )
    return outcome


def find(session: Session, actor: Actor, body: bytes) -> Outcome[Any] | None:
    """Return the outcome of an earlier request with this key, before any work for this one.

    Raises ApiError as `run` does. One that is still at work is not seen.
    """
    names = _names(actor)
    if names is None:
        return None
    stored = session.scalars(select(IdempotencyKey).filter_by(**names)).one_or_none()
    return None if stored is None or not stored.status else _stored_outcome(stored, body)


def _names(actor: Actor) -> dict[str, Any] | None:
    """Return what a key is stored by, None without one."""
    name = key()
    if name is None or actor.pk is None:
        return None
    return {
        "api_key_pk": actor.pk,
        "route": request.path[:300],
        "key": hashlib.sha256(name.encode()).hexdigest(),
    }


def _digest(body: bytes) -> str:
    parts = (request.full_path.encode(), request.mimetype.encode(), body)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _stored_outcome(stored: IdempotencyKey, body: bytes) -> Outcome[Any]:
    if stored.body_sha256 != _digest(body):
        raise ApiError(
            "idempotency-mismatch",
            "This Idempotency-Key was sent before with another body; use a new one.",
        )
    return Outcome(stored.status, orjson.loads(stored.answer))


def _claim(session: Session, names: dict[str, Any], digest: str) -> IdempotencyKey | None:
    """Store the key before the work, or return what a first request stored."""
    oldest = datetime.now(UTC) - timedelta(hours=current_app.config["IDEMPOTENCY_HOURS"])
    cut = oldest.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    connection = session.connection()
    connection.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < cut))
    try:
        with connection.begin_nested():
            # Waits here while another transaction holds the same key.
            connection.execute(
                insert(IdempotencyKey).values(
                    **names, body_sha256=digest, status=0, answer="", created_at=clock.now()
                )
            )
    except IntegrityError:
        return session.scalars(select(IdempotencyKey).filter_by(**names)).one()
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        raise ApiError(
            "retry-in-flight", "The first request with this Idempotency-Key is still at work."
        ) from None
    return None
