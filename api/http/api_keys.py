"""API keys: created, listed and revoked; a key is shown once, and stored hashed."""

import secrets
from typing import Any

from sqlalchemy import Select, insert, select, update
from sqlalchemy.orm import Session

from api.core import clock
from api.http.authentication import digest
from api.models import ApiKey


def create(session: Session, name: str, role: str) -> str:
    """Create a key of ROLE and return it, `PREFIX_SECRET`: only its hash is stored."""
    prefix, secret = secrets.token_hex(4), secrets.token_hex(20)
    session.execute(
        insert(ApiKey).values(
            prefix=prefix,
            secret_sha256=digest(secret),
            name=name,
            role=role,
            created_at=clock.now(),
        )
    )
    return f"{prefix}_{secret}"


def listing(session: Session) -> list[dict[str, Any]]:
    """Return every key as `describe` has it, the oldest first."""
    return [describe(key) for key in session.scalars(select(ApiKey).order_by(ApiKey.pk))]


def find(session: Session, prefix: str) -> dict[str, Any]:
    """Return the key with this PREFIX, revoked or not. Raises NoResultFound."""
    return describe(session.scalars(select(ApiKey).where(ApiKey.prefix == prefix)).one())


def describe(key: ApiKey) -> dict[str, Any]:
    """Return what is shown of a key: its id is the part before the underscore."""
    return {
        "id": key.prefix,
        "name": key.name,
        "role": key.role,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }


def revoke(session: Session, prefix: str) -> bool:
    """Whether a key with this PREFIX was in use: it is refused from the next request on."""
    changed = session.execute(
        update(ApiKey)
        .where(ApiKey.prefix == prefix, ApiKey.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .returning(ApiKey.pk)
    )
    return changed.first() is not None


def in_use(*, beginning: str = "", role: str | None = None) -> Select[ApiKey]:
    """Return a select of the keys in use whose prefix starts with BEGINNING, of a ROLE or any."""
    statement = select(ApiKey).where(
        ApiKey.revoked_at.is_(None), ApiKey.prefix.startswith(beginning, autoescape=True)
    )
    return statement if role is None else statement.where(ApiKey.role == role)
