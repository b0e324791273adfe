"""Places that editors add, as a request names them."""

from schemas.fields import MAX_NAME, Country, Integer, ListOf, Number, RecordId, StrictSchema, Text

PLACE_FIELDS = ("name", "country", "admin1", "latitude", "longitude", "aliases")


class PlaceSchema(StrictSchema):
    """A place: its own name, where it is, and the other names that it goes by."""

    read_only = frozenset({"country_name", "geonames_id", "created_at", "updated_at"})

    id = RecordId()
    version = Integer(0, 2**31 - 1)
    reason = Text(load_only=True)
    name = Text(200)
    country = Country()
    admin1 = Text(200)
    latitude = Number(-90, 90, 4)
    longitude = Number(-180, 180, 4)
    aliases = ListOf(Text(MAX_NAME, optional=False))
