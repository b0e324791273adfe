"""Answers: stored bytes out, with the headers that every read carries."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from flask import Response, current_app, request
from werkzeug.datastructures import Headers

from api.documents import select_fields
from api.http.conditional import etag as etag_of
from api.http.conditional import unchanged
from api.models import feed
from api.queries.feed import Entries, Entry
from api.queries.history import Current, History
from api.queries.pages import Page
from api.queries.statistics.pages import Statistics
from api.records.results import WriteResult

JSON = "application/json"
PREFIX = "/api/v1"
_PRIVATE = "private, no-store"
_PUBLIC = "public, no-cache"  # may be kept, and is asked about each time


class Whole(Response):
    """An answer made with all of its headers; Werkzeug's are for those that leave some out."""

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """Give the headers as they were made."""
        return self.headers


def address(path: str) -> str:
    """Write the address of a PATH: behind PUBLIC_URL where that is set."""
    return f"{current_app.config['PUBLIC_URL']}{path}"


def origin() -> str:
    """Give scheme and host for whoever needs a whole address; never what the request says."""
    found: str = current_app.config["PUBLIC_URL"]
    return found or "http://{HOST}:{PORT}".format(**current_app.config)


def respond(
    body: bytes,
    *,
    etag: str | None,
    dataset_version: int,
    private: bool = False,
    media_type: str = JSON,
    headers: Iterable[tuple[str, str]] = (),
) -> Response:
    """Answer a read: 304 where the client holds it, the body otherwise."""
    shared = [*read_headers(dataset_version, etag, private=private), *headers]
    if etag is not None and unchanged(etag):
        response = Whole(status=304, headers=shared)
        del response.headers["Content-Type"]
        return response
    return Whole(body, headers=[("Content-Type", media_type), *shared])


def read_headers(dataset_version: int, etag: str | None, *, private: bool) -> list[tuple[str, str]]:
    """Give the headers that every read carries."""
    found = [
        ("Dataset-Version", str(dataset_version)),
        ("Cache-Control", _PRIVATE if private else _PUBLIC),
        ("Vary", "Accept, Authorization"),
    ]
    return found if etag is None else [*found, ("ETag", etag)]


def held(*, suffix: str = "") -> Response | None:
    """Answer 304 for a public list that the client holds as it stands, before it is read."""
    if "HTTP_IF_NONE_MATCH" not in request.environ:
        return None
    dataset_version = feed.current_version()
    etag = etag_of(dataset_version, suffix)
    if not unchanged(etag):
        return None
    return respond(b"", etag=etag, dataset_version=dataset_version)


def record(document: bytes, version: int, dataset_version: int, *, private: bool) -> Response:
    """Answer with one record."""
    return respond(
        document, etag=etag_of(version), dataset_version=dataset_version, private=private
    )


def written(result: WriteResult, status: int, dataset_version: int) -> Response:
    """Answer a write with the record exactly as GET serves it."""
    response = Response(result.document, status=status, content_type=JSON)
    headers = response.headers
    headers["ETag"] = etag_of(result.version)
    headers["Dataset-Version"] = str(dataset_version)
    headers["Cache-Control"] = _PRIVATE
    if status == 201:
        headers["Location"] = address(f"{PREFIX}/incidents/{result.id}")
    notes = [*result.warnings, *({"similar": one.public()} for one in result.similar)]
    if notes:
        headers["Warnings"] = ascii_json(notes)
    return response


def ascii_json(value: Any) -> str:
    """Write JSON that a header can carry, at most some 4,000 characters of it."""
    text = json.dumps(value)
    while len(text) > 4000 and isinstance(value, list) and len(value) > 1:
        value = value[:-1]
        text = json.dumps(value)
    return text


def page(found: Page, *, fields: list[str] | None, private: bool, **more: Any) -> Response:
    """Answer with a page of records: {"data", "next", "total", "total_relation"}, and MORE."""
    documents = found.documents
    if fields is not None:
        documents = [select_fields(document, fields) for document in documents]
    following = next_address(found.following)
    body = b"".join(
        (
            b'{"data":[',
            b",".join(documents),
            b'],"next":',
            orjson.dumps(following),
            b',"total":%d,"total_relation":"%s"' % (found.total, found.total_relation.encode()),
            *(b',"%s":%s' % (name.encode(), orjson.dumps(value)) for name, value in more.items()),
            b"}",
        )
    )
    return respond(
        body,
        etag=None if private else etag_of(found.dataset_version),
        dataset_version=found.dataset_version,
        private=private,
        headers=[("Link", f'<{following}>; rel="next"')] if following else (),
    )


def statistics(found: Statistics, *, private: bool) -> Response:
    """Answer with statistics: {"group_by", "data", "next", "rows", "total", "notes"}."""
    following = next_address(found.following)
    body = b"".join((found.before, b',"next":', orjson.dumps(following), b",", found.after))
    return respond(
        body,
        etag=None if private else etag_of(found.dataset_version),
        dataset_version=found.dataset_version,
        private=private,
        headers=[("Link", f'<{following}>; rel="next"')] if following else (),
    )


def moved(id_: str, below: str = "") -> Response:
    """Answer for a merged record: 308 to the one it went into, or to what is BELOW that."""
    response = Response(status=308)
    response.headers["Location"] = address(f"{PREFIX}/incidents/{id_}{below}")
    response.headers["Cache-Control"] = "no-cache"
    return response


def nothing(dataset_version: int, warnings: Sequence[Mapping[str, Any]] = ()) -> Response:
    """Answer a write that leaves nothing to show but WARNINGS."""
    response = Response(status=204)
    response.headers["Dataset-Version"] = str(dataset_version)
    if warnings:
        response.headers["Warnings"] = ascii_json(warnings)
    return response


def tried(result: WriteResult, would: str) -> Response:
    """Answer a dry run: what would happen, and what should be known before."""
    value = {
        "would": would,
        "record": orjson.loads(result.document),
        "warnings": result.warnings,
        "similar": [one.public() for one in result.similar],
    }
    response = Response(orjson.dumps(value), content_type=JSON)
    response.headers["Cache-Control"] = _PRIVATE
    return response


def imported(summary: Mapping[str, Any], dataset_version: int | None) -> Response:
    """Answer for many records: how many had which end. Without a version it was a dry run."""
    response = Response(orjson.dumps(summary), content_type=JSON)
    response.headers["Cache-Control"] = _PRIVATE
    if dataset_version is not None:
        response.headers["Dataset-Version"] = str(dataset_version)
    return response


def collection(
    data: list[Any], following: str | None, total: int, dataset_version: int
) -> Response:
    """Answer with a page of anything, in the shape of a page of records."""
    link = next_address(following)
    value = {"data": data, "next": link, "total": total, "total_relation": "eq"}
    return respond(
        orjson.dumps(value),
        etag=etag_of(dataset_version),
        dataset_version=dataset_version,
        headers=[("Link", f'<{link}>; rel="next"')] if link else (),
    )


def changes(found: Entries, *, documents: bool) -> Response:
    """Answer with a stretch of the feed: {"data", "next", "last_seq"}."""
    link = next_address(found.following, "since")
    body = b'{"data":[%s],"next":%s,"last_seq":%d}' % (
        b",".join(_change(entry, documents=documents) for entry in found.entries),
        orjson.dumps(link),
        found.last_seq,
    )
    return respond(
        body,
        etag=etag_of(found.last_seq),
        dataset_version=found.last_seq,
        headers=[("Link", f'<{link}>; rel="next"')] if link else (),
    )


def _change(entry: Entry, *, documents: bool) -> bytes:
    """Write one entry; that of an incident ends with its document, where those are asked for."""
    if entry.action == "upgraded":
        names: tuple[str, ...] = ("seq", "action", "resource", "at")
        return orjson.dumps({name: getattr(entry, name) for name in names})
    known = {name: getattr(entry, name) for name in ("seq", "action", "id", "version", "at")}
    if entry.resource != "incident":
        return orjson.dumps({**known, "resource": entry.resource})
    line = orjson.dumps(known)
    if not documents:
        return line
    return b'%s,"incident":%s}' % (line[:-1], (entry.document or "null").encode())


def history(found: History, record: Current, *, private: bool) -> Response:
    """Answer with the versions of a record: {"data", "next"}; who reads all has a tag apart."""
    link = next_address(found.following)
    return respond(
        orjson.dumps({"data": found.versions, "next": link}),
        etag=etag_of(record.version, "-all" if record.sees_everything else ""),
        dataset_version=record.dataset_version,
        private=private,
        headers=[("Link", f'<{link}>; rel="next"')] if link else (),
    )


def made(document: str, status: int, dataset_version: int, location: str | None = None) -> Response:
    """Answer a write of an article, a community or an episode."""
    response = Response(document, status=status, content_type=JSON)
    response.headers["ETag"] = f'"{orjson.loads(document)["version"]}"'
    response.headers["Dataset-Version"] = str(dataset_version)
    response.headers["Cache-Control"] = _PRIVATE
    if location is not None:
        response.headers["Location"] = address(location)
    return response


def canonical_address(path: str) -> str:
    """Write the address that gives this answer by itself: PATH, which says the format."""
    query = [(name, value) for name, value in request.args.items(multi=True) if name != "format"]
    return address(f"{path}?{urlencode(query, safe=':,')}" if query else path)


def next_address(place: str | int | None, name: str = "cursor") -> str | None:
    """Write the address of the following page: the same query with the parameter NAME at PLACE."""
    if place is None:
        return None
    others = _but(name, request.query_string)
    return address(f"{request.path}?{others}{name}={place}")


@lru_cache(maxsize=1024)
def _but(name: str, query_string: bytes) -> str:
    """Write the parameters of QUERY_STRING but those called NAME, for another to follow."""
    given = parse_qsl(query_string.decode(), keep_blank_values=True)
    kept = [pair for pair in given if pair[0] != name]
    return f"{urlencode(kept, safe=':,')}&" if kept else ""


def tag_of(value: Any) -> str:
    """Write the tag of a VALUE that changes without a new dataset version, out of what it says."""
    return f'"{hashlib.sha256(orjson.dumps(value)).hexdigest()[:16]}"'


def plain(
    value: Any,
    *,
    dataset_version: int,
    etag: str | None = None,
    status: int = 200,
    private: bool = False,
) -> Response:
    """Answer with any JSON value."""
    response = respond(
        orjson.dumps(value), etag=etag, dataset_version=dataset_version, private=private
    )
    if response.status_code == 200:
        response.status_code = status
    return response
