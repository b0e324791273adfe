"""Loading: from the pairs of a query string to what they ask for."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from marshmallow import Schema, ValidationError

from schemas.common_words import PAGING, likely_parameters
from schemas.counts import COUNT_FIELDS
from schemas.errors import ErrorDetail
from schemas.query.parameters import CONTROLS, QueryError
from schemas.query.values import DEFAULT_RADIUS_KM


@dataclass(slots=True)
class LoadedQuery:
    """What a list was asked for: criteria by parameter, and how to answer."""

    criteria: dict[str, Any] = field(default_factory=dict)
    match: str | None = None
    sort: str = "-date"
    limit: int | None = None
    cursor: str | None = None
    count: str | None = None
    fields: list[str] | None = None
    format: str | None = None
    group_by: list[str] | None = None


@lru_cache(maxsize=128)
def _subset(schema: type[Schema], names: tuple[str, ...]) -> Schema:
    """Return a schema of the parameters that a request names: loading all of them costs more."""
    return schema(only=names)


@lru_cache(maxsize=64)
def required(schema: type[Schema]) -> tuple[str, ...]:
    """Name the parameters that a request must give."""
    declared: Mapping[str, Any] = schema._declared_fields
    return tuple(name for name, parameter in declared.items() if parameter.required)


def load(schema: type[Schema], arguments: Iterable[tuple[str, Sequence[str]]]) -> dict[str, Any]:
    """Load ARGUMENTS (name, values) by SCHEMA; raise QueryError by parameter."""
    parameters: dict[str, Any] = {}
    messages: dict[str, list[ErrorDetail]] = {}
    declared: Mapping[str, Any] = schema._declared_fields
    for name, values in arguments:
        parameter = declared.get(name)
        if parameter is None:
            messages[name[:80]] = [_unknown(name, declared, suggest=len(messages) < 20)]
        elif parameter.kind == "all":
            parameters[name] = values
        elif parameter.kind == "any":
            parameters[name] = ",".join(map(str.strip, values))
        elif len(values) > 1:
            detail = f"{name} is given once; here it stands {len(values)} times."
            messages[name] = [ErrorDetail("repeated", detail)]
        else:
            parameters[name] = values[0]
    for name in required(schema):
        if name not in parameters and name not in messages:
            form = f"{name}={declared[name].example}"
            messages[name] = [ErrorDetail("required", f"It is missing; give one, such as {form}.")]
    loaded: dict[str, Any] = {}
    try:
        if parameters:
            loaded = _subset(schema, tuple(sorted(parameters))).load(parameters)
    except ValidationError as error:
        messages |= error.messages_dict
    if messages:
        raise QueryError(messages)
    return loaded


def _unknown(name: str, declared: Collection[str], *, suggest: bool) -> ErrorDetail:
    likely = likely_parameters(name[:80], declared) if suggest else []
    hint = f"; did you mean {' or '.join(likely)}?" if likely else "."
    if name.lower() in PAGING and "cursor" in declared:
        hint = ": `limit` says how long a page is, and `next` in the answer leads on."
    return ErrorDetail(
        "unknown_parameter",
        f"There is no parameter {name[:40]!r} here{hint} /guide/reference lists them.",
        suggestion=likely[0] if len(likely) == 1 else None,
    )


def to_query(loaded: Mapping[str, Any]) -> LoadedQuery:
    """Part what was loaded into criteria and controls."""
    controls = {name: loaded[name] for name in CONTROLS & loaded.keys()}
    criteria = {name: value for name, value in loaded.items() if name not in CONTROLS}
    _check_bounds(criteria)
    radius_km = controls.pop("radius_km", None)
    if "near" in criteria:
        criteria["near"] = (criteria["near"], radius_km or float(DEFAULT_RADIUS_KM))
    elif radius_km is not None:
        detail = "radius_km is the distance from near; give near too, such as near=Brussels."
        raise QueryError({"radius_km": [ErrorDetail("missing_near", detail)]})
    return LoadedQuery(criteria=criteria, **controls)


def _check_bounds(criteria: Mapping[str, Any]) -> None:
    """Refuse a window that ends before it begins, and a least figure above the most."""
    messages = {}
    start, end = criteria.get("date_from"), criteria.get("date_to")
    if start is not None and end is not None and start.earliest > end.latest:
        detail = f"It ends before date_from={start.text}; nothing lies between the two."
        messages["date_to"] = [ErrorDetail("contradiction", detail)]
    for name in COUNT_FIELDS:
        least, most = criteria.get(f"min_{name}"), criteria.get(f"max_{name}")
        if least is not None and most is not None and least > most:
            detail = f"It is below min_{name}={least}; no figure lies between the two."
            messages[f"max_{name}"] = [ErrorDetail("contradiction", detail)]
    if messages:
        raise QueryError(messages)
