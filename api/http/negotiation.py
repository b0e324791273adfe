"""Negotiation: which format an answer takes, by the address, by `format=`, or by Accept.

A suffix (`/incidents.csv`) and `format=csv` are explicit and have to agree; Accept chooses where
neither stands, and is a 406 where it excludes what they say, or everything there is. Nothing is
chosen against what the caller said.
"""

from collections.abc import Mapping
from functools import lru_cache

from flask import request
from werkzeug.http import parse_accept_header

from api.core.errors import ApiError, not_found
from api.core.media_formats import Format
from schemas.errors import ErrorDetail
from schemas.query.parameters import QueryError


def choose(
    offered: Mapping[str, Format], suffix: str | None = None, *, strict: bool = True
) -> Format:
    """Choose of the formats OFFERED by the request, whose address ended on SUFFIX.

    The first is the default; unless STRICT it is chosen too where Accept takes none. Raises
    ApiError: not found for an unknown suffix, not acceptable; QueryError where `format` contradicts
    the suffix.
    """
    explicit = _explicit(offered, suffix)
    accept = request.environ.get("HTTP_ACCEPT")
    if not accept or accept == "*/*":
        return explicit or next(iter(offered.values()))
    if explicit is None:
        format_ = _preferred(tuple(offered.values()), accept)
        if format_ is None and not strict:
            return next(iter(offered.values()))
        if format_ is None:
            raise ApiError("not-acceptable", f"This can be answered as {_listed(offered)}.")
        return format_
    if not _accepts(explicit, accept):
        raise ApiError(
            "not-acceptable",
            f"The address asks for {explicit.name}, and Accept does not take "
            f"{explicit.mimetype}; leave one of them out.",
        )
    return explicit


def _explicit(offered: Mapping[str, Format], suffix: str | None) -> Format | None:
    """Read the format that the address names, by suffix or parameter."""
    if suffix is not None and suffix not in offered:
        known = ", ".join(offered)
        extra = " Parquet is an extra of the service that is not installed." * (suffix == "parquet")
        raise not_found(f"There is no format {suffix[:20]!r} here; there are {known}.{extra}")
    names = request.args.getlist("format") if request.query_string else []
    # What is repeated or unknown is refused by the schema of the query, like any parameter.
    name = names[0] if len(names) == 1 and names[0] in offered else None
    if suffix is None:
        return offered.get(name or "")
    if name is not None and name != suffix:
        detail = f"The address ends on .{suffix} and format says {name}; leave one of them out."
        raise QueryError({"format": [ErrorDetail("contradiction", detail)]})
    return offered[suffix]


def _listed(offered: Mapping[str, Format]) -> str:
    return ", ".join(f"{name} ({format_.mimetype})" for name, format_ in offered.items())


@lru_cache(maxsize=256)
def _preferred(offered: tuple[Format, ...], accept: str) -> Format | None:
    """Choose the format that ACCEPT likes best, then the one it names most exactly."""
    best: tuple[float, int] = (0.0, -1)
    preferred = None
    for format_ in offered:
        types = (format_.mimetype, *format_.aliases)
        liked = max(_quality(type_, accept) for type_ in types)
        if liked[0] > 0 and liked > best:
            best, preferred = liked, format_
    return preferred


def _quality(type_: str, accept: str) -> tuple[float, int]:
    """Return how much ACCEPT likes a media type, by its most exact range, and how exact that is."""
    ranges = {"*/*": 0, f"{type_.partition('/')[0]}/*": 1, type_: 2}
    matched = [
        (ranges[value.partition(";")[0].strip().lower()], quality)
        for value, quality in parse_accept_header(accept)
        if value.partition(";")[0].strip().lower() in ranges
    ]
    exactness, quality = max(matched, default=(-1, 0.0))
    return quality, exactness


def _accepts(format_: Format, accept: str) -> bool:
    types = (format_.mimetype, *format_.aliases, *format_.broader)
    return any(_quality(type_, accept)[0] > 0 for type_ in types)
