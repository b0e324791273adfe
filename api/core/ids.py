"""Ids that are drawn."""

import secrets

from schemas.fields import ID_ALPHABET


def new_id() -> str:
    """Return a random id: 10 characters of Crockford base32, 50 bits."""
    bits = secrets.randbits(50)
    return "".join(ID_ALPHABET[bits >> shift & 31] for shift in range(0, 50, 5))
