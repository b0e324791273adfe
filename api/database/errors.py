"""What an error of a driver means, whichever engine it is from."""

import sqlite3

# SQLSTATE: disk full, and errors of reading or writing.
_STORAGE_STATES = ("53100", "58030")
_STORAGE_WORDS = ("disk is full", "readonly", "No space left")
_QUERY_CANCELED = "57014"


def is_storage_full(error: BaseException | None) -> bool:
    """Whether a driver's ERROR says that the disk is full, or takes no writes."""
    text = str(error)
    full = getattr(error, "sqlstate", None) in _STORAGE_STATES
    return full or any(words in text for words in _STORAGE_WORDS)


def is_timeout(error: BaseException | None) -> bool:
    """Whether a driver's ERROR says that a statement took too long."""
    return (
        getattr(error, "sqlstate", None) == _QUERY_CANCELED
        or getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
    )
