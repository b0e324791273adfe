"""Texts: what the document says in words, and the headers that it describes once."""

from api.http.openapi.schema_builders import JsonSchema

DESCRIPTION = """\
Incidents that involve diaspora communities abroad: one event, at one place, on one date or
interval, each figure with the sources that claim it.

**Any of** is a comma or repetition: `country=RU,BE`, `country=RU&country=BE`. **All of** is
repetition, for `community`, `police_measure`, `tag` and `organisation`. Null is *not reported*,
0 is *reported as none*.

Every public change has a number; the last one is the dataset version, in the header
`Dataset-Version`. A change names the version it is based on, by `If-Match` or by `version` in the
body. PATCH takes a merge patch (RFC 7396), sent as `application/merge-patch+json` or as
`application/json`. Errors are problems (RFC 9457).
"""
TAGS = {
    "incidents": "The records.",
    "imports": "Many records at once, listed, and undone as a whole.",
    "history": "Versions of a record.",
    "claims": "What each source says, and where sources disagree.",
    "curation": "Decisions on whole records: review, merging, likeness.",
    "changes": "Every public change, in order: for copies that follow.",
    "articles": "What sources cite.",
    "communities": "Who takes part.",
    "episodes": "Waves of events.",
    "search": "Records by their words.",
    "stats": "Numbers of incidents, and honest sums of their figures, by groups.",
    "places": "Names and aliases of places, in any script.",
    "codebook": "What every field and value means.",
    "releases": "Frozen, citable editions.",
    "erasure": "Taking out for good what must not be kept.",
    "keys": "Whose a key is; all keys, for admins.",
    "ogc": "The records as a layer, by OGC API Features.",
    "service": "The service itself.",
}
HEADERS: dict[str, JsonSchema] = {
    "ETag": {
        "description": "A record's is its version, a list's the dataset version. Lists that may "
        "hold drafts have none.",
        "schema": {"type": "string"},
        "example": '"3"',
    },
    "Dataset-Version": {
        "description": "Number of the last public change.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Link": {
        "description": "Address of the following page, as rel=next; of an export by itself, as "
        "rel=canonical.",
        "schema": {"type": "string"},
    },
    "Content-Disposition": {
        "description": "A name for the file of an export: it tells the dataset version, and "
        "`filtered` where it does not hold all records.",
        "schema": {"type": "string"},
        "example": 'attachment; filename="incidents-v17.csv"',
    },
    "Content-Length": {
        "description": "Bytes that follow; fewer mean that the connection was cut.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Content-Range": {
        "description": "Which bytes of the whole these are.",
        "schema": {"type": "string"},
        "example": "bytes 1000-1999/8143",
    },
    "Repr-Digest": {
        "description": "SHA-256 of a whole export in base64 (RFC 9530), also on a part of it.",
        "schema": {"type": "string"},
        "example": "sha-256=:b3E2jf/EY1okfaUsFbgdC+nySnOYE+aD8sZQBvGkHqs=:",
    },
    "Record-Count": {
        "description": "Number of records in a whole export.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Accept-Ranges": {
        "description": "Whether parts of an export may be asked for: `bytes` or `none`.",
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "Address of the record.",
        "schema": {"type": "string"},
        "required": True,
    },
    "Warnings": {
        "description": "Warnings and similar records, as a JSON list in ASCII of at most 2 kB; the "
        "last one then says how many more there are.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds to wait before trying again.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {
        "description": "How to send a key.",
        "schema": {"type": "string"},
    },
}
PARAMETERS: dict[str, JsonSchema] = {
    "If-Match": {
        "in": "header",
        "description": "Version that the change is based on, as its ETag; `*` forces. Wins over "
        "`version` in the body; without either the answer is 428.",
        "schema": {"type": "string"},
        "example": '"1"',
    },
    "If-None-Match": {
        "in": "header",
        "description": "ETag that is held: answered by 304 where it still stands.",
        "schema": {"type": "string"},
    },
    "Range": {
        "in": "header",
        "description": "Part of an export: one range of bytes, of which the end may be left open.",
        "schema": {"type": "string"},
        "example": "bytes=1000-",
    },
    "If-Range": {
        "in": "header",
        "description": "ETag of the export that the part is to complete; where another stands by "
        "now, all of it is sent.",
        "schema": {"type": "string"},
        "example": '"17-csv"',
    },
    "Idempotency-Key": {
        "in": "header",
        "description": "Any text that is new for each request, and the same when it is retried.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": "^[!-~]([ -~]*[!-~])?$",
        },
    },
}
# Variables of paths.
PATH = {
    "id": "Its id, in any case; o is read as 0, i and l as 1.",
    "article_id": "Id of the article.",
    "number": "Number of the version.",
    "name": "Name of the release.",
    "file_name": "Name of the file.",
    "kind": "The end of a problem's `type`.",
}
STATUS_WORDS = {
    200: "As asked for.",
    206: "A part, as asked for.",
    201: "Made.",
    204: "Done; there is nothing to show.",
}
PROBLEM_HEADERS = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}
