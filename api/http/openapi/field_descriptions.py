"""Members: what each member of what is stored means, in the words of the API's description.

An incident's are the codebook's.
"""

from schemas.record_fields import FIELDS, RecordField

_DATE = (
    "A day, month or year; `2020-07-22/2020-07-24` lasted from to; "
    "`2020-07-01..2020-07-22` was on some day of the range, whose ends may be open."
)
_KEPT = {
    "version": "Goes up by one with every change.",
    "created_at": "When it was made (RFC 3339, UTC).",
    "updated_at": "When it was last changed (RFC 3339, UTC).",
    "reason": "Why, in words; kept in the history, never in the record.",
}


def _words(field: RecordField) -> str:
    """Say what a field means, and how unknown is coded."""
    unknown = field.unknown
    if unknown is None:
        return field.definition
    return f"{field.definition} {unknown[0].upper()}{unknown[1:].rstrip('.')}."


INCIDENT = {
    **{name: _words(field) for name, field in FIELDS.items()},
    "reason": _KEPT["reason"],
}
ENTRY = {
    "community": "The community; sent by id, name or alias, in any case, and answered as the id.",
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
NEW_SOURCE = {
    **SOURCE,
    "version": "The version that the change is based on, where If-Match does not say it.",
    "reason": _KEPT["reason"],
    "adopt": "Fields of which the claim in `claims` becomes the headline.",
}
CLAIM = {
    "field": "The field that the claim is about.",
    "value": "The exact value claimed: a whole number, a date, a type, true or false.",
    "low": "Lower bound of a count.",
    "high": "Upper bound of a count.",
    "text": "The source's words, a few at most.",
    "attributed_to": "Whom the article names for it.",
    "community": "Community that the claim is about, named as above; null is the whole incident.",
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
