"""Compression with gzip (RFC 1952): the same bytes for the same content, whenever it is done."""

import zlib
from collections.abc import Iterable, Iterator

_GZIP = 31  # zlib's window bits for a gzip header, whose time is then zero
# An answer is compressed each time, a file once. On pages of records level 1 takes a third of the
# time of level 5 for a sixth more bytes.
_FAST, _SMALL = 1, 5
_MEMORY = 6  # of zlib's state: clearing the usual one takes longer than a record


def compress(body: bytes) -> bytes:
    """Return BODY compressed, for one answer."""
    packer = zlib.compressobj(_FAST, zlib.DEFLATED, _GZIP, _MEMORY)
    return packer.compress(body) + packer.flush()


def compressed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield CHUNKS compressed as one stream, of which a few hundred kilobytes are in memory."""
    packer = zlib.compressobj(_SMALL, zlib.DEFLATED, _GZIP)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()
