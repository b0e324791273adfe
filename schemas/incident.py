"""An incident as a request names it, with its sources, their claims, and communities.

What belongs together is put together in `record_state`.
"""

from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError
from marshmallow.fields import Field, Raw

from schemas.article import InlineArticleSchema
from schemas.claims import CLAIM_FIELDS
from schemas.counts import COUNT_FIELDS
from schemas.errors import ErrorDetail, invalid
from schemas.external_ids import MAX_EXTERNAL_ID
from schemas.fields import (
    MAX_ADDRESS,
    MAX_NAME,
    Boolean,
    Choice,
    Count,
    Date,
    Integer,
    ListOf,
    ObjectOf,
    Slug,
    StrictSchema,
    Text,
    Timestamp,
)
from schemas.record_fields import FIELDS
from schemas.vocabulary import EVENT_TYPES, ROLES


class ClaimSchema(StrictSchema):
    """What a source says of one field: a value, or bounds, or only words."""

    field = Choice(CLAIM_FIELDS, required=True)
    value = Raw(allow_none=True)
    low = Count()
    high = Count()
    text = Text(200)
    attributed_to = Text()
    community = Text(MAX_NAME)
    scope = Text()

    def check(self, data: dict[str, Any]) -> None:
        """Read the value by its field's own rule; refuse bounds where they have no meaning."""
        field, value = data.get("field"), data.get("value")
        bounds = [name for name in ("low", "high") if data.get(name) is not None]
        if value is not None and bounds:
            raise ValidationError(
                ErrorDetail("value_and_bounds", "A claim gives a value or bounds, not both."),
                bounds[0],
            )
        if bounds and field not in COUNT_FIELDS:
            raise ValidationError(
                ErrorDetail("not_a_count", f"Bounds are for counts; give {field} a value."),
                bounds[0],
            )
        low, high = data.get("low"), data.get("high")
        if low is not None and high is not None and low > high:
            raise ValidationError(
                ErrorDetail("bounds_order", f"low {low} is above high {high}."), "low"
            )
        if value is None and not bounds and data.get("text") is None:
            raise ValidationError(
                ErrorDetail(
                    "required", "A claim needs a value, low or high, or the source's words."
                )
            )
        if value is not None and field is not None:
            try:
                data["value"] = _claim_values[field].deserialize(value)
            except ValidationError as error:
                raise ValidationError(error.messages, "value") from None


_claim_values: dict[str, Field[Any]] = {
    **{name: Count() for name in COUNT_FIELDS},
    "property_damage": Boolean(),
    "date": Date(),
    "type": Choice(EVENT_TYPES),
}


def _article(text: str) -> dict[str, str]:
    """Read an article that is given by a text: its id."""
    if text.strip().lower().startswith(("http://", "https://")):
        raise invalid(
            "bad_id",
            'This is an address; it takes the id of an article, or {"url": "https://…"}.',
            suggestion={"url": text.strip()[:MAX_ADDRESS]},
        )
    return {"id": text}


class SourceSchema(StrictSchema):
    """An article by id or inline, where in it, and what it claims."""

    article = ObjectOf(InlineArticleSchema, short=_article, required=True)
    locator = Text()
    claims = ListOf(ObjectOf(ClaimSchema))


class CommunityEntrySchema(StrictSchema):
    """A community's part; a bare id is a participant."""

    community = Text(MAX_NAME, optional=False, required=True)
    role = Choice(ROLES)
    participants = Count()
    participants_low = Count()
    participants_high = Count()
    organisations = ListOf(Text(optional=False))


class ExternalIdSchema(StrictSchema):
    """The number that an event has elsewhere."""

    scheme = Slug(
        required=True, metadata={"description": "Who gave the number: a slug, such as `acled`."}
    )
    id = Text(
        MAX_EXTERNAL_ID,
        optional=False,
        required=True,
        metadata={"description": "The number, as it is written there; no semicolon."},
    )

    def check(self, data: dict[str, Any]) -> None:
        """Refuse the sign that separates the items of a list in a cell of CSV."""
        if ";" in data.get("id", ""):
            detail = "An external id has no semicolon: it separates ids in CSV."
            raise ValidationError(ErrorDetail("bad_character", detail), "id")


class NewSourceSchema(SourceSchema):
    """A source to append, and of which of its claims the headline is to be."""

    version = Integer(1, 2**31 - 1)
    reason = Text(load_only=True)
    adopt = ListOf(Choice(CLAIM_FIELDS))


class RestoreSchema(StrictSchema):
    """What bringing a version back takes."""

    version = Integer(1, 2**31 - 1)
    reason = Text(load_only=True)


def _readers() -> dict[str, Field[Any]]:
    """Return what reads each member of a request: that of its field, the counts before others."""
    readers = {name: field.reader for name, field in FIELDS.items() if field.reader is not None}
    figures = {
        name: reader for name, reader in readers.items() if FIELDS[name].group in COUNT_FIELDS
    }
    before = {name: readers[name] for name in ("id", "version", "status")}
    others = {"reason": Text(load_only=True), "corrects": readers["corrects"]}
    return {**figures, **before, **others, **readers}


_Readers = StrictSchema.from_dict(_readers(), name="Readers")


class IncidentSchema(_Readers):  # type: ignore[misc, valid-type]
    """An incident as a request names it: every field optional, presence is what counts."""

    read_only = frozenset(name for name, field in FIELDS.items() if field.reader is None)

    def check(self, data: dict[str, Any]) -> None:
        """Refuse half a point."""
        coordinates = [name for name in ("latitude", "longitude") if data.get(name) is not None]
        if len(coordinates) == 1:
            missing = "longitude" if coordinates == ["latitude"] else "latitude"
            raise ValidationError(
                ErrorDetail("pair", f"Latitude and longitude come as a pair: give {missing} too."),
                missing,
            )


class LineSchema(IncidentSchema):
    """A line of many: an incident that brings the times of its past elsewhere with it."""

    read_only = IncidentSchema.read_only - {"created_at", "updated_at"}

    created_at = Timestamp()
    updated_at = Timestamp()

    def check(self, data: dict[str, Any]) -> None:
        """Refuse a record that was changed before it was made."""
        super().check(data)
        if "updated_at" in data and data.get("created_at", "") > data["updated_at"]:
            fault = ErrorDetail("times_order", "updated_at is before created_at.")
            raise ValidationError(fault, "updated_at")


# From a body, or a line of many with the times that it brings, to what it names; they raise
# ValidationError with every fault at once.
load: Callable[[Any], dict[str, Any]] = IncidentSchema().load
load_line: Callable[[Any], dict[str, Any]] = LineSchema().load
