"""Optimistic concurrency: a change says which version it is based on."""

from typing import Literal

from api.core.errors import ApiError

# The versions that a client names; "*" takes any, None is a request that names none.
ExpectedVersion = frozenset[int] | Literal["*"] | None


def check_version(version: int, expected: ExpectedVersion, what: str = "The record") -> None:
    """Raise ApiError unless VERSION, at which WHAT stands, is one that the change expects."""
    if expected is None:
        raise ApiError(
            "precondition-required",
            f"Say which version the change is based on; it stands at {version}.",
            version=version,
        )
    if expected != "*" and version not in expected:
        raise ApiError(
            "version-stale",
            f"{what} stands at version {version}, {_versions_text(expected)}. "
            "Read it again, then change it.",
            version=version,
        )


def _versions_text(expected: frozenset[int]) -> str:
    if not expected:
        return 'and If-Match names none; it takes one such as "1"'
    return f"the change is based on {', '.join(map(str, sorted(expected)))}"
