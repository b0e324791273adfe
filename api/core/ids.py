"""Ids that are drawn."""

import secrets

from schemas.fields import ID_ALPHABET


def new_id() -> str:
    """Return a random id: 10 characters of Crockford base32, 50 bits."""
    return "".join(secrets.choice(ID_ALPHABET) for _ in range(10))
