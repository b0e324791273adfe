"""The tables: columns, constraints and indexes; no JSON of the API, no addresses."""

from api.models.api_keys import ApiKey
from api.models.articles_and_terms import Article, Community, Episode, ReferenceVersion
from api.models.changes import Change, Dataset, IdempotencyKey
from api.models.erasures import Erasure
from api.models.imports import Import, ImportPosition
from api.models.incidents import (
    LIST_TABLES,
    Claim,
    DistinctPair,
    Incident,
    IncidentCommunity,
    IncidentExternalId,
    IncidentMeasure,
    IncidentOrganisation,
    IncidentTag,
    Source,
    Version,
)
from api.models.places import (
    AddedPlace,
    AddedPlaceName,
    GazetteerState,
    Place,
    PlaceName,
)
from api.models.releases import Release, ReleaseRevision
from api.models.search import SearchState, search_words

__all__ = [
    "LIST_TABLES",
    "AddedPlace",
    "AddedPlaceName",
    "ApiKey",
    "Article",
    "Change",
    "Claim",
    "Community",
    "Dataset",
    "DistinctPair",
    "Episode",
    "Erasure",
    "GazetteerState",
    "IdempotencyKey",
    "Import",
    "ImportPosition",
    "Incident",
    "IncidentCommunity",
    "IncidentExternalId",
    "IncidentMeasure",
    "IncidentOrganisation",
    "IncidentTag",
    "Place",
    "PlaceName",
    "ReferenceVersion",
    "Release",
    "ReleaseRevision",
    "SearchState",
    "Source",
    "Version",
    "search_words",
]
