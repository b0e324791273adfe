"""The parameters of the lists of incidents: every filter, and how to answer.

A filter's condition stands under the same name in `api.queries.filters`.
"""

from marshmallow import Schema

from schemas.counts import COUNT_FIELDS, MAXIMUM
from schemas.query import values
from schemas.query.parameters import CONTROLS, AllOf, AnyOf, Parameter
from schemas.vocabulary import EVENT_TYPES, POLICE_MEASURES, ROLES, STATUSES

MAX_LIMIT = 1000
DEFAULT_LIMIT = 50


class PageQuery(Schema):
    """The parameters of every list."""

    limit = Parameter(
        values.whole(1, MAX_LIMIT),
        "Items on a page.",
        "20",
        default=DEFAULT_LIMIT,
    )
    cursor = Parameter(values.text, "Where the page starts: the opaque value of a `next` link.")


def _count_parameters() -> dict[str, Parameter]:
    read = values.whole(0, MAXIMUM)
    parameters = {}
    for name in COUNT_FIELDS:
        parameters[f"min_{name}"] = Parameter(
            read,
            "At least so many: the best figure, or where there is none the low bound. "
            "Not reported never satisfies.",
            "1",
        )
        parameters[f"max_{name}"] = Parameter(
            read,
            "At most so many: the best figure, or where there is none the high bound. "
            "Not reported never satisfies.",
            "20",
        )
    return parameters


_CountQuery = PageQuery.from_dict(_count_parameters(), name="Counts")  # type: ignore[arg-type]
WORDS = (
    'Words to look for: all of them, "in a row", -without, one OR another, beginn*, (groups). '
    "Names and aliases of places and communities find their records, in any script."
)


class FilterQuery(_CountQuery):  # type: ignore[misc, valid-type]
    """The parameters that choose incidents."""

    q = Parameter(values.text, WORDS, 'embassy "Armenian protest" -Brussels')
    id = AnyOf(
        values.record_id,
        "Id of the record; one that was merged leads to what it was merged into. `Warnings` name "
        "those that are not served.",
        "3a8a51z8j1,7zq3m8k2xd",
    )
    city = AnyOf(values.text, "City by name or alias, in any script.", "Moscow,Кишинёв")
    admin1 = AnyOf(
        values.text,
        "Division of the first order (state, province, region) by name in any spelling or ISO "
        "3166-2 code, of the `country` that is given.",
        "US-CA",
    )
    place = AnyOf(
        values.place,
        "Place that the record was resolved to: the id of one that editors added, or `geonames-` "
        "and its number.",
        "geonames-703448",
    )
    country = AnyOf(values.country, "Country by ISO 3166-1 alpha-2 code or name.", "RU,BE")
    community = AllOf(
        values.community,
        "Community that took part, by id, name or alias, with its role after a colon "
        "(`armenian:target`). Repeated: "
        "all of them took part.",
        "armenian&azerbaijani:participant",
    )
    role = AnyOf(values.one_of(ROLES), "Role that any community had.", "counter_participant")
    type = AnyOf(values.one_of(EVENT_TYPES), "Type of the incident.", "clash,protest")
    episode = AnyOf(
        values.term,
        "Episode that the incident belongs to, by id, name or alias.",
        "autumn-2020-war",
    )
    police_measure = AllOf(
        values.one_of(POLICE_MEASURES),
        "Measure that police took. Repeated: all of them.",
        "water_cannon&detention",
    )
    external_id = AnyOf(
        values.external_id,
        "Number that the event has elsewhere, after its scheme and a colon.",
        "acled:RUS1234",
    )
    tag = AllOf(values.tag, "Tag. Repeated: all of them.", "festival&reviewed")
    organisation = AllOf(
        values.text,
        "Organisation of a community that took part, quoted where it has a comma. Repeated: all of "
        "them took part.",
        "Armenian National Committee of America",
    )
    publisher = AnyOf(
        values.text,
        'Publisher of an article that is cited, quoted where it has a comma: `"Herald, Lyon"`.',
        "The Moscow Times",
    )
    article = AnyOf(values.record_id, "Id of an article that is cited.", "e0t3z15xx8")
    status = AnyOf(
        values.one_of(STATUSES), "Status; the public sees `published` only.", "published"
    )
    disputed = AnyOf(
        values.one_of(("true", "false", *COUNT_FIELDS, "property_damage", "date", "type")),
        "Whether claims conflict, or the field on which they do.",
        "false",
    )
    unreported = AnyOf(
        values.one_of((*COUNT_FIELDS, "property_damage")), "Field with no figure at all.", "deaths"
    )
    property_damage = AnyOf(
        values.one_of(("true", "false", "unknown")),
        "Whether property was damaged, or `unknown`.",
        "true",
    )
    date = Parameter(values.span, "Date or span of dates, in the date grammar.", "2020-07")
    date_from = Parameter(values.span, "On or after the first day of this date.", "2020-07-12")
    date_to = Parameter(values.span, "On or before the last day of this date.", "2020-09")
    updated_since = Parameter(
        values.moment, "Changed at or after this RFC 3339 time.", "2020-07-24T21:03:00Z"
    )
    min_sources = Parameter(values.whole(0, 500), "At least so many independent sources.", "2")
    bbox = Parameter(
        values.bounding_box,
        "Box of degrees: west,south,east,north; with west above east it crosses the antimeridian.",
        "2.5,49.5,7.3,53.6",
    )
    near = Parameter(
        values.where,
        "Within `radius_km` of a point (latitude,longitude) or of a place by name or alias: of the "
        "largest of that name, in `country` where that is given. `Warnings` say which was taken.",
        "Brussels",
    )
    radius_km = Parameter(
        values.radius,
        f"Kilometres around `near`, along the globe; {values.DEFAULT_RADIUS_KM} unless given.",
        "25",
    )
    match = Parameter(
        values.one_of(("possible", "certain")),
        "Whether imprecise dates and bounds may satisfy a filter or must.",
        "certain",
    )


class IncidentQuery(FilterQuery):
    """The parameters of `GET /incidents`."""

    limit = Parameter(
        values.whole(1, MAX_LIMIT),
        "Records on a page; an export holds all that match unless this is given.",
        "20",
        default=DEFAULT_LIMIT,
    )
    sort = Parameter(
        values.sort,
        "Order; a minus sign is descending, relevance is the best hits of q first. Unknown values "
        "come last.",
        "-arrests",
        default="-date",
    )
    count = Parameter(values.one_of(("exact",)), "`exact` counts all that match.", "exact")
    fields = AnyOf(values.text, "Fields to answer with; all unless given.", "id,city,date")


# Every filter and nothing else, for what takes a query as a whole.
OverviewQuery: type[Schema] = Schema.from_dict(
    {
        name: parameter
        for name, parameter in FilterQuery._declared_fields.items()
        if name not in PageQuery._declared_fields
    },
    name="OverviewQuery",
)
FILTERS = frozenset(IncidentQuery._declared_fields) - CONTROLS
