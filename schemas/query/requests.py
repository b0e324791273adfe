"""The query language: every parameter of the lists, how it is written and what it means.

Any of is a comma (one that a blank follows does not separate); all of is repetition, for
`community` and `police_measure` alone. What is unknown, repeated, empty or wrong is an error that
helps; nothing is ignored, clamped or guessed.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from marshmallow import Schema, ValidationError, fields

from schemas import dates
from schemas.claims import CLAIM_FIELDS
from schemas.countries import country_code, meant, nearest_country
from schemas.counts import COUNT_FIELDS
from schemas.errors import ErrorDetail, invalid, nearest
from schemas.fields import MAX_COUNT, check_text, read_id, read_timestamp
from schemas.vocabulary import EVENT_TYPES, POLICE_MEASURES, ROLES, STATUSES, WITHDRAWAL_CODES

MAX_LIMIT = 1000
DEFAULT_LIMIT = 50
MAX_ALTERNATIVES = 100
MAX_ROWS = 10_000
DEFAULT_ROWS = 1000
GROUPINGS = (
    "country",
    "city",
    "community",
    "community_pair",
    "type",
    "year",
    "month",
    "week",
    "episode",
    "police_measure",
    "publisher",
)
DEFAULT_RADIUS_KM = 50
MAX_RADIUS_KM = 20_016  # half way around the globe: everywhere
FORMATS = ("json", "csv", "geojson", "ndjson")
SORTS = (
    "-date",
    "date",
    "-arrests",
    "arrests",
    "-injuries",
    "injuries",
    "-updated_at",
    "updated_at",
    "relevance",
)
_SEPARATOR = re.compile(r",(?! )")
_WHOLE = re.compile(r"\d{1,12}", re.ASCII)
# Programs write a number to its last binary digit: 0.30000000000000004.
_DECIMAL = re.compile(r"[+-]?\d{1,12}(?:\.\d{1,20})?", re.ASCII)

Read = Callable[[str], Any]
R = TypeVar("R", bound=Read)
_SLUG = "[a-z0-9]+(-[a-z0-9]+)*"


def json_schema(type_: str, **rules: Any) -> Callable[[R], R]:
    """Say in JSON Schema how the values of a reader are written, for the API's description."""

    def mark(read: R) -> R:
        read.json_schema = {"type": type_, **rules}  # type: ignore[attr-defined]
        return read

    return mark


@json_schema("string", minLength=1, maxLength=1000)
def text(value: str) -> str:
    """Read any text."""
    return check_text(value, 1000).strip()


def one_of(allowed: Iterable[str]) -> Read:
    """Read a word of a closed vocabulary."""
    known = tuple(allowed)

    @json_schema("string", enum=list(known))
    def read(value: str) -> str:
        if value in known:
            return value
        raise invalid(
            "unknown_value",
            f"{value[:40]!r} is not known here; it takes {', '.join(known)}.",
            suggestion=nearest(value, known),
            allowed=list(known),
        )

    return read


@json_schema("string", minLength=2, maxLength=1000)
def country(value: str) -> str:
    """Read a country's code or name as its code."""
    code = country_code(value)
    if code is None:
        raise invalid(
            "unknown_country",
            f"{value[:40]!r} is no country known here; it takes a code such as RU, or a name."
            f"{meant(close := nearest_country(value))}",
            suggestion=close,
        )
    return code


@json_schema("string", pattern="^[0-9A-TV-Za-tv-z]{10}$")
def record_id(value: str) -> str:
    """Read an id."""
    found = read_id(value)
    if found is None:
        raise invalid("bad_id", "It takes an id of 10 characters, such as 7zq3m8k2xd.")
    return found


@json_schema("string", pattern=f"^{_SLUG}$", maxLength=64)
def slug(value: str) -> str:
    """Read the id of a vocabulary."""
    plain = check_text(value, 64).strip().lower()
    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", plain):
        raise invalid("bad_slug", "It takes a vocabulary id such as armenian.")
    return plain


@json_schema("string", pattern=f"^{_SLUG}(:({'|'.join(ROLES)}))?$")
def community(value: str) -> tuple[str, str | None]:
    """Read a community with the role it may be bound to, as in `armenian:target`."""
    name, colon, role = value.partition(":")
    return slug(name), _role(role) if colon else None


_role = one_of(ROLES)


def whole(least: int, most: int) -> Read:
    """Read a whole number within bounds."""

    @json_schema("integer", minimum=least, maximum=most)
    def read(value: str) -> int:
        if not _WHOLE.fullmatch(value) or not least <= int(value) <= most:
            raise invalid("bad_number", f"It takes a whole number from {least:,} to {most:,}.")
        return int(value)

    return read


@json_schema("string", pattern=dates.PATTERN, maxLength=dates.LONGEST)
def span(value: str) -> dates.DateSpan:
    """Read a date of the grammar."""
    try:
        return dates.parse(check_text(value, 1000))
    except dates.DateError as error:
        raise invalid("bad_date", error.message, suggestion=error.suggestion) from None


_DEGREES = r"[+-]?[0-9]{1,3}(\.[0-9]{1,20})?"


@json_schema("string", pattern=f"^{_DEGREES}(,{_DEGREES}){{3}}$")
def bounding_box(value: str) -> tuple[float, float, float, float]:
    """Read `west,south,east,north` in degrees; west above east crosses the antimeridian."""
    parts = value.split(",")
    if len(parts) != 4 or not all(_DECIMAL.fullmatch(part.strip()) for part in parts):
        raise invalid("bad_bbox", "It takes west,south,east,north, such as 4.2,50.7,4.6,51.")
    west, south, east, north = (float(part) for part in parts)
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise invalid(
            "bad_bbox",
            "It takes west,south,east,north: longitudes within ±180, latitudes within ±90, "
            "south not above north.",
        )
    return west, south, east, north


@json_schema("string", minLength=1, maxLength=1000)
def where(value: str) -> tuple[float, float] | str:
    """Read `latitude,longitude` in degrees, or the name of a place."""
    parts = [part.strip() for part in value.split(",")]
    if len(parts) != 2 or not all(_DECIMAL.fullmatch(part) for part in parts):
        return text(value)
    latitude, longitude = (float(part) for part in parts)
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise invalid(
            "bad_point",
            "It takes latitude,longitude (latitude within ±90, longitude within ±180), such as "
            "55.7558,37.6173, or the name of a place.",
        )
    return latitude, longitude


@json_schema("number", exclusiveMinimum=0, maximum=MAX_RADIUS_KM)
def radius(value: str) -> float:
    """Read a distance in kilometres."""
    if not _DECIMAL.fullmatch(value) or not 0 < float(value) <= MAX_RADIUS_KM:
        raise invalid(
            "bad_number", f"It takes kilometres above 0 and up to {MAX_RADIUS_KM:,}, such as 25."
        )
    return float(value)


@json_schema("string", format="date-time")
def moment(value: str) -> str:
    """Read an RFC 3339 time, or a day, meaning its start."""
    return read_timestamp(check_text(value, 1000))


class QueryError(ValidationError):
    """Faults in a query string rather than in a body: messages by parameter."""


class Parameter(fields.Field[Any]):
    """A parameter that takes one value."""

    kind = "one"

    def __init__(
        self,
        read: Read,
        description: str,
        example: str | None = None,
        *,
        default: Any = None,
        **options: Any,
    ) -> None:
        """READ reads one value. The rest is for the documentation: DESCRIPTION, an EXAMPLE as it
        is written (repetitions joined by `&`), and the DEFAULT that holds where it is left out.
        """
        super().__init__(**options)
        self.read = read
        self.description = description
        self.example = example
        self.default = default

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return self.read(_filled(value))


class AnyOf(Parameter):
    """A parameter that takes alternatives joined by commas; loads as their list."""

    kind = "any"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        parts = _SEPARATOR.split(_filled(value))
        if len(parts) > MAX_ALTERNATIVES:
            raise invalid("too_many", f"It takes at most {MAX_ALTERNATIVES} alternatives.")
        return list(dict.fromkeys(self.read(_filled(part)) for part in parts))


class AllOf(AnyOf):
    """A parameter that may be repeated, each time with alternatives; loads as a list of lists."""

    kind = "all"

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        groups = [super(AllOf, self)._deserialize(one, *args, **kwargs) for one in value]
        if len(groups) > 10:
            raise invalid("too_many", "It may be repeated at most 10 times.")
        return groups


def _filled(value: str) -> str:
    value = check_text(value, 10_000).strip()
    if not value:
        raise invalid("empty", "The value is empty; give one or leave the parameter out.")
    return value


@json_schema("string", enum=list(SORTS))
def _sort(value: str) -> str:
    # A plus sign in a query string reads as a blank, which is stripped by now.
    return str(one_of(SORTS)(value.removeprefix("+")))


class PageQuery(Schema):
    """The parameters of every list."""

    limit = Parameter(
        whole(1, MAX_LIMIT),
        "Items on a page.",
        "20",
        default=DEFAULT_LIMIT,
    )
    cursor = Parameter(text, "Where the page starts: the opaque value of a `next` link.")


def _count_parameters() -> dict[str, Parameter]:
    read = whole(0, MAX_COUNT)
    found = {}
    for name in COUNT_FIELDS:
        of = name.replace("_", " of ") if name == "injuries_police" else name
        found[f"min_{name}"] = Parameter(
            read,
            f"At least so many {of}: the best figure, or where there is none the low bound. "
            "Not reported never satisfies.",
            "1",
        )
        found[f"max_{name}"] = Parameter(
            read,
            f"At most so many {of}: the best figure, or where there is none the high bound. "
            "Not reported never satisfies.",
            "20",
        )
    return found


_Counts = PageQuery.from_dict(_count_parameters(), name="Counts")  # type: ignore[arg-type]


_WORDS = (
    'Words to look for: all of them, "in a row", -without, one OR another, beginn*, (groups). '
    "Names and aliases of places and communities find their records, in any script."
)


class FilterQuery(_Counts):  # type: ignore[misc, valid-type]
    """The parameters that choose incidents."""

    q = Parameter(text, _WORDS, 'embassy "Armenian protest" -Brussels')
    city = AnyOf(text, "City by name or alias, in any script.", "Moscow,Кишинёв")
    country = AnyOf(country, "Country by ISO 3166-1 alpha-2 code or name.", "RU,BE")
    community = AllOf(
        community,
        "Community that took part, with its role after a colon (`armenian:target`). Repeated: "
        "all of them took part.",
        "armenian&azerbaijani:participant",
    )
    role = AnyOf(one_of(ROLES), "Role that any community had.", "counter_participant")
    type = AnyOf(one_of(EVENT_TYPES), "Type of the incident.", "clash,protest")
    episode = AnyOf(slug, "Episode that the incident belongs to.", "autumn-2020-war")
    police_measure = AllOf(
        one_of(POLICE_MEASURES),
        "Measure that police took. Repeated: all of them.",
        "water_cannon&detention",
    )
    publisher = AnyOf(text, "Publisher of an article that is cited.", "The Moscow Times")
    article = AnyOf(record_id, "Id of an article that is cited.", "e0t3z15xx8")
    status = AnyOf(one_of(STATUSES), "Status; the public sees `published` only.", "published")
    disputed = AnyOf(
        one_of(("true", "false", *COUNT_FIELDS, "property_damage", "date", "type")),
        "Whether claims conflict, or the field on which they do.",
        "false",
    )
    unreported = AnyOf(
        one_of((*COUNT_FIELDS, "property_damage")), "Field with no figure at all.", "deaths"
    )
    property_damage = AnyOf(
        one_of(("true", "false", "unknown")), "Whether property was damaged, or `unknown`.", "true"
    )
    date = Parameter(span, "Date or span of dates, in the date grammar.", "2020-07")
    date_from = Parameter(span, "On or after the first day of this date.", "2020-07-12")
    date_to = Parameter(span, "On or before the last day of this date.", "2020-09")
    updated_since = Parameter(
        moment, "Changed at or after this RFC 3339 time.", "2020-07-24T21:03:00Z"
    )
    min_sources = Parameter(whole(0, 500), "At least so many independent sources.", "2")
    bbox = Parameter(
        bounding_box,
        "Box of degrees: west,south,east,north; with west above east it crosses the antimeridian.",
        "2.5,49.5,7.3,53.6",
    )
    near = Parameter(
        where,
        "Within `radius_km` of a point (latitude,longitude) or of a place by name or alias; of "
        "several places of that name, of the largest.",
        "Brussels",
    )
    radius_km = Parameter(
        radius,
        f"Kilometres around `near`, along the globe; {DEFAULT_RADIUS_KM} unless given.",
        "25",
    )
    match = Parameter(
        one_of(("possible", "certain")),
        "Whether imprecise dates and bounds may satisfy a filter or must.",
        "certain",
    )


class IncidentQuery(FilterQuery):
    """The parameters of `GET /incidents`."""

    limit = Parameter(
        whole(1, MAX_LIMIT),
        "Records on a page; an export holds all that match unless this is given.",
        "20",
        default=DEFAULT_LIMIT,
    )
    sort = Parameter(
        _sort,
        "Order; a minus sign is descending, relevance is the best hits of q first. Unknown values "
        "come last.",
        "-arrests",
        default="-date",
    )
    count = Parameter(one_of(("exact",)), "`exact` counts all that match.", "exact")
    fields = AnyOf(text, "Fields to answer with; all unless given.", "id,city,date")
    format = Parameter(
        one_of(FORMATS),
        "Format of the answer, like a suffix of the address; all but `json` export every record "
        "that matches unless `limit` is given.",
        "json",
        default="json",
    )


class LedgerQuery(PageQuery):
    """The parameters of the claims of one record."""

    limit = Parameter(whole(1, MAX_LIMIT), "Claims on a page.", "20", default=MAX_LIMIT)


class ClaimQuery(PageQuery):
    """The parameters of `GET /claims`."""

    limit = Parameter(
        whole(1, MAX_LIMIT),
        "Claims on a page; an export holds all that match unless this is given.",
        "20",
        default=DEFAULT_LIMIT,
    )
    field = AnyOf(one_of(CLAIM_FIELDS), "Field that is claimed.", "arrests,injuries")
    attributed_to = AnyOf(text, "Whom the article names for it.", "police")
    community = AnyOf(slug, "Community that the claim is about.", "armenian")
    conflicting = AnyOf(
        one_of(("true", "false")), "Whether another claim in its record contradicts it.", "true"
    )
    publisher = AnyOf(text, "Publisher of the article.", "The Moscow Times")
    article = AnyOf(record_id, "Id of the article.", "e0t3z15xx8")
    incident = AnyOf(record_id, "Id of the incident.", "3a8a51z8j1")
    country = AnyOf(country, "Country of the incident.", "RU,BE")
    city = AnyOf(text, "City of the incident, by name or alias.", "Moscow,Кишинёв")
    type = AnyOf(one_of(EVENT_TYPES), "Type of the incident.", "clash,protest")
    episode = AnyOf(slug, "Episode of the incident.", "autumn-2020-war")
    date = Parameter(span, "Date of the incident, in the date grammar.", "2020-07")
    date_from = Parameter(span, "On or after the first day of this date.", "2020-07-12")
    date_to = Parameter(span, "On or before the last day of this date.", "2020-09")
    count = Parameter(one_of(("exact",)), "`exact` counts all that match.", "exact")
    fields = AnyOf(text, "Members to answer with; all unless given.", "field,value,headline")  # type: ignore[assignment]
    format = Parameter(
        one_of(("json", "csv", "ndjson")),
        "Format of the answer, like a suffix of the address; all but `json` export every claim "
        "that matches unless `limit` is given.",
        "csv",
        default="json",
    )


@json_schema("string", enum=list(GROUPINGS))
def grouping(value: str) -> str:
    """Read what to group by."""
    return str(one_of(GROUPINGS)(value))


class GroupBy(AnyOf):
    """One or two groupings."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        found = super()._deserialize(value, *args, **kwargs)
        if len(found) > 2:
            raise invalid("too_many", "It takes one or two groupings.")
        if set(found) == {"community", "community_pair"}:
            raise invalid(
                "same_twice", "A pair names its communities already; choose one of the two."
            )
        return found


class StatsQuery(FilterQuery):
    """The parameters of `GET /stats`."""

    limit = Parameter(whole(1, MAX_ROWS), "Rows in an answer.", "20", default=DEFAULT_ROWS)
    group_by = GroupBy(grouping, "What to group by, one or two.", "country,month", required=True)


class PlaceQuery(Schema):
    """The parameters of `GET /places`."""

    q = Parameter(
        text,
        "Name or alias of a place, in any script, or how one begins.",
        "Кишинёв",
        required=True,
    )
    country = Parameter(country, "Country by ISO 3166-1 alpha-2 code or name.", "MD")
    limit = Parameter(whole(1, 100), "Places in the answer.", "5", default=20)


class SearchQuery(FilterQuery):
    """The parameters of `GET /search`."""

    q = Parameter(text, _WORDS, 'embassy "Armenian protest" -Brussels', required=True)
    count = Parameter(one_of(("exact",)), "`exact` counts all that match.", "exact")
    fields = AnyOf(text, "Fields of an incident to answer with; all unless given.", "id,city,date")


@json_schema("boolean")
def _yes(value: str) -> bool:
    return bool(one_of(("true", "false"))(value) == "true")


class NoQuery(Schema):
    """The parameters of what takes none."""


class ChangesQuery(Schema):
    """The parameters of the change feed."""

    since = Parameter(
        whole(0, 2**31 - 1),
        "The number of the last change that is known already; the answer begins after it.",
        "12",
        default=0,
    )
    limit = Parameter(whole(1, MAX_LIMIT), "Changes in an answer.", "200", default=DEFAULT_LIMIT)
    documents = Parameter(
        _yes,
        "Whether to answer with each incident's document, or only say what changed.",
        "false",
        default=True,
    )


@json_schema("string", minLength=4, maxLength=64)
def instant(value: str) -> str:
    """Read a time, or a day, month or year, meaning its end."""
    if "T" in value.upper():
        return moment(value)
    found = span(value)
    if found.precision not in ("day", "month", "year"):
        raise invalid(
            "bad_time", "It takes one day, month or year, or a time such as 2020-07-24T21:03:00Z."
        )
    return f"{found.latest}T23:59:59.999Z"


_AS_OF = "The version that stood at this time, or at the end of this day, month or year (UTC)."


class HistoryQuery(PageQuery):
    """The parameters of a record's history."""

    limit = Parameter(whole(1, MAX_LIMIT), "Versions on a page.", "20", default=MAX_LIMIT)
    as_of = Parameter(instant, _AS_OF, "2021-01-31")
    patch = Parameter(
        _yes, "Whether to say what each version changed (RFC 6902).", "false", default=True
    )


class ItemQuery(Schema):
    """The parameters of one record."""

    # marshmallow takes declared fields away from the class before its own `fields` is set.
    fields = AnyOf(text, "Fields to answer with; all unless given.", "id,city,date")  # type: ignore[assignment]
    as_of = Parameter(instant, _AS_OF, "2021-01-31")


class AmendQuery(Schema):
    """The parameters of a change."""

    dry_run = Parameter(_yes, "Say what would happen, and write nothing.", "true", default=False)


class WriteQuery(AmendQuery):
    """The parameters of a new record."""

    allow_duplicate = Parameter(
        _yes,
        "Write although records like it exist; those listed are remembered as distinct.",
        "true",
        default=False,
    )


class PairQuery(Schema):
    """The parameters of the report on likely pairs."""

    limit = Parameter(whole(1, MAX_LIMIT), "Records to look at.", "20", default=200)
    cursor = Parameter(whole(0, 2**31 - 1), "Where to go on: the value of a `next` link.")


class CreateQuery(WriteQuery):
    """The parameters of a POST of one record or many."""

    on_conflict = Parameter(
        one_of(("error", "skip", "update")),
        "Many records: what becomes of a line whose id is known and that says otherwise than the "
        "record.",
        "update",
        default="error",
    )
    on_duplicate = Parameter(
        one_of(("accept", "error")),
        "Many records: whether lines that look like a record that is there are taken and counted, "
        "or refused.",
        "error",
        default="accept",
    )


class DeleteQuery(Schema):
    """The parameters of a withdrawal or deletion."""

    code = Parameter(one_of(WITHDRAWAL_CODES), "Why it is withdrawn.", "duplicate", default="error")
    reason = Parameter(text, "Why, in words, for editors.", "Reported twice.")


class ReferenceDeleteQuery(Schema):
    """The parameters of a deletion."""

    reason = Parameter(text, "Why, in words, for editors.", "Reported twice.")


class SourceDeleteQuery(AmendQuery):
    """The parameters of removing a source."""

    locator = Parameter(text, "The place in the article; all its places unless given.", "page 2")
    reason = Parameter(text, "Why, in words.", "Another event is meant.")


# Parameters that shape the answer or another filter; all others are filters, each a row of
# `queries.FILTERS`.
CONTROLS = frozenset(
    {"limit", "cursor", "sort", "count", "fields", "format", "match", "radius_km", "group_by"}
)
FILTERS = frozenset(IncidentQuery._declared_fields) - CONTROLS


# Every filter and nothing else, for what takes a query as a whole.
OverviewQuery: type[Schema] = Schema.from_dict(
    {
        name: parameter
        for name, parameter in FilterQuery._declared_fields.items()
        if name not in PageQuery._declared_fields
    },
    name="OverviewQuery",
)


@dataclass(slots=True)
class Query:
    """What a list was asked for: criteria by parameter, and how to answer."""

    criteria: dict[str, Any] = field(default_factory=dict)
    match: str | None = None
    sort: str = "-date"
    limit: int | None = None
    cursor: str | None = None
    count: str | None = None
    fields: list[str] | None = None
    format: str | None = None
    group_by: list[str] | None = None


@lru_cache(maxsize=128)
def _subset(schema: type[Schema], names: frozenset[str]) -> Schema:
    """Give a schema of the parameters that a request names: loading all of them costs more."""
    return schema(only=names)


@lru_cache(maxsize=64)
def required(schema: type[Schema]) -> tuple[str, ...]:
    """Name the parameters that a request must give."""
    declared: Mapping[str, Any] = schema._declared_fields
    return tuple(name for name, parameter in declared.items() if parameter.required)


def load(schema: type[Schema], arguments: Iterable[tuple[str, Sequence[str]]]) -> dict[str, Any]:
    """Load ARGUMENTS (name, values) by SCHEMA; raise QueryError by parameter."""
    given: dict[str, Any] = {}
    messages: dict[str, list[ErrorDetail]] = {}
    declared: Mapping[str, Any] = schema._declared_fields
    for name, values in arguments:
        parameter = declared.get(name)
        if parameter is None:
            messages[name[:80]] = [_unknown(name, declared, suggest=len(messages) < 20)]
        elif parameter.kind == "all":
            given[name] = values
        elif len(values) > 1:
            messages[name] = [_repeated(name, values, parameter)]
        else:
            given[name] = values[0]
    for name in required(schema):
        if name not in given and name not in messages:
            form = f"{name}={declared[name].example}"
            messages[name] = [ErrorDetail("required", f"It is missing; give one, such as {form}.")]
    loaded: dict[str, Any] = {}
    try:
        if given:
            loaded = _subset(schema, frozenset(given)).load(given)
    except ValidationError as error:
        messages |= error.messages_dict
    if messages:
        raise QueryError(messages)
    return loaded


# What other services call the parts of a list.
_PAGING = frozenset({"offset", "page", "page_size", "pagesize", "per_page", "skip", "start"})


def _unknown(name: str, declared: Iterable[str], *, suggest: bool) -> ErrorDetail:
    plain = name[:80].replace("[]", "").replace("[", "_").replace("]", "")
    close = nearest(plain, declared) if suggest else None
    hint = f"; did you mean {close}?" if close else "."
    if plain.lower() in _PAGING and "cursor" in declared:
        close, hint = None, ": `limit` says how long a page is, and `next` in the answer leads on."
    return ErrorDetail(
        "unknown_parameter", f"There is no parameter {name[:40]!r} here{hint}", suggestion=close
    )


def _repeated(name: str, values: Sequence[str], parameter: Parameter) -> ErrorDetail:
    if parameter.kind == "any":
        form = f"{name}={','.join(values)}"[:200]
        return ErrorDetail(
            "repeated", f"{name} is given once, with commas: {form}", suggestion=form
        )
    return ErrorDetail("repeated", f"{name} is given once; here it stands {len(values)} times.")


def query(loaded: Mapping[str, Any]) -> Query:
    """Part what was loaded into criteria and controls."""
    controls = {name: loaded[name] for name in CONTROLS & loaded.keys()}
    criteria = {name: value for name, value in loaded.items() if name not in CONTROLS}
    _check_window(criteria.get("date_from"), criteria.get("date_to"))
    radius_km = controls.pop("radius_km", None)
    if "near" in criteria:
        criteria["near"] = (criteria["near"], radius_km or float(DEFAULT_RADIUS_KM))
    elif radius_km is not None:
        detail = "radius_km is the distance from near; give near too, such as near=Brussels."
        raise QueryError({"radius_km": [ErrorDetail("missing_near", detail)]})
    return Query(criteria=criteria, **controls)


def _check_window(start: dates.DateSpan | None, end: dates.DateSpan | None) -> None:
    """Refuse a window that ends before it begins."""
    if start is not None and end is not None and start.earliest > end.latest:
        detail = f"It ends before date_from={start.text}; nothing lies between the two."
        raise QueryError({"date_to": [ErrorDetail("contradiction", detail)]})
