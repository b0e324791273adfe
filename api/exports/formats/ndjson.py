"""NDJSON: the stored documents, one a line. The lossless form."""

from collections.abc import Iterable, Iterator, Sequence

from api.documents import select_fields


def write(
    batches: Iterable[Sequence[bytes]], fields: Sequence[str] | None = None
) -> Iterator[bytes]:
    """Yield the documents of BATCHES as lines; with FIELDS, those members of each alone."""
    for batch in batches:
        documents = (
            batch if fields is None else [select_fields(document, fields) for document in batch]
        )
        if documents:
            yield b"\n".join((*documents, b""))
