"""Words: values of a record as people read them, no more precise than they are."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from schemas.countries import country_name
from schemas.counts import COUNT_FIELDS
from schemas.dates import DateSpan, parse
from schemas.record_fields import FIELDS
from schemas.vocabulary import VOCABULARIES

NOT_REPORTED = "not reported"
COUNTS = {
    "arrests": "Arrests",
    "injuries": "Injuries",
    "deaths": "Deaths",
    "participants": "Participants",
    "injuries_police": "Officers injured",
}
_LABELS = {
    vocabulary.name: {term.id: term.label for term in vocabulary.values()}
    for vocabulary in VOCABULARIES
}
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def label(vocabulary: str, id_: str) -> str:
    """Return the label of a term, or its id where it has none."""
    return _LABELS.get(vocabulary, {}).get(id_, id_)


_PLACES = {
    "admin1": "State or region",
    "geo_precision": "Precision of the point",
    "geonames_id": "GeoNames id",
    "place_id": "Added place",
}


def field(name: str) -> str:
    """Name a field of a record."""
    return COUNTS.get(name) or _PLACES.get(name) or name.replace("_", " ").capitalize()


def definition(name: str) -> str:
    """Return the codebook's definition of a field, or nothing."""
    field_ = FIELDS.get(name)
    return field_.definition if field_ else ""


def country(code: str) -> str:
    """Name a country by its code."""
    try:
        return country_name(code)
    except KeyError:
        return code


def when(text: str) -> str:
    """Say a date in words: `24 July 2020`, `some day in July 2020`, `22 to 24 July 2020`."""
    return _when(parse(text))


def _when(span: DateSpan) -> str:
    start, end = span.start, span.end
    if start is None or end is None:
        known = start or end
        assert known is not None
        return f"some day {'after' if end is None else 'before'} or on {day(known)}"
    if span.precision == "day":
        return day(start)
    if span.precision == "month":
        return f"some day in {_MONTHS[start.month - 1]} {start.year}"
    if span.precision == "year":
        return f"some day in {start.year}"
    both = _from_to(start, end)
    return both if span.precision == "interval" else f"some day from {both}"


def _from_to(start: date, end: date) -> str:
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day} to {day(end)}"
    if start.year == end.year:
        return f"{start.day} {_MONTHS[start.month - 1]} to {day(end)}"
    return f"{day(start)} to {day(end)}"


def day(day_: date) -> str:
    """Say a day."""
    return f"{day_.day} {_MONTHS[day_.month - 1]} {day_.year}"


def moment(text: str) -> str:
    """Say an RFC 3339 time to the minute, in UTC."""
    return f"{day(date.fromisoformat(text[:10]))}, {text[11:16]} UTC"


def where(record: Mapping[str, Any]) -> str:
    """Say where it happened: venue, city, division and country, as far as they are given."""
    return ", ".join(where_parts(record))


def where_parts(record: Mapping[str, Any]) -> list[str]:
    """Return venue, city, division and country, as far as they are given."""
    division = record["admin1"] if record["admin1"] != record["city"] else None
    parts = [record["venue"], record["city"], division, record["country_name"]]
    return [part for part in parts if part]


def yes_or_no(value: bool | None) -> str:
    """Say a yes, a no, or that neither is reported."""
    return NOT_REPORTED if value is None else "yes" if value else "no"


def bounds(record: Mapping[str, Any], name: str) -> str:
    """Say what a count's bounds are, beside its text."""
    best, low, high = (record[f"{name}{end}"] for end in ("", "_low", "_high"))
    if best is None and low is None and high is None:
        return "no source gives a figure"
    if low == best == high:
        return "reported as none" if best == 0 else "exact as reported"
    ends = "no lower bound" if low is None else f"at least {low:,}"
    ends += ", no upper bound" if high is None else f", at most {high:,}"
    return ends


def value(name: str, stored: Any) -> str:
    """Say a value of any field, for histories."""
    if stored is None:
        return NOT_REPORTED if name in (*COUNT_FIELDS, "property_damage") else "none"
    if isinstance(stored, bool):
        return yes_or_no(stored)
    if name in ("type", "status", "geo_precision", "date_precision") and isinstance(stored, str):
        return label(name, stored)
    if name == "community_role" or name == "role":
        return label("role", str(stored))
    if isinstance(stored, list):
        return ", ".join(value(name, item) for item in stored) or "none"
    if isinstance(stored, dict):
        return "; ".join(
            f"{member.replace('_', ' ')}: {value(member, item)}"
            for member, item in stored.items()
            if item not in (None, [], "")
        )
    return str(stored)


def figure(claim: Mapping[str, Any]) -> str:
    """Say what a claim gives: a value, bounds, or words alone."""
    exact, low, high = claim["value"], claim["low"], claim["high"]
    if exact is not None:
        if claim["field"] == "date":
            return when(exact)
        return f"{exact:,}" if type(exact) is int else value(claim["field"], exact)
    if low is not None and high is not None:
        return f"{low:,} to {high:,}"
    if low is not None:
        return f"at least {low:,}"
    if high is not None:
        return f"at most {high:,}"
    return "no figure, in words only"
