"""Members: what each member of a record means, in the words that the API's description uses."""

from schemas.counts import COUNT_FIELDS

_COUNTED = {
    "arrests": "people arrested; detained counts as arrested",
    "injuries": "people injured, officers included",
    "deaths": "people killed, officers included",
    "participants": "people who took part",
    "injuries_police": "officers injured, a part of the injured",
}
_FIGURES = {
    f"{name}{end}": text.format(_COUNTED[name])
    for name in COUNT_FIELDS
    for end, text in (
        ("", "Best figure of {}. Null beside null bounds is not reported, 0 is reported as none."),
        ("_low", "Lower bound of {}; null is open."),
        ("_high", "Upper bound of {}; null is open."),
        ("_text", "The figure of {}, for people: 13, at least 25, 100–200, not reported."),
    )
}
_DATE = (
    "A day, month or year; `2020-07-22/2020-07-24` lasted from to; "
    "`2020-07-01..2020-07-22` happened on some day of the range, whose ends may be open."
)
_KEPT = {
    "version": "Goes up with every change.",
    "created_at": "When it was made (RFC 3339, UTC).",
    "updated_at": "When it was changed last (RFC 3339, UTC).",
    "reason": "Why, in words; kept in the history, never in the record.",
}

INCIDENT = {
    "id": "Permanent and unique: 10 characters of Crockford base32.",
    "url": "Path of the record.",
    **_KEPT,
    "status": "Where the record stands; the public sees what is published.",
    "title": "What happened, in a line of neutral words.",
    "summary": "What happened, in neutral words; blame only as somebody's claim.",
    "type": "What happened, as the codebook defines it.",
    "date": _DATE,
    "date_start": "First day of the date; null where the range is open.",
    "date_end": "Last day of the date; null where the range is open.",
    "date_precision": "How precisely the date is known.",
    "city": "City; on input by its name or an alias in any script.",
    "admin1": "Region, state or province; on input it tells namesakes apart.",
    "country": "ISO 3166-1 alpha-2 code; a name is taken on input.",
    "country_name": "Name of the country.",
    "venue": "Public place; never a home or a person's workplace.",
    "latitude": "Degrees north, four decimals at most.",
    "longitude": "Degrees east, four decimals at most.",
    "geo_precision": "What the point stands for.",
    "geonames_id": "The place's id in GeoNames.",
    "communities": "Who took part, in which role.",
    **_FIGURES,
    "property_damage": "Whether property was damaged; null is not reported.",
    "police_measures": "What police are reported to have used or done.",
    "episode": "Id of the wave of events that it belongs to.",
    "sources": "Articles that report it, each with its claims.",
    "disputed": "Fields on which claims conflict.",
    "number_of_sources": "Independent sources: syndicated copies count once.",
    "former_ids": "Ids of the records merged into this one.",
    "corrects": "Id of the published record that this draft corrects.",
    "review": "Why a draft was rejected; its author and editors see it.",
}
ENTRY = {
    "community": "Id of the community.",
    "role": "What part it had.",
    "participants": "Best figure of its people who took part.",
    "participants_low": "Lower bound of its people who took part; null is open.",
    "participants_high": "Upper bound of its people who took part; null is open.",
    "organisations": "Organisations of the community that took part.",
}
SOURCE = {
    "article": "The article.",
    "locator": "Where in the article, such as `paragraph 1`.",
    "claims": "What the article says of single fields.",
}
CLAIM = {
    "field": "The field that the claim is about.",
    "value": "The exact value claimed: a whole number, a date, a type, true or false.",
    "low": "Lower bound of a count.",
    "high": "Upper bound of a count.",
    "text": "The source's words, a few at most.",
    "attributed_to": "Whom the article names for it.",
    "community": "Community that the claim is about; null is the whole incident.",
    "scope": "Part of the incident that the claim is about; null is all of it.",
}
ARTICLE = {
    "id": "Permanent and unique: 10 characters of Crockford base32.",
    **_KEPT,
    "title": "Headline.",
    "publisher": "Who published it.",
    "author": "Who wrote it.",
    "published": f"When. {_DATE}",
    "language": "Language tag (BCP 47).",
    "url": "Address of the article.",
    "archive_url": "Address of an archived copy.",
    "syndicated_from": "Id of the article that this one copies; it need not be held here.",
    "text_sha256": "SHA-256 of the text that was read.",
}
TERM = {
    "id": "A slug that never changes.",
    **_KEPT,
    "name": "Name; it may change.",
    "aliases": "Other names.",
    "description": "What is meant.",
}
