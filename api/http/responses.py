"""Responses: stored bytes out, with the headers that every answer of the API carries."""

import hashlib
import json as standard_json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from flask import Response, current_app, request
from werkzeug.datastructures import Headers

from api.http import content_coding
from api.http.conditional import held_tag

JSON = "application/json"
PREFIX = "/api/v1"
PRIVATE = "private, no-store"
_PUBLIC = "public, no-cache"  # may be stored, and is asked about each time
_LONGEST_HEADER = 2000


class RawResponse(Response):
    """A response made with all of its headers; Werkzeug's are for those that leave some out."""

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """Return the headers as they were made."""
        return self.headers


def address(path: str) -> str:
    """Return the address of PATH: behind PUBLIC_URL where that is set."""
    return f"{current_app.config['PUBLIC_URL']}{path}"


def origin() -> str:
    """Return what a whole address starts with, before the path; never what the request says."""
    public_url: str = current_app.config["PUBLIC_URL"]
    return public_url or "http://{HOST}:{PORT}".format(**current_app.config)


def respond(
    body: bytes,
    *,
    etag: str | None,
    dataset_version: int,
    private: bool = False,
    media_type: str = JSON,
    next_page: str | None = None,
) -> Response:
    """Answer a read: 304 where the client has it already, BODY otherwise.

    NEXT_PAGE is the address of the following page, for the Link header.
    """
    held = None if etag is None else held_tag(etag)
    headers = read_headers(dataset_version, held or etag, private=private)
    if next_page is not None:
        headers.append(("Link", f'<{next_page}>; rel="next"'))
    if held is not None:
        response = RawResponse(status=304, headers=headers)
        del response.headers["Content-Type"]
        return response
    return content_coding.encode(
        RawResponse(body, headers=[("Content-Type", media_type), *headers])
    )


def read_headers(dataset_version: int, etag: str | None, *, private: bool) -> list[tuple[str, str]]:
    """Return the headers that every read carries."""
    headers = [
        ("Dataset-Version", str(dataset_version)),
        ("Cache-Control", PRIVATE if private else _PUBLIC),
        ("Vary", "Accept, Authorization, Accept-Encoding"),
    ]
    return headers if etag is None else [*headers, ("ETag", etag)]


def json(
    value: Any,
    *,
    dataset_version: int,
    etag: str | None = None,
    status: int = 200,
    private: bool = False,
    next_page: str | None = None,
) -> Response:
    """Answer with any JSON value."""
    response = respond(
        orjson.dumps(value),
        etag=etag,
        dataset_version=dataset_version,
        private=private,
        next_page=next_page,
    )
    if response.status_code == 200:
        response.status_code = status
    return response


def no_content(dataset_version: int, warnings: Sequence[Mapping[str, Any]] = ()) -> Response:
    """Answer a write that leaves nothing to show but WARNINGS."""
    response = Response(status=204)
    response.headers["Dataset-Version"] = str(dataset_version)
    if warnings:
        response.headers["Warnings"] = ascii_json(warnings)
    return response


def redirect(path: str) -> Response:
    """Answer with 308 to PATH, which a later change may undo: it is asked about each time."""
    response = Response(status=308)
    response.headers["Location"] = address(path)
    response.headers["Cache-Control"] = "no-cache"
    return response


def ascii_json(value: Any) -> str:
    """Return JSON that a header can carry; of a long list the beginning, then how many follow."""
    text = standard_json.dumps(value)
    if len(text) <= _LONGEST_HEADER or not isinstance(value, list):
        return text
    shown: list[str] = []
    room = _LONGEST_HEADER - 100  # for what is said of the rest
    for item in map(standard_json.dumps, value):
        room -= len(item) + 2
        if room < 0:
            break
        shown.append(item)
    remaining = len(value) - len(shown)
    more = {"pointer": "", "code": "more", "detail": f"{remaining:,} more.", "count": remaining}
    return f"[{', '.join([*shown, standard_json.dumps(more)])}]"


def canonical_address(path: str) -> str:
    """Return the address that gives this answer by itself: PATH, which says the format."""
    query = [(name, value) for name, value in request.args.items(multi=True) if name != "format"]
    return address(f"{path}?{urlencode(query, safe=':,')}" if query else path)


def next_address(cursor: str | int | None, name: str = "cursor") -> str | None:
    """Return the address of the following page: the same query, with CURSOR as parameter NAME."""
    if cursor is None:
        return None
    return address(f"{request.path}?{_others(name, request.query_string)}{name}={cursor}")


@lru_cache(maxsize=1024)
def _others(name: str, query_string: bytes) -> str:
    """Return the parameters of QUERY_STRING but those called NAME, for another to follow."""
    pairs = parse_qsl(query_string.decode(), keep_blank_values=True)
    others = [pair for pair in pairs if pair[0] != name]
    return f"{urlencode(others, safe=':,')}&" if others else ""


def etag_of(body: bytes) -> str:
    """Return a tag made from what BODY says, for what changes without a new dataset version."""
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'
