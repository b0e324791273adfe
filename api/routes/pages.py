"""Pages for people: rendered with what all of them show, under the policy of pages."""

from functools import lru_cache
from typing import Any, cast

from flask import Blueprint, Flask, Response, current_app, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from api.core.errors import ApiError
from api.http import content_coding, problems
from api.http.public_path import public_path
from api.http.responses import JSON, PREFIX, etag_of, origin, respond
from api.web import assets, labels, web_feeds
from schemas.errors import flatten
from schemas.query.parameters import QueryError

FORMS = "'self'"
_OF_PROGRAMS = ("/api/", "/ogc/")
_VENDOR = "vendor"
ASSETS = assets.Assets(
    "/assets",
    {
        "explorer.css": ("static", assets.CSS),
        "noscript.css": ("static", assets.CSS),
        "print.css": ("static", assets.CSS),
        "reading.css": ("static", assets.CSS),
        "record.js": ("static", assets.JAVASCRIPT),
        "leaflet.css": (f"{_VENDOR}/leaflet", assets.CSS),
        "leaflet.js": (f"{_VENDOR}/leaflet", assets.JAVASCRIPT),
        "topojson-client.min.js": (f"{_VENDOR}/topojson-client", assets.JAVASCRIPT),
        "supercluster.min.js": (f"{_VENDOR}/supercluster", assets.JAVASCRIPT),
        "countries-110m.json": (f"{_VENDOR}/world-atlas", JSON),
        "countries-50m.json": (f"{_VENDOR}/world-atlas", JSON),
        "places.json": (f"{_VENDOR}/geonames", JSON),
        "page.js": ("static", assets.JAVASCRIPT),
        "maps.js": ("static", assets.JAVASCRIPT),
        "requests.js": ("static", assets.JAVASCRIPT),
        "charts.js": ("static", assets.JAVASCRIPT),
        "timeline.js": ("static", assets.JAVASCRIPT),
        "finding.js": ("static", assets.JAVASCRIPT),
        "explorer.js": ("static", assets.JAVASCRIPT),
        "icon.svg": ("static", "image/svg+xml"),
    },
)


def answer(
    template: str,
    *,
    status: int = 200,
    dataset_version: int | None = None,
    etag: str | None = None,
    **context: Any,
) -> Response:
    """Answer with a page; without a dataset version it is of the moment, and not stored."""
    body = render(template, dataset_version=dataset_version, **context)
    if dataset_version is None:
        response = Response(body, status=status, content_type=assets.HTML)
        response.headers["Cache-Control"] = "no-store"
        content_coding.encode(varying(response))
    else:
        response = respond(body, etag=etag, dataset_version=dataset_version, media_type=assets.HTML)
    return assets.with_csp(response, forms=FORMS)


def render(template: str, **context: Any) -> bytes:
    """Return a page, rendered with what all of them show."""
    context.setdefault("feeds", feeds())
    page = render_template(
        template,
        asset=ASSETS.address,
        words=labels,
        origin=origin(),
        contact=current_app.config["CONTACT"],
        **context,
    )
    return assets.below_public_path(page.encode())


def feeds(query: str = "") -> dict[str, str]:
    """Return the addresses of the feeds of a QUERY (`?country=RU`), by media type."""
    return {
        web_feeds.ATOM: f"{PREFIX}/incidents.atom{query}",
        web_feeds.JSON_FEED: f"{PREFIX}/incidents.jsonfeed{query}",
    }


def from_api(endpoint: str, **variables: str) -> AnyResponse:
    """Answer what the API has at ENDPOINT, to who does not prefer a page."""
    response = current_app.view_functions[endpoint](**variables)
    return varying(cast(AnyResponse, response))


def varying(response: AnyResponse) -> AnyResponse:
    """Say that another client may get another answer from the same address."""
    response.headers["Vary"] = "Accept, Authorization"
    return response


def tag() -> str:
    """Return the suffix that tells a page's ETag from the JSON's, and from older designs."""
    below = public_path()
    return f"-page-{ASSETS.release}-{_templates()}{etag_of(below.encode())[1:9] if below else ''}"


@lru_cache(maxsize=1)
def _templates() -> str:
    """Return a name of the templates, made from their content."""
    folder = assets.WEB / "templates"
    return etag_of(b"\0".join(path.read_bytes() for path in sorted(folder.glob("*"))))[1:9]


def init_app(app: Flask) -> None:
    """Answer with a page where people open an address that leads nowhere."""
    app.register_error_handler(404, _nothing_here)


def _nothing_here(error: HTTPException) -> AnyResponse:
    if not assets.prefers_html() or request.path.startswith(_OF_PROGRAMS):
        return cast(AnyResponse, problems.http_error(error))
    detail = "There is nothing at this address. The search may find what you look for."
    return _message("not-found", detail, code=None, since=None)


def answer_errors(blueprint: Blueprint) -> None:
    """Answer what goes wrong in views of BLUEPRINT with a page, to who prefers one."""
    blueprint.register_error_handler(ApiError, _api_error)
    blueprint.register_error_handler(QueryError, _query_error)


def _api_error(error: ApiError) -> Response:
    """Say in words that there is nothing here, or no more."""
    if not assets.prefers_html():
        return problems.api_error(error)
    code = error.extra.get("code")
    return _message(
        error.kind,
        error.detail,
        code=labels.label("withdrawal_code", code) if code else None,
        since=error.extra.get("withdrawn_at"),
    )


def _query_error(error: QueryError) -> Response:
    """Say in words what is wrong with the address."""
    if not assets.prefers_html():
        return problems.parameter_error(error)
    details = details_by_parameter(error)
    return _message(
        "validation-error",
        " ".join(f"{name}: {detail}" for name, detail in details.items()),
        code=None,
        since=None,
    )


def _message(kind: str, detail: str, **context: Any) -> Response:
    type_ = problems.PROBLEM_TYPES[kind]
    return answer(
        "message.html", status=type_.status, kind=kind, title=type_.title, detail=detail, **context
    )


def details_by_parameter(error: QueryError) -> dict[str, str]:
    """Return what is wrong, in words, by parameter."""
    return {
        fault["pointer"].removeprefix("/").split("/")[0]: str(fault["detail"])
        for fault in flatten(error.messages)
    }
