"""Line errors: all that is wrong with the lines of an import, and the refusal that says so."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.core.errors import ApiError

MAX_ERRORS = 1000
# A column is spelled otherwise as a whole where so many rows, and half of all, have such an error.
# What is unknown or ambiguous differs from cell to cell, and is listed for each.
_WHOLE_COLUMN = 4
_SPELLING = frozenset({"bad_date", "wrong_type", "required", "bad_address"})

# The code of an error that is a problem type of its own; any other is one of the content.
_PROBLEM_TYPES = {
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
class _Group:
    """Errors of the same member and code: the first, and the number of all."""

    first: dict[str, Any]
    count: int = 0


@dataclass(slots=True)
class LineErrors:
    """Errors in the order of their lines: the first to show, and the number of all.

    `is_csv` lets an error of a whole column stand once for it.
    """

    is_csv: bool = False
    # Warnings about the file as a whole, which may say where the errors come from.
    notes: Sequence[dict[str, Any]] = ()
    checked: int = 0
    lines: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    problem_types: Counter[str] = field(default_factory=Counter)
    _groups: dict[tuple[str, str], _Group] = field(default_factory=dict)

    def add(self, line: int, errors: Iterable[Mapping[str, Any]]) -> None:
        """Add what is wrong with a line."""
        self.lines += 1
        for error in errors:
            self.problem_types[_PROBLEM_TYPES.get(error["code"], "validation-error")] += 1
            if len(self.errors) < MAX_ERRORS:
                self.errors.append({"line": line, **error})
            key = (error["pointer"], error["code"])
            if key in self._groups or len(self._groups) < MAX_ERRORS:
                group = self._groups.setdefault(key, _Group({"line": line, **error}))
                group.count += 1

    @property
    def are_duplicates(self) -> bool:
        """Whether all errors are lines that look like other records."""
        return self.problem_types.keys() <= {"duplicate"}

    def raise_any(self, missing: Mapping[str, Collection[str]], written: int) -> None:
        """Raise the ApiError that lists the errors, if there are any.

        MISSING are the ids that each vocabulary lacks, WRITTEN the lines before that stay.
        """
        if not self.problem_types:
            return
        errors = self._listed()
        number = self.problem_types.total()
        extra: dict[str, Any] = {"errors": errors, "faults": number}
        if self.notes:
            extra["warnings"] = self.notes
        faults = "1 fault" if number == 1 else f"{number:,} faults"
        lines = "1 line" if self.lines == 1 else f"{self.lines:,} lines"
        detail = f"{faults} in {lines}; nothing was written."
        if written:
            detail = f"{faults} in {lines}; the {written:,} lines before are written."
        if any(missing.values()):
            unknown = {name: sorted(ids) for name, ids in missing.items() if ids}
            extra["missing"] = {name: ids[:MAX_ERRORS] for name, ids in unknown.items()}
            extra["number_of_missing"] = {name: len(ids) for name, ids in unknown.items()}
            lacking = (f"{_join(ids)} among {name}" for name, ids in unknown.items())
            detail += f" Not held here: {'; '.join(lacking)}."
        first = errors[0]
        detail += f" The first is in line {first['line']}: {first['detail']}"
        raise ApiError(self._problem_type(), detail, **extra)

    def _listed(self) -> list[dict[str, Any]]:
        """Return the errors to show; one that a whole column has stands there once."""
        columns = {
            key: group
            for key, group in self._groups.items()
            if self.is_csv
            and key[0].count("/") == 1
            and key[1] in _SPELLING
            and group.count >= max(_WHOLE_COLUMN, self.checked / 2)
        }
        if not columns:
            return self.errors
        listed = [self._of_column(*item) for item in columns.items()]
        shown = {(error["line"], error["pointer"], error["code"]) for error in self.errors}
        for key, group in self._groups.items():  # those that the column's errors left no room for
            if key not in columns and (group.first["line"], *key) not in shown:
                listed.append(group.first)
        rest = [error for error in self.errors if (error["pointer"], error["code"]) not in columns]
        return sorted([*listed, *rest], key=lambda error: int(error["line"]))[:MAX_ERRORS]

    def _of_column(self, key: tuple[str, str], group: _Group) -> dict[str, Any]:
        pointer, code = key
        detail = (
            f"{group.count:,} of {self.checked:,} rows have this in the column {pointer[1:]}. "
            f"The first of them: {group.first['detail']}"
        )
        if "suggestion" in group.first:
            detail += f" It would be {group.first['suggestion']}."
        if code == "bad_date":
            detail += (
                " In a spreadsheet, give the whole column the format yyyy-mm-dd, then save it anew."
            )
        return {**group.first, "detail": detail, "rows": group.count}

    def _problem_type(self) -> str:
        """Choose the type of problem: what is not JSON or not right first, else the only one."""
        for problem_type in ("malformed-json", "validation-error"):
            if problem_type in self.problem_types:
                return problem_type
        return next(iter(self.problem_types)) if len(self.problem_types) == 1 else "conflict"


def _join(ids: list[str], most: int = 20) -> str:
    more = f" and {len(ids) - most} more" if len(ids) > most else ""
    return ", ".join(ids[:most]) + more
