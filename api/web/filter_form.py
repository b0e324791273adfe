"""Forms: the filters of a query as fields and as a list of what is chosen.

The address of a page is the API's own query. What an HTML form adds of its own (empty fields, a
name given twice) is put into the query language first.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from api.web import labels as words
from schemas.countries import country_names
from schemas.errors import ErrorDetail
from schemas.query.filters import IncidentQuery
from schemas.query.parameters import AnyOf, QueryError
from schemas.vocabulary import EVENT_TYPES

Pairs = list[tuple[str, str]]
# Fields that a form shows by themselves; all others are kept as they stand.
SHOWN = ("q", "community", "country", "type", "date_from", "date_to")
_NAMES = {
    "q": "text",
    "date_from": "from",
    "date_to": "until",
    "bbox": "area on the map",
    "min_sources": "sources at least",
}
SORTS = {
    "": "Newest first",
    "date": "Oldest first",
    "-updated_at": "Changed last first",
    "-arrests": "Most arrests first",
    "-injuries": "Most injuries first",
}
BEST = ("sort", "relevance")
# Of a page's own: the number of its first record, beside the cursor that leads to it.
START = "start"
MOST = 10**9
_CONTROLS = ("cursor", START, "sort", "limit")


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of a field."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """A filter that is set: what it says, and the address without it."""

    says: str
    without: str


def normalised(arguments: Iterable[tuple[str, Sequence[str]]]) -> Pairs:
    """Write what a form sent as the query language has it: nothing empty, alternatives joined."""
    pairs: Pairs = []
    for name, texts in arguments:
        values = [value.strip() for value in texts if value.strip()]
        parameter = IncidentQuery._declared_fields.get(name)
        if isinstance(parameter, AnyOf) and parameter.kind == "any" and len(values) > 1:
            values = [",".join(values)]
        pairs += [(name, value) for value in dict.fromkeys(values)]
    if BEST in pairs and "q" not in dict(pairs):  # the text was emptied, the order left as it was
        pairs.remove(BEST)
    if "cursor" not in dict(pairs):
        pairs = [pair for pair in pairs if pair[0] != START]
    return pairs


def start_of(pairs: Pairs) -> int:
    """Return the number of the first record of the page. Raises QueryError: it is no number."""
    text = dict(pairs).get(START, "1")
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:12]) <= MOST:
        detail = "It is the number of the first record of the page, such as 51."
        raise QueryError({START: [ErrorDetail("invalid", detail)]})
    return int(text)


def span(start: int, end: int, total: int | None) -> str | None:
    """Say which records a page holds: `51–100 of 20,000`; nothing where it holds all."""
    if end < start or (start == 1 and end == total):
        return None
    return f"{start:,}–{end:,}" + (f" of {total:,}" if total is not None else "")


def written(pairs: Pairs) -> str:
    """Write PAIRS as a query string."""
    return urlencode(pairs, safe=":,")


def address(pairs: Pairs, path: str = "/") -> str:
    """Write PATH with PAIRS as its query."""
    return f"{path}?{written(pairs)}" if pairs else path


def filters_of(pairs: Pairs) -> Pairs:
    """Leave out of PAIRS where a page begins and how it is ordered."""
    return [pair for pair in pairs if pair[0] not in _CONTROLS]


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of the form, and what is chosen."""

    texts: Mapping[str, str]
    communities: Sequence[Sequence[Option]]
    countries: Sequence[Option]
    types: Sequence[Option]
    sorts: Sequence[Option]
    hidden: Pairs
    chosen: Sequence[ActiveFilter]
    searchable: bool


def form(pairs: Pairs, communities: Mapping[str, str], recorded: Collection[str]) -> Form:
    """Lay out the form for the query PAIRS; COMMUNITIES are names by id, those RECORDED offered."""
    first = dict(pairs)
    groups = [value for name, value in pairs if name == "community"]
    beyond = [("community", value) for value in groups[2:]]
    hidden = [pair for pair in pairs if pair[0] not in (*SHOWN, "sort", "cursor", START)]
    sorts = SORTS | ({BEST[1]: "Best match first"} if "q" in first else {})
    countries = dict(sorted(country_names().items(), key=lambda row: row[1]))
    return Form(
        texts={name: first.get(name, "") for name in ("q", "date_from", "date_to")},
        communities=[
            _options(
                {id_: name for id_, name in communities.items() if id_ in {*recorded, group}}, group
            )
            for group in [*groups, "", ""][:2]
        ],
        countries=_options(countries, first.get("country", "")),
        types=_options(
            {type_.id: type_.label for type_ in EVENT_TYPES.values()}, first.get("type", "")
        ),
        sorts=_options(sorts, first.get("sort", ""))[1:],
        hidden=hidden + beyond,
        chosen=[
            ActiveFilter(
                _says(name, value, communities), address(filters_of(_without(pairs, index)))
            )
            for index, (name, value) in enumerate(pairs)
            if name not in _CONTROLS
        ],
        searchable="q" in IncidentQuery._declared_fields,
    )


def _without(pairs: Pairs, index: int) -> Pairs:
    return [pair for number, pair in enumerate(pairs) if number != index]


def _options(labels: Mapping[str, str], value: str) -> list[Option]:
    """Lay out a choice; a VALUE that is not among the labels is a choice of its own."""
    any_ = [Option("", "Any", not value)]
    options = [Option(id_, text, id_ == value) for id_, text in labels.items()]
    if value and value not in labels:
        options.insert(0, Option(value, _alternatives(value, labels), chosen=True))
    return any_ + options


def _alternatives(alternatives: str, labels: Mapping[str, str]) -> str:
    """Say alternatives, each perhaps bound to a role."""
    words_ = []
    for alternative in alternatives.split(","):
        name, _, role = alternative.partition(":")
        words_.append(labels.get(name, name) + (f" ({words.label('role', role)})" if role else ""))
    return " or ".join(words_)


def _says(name: str, value: str, communities: Mapping[str, str]) -> str:
    if name == "community":
        return f"community: {_alternatives(value, communities)}"
    if name == "country":
        return f"country: {_alternatives(value, country_names())}"
    if name == "type":
        labels = {type_.id: type_.label for type_ in EVENT_TYPES.values()}
        return f"type: {_alternatives(value, labels)}"
    if name == "bbox":
        return _NAMES[name]
    return f"{_NAMES.get(name, name.replace('_', ' '))}: {value.replace(',', ', ')}"
