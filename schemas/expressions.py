"""What a filter's text means: comparisons of properties, joined."""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "list", "number", "boolean", "day", "geometry"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A property compared: by a sign, `in`, `like`, `between`, `null` or `intersects`."""

    name: str
    kind: Kind
    operator: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Combination:
    """Expressions joined: `and`, `or`, or `not` of one; without any, `and` is true, `or` false."""

    operator: Literal["and", "or", "not"]
    parts: tuple["Expression", ...] = ()


Expression = Comparison | Combination
