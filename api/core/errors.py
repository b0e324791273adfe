"""Errors that a client is to blame for or can do something about; the edge answers each."""

from typing import Any


class ApiError(Exception):
    """A request that is understood and refused; KIND is a row of `problems.PROBLEM_TYPES`."""

    def __init__(self, kind: str, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.extra = extra


def not_found(detail: str) -> ApiError:
    """Return the error for something that is not there, or not for this caller."""
    return ApiError("not-found", detail)


class WriteConflict(ApiError):  # noqa: N818 - what happened, by its usual name
    """Another writer came first: the request is retried on what that one left, or refused."""

    def __init__(self) -> None:
        super().__init__("conflict", "Another change came first. Read it again, then change it.")
