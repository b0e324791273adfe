"""The parameters of every request, one schema each."""

from marshmallow import Schema

from schemas.claims import CLAIM_FIELDS
from schemas.query import values
from schemas.query.filters import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    WORDS,
    FilterQuery,
    OverviewQuery,
    PageQuery,
)
from schemas.query.parameters import AllOf, AnyOf, GroupBy, Parameter
from schemas.vocabulary import EVENT_TYPES, WITHDRAWAL_CODES

MAX_ROWS = 10_000
DEFAULT_ROWS = 1000


class LedgerQuery(PageQuery):
    """The parameters of the claims of one record."""

    limit = Parameter(values.whole(1, MAX_LIMIT), "Claims on a page.", "20", default=MAX_LIMIT)


class ClaimQuery(PageQuery):
    """The parameters of `GET /claims`."""

    limit = Parameter(
        values.whole(1, MAX_LIMIT),
        "Claims on a page; an export holds all that match unless this is given.",
        "20",
        default=DEFAULT_LIMIT,
    )
    field = AnyOf(values.one_of(CLAIM_FIELDS), "Field that is claimed.", "arrests,injuries")
    attributed_to = AnyOf(values.text, "Whom the article names for it.", "police")
    community = AnyOf(
        values.term, "Community that the claim is about, by id, name or alias.", "armenian"
    )
    conflicting = AnyOf(
        values.one_of(("true", "false")),
        "Whether another claim in its record contradicts it.",
        "true",
    )
    publisher = AnyOf(
        values.text,
        'Publisher of the article, quoted where it has a comma: `"Herald, Lyon"`.',
        "The Moscow Times",
    )
    article = AnyOf(values.record_id, "Id of the article.", "e0t3z15xx8")
    incident = AnyOf(values.record_id, "Id of the incident.", "3a8a51z8j1")
    tag = AllOf(values.tag, "Tag of the incident. Repeated: all of them.", "festival&reviewed")
    organisation = AllOf(
        values.text,
        "Organisation of a community in the incident, quoted where it has a comma. Repeated: all "
        "of them took part.",
        "Armenian National Committee of America",
    )
    country = AnyOf(values.country, "Country of the incident.", "RU,BE")
    city = AnyOf(values.text, "City of the incident, by name or alias.", "Moscow,Кишинёв")
    admin1 = AnyOf(
        values.text,
        "Division of the incident by name in any spelling or ISO 3166-2 code, of the `country` "
        "that is given.",
        "US-CA",
    )
    type = AnyOf(values.one_of(EVENT_TYPES), "Type of the incident.", "clash,protest")
    episode = AnyOf(
        values.term, "Episode of the incident, by id, name or alias.", "autumn-2020-war"
    )
    date = Parameter(values.span, "Date of the incident, in the date grammar.", "2020-07")
    date_from = Parameter(values.span, "On or after the first day of this date.", "2020-07-12")
    date_to = Parameter(values.span, "On or before the last day of this date.", "2020-09")
    count = Parameter(values.one_of(("exact",)), "`exact` counts all that match.", "exact")
    fields = AnyOf(values.text, "Members to answer with; all unless given.", "field,value,headline")  # type: ignore[assignment]


WebFeedQuery: type[Schema] = Schema.from_dict(
    {
        **OverviewQuery._declared_fields,
        "limit": Parameter(
            values.whole(1, MAX_LIMIT),
            "Records whose changes are told.",
            "20",
            default=DEFAULT_LIMIT,
        ),
    },
    name="WebFeedQuery",
)


class StatsQuery(FilterQuery):
    """The parameters of `GET /stats`."""

    limit = Parameter(values.whole(1, MAX_ROWS), "Rows in an answer.", "20", default=DEFAULT_ROWS)
    group_by = GroupBy(
        values.grouping, "What to group by, one or two.", "country,month", required=True
    )


class PlaceQuery(Schema):
    """The parameters of `GET /places`."""

    q = Parameter(
        values.text,
        "Name or alias of a place, in any script, or how one begins.",
        "Кишинёв",
        required=True,
    )
    country = Parameter(values.country, "Country by ISO 3166-1 alpha-2 code or name.", "MD")
    limit = Parameter(values.whole(1, 100), "Places in the answer.", "5", default=20)


class SearchQuery(FilterQuery):
    """The parameters of `GET /search`."""

    q = Parameter(values.text, WORDS, 'embassy "Armenian protest" -Brussels', required=True)
    count = Parameter(values.one_of(("exact",)), "`exact` counts all that match.", "exact")
    fields = AnyOf(
        values.text, "Fields of an incident to answer with; all unless given.", "id,city,date"
    )


class ChangesQuery(Schema):
    """The parameters of the change feed."""

    since = Parameter(
        values.whole(0, 2**31 - 1),
        "The number of the last change that is known already; the answer begins after it.",
        "12",
        default=0,
    )
    limit = Parameter(
        values.whole(1, MAX_LIMIT), "Changes in an answer.", "200", default=DEFAULT_LIMIT
    )
    documents = Parameter(
        values.yes,
        "Whether to answer with each incident's document, or only say what changed.",
        "false",
        default=True,
    )


_AS_OF = "The version that stood at this time, or at the end of this day, month or year (UTC)."


class HistoryQuery(PageQuery):
    """The parameters of a record's history."""

    limit = Parameter(values.whole(1, MAX_LIMIT), "Versions on a page.", "20", default=MAX_LIMIT)
    as_of = Parameter(values.instant, _AS_OF, "2021-01-31")
    patch = Parameter(
        values.yes, "Whether to say what each version changed (RFC 6902).", "false", default=True
    )


class ImportsQuery(PageQuery):
    """The parameters of the list of imports."""


class ItemQuery(Schema):
    """The parameters of one record."""

    # marshmallow takes declared fields away from the class before its own `fields` is set.
    fields = AnyOf(values.text, "Fields to answer with; all unless given.", "id,city,date")  # type: ignore[assignment]
    as_of = Parameter(values.instant, _AS_OF, "2021-01-31")


class AmendQuery(Schema):
    """The parameters of a change."""

    dry_run = Parameter(
        values.yes, "Say what would happen, and write nothing.", "true", default=False
    )


class TryQuery(Schema):
    """The parameters of a new record, which a dry run takes too."""

    allow_duplicate = Parameter(
        values.yes,
        "Write although records like it exist; those listed are remembered as distinct.",
        "true",
        default=False,
    )


class PairQuery(Schema):
    """The parameters of the report on likely pairs."""

    limit = Parameter(values.whole(1, MAX_LIMIT), "Records to look at.", "20", default=200)
    cursor = Parameter(values.whole(0, 2**31 - 1), "Where to go on: the value of a `next` link.")


class BulkQuery(AmendQuery):
    """The parameters of a POST of many records."""

    on_conflict = Parameter(
        values.one_of(("error", "skip", "update")),
        "What becomes of a line whose id is known and that says otherwise than the record.",
        "update",
        default="error",
    )
    on_duplicate = Parameter(
        values.one_of(("accept", "error")),
        "Whether lines that look like a record that is there are taken and counted, or refused.",
        "error",
        default="accept",
    )
    on_error = Parameter(
        values.one_of(("refuse", "skip")),
        "Whether one bad line refuses all of them, or the good lines are taken and "
        "the bad ones given back in `rejected`.",
        "skip",
        default="refuse",
    )


class CreateQuery(BulkQuery, TryQuery):
    """The parameters of a POST of one record or many."""


class DeleteQuery(Schema):
    """The parameters of a withdrawal or deletion."""

    code = Parameter(
        values.one_of(WITHDRAWAL_CODES),
        "Why it is withdrawn, by query or in the body; `error` unless given.",
        "duplicate",
    )
    reason = Parameter(values.text, "Why, in words, for editors.", "Reported twice.")


class ReferenceDeleteQuery(Schema):
    """The parameters of a deletion."""

    reason = Parameter(values.text, "Why, in words, for editors.", "Reported twice.")


class SourceDeleteQuery(AmendQuery):
    """The parameters of removing a source."""

    locator = Parameter(
        values.text, "The place in the article; all its places unless given.", "page 2"
    )
    reason = Parameter(values.text, "Why, in words.", "Another event is meant.")
