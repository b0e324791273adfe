"""Content codings: answers as gzip to who takes them so (RFC 9110, 8.4 and 12.5.3).

Each coding has a strong ETag of its own, `"17-gzip"` beside `"17"`; preconditions take either
(`conditional`), and what proxies make of them.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from flask import request
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header
from werkzeug.wrappers import Response

from api.core.compression import compress

GZIP = "gzip"
_WORTH_IT = 1000  # bytes
_PACKED_TYPES = ("application/", "text/", "image/svg")
AnyResponse = TypeVar("AnyResponse", bound=Response)


def is_accepted() -> bool:
    """Whether the client takes gzip, and likes nothing better.

    A range is one of the plain answer, since few clients can read a part of a compressed one,
    unless `If-Range` says that the client has the beginning of that.
    """
    environ = request.environ
    header = environ.get("HTTP_ACCEPT_ENCODING")
    if header is None:
        return False
    if "HTTP_RANGE" in environ and not environ.get("HTTP_IF_RANGE", "").endswith(f'-{GZIP}"'):
        return False
    return _is_accepted(header)


@lru_cache(maxsize=256)
def _is_accepted(header: str) -> bool:
    accepted = parse_accept_header(header, Accept)
    return 0 < accepted.quality(GZIP) >= accepted.quality("identity")


def tag(etag: str) -> str:
    """Return the tag of the answer of ETAG in gzip."""
    return f'{etag[:-1]}-{GZIP}"'


def encode(response: AnyResponse, pack: Callable[[bytes], bytes] = compress) -> AnyResponse:
    """Compress a whole RESPONSE by PACK where it is worth it and the client takes it so."""
    headers = response.headers
    if response.status_code != 304 and not headers["Content-Type"].startswith(_PACKED_TYPES):
        return response
    vary = headers.get("Vary", "")
    if "Accept-Encoding" not in vary:
        headers["Vary"] = f"{vary}, Accept-Encoding" if vary else "Accept-Encoding"
    if response.status_code == 304 or not is_accepted():
        return response
    body = response.get_data()
    if len(body) >= _WORTH_IT:
        response.set_data(pack(body))
        headers["Content-Encoding"] = GZIP
        if "ETag" in headers:
            headers["ETag"] = tag(headers["ETag"])
    return response
