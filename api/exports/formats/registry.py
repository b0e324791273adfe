"""Formats: pure transformations from stored documents to bytes, in one table.

A format takes batches of documents (the stored texts as UTF-8) and yields the bytes of one answer
piece by piece, so that memory does not grow with the number of records.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from api.documents import FIELDS
from api.exports.formats import claims, csv, geojson, ndjson

Batches = Iterable[Sequence[bytes]]

# Part of the name of every file that is kept: raise it when a format writes other bytes.
REVISION = 1


Write = Callable[[Batches, Sequence[str] | None], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name (the suffix, and the value of `format=`) and what it is sent as.

    `fields` are the members, or columns, that `fields=` may choose. `write` is None for JSON,
    which is answered by the page; `aliases` are other media types that mean it.
    """

    name: str
    media_type: str
    fields: frozenset[str] = FIELDS
    write: Write | None = None
    aliases: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        """Give the suffix of ETags that tells this format from the default."""
        return "" if self.write is None else f"-{self.name}"

    def chunks(self, batches: Batches, fields: Sequence[str] | None = None) -> Iterator[bytes]:
        """Yield the bytes of BATCHES in this format, with FIELDS those members alone."""
        assert self.write is not None, f"{self.name} is answered by the page"
        return self.write(batches, fields)


JSON = Format("json", "application/json")
CSV = Format("csv", "text/csv; charset=utf-8; header=present", frozenset(csv.COLUMNS), csv.write)
GEOJSON = Format(
    "geojson", "application/geo+json", FIELDS, geojson.write, ("application/vnd.geo+json",)
)
NDJSON = Format(
    "ndjson",
    "application/x-ndjson; charset=utf-8",
    FIELDS,
    ndjson.write,
    ("application/ndjson", "application/jsonl"),
)

# What `/incidents` is answered in; the first is the default.
INCIDENTS: dict[str, Format] = {format_.name: format_ for format_ in (JSON, CSV, GEOJSON, NDJSON)}

CLAIMS_CSV = replace(CSV, fields=frozenset(claims.COLUMNS), write=claims.write)
CLAIMS_NDJSON = replace(NDJSON, fields=claims.MEMBERS)
# What `/claims` is answered in.
CLAIMS: dict[str, Format] = {
    "json": replace(JSON, fields=claims.MEMBERS),
    "csv": CLAIMS_CSV,
    "ndjson": CLAIMS_NDJSON,
}
