"""Pages and their files: who is answered with a page, by which policy, from which addresses.

A file's address names the content of all files of its set, so that it may be stored for good; a new
release of any of them has other addresses.
"""

import gzip
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

from flask import Response, request

from api.core.compression import compress
from api.core.errors import not_found
from api.http import content_coding
from api.http.conditional import held_tag
from api.http.public_path import public_path
from api.http.responses import etag_of

WEB = Path(__file__).resolve().parent
HTML = "text/html; charset=utf-8"
CSS = "text/css; charset=utf-8"
JAVASCRIPT = "text/javascript; charset=utf-8"
# A page runs and shows what this service holds, and asks nobody else. Images in style sheets may
# be data addresses.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action {forms}; frame-ancestors 'none'"
)
FOR_A_YEAR = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "public, no-cache"
_OWN_ADDRESS = re.compile(rb'="/(?!/)')


def prefers_html() -> bool:
    """Whether the client prefers a page to JSON, as browsers do."""
    accepted = request.accept_mimetypes
    quality = accepted.quality("text/html")
    # What takes anything, as curl does, gets JSON.
    names_it = any(media_type == "text/html" for media_type, _ in accepted)
    return names_it and 0 < quality >= accepted.quality("application/json")


def cacheable(
    body: bytes,
    media_type: str,
    *,
    cache_control: str = ASK_EACH_TIME,
    etag: str | None = None,
    pack: Callable[[bytes], bytes] = compress,
) -> Response:
    """Answer with bytes that stay, or with 304 to who has them.

    The tag is made from BODY unless there is one; PACK compresses it for who takes gzip.
    """
    etag = etag or etag_of(body)
    held = held_tag(etag)
    response = Response(body, content_type=media_type) if held is None else Response(status=304)
    response.headers["ETag"] = held or etag
    response.headers["Cache-Control"] = cache_control
    return content_coding.encode(response, pack)


def with_csp(response: Response, *, forms: str = "'none'") -> Response:
    """Put the policy of pages on RESPONSE; FORMS is where its forms may lead."""
    response.headers["Content-Security-Policy"] = POLICY.format(forms=forms)
    return response


def below_public_path(page: bytes) -> bytes:
    """Return PAGE with each of its own addresses below the path of PUBLIC_URL.

    Every attribute that starts with one slash is one; in text a quotation mark is written `&#34;`.
    """
    path = public_path().encode()
    return _OWN_ADDRESS.sub(b'="' + path + b"/", page) if path else page


class Assets:
    """A set of files below `api/web`, served under one address that names their content.

    FILES has, by the name under which a file is served, its folder and media type.
    """

    def __init__(self, prefix: str, files: Mapping[str, tuple[str, str]]) -> None:
        self.prefix = prefix
        self._files = files
        self._contents: dict[str, bytes] = {}
        self._compressed: dict[str, bytes] = {}

    @cached_property
    def release(self) -> str:
        """Return a name of the files as they are: where one changes, the addresses of all do."""
        content = b"\0".join(self._content(name) for name in self._files)
        return hashlib.sha256(content).hexdigest()[:16]

    def address(self, name: str) -> str:
        """Return the address of a file. Raises KeyError for one that there is not."""
        self._files[name]
        return f"{self.prefix}/{self.release}/{name}"

    def answer(self, release: str, name: str) -> Response:
        """Send a file, which may be stored for good. Raises ApiError: not found."""
        if release != self.release or name not in self._files:
            raise not_found("There is no such file; the page that has it names its address.")
        media_type = self._files[name][1]
        return cacheable(
            self._content(name),
            media_type,
            cache_control=FOR_A_YEAR,
            etag=f'"{release}"',
            pack=lambda _: self._gzipped(name),
        )

    def _content(self, name: str) -> bytes:
        if name not in self._contents:
            self._contents[name] = (WEB / self._files[name][0] / name).read_bytes()
        return self._contents[name]

    def _gzipped(self, name: str) -> bytes:
        if name not in self._compressed:
            self._compressed[name] = gzip.compress(self._content(name), 9, mtime=0)
        return self._compressed[name]
