"""Values that the write verbs take and return: records in progress, and what was written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import CompoundSelect, Select

from schemas.record_fields import State

Row = Mapping[str, Any]  # a row of a table, by column
Keys = Select[tuple[int]] | CompoundSelect[tuple[int]]  # a query of primary keys


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that may be the same, and why."""

    pk: int
    id: str
    title: str
    date: str
    city: str
    reasons: list[str]

    def public(self) -> dict[str, Any]:
        """Lay it out for an answer."""
        return {
            "id": self.id,
            "url": f"/api/v1/incidents/{self.id}",
            "title": self.title,
            "date": self.date,
            "city": self.city,
            "reasons": self.reasons,
        }


@dataclass(slots=True)
class WriteResult:
    """What a verb wrote, or left UNCHANGED: the record's document as JSON, and warnings.

    A warning is {"pointer", "code", "detail"}; `similar` are records that may be the same.
    """

    pk: int
    id: str
    version: int
    status: str
    document: str
    warnings: list[dict[str, Any]] = field(default_factory=list)
    similar: list[Candidate] = field(default_factory=list)
    changed: bool = True


@dataclass(slots=True)
class NewRecord:
    """A record that is complete and not yet written: its columns, its state, and why it is made.

    `corrects` is the record that a draft corrects.
    """

    record: dict[str, Any]
    state: State
    article_pks: dict[str, int]
    warnings: list[dict[str, Any]]
    corrects: Row | None
    reason: str | None


@dataclass(slots=True)
class Amendment:
    """A change of a record, not yet written: the state that it makes, and why."""

    record: Row
    status: str
    state: State
    article_pks: dict[str, int]
    warnings: list[dict[str, Any]]
    changed: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class ImportedHistory:
    """What a record that was kept elsewhere brings along of its past."""

    version: int
    created_at: str
    updated_at: str
