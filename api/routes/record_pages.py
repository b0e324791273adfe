"""Pages beside a record's own: its versions, and what records refer to or are cited by.

Each has the address of its resource without the API's prefix, and is JSON there to who does not
prefer a page.
"""

import gzip
from typing import Any, cast

import orjson
from flask import Blueprint, redirect, request
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from api import documents
from api.core.errors import ApiError, not_found
from api.core.permissions import PUBLIC
from api.database.engines import reader
from api.exports.formats import registry
from api.http import conditional
from api.http.query_strings import load, load_query
from api.http.responses import PREFIX, address, etag_of, next_address, origin
from api.models import Community, Episode, feed
from api.queries import history
from api.queries.claims import listing
from api.queries.pages import page
from api.queries.resolver import resolve
from api.queries.results import Page
from api.routes import list_exports, pages
from api.routes.record_paths import record_id
from api.web import assets, record_view, schema_org
from schemas.query import loading
from schemas.query.parameters import NoQuery

blueprint = Blueprint("record_pages", __name__)
pages.answer_errors(blueprint)

_NAMES = {model: select(model.id, model.name) for model in (Community, Episode)}


def _names(model: Any) -> dict[str, str]:
    return dict(reader().run(_NAMES[model]))


@blueprint.get("/incidents/<id_>/versions/<number>")
def version(id_: str, number: str) -> AnyResponse:
    """Show one version of an incident, and its difference from the one before."""
    if not assets.prefers_html():
        return pages.from_api("versions.read_version", id_=id_, number=number)
    load(NoQuery)
    record = history.current(reader(), record_id(id_), PUBLIC)
    if record.moved_to is not None:
        return _moved(f"/incidents/{record.moved_to}")
    entry, before, after = _versions(record, number)
    return pages.answer(
        "version.html",
        dataset_version=record.dataset_version,
        etag=conditional.etag(entry["version"], f"{pages.tag()}-{record.dataset_version}"),
        record=after,
        entry=entry,
        current=record.version,
        changes=record_view.changes(entry, before, after),
        facts=record_view.all_facts(after, _names(Community), _names(Episode)),
        ledgers=record_view.ledgers(after, _names(Community)),
        api=f"{PREFIX}/incidents/{record.id}/versions/{entry['version']}",
    )


def _versions(
    record: history.Current, number: str
) -> tuple[dict[str, Any], dict[str, Any] | None, dict[str, Any]]:
    """Return the entry of a version, the document before it where that is public, and its own."""
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise not_found(f"There is no version {number[:40]!r} of this incident.")
    wanted = int(number)
    after = documents.load(history.read_version(reader(), record, wanted))
    (entry,) = history.history(
        reader(), record, PUBLIC, after=wanted - 1, limit=1, only=wanted
    ).versions
    before = None
    if entry["patch"]:
        try:
            before = documents.load(history.read_version(reader(), record, wanted - 1))
        except ApiError:  # it was not public, or is no more
            before = None
    return entry, before, after


@blueprint.get("/incidents/<id_>/versions")
def versions(id_: str) -> AnyResponse:
    """Lead to the history on the record's page."""
    if not assets.prefers_html():
        return pages.from_api("versions.list_versions", id_=id_)
    load(NoQuery)
    return _moved(f"/incidents/{record_id(id_)}#history")


@blueprint.get("/incidents/<id_>/claims")
def claims_of(id_: str) -> AnyResponse:
    """Lead to the claims on the record's page."""
    if not assets.prefers_html():
        return pages.from_api("claims.read_ledger", id_=id_)
    load(NoQuery)
    return _moved(f"/incidents/{record_id(id_)}#claims")


def _moved(path: str) -> AnyResponse:
    redirection = redirect(address(path), 308)
    redirection.headers["Cache-Control"] = "no-cache"
    return pages.varying(redirection)


@blueprint.get("/articles/<id_>")
def article(id_: str) -> AnyResponse:
    """Show an article, and the incidents that cite it."""
    return _reference("articles", "article", id_)


@blueprint.get("/communities/<id_>")
def community(id_: str) -> AnyResponse:
    """Show a community, and the incidents that it was part of."""
    return _reference("communities", "community", id_)


@blueprint.get("/episodes/<id_>")
def episode(id_: str) -> AnyResponse:
    """Show an episode, and its incidents."""
    return _reference("episodes", "episode", id_)


def _reference(plural: str, kind: str, id_: str) -> AnyResponse:
    shown = pages.from_api(f"{plural}.read", id_=id_)
    if not assets.prefers_html() or shown.status_code != 200:
        return shown
    one = orjson.loads(_content(shown))
    rows = _incidents({kind: one["id"]})
    return _page_of(
        "reference.html",
        shown,
        one=one,
        kind=kind,
        facts=record_view.reference_facts(one),
        records=[documents.load(document) for document in rows.documents],
        total=rows.total,
        all_of_them=f"/?{kind}={one['id']}",
    )


def _incidents(criteria: dict[str, str]) -> Page:
    """Return the newest published incidents by filters, and how many there are."""
    asked = [(name, [value]) for name, value in {**criteria, "count": "exact"}.items()]
    query = resolve(loading.to_query(loading.load(list_exports.INCIDENT_QUERY, asked)))
    return page(reader(), query, PUBLIC)


@blueprint.get("/releases")
def releases() -> AnyResponse:
    """Show all releases."""
    shown = pages.from_api("releases.list_releases")
    if not assets.prefers_html() or shown.status_code != 200:
        return shown
    return _page_of("releases.html", shown, releases=orjson.loads(_content(shown))["data"])


@blueprint.get("/releases/<name>")
def release(name: str) -> AnyResponse:
    """Show a release: its files with their digests, and how to cite it."""
    shown = pages.from_api("releases.read_release", name=name)
    if not assets.prefers_html() or shown.status_code != 200:
        return shown
    described = orjson.loads(_content(shown))
    shared = schema_org.release(described, origin())
    return _page_of("release.html", shown, release=described, shared=shared)


@blueprint.get("/claims")
def claims() -> AnyResponse:
    """Show the claims of all incidents, a page at a time, by the filters of the address."""
    if not assets.prefers_html() or "format" in request.args:
        return pages.from_api("claims.list_claims")
    query = resolve(load_query(list_exports.CLAIM_QUERY, registry.CLAIMS["json"].fields))
    rows = listing.page(reader(), query)
    return pages.answer(
        "claims.html",
        dataset_version=rows.dataset_version,
        etag=conditional.etag(rows.dataset_version, pages.tag()),
        claims=[orjson.loads(document) for document in rows.documents],
        following=next_address(rows.following),
    )


def _content(shown: AnyResponse) -> bytes:
    """Return the JSON of an answer of the API, which may be packed for a browser."""
    packed = shown.headers.get("Content-Encoding") == "gzip"
    return gzip.decompress(shown.get_data()) if packed else shown.get_data()


def _page_of(template: str, shown: AnyResponse, **context: Any) -> AnyResponse:
    """Answer with a page of what the API SHOWN has; its tag is of that content."""
    version_ = feed.current_version()
    content = etag_of(_content(shown))[1:9]
    return cast(
        AnyResponse,
        pages.answer(
            template,
            dataset_version=version_,
            etag=conditional.etag(version_, f"{pages.tag()}-{content}"),
            communities=_names(Community),
            **context,
        ),
    )
