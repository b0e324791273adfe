"""Downloads: an export as an answer, with what proves that it came whole, or a part of it.

Never a chunked answer, whose end cannot be told from a failure: the length is known before the
first byte. `Repr-Digest` (RFC 9530) is that of the whole, whatever part is sent. In gzip length,
digest and ranges are those of the compressed bytes.
"""

import base64
from collections.abc import Iterable, Iterator

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import parse_range_header

from api.exports.exporter import Export
from api.http import conditional, content_coding
from api.http.responses import canonical_address, read_headers


class _Body:
    """The bytes from START up to STOP of an export, which is closed with the answer."""

    def __init__(self, export: Export, start: int, stop: int) -> None:
        self._export = export
        self._blocks = export.read(start, stop)

    def __iter__(self) -> Iterator[bytes]:
        # Let go before the last block is sent: who has it may ask for the next export at once.
        last = b""
        for block in self._blocks:
            if last:
                yield last
            last = block
        self.close()
        if last:
            yield last

    def close(self) -> None:
        self._export.close()


def send(
    export: Export,
    *,
    path: str,
    file_name: str,
    media_type: str,
    tag: str,
    private: bool,
    next_page: str | None = None,
) -> Response:
    """Answer with EXPORT, or with the range of it that was asked for.

    - PATH: where it is at home, whatever the address that it was asked for by
    - FILE_NAME: the name under which it is saved
    - TAG: the suffix of its ETag
    - NEXT_PAGE: the address of the following page, where there is one

    Raises RequestedRangeNotSatisfiable.
    """
    version = export.dataset_version
    etag = None if private else conditional.etag(version, tag)
    if export.gzip and etag is not None:
        etag = content_coding.tag(etag)
    try:
        part = _range(export.length, etag)
    except RequestedRangeNotSatisfiable:
        export.close()
        raise
    start, stop = part or (0, export.length)
    headers = [
        ("Content-Type", media_type),
        ("Content-Length", str(stop - start)),
        ("Content-Disposition", f'attachment; filename="{file_name}"'),
        ("Repr-Digest", f"sha-256=:{base64.b64encode(export.digest).decode()}:"),
        ("Record-Count", str(export.records)),
        ("Accept-Ranges", "none" if private else "bytes"),
        ("Link", f'<{canonical_address(path)}>; rel="canonical"'),
        *read_headers(version, etag, private=private),
    ]
    if next_page is not None:
        headers.append(("Link", f'<{next_page}>; rel="next"'))
    if export.gzip:
        headers.append(("Content-Encoding", content_coding.GZIP))
    if part is not None:
        headers.append(("Content-Range", f"bytes {start}-{stop - 1}/{export.length}"))
    body = _body(export, start, stop)
    status = 200 if part is None else 206
    return Response(body, status, headers=headers, direct_passthrough=isinstance(body, _Body))


def _body(export: Export, start: int, stop: int) -> Iterable[bytes]:
    """Return what is sent: a small answer in one piece, a long one block by block."""
    if export.long and request.method != "HEAD":
        return _Body(export, start, stop)
    try:
        return [] if request.method == "HEAD" else [b"".join(export.read(start, stop))]
    finally:
        export.close()


def _range(length: int, etag: str | None) -> tuple[int, int] | None:
    """Return the range that is asked for, as (start, stop); None where the whole is to be sent.

    Several ranges, other units and what cannot be read are answered with the whole, and so is a
    range of an earlier state (`If-Range`). Raises RequestedRangeNotSatisfiable.
    """
    header = request.headers.get("Range")
    if header is None or etag is None or request.method != "GET":
        return None
    if request.headers.get("If-Range", etag).strip() != etag:
        return None
    ranges = parse_range_header(header)
    if ranges is None or ranges.units != "bytes" or len(ranges.ranges) != 1:
        return None
    bounds = ranges.range_for_length(length)
    if bounds is None:
        raise RequestedRangeNotSatisfiable(length)
    return bounds
