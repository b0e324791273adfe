"""Responses of the resources: what the domain answers, laid out for HTTP."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response, request

from api.core.permissions import Actor
from api.documents import select_fields
from api.http import conditional
from api.http.responses import (
    JSON,
    PREFIX,
    PRIVATE,
    address,
    ascii_json,
    json,
    next_address,
    redirect,
    respond,
)
from api.models.feed import current_version, version_after_write
from api.queries.feed import Entries, Entry
from api.queries.history import Current, History
from api.queries.results import Page, ResolvedQuery, Statistics
from api.records.results import WriteResult

_PATCHES = "application/merge-patch+json, application/json"


def may_show_drafts(actor: Actor, query: ResolvedQuery) -> bool:
    """Whether the answer to QUERY may hold drafts: it is then no one's but ACTOR's."""
    return actor.pk is not None and query.criteria.get("status") != ["published"]


def not_modified(*, suffix: str = "") -> Response | None:
    """Answer 304 for a public list that the client has as it stands, before it is read."""
    if "HTTP_IF_NONE_MATCH" not in request.environ:
        return None
    dataset_version = current_version()
    etag = conditional.etag(dataset_version, suffix)
    if conditional.held_tag(etag) is None:
        return None
    return respond(b"", etag=etag, dataset_version=dataset_version)


def record(document: bytes, version: int, dataset_version: int, *, private: bool) -> Response:
    """Answer with one record."""
    response = respond(
        document, etag=conditional.etag(version), dataset_version=dataset_version, private=private
    )
    response.headers["Accept-Patch"] = _PATCHES
    return response


def merged_into(id_: str, below: str = "") -> Response:
    """Answer for a merged record: 308 to the one it went into, or to what is BELOW that."""
    return redirect(f"{PREFIX}/incidents/{id_}{below}")


def written(result: WriteResult, status: int = 200) -> Response:
    """Answer a committed write with the record exactly as GET serves it."""
    response = _stored(result.document, conditional.etag(result.version), status)
    if status == 201:
        response.headers["Location"] = address(f"{PREFIX}/incidents/{result.id}")
    notes = [*result.warnings, *({"similar": record.public()} for record in result.similar)]
    if notes:
        response.headers["Warnings"] = ascii_json(notes)
    return response


def reference(document: str, status: int, location: str | None = None) -> Response:
    """Answer a committed write of an article, a community or an episode."""
    response = _stored(document, f'"{orjson.loads(document)["version"]}"', status)
    if location is not None:
        response.headers["Location"] = address(location)
    return response


def _stored(document: str, etag: str, status: int) -> Response:
    response = _unstorable(document)
    response.status_code = status
    response.headers["ETag"] = etag
    response.headers["Dataset-Version"] = str(version_after_write())
    return response


def _unstorable(body: str | bytes) -> Response:
    """Answer with JSON that no cache may store."""
    response = Response(body, content_type=JSON)
    response.headers["Cache-Control"] = PRIVATE
    return response


def dry_run(result: WriteResult, would: str) -> Response:
    """Answer a dry run: what would happen, and what should be known before."""
    value = {
        "would": would,
        "record": orjson.loads(result.document),
        "warnings": result.warnings,
        "similar": [record.public() for record in result.similar],
    }
    return _unstorable(orjson.dumps(value))


def preview(value: Mapping[str, Any]) -> Response:
    """Answer what a decision would change; nothing was written."""
    return _unstorable(orjson.dumps(value))


def imported(summary: Mapping[str, Any], dataset_version: int | None) -> Response:
    """Answer for many records: how many had which end. Without a version it was a dry run."""
    response = _unstorable(orjson.dumps(summary))
    if dataset_version is not None:
        response.headers["Dataset-Version"] = str(dataset_version)
    return response


def page(rows: Page, *, fields: list[str] | None, private: bool, **more: Any) -> Response:
    """Answer with a page of records: {"data", "next", "total"}, and MORE."""
    documents = rows.documents
    if fields is not None:
        documents = [select_fields(document, fields) for document in documents]
    next_page = next_address(rows.following)
    body = b"".join(
        (
            b'{"data":[',
            b",".join(documents),
            b'],"next":',
            orjson.dumps(next_page),
            b',"total":',
            orjson.dumps(rows.total),
            *(b',"%s":%s' % (name.encode(), orjson.dumps(value)) for name, value in more.items()),
            b"}",
        )
    )
    return of_dataset(body, rows.dataset_version, next_page, private=private)


def statistics(rows: Statistics, *, private: bool) -> Response:
    """Answer with statistics: {"group_by", "data", "next", "rows", "total", "notes"}."""
    next_page = next_address(rows.following)
    body = b"".join((rows.before, b',"next":', orjson.dumps(next_page), b",", rows.after))
    return of_dataset(body, rows.dataset_version, next_page, private=private)


def of_dataset(
    body: bytes,
    dataset_version: int,
    next_page: str | None,
    *,
    private: bool,
    suffix: str = "",
    media_type: str = JSON,
) -> Response:
    """Answer with BODY, whose tag is the dataset version; a private one has no tag."""
    return respond(
        body,
        etag=None if private else conditional.etag(dataset_version, suffix),
        dataset_version=dataset_version,
        private=private,
        media_type=media_type,
        next_page=next_page,
    )


def collection(data: list[Any], cursor: str | None, total: int, dataset_version: int) -> Response:
    """Answer with a page of anything, in the shape of a page of records."""
    next_page = next_address(cursor)
    return json(
        {"data": data, "next": next_page, "total": total},
        etag=conditional.etag(dataset_version),
        dataset_version=dataset_version,
        next_page=next_page,
    )


def changes(entries: Entries, *, documents: bool) -> Response:
    """Answer with a stretch of the feed: {"data", "next", "last_seq"}."""
    next_page = next_address(entries.following, "since")
    body = b'{"data":[%s],"next":%s,"last_seq":%d}' % (
        b",".join(_change(entry, documents=documents) for entry in entries.entries),
        orjson.dumps(next_page),
        entries.last_seq,
    )
    return of_dataset(body, entries.last_seq, next_page, private=False)


_CHANGE = ("seq", "action", "id", "version", "at")
_UPGRADE = ("seq", "action", "resource", "at")


def _change(entry: Entry, *, documents: bool) -> bytes:
    """Return one entry; that of an incident ends with its document, where those are asked for."""
    if entry.action == "upgraded":
        return orjson.dumps({name: getattr(entry, name) for name in _UPGRADE})
    members = {name: getattr(entry, name) for name in _CHANGE}
    if entry.resource != "incident":
        return orjson.dumps({**members, "resource": entry.resource})
    line = orjson.dumps(members)
    if not documents:
        return line
    return b'%s,"incident":%s}' % (line[:-1], (entry.document or "null").encode())


def history(versions: History, record: Current, *, private: bool) -> Response:
    """Answer with the versions of a record: {"data", "next"}.

    Its tag is of the content too: an erasure of another record may take a reason that both have.
    """
    content = hashlib.sha256(orjson.dumps(versions.versions)).hexdigest()[:16]
    next_page = next_address(versions.following)
    return json(
        {"data": versions.versions, "next": next_page},
        etag=conditional.etag(record.version, f"-{content}"),
        dataset_version=record.dataset_version,
        private=private,
        next_page=next_page,
    )
