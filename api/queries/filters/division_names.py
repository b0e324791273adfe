"""Divisions that a filter names: in any spelling, or by ISO 3166-2, of the countries asked for."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from api.core.permissions import Actor
from api.database.readers import Reader
from api.geo import lookup
from api.geo.place_errors import country_with_code, described, short
from api.models import Incident
from api.models.tables import key, table
from api.queries.filters.name_checks import MOST_SUGGESTED, held
from schemas.countries import (
    Division,
    DivisionName,
    country_code,
    country_names,
    division_label,
    divisions_named,
    iso_divisions,
    likely_divisions,
    near_divisions,
    without_kind,
)
from schemas.errors import ErrorDetail
from schemas.name_folding import fold
from schemas.query.parameters import QueryError

_ADMIN1_KEY = table(Incident).c.admin1_key
_LONGEST_CODE = 3
_MOST_CODES = 20
_MOST_SHOWN = 5
_MOST_NEAR = 3  # divisions that are equally near by spelling; of more none is likely


def resolve(
    reader: Reader, criteria: Mapping[str, Any], actor: Actor
) -> tuple[list[str], tuple[dict[str, str], ...]]:
    """Return the keys of what `admin1` of the CRITERIA means, and what was assumed of names.

    They are divisions of the countries that the criteria name, or of the world. Raises QueryError
    for a name that no division has, nor any record that ACTOR may read, for one that several have,
    and for that of a part of a division.
    """
    countries = criteria.get("country", ())
    keys: dict[str | None, None] = {}
    unknown: list[str] = []
    faults: list[ErrorDetail] = []
    warnings: list[dict[str, str]] = []
    for text in criteria["admin1"]:
        names = _named(text, countries)
        meant = _likeliest(text, names, countries)
        if not meant:
            unknown.append(text)
        elif meant[0].is_part or _is_ambiguous(meant, countries):
            faults.append(_several(text, meant))
        else:
            divisions = [name.division for name in meant]
            keys |= dict.fromkeys(map(_key, divisions))
            # A record of before may have it in the very spelling that is asked for.
            keys |= dict.fromkeys(key(f"{each.country} {text}") for each in divisions)
            warnings += _assumed(text, names, meant)
    if unknown:
        as_written, more = _as_written(reader, unknown, countries, actor)
        keys |= dict.fromkeys(as_written)
        faults += more
    if faults:
        raise QueryError({"admin1": faults})
    return [each for each in keys if each is not None], tuple(warnings)


def _as_written(
    reader: Reader, texts: list[str], countries: Sequence[str], actor: Actor
) -> tuple[list[str], list[ErrorDetail]]:
    """Return the keys of TEXTS that records have though no division does, and faults of others.

    Of the first faults it is said what may be meant.
    """
    owners = {key(f"{c} {text}"): text for text in texts for c in countries or country_names()}
    as_written = sorted(held(reader, _ADMIN1_KEY, owners.keys(), actor))
    found = {owners[each] for each in as_written}
    unknown = [text for text in texts if text not in found]
    faults = [_unknown(reader, text, countries) for text in unknown[:MOST_SUGGESTED]]
    faults += [
        _error("unknown_division", _none(text, countries), []) for text in unknown[MOST_SUGGESTED:]
    ]
    return as_written, faults


def _key(division: Division) -> str | None:
    return key(division_label(division.country, division.name))


def _named(text: str, countries: Collection[str]) -> list[DivisionName]:
    """Return what TEXT names of COUNTRIES, or of the world."""
    if not countries:
        if names := iso_divisions(text):
            return names
        # A few letters are a name (Goa, Uri) or a code, which needs its country.
        meant = divisions_named(text) or divisions_named(without_kind(text))
        names = [name for name in meant if not name.is_part or len(text) > _LONGEST_CODE]
        countries = dict.fromkeys(name.division.country for name in names)
    return [name for country in countries for name in likely_divisions(text, country)]


def _likeliest(
    text: str, names: list[DivisionName], countries: Collection[str]
) -> list[DivisionName]:
    """Return whole divisions before parts of one; of the world's, first those shown so."""
    whole = [name for name in names if not name.is_part] or names
    shown = [name for name in whole if fold(name.division.name) == fold(text)]
    return whole if countries else shown or whole


def _is_ambiguous(meant: list[DivisionName], countries: Collection[str]) -> bool:
    """Whether several divisions are meant where one was asked for, of each country given."""
    most = len({name.division.country for name in meant}) if countries else 1
    return len({_key(name.division) for name in meant}) > most


def _assumed(
    text: str, names: list[DivisionName], meant: list[DivisionName]
) -> Iterator[dict[str, str]]:
    """Yield a warning where TEXT names other divisions than those MEANT too."""
    others = [name for name in names if name not in meant]
    if others:
        taken, other = (_described(each[0].division) for each in (meant, others))
        what = "the name of a part of" if others[0].is_part else "a name of"
        detail = f'admin1: "{short(text)}" was taken for {taken}. It is also {what} {other}.'
        yield {"parameter": "admin1", "code": "division_taken", "detail": detail}


def _several(text: str, meant: list[DivisionName]) -> ErrorDetail:
    """Return what is said of the name of several divisions, or of a part of one."""
    divisions = list(dict.fromkeys(name.division for name in meant))[:_MOST_SHOWN]
    listed = " or ".join(map(_described, divisions))
    if meant[0].is_part:
        detail = f'"{short(text)}" is a part of {listed}; admin1 takes the whole division.'
        return _error("part_of_division", detail, list(map(_code, divisions)))
    detail = f'"{short(text)}" may mean {listed}: give its code, or the country with its name.'
    return _error("ambiguous_division", detail, list(map(_code, divisions)))


def _unknown(reader: Reader, text: str, countries: Sequence[str]) -> ErrorDetail:
    """Return what is said of a TEXT that is no division: by meaning first, spelling last."""
    detail = _none(text, countries)
    country = country_code(text) if len(fold(text)) > _LONGEST_CODE else None
    if country is not None:
        return _error("unknown_division", f"{detail}, but a country: give country={country}.", [])
    if not countries and (codes := _coded(text)):
        detail += f" without its country: give {' or '.join(codes)}."
        return _error("unknown_division", detail, codes)
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 1 and all(_named(part, countries) for part in parts):
        joined = ",".join(parts)
        detail += f"; without the blank after the comma it is several: {joined}"
        return _error("blank_after_comma", detail, [joined])
    head, _, tail = text.rpartition(",")
    beside = country_code(tail)
    elsewhere = likely_divisions(head, beside) if beside else _named(text, ()) if countries else []
    if elsewhere:
        division = elsewhere[0].division
        detail += f"; {_described(division)} is one: give that country, or the code alone."
        return _error("unknown_division", detail, [_code(division)])
    with reader.engine.connect() as connection:
        places = lookup.places_meant(connection, text)
    place = next((each for each in places if each.country in countries or not countries), None)
    if place is not None:
        detail += f"; {described(place)} is a place in one: give city={short(text)}"
        detail += f", or admin1={place.admin1}." if place.admin1 else "."
        return _error("unknown_division", detail, [])
    near = near_divisions(text, countries)
    if 0 < len(near) <= _MOST_NEAR:
        detail += f". Did you mean {' or '.join(map(_described, near))}?"
        return _error("unknown_division", detail, list(map(_code, near)))
    detail += "; it takes a name such as Bavaria, or a code of ISO 3166-2 such as DE-BY."
    return _error("unknown_division", detail, [])


def _none(text: str, countries: Sequence[str]) -> str:
    where = " or ".join(map(country_with_code, countries[:_MOST_SHOWN]))
    return f'"{short(text)}" is no division{where and f" of {where}"} that is known here'


def _coded(text: str) -> list[str]:
    """Return the codes of the world's divisions that end in TEXT, the first of them."""
    if len(text) > _LONGEST_CODE:
        return []
    names = (name for code in country_names() for name in iso_divisions(f"{code}-{text}"))
    codes = (name.division.iso for name in names if name.by_code)
    return list(dict.fromkeys(code for code in codes if code))[:_MOST_CODES]


def _error(code: str, detail: str, suggestions: list[str]) -> ErrorDetail:
    only = suggestions[0] if len(suggestions) == 1 else None
    several = suggestions if len(suggestions) > 1 else None
    return ErrorDetail(code, detail, suggestion=only, suggestions=several)


def _described(division: Division) -> str:
    code = f" ({division.iso})" if division.iso else ""
    return f"{division.name}{code}, {country_with_code(division.country)}"


def _code(division: Division) -> str:
    return division.iso or division.name
