"""How the value of a parameter is read, and how it is written in JSON Schema."""

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from schemas import dates
from schemas.common_words import likely_term, term_for
from schemas.countries import country_code, no_country
from schemas.errors import invalid
from schemas.external_ids import MAX_EXTERNAL_ID, read_external_id
from schemas.fields import MAX_NAME, check_text, read_id, read_timestamp
from schemas.vocabulary import ROLES

GROUPINGS = (
    "country",
    "admin1",
    "city",
    "community",
    "community_pair",
    "type",
    "year",
    "month",
    "week",
    "episode",
    "police_measure",
    "publisher",
    "tag",
    "organisation",
)
DEFAULT_RADIUS_KM = 50
MAX_RADIUS_KM = 20_016  # half way around the globe: everywhere
SORTS = (
    "-date",
    "date",
    "-arrests",
    "arrests",
    "-injuries",
    "injuries",
    "-updated_at",
    "updated_at",
    "relevance",
)
_WHOLE = re.compile(r"\d{1,12}", re.ASCII)
# Programs write a number to its last binary digit: 0.30000000000000004.
_DECIMAL = re.compile(r"[+-]?\d{1,12}(?:\.\d{1,20})?", re.ASCII)
_GEONAMES_ID = re.compile(r"geonames-[1-9]\d{0,9}", re.ASCII)
Read = Callable[[str], Any]
R = TypeVar("R", bound=Read)


def json_schema(type_: str, **rules: Any) -> Callable[[R], R]:
    """Say in JSON Schema how the values of a reader are written, for the API's description."""

    def mark(read: R) -> R:
        read.json_schema = {"type": type_, **rules}  # type: ignore[attr-defined]
        return read

    return mark


@json_schema("string", minLength=1, maxLength=1000)
def text(value: str) -> str:
    """Read any text."""
    return check_text(value, 1000).strip()


def one_of(allowed: Iterable[str]) -> Read:
    """Return a reader of a word of a closed vocabulary, in any case."""
    known = tuple(allowed)

    @json_schema("string", enum=list(known))
    def read(value: str) -> str:
        if term := term_for(value, known):
            return term
        raise invalid(
            "unknown_value",
            f"{value[:40]!r} is not known here; it takes {', '.join(known)}.",
            suggestion=likely_term(value, known),
            allowed=list(known),
        )

    return read


@json_schema("string", minLength=2, maxLength=1000)
def country(value: str) -> str:
    """Read a country's code or name as its code."""
    code = country_code(value)
    if code is None:
        detail, suggestion = no_country(value)
        raise invalid("unknown_country", detail, suggestion=suggestion)
    return code


@json_schema("string", pattern="^[0-9A-TV-Za-tv-z]{10}$")
def record_id(value: str) -> str:
    """Read an id."""
    id_ = read_id(value)
    if id_ is None:
        raise invalid("bad_id", "It takes an id of 10 characters, such as 7zq3m8k2xd.")
    return id_


@json_schema("string", pattern="^([0-9A-TV-Za-tv-z]{10}|geonames-[1-9][0-9]{0,9})$")
def place(value: str) -> str:
    """Read the id that a place has at /places."""
    id_ = value if _GEONAMES_ID.fullmatch(value) else read_id(value)
    if id_ is None:
        number = f"geonames-{value.lower().removeprefix('geonames-').lstrip('0')}"
        raise invalid(
            "bad_id",
            "It takes the id of a place as /places/{id} has it: 10 characters, or such as "
            "geonames-703448. A name is asked for by city or near.",
            suggestion=number if _GEONAMES_ID.fullmatch(number) else None,
        )
    return id_


@json_schema("string", minLength=1, maxLength=MAX_NAME)
def term(value: str) -> str:
    """Read the id, name or alias of a community or an episode."""
    return check_text(value, MAX_NAME).strip()


@json_schema("string", minLength=1, maxLength=MAX_NAME)
def community(value: str) -> tuple[str, str | None]:
    """Read a community with the role it may be bound to, as in `armenian:target`."""
    name, colon, role = check_text(value, MAX_NAME).rpartition(":")
    return (name.strip(), _role(role.strip())) if colon else (role.strip(), None)


_role = one_of(ROLES)


@json_schema("string", minLength=3, maxLength=MAX_EXTERNAL_ID + 65)
def external_id(value: str) -> tuple[str, str]:
    """Read an external id as its scheme and the id."""
    read = read_external_id(check_text(value, MAX_EXTERNAL_ID + 65))
    return read["scheme"].lower(), read["id"]


@json_schema("string", minLength=1, maxLength=64)
def tag(value: str) -> str:
    """Read a tag, in any case."""
    return check_text(value, 64).strip().lower()


def whole(least: int, most: int) -> Read:
    """Read a whole number within bounds."""

    @json_schema("integer", minimum=least, maximum=most)
    def read(value: str) -> int:
        if not _WHOLE.fullmatch(value) or not least <= int(value) <= most:
            raise invalid("bad_number", f"It takes a whole number from {least:,} to {most:,}.")
        return int(value)

    return read


@json_schema("string", pattern=dates.PATTERN, maxLength=dates.LONGEST)
def span(value: str) -> dates.DateSpan:
    """Read a date of the grammar."""
    try:
        return dates.parse(value)
    except dates.DateError as error:
        raise invalid("bad_date", error.message, suggestion=error.suggestion) from None


_DEGREES = r"[+-]?[0-9]{1,3}(\.[0-9]{1,20})?"


@json_schema("string", pattern=f"^{_DEGREES}(,{_DEGREES}){{3}}$")
def bounding_box(value: str) -> tuple[float, float, float, float]:
    """Read `west,south,east,north` in degrees; west above east crosses the antimeridian."""
    parts = value.split(",")
    if len(parts) != 4 or not all(_DECIMAL.fullmatch(part.strip()) for part in parts):
        raise invalid("bad_bbox", "It takes west,south,east,north, such as 4.2,50.7,4.6,51.")
    west, south, east, north = (float(part) for part in parts)
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise invalid(
            "bad_bbox",
            "It takes west,south,east,north: longitudes within ±180, latitudes within ±90, "
            "south not above north.",
        )
    return west, south, east, north


@json_schema("string", minLength=1, maxLength=1000)
def where(value: str) -> tuple[float, float] | str:
    """Read `latitude,longitude` in degrees, or the name of a place."""
    parts = [part.strip() for part in value.split(",")]
    if len(parts) != 2 or not all(_DECIMAL.fullmatch(part) for part in parts):
        return text(value)
    latitude, longitude = (float(part) for part in parts)
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise invalid(
            "bad_point",
            "It takes latitude,longitude (latitude within ±90, longitude within ±180), such as "
            "55.7558,37.6173, or the name of a place.",
        )
    return latitude, longitude


@json_schema("number", exclusiveMinimum=0, maximum=MAX_RADIUS_KM)
def radius(value: str) -> float:
    """Read a distance in kilometres."""
    if not _DECIMAL.fullmatch(value) or not 0 < float(value) <= MAX_RADIUS_KM:
        raise invalid(
            "bad_number", f"It takes kilometres above 0 and up to {MAX_RADIUS_KM:,}, such as 25."
        )
    return float(value)


@json_schema("string", format="date-time")
def moment(value: str) -> str:
    """Read an RFC 3339 time, or a day, meaning its start."""
    return read_timestamp(check_text(value, 1000))


@json_schema("string", minLength=4, maxLength=64)
def instant(value: str) -> str:
    """Read a time, or a day, month or year, meaning its end."""
    if "T" in value.upper():
        return moment(value)
    date = span(value)
    if date.precision not in ("day", "month", "year"):
        raise invalid(
            "bad_time", "It takes one day, month or year, or a time such as 2020-07-24T21:03:00Z."
        )
    return f"{date.latest}T23:59:59.999Z"


@json_schema("string", enum=list(GROUPINGS))
def grouping(value: str) -> str:
    """Read what to group by."""
    return str(one_of(GROUPINGS)(value))


@json_schema("boolean")
def yes(value: str) -> bool:
    return bool(one_of(("true", "false"))(value) == "true")


@json_schema("string", enum=list(SORTS))
def sort(value: str) -> str:
    # A plus sign in a query string reads as a blank, which is stripped by now.
    return str(one_of(SORTS)(value.removeprefix("+")))
