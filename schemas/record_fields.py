"""The fields of a record: one row of one table each, in the order of the stored document.

From the table are made: the schema of requests (`schemas.incident`), a record's state
(`schemas.record_state`), what can be erased and merged, the document, its rows, CSV, the API's
description, the codebook, the full-text index and the record's page. To add a field, write its row
with the next number in `since`, and its column with a migration (docs/development.md).

A stored document lacks the fields that are younger than it; `complete` supplies them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from marshmallow.fields import Field

from schemas.counts import COUNT_FIELDS
from schemas.external_ids import read_external_id, spell_external_id
from schemas.fields import (
    MAX_NAME,
    Boolean,
    Choice,
    Count,
    Country,
    Date,
    Integer,
    ListOf,
    ListOfSources,
    Number,
    ObjectOf,
    RecordId,
    Slug,
    Text,
)
from schemas.vocabulary import EVENT_TYPES, GEO_PRECISIONS, POLICE_MEASURES, STATUSES

# The version of the codebook: goes up whenever a definition changes what a figure means.
VERSION = "1.0"


class SearchColumn(NamedTuple):
    """Where a field counts in the full-text index: its column, and its place among all fields.

    The columns are title, place, text and sources, from the weightiest on; of two fields that
    match, the one with the lower `rank` is shown.
    """

    column: Literal["title", "place", "text", "sources"]
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordField:
    """One field of a record.

    - `type`, `definition`, `unit`, `unknown`, `vocabulary`, `derived`: what the codebook says.
    - `part`: what holds it. `state` is what curators say of the event, and has a column (or rows)
      of its own name; `record` is what the service says of the record; `derived` follows from both.
    - `reader`: how a request's value is read. None where a request cannot set it: what it sends is
      ignored.
    - `group`: the fields that change together with it, by one name: a count, or `place`. None: it
      changes alone.
    - `default`: what a record written before the field has there, and an empty one.
    - `columns`: its columns in CSV. They stand in the order of the table, but for those that have
      a place `at_end`; columns of a younger field stand behind all.
    - `spell`: how an item of a list is written in a cell.
    - `erasable`: whether it can be erased alone.
    - `searched`: where its text counts in the full-text index, if it does.
    - `since`: the number of the field, one above the newest when it was added. A database knows
      from it how far its documents have come.
    """

    name: str
    type: str
    definition: str
    unit: str | None = None
    unknown: str | None = None
    vocabulary: str | None = None
    derived: bool = False
    part: Literal["state", "record", "derived"] = "state"
    reader: Field[Any] | None = None
    group: str | None = None
    default: Any = None
    columns: tuple[str, ...] = ()
    at_end: int = 0
    spell: Callable[[Any], str] = str
    erasable: bool = False
    searched: SearchColumn | None = None
    since: int = 1


_NOT_REPORTED = "null: not reported. 0 means reported as none."
_NULL = "null: not known or not reported."
_OPEN = "null beside a figure: an open end. All three null: not reported."
_COUNTS = {
    "arrests": "People arrested or detained. Detained counts as arrested; the claim keeps the "
    "verb.",
    "injuries": "People injured, officers included.",
    "deaths": "People killed, officers included.",
    "participants": "People who took part, all communities together.",
    "injuries_police": "Officers injured: a part of `injuries`, never above it.",
}


def _count(name: str) -> Iterator[RecordField]:
    """Yield the fields of one count: the best figure, its bounds, and all of it in words."""
    members = (
        (name, f"{_COUNTS[name]} The best figure.", _NOT_REPORTED),
        (f"{name}_low", f"Lower bound of `{name}`: at least so many.", _OPEN),
        (f"{name}_high", f"Upper bound of `{name}`: at most so many.", _OPEN),
    )
    for member, definition, unknown in members:
        yield RecordField(
            name=member,
            type="whole number",
            definition=definition,
            unit="people",
            unknown=unknown,
            reader=Count(),
            group=name,
            columns=(member,),
            erasable=member == name,
        )
    yield RecordField(
        name=f"{name}_text",
        type="text",
        definition=f"`{name}` with its bounds, in words.",
        unknown="`not reported`",
        derived=True,
        part="derived",
        default="not reported",
        columns=(f"{name}_text",),
    )


_TABLE: tuple[RecordField, ...] = (
    RecordField(
        name="id",
        type="text",
        definition="Permanent identifier: 10 characters of Crockford base32, lower case. Read in "
        "any case, with o as 0 and i, l as 1. Never given twice.",
        part="record",
        reader=RecordId(),
        columns=("id",),
    ),
    RecordField(
        name="url",
        type="path",
        definition="Address of the record on this service.",
        derived=True,
        part="derived",
        columns=("url",),
    ),
    RecordField(
        name="version",
        type="whole number",
        definition="Goes up by one with every change.",
        derived=True,
        part="record",
        reader=Integer(1, 2**31 - 1),
        columns=("version",),
        at_end=3,
    ),
    RecordField(
        name="status",
        type="vocabulary",
        definition="Where the record stands in curation.",
        vocabulary="status",
        part="record",
        reader=Choice(STATUSES),
    ),
    RecordField(
        name="title",
        type="text",
        definition="What happened, in a curator's own neutral words. Names no private person; at "
        "most 300 characters.",
        reader=Text(300),
        columns=("title",),
        erasable=True,
        searched=SearchColumn("title", 1),
    ),
    RecordField(
        name="summary",
        type="text",
        definition="The event in a few neutral sentences; blame only as an attributed claim.",
        unknown="null: not written.",
        reader=Text(10_000),
        columns=("summary",),
        at_end=2,
        erasable=True,
        searched=SearchColumn("text", 6),
    ),
    RecordField(
        name="type",
        type="vocabulary",
        definition="The kind of event: the gravest act reported, violence before assembly before "
        "words.",
        vocabulary="type",
        reader=Choice(EVENT_TYPES, allow_none=True),
        columns=("type",),
        searched=SearchColumn("text", 7),
    ),
    RecordField(
        name="date",
        type="date",
        definition="When it happened, no more precise than its sources, in a subset of EDTF "
        "(ISO 8601-2): `2020-07-24` that day; `2020-07`, `2020` some day in it; "
        "`2020-07-22/2020-07-24` it lasted from to; `2020-07-01..2020-07-22` once, on some "
        "day of the range, whose end may be open.",
        reader=Date(allow_none=True),
        columns=("date",),
    ),
    RecordField(
        name="date_start",
        type="day",
        definition="First day that the date allows.",
        unknown="null: the start is open.",
        derived=True,
        part="derived",
        columns=("date_start",),
    ),
    RecordField(
        name="date_end",
        type="day",
        definition="Last day that the date allows.",
        unknown="null: the end is open.",
        derived=True,
        part="derived",
        columns=("date_end",),
    ),
    RecordField(
        name="date_precision",
        type="vocabulary",
        definition="What the date says.",
        vocabulary="date_precision",
        derived=True,
        part="derived",
        columns=("date_precision",),
    ),
    RecordField(
        name="city",
        type="text",
        definition="Populated place by its name in GeoNames, or as given where GeoNames has none.",
        unknown="null: outside a populated place, or not reported.",
        reader=Text(200),
        group="place",
        columns=("city",),
        searched=SearchColumn("place", 3),
    ),
    RecordField(
        name="admin1",
        type="text",
        definition="First-level division: state, province or region.",
        unknown=_NULL,
        reader=Text(),
        group="place",
        columns=("admin1",),
        searched=SearchColumn("place", 4),
    ),
    RecordField(
        name="country",
        type="text",
        definition="ISO 3166-1 alpha-2 code of the country as GeoNames has it, XK for Kosovo. It "
        "takes no side on territory.",
        reader=Country(allow_none=True),
        group="place",
        columns=("country",),
        searched=SearchColumn("place", 5),
    ),
    RecordField(
        name="country_name",
        type="text",
        definition="Name of the country in English.",
        derived=True,
        part="derived",
        columns=("country_name",),
    ),
    RecordField(
        name="venue",
        type="text",
        definition="Public place, such as an embassy or a square. A home or a person's workplace "
        "is recorded at city precision, without a venue.",
        unknown="null: not reported, or not public.",
        reader=Text(),
        columns=("venue",),
        erasable=True,
        searched=SearchColumn("place", 2),
    ),
    RecordField(
        name="latitude",
        type="number",
        definition="WGS 84, four decimals at most; see `geo_precision`.",
        unit="degrees",
        unknown=_NULL,
        reader=Number(-90, 90, 4, allow_none=True),
        group="place",
        columns=("latitude",),
    ),
    RecordField(
        name="longitude",
        type="number",
        definition="WGS 84, four decimals at most; see `geo_precision`.",
        unit="degrees",
        unknown=_NULL,
        reader=Number(-180, 180, 4, allow_none=True),
        group="place",
        columns=("longitude",),
    ),
    RecordField(
        name="geo_precision",
        type="vocabulary",
        definition="What the coordinates stand for; never without them.",
        unknown=_NULL,
        vocabulary="geo_precision",
        reader=Choice(GEO_PRECISIONS, allow_none=True),
        group="place",
        columns=("geo_precision",),
    ),
    RecordField(
        name="geonames_id",
        type="whole number",
        definition="Identifier of the populated place in GeoNames.",
        unknown="null: the place is not in the gazetteer.",
        reader=Integer(1, 2**31 - 1, allow_none=True),
        group="place",
    ),
    RecordField(
        name="place_id",
        type="text",
        definition="Identifier of the place, where editors of this service added it (/places).",
        unknown="null: it is one of GeoNames, or stands as given.",
        derived=True,
        group="place",
        since=3,
    ),
    RecordField(
        name="communities",
        type="list",
        definition="Diaspora communities that took part or were the target: `community` (an id of "
        "/communities), `role`, `participants` with bounds, `organisations`. Presence says "
        "nothing of blame.",
        vocabulary="role",
        reader=ListOf(
            ObjectOf(
                "schemas.incident.CommunityEntrySchema", short=lambda text: {"community": text}
            )
        ),
        group="communities",
        default=[],
        columns=("communities", "community_roles"),
        searched=SearchColumn("text", 9),
    ),
    *(field for name in COUNT_FIELDS for field in _count(name)),
    RecordField(
        name="property_damage",
        type="true or false",
        definition="Whether property was damaged.",
        unknown="null: not reported.",
        reader=Boolean(allow_none=True),
        columns=("property_damage",),
        erasable=True,
    ),
    RecordField(
        name="police_measures",
        type="list",
        definition="Measures that police took, as reported.",
        unknown="An empty list: none reported.",
        vocabulary="police_measures",
        reader=ListOf(Choice(POLICE_MEASURES)),
        default=[],
        columns=("police_measures",),
        erasable=True,
        searched=SearchColumn("text", 8),
    ),
    RecordField(
        name="external_ids",
        type="list",
        definition="The numbers that this event has elsewhere: `scheme` (a slug, such as `acled`) "
        "and `id`, or in short `acled:RUS1234`.",
        unknown="An empty list: none known.",
        reader=ListOf(ObjectOf("schemas.incident.ExternalIdSchema", short=read_external_id)),
        default=[],
        columns=("external_ids",),
        spell=spell_external_id,
        erasable=True,
        searched=SearchColumn("text", 12),
        since=2,
    ),
    RecordField(
        name="tags",
        type="list",
        definition="Slugs that mark a project's own subset. They have no meaning of their own.",
        unknown="An empty list: none.",
        reader=ListOf(Slug()),
        default=[],
        columns=("tags",),
        erasable=True,
        searched=SearchColumn("text", 11),
        since=2,
    ),
    RecordField(
        name="episode",
        type="text",
        definition="The wave of incidents it belongs to: an id of /episodes.",
        unknown="null: none.",
        reader=Text(MAX_NAME),
        columns=("episode",),
        erasable=True,
        searched=SearchColumn("text", 10),
    ),
    RecordField(
        name="sources",
        type="list",
        definition="Who reports it: `article`, `locator` (where in it), and `claims`, each on one "
        "`field` with `value`, or `low` and `high`, or only the source's words in `text`; "
        "`attributed_to`, `community` and `scope` limit what it says.",
        reader=ListOfSources(ObjectOf("schemas.incident.SourceSchema")),
        default=[],
        columns=("source_urls",),
        at_end=1,
        erasable=True,
        searched=SearchColumn("sources", 1000),
    ),
    RecordField(
        name="disputed",
        type="list",
        definition="Fields on which claims conflict: same field, community and scope, and ranges "
        "that do not meet.",
        derived=True,
        part="derived",
        default=[],
        columns=("disputed",),
    ),
    RecordField(
        name="number_of_sources",
        type="whole number",
        definition="Independent articles: copies syndicated from one report count once.",
        unit="articles",
        derived=True,
        part="derived",
        default=0,
        columns=("number_of_sources",),
    ),
    RecordField(
        name="former_ids",
        type="list",
        definition="Ids of records merged into this one.",
        derived=True,
        part="record",
        default=[],
    ),
    RecordField(
        name="corrects",
        type="text",
        definition="Of a draft: the record it corrects.",
        unknown="null: none.",
        part="record",
        reader=RecordId(allow_none=True),
    ),
    RecordField(
        name="review",
        type="text",
        definition="Of a draft: why it was rejected. Its author and editors see it.",
        unknown="null: not rejected.",
        derived=True,
        part="record",
    ),
    RecordField(
        name="created_at",
        type="time",
        definition="When the record was made (RFC 3339, UTC).",
        derived=True,
        part="record",
    ),
    RecordField(
        name="updated_at",
        type="time",
        definition="When it was last changed (RFC 3339, UTC).",
        derived=True,
        part="record",
        columns=("updated_at",),
        at_end=4,
    ),
)

FIELDS: Mapping[str, RecordField] = MappingProxyType({field.name: field for field in _TABLE})
State = dict[str, Any]
# What curators say of an event: the members of a record's state.
STATE_FIELDS = tuple(field for field in _TABLE if field.part == "state")

# Fields that are to change or go, with the day from which they may: {"field", "from", "instead"}.
DEPRECATIONS: tuple[Mapping[str, str], ...] = ()

# The number of the newest field. ETags and the names of kept exports carry it.
NEWEST = max(field.since for field in _TABLE)

_DEFAULTS = {field.name: field.default for field in _TABLE}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Return a stored DOCUMENT with every field; an erased one, which holds nothing, as it is."""
    if len(document) == len(_DEFAULTS) or not document:
        return document
    return {**_DEFAULTS, **document}
