"""Values that the readers take and return: a query's meaning, pages."""

from dataclasses import dataclass, field
from typing import Any

# Bytes of documents after which a page ends, whatever its limit: `next` leads on.
MOST_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class ResolvedQuery:
    """What a query means: criteria as filters take them, and how to answer.

    Communities and episodes are ids; cities, publishers, organisations and who is named for a claim
    are keys; ids are those of what was merged into; dates are windows of days, `near` is a point
    with kilometres, `q` is a `TextQuery`.
    """

    criteria: dict[str, Any] = field(default_factory=dict)
    match: str | None = None
    sort: str = "-date"
    limit: int | None = None
    cursor: str | None = None
    count: str | None = None
    fields: list[str] | None = None
    group_by: list[str] | None = None
    warnings: tuple[dict[str, str], ...] = ()

    @property
    def identity(self) -> str:
        """Return in full which records it means, in which order, from where on."""
        return repr((sorted(self.criteria.items()), self.match, self.sort, self.cursor))


@dataclass(frozen=True, slots=True)
class Page:
    """A page of documents: the stored texts as UTF-8, what comes after, and the number of all.

    `total` is None where the number of all is not known.
    """

    documents: list[bytes]
    following: str | None
    total: int | None
    dataset_version: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """A page of statistics: JSON members before and after `next`, the cursor that goes there."""

    before: bytes
    after: bytes
    following: str | None
    dataset_version: int
