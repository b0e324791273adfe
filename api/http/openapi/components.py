"""Components: the answers that many operations share, as JSON Schemas with every member required.

What a request may send is made from the marshmallow schemas (`bodies`); answers are stored
documents, and these are their description. A test holds the two together.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import Schema
from marshmallow.fields import Field

from api.core.permissions import PERMISSIONS
from api.http.openapi import field_descriptions
from api.http.openapi.schema_builders import (
    Component,
    JsonSchema,
    Shape,
    component,
    list_of,
    nullable,
    object_of,
    ref,
)
from api.http.problems import PROBLEM_TYPES
from schemas.article import ARTICLE_FIELDS, EMBEDDED_FIELDS
from schemas.claims import CLAIM_FIELDS
from schemas.counts import MAXIMUM
from schemas.fields import Boolean, Choice, Count, Integer, ListOf, Number, ObjectOf, Slug
from schemas.query.values import GROUPINGS
from schemas.record_fields import FIELDS, RecordField
from schemas.vocabulary import (
    DATE_PRECISIONS,
    EVENT_TYPES,
    GEO_PRECISIONS,
    KEY_ROLES,
    POLICE_MEASURES,
    ROLES,
    STATUSES,
    WITHDRAWAL_CODES,
)

_TEXT: JsonSchema = {"type": "string"}
_TEXT_OR_NULL = nullable(_TEXT)
_WHOLE: JsonSchema = {"type": "integer", "minimum": 0}
_COUNT = nullable({**_WHOLE, "maximum": MAXIMUM})
_VERSION: JsonSchema = {"type": "integer", "minimum": 1}
_DAY: JsonSchema = {"type": "string", "format": "date"}
_TIME: JsonSchema = {"type": "string", "format": "date-time"}

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
_ID: JsonSchema = {"type": "string", "pattern": "^[0-9a-hjkmnp-tv-z]{10}$"}
_ID_OR_NULL = nullable(_ID)


# Vocabularies by the names of their components.
VOCABULARIES: dict[str, tuple[Iterable[str], str]] = {
    "IncidentType": (EVENT_TYPES, EVENT_TYPES.description),
    "CommunityRole": (ROLES, ROLES.description),
    "RecordStatus": (STATUSES, STATUSES.description),
    "GeoPrecision": (GEO_PRECISIONS, GEO_PRECISIONS.description),
    "DatePrecision": (DATE_PRECISIONS, DATE_PRECISIONS.description),
    "PoliceMeasure": (POLICE_MEASURES, POLICE_MEASURES.description),
    "WithdrawalCode": (WITHDRAWAL_CODES, WITHDRAWAL_CODES.description),
    "KeyRole": (KEY_ROLES, KEY_ROLES.description),
    "Permission": (PERMISSIONS, "What a key may do."),
    "ClaimField": (CLAIM_FIELDS, "A field that claims may be about."),
    "Grouping": (GROUPINGS, "What statistics may be grouped by."),
    "ProblemKind": (PROBLEM_TYPES, "The end of a problem's `type`."),
    "TrueOrFalse": (("true", "false"), "As a word of a query."),
}


def _one_of(vocabulary: Iterable[str]) -> JsonSchema:
    return {"type": "string", "enum": list(vocabulary)}


def _described(words: Mapping[str, str], shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    """Put to each member what it means."""
    described: dict[str, Shape] = {}
    for name, shape in shapes.items():
        schema = ref(shape) if isinstance(shape, str) else shape
        if name in words and isinstance(schema, Component):
            schema = schema.described(words[name])
        elif name in words:
            schema = {**schema, "description": words[name]}
        described[name] = schema
    return described


CLAIM_VALUE = component(
    "ClaimValue",
    {
        "description": "A value as its field has it: a count, true or false, a date, a type.",
        "anyOf": [{"type": "boolean"}, {"type": "integer"}, {"type": "string"}],
    },
)
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
                "value": nullable(CLAIM_VALUE),
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
# Answers whose members say more, or other things, than what reads them in a request.
_ANSWERS: dict[str, Shape] = {
    "id": RECORD_ID,
    "date_precision": _one_of(DATE_PRECISIONS),
    "country": {"type": "string", "pattern": "^[A-Z]{2}$"},
    "communities": list_of(COMMUNITY_ENTRY),
    "sources": list_of(SOURCE),
    "disputed": list_of({"type": "string", "enum": list(CLAIM_FIELDS)}),
    "former_ids": list_of(RECORD_ID),
    "corrects": _ID,
}
_BY_TYPE: dict[str, JsonSchema] = {"day": _DAY, "time": _TIME, "whole number": _WHOLE}


def _answer(field: RecordField) -> Shape:
    """Return what answers hold of a field: by its reader, or of a derived one by its type."""
    shape = _ANSWERS.get(field.name)
    if shape is None:
        shape = _BY_TYPE.get(field.type, _TEXT) if field.reader is None else _read_by(field.reader)
    return nullable(shape) if (field.unknown or "").startswith("null") else shape


def _read_by(reader: Field[Any]) -> JsonSchema:
    """Return what answers hold of a value that READER takes."""
    match reader:
        case Choice():
            return _one_of(reader.allowed)
        case Count():
            return {**_WHOLE, "maximum": MAXIMUM}
        case Integer():
            return {"type": "integer", "minimum": reader.least}
        case Number():
            return {"type": "number", "minimum": reader.least, "maximum": reader.most}
        case Boolean():
            return {"type": "boolean"}
        case Slug():
            return SLUG
        case ListOf():
            return list_of(_read_by(reader.inner))
        case ObjectOf():
            return _component_of(reader.schema)
    return _TEXT


def _component_of(schema: Schema) -> JsonSchema:
    """Return the component of what a SCHEMA of requests reads, as answers have it."""
    words = {name: part.metadata.get("description", "") for name, part in schema.fields.items()}
    members = {name: _read_by(part) for name, part in schema.fields.items()}
    about = (type(schema).__doc__ or "").partition("\n")[0]
    name = type(schema).__name__.removesuffix("Schema")
    return component(name, object_of(about, _described(words, members)))


_INCIDENT = _described(
    field_descriptions.INCIDENT, {name: _answer(field) for name, field in FIELDS.items()}
)
INCIDENT = component(
    "Incident", object_of("An event, at a place, that involved a community abroad.", _INCIDENT)
)
_YOUNGER = {name: shape for name, shape in _INCIDENT.items() if FIELDS[name].since > 1}
# An incident as one of its versions has it.
INCIDENT_VERSION = INCIDENT
if _YOUNGER:
    INCIDENT_VERSION = component(
        "IncidentVersion",
        object_of(
            "An incident as one of its versions has it, which may be older than some fields.",
            {name: shape for name, shape in _INCIDENT.items() if name not in _YOUNGER},
            optional=_YOUNGER,
        ),
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


def _term(name: str, words: str) -> Component:
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
        optional={"suggestion": {**_TEXT, "description": "What was probably meant."}},
        pointer={"type": "string", "description": "JSON pointer into the body."},
        code=_TEXT,
        detail=_TEXT,
    ),
)
OUTCOMES = (
    "create",
    "change",
    "leave unchanged",
    "refuse",
    "add",
    "remove",
    "restore",
    "reject",
    "merge",
)
DRY_RUN = component(
    "DryRun",
    object_of(
        "What a write would do; nothing was written.",
        would={
            "type": "string",
            "enum": [*OUTCOMES],
            "description": "What a write would do; `refuse` as a duplicate.",
        },
        record=INCIDENT,
        warnings=list_of(WARNING),
        similar=list_of(SIMILAR),
    ),
)
_LINE = {**_WHOLE, "description": "Number of the line, counted from 1."}
_SIMILAR_LINE = component(
    "SimilarLine",
    object_of("A line, and the records that it looks like.", line=_LINE, ids=list_of(RECORD_ID)),
)
_LINE_WARNING = component(
    "LineWarning",
    object_of(
        "What was done otherwise than lines may expect.",
        optional={"suggestion": {**_TEXT, "description": "What was probably meant."}},
        line=_LINE,
        pointer={**_TEXT, "description": "JSON pointer into the line."},
        code=_TEXT,
        detail=_TEXT,
        count={**_WHOLE, "description": "Number of lines of which it is true."},
    ),
)
_REJECTED_LINE = component(
    "RejectedLine",
    object_of(
        "A line that was not taken.",
        line=_LINE,
        optional={
            "text": {**_TEXT_OR_NULL, "description": "The line as it was sent."},
            "errors": list_of("Fault", "What is wrong with it."),
        },
    ),
)
IMPORT = component(
    "ImportSummary",
    object_of(
        "What became of the lines of a body of many records.",
        optional={
            "ids": list_of(
                RECORD_ID, "The records of the lines that were taken, in the order of the lines."
            ),
            "dry_run": {"type": "boolean", "description": "Nothing was written."},
            "import_id": {**_ID, "description": "By which the import is listed and undone."},
        },
        created=_WHOLE,
        changed=_WHOLE,
        unchanged=_WHOLE,
        skipped=_WHOLE,
        duplicates={
            **_WHOLE,
            "description": "New records that look like one that was there before them.",
        },
        similar=list_of(
            _SIMILAR_LINE,
            "The records that the lines counted as duplicates look like; the first 1,000 lines.",
        ),
        warnings=list_of(
            _LINE_WARNING,
            "What was done otherwise than a line may expect: the first line of each kind, and how "
            "many there are.",
        ),
        number_of_warnings=_WHOLE,
        rejected=list_of(
            _REJECTED_LINE,
            "With `on_error=skip` the lines that were not taken, 10,000 at most; a replay by "
            "`Idempotency-Key` has their numbers only.",
        ),
        number_of_rejected=_WHOLE,
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
# What operations and other schemas may refer to by its name.
SHARED = (
    *(
        component(name, {"type": "string", "enum": [*terms], "description": meaning})
        for name, (terms, meaning) in VOCABULARIES.items()
    ),
    CLAIM_VALUE,
    RECORD_ID,
    SLUG,
    EMBEDDED_ARTICLE,
    CLAIM,
    SOURCE,
    COMMUNITY_ENTRY,
    INCIDENT,
    INCIDENT_VERSION,
    ARTICLE,
    COMMUNITY,
    EPISODE,
    SIMILAR,
    WARNING,
    DRY_RUN,
    IMPORT,
    INDEX,
    FAULT,
    PROBLEM,
)
