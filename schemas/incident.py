"""The incident as a request names it; what belongs together is put together in `record_state`."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError
from marshmallow.fields import Field

from schemas.claims import CLAIM_FIELDS
from schemas.counts import COUNT_FIELDS
from schemas.errors import ErrorDetail, invalid
from schemas.fields import Choice, Integer, ListOf, StrictSchema, Text, Timestamp
from schemas.record_fields import FIELDS
from schemas.record_parts import SourceSchema


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
    said = {"reason": Text(load_only=True), "corrects": readers["corrects"]}
    return {**figures, **before, **said, **readers}


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


def load(body: Mapping[str, Any]) -> dict[str, Any]:
    """Load what BODY names; raise ValidationError with every fault at once."""
    members: dict[str, Any] = incident_schema.load(body)
    return members


def load_line(body: Any) -> dict[str, Any]:
    """Load what a line of many names, as `load` does, with the times that it brings."""
    members: dict[str, Any] = _line_schema.load(body)
    return members


incident_schema = IncidentSchema()
_line_schema = LineSchema()

__all__ = ["IncidentSchema", "SourceSchema", "incident_schema", "invalid", "load", "load_line"]
