"""The time, as it is stored."""

from datetime import UTC, datetime


def now() -> str:
    """Return the current time as RFC 3339 text: UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
