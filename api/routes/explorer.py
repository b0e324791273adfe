"""The explorer: the list, a record and the codebook as pages, for browsers.

A client that does not prefer a page gets from the same addresses what the API has there. A page
shows what the public may read, whoever asks.
"""

from functools import lru_cache
from typing import Any

import orjson
from flask import Blueprint, Response, current_app, redirect, render_template, request
from sqlalchemy import literal_column, select
from werkzeug.wrappers import Response as AnyResponse

from api import documents
from api.core.errors import ApiError, not_found
from api.core.permissions import PUBLIC
from api.database.engines import reader
from api.http import conditional, problems, responses
from api.http.openapi import answer as described
from api.http.openapi import operation
from api.http.query_strings import load
from api.models import Community, Episode, IncidentCommunity, feed
from api.queries import history
from api.queries.pages import page
from api.queries.resolver import ResolvedQuery, resolve
from api.queries.suggestions import suggestions
from api.routes import codebook, incidents, index_and_health
from api.web import assets, filter_form, labels, record_view, schema_org
from schemas.errors import flatten
from schemas.query import loading
from schemas.query.filters import IncidentQuery
from schemas.query.parameters import QueryError
from schemas.query.requests import NoQuery

blueprint = Blueprint("explorer", __name__, template_folder=str(assets.WEB / "templates"))

_VENDOR = "vendor"
_ASSETS = assets.Assets(
    "/assets",
    {
        "explorer.css": ("static", assets.CSS),
        "noscript.css": ("static", assets.CSS),
        "print.css": ("static", assets.CSS),
        "leaflet.css": (f"{_VENDOR}/leaflet", assets.CSS),
        "leaflet.js": (f"{_VENDOR}/leaflet", assets.JAVASCRIPT),
        "topojson-client.min.js": (f"{_VENDOR}/topojson-client", assets.JAVASCRIPT),
        "countries-110m.json": (f"{_VENDOR}/world-atlas", responses.JSON),
        "page.js": ("static", assets.JAVASCRIPT),
        "maps.js": ("static", assets.JAVASCRIPT),
        "charts.js": ("static", assets.JAVASCRIPT),
        "explorer.js": ("static", assets.JAVASCRIPT),
        "icon.svg": ("static", "image/svg+xml"),
    },
)
_FORMS = "'self'"
_MOST_VERSIONS = 30
_NAMES = {
    model: select(model.id, model.name).order_by(model.name) for model in (Community, Episode)
}
# The communities of published records, each by one step along the index of their lists.
_RECORDED = select(Community.id).where(
    select(literal_column("1"))
    .where(IncidentCommunity.community == Community.id, literal_column("listed"))
    .exists()
)


@blueprint.get("/")
def home() -> AnyResponse:
    """Show the explorer, or the index of links to who asks for JSON."""
    if not assets.prefers_html():
        return _varying(index_and_health.index())
    pairs = filter_form.normalised(request.args.lists())
    if filter_form.written(pairs) != filter_form.written(list(request.args.items(multi=True))):
        return _varying(redirect(filter_form.address(pairs), 303))
    if same := responses.held(suffix=_suffix()):
        # A browser takes over the headers of a 304: the policy must not be another one.
        return assets.with_csp(same, forms=_FORMS)
    communities = _names(Community)
    recorded = {id_: communities[id_] for (id_,) in reader().run(_RECORDED) if id_ in communities}
    shown: dict[str, Any] = {
        "form": filter_form.form(pairs, communities, recorded),
        "communities": communities,
        "links": _links(filter_form.filters_of(pairs)),
        "errors": {},
    }
    try:
        query = resolve(loading.to_query(_loaded(pairs)))
        found = page(reader(), query, PUBLIC)
    except QueryError as error:
        return _page("explorer.html", status=422, **shown | {"errors": _faults(error)})
    return _page(
        "explorer.html",
        dataset_version=found.dataset_version,
        etag=conditional.etag(found.dataset_version, _suffix()),
        records=[documents.load(document) for document in found.documents],
        page=found,
        following=_following(pairs, found.following),
        suggested=_suggested(pairs, query) if found.total == 0 else {},
        dataset=schema_org.described(
            responses.origin(), f"{responses.PREFIX}/incidents", found.dataset_version, recorded
        ),
        first=filter_form.address(filter_form.filters_of(pairs))
        if "cursor" in dict(pairs)
        else None,
        **shown,
    )


@blueprint.get("/incidents/<id_>")
def record(id_: str) -> AnyResponse:
    """Show one incident: what, where, when, who says so, and its history."""
    if not assets.prefers_html():
        return _varying(incidents.read_incident(id_))
    load(NoQuery)
    source = reader()
    found = history.current(source, incidents.record_id(id_), PUBLIC)
    if found.moved_to is not None:
        moved = redirect(responses.address(f"/incidents/{found.moved_to}"), 308)
        moved.headers["Cache-Control"] = "no-cache"
        return _varying(moved)
    document = documents.load(found.document)
    communities = _names(Community)
    address = f"/incidents/{found.id}"
    return _page(
        "record.html",
        dataset_version=found.dataset_version,
        etag=conditional.etag(found.version, f"{_suffix()}-{found.dataset_version}"),
        record=document,
        communities=communities,
        episodes=_names(Episode),
        facts=record_view.facts(document),
        ledgers=record_view.ledgers(document, communities),
        history=_history(found),
        citation=record_view.citation(document, f"{responses.origin()}{address}"),
        address=address,
        api=f"{responses.PREFIX}{address}",
    )


@blueprint.get("/codebook")
def codebook_page() -> AnyResponse:
    """Show the codebook: every field and every value with its definition."""
    if not assets.prefers_html():
        return _varying(codebook.read_codebook())
    load(NoQuery)
    version = feed.current_version()
    return _page(
        "codebook.html",
        dataset_version=version,
        etag=conditional.etag(version, _suffix()),
        codebook=orjson.loads(codebook.rendered(reader(), version)),
    )


@blueprint.get("/assets/<release>/<name>")
def asset(release: str, name: str) -> Response:
    """Give a file of the pages; its address names its content, and may be kept."""
    return _ASSETS.answer(release, name)


@blueprint.get("/problems/<kind>")
@operation(
    "service",
    answers={200: described({"type": "string"}, media_types=["text/html"])},
    permission=None,
    problems=("not-found",),
    path={"kind": {"type": "string", "enum": list(problems.PROBLEM_TYPES)}},
)
def problem_page(kind: str) -> Response:
    """Explain a kind of problem."""
    load(NoQuery)
    row = problems.PROBLEM_TYPES.get(kind)
    if row is None:
        raise not_found("There is no such problem; every answer names its own in `type`.")
    body = rendered(
        "problem.html",
        title=row.title,
        status_code=row.status,
        kind=kind,
        explanation=row.explanation,
    )
    return assets.gzipped(assets.with_csp(Response(body, content_type=assets.HTML)))


@blueprint.errorhandler(ApiError)
def refused(refusal: ApiError) -> Response:
    """Tell in words that there is nothing here, or no more."""
    if not assets.prefers_html():
        return problems.refused(refusal)
    kind = problems.PROBLEM_TYPES[refusal.kind]
    code = refusal.extra.get("code")
    return _page(
        "message.html",
        status=kind.status,
        kind=refusal.kind,
        title=kind.title,
        detail=refusal.detail,
        code=labels.label("withdrawal_code", code) if code else None,
        since=refusal.extra.get("withdrawn_at"),
    )


@blueprint.errorhandler(QueryError)
def misasked(error: QueryError) -> Response:
    """Tell in words what is wrong with the address."""
    if not assets.prefers_html():
        return problems.parameter_error(error)
    kind = problems.PROBLEM_TYPES["validation-error"]
    faults = _faults(error)
    detail = " ".join(f"{name}: {said}" for name, said in faults.items())
    return _page(
        "message.html",
        status=422,
        kind="validation-error",
        title=kind.title,
        detail=detail,
        code=None,
        since=None,
    )


def _page(
    template: str,
    *,
    status: int = 200,
    dataset_version: int | None = None,
    etag: str | None = None,
    **shown: Any,
) -> Response:
    """Answer with a page under the policy of pages."""
    body = rendered(template, dataset_version=dataset_version, **shown)
    if dataset_version is None:
        answer = Response(body, status=status, content_type=assets.HTML)
        answer.headers["Cache-Control"] = "no-store"
        _varying(answer)
    else:
        answer = responses.respond(
            body, etag=etag, dataset_version=dataset_version, media_type=assets.HTML
        )
    return assets.gzipped(assets.with_csp(answer, forms=_FORMS))


def rendered(template: str, **shown: Any) -> bytes:
    """Render a page with what all of them show."""
    return render_template(
        template,
        asset=_ASSETS.address,
        words=labels,
        origin=responses.origin(),
        contact=current_app.config["CONTACT"],
        **shown,
    ).encode()


def _varying(answer: AnyResponse) -> AnyResponse:
    """Say that another client may get another answer from the same address."""
    answer.headers["Vary"] = "Accept, Authorization"
    return answer


def _suffix() -> str:
    """Tell a page's tag from that of the JSON at the same address, and from older designs."""
    return f"-page-{_ASSETS.release}-{_templates()}"


@lru_cache(maxsize=1)
def _templates() -> str:
    """Name the templates by their content."""
    folder = assets.WEB / "templates"
    return assets.etag_of(b"\0".join(path.read_bytes() for path in sorted(folder.glob("*"))))[1:9]


def _names(model: Any) -> dict[str, str]:
    return dict(reader().run(_NAMES[model]))


def _loaded(pairs: filter_form.Pairs) -> dict[str, Any]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {"count": "exact", **loading.load(IncidentQuery, values.items())}


def _faults(error: QueryError) -> dict[str, str]:
    """Say what is wrong by parameter."""
    return {
        fault["pointer"].removeprefix("/").split("/")[0]: str(fault["detail"])
        for fault in flatten(error.messages)
    }


def _following(pairs: filter_form.Pairs, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    return filter_form.address(
        [*(pair for pair in pairs if pair[0] != "cursor"), ("cursor", cursor)]
    )


def _suggested(pairs: filter_form.Pairs, query: ResolvedQuery) -> dict[str, str]:
    """Give near spellings that find something, each with the address of that view."""
    if "q" not in query.criteria:
        return {}
    return {
        text: filter_form.address([(name, text if name == "q" else value) for name, value in pairs])
        for text in suggestions(reader(), query)
    }


def _links(pairs: filter_form.Pairs) -> dict[str, str]:
    """Give the addresses of the same query in the API, by format."""
    path = f"{responses.PREFIX}/incidents"
    suffixes = {"JSON": "", "CSV": ".csv", "GeoJSON": ".geojson", "NDJSON": ".ndjson"}
    return {name: filter_form.address(pairs, path + suffix) for name, suffix in suffixes.items()}


def _history(found: history.Current) -> list[dict[str, Any]]:
    """Lay out the latest versions, the last first, each with what it changed."""
    source = reader()
    after = max(0, found.version - _MOST_VERSIONS)
    page = history.history(source, found, PUBLIC, after=after, limit=_MOST_VERSIONS)
    entries = []
    before: dict[str, Any] | None = None
    for entry in page.versions:
        after_: dict[str, Any] | None = None
        if entry["status"] == "published":
            after_ = documents.load(history.read_version(source, found, entry["version"]))
        entries.append({**entry, "changes": record_view.changes(entry, before, after_)})
        before = after_ or before
    return entries[::-1]
