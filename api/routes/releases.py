"""Releases: frozen, citable editions, listed and served unchanged."""

from typing import BinaryIO

import orjson
from flask import Blueprint, Response, current_app, request
from marshmallow import Schema

from api.core.errors import ApiError
from api.database.engines import db
from api.database.transactions import transaction
from api.exports import exporter, releases
from api.exports.file_cache import CompleteFile
from api.exports.formats.citations import of_release
from api.http import authentication, concurrency, content_coding, request_bodies
from api.http.openapi import MADE, READ, answer, body_of, list_of, object_of, operation
from api.http.openapi.schema_builders import JsonSchema, Shape, component
from api.http.query_strings import load
from api.http.responses import PREFIX, address, etag_of, json, origin
from api.models import feed
from api.routes import citations, downloads
from schemas.query.parameters import NoQuery
from schemas.release import ReleaseChangeSchema, ReleaseSchema

blueprint = Blueprint("releases", __name__, url_prefix="/api/v1/releases")

_ADMIN = "manage keys and releases"
_TEXT: JsonSchema = {"type": "string"}
_GZIP = "application/gzip"
_MAYBE: JsonSchema = {"type": ["string", "null"]}
_WHOLE: JsonSchema = {"type": "integer", "minimum": 0}
_FILE: dict[str, Shape] = {
    "name": _TEXT,
    "records": _WHOLE,
    "bytes": _WHOLE,
    "sha256": _TEXT,
}
_PROVEN = component("RevisedFile", object_of("A file as a revision had it.", _FILE))
_SERVED = component("ReleaseFile", object_of("A file of a release.", _FILE, url=_TEXT))
_REVISION = component(
    "ReleaseRevision",
    object_of(
        "A state of a release; an erasure makes a new one.",
        revision=_WHOLE,
        created_at=_TEXT,
        files=list_of(_PROVEN),
    ),
)
_RELEASE = component(
    "Release",
    object_of(
        "A frozen edition of the data set.",
        name=_TEXT,
        url=_TEXT,
        title=_TEXT,
        doi=_MAYBE,
        dataset_version=_WHOLE,
        codebook_version=_TEXT,
        created_at=_TEXT,
        revision=_WHOLE,
        citation=_TEXT,
        files=list_of(_SERVED),
        revisions=list_of(_REVISION),
    ),
)
_RELEASES = component("Releases", object_of("All releases.", data=list_of(_RELEASE)))


@blueprint.get("")
@operation("releases", answers={200: answer(_RELEASES, READ)})
def list_releases() -> Response:
    """List the releases, the newest first."""
    load(NoQuery)
    session = db.session()
    data = [releases.describe(session, name) for name in releases.names(session)]
    value = {"data": data}
    version = feed.dataset_version(session)
    return json(value, dataset_version=version, etag=etag_of(orjson.dumps(value)))


@blueprint.post("")
@operation(
    "releases",
    body=body_of(ReleaseSchema),
    permission=_ADMIN,
    answers={201: answer(_RELEASE, MADE)},
    problems=("id-taken", "conflict"),
)
def create_release() -> Response:
    """Freeze the published data set as it stands, in one snapshot."""
    authentication.require(_ADMIN)
    load(NoQuery)
    data = ReleaseSchema().load(request_bodies.json_object().value)
    release = releases.create(data["name"], title=data.get("title"), doi=data.get("doi"))
    response = json(release, dataset_version=feed.version_after_write(), status=201, private=True)
    response.headers["Location"] = address(release["url"])
    return response


_RELEASE_QUERY = Schema.from_dict({"format": citations.parameter()}, name="ReleaseQuery")


@blueprint.get("/<name>")
@operation(
    "releases",
    query=_RELEASE_QUERY,
    answers={200: answer(_RELEASE, READ)},
    in_words=["format"],
    other_answers=citations.ANSWERS,
    problems=("not-found", "not-acceptable"),
)
def read_release(name: str) -> Response:
    """Describe a release: its place in the feed, its files with digests, how to cite it."""
    format_ = citations.wanted()
    load(_RELEASE_QUERY)
    session = db.session()
    release = releases.describe(session, name)
    version = feed.dataset_version(session)
    if format_ is not None:
        return citations.answer(
            format_,
            lambda: of_release(release, f"{origin()}{release['url']}"),
            etag=etag_of(orjson.dumps([release, format_.name])),
            dataset_version=version,
            private=False,
        )
    return json(release, dataset_version=version, etag=etag_of(orjson.dumps(release)))


@blueprint.patch("/<name>")
@operation(
    "releases",
    body=body_of(ReleaseChangeSchema, media_types=[request_bodies.MERGE_PATCH]),
    permission=_ADMIN,
    answers={200: answer(_RELEASE, READ)},
    problems=("not-found",),
)
def name_doi(name: str) -> Response:
    """Note the DOI that a release was given; nothing else of it changes."""
    authentication.require(_ADMIN)
    load(NoQuery)
    data = ReleaseChangeSchema().load(request_bodies.json_object(request_bodies.PATCH_TYPES).value)
    with transaction() as session:
        release = releases.set_doi(session, name, data["doi"])
    return json(release, dataset_version=feed.version_after_write(), private=True)


@blueprint.get("/<name>/<file_name>")
@operation(
    "releases",
    answers={
        200: answer(
            {"type": "string"},
            READ,
            media_types=sorted({*releases.MEDIA_TYPES.values(), _GZIP}),
        )
    },
    problems=("not-found", "range-not-satisfiable"),
)
def read_file(name: str, file_name: str) -> Response:
    """Send a file of a release, byte for byte as it was frozen.

    The compressed form of it is `….gz`, and what is sent to who takes gzip.
    """
    load(NoQuery)
    file = releases.file(db.session(), name, file_name, gzip=content_coding.is_accepted())
    complete = CompleteFile(_open(file), file.length, file.records, file.digest)
    edition = f"{name}-r{file.revision}-{file_name}"
    client = concurrency.payer_of(request.environ)
    export = exporter.exports().open_cached(complete, file.dataset_version, client)
    export.gzip = file.gzip
    return downloads.send(
        export,
        path=f"{PREFIX}/releases/{name}/{file_name}",
        file_name=edition,
        media_type=releases.MEDIA_TYPES.get(file_name, _GZIP),
        tag=f"-{edition}",
        private=False,
    )


def _open(file: releases.File) -> BinaryIO:
    try:
        return file.path.open("rb")
    except OSError as error:
        current_app.logger.error("a release's file cannot be read", exc_info=error)
        detail = "The file is being replaced, or is not on this machine. Try again in a moment."
        raise ApiError("unavailable", detail) from error
