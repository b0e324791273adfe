"""The documentation: the API's description, and the page that shows it from vendored files."""

from functools import cache

import orjson
from flask import Blueprint, Response, current_app

from api.http import responses
from api.http.openapi import document
from api.http.query_strings import load
from api.web import assets
from schemas.query.requests import NoQuery

blueprint = Blueprint("documentation", __name__)

_ASSETS = assets.Assets(
    "/docs/assets",
    {
        "swagger-ui.css": ("vendor/swagger-ui", assets.CSS),
        "swagger-ui-bundle.js": ("vendor/swagger-ui", assets.JAVASCRIPT),
        "favicon-32x32.png": ("vendor/swagger-ui", "image/png"),
        "docs.js": ("static", assets.JAVASCRIPT),
    },
)


@blueprint.get("/openapi.json")
def description() -> Response:
    """Give the description of the API (OpenAPI 3.1)."""
    load(NoQuery)
    body, etag = _description()
    return assets.cacheable(body, responses.JSON, assets.ASK_EACH_TIME, etag)


@blueprint.get("/docs")
def page() -> Response:
    """Show the description as a page."""
    load(NoQuery)
    body = _page()
    return assets.with_csp(
        assets.cacheable(body, assets.HTML, assets.ASK_EACH_TIME, assets.etag_of(body))
    )


@blueprint.get("/docs/assets/<release>/<name>")
def asset(release: str, name: str) -> Response:
    """Give a file of the page; its address names its content, and may be kept."""
    return _ASSETS.answer(release, name)


def _description() -> tuple[bytes, str]:
    """Make the description once an application; its ETag beside it."""
    kept = current_app.extensions
    if "description" not in kept:
        body = orjson.dumps(document.make(current_app))
        kept["description"] = (body, assets.etag_of(body))
    found: tuple[bytes, str] = kept["description"]
    return found


@cache
def _page() -> bytes:
    text = (assets.WEB / "templates" / "docs.html").read_text(encoding="utf-8")
    return text.replace("RELEASE", _ASSETS.release).encode()
