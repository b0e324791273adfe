"""The explorer: the list, a record and the codebook as pages, for browsers.

A client that does not prefer a page gets from the same addresses what the API has there. A page
shows what the public may read, whoever asks.
"""

from typing import Any

import orjson
from flask import Blueprint, Response, redirect, request
from sqlalchemy import literal_column, select
from werkzeug.wrappers import Response as AnyResponse

from api import documents
from api.core.errors import not_found
from api.core.permissions import PUBLIC
from api.database.engines import reader
from api.exports.formats import registry
from api.exports.formats.citations import FORMATS
from api.http import conditional, content_coding, problems
from api.http.openapi import answer, operation
from api.http.query_strings import load
from api.http.responses import PREFIX, address, origin
from api.models import Community, Episode, IncidentCommunity, feed
from api.queries import codebook, history
from api.queries.occurring import occurring
from api.queries.pages import page
from api.queries.resolver import resolve
from api.queries.results import ResolvedQuery
from api.queries.suggestions import suggestions
from api.records import similarity
from api.routes import list_exports, pages, responses
from api.routes.record_paths import record_id
from api.web import assets, filter_form, record_view, schema_org
from schemas.query import loading
from schemas.query.parameters import NoQuery, QueryError

blueprint = Blueprint("explorer", __name__, template_folder=str(assets.WEB / "templates"))
pages.answer_errors(blueprint)

_MOST_VERSIONS = 30
_MOST_RELATED = 5
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
        return pages.from_api("service.index")
    pairs = filter_form.normalised(request.args.lists())
    if filter_form.written(pairs) != filter_form.written(list(request.args.items(multi=True))):
        return pages.varying(redirect(address(filter_form.address(pairs)), 303))
    if same := responses.not_modified(suffix=pages.tag()):
        # A browser takes over the headers of a 304: the policy must not be another one.
        return assets.with_csp(same, forms=pages.FORMS)
    communities = _names(Community)
    recorded = {id_: communities[id_] for (id_,) in reader().run(_RECORDED) if id_ in communities}
    context: dict[str, Any] = {
        "form": filter_form.form(pairs, _offered(communities, recorded)),
        "communities": communities,
        "links": _links(filter_form.filters_of(pairs)),
        "feeds": pages.feeds(filter_form.address(filter_form.filters_of(pairs), "")),
        "errors": {},
        "start": 1,
    }
    try:
        return _list_page(pairs, recorded, context)
    except QueryError as error:
        context["errors"] = pages.details_by_parameter(error)
        return pages.answer("explorer.html", status=422, **context)


def _offered(communities: dict[str, str], recorded: dict[str, str]) -> filter_form.Offered:
    """Return what the form offers."""
    return filter_form.Offered(
        communities=recorded,
        countries=occurring(reader(), "country"),
        types=occurring(reader(), "type"),
        episodes=occurring(reader(), "episode"),
        community_names=communities,
        episode_names=_names(Episode),
    )


def _list_page(
    pairs: filter_form.Pairs, recorded: dict[str, str], context: dict[str, Any]
) -> Response:
    start = filter_form.start_of(pairs)
    query = resolve(loading.to_query(_loaded(pairs)))
    rows = page(reader(), query, PUBLIC)
    version = rows.dataset_version
    end = start + len(rows.documents) - 1
    context["start"] = start
    return pages.answer(
        "explorer.html",
        dataset_version=version,
        etag=conditional.etag(version, pages.tag()),
        records=[documents.load(document) for document in rows.documents],
        page=rows,
        span=filter_form.span(start, end, rows.total),
        following=_following(pairs, rows.following, end + 1),
        suggested=_suggested(pairs, query) if rows.total == 0 else {},
        dataset=schema_org.dataset(
            origin(), f"{PREFIX}/incidents", version, recorded, registry.INCIDENTS
        ),
        first=_first(pairs),
        **context,
    )


@blueprint.get("/incidents/<id_>")
def record(id_: str) -> AnyResponse:
    """Show one incident: what, where, when, who says so, and its history."""
    if not assets.prefers_html():
        return pages.from_api("incidents.read_incident", id_=id_)
    load(NoQuery)
    current = history.current(reader(), record_id(id_), PUBLIC)
    if current.moved_to is not None:
        redirection = redirect(address(f"/incidents/{current.moved_to}"), 308)
        redirection.headers["Cache-Control"] = "no-cache"
        return pages.varying(redirection)
    document = documents.load(current.document)
    communities = _names(Community)
    path = f"/incidents/{current.id}"
    return pages.answer(
        "record.html",
        dataset_version=current.dataset_version,
        etag=conditional.etag(current.version, f"{pages.tag()}-{current.dataset_version}"),
        record=document,
        shared=schema_org.record(document, origin()),
        communities=communities,
        episodes=_names(Episode),
        facts=record_view.facts(document),
        ledgers=record_view.ledgers(document, communities),
        history=_history(current),
        related=_related(current, document),
        citation=record_view.citation(document, f"{origin()}{path}"),
        citation_formats={name: format_.label for name, format_ in FORMATS.items()},
        address=path,
        api=f"{PREFIX}{path}",
    )


@blueprint.get("/codebook")
def codebook_page() -> AnyResponse:
    """Show the codebook: every field and every value with its definition."""
    if not assets.prefers_html():
        return pages.from_api("codebook.read_codebook")
    load(NoQuery)
    version = feed.current_version()
    return pages.answer(
        "codebook.html",
        dataset_version=version,
        etag=conditional.etag(version, pages.tag()),
        codebook=orjson.loads(codebook.rendered(reader(), version)),
    )


@blueprint.get("/assets/<release>/<name>")
def asset(release: str, name: str) -> Response:
    """Send a file of the pages; its address names its content, and may be stored."""
    return pages.ASSETS.answer(release, name)


@blueprint.get("/problems/<kind>")
@operation(
    "service",
    answers={200: answer({"type": "string"}, media_types=["text/html"])},
    permission=None,
    problems=("not-found",),
    path={"kind": {"type": "string", "enum": list(problems.PROBLEM_TYPES)}},
)
def problem_page(kind: str) -> Response:
    """Explain a kind of problem."""
    load(NoQuery)
    type_ = problems.PROBLEM_TYPES.get(kind)
    if type_ is None:
        raise not_found("There is no such problem; every answer names its own in `type`.")
    body = pages.render(
        "problem.html",
        title=type_.title,
        status_code=type_.status,
        kind=kind,
        explanation=type_.explanation,
    )
    return content_coding.encode(assets.with_csp(Response(body, content_type=assets.HTML)))


def _names(model: Any) -> dict[str, str]:
    return dict(reader().run(_NAMES[model]))


def _loaded(pairs: filter_form.Pairs) -> dict[str, Any]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        if name != filter_form.START:
            values.setdefault(name, []).append(value)
    return {"count": "exact", **loading.load(list_exports.INCIDENT_QUERY, values.items())}


def _following(pairs: filter_form.Pairs, cursor: str | None, start: int) -> str | None:
    if cursor is None:
        return None
    later = [("cursor", cursor), (filter_form.START, str(start))]
    return filter_form.address(_from_the_first(pairs) + later)


def _first(pairs: filter_form.Pairs) -> str | None:
    """Return the address of the first page, from a later one."""
    return filter_form.address(_from_the_first(pairs)) if "cursor" in dict(pairs) else None


def _from_the_first(pairs: filter_form.Pairs) -> filter_form.Pairs:
    return [pair for pair in pairs if pair[0] not in ("cursor", filter_form.START)]


def _suggested(pairs: filter_form.Pairs, query: ResolvedQuery) -> dict[str, str]:
    """Return near spellings that match something, each with the address of that view."""
    if "q" not in query.criteria:
        return {}
    return {
        text: filter_form.address([(name, text if name == "q" else value) for name, value in pairs])
        for text in suggestions(reader(), query)
    }


def _links(pairs: filter_form.Pairs) -> dict[str, str]:
    """Return the addresses of the same query in the API, by what people call the format."""
    path = f"{PREFIX}/incidents"
    return {
        format_.label: filter_form.address(
            pairs, path if format_.write is None else f"{path}.{format_.name}"
        )
        for format_ in registry.INCIDENTS.values()
    }


def _related(record: history.Current, document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the published records that look like the same event or one beside it."""
    return similarity.similar(reader(), record.pk, document, PUBLIC)[:_MOST_RELATED]


def _history(record: history.Current) -> list[dict[str, Any]]:
    """Return the latest versions, the last first, each with what it changed."""
    start = max(0, record.version - _MOST_VERSIONS)
    latest = history.history(reader(), record, PUBLIC, after=start, limit=_MOST_VERSIONS)
    entries = []
    before: dict[str, Any] | None = None
    for entry in latest.versions:
        after: dict[str, Any] | None = None
        if entry["status"] == "published":
            after = documents.load(history.read_version(reader(), record, entry["version"]))
        entries.append({**entry, "changes": record_view.changes(entry, before, after)})
        before = after or before
    return entries[::-1]
