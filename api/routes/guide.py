"""The guide: the documentation as pages."""

import mimetypes

from flask import Blueprint, Response

from api.core.errors import not_found
from api.http.query_strings import load
from api.routes import pages
from api.web import assets, guide
from schemas.query.parameters import NoQuery

blueprint = Blueprint("guide", __name__, url_prefix="/guide")
pages.answer_errors(blueprint)


@blueprint.get("")
def index() -> Response:
    """Show where to begin."""
    return _show(guide.INDEX)


@blueprint.get("/<name>")
def page(name: str) -> Response:
    """Show a page of the guide."""
    return _show(name)


@blueprint.get("/images/<name>")
def image(name: str) -> Response:
    """Send a picture of the pages."""
    load(NoQuery)
    body = guide.images().get(name)
    if body is None:
        raise not_found("There is no such picture in the guide.")
    response = assets.cacheable(body, mimetypes.guess_type(name)[0] or "application/octet-stream")
    # A picture's own styles are all that it may bring along.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


def _show(name: str) -> Response:
    load(NoQuery)
    shown = guide.pages().get(name)
    if shown is None:
        raise not_found("There is no such page in the guide; it begins at /guide.")
    body = pages.render(
        "guide.html", page=shown, contents=guide.contents(), first=guide.INDEX, section="guide"
    )
    return assets.with_csp(assets.cacheable(body, assets.HTML))
