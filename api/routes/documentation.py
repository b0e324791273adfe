"""The documentation: the API's description, and the page that shows it from vendored files."""

import hashlib
from functools import cache
from pathlib import Path

import orjson
from flask import Blueprint, Response, current_app

from api.http import answers
from api.http.conditional import unchanged
from api.http.openapi import document
from api.http.parameters import load
from api.refusals import not_found
from schemas.query import NoQuery

blueprint = Blueprint("documentation", __name__)

_WEB = Path(__file__).resolve().parent.parent / "web"
_ASSETS = {
    "swagger-ui.css": ("vendor/swagger-ui", "text/css; charset=utf-8"),
    "swagger-ui-bundle.js": ("vendor/swagger-ui", "text/javascript; charset=utf-8"),
    "favicon-32x32.png": ("vendor/swagger-ui", "image/png"),
    "docs.js": ("", "text/javascript; charset=utf-8"),
}
# The page runs and shows what this service holds, and asks nobody else. The icons of the
# vendored style sheet are data addresses.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FOR_A_YEAR = "public, max-age=31536000, immutable"
_ASK_EACH_TIME = "public, no-cache"


@blueprint.get("/openapi.json")
def description() -> Response:
    """Give the description of the API (OpenAPI 3.1)."""
    load(NoQuery)
    body, etag = _description()
    return _kept(body, answers.JSON, _ASK_EACH_TIME, etag)


@blueprint.get("/docs")
def page() -> Response:
    """Show the description as a page."""
    load(NoQuery)
    body = _page()
    answer = _kept(body, "text/html; charset=utf-8", _ASK_EACH_TIME, _etag(body))
    answer.headers["Content-Security-Policy"] = _POLICY
    return answer


@blueprint.get("/docs/assets/<release>/<name>")
def asset(release: str, name: str) -> Response:
    """Give a file of the page; its address names its content, and may be kept."""
    if release != _release() or name not in _ASSETS:
        raise not_found("There is no such file; /docs names those there are.")
    return _kept(_read(name), _ASSETS[name][1], _FOR_A_YEAR, f'"{release}"')


def _kept(body: bytes, media_type: str, cache_control: str, etag: str) -> Response:
    """Answer with bytes that stay, or tell that they are held."""
    held = unchanged(etag)
    answer = Response(status=304) if held else Response(body, content_type=media_type)
    answer.headers["ETag"] = etag
    answer.headers["Cache-Control"] = cache_control
    return answer


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def _description() -> tuple[bytes, str]:
    """Make the description once an application; its ETag beside it."""
    kept = current_app.extensions
    if "description" not in kept:
        body = orjson.dumps(document.make(current_app))
        kept["description"] = (body, _etag(body))
    found: tuple[bytes, str] = kept["description"]
    return found


@cache
def _read(name: str) -> bytes:
    return (_WEB / _ASSETS[name][0] / name).read_bytes()


@cache
def _release() -> str:
    """Name the files as they are: where one changes, the addresses of all do."""
    return hashlib.sha256(b"\0".join(_read(name) for name in _ASSETS)).hexdigest()[:16]


@cache
def _page() -> bytes:
    text = (_WEB / "docs.html").read_text(encoding="utf-8")
    return text.replace("RELEASE", _release()).encode()
