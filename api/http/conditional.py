"""Conditional requests: ETags as we make them, and the versions that a client names.

A record's tag is its version, a list's the dataset version; a suffix tells format and role apart
where those change the answer. `If-Match` takes every tag a record was served with, whatever its
suffix, weak or strong, quoted or not.

A content coding has a tag of its own, by us (`content_coding`) or by a proxy in front: `"17-gzip"`,
or the weak `W/"17"`. Each of them names the answer that it was made from.
"""

import re
from collections.abc import Mapping
from typing import Any

from flask import request

from api.core.preconditions import ExpectedVersion
from schemas.record_fields import NEWEST

_TAG = re.compile(r'\s*(?:W/)?"?(\d{1,12})(?:[-.;:][^",]*)?"?\s*', re.ASCII)

_CODING = re.compile(r'-(?:gzip|br|zstd|deflate)"\Z')

# Which fields the answers have: a document that gained one keeps its version.
_FIELDS = "" if NEWEST == 1 else f"-f{NEWEST}"


def etag(version: int, suffix: str = "") -> str:
    """Return the tag of an answer that stands at VERSION, of a record or of the data set."""
    return f'"{version}{_FIELDS}{suffix}"'


def if_match(body: Mapping[str, Any] | None = None) -> ExpectedVersion:
    """Read the version that a change is based on: If-Match, else `version` in the BODY."""
    header = request.headers.get("If-Match")
    if header is not None:
        return _versions(header)
    if body is not None and body.get("version") is not None:
        return frozenset({body["version"]})
    return None


def _versions(header: str) -> ExpectedVersion:
    if header.strip() == "*":
        return "*"
    versions = {int(tag[1]) for part in header.split(",") if (tag := _TAG.fullmatch(part))}
    # A tag that is none of ours matches no version: stale, as RFC 9110 has it.
    return frozenset(versions)


def held_tag(etag: str) -> str | None:
    """Return the tag by which the client has what ETAG names; None where it has not.

    Compared weakly (RFC 9110, 13.1.2), and whatever the content coding.
    """
    header = request.environ.get("HTTP_IF_NONE_MATCH")
    if header is None:
        return None
    if header.strip() == "*":
        return etag
    tags = (part.strip() for part in header.split(","))
    return next((tag for tag in tags if _CODING.sub('"', tag.removeprefix("W/")) == etag), None)
