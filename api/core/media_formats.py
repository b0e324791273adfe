"""Media formats: what the answer of a list can be written as, and how it is asked for."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Documents as UTF-8, some at a time, so that memory does not grow with their number.
Batches = Iterable[Sequence[bytes]]
# From documents, and the fields that are asked for (None: all), to the bytes of one answer.
Write = Callable[[Batches, Sequence[str] | None], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Format:
    """A format that a list is answered in.

    - `name`: the suffix of addresses, and the value of `format=`
    - `label`: what people call it
    - `media_type`: what it is sent as, with its parameters
    - `fields`: the members, or columns, that `fields=` may choose
    - `write`: what writes documents; None for JSON, which a page answers
    - `aliases`: other media types that mean it in Accept
    - `broader`: media types that also take it, once the address names it
    - `is_packed`: whether its bytes are compressed already
    - `schemas`: JSON Schemas by component name, that of an answer last; none for plain text
    """

    name: str
    label: str
    media_type: str
    fields: frozenset[str]
    write: Write | None = None
    aliases: tuple[str, ...] = ()
    broader: tuple[str, ...] = ()
    is_packed: bool = False
    schemas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)

    @property
    def mimetype(self) -> str:
        """Return the media type without parameters."""
        return self.media_type.partition(";")[0]

    @property
    def tag(self) -> str:
        """Return the suffix of ETags that tells this format from the default."""
        return "" if self.write is None else f"-{self.name}"

    def chunks(self, batches: Batches, fields: Sequence[str] | None = None) -> Iterator[bytes]:
        """Yield the bytes of BATCHES in this format, with FIELDS those members alone."""
        assert self.write is not None, f"{self.name} is answered by the page"
        return self.write(batches, fields)
