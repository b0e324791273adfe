"""Findings: what is wrong with the lines of an import, all of it, and the refusal that says so."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.core.errors import ApiError

MOST_SHOWN = 1000

# The code of a fault that is a problem of its own kind; any other is one of the content.
_KINDS = {
    code: code.replace("_", "-")
    for code in (
        "malformed_json",
        "id_taken",
        "duplicate",
        "version_stale",
        "record_withdrawn",
        "forbidden",
        "gone",
    )
}


@dataclass(slots=True)
class Findings:
    """Faults in the order of their lines: the first to show, and the number of all."""

    shown: list[dict[str, Any]] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    # Warnings about the file as a whole, which may say where the errors come from.
    notes: Sequence[dict[str, Any]] = ()

    def add(self, line: int, faults: Iterable[Mapping[str, Any]]) -> None:
        """Note what is wrong with a line."""
        self.lines += 1
        for fault in faults:
            self.kinds[_KINDS.get(fault["code"], "validation-error")] += 1
            if len(self.shown) < MOST_SHOWN:
                self.shown.append({"line": line, **fault})

    def refuse(self, missing: Mapping[str, Iterable[str]], written: int) -> None:
        """Raise the ApiError that tells of all, if there is anything.

        MISSING are the ids that each vocabulary lacks, WRITTEN the lines before that stay.
        """
        if not self.kinds:
            return
        number = self.kinds.total()
        extra: dict[str, Any] = {"errors": self.shown, "faults": number}
        if self.notes:
            extra["warnings"] = self.notes
        faults = "1 fault" if number == 1 else f"{number:,} faults"
        lines = "1 line" if self.lines == 1 else f"{self.lines:,} lines"
        detail = f"{faults} in {lines}; nothing was written."
        if written:
            detail = f"{faults} in {lines}; the {written:,} lines before are written."
        if any(missing.values()):
            extra["missing"] = {name: sorted(ids) for name, ids in missing.items() if ids}
            lacking = (f"{_listed(ids)} among {name}" for name, ids in extra["missing"].items())
            detail += f" Not held here: {'; '.join(lacking)}."
        first = self.shown[0]
        detail += f" The first is in line {first['line']}: {first['detail']}"
        raise ApiError(self._kind(), detail, **extra)

    def _kind(self) -> str:
        """Choose the kind of problem: what is not JSON or not right first, else the only kind."""
        for kind in ("malformed-json", "validation-error"):
            if kind in self.kinds:
                return kind
        return next(iter(self.kinds)) if len(self.kinds) == 1 else "conflict"


def _listed(ids: list[str], most: int = 20) -> str:
    more = f" and {len(ids) - most} more" if len(ids) > most else ""
    return ", ".join(ids[:most]) + more
