"""NDJSON: the stored documents, one a line. The lossless form."""

from collections.abc import Iterator, Sequence

from api.core.media_formats import Batches, Format
from api.documents import FIELDS, select_fields


def write(batches: Batches, fields: Sequence[str] | None = None) -> Iterator[bytes]:
    """Yield the documents of BATCHES as lines; with FIELDS, those members of each alone."""
    for batch in batches:
        lines = batch if fields is None else [select_fields(line, fields) for line in batch]
        if lines:
            yield b"\n".join((*lines, b""))


FORMAT = Format(
    "ndjson",
    "NDJSON",
    "application/x-ndjson; charset=utf-8",
    FIELDS,
    write,
    aliases=("application/ndjson", "application/jsonl"),
    broader=("text/plain",),
)
