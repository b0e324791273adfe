"""Parameters: one value, alternatives joined by commas, or repetitions that all must hold."""

import re
from collections.abc import Callable
from typing import Any

from marshmallow import Schema, ValidationError, fields

from schemas.errors import invalid
from schemas.fields import check_text

_SEPARATOR = re.compile(r",(?! )")
# What stands in quotes is one alternative, whatever commas it has; a comma ends each.
_ALTERNATIVE = re.compile(r'\s*"([^"]*)"\s*,(?! )|(.*?),(?! )', re.DOTALL)
_LONGEST = 10_000  # characters of a value, with all its alternatives
MAX_ALTERNATIVES = 100
# Parameters that shape the answer or another filter; all others are filters, each an object of
# `api.queries.filters.incidents`.
CONTROLS = frozenset(
    {"limit", "cursor", "sort", "count", "fields", "format", "match", "radius_km", "group_by"}
)


class QueryError(ValidationError):
    """Faults in a query string rather than in a body: messages by parameter."""


class Parameter(fields.Field[Any]):
    """A parameter that takes one value."""

    kind = "one"

    def __init__(
        self,
        read: Callable[[str], Any],
        description: str,
        example: str | None = None,
        *,
        default: Any = None,
        **options: Any,
    ) -> None:
        """READ reads one value. The rest is for the documentation: DESCRIPTION, an EXAMPLE as it
        is written (repetitions joined by `&`), and the DEFAULT that holds where it is left out.
        """
        super().__init__(**options)
        self.read = read
        self.description = description
        self.example = example
        self.default = default

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        text = check_text(value, _LONGEST).strip()
        if not text:
            raise _empty()
        return self.read(text)


class AnyOf(Parameter):
    """A parameter that takes alternatives, joined by commas or repeated; loads as their list."""

    kind = "any"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        text = check_text(value, _LONGEST).strip()
        parts = _quoted(text) if '"' in text else _SEPARATOR.split(text)
        parts = [part.strip() for part in parts]
        if len(parts) > MAX_ALTERNATIVES:
            raise invalid("too_many", f"It takes at most {MAX_ALTERNATIVES} alternatives.")
        if not all(parts):
            raise _empty()
        try:
            return list(dict.fromkeys(map(self.read, parts)))
        except ValidationError:
            for part in parts:
                self._refuse_blank(part)
            raise

    def _refuse_blank(self, part: str) -> None:
        """Raise ValidationError where a blank after a comma is what is wrong with PART."""
        joined = ",".join(map(str.strip, part.split(",")))
        if joined != part and not self._reads(part) and all(map(self._reads, joined.split(","))):
            raise invalid(
                "blank_after_comma",
                "A comma with a blank after it does not separate, as in a name such as "
                f'"Washington, D.C."; without the blank it does: {joined[:200]}',
                suggestion=joined[:200],
            )

    def _reads(self, part: str) -> bool:
        """Whether a part is a value by itself."""
        try:
            self.read(part)
        except ValidationError:
            return False
        return True


def _quoted(value: str) -> list[str]:
    """Return alternatives of which some stand in quotes."""
    return [quoted or plain for quoted, plain in _ALTERNATIVE.findall(f"{value},")]


class AllOf(AnyOf):
    """A parameter that may be repeated, each time with alternatives; loads as a list of lists."""

    kind = "all"

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        groups = [super(AllOf, self)._deserialize(group, *args, **kwargs) for group in value]
        if len(groups) > 10:
            raise invalid("too_many", "It may be repeated at most 10 times.")
        return groups


class GroupBy(AnyOf):
    """One or two groupings."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        groupings = super()._deserialize(value, *args, **kwargs)
        if len(groupings) > 2:
            raise invalid("too_many", "It takes one or two groupings.")
        if set(groupings) <= {"community", "community_pair", "organisation"} and groupings[1:]:
            raise invalid(
                "same_twice",
                "A pair names its communities already, and an organisation belongs to one; choose "
                "one of the two.",
            )
        return groupings


def _empty() -> ValidationError:
    return invalid("empty", "The value is empty; give one or leave the parameter out.")


class NoQuery(Schema):
    """The parameters of what takes none."""
