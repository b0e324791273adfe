"""Components: the answers that many operations share, as JSON Schemas with every member required.

What a request may send is made from the marshmallow schemas (`bodies`); answers are stored
documents, and these are their description. A test holds the two together.
"""

from collections.abc import Mapping

from api.http.openapi import field_descriptions
from api.http.openapi.schema_builders import (
    JsonSchema,
    Shape,
    component,
    list_of,
    nullable,
    object_of,
    page_of,
    ref,
)
from schemas.article import ARTICLE_FIELDS, EMBEDDED_FIELDS
from schemas.claims import CLAIM_FIELDS
from schemas.counts import COUNT_FIELDS, MAXIMUM
from schemas.vocabulary import (
    DATE_PRECISIONS,
    EVENT_TYPES,
    GEO_PRECISIONS,
    POLICE_MEASURES,
    ROLES,
    STATUSES,
)

_TEXT: JsonSchema = {"type": "string"}
_TEXT_OR_NULL = nullable(_TEXT)
_WHOLE: JsonSchema = {"type": "integer", "minimum": 0}
_COUNT = nullable({**_WHOLE, "maximum": MAXIMUM})
_VERSION: JsonSchema = {"type": "integer", "minimum": 1}
_DAY_OR_NULL = nullable({"type": "string", "format": "date"})
_TIME: JsonSchema = {"type": "string", "format": "date-time"}
_ADDRESS_OR_NULL = _TEXT_OR_NULL

RECORD_ID = component(
    "RecordId",
    {
        "type": "string",
        "pattern": "^[0-9a-hjkmnp-tv-z]{10}$",
        "description": "10 characters of Crockford base32, lower case.",
    },
)
SLUG = component(
    "Slug",
    {
        "type": "string",
        "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$",
        "maxLength": 64,
        "description": "Lower-case words joined by hyphens.",
    },
)
_ID_OR_NULL = nullable({"type": "string", "pattern": "^[0-9a-hjkmnp-tv-z]{10}$"})


def _one_of(vocabulary: Mapping[str, object]) -> JsonSchema:
    return {"type": "string", "enum": list(vocabulary)}


def _described(words: Mapping[str, str], shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    """Put to each member what it means."""
    found: dict[str, Shape] = {}
    for name, given in shapes.items():
        schema = ref(given) if isinstance(given, str) else given
        found[name] = {**schema, "description": words[name]} if name in words else schema
    return found


EMBEDDED_ARTICLE = component(
    "EmbeddedArticle",
    object_of(
        "An article as an incident shows it.",
        _described(
            field_descriptions.ARTICLE,
            {
                name: RECORD_ID
                if name == "id"
                else _ID_OR_NULL
                if name == "syndicated_from"
                else _TEXT_OR_NULL
                for name in EMBEDDED_FIELDS
            },
        ),
    ),
)
CLAIM = component(
    "Claim",
    object_of(
        "What a source says of one field: a value, bounds, or only words.",
        _described(
            field_descriptions.CLAIM,
            {
                "field": {"type": "string", "enum": list(CLAIM_FIELDS)},
                "value": {"type": ["integer", "boolean", "string", "null"]},
                "low": _COUNT,
                "high": _COUNT,
                "text": _TEXT_OR_NULL,
                "attributed_to": _TEXT_OR_NULL,
                "community": _TEXT_OR_NULL,
                "scope": _TEXT_OR_NULL,
            },
        ),
    ),
)
SOURCE = component(
    "Source",
    object_of(
        "An article, where in it, and what it claims.",
        _described(
            field_descriptions.SOURCE,
            {"article": EMBEDDED_ARTICLE, "locator": _TEXT_OR_NULL, "claims": list_of(CLAIM)},
        ),
    ),
)
COMMUNITY_ENTRY = component(
    "CommunityEntry",
    object_of(
        "A community's part.",
        _described(
            field_descriptions.ENTRY,
            {
                "community": SLUG,
                "role": _one_of(ROLES),
                **{f"participants{end}": _COUNT for end in ("", "_low", "_high")},
                "organisations": list_of(_TEXT),
            },
        ),
    ),
)
_INCIDENT = _described(
    field_descriptions.INCIDENT,
    {
        "id": RECORD_ID,
        "url": _TEXT,
        "version": _VERSION,
        "status": _one_of(STATUSES),
        "title": _TEXT,
        "summary": _TEXT_OR_NULL,
        "type": _one_of(EVENT_TYPES),
        "date": _TEXT,
        "date_start": _DAY_OR_NULL,
        "date_end": _DAY_OR_NULL,
        "date_precision": _one_of(DATE_PRECISIONS),
        "city": _TEXT_OR_NULL,
        "admin1": _TEXT_OR_NULL,
        "country": {"type": "string", "pattern": "^[A-Z]{2}$"},
        "country_name": _TEXT,
        "venue": _TEXT_OR_NULL,
        "latitude": nullable({"type": "number", "minimum": -90, "maximum": 90}),
        "longitude": nullable({"type": "number", "minimum": -180, "maximum": 180}),
        "geo_precision": nullable(_one_of(GEO_PRECISIONS)),
        "geonames_id": nullable(_VERSION),
        "communities": list_of(COMMUNITY_ENTRY),
        **{
            f"{name}{end}": _TEXT if end == "_text" else _COUNT
            for name in COUNT_FIELDS
            for end in ("", "_low", "_high", "_text")
        },
        "property_damage": {"type": ["boolean", "null"]},
        "police_measures": list_of(_one_of(POLICE_MEASURES)),
        "episode": _TEXT_OR_NULL,
        "sources": list_of(SOURCE),
        "disputed": list_of({"type": "string", "enum": list(CLAIM_FIELDS)}),
        "number_of_sources": _WHOLE,
        "former_ids": list_of(RECORD_ID),
        "corrects": _ID_OR_NULL,
        "review": _TEXT_OR_NULL,
        "created_at": _TIME,
        "updated_at": _TIME,
    },
)
INCIDENT = component(
    "Incident", object_of("An event, at a place, that involved a community abroad.", _INCIDENT)
)
SPARSE_INCIDENT = component(
    "SparseIncident",
    object_of("The members of an incident that `fields` asks for.", optional=_INCIDENT),
)
ARTICLE = component(
    "Article",
    object_of(
        "A published report.",
        _described(
            field_descriptions.ARTICLE,
            {
                "id": RECORD_ID,
                "version": _VERSION,
                **dict.fromkeys(ARTICLE_FIELDS, _TEXT_OR_NULL),
                "syndicated_from": _ID_OR_NULL,
                "created_at": _TIME,
                "updated_at": _TIME,
            },
        ),
    ),
)


def _term(name: str, words: str) -> JsonSchema:
    return component(
        name,
        object_of(
            words,
            _described(
                field_descriptions.TERM,
                {
                    "id": SLUG,
                    "version": _VERSION,
                    "name": _TEXT,
                    "aliases": list_of(_TEXT),
                    "description": _TEXT_OR_NULL,
                    "created_at": _TIME,
                    "updated_at": _TIME,
                },
            ),
        ),
    )


COMMUNITY = _term("Community", "A diaspora community.")
EPISODE = _term("Episode", "A wave of events that incidents belong to.")

SIMILAR = component(
    "Similar",
    object_of(
        "A record that may tell of the same event.",
        id=RECORD_ID,
        url=_TEXT,
        title=_TEXT,
        date=_TEXT,
        city=_TEXT_OR_NULL,
        reasons=list_of(_TEXT, "Why it may be the same."),
    ),
)
WARNING = component(
    "Warning",
    object_of(
        "What the service did otherwise than the request may expect.",
        pointer={"type": "string", "description": "JSON pointer into the body."},
        code=_TEXT,
        detail=_TEXT,
    ),
)
DRY_RUN = component(
    "DryRun",
    object_of(
        "What a write would do; nothing was written.",
        would=_TEXT,
        record=INCIDENT,
        warnings=list_of(WARNING),
        similar=list_of(SIMILAR),
    ),
)
IMPORT = component(
    "ImportSummary",
    object_of(
        "What became of the lines of a body of many records; all were written, or none.",
        optional={
            "ids": list_of(RECORD_ID, "The records of the lines, in the order of the lines."),
            "dry_run": {"type": "boolean", "description": "Nothing was written."},
        },
        created=_WHOLE,
        changed=_WHOLE,
        unchanged=_WHOLE,
        skipped=_WHOLE,
        duplicates={
            **_WHOLE,
            "description": "New records that look like one that was there before them.",
        },
        warnings=list_of(
            object_of(line=_WHOLE, pointer=_TEXT, code=_TEXT, detail=_TEXT),
            "What was done otherwise than a line may expect, the first of them.",
        ),
        number_of_warnings=_WHOLE,
    ),
)
INDEX = component(
    "Index",
    object_of(
        "Where things are.",
        optional={"contact": _TEXT},
        title=_TEXT,
        dataset_version=_WHOLE,
        links={"type": "object", "additionalProperties": _TEXT},
    ),
)
FAULT = component(
    "Fault",
    {
        **object_of(
            "One thing that is wrong, where, and what would be right.",
            optional={
                "pointer": {"type": "string", "description": "JSON pointer into the body."},
                "parameter": {"type": "string", "description": "Parameter of the query."},
                "line": {"type": "integer", "description": "Line of a bulk body, from 1."},
                "suggestion": {"description": "What was probably meant."},
                "allowed": list_of({}, "What is taken."),
                "candidates": list_of({"type": "object"}, "What it may mean."),
                "offset": {**_WHOLE, "description": "Where in the value, in characters from 0."},
                "shown": {**_TEXT, "description": "The place in the value, with a caret below."},
            },
            code=_TEXT,
            detail=_TEXT,
        ),
        "additionalProperties": True,
    },
)
PROBLEM = component(
    "Problem",
    {
        **object_of(
            "Any error (RFC 9457). Some kinds have members of their own beside these.",
            type={"type": "string", "description": "Address of the page that explains it."},
            title=_TEXT,
            status={"type": "integer", "minimum": 400, "maximum": 599},
            detail=_TEXT,
            instance={"type": "string", "description": "Path that was asked for."},
            errors=list_of(FAULT),
        ),
        "additionalProperties": True,
    },
)
for _name in ("Article", "Community", "Episode"):
    page_of(_name)
