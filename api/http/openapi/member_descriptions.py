"""Members of bodies and answers that say nothing of themselves: what each of them means.

A member has the words of its component here, else those of its name, which mean the same wherever
they stand. What a component says itself goes before both.
"""

from api.http.openapi.schema_builders import JsonSchema

_BASIS = "The version that the change is based on, where `If-Match` does not say it."
_HEADLINE = "The headline and the claims of this field."
_SUM = "Sum over the incidents that report it."
_FIGURE = "How many incidents report it, and how."
_GROUP = "The group's key, where that was grouped by; null where no value is known."
_FIELDS = "What to erase; all that is held, where it is left out."

BY_NAME = {
    # of records
    "id": "Id of the record; it never changes.",
    "url": "Path of the record.",
    "title": "Title of the record.",
    "date": "Date of the record, as exact as it is known.",
    "city": "City of the record; null where none is known.",
    "country": "Country, as its ISO 3166-1 alpha-2 code.",
    "country_name": "Name of the country.",
    "admin1": "Division of the first order: a state, a province, a region.",
    "latitude": "Degrees north.",
    "longitude": "Degrees east.",
    "geo_precision": "How exact the point is.",
    "geonames_id": "Number in GeoNames; null for a place that GeoNames does not have.",
    "aliases": "Other names.",
    "version": "Number of the version; it goes up by one with every change.",
    "status": "Status of the version.",
    "created_at": "When it was made (RFC 3339, UTC).",
    "updated_at": "When it was last changed (RFC 3339, UTC).",
    "incident": "The incident.",
    "incidents": "Number of incidents.",
    "dataset_version": "Number of the last public change that is in it.",
    # of claims
    "article": "The article.",
    "locator": "Where in the article, such as `paragraph 1`.",
    "disputed": "Whether claims conflict.",
    "conflicts": "Pairs of claims that conflict, 100 at most.",
    "conflicts_total": "Number of all such pairs.",
    "not_compared": "Pairs of claims that were not compared, 100 at most.",
    "not_compared_total": "Number of all such pairs.",
    "best": "Best figure of the headline; null where none is given.",
    "low": "Lower bound of the headline; null where it is open or not reported.",
    "high": "Upper bound of the headline; null where it is open or not reported.",
    "value": "The headline.",
    # of decisions, and of what became of them
    "reason": "Why, in words; kept in the history, never in the record.",
    "code": "What kind it is, as a word for programs.",
    "detail": "What it is, in words for people.",
    "action": "What was done.",
    "at": "When (RFC 3339, UTC).",
    "record": "The record as it would be.",
    "warnings": "What would be done otherwise than the request may expect.",
    "similar": "Records that may be of the same event.",
    "created": "Number of records that were created.",
    "changed": "Number of records that were changed.",
    "unchanged": "Number of lines that say what their record says already.",
    "skipped": "Number of lines whose record was left as it is, as `on_conflict=skip` asks.",
    "duplicates": "Number of new records that look like one that was there before them.",
    "number_of_warnings": "Number of all warnings.",
    "number_of_rejected": "Number of all lines that were not taken.",
    "number_of_kept": "Number of all records that stay as they are.",
    "score": "How much alike they are: from 0, not at all, to 1, the same.",
    "reasons": "Why they may be the same.",
    # of keys
    "role": "Role of the key.",
    "revoked_at": "When it was revoked (RFC 3339, UTC); null while it is valid.",
    # of lists, links and GeoJSON
    "data": "The items, in order.",
    "next": "Address of the following items; null where there are none.",
    "links": "Where to go on from here.",
    "type": "What GeoJSON calls it.",
    "geometry": "The point; null where none is known.",
    "properties": "The record.",
    "features": "The records, in order.",
    # of files
    "records": "Number of records in the file.",
    "bytes": "Length of the file.",
    "sha256": "SHA-256 of the file, in hexadecimal digits.",
    "files": "The files.",
    "doi": "DOI of the release; null where it has none.",
    "revision": "Number of the state of the release; an erasure makes the next one.",
    # of numbers
    **dict.fromkeys(("arrests", "injuries", "deaths", "participants", "injuries_police"), _SUM),
    "exact": "Number of incidents with an exact figure.",
    "bounded": "Number of incidents with bounds only.",
    "not_reported": "Number of incidents that report nothing.",
}
_DECISION = {"version": _BASIS}
_PLACE = {"name": "Name of the place."}
_PLACE_INPUT = {
    **_PLACE,
    **_DECISION,
    "id": "An id of your own choice; ignored where the address has one.",
    "country": "Country, as its ISO 3166-1 alpha-2 code or its name.",
}
_ERASURE = {**_DECISION, "fields": _FIELDS, "code": "Why it is erased; told to the public."}
_KEY = {"name": "Whose it is."}
BY_COMPONENT: dict[str, dict[str, str]] = {
    "AddedPlace": {
        **_PLACE,
        "id": "Id of a place that editors added, or `geonames-` and a number.",
        "version": "Number of the version; 0 for a place of GeoNames that nobody changed.",
        "created_at": "When it was added (RFC 3339, UTC); null for a place of GeoNames.",
        "updated_at": "When it was last changed (RFC 3339, UTC); null for one nobody changed.",
    },
    "Place": _PLACE,
    "PlaceInput": _PLACE_INPUT,
    "PlacePatch": _PLACE_INPUT,
    **dict.fromkeys(("DecisionInput", "RemovalInput", "RejectionInput"), _DECISION),
    "DistinctInput": {"other": "Id of the record that tells of another event."},
    "WithdrawalInput": {**_DECISION, "code": "Why it is withdrawn; `error` unless given."},
    "MergeInput": {
        **_DECISION,
        "into": "Id of the record that takes over the sources and claims.",
        "headline": "Fields of which the merged record's headline is taken over.",
    },
    "EraseInput": _ERASURE,
    "EraseArticleInput": _ERASURE,
    "EraseTermInput": _ERASURE,
    "ErasePlaceInput": _ERASURE,
    "ApiKey": _KEY,
    "NewApiKey": _KEY,
    "ApiKeyInput": {"name": "Whose it will be.", "role": "What it may do."},
    "Ledger": {"fields": "Each field that is claimed: its headline, and how the claims agree."},
    "Me": {"id": "The key's part before the underscore.", "name": "Whose the key is."},
    "Change": {
        "seq": "Number of the change; numbers go up by one.",
        "id": "Id of what changed.",
        "version": "Number of the version that the change made.",
        "incident": "The record as this version has it; null where it is withdrawn, merged or "
        "erased by now.",
    },
    "ClaimPair": {"reason": "Why they conflict, or were not compared."},
    "ClaimsByField": dict.fromkeys(
        (
            *("arrests", "injuries", "deaths", "participants", "injuries_police"),
            *("property_damage", "date", "type"),
        ),
        _HEADLINE,
    ),
    "Codebook": {
        "version": "Number of the codebook's edition.",
        "inclusion_rule": "What an event must be to be recorded.",
        "not_for": "What the data must not be used for.",
        "count_words": "The lower bounds that words such as “dozens” stand for.",
        "fields": "What each field means, by name.",
        "vocabularies": "What each term of each vocabulary means, by the vocabulary's name.",
        "crosswalk_schemes": "The data sets whose terms are compared with these.",
        "completeness": "How many incidents of each year report a field.",
        "deprecations": "What is to go, and when.",
    },
    "Import": {
        "id": "By which the import is listed and undone.",
        "role": "Role of the key at that time.",
        "reason": "Why, as the request said.",
        "reverted_at": "When it was undone (RFC 3339, UTC); null where it was not.",
    },
    "Index": {
        "title": "What the service is called.",
        "contact": "Whom to write to.",
    },
    "JsonFeed": {
        "version": "The version of JSON Feed.",
        "title": "Name of the feed, with its query.",
        "home_page_url": "The page that shows the same records.",
        "feed_url": "Address of the feed.",
        "description": "What it holds, and under which licence.",
        "authors": "Who makes the data.",
        "language": "Language of the entries.",
        "items": "The changes, the newest first.",
    },
    "JsonFeedAuthor": {"name": "Name."},
    "JsonFeedItem": {
        "id": "Address of the version, which no other entry has.",
        "url": "Address of the record's page.",
        "title": "What was done, and the title of the record.",
        "content_html": "The entry as HTML.",
        "date_modified": "When the change was made (RFC 3339, UTC).",
        "date_published": "When the record was made (RFC 3339, UTC).",
        "tags": "Type and communities of the record.",
        "_record": "The record, and what became of it, for programs.",
    },
    "JsonFeedRecord": {"code": "Why the record was withdrawn or erased."},
    "KeptRecord": {"why": "Why it stays, in words."},
    "Overview": {
        "places": "The places with the most incidents, 2,000 at most.",
        "other_places": "The places that are not listed.",
        "without_coordinates": "Number of incidents that have no point.",
        "areas": "Numbers of what is known for a region or a country only.",
        "dates": "Numbers by month.",
        "types": "Numbers by type.",
        "countries": "Numbers by country.",
        "figures": "How many incidents report each count.",
    },
    "OverviewFigures": dict.fromkeys(
        ("arrests", "injuries", "deaths", "participants", "injuries_police"), _FIGURE
    ),
    "OverviewMonths": {
        "first_month": "The first month; null where the beginning is open.",
        "last_month": "The last month; null where the end is open.",
        "precision": "How exact the dates are.",
    },
    "OverviewOtherPlaces": {"places": "Number of places."},
    "OverviewType": {"type": "Type of the incidents."},
    "PatchOperation": {"op": "What is done (RFC 6902)."},
    "Problem": {
        "title": "What kind of problem it is, in words.",
        "status": "The status of the answer.",
        "detail": "What was wrong this time, and what would be right.",
        "errors": "Each fault by itself.",
    },
    "Readiness": {
        "ready": "Whether requests can be served.",
        "dataset_version": "Number of the last public change; null where it cannot be read.",
        "incidents": "Number of published incidents; null where it cannot be read.",
    },
    "Health": {"status": "Always `ok`."},
    "Release": {
        "name": "Name of the release.",
        "url": "Path of the release.",
        "title": "Title of the release.",
        "codebook_version": "Edition of the codebook that it goes by.",
        "created_at": "When it was frozen (RFC 3339, UTC).",
        "citation": "How to cite it.",
        "revisions": "The states that it had, the first one first.",
    },
    "ReleaseChangeInput": {"doi": "The DOI; null takes it away."},
    "ReleaseInput": {"name": "A slug that becomes its address.", "title": "What it is called."},
    "ReleaseFile": {"name": "Name of the file.", "url": "Path of the file."},
    "RevisedFile": {"name": "Name of the file."},
    "RoleNumbers": {
        "organiser": "Number of incidents that it organised.",
        "participant": "Number of incidents that it took part in.",
        "counter_participant": "Number of incidents in which it was on the other side.",
        "target": "Number of incidents that were directed against it.",
    },
    "SearchHit": {"incident": "The record."},
    "SimilarIncident": {"judged_distinct": "Whether the two were judged to be two events."},
    "SimilarLine": {"ids": "Ids of the records that the line looks like."},
    "SimilarPair": {"incidents": "The two records."},
    "Statistics": {
        "group_by": "What was grouped by.",
        "total": "All incidents that match, each counted once.",
        "notes": "What must be known to read the rows.",
    },
    "StatisticsRow": {
        **dict.fromkeys(
            (
                *("country", "admin1", "city", "community", "type", "year", "month", "week"),
                *("episode", "police_measure", "publisher", "tag", "organisation"),
            ),
            _GROUP,
        ),
        "community_pair": "Two communities that took part in the same incidents.",
        "roles": "Number of incidents by the role that a community had.",
    },
    "OgcCollection": {
        "id": "Name of the collection in addresses.",
        "title": "What the collection is called.",
        "description": "What it holds.",
        "itemType": "What its items are.",
        "extent": "The area and the time that the items cover.",
        "crs": "The coordinate systems that answers come in.",
    },
    "OgcCollections": {"collections": "The collections."},
    "OgcConformance": {"conformsTo": "Addresses of the parts of the standard."},
    "OgcFeatures": {"numberReturned": "Number of features on this page."},
    "OgcLanding": {
        "title": "What the service is called.",
        "description": "What it serves.",
    },
    "OgcLink": {
        "href": "The address.",
        "rel": "What is found there, in the words of RFC 8288.",
        "type": "Its media type.",
        "title": "What is found there, in words for people.",
    },
}


def described(schemas: dict[str, JsonSchema]) -> dict[str, JsonSchema]:
    """Return components by name with words for each member that had none."""
    return {name: _described(name, schema) for name, schema in schemas.items()}


def _described(component: str, schema: JsonSchema) -> JsonSchema:
    members = schema.get("properties")
    if not isinstance(members, dict):
        return schema
    words = BY_NAME | BY_COMPONENT.get(component, {})
    return {
        **schema,
        "properties": {
            name: {"description": words[name], **member} if name in words else member
            for name, member in members.items()
        },
    }
