"""The fields of a record, in the order of its document: what each means, its unit, its default.

The codebook is made of them: the service shows it as JSON and as a page, and releases name its
version. A stored document lacks the fields that are younger than it; `complete` supplies them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from schemas.counts import COUNT_FIELDS

# The version of the codebook: goes up whenever a definition changes what a figure means.
VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Definition:
    """Define one field: its type in words, unit where it has one, and how unknown is coded.

    `default` is what a record written before the field has there, and `since` the number of the
    field: it goes up by one with each addition, so that a database can say how far it has come.
    """

    type: str
    definition: str
    unit: str | None = None
    unknown: str | None = None
    vocabulary: str | None = None
    derived: bool = False
    default: Any = None
    since: int = 1


_NOT_REPORTED = "null: not reported. 0 means reported as none."
_NULL = "null: not known or not reported."
_COUNTS = {
    "arrests": "People arrested or detained. Detained counts as arrested; the claim keeps the "
    "verb.",
    "injuries": "People injured, officers included.",
    "deaths": "People killed, officers included.",
    "participants": "People who took part, all communities together.",
    "injuries_police": "Officers injured: a part of `injuries`, never above it.",
}


def _count(name: str, definition: str) -> dict[str, Definition]:
    return {
        name: Definition("whole number", f"{definition} The best figure.", "people", _NOT_REPORTED),
        f"{name}_low": Definition(
            "whole number",
            f"Lower bound of `{name}`: at least so many.",
            "people",
            "null beside a figure: an open end. All three null: not reported.",
        ),
        f"{name}_high": Definition(
            "whole number",
            f"Upper bound of `{name}`: at most so many.",
            "people",
            "null beside a figure: an open end. All three null: not reported.",
        ),
        f"{name}_text": Definition(
            "text",
            f"`{name}` with its bounds, in words.",
            None,
            "`not reported`",
            derived=True,
            default="not reported",
        ),
    }


FIELDS: Mapping[str, Definition] = MappingProxyType(
    {
        "id": Definition(
            "text",
            "Permanent identifier: 10 characters of Crockford base32, lower case. Read in any "
            "case, with o as 0 and i, l as 1. Never given twice.",
        ),
        "url": Definition("path", "Address of the record on this service.", derived=True),
        "version": Definition("whole number", "Goes up by one with every change.", derived=True),
        "status": Definition(
            "vocabulary", "Where the record stands in curation.", vocabulary="status"
        ),
        "title": Definition(
            "text",
            "What happened, in a curator's own neutral words. Names no private person; at most "
            "300 characters.",
        ),
        "summary": Definition(
            "text",
            "The event in a few neutral sentences; blame only as an attributed claim.",
            None,
            "null: not written.",
        ),
        "type": Definition(
            "vocabulary",
            "The kind of event: the gravest act reported, violence before assembly before words.",
            vocabulary="type",
        ),
        "date": Definition(
            "date",
            "When it happened, no more precise than its sources, in a subset of EDTF "
            "(ISO 8601-2): `2020-07-24` that day; `2020-07`, `2020` some day in it; "
            "`2020-07-22/2020-07-24` it lasted from to; `2020-07-01..2020-07-22` once, on some "
            "day of the range, whose end may be open.",
        ),
        "date_start": Definition(
            "day", "First day that the date allows.", None, "null: the start is open.", derived=True
        ),
        "date_end": Definition(
            "day", "Last day that the date allows.", None, "null: the end is open.", derived=True
        ),
        "date_precision": Definition(
            "vocabulary", "What the date says.", vocabulary="date_precision", derived=True
        ),
        "city": Definition(
            "text",
            "Populated place by its name in GeoNames, or as given where GeoNames has none.",
            None,
            "null: outside a populated place, or not reported.",
        ),
        "admin1": Definition(
            "text", "First-level division: state, province or region.", None, _NULL
        ),
        "country": Definition(
            "text",
            "ISO 3166-1 alpha-2 code of the country as GeoNames has it, XK for Kosovo. It takes "
            "no side on territory.",
        ),
        "country_name": Definition("text", "Name of the country in English.", derived=True),
        "venue": Definition(
            "text",
            "Public place, such as an embassy or a square. A home or a person's workplace is "
            "recorded at city precision, without a venue.",
            None,
            "null: not reported, or not public.",
        ),
        "latitude": Definition(
            "number", "WGS 84, four decimals at most; see `geo_precision`.", "degrees", _NULL
        ),
        "longitude": Definition(
            "number", "WGS 84, four decimals at most; see `geo_precision`.", "degrees", _NULL
        ),
        "geo_precision": Definition(
            "vocabulary",
            "What the coordinates stand for; never without them.",
            None,
            _NULL,
            "geo_precision",
        ),
        "geonames_id": Definition(
            "whole number",
            "Identifier of the populated place in GeoNames.",
            None,
            "null: the place is not in the gazetteer.",
        ),
        "communities": Definition(
            "list",
            "Diaspora communities that took part or were the target: `community` (an id of "
            "/communities), `role`, `participants` with bounds, `organisations`. Presence says "
            "nothing of blame.",
            vocabulary="role",
            default=[],
        ),
        **{
            member: definition
            for name in COUNT_FIELDS
            for member, definition in _count(name, _COUNTS[name]).items()
        },
        "property_damage": Definition(
            "true or false", "Whether property was damaged.", None, "null: not reported."
        ),
        "police_measures": Definition(
            "list",
            "Measures that police took, as reported.",
            vocabulary="police_measures",
            unknown="An empty list: none reported.",
            default=[],
        ),
        "episode": Definition(
            "text",
            "The wave of incidents it belongs to: an id of /episodes.",
            None,
            "null: none.",
        ),
        "sources": Definition(
            "list",
            "Who reports it: `article`, `locator` (where in it), and `claims`, each on one "
            "`field` with `value`, or `low` and `high`, or only the source's words in `text`; "
            "`attributed_to`, `community` and `scope` limit what it says.",
            default=[],
        ),
        "disputed": Definition(
            "list",
            "Fields on which claims conflict: same field, community and scope, and ranges that "
            "do not meet.",
            derived=True,
            default=[],
        ),
        "number_of_sources": Definition(
            "whole number",
            "Independent articles: copies syndicated from one report count once.",
            "articles",
            derived=True,
            default=0,
        ),
        "former_ids": Definition(
            "list", "Ids of records merged into this one.", derived=True, default=[]
        ),
        "corrects": Definition("text", "Of a draft: the record it corrects.", None, "null: none."),
        "review": Definition(
            "text",
            "Of a draft: why it was rejected. Its author and editors see it.",
            None,
            "null: not rejected.",
            derived=True,
        ),
        "created_at": Definition("time", "When the record was made (RFC 3339, UTC).", derived=True),
        "updated_at": Definition("time", "When it was last changed (RFC 3339, UTC).", derived=True),
    }
)

# Fields that are to change or go, with the day from which they may: {"field", "from", "instead"}.
DEPRECATIONS: tuple[Mapping[str, str], ...] = ()

# The number of the newest field. ETags and the names of kept exports carry it.
NEWEST = max(field.since for field in FIELDS.values())

_DEFAULTS = {name: field.default for name, field in FIELDS.items()}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Return a stored DOCUMENT with every field; an erased one, which holds nothing, as it is."""
    if len(document) == len(_DEFAULTS) or not document:
        return document
    return {**_DEFAULTS, **document}
