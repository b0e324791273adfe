"""What crawlers and people who report a fault look for: robots.txt, a sitemap, security.txt."""

from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from flask import Blueprint, Response, current_app
from sqlalchemy import bindparam, func, select

from api.core.errors import not_found
from api.database.engines import reader
from api.http.openapi import answer, operation
from api.http.query_strings import load
from api.http.responses import origin, respond
from api.models import Incident, feed
from api.queries.filters.incidents import PUBLISHED
from api.web import assets
from schemas.query.parameters import NoQuery

blueprint = Blueprint("discovery", __name__)

TEXT = "text/plain; charset=utf-8"
XML = "application/xml"
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
# A sitemap may list 50,000 addresses; so many are read at a time, by the numbers of their rows.
PART = 10_000
_MOST_PARTS = 200_000  # what the number of a row has room for
_LAST = select(func.max(Incident.pk))
_RECORDS = (
    select(Incident.id, Incident.updated_at)
    .where(PUBLISHED, Incident.pk > bindparam("after"), Incident.pk <= bindparam("last"))
    .order_by(Incident.pk)
)
_TEXT_ANSWER = {200: answer({"type": "string"}, media_types=["text/plain"])}
_XML_ANSWER = {200: answer({"type": "string"}, ["ETag"], media_types=[XML])}


@blueprint.get("/robots.txt")
@operation("service", answers=_TEXT_ANSWER, permission=None)
def robots() -> Response:
    """Tell crawlers what to leave alone, and where the sitemap is."""
    load(NoQuery)
    lines = ["User-agent: *", "Disallow: /api/", "Disallow: /ogc", "Disallow: /*?"]
    text = "\n".join([*lines, f"Sitemap: {origin()}/sitemap.xml", ""])
    return assets.cacheable(text.encode(), TEXT)


@blueprint.get("/.well-known/security.txt")
@operation("service", answers=_TEXT_ANSWER, permission=None, problems=("not-found",))
def security() -> Response:
    """Say whom to tell of a weakness (RFC 9116), where CONTACT is set."""
    load(NoQuery)
    contact: str = current_app.config["CONTACT"]
    if not contact:
        raise not_found("Whoever runs this service has named no contact (CONTACT).")
    uri = contact if contact.startswith(("https://", "mailto:")) else f"mailto:{contact}"
    # It has to end within a year: the first of a month, so that it does not change each day.
    expires = (datetime.now(UTC) + timedelta(days=330)).strftime("%Y-%m-01T00:00:00Z")
    text = f"Contact: {uri}\nExpires: {expires}\nPreferred-Languages: en\n"
    return assets.cacheable(text.encode(), TEXT)


@blueprint.get("/sitemap.xml")
@operation("service", answers=_XML_ANSWER, permission=None)
def sitemap() -> Response:
    """List the parts of the sitemap."""
    load(NoQuery)
    last = reader().run(_LAST)[0][0] or 0
    parts = [f"{origin()}/sitemaps/{number}.xml" for number in range(1 + max(last - 1, 0) // PART)]
    entries = "".join(f"<sitemap><loc>{escape(part)}</loc></sitemap>" for part in parts)
    return _xml("sitemapindex", entries)


@blueprint.get("/sitemaps/<int:number>.xml")
@operation(
    "service",
    answers=_XML_ANSWER,
    permission=None,
    path={"number": {"type": "integer", "minimum": 0, "description": "The number of the part."}},
    problems=("not-found",),
)
def sitemap_part(number: int) -> Response:
    """List the pages of a part of the published records, each with its last change."""
    load(NoQuery)
    after = min(number, _MOST_PARTS) * PART
    rows = reader().run(_RECORDS, {"after": after, "last": after + PART})
    entries = "".join(
        f"<url><loc>{escape(f'{origin()}/incidents/{id_}')}</loc><lastmod>{at}</lastmod></url>"
        for id_, at in rows
    )
    return _xml("urlset", entries)


def _xml(root: str, entries: str) -> Response:
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_NAMESPACE}">{entries}</{root}>\n'
    )
    version = feed.current_version()
    return respond(
        body.encode(), etag=f'"{version}-{root}"', dataset_version=version, media_type=XML
    )
