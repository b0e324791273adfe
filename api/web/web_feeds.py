"""Feeds that people subscribe to: Atom (RFC 4287) and JSON Feed 1.1 of the same entries."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import orjson

from schemas.record_fields import STATE_FIELDS

ATOM, JSON_FEED = "application/atom+xml", "application/feed+json"
AUTHOR = "The diaspora incident API authors"
_NAMESPACE = "http://www.w3.org/2005/Atom"
_NEVER = "1970-01-01T00:00:00Z"  # when a feed without entries was changed last
# What XML 1.0 cannot hold.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A change as a feed tells it: its HTML, when, where it is read, and what it is about."""

    id: str
    title: str
    url: str
    published: str | None
    updated: str
    html: str
    categories: Sequence[str]
    record: Mapping[str, Any]  # id, version, action and code


@dataclass(frozen=True, slots=True)
class WebFeed:
    """A feed: of which query, at which address, and the page that shows the same."""

    title: str
    url: str
    page: str
    entries: Sequence[FeedEntry]

    @property
    def updated(self) -> str:
        """Return when it was changed last."""
        return max((entry.updated for entry in self.entries), default=_NEVER)


def title(action: str, record: Mapping[str, Any] | None, before: Mapping[str, Any] | None) -> str:
    """Return the title of a change: what became of the record, then what the record is called."""
    if record is None:
        return f"{action.capitalize()}: a record"
    return f"{verb(action, record, before)}: {record['title']}" if before else record["title"]


def verb(action: str, record: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    """Return what became of a record: corrected where something that it said is gone."""
    if action in ("restored", "erased"):
        return action.capitalize()
    return "Corrected" if before and _is_corrected(before, record) else "Updated"


def _is_corrected(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a value that a record had is another now, or an item of a list is gone."""
    names = [field.name for field in STATE_FIELDS if field.name != "sources"]
    articles = [{source["article"]["id"] for source in side["sources"]} for side in (before, after)]
    return bool(articles[0] - articles[1]) or any(
        any(item not in after[name] for item in before[name])
        if isinstance(before[name], list)
        else before[name] is not None and before[name] != after[name]
        for name in names
    )


def json_feed(feed: WebFeed) -> bytes:
    """Return FEED as JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""
    items = [
        {
            "id": entry.id,
            "url": entry.url,
            "title": entry.title,
            "content_html": entry.html,
            **({"date_published": entry.published} if entry.published else {}),
            "date_modified": entry.updated,
            "tags": list(entry.categories),
            "_record": entry.record,
        }
        for entry in feed.entries
    ]
    return orjson.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed.title,
            "home_page_url": feed.page,
            "feed_url": feed.url,
            "description": "Curated data under CC BY 4.0.",
            "authors": [{"name": AUTHOR}],
            "language": "en",
            "items": items,
        }
    )


def atom(feed: WebFeed) -> bytes:
    """Return FEED as Atom."""
    root = ET.Element("feed", {"xmlns": _NAMESPACE, "xml:lang": "en"})
    _text(root, "id", feed.url)
    _text(root, "title", feed.title)
    _text(root, "updated", feed.updated)
    _text(ET.SubElement(root, "author"), "name", AUTHOR)
    _text(root, "rights", "Curated data under CC BY 4.0.")
    ET.SubElement(root, "link", {"rel": "self", "type": ATOM, "href": feed.url})
    ET.SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": feed.page})
    for entry in feed.entries:
        element = ET.SubElement(root, "entry")
        _text(element, "id", entry.id)
        _text(element, "title", entry.title)
        _text(element, "updated", entry.updated)
        if entry.published:
            _text(element, "published", entry.published)
        link = {"rel": "alternate", "type": "text/html", "href": entry.url}
        ET.SubElement(element, "link", link)
        for category in entry.categories:
            ET.SubElement(element, "category", {"term": category})
        _text(element, "content", entry.html, type="html")
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def _text(parent: ET.Element, name: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, name, attributes).text = _ILLEGAL.sub("\ufffd", text)


def categories(record: Mapping[str, Any] | None) -> list[str]:
    """Return what a record is about: its type, country, communities and tags."""
    if record is None:
        return []
    communities = [entry["community"] for entry in record["communities"]]
    return list(dict.fromkeys([record["type"], record["country"], *communities, *record["tags"]]))
