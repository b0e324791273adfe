"""What a caller chooses of an import, and what an import's answer says."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

COUNTS = ("created", "changed", "unchanged", "skipped", "duplicates", "number_of_warnings")
MAX_WARNINGS = 1000  # groups of warnings
MAX_SIMILAR = 1000  # lines

# Members of a record that say where it was: their warnings are grouped by the place.
_PLACE_POINTERS = ("/city", "/admin1", "/country", "/latitude", "/longitude", "/geonames_id")


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller chose: what becomes of known ids, of duplicates and of bad lines, and why."""

    on_conflict: str = "error"
    on_duplicate: str = "accept"
    on_error: str = "refuse"
    reason: str | None = None

    @property
    def skips_bad_lines(self) -> bool:
        """Whether the good lines are taken where others are bad."""
        return self.on_error == "skip"


@dataclass(slots=True)
class Summary:
    """What an import did: how many lines had which end, and what should be said of them.

    `duplicates` are lines that look like a record that was there before them, whatever became of
    them; `similar` says which lines and records. `ids` are the lines' records, one a line, and
    `drawn` those that no line names.
    """

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    duplicates: int = 0
    number_of_warnings: int = 0
    ids: list[str] = field(default_factory=list)
    drawn: set[str] = field(default_factory=set)
    similar: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    number_of_rejected: int = 0
    import_id: str | None = None
    _warnings: dict[Hashable, dict[str, Any]] = field(default_factory=dict)

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """The groups of warnings, each with its first line and the number of its lines."""
        return list(self._warnings.values())

    def public(self, *, dry_run: bool = False) -> dict[str, Any]:
        """Lay it out for an answer; ids that a dry run drew are nobody's."""
        answer: dict[str, Any] = {
            **self.counts(),
            "ids": self.ids,
            "similar": self.similar,
            "warnings": self.warnings,
            "rejected": self.rejected,
            "number_of_rejected": self.number_of_rejected,
            "import_id": self.import_id,
        }
        if dry_run:
            del answer["ids"], answer["import_id"]
            answer["similar"] = [
                {**entry, "ids": [id_ for id_ in entry["ids"] if id_ not in self.drawn]}
                for entry in self.similar
            ]
            answer["dry_run"] = True
        return answer

    @classmethod
    def from_counts(cls, counts: Mapping[str, int]) -> "Summary":
        """Return a summary of the numbers alone."""
        summary = cls()
        for name in COUNTS:
            setattr(summary, name, counts[name])
        return summary

    def counts(self) -> dict[str, int]:
        """Return the numbers alone."""
        return {name: getattr(self, name) for name in COUNTS}

    def add(self, other: "Summary") -> None:
        """Add what a further part did; its ids are left out, nobody asks for those of a file."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.similar = [*self.similar, *other.similar][:MAX_SIMILAR]
        for key, group in other._warnings.items():
            self._add_group(key, group)

    def warn(
        self, line: int, warnings: Sequence[Mapping[str, Any]], data: Mapping[str, Any]
    ) -> None:
        """Add the warnings about a line with DATA, each to those that say the same.

        Those about a place are the same by code, name and country, others by code and words.
        """
        self.number_of_warnings += len(warnings)
        for warning in warnings:
            key: Hashable = (warning["code"], warning["detail"])
            if warning["pointer"] in _PLACE_POINTERS:
                key = (warning["code"], data.get("city"), data.get("country"))
            self._add_group(key, {"line": line, **warning, "count": 1})

    def note(self, warnings: Iterable[Mapping[str, Any]]) -> None:
        """Add warnings about the file as a whole."""
        for warning in warnings:
            self.number_of_warnings += 1
            self._add_group((warning["code"], warning["detail"]), {**warning, "count": 1})

    def _add_group(self, key: Hashable, group: dict[str, Any]) -> None:
        if key in self._warnings:
            self._warnings[key]["count"] += group["count"]
        elif len(self._warnings) < MAX_WARNINGS:
            self._warnings[key] = dict(group)

    def add_similar(self, line: int, ids: list[str]) -> None:
        """Add a line that looks like the records of IDS."""
        if len(self.similar) < MAX_SIMILAR and ids:
            self.similar.append({"line": line, "ids": ids})
