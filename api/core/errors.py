"""Refusals: why a verb does not do what was asked. The edge turns each kind into a problem."""

from typing import Any


class Refusal(Exception):  # noqa: N818 - it is an answer, not a malfunction
    """A request that is understood and refused; KIND is a row of the table of problems."""

    def __init__(self, kind: str, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.extra = extra


def not_found(what: str) -> Refusal:
    """Make the refusal for something that is not there, or not for this caller."""
    return Refusal("not-found", what)


class Overtaken(Refusal):
    """Another writer came first: the request is done again on what it left, or refused."""

    def __init__(self) -> None:
        super().__init__("conflict", "Another change came first. Read it again, then change it.")
