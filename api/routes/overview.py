"""The overview: numbers of incidents by place, month, type and country, for maps and plots."""

from flask import Blueprint, Response

from api.database.engines import reader
from api.http.openapi import READ, answer, component, list_of, object_of, operation
from api.http.query_strings import load_query
from api.http.read_warnings import show_warnings
from api.queries.overview.summary import overview
from api.queries.resolver import resolve
from api.routes import responses
from schemas.counts import COUNT_FIELDS
from schemas.query.filters import OverviewQuery

blueprint = Blueprint("overview", __name__, url_prefix="/api/v1")

_NUMBER = {"type": "integer", "minimum": 0}
_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_REPORTED = component(
    "OverviewFigure",
    object_of(
        "How many incidents report a count, and how.",
        exact=_NUMBER,
        bounded=_NUMBER,
        not_reported=_NUMBER,
    ),
)
_PLACE = component(
    "OverviewPlace",
    object_of(
        "A place, and its incidents.",
        latitude={"type": "number"},
        longitude={"type": "number"},
        geo_precision=_TEXT,
        city=_TEXT_OR_NULL,
        country=_TEXT,
        incidents=_NUMBER,
    ),
)
_MONTHS = component(
    "OverviewMonths",
    object_of(
        "The months that dates span, and the incidents.",
        first_month=_TEXT_OR_NULL,
        last_month=_TEXT_OR_NULL,
        precision=_TEXT,
        incidents=_NUMBER,
    ),
)
_OTHERS = component(
    "OverviewOtherPlaces",
    object_of("The places that are not listed.", places=_NUMBER, incidents=_NUMBER),
)
_AREA = component(
    "OverviewArea",
    object_of(
        "Incidents of a country that are known for it or a region of it only.",
        geo_precision=_TEXT,
        country=_TEXT,
        incidents=_NUMBER,
    ),
)
_TYPE = component("OverviewType", object_of("A type's incidents.", type=_TEXT, incidents=_NUMBER))
_COUNTRY = component(
    "OverviewCountry", object_of("A country's incidents.", country=_TEXT, incidents=_NUMBER)
)
_FIGURES = component(
    "OverviewFigures", object_of("By count.", **dict.fromkeys(COUNT_FIELDS, _REPORTED))
)
_SHAPE = component(
    "Overview",
    object_of(
        "Numbers of published incidents. `places` holds at most 2,000, those with the most "
        "incidents first; `other_places` counts the rest. `areas` has by country those known for a "
        "region or a country only, with a point or without. A date that spans several months is a "
        "row with both ends, null where one is open. `dataset_version` is what they stand for.",
        incidents=_NUMBER,
        places=list_of(_PLACE),
        other_places=_OTHERS,
        without_coordinates=_NUMBER,
        areas=list_of(_AREA),
        dates=list_of(_MONTHS),
        types=list_of(_TYPE),
        countries=list_of(_COUNTRY),
        figures=_FIGURES,
        dataset_version=_NUMBER,
    ),
)


@blueprint.get("/overview")
@operation("incidents", query=OverviewQuery, answers={200: answer(_SHAPE, READ)}, costly=True)
def read_overview() -> Response:
    """Count published incidents by place, month, type and country, for a map and plots.

    Takes every filter of `/incidents`. Numbers are remembered, and brought up to date by what
    changed.
    """
    query = resolve(load_query(OverviewQuery, frozenset()))
    show_warnings(query.warnings)
    if same := responses.not_modified():
        return same
    summary = overview(reader(), query)
    return responses.of_dataset(summary.body, summary.dataset_version, None, private=False)
