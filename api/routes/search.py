"""Search: the best hits of words first, each with its score and a snippet."""

import orjson
from flask import Blueprint, Response

from api import documents
from api.database.engines import reader
from api.documents import FIELDS
from api.http import authentication
from api.http.openapi import PAGE, answer, component, list_of, object_of, operation, page_of
from api.http.query_strings import load_query
from api.http.read_warnings import show_warnings
from api.queries.pages import ranked_page
from api.queries.resolver import resolve
from api.queries.results import Page
from api.queries.suggestions import suggestions
from api.queries.text.ranking import Hit
from api.queries.text.text_queries import TextQuery
from api.routes import responses
from api.search import highlighting
from schemas.query.requests import SearchQuery

blueprint = Blueprint("search", __name__, url_prefix="/api/v1")

_TEXT = {"type": "string"}
_HIT = component(
    "SearchHit",
    object_of(
        "A record that was found.",
        incident="Incident",
        score={
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "description": "How well it fits: 1 where every word stands in title and place.",
        },
        snippet={**_TEXT, "description": "A piece of it as safe HTML; what matched is in <mark>."},
        matched=list_of(_TEXT, "The fields that match."),
    ),
)
_HITS = page_of(
    _HIT,
    "SearchPage",
    ranked={**_TEXT, "description": "Among which hits these were ranked: all, or a part."},
    ignored=list_of(_TEXT, "Words of the query that are too common to be looked for."),
    suggestions=list_of(_TEXT, "Queries in near spellings that find something, if this does not."),
)


@blueprint.get("/search")
@operation(
    "search",
    query=SearchQuery,
    answers={200: answer(_HITS, PAGE)},
    allowed={"fields": sorted(FIELDS)},
    costly=True,
    in_words=["fields"],
)
def search_incidents() -> Response:
    """Search incidents: the best hits first, with a snippet, a score and where each matched."""
    actor = authentication.actor()
    query = resolve(load_query(SearchQuery, FIELDS), actor)
    show_warnings(query.warnings)
    private = responses.may_show_drafts(actor, query)
    if not private and (same := responses.not_modified()):
        return same
    ranking = ranked_page(reader(), query, actor)
    text: TextQuery = query.criteria["q"]
    hits = [_render(hit, text, query.fields) for hit in ranking.hits]
    nothing = ranking.total == 0
    return responses.page(
        Page(hits, ranking.following, ranking.total, ranking.dataset_version),
        fields=None,
        private=private,
        ranked=ranking.ranked,
        ignored=list(text.resolved.ignored),
        suggestions=suggestions(reader(), query) if nothing else [],
    )


def _render(hit: Hit, text: TextQuery, fields: list[str] | None) -> bytes:
    """Return a hit: the stored document as it is, and what the search says of it."""
    shown = highlighting.highlight(
        documents.load(hit.document), text.resolved.node, text.names.labels
    )
    incident = hit.document if fields is None else documents.select_fields(hit.document, fields)
    about = {"score": hit.score, "snippet": shown.snippet, "matched": shown.matched}
    return b'{"incident":%b,%b' % (incident, orjson.dumps(about)[1:])
