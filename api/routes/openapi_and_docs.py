"""The documentation: the API's description, and the page that shows it from vendored files."""

from functools import cache

import orjson
from flask import Blueprint, Response, current_app

from api.http.openapi import document
from api.http.query_strings import load
from api.http.responses import JSON
from api.web import assets
from schemas.query.parameters import NoQuery

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
    """Send the description of the API (OpenAPI 3.1)."""
    load(NoQuery)
    return assets.cacheable(_description(), JSON)


@blueprint.get("/docs")
def page() -> Response:
    """Show the description as a page."""
    load(NoQuery)
    return assets.with_csp(assets.cacheable(assets.below_public_path(_page()), assets.HTML))


@blueprint.get("/docs/assets/<release>/<name>")
def asset(release: str, name: str) -> Response:
    """Send a file of the page; its address names its content, and may be stored."""
    return _ASSETS.answer(release, name)


def _description() -> bytes:
    """Return the description, made once an application."""
    extensions = current_app.extensions
    if "description" not in extensions:
        extensions["description"] = orjson.dumps(document.make(current_app))
    body: bytes = extensions["description"]
    return body


@cache
def _page() -> bytes:
    text = (assets.WEB / "templates" / "docs.html").read_text(encoding="utf-8")
    return text.replace("RELEASE", _ASSETS.release).encode()
