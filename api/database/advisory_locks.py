"""Locks: what keeps two writers on PostgreSQL from overlooking each other.

SQLite has one writer at a time. On PostgreSQL two that do not see each other's work may both find
that nothing like their own record is there; a lock on what they would have to compare makes the
second wait until the first has committed.
"""

import hashlib

from sqlalchemy import Connection, text

# One transaction may write very many records, and a server's table of locks is small.
_BUCKETS = 1024
_NAMESPACE = 4_071_002
_LOCK = text("SELECT pg_advisory_xact_lock(:namespace, :bucket)")


def hold(connection: Connection, name: str) -> None:
    """Hold NAME until the transaction ends; wait for another that holds it.

    Some names share a lock, which makes a writer wait that need not, and never the other way.
    """
    if connection.dialect.name == "postgresql":
        bucket = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % _BUCKETS
        connection.execute(_LOCK, {"namespace": _NAMESPACE, "bucket": bucket})
