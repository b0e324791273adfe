"""What a record is made of beside plain values: sources with their claims, and communities."""

from typing import Any

from marshmallow import ValidationError, fields

from schemas.article import InlineArticleSchema
from schemas.claims import CLAIM_FIELDS
from schemas.counts import COUNT_FIELDS
from schemas.errors import ErrorDetail, invalid
from schemas.fields import (
    MAX_ADDRESS,
    MAX_NAME,
    Boolean,
    Choice,
    Count,
    Date,
    ListOf,
    ObjectOf,
    StrictSchema,
    Text,
)
from schemas.vocabulary import EVENT_TYPES, ROLES


class ClaimSchema(StrictSchema):
    """What a source says of one field: a value, or bounds, or only words."""

    field = Choice(CLAIM_FIELDS, required=True)
    value = fields.Raw(allow_none=True)
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


_claim_values: dict[str, fields.Field[Any]] = {
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
