"""Forms: the filters of a query as fields and as a list of what is chosen.

The address of a page is the API's own query. What an HTML form adds of its own (empty fields, a
name given twice) is put into the query language first.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from api.web import labels as words
from schemas.countries import country_names
from schemas.errors import ErrorDetail
from schemas.query.filters import IncidentQuery
from schemas.query.parameters import AnyOf, QueryError
from schemas.vocabulary import EVENT_TYPES, POLICE_MEASURES

Pairs = list[tuple[str, str]]
# Counts that a form asks for, each at least and at most.
_COUNTS = ("arrests", "injuries", "deaths", "participants")
COUNT_FIELDS = tuple(f"{end}_{name}" for name in _COUNTS for end in ("min", "max"))
# Fields of the form: those that take a text, and those that take a choice.
_MORE_TEXTS = (*COUNT_FIELDS, "tag", "admin1")
_MORE_CHOICES = ("police_measure", "episode", "disputed")
TEXTS = ("q", "city", "date_from", "date_to", *_MORE_TEXTS)
CHOICES = ("country", "type", *_MORE_CHOICES)
LABELS = {
    "q": "Text",
    "city": "City",
    "community": "Community",
    "country": "Country",
    "type": "Type",
    "date_from": "From",
    "date_to": "Until",
    "sort": "Order",
    "police_measure": "Measure of the police",
    "episode": "Episode",
    "disputed": "Sources disagree",
    "tag": "Tag",
    "admin1": "State or region",
    **{
        f"{end}_{name}": f"{words.COUNTS[name]}, at {'least' if end == 'min' else 'most'}"
        for name in _COUNTS
        for end in ("min", "max")
    },
}
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
DISPUTED = {"true": "On something", "false": "On nothing"}
BEST = ("sort", "relevance")
# Of a page's own: the number of its first record, beside the cursor that leads to it.
START = "start"
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
    if not re.fullmatch("[1-9][0-9]{0,9}", text):
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
    choices: Mapping[str, Sequence[Option]]
    hidden: Pairs
    chosen: Sequence[ActiveFilter]
    searchable: bool
    more_set: bool
    labels: Mapping[str, str]
    counts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Offered:
    """What published records have, and the names of communities and episodes by id."""

    communities: Collection[str]
    countries: Collection[str]
    types: Collection[str]
    episodes: Collection[str]
    community_names: Mapping[str, str]
    episode_names: Mapping[str, str]


def form(pairs: Pairs, offered: Offered) -> Form:
    """Lay out the form for the query PAIRS."""
    first = dict(reversed(pairs))
    groups = [value for name, value in pairs if name == "community"]
    return Form(
        texts={name: first.get(name, "") for name in TEXTS},
        communities=[
            _options(offered.community_names, group, offered.communities)
            for group in [*groups, "", ""][:2]
        ],
        choices=_choices(first, offered),
        hidden=_hidden(pairs),
        chosen=[
            ActiveFilter(
                _says(name, value, offered.community_names),
                address(filters_of(_without(pairs, index))),
            )
            for index, (name, value) in enumerate(pairs)
            if name not in _CONTROLS
        ],
        searchable="q" in IncidentQuery._declared_fields,
        more_set=any(name in first for name in (*_MORE_TEXTS, *_MORE_CHOICES)),
        labels=LABELS,
        counts=COUNT_FIELDS,
    )


def _choices(first: Mapping[str, str], offered: Offered) -> dict[str, Sequence[Option]]:
    """Lay out the choices; of countries, types and episodes those that occur."""
    countries = dict(sorted(country_names().items(), key=lambda row: row[1]))
    types = {type_.id: type_.label for type_ in EVENT_TYPES.values()}
    measures = {measure.id: measure.label for measure in POLICE_MEASURES.values()}
    sorts = SORTS | ({BEST[1]: "Best match first"} if "q" in first else {})
    named = {
        "country": (countries, offered.countries),
        "type": (types, offered.types),
        "episode": (offered.episode_names, offered.episodes),
        "police_measure": (measures, measures),
        "disputed": (DISPUTED, DISPUTED),
    }
    return {
        **{
            name: _options(names, first.get(name, ""), occurring)
            for name, (names, occurring) in named.items()
        },
        "sort": _options(sorts, first.get("sort", ""), sorts)[1:],
    }


def _hidden(pairs: Pairs) -> Pairs:
    """Return what no field of the form shows, the further values of what is repeated included."""
    room = {"community": 2, **dict.fromkeys((*TEXTS, *CHOICES), 1)}
    hidden = []
    for name, value in pairs:
        room[name] = room.get(name, 0) - 1
        if room[name] < 0 and name not in ("sort", "cursor", START):
            hidden.append((name, value))
    return hidden


def _without(pairs: Pairs, index: int) -> Pairs:
    return [pair for number, pair in enumerate(pairs) if number != index]


def _options(labels: Mapping[str, str], value: str, occurring: Collection[str]) -> list[Option]:
    """Lay out a choice of what is OCCURRING; another VALUE is a choice of its own."""
    any_ = [Option("", "Any", not value)]
    options = [
        Option(id_, text, id_ == value)
        for id_, text in labels.items()
        if id_ in occurring or id_ == value
    ]
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
