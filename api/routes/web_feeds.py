"""Feeds of any query, for people and newsrooms: its newest changes as Atom and as JSON Feed."""

from collections.abc import Callable

from flask import Blueprint, Response, request

from api.core.permissions import PUBLIC
from api.database.engines import reader
from api.documents import FIELDS
from api.http import authentication
from api.http.openapi import READ, answer, component, list_of, object_of, operation
from api.http.openapi.schema_builders import JsonSchema
from api.http.query_strings import load_query
from api.http.read_warnings import show_warnings
from api.http.responses import PREFIX, origin
from api.models import feed
from api.queries import json_patch, latest_changes
from api.queries.latest_changes import LatestChange
from api.queries.resolver import resolve
from api.routes import pages, responses
from api.web import record_view, web_feeds
from api.web.web_feeds import FeedEntry, WebFeed
from schemas.query.requests import WebFeedQuery

blueprint = Blueprint("web_feeds", __name__, url_prefix=PREFIX)

_TEXT: JsonSchema = {"type": "string"}
_RECORD = component(
    "JsonFeedRecord",
    object_of(
        "The record that an entry is about, and what became of it.",
        optional={"code": {"type": ["string", "null"]}},
        id=_TEXT,
        version={"type": "integer", "minimum": 1},
        action=_TEXT,
    ),
)
_ITEM = component(
    "JsonFeedItem",
    object_of(
        "A change of a record; `_record` says of which.",
        optional={"date_published": _TEXT},
        id=_TEXT,
        url=_TEXT,
        title=_TEXT,
        content_html=_TEXT,
        date_modified=_TEXT,
        tags=list_of(_TEXT),
        _record=_RECORD,
    ),
)
_AUTHOR = component("JsonFeedAuthor", object_of("Who publishes the feed.", name=_TEXT))
_JSON_FEED = component(
    "JsonFeed",
    object_of(
        "The newest changes of a query, as JSON Feed 1.1.",
        version=_TEXT,
        title=_TEXT,
        home_page_url=_TEXT,
        feed_url=_TEXT,
        description=_TEXT,
        authors=list_of(_AUTHOR),
        language=_TEXT,
        items=list_of(_ITEM),
    ),
)


@blueprint.get("/incidents.atom")
@operation(
    "changes",
    query=WebFeedQuery,
    answers={200: answer(_TEXT, READ, media_types=[web_feeds.ATOM])},
    costly=True,
)
def read_atom() -> Response:
    """Subscribe to a query: its newest changes as Atom, for people and newsrooms.

    Takes every filter of `/incidents`. Each record is there once, with its last change: new,
    updated, or corrected, with what it said before. Withdrawals, merges and erasures are in a feed
    without filters. It holds what is public, whoever asks.
    """
    return _answer("atom", web_feeds.ATOM, web_feeds.atom)


@blueprint.get("/incidents.jsonfeed")
@operation(
    "changes",
    query=WebFeedQuery,
    answers={200: answer(_JSON_FEED, READ, media_types=[web_feeds.JSON_FEED])},
    costly=True,
)
def read_json_feed() -> Response:
    """Subscribe to a query: its newest changes as JSON Feed 1.1, with what Atom says."""
    return _answer("jsonfeed", web_feeds.JSON_FEED, web_feeds.json_feed)


def _answer(name: str, media_type: str, write: Callable[[WebFeed], bytes]) -> Response:
    authentication.actor()  # a key that is none is refused, as everywhere
    query = resolve(load_query(WebFeedQuery, FIELDS), PUBLIC)
    show_warnings(query.warnings)
    suffix = f"-{name}{pages.tag()}"
    if same := responses.not_modified(suffix=suffix):
        return same
    version = feed.current_version()  # read first: a change that comes between is sent again
    entries = [_entry(change) for change in latest_changes.latest(reader(), query)]
    asked = request.query_string.decode()
    filters = f"?{asked}" if asked else ""
    web_feed = WebFeed(
        f"Diaspora incidents: {asked}" if query.criteria else "Diaspora incidents",
        f"{origin()}{PREFIX}/incidents.{name}{filters}",
        f"{origin()}/{filters}",
        entries,
    )
    return responses.of_dataset(
        write(web_feed), version, None, private=False, suffix=suffix, media_type=media_type
    )


def _entry(change: LatestChange) -> FeedEntry:
    record, before = change.document, change.before
    changes: list[record_view.Change] = []
    if record is not None and before is not None:
        patch = json_patch.between(before, record)
        changes = record_view.changes({"patch": patch}, before, record)
    return FeedEntry(
        id=f"{origin()}{PREFIX}/incidents/{change.id}/versions/{change.version}",
        title=web_feeds.title(change.action, record, before),
        url=f"{origin()}/incidents/{change.into or change.id}",
        published=record["created_at"] if record else None,
        updated=change.at,
        html=pages.render(
            "feed_entry.html",
            change=change,
            record=record,
            changes=changes,
            verb=web_feeds.verb(change.action, record, before) if record else "",
        ).decode(),
        categories=web_feeds.categories(record),
        record={
            "id": change.id,
            "version": change.version,
            "action": change.action,
            "code": change.code,
        },
    )
