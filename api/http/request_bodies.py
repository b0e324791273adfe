"""Bodies: read strictly, with the standard library's parser, before any schema sees them."""

import hashlib
import weakref
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from flask import current_app, g, request
from marshmallow import Schema, ValidationError

from api.core.errors import ApiError
from api.http import body_reading
from schemas import strict_json
from schemas.errors import ErrorDetail
from schemas.fields import kind

JSON_TYPES = ("application/json",)
# The media types of bodies that hold many records, and their forms; a JSON list holds many too.
MANY_TYPES = {"application/x-ndjson": "ndjson", "application/ndjson": "ndjson", "text/csv": "csv"}
MERGE_PATCH = "application/merge-patch+json"
PATCH_TYPES = (MERGE_PATCH, *JSON_TYPES)
_CHUNK = 1 << 18
_IN_MEMORY = 1 << 16  # bytes of an upload; a longer one is in a file
_MOST_BLANKS = 1 << 16


def read(limit: int) -> bytes:
    """Return the body, which is received once. Raises ApiError above LIMIT bytes."""
    if "body" in g:
        return bytes(g.body)
    if request.content_length is not None and request.content_length > limit:
        raise _too_large(limit)
    head: bytes = g.pop("head", b"")
    whole = len(head) == request.content_length  # by the look at its first sign
    body = head if whole else head + _receive(limit + 1 - len(head))
    if len(body) > limit:
        raise _too_large(limit)
    g.body = body
    return body


def replayable() -> bool:
    """Whether the request's view can run again: its body is kept, or not read yet."""
    return "body" in g or "upload" in g or "body_taken" not in g


def _receive(size: int) -> bytes:
    """Wait for so many bytes of the body, or its end."""
    g.body_taken = True
    return body_reading.receive(size)


def _too_large(limit: int) -> ApiError:
    return ApiError(
        "too-large", f"The body is larger than the {limit:,} bytes that are taken here."
    )


@dataclass(frozen=True, slots=True)
class Body:
    """A body as it came and as what it says."""

    raw: bytes
    value: dict[str, Any]


def json_object(types: tuple[str, ...] = JSON_TYPES) -> Body:
    """Read the body as one JSON object of one of TYPES."""
    check_type(types)
    raw = read(current_app.config["MAX_BODY"])
    try:
        value = strict_json.parse(raw)
    except strict_json.ParseError as error:
        raise ApiError("malformed-json", str(error)) from None
    if not isinstance(value, dict):
        fault = ErrorDetail("wrong_type", f"This is {kind(value)}; it takes an object.")
        raise ValidationError({"_schema": [fault]})
    return Body(raw, value)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Upload:
    """A body of many records, kept in a file: its form, and a digest of its bytes."""

    form: str
    file: IO[bytes]
    sha256: bytes

    def opened(self) -> IO[bytes]:
        """Return the file, to be read from its beginning."""
        self.file.seek(0)
        return self.file


def form_of_many() -> str | None:
    """Return the form in which the body holds many records, None where it is to hold one."""
    if "upload" in g:
        return str(g.upload.form)
    if request.mimetype in JSON_TYPES and "body" not in g:
        return "json" if _first_sign() == b"[" else None
    return MANY_TYPES.get(request.mimetype)


def _first_sign() -> bytes:
    """Look at the first byte that is no blank; what was read for it is kept."""
    head: bytes = g.pop("head", b"")
    while not head.strip() and len(head) < _MOST_BLANKS and (more := _receive(_CHUNK)):
        head += more
    g.head = head
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]


def upload(form: str) -> Upload:
    """Return the body as a file, received once however often it is asked for."""
    if "upload" not in g:
        check_type((*JSON_TYPES, *MANY_TYPES))
        g.upload = _received(form, current_app.config["MAX_BULK_BODY"])
    received: Upload = g.upload
    return received


def _received(form: str, limit: int) -> Upload:
    if request.content_length is not None and request.content_length > limit:
        raise _too_large(limit)
    file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - it lives as long as the request
    digest, size = hashlib.sha256(), 0
    chunk: bytes = g.pop("head", b"") or _receive(_CHUNK)
    while chunk:
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        digest.update(chunk)
        _keep(file, chunk)
        chunk = _receive(_CHUNK)
    received = Upload(form, file, digest.digest())
    weakref.finalize(received, file.close)  # with the request, however often its view runs
    return received


def _keep(file: IO[bytes], chunk: bytes) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        detail = "There is no room to take the body in; nothing was written."
        raise ApiError("storage-full", detail) from error


def optional_object() -> Body:
    """Read the body as a JSON object where there is one; none says nothing."""
    return json_object() if read(current_app.config["MAX_BODY"]) else Body(b"", {})


def with_options(options: dict[str, Any], schema: type[Schema]) -> dict[str, Any]:
    """Return the OPTIONS of a query with those of the body, where there is one.

    Raises ValidationError where the two disagree.
    """
    in_body: dict[str, Any] = schema().load(optional_object().value)
    detail = ErrorDetail("contradiction", "The query string says otherwise; say it once.")
    messages = {
        name: [detail] for name in in_body if options.get(name, in_body[name]) != in_body[name]
    }
    if messages:
        raise ValidationError(messages)
    return options | in_body


def check_type(types: tuple[str, ...]) -> None:
    """Refuse a body of another media type, saying what to add, or of another encoding."""
    type_ = request.mimetype
    if type_ in types:
        if request.mimetype_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
            raise ApiError("unsupported-media-type", "Bodies are UTF-8: leave the charset out.")
        if request.content_encoding:
            detail = "Bodies are taken as they are: leave Content-Encoding out."
            raise ApiError("unsupported-media-type", detail)
        return
    what = f"The body is sent as {type_[:60]}" if type_ else "The body has no Content-Type"
    accepted = " or ".join(filter(None, (", ".join(types[:-1]), types[-1])))
    raise ApiError(
        "unsupported-media-type",
        f"{what}; this takes {accepted}. With curl, add: -H 'Content-Type: {types[0]}'",
    )
