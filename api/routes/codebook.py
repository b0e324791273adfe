"""The codebook: what every field and every value means."""

from flask import Blueprint, Response

from api.database.engines import reader
from api.http import conditional
from api.http.openapi import READ, answer, component, object_of, operation
from api.http.query_strings import load
from api.http.responses import respond
from api.models import feed
from api.queries import codebook
from schemas.query.parameters import NoQuery

blueprint = Blueprint("codebook", __name__, url_prefix="/api/v1")


_OBJECT = {"type": "object", "additionalProperties": True}
_LIST = {"type": "array", "items": _OBJECT}
_SHAPE = component(
    "Codebook",
    object_of(
        "What every field and every value means.",
        version={"type": "string"},
        inclusion_rule={"type": "string"},
        not_for={"type": "array", "items": {"type": "string"}},
        count_words=_OBJECT,
        fields=_OBJECT,
        vocabularies=_OBJECT,
        crosswalk_schemes=_OBJECT,
        completeness=_LIST,
        deprecations=_LIST,
    ),
)


@blueprint.get("/codebook")
@operation("codebook", answers={200: answer(_SHAPE, READ)})
def read_codebook() -> Response:
    """Define every field and vocabulary, with crosswalks and the completeness of fields by year."""
    load(NoQuery)
    version = feed.current_version()
    body = codebook.rendered(reader(), version)
    return respond(body, etag=conditional.etag(version), dataset_version=version)
