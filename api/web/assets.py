"""Pages and their files: who is answered with a page, by which policy, from which addresses.

A file's address names the content of all files of its set, so that it may be kept for good; a new
release of any of them has other addresses.
"""

import gzip
import hashlib
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path

from flask import Response, request

from api.core.errors import not_found
from api.http.conditional import unchanged

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
_WORTH_IT = 1000  # bytes
_COMPRESSED = ("text/", "application/json", "image/svg")


def prefers_html() -> bool:
    """Tell whether the client prefers a page to JSON, as browsers do."""
    accepted = request.accept_mimetypes
    page = accepted.quality("text/html")
    # What takes anything, as curl does, gets JSON.
    named = any(media_type == "text/html" for media_type, _ in accepted)
    return named and 0 < page >= accepted.quality("application/json")


def etag_of(body: bytes) -> str:
    """Name a body by its content."""
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def cacheable(body: bytes, media_type: str, cache_control: str, etag: str) -> Response:
    """Answer with bytes that stay, or tell that they are held."""
    held = unchanged(etag)
    answer = Response(status=304) if held else Response(body, content_type=media_type)
    answer.headers["ETag"] = etag
    answer.headers["Cache-Control"] = cache_control
    return answer


def with_csp(answer: Response, *, forms: str = "'none'") -> Response:
    """Put the policy of pages on ANSWER; FORMS is where its forms may lead."""
    answer.headers["Content-Security-Policy"] = POLICY.format(forms=forms)
    return answer


def gzipped(answer: Response) -> Response:
    """Pack a whole ANSWER for a client that takes gzip.

    Its tag becomes a weak one: the same content, in other bytes.
    """
    answer.headers["Vary"] = ", ".join(
        filter(None, (answer.headers.get("Vary"), "Accept-Encoding"))
    )
    body = answer.get_data()
    if len(body) < _WORTH_IT or request.accept_encodings.quality("gzip") <= 0:
        return answer
    answer.set_data(_zipped(body))
    answer.headers["Content-Encoding"] = "gzip"
    etag, _ = answer.get_etag()
    if etag is not None:
        answer.set_etag(etag, weak=True)
    return answer


@lru_cache(maxsize=16)
def _zipped(body: bytes) -> bytes:
    """Pack a body; those asked for again and again once."""
    return gzip.compress(body, 5, mtime=0)


class Assets:
    """A set of files below `api/web`, served under one address that names their content.

    FILES has, by the name under which a file is served, its folder and media type.
    """

    def __init__(self, prefix: str, files: Mapping[str, tuple[str, str]]) -> None:
        self.prefix = prefix
        self._files = files
        self._read: dict[str, bytes] = {}
        self._zipped: dict[str, bytes] = {}

    @cached_property
    def release(self) -> str:
        """Name the files as they are: where one changes, the addresses of all do."""
        content = b"\0".join(self._content(name) for name in self._files)
        return hashlib.sha256(content).hexdigest()[:16]

    def address(self, name: str) -> str:
        """Give the address of a file. Raises KeyError for one that there is not."""
        self._files[name]
        return f"{self.prefix}/{self.release}/{name}"

    def answer(self, release: str, name: str) -> Response:
        """Give a file; its address may be kept. Raises ApiError: not found."""
        if release != self.release or name not in self._files:
            raise not_found("There is no such file; the page that has it names its address.")
        media_type = self._files[name][1]
        packed = media_type.startswith(_COMPRESSED) and request.accept_encodings.quality("gzip") > 0
        body = self._packed(name) if packed else self._content(name)
        answer = cacheable(
            body, media_type, FOR_A_YEAR, f'"{release}-gzip"' if packed else f'"{release}"'
        )
        answer.headers["Vary"] = "Accept-Encoding"
        if packed and answer.status_code == 200:
            answer.headers["Content-Encoding"] = "gzip"
        return answer

    def _content(self, name: str) -> bytes:
        if name not in self._read:
            self._read[name] = (WEB / self._files[name][0] / name).read_bytes()
        return self._read[name]

    def _packed(self, name: str) -> bytes:
        if name not in self._zipped:
            self._zipped[name] = gzip.compress(self._content(name), 9, mtime=0)
        return self._zipped[name]
