"""The query language of OGC API Features: boxes and times as that standard writes them.

Its parameters mean what those of the lists mean; only their form is the standard's (OGC 17-069r4,
sections 7.15.3 and 7.15.4).
"""

import re
from collections.abc import Mapping
from typing import Any

from schemas import cql2, dates
from schemas.errors import invalid
from schemas.expressions import Combination, Comparison, Expression
from schemas.fields import check_text, read_timestamp
from schemas.query.filters import MAX_LIMIT, FilterQuery, PageQuery
from schemas.query.loading import LoadedQuery
from schemas.query.parameters import Parameter
from schemas.query.values import bounding_box, json_schema, one_of

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_FORM = (
    "It takes a time or day such as 2020-07-24T00:00:00Z or 2020-07-24, or two of them as an "
    "interval, one of which may be `..`: 2020-07-01/2020-07-31, 2020-07-01/.., ../2020-07-31."
)
# GDAL writes a day with a T behind it.
_MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt]([0-9:.]{8,18}([Zz]|[+-][0-9]{2}:[0-9]{2}))?)?"
_NUMBER = r"[+-]?[0-9]{1,6}(\.[0-9]{1,20})?([Ee][+-]?[0-9]{1,2})?"


@json_schema("string", enum=[CRS84])
def reference_system(value: str) -> str:
    """Read the one reference system that there is."""
    if value != CRS84:
        raise invalid("unknown_value", f"It takes {CRS84}.", allowed=[CRS84])
    return value


@json_schema("integer", minimum=1, maximum=MAX_LIMIT)
def most(value: str) -> int:
    """Read a limit; the standard has one that is too large lowered, not refused."""
    if not re.fullmatch(r"[0-9]{1,12}", value) or int(value) < 1:
        raise invalid("bad_number", f"It takes a whole number from 1 to {MAX_LIMIT:,}.")
    return min(int(value), MAX_LIMIT)


@json_schema("string", pattern=f"^{_NUMBER}(,{_NUMBER}){{3}}((,{_NUMBER}){{2}})?$")
def box(value: str) -> tuple[float, float, float, float]:
    """Read a box of four numbers, or of six: of places without a height, heights say nothing."""
    parts = [part.strip() for part in value.split(",")]
    if len(parts) not in (4, 6) or not all(re.fullmatch(_NUMBER, part) for part in parts):
        raise invalid("bad_bbox", "It takes west,south,east,north, such as 4.2,50.7,4.6,51.")
    if len(parts) == 6:
        parts = [parts[index] for index in (0, 1, 3, 4)]
    return bounding_box(",".join(f"{float(part):.12f}" for part in parts))


@json_schema("string", pattern=rf"^({_MOMENT}|(\.\.)?/{_MOMENT}|{_MOMENT}/((\.\.)?|{_MOMENT}))$")
def times(value: str) -> dates.DateSpan:
    """Read a time, a day, or an interval of them, as the days that it touches.

    A date of an incident is a day at its place, without clock or zone: of a time its day counts,
    as it is written.
    """
    ends = value.split("/")
    if len(ends) > 2 or (len(ends) == 2 and not any(end not in ("", "..") for end in ends)):
        raise invalid("bad_time", _FORM)
    days = ["" if len(ends) == 2 and end in ("", "..") else _day(end) for end in ends]
    try:
        return dates.parse("..".join(days))
    except dates.DateError as error:
        raise invalid("bad_time", error.message) from None


def _day(moment: str) -> str:
    """Return the day of a moment."""
    if not re.fullmatch(_MOMENT, moment):
        raise invalid("bad_time", _FORM)
    read_timestamp(moment.rstrip("Tt"))
    return moment[:10]


class Times(Parameter):
    """A parameter that may be repeated: all of its times hold; loads as the days that they share.

    A date that meets each of two intervals which share a day meets what they share.
    """

    kind = "all"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dates.DateSpan:
        spans = [times(check_text(text, 1000).strip()) for text in value]
        first, last = max(span.earliest for span in spans), min(span.latest for span in spans)
        if first > last:
            raise invalid("bad_time", "The times share no day; ask for one after the other.")
        return spans[0] if len(spans) == 1 else dates.parse(f"{first}..{last}")


_SAME = {
    name: FilterQuery._declared_fields[name]
    for name in ("q", "city", "country", "community", "type", "episode")
}


class FilteredQuery(PageQuery.from_dict(_SAME, name="Same")):  # type: ignore[misc]
    """The parameters of the features of a collection."""

    limit = Parameter(
        most, f"Features on a page; more than {MAX_LIMIT:,} means so many.", "100", default=100
    )
    bbox = Parameter(
        box,
        "Box of degrees: west,south,east,north; with west above east it crosses the antimeridian. "
        "Of six numbers the heights, third and sixth, say nothing here.",
        "2.5,49.5,7.3,53.6",
    )
    datetime = Times(
        times,
        "Features whose date shares a day with this one or this interval. A date that is known "
        "only as a month, a year or a range shares each of its days. Of a time its day counts. "
        "Repeated: all of them.",
        "2020-07-01/2020-07-31",
    )

    filter = Parameter(
        cql2.parse,
        "What a feature has to be like, in CQL2 text: comparisons of the properties that "
        "`/ogc/collections/incidents/queryables` lists, AND, OR, NOT, IN, LIKE, BETWEEN, IS NULL, "
        "and S_INTERSECTS with a box or a point.",
        "country = 'RU' AND arrests >= 10",
    )


LANGUAGES = ("cql2-text", "cql-text")  # the second is what older GDAL calls the same
_FILTER_PARAMETERS = {
    "filter-lang": Parameter(
        one_of(LANGUAGES), "The language of `filter`.", "cql2-text", default="cql2-text"
    ),
    "filter-crs": Parameter(
        reference_system, "The reference system of points in `filter`.", CRS84, default=CRS84
    ),
}
FeaturesQuery = FilteredQuery.from_dict(_FILTER_PARAMETERS, name="FeaturesQuery")
# Filters of the lists that mean the same as a comparison, and have an index.
_INDEXED = {("country", "="), ("country", "in"), ("type", "="), ("type", "in")}


def query(loaded: Mapping[str, Any]) -> LoadedQuery:
    """Make the query that the loaded parameters mean."""
    controls = {name: loaded[name] for name in ("limit", "cursor") if name in loaded}
    criteria = {
        name: value
        for name, value in loaded.items()
        if name not in controls and name not in _FILTER_PARAMETERS
    }
    if "datetime" in criteria:
        criteria["date"] = criteria.pop("datetime")
    if "filter" in criteria:
        criteria = {**_indexed(criteria["filter"]), **criteria}
    controls.setdefault("limit", FeaturesQuery._declared_fields["limit"].default)
    # The first page tells how many there are, which clients ask it for; others need not count.
    return LoadedQuery(criteria, count=None if "cursor" in controls else "exact", **controls)


def _indexed(expression: Expression) -> dict[str, Any]:
    """Return plain filters that hold wherever EXPRESSION does, and lead to it along an index."""
    parts: tuple[Expression, ...] = (expression,)
    if isinstance(expression, Combination) and expression.operator == "and":
        parts = expression.parts
    filters: dict[str, Any] = {}
    for part in parts:
        if not isinstance(part, Comparison):
            continue
        if (part.name, part.operator) in _INDEXED:
            filters.setdefault(part.name, list(part.values))
        if part.operator == "intersects":
            filters.setdefault("bbox", part.values[0])
    return filters
