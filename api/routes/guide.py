"""The guide: the documentation as pages."""

import mimetypes

from flask import Blueprint, Response

from api.core.errors import ApiError, not_found
from api.http.query_strings import load
from api.routes import explorer
from api.web import assets, guide
from schemas.query.parameters import QueryError
from schemas.query.requests import NoQuery

blueprint = Blueprint("guide", __name__, url_prefix="/guide")


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
    """Give a picture of the pages."""
    load(NoQuery)
    body = guide.images().get(name)
    if body is None:
        raise not_found("There is no such picture in the guide.")
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    answer = assets.cacheable(body, media_type, assets.ASK_EACH_TIME, assets.etag_of(body))
    # A picture's own styles are all that it may bring along.
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return answer


def _show(name: str) -> Response:
    load(NoQuery)
    found = guide.pages().get(name)
    if found is None:
        raise not_found("There is no such page in the guide; it begins at /guide.")
    body = explorer.rendered(
        "guide.html", page=found, contents=guide.contents(), first=guide.INDEX, section="guide"
    )
    answer = assets.cacheable(body, assets.HTML, assets.ASK_EACH_TIME, assets.etag_of(body))
    return assets.gzipped(assets.with_csp(answer))


blueprint.register_error_handler(ApiError, explorer.refused)
blueprint.register_error_handler(QueryError, explorer.misasked)
