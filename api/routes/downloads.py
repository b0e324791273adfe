"""Downloads: an export as an answer, with what proves that it came whole, or a part of it.

Never a chunked answer, whose end cannot be told from a failure: the length is known before the
first byte. `Repr-Digest` (RFC 9530) is that of the whole, whatever part is sent.
"""

import base64
from collections.abc import Iterable, Iterator

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import parse_range_header

from api.exports.exporter import Export
from api.exports.formats.registry import Format
from api.http import conditional, responses


class _Body:
    """The bytes from START up to STOP of an export, which is closed with the answer."""

    def __init__(self, export: Export, start: int, stop: int) -> None:
        self._export = export
        self._blocks = export.read(start, stop)

    def __iter__(self) -> Iterator[bytes]:
        # Let go before the last block is sent: who has it may ask for the next export at once.
        held = b""
        for block in self._blocks:
            if held:
                yield held
            held = block
        self.close()
        if held:
            yield held

    def close(self) -> None:
        self._export.close()


def send(
    export: Export,
    format_: Format,
    what: str,
    *,
    partial: bool,
    private: bool,
    following: str | None = None,
    edition: str | None = None,
) -> Response:
    """Answer with EXPORT of WHAT (`incidents`), or the range of it that was asked for.

    EDITION names a frozen file: its name, which is then part of the tag, and its address is the
    request's own.

    PARTIAL says that it is not all there is, which the file's name then tells; FOLLOWING is the
    address of the next page where there is one. Raises RequestedRangeNotSatisfiable.
    """
    version = export.dataset_version
    tag = format_.tag if edition is None else f"-{edition}"
    etag = None if private else conditional.etag(version, tag)
    try:
        part = _range(export.length, etag)
    except RequestedRangeNotSatisfiable:
        export.close()
        raise
    start, stop = part or (0, export.length)
    name = f"{what}-v{version}{'-filtered' if partial else ''}.{format_.name}"
    if edition is not None:
        name = edition
    canonical = responses.canonical_address(f"{responses.PREFIX}/{what}.{format_.name}")
    headers = [
        ("Content-Type", format_.media_type),
        ("Content-Length", str(stop - start)),
        ("Content-Disposition", f'attachment; filename="{name}"'),
        ("Repr-Digest", f"sha-256=:{base64.b64encode(export.digest).decode()}:"),
        ("Record-Count", str(export.records)),
        ("Accept-Ranges", "none" if private else "bytes"),
        ("Link", f'<{canonical}>; rel="canonical"'),
        *responses.read_headers(version, etag, private=private),
    ]
    if following is not None:
        headers.append(("Link", f'<{following}>; rel="next"'))
    if part is not None:
        headers.append(("Content-Range", f"bytes {start}-{stop - 1}/{export.length}"))
    body = _body(export, start, stop)
    status = 200 if part is None else 206
    return Response(body, status, headers=headers, direct_passthrough=isinstance(body, _Body))


def _body(export: Export, start: int, stop: int) -> Iterable[bytes]:
    """Give what is sent: a small answer in one piece, a long one block by block."""
    if export.long and request.method != "HEAD":
        return _Body(export, start, stop)
    try:
        return [] if request.method == "HEAD" else [b"".join(export.read(start, stop))]
    finally:
        export.close()


def _range(length: int, etag: str | None) -> tuple[int, int] | None:
    """Read the range that is asked for, as (start, stop); None where the whole is to be sent.

    Several ranges, other units and what cannot be read are answered with the whole, and so is a
    range of an earlier state (`If-Range`). Raises RequestedRangeNotSatisfiable.
    """
    header = request.headers.get("Range")
    if header is None or etag is None or request.method != "GET":
        return None
    if request.headers.get("If-Range", etag).strip() != etag:
        return None
    wanted = parse_range_header(header)
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        return None
    found = wanted.range_for_length(length)
    if found is None:
        raise RequestedRangeNotSatisfiable(length)
    return found
