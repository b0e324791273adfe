"""The claims ledger: who says what of each figure, what conflicts, and what was not compared.

Of one record it is worked out from its document; across records the claims are found by their
rows, and laid out from the documents in the same way.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, not_, select, tuple_

from api import queries
from api.database.readers import PreparedStatement, Reader
from api.database.statements import InJsonList, json_list
from api.documents import claim_of, load
from api.models import Article, Claim, Dataset, Incident, Source, Version
from api.models.tables import key, table
from api.queries import Page, cursors
from api.queries.filters.table import Clause, Filter, Shape, any_of, words
from schemas import claims
from schemas.claims import CLAIM_FIELDS, Range, range_of
from schemas.counts import COUNT_FIELDS, Figure
from schemas.query.filters import DEFAULT_LIMIT
from schemas.query.loading import LoadedQuery
from schemas.record_state import figure_of

# Conflicts of one claim, and pairs on one field, that an answer lists; it counts them all.
MOST_LISTED = 100

_ABOUT = ("id", "url", "title", "date", "city", "country")
# The members of a claim in the list of all claims, for `fields=`.
FIELDS = frozenset(
    (
        "incident",
        "pointer",
        "field",
        "value",
        "low",
        "high",
        "text",
        "attributed_to",
        "community",
        "scope",
        "article",
        "locator",
        "headline",
        "agrees",
        "conflicts",
        "conflicts_with",
    )
)


class Ledger:
    """The claims of one document, in its order."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self._told = [
            (f"/sources/{place}/claims/{position}", source, claim)
            for place, source in enumerate(document["sources"])
            for position, claim in enumerate(source["claims"])
        ]
        self._places = {pointer: number for number, (pointer, _, _) in enumerate(self._told)}
        self._claims = [claim_of(claim) for _, _, claim in self._told]
        self._conflicts = claims.conflicts_by_claim(self._claims, MOST_LISTED)
        self._headlines = {field: _headline_range(document, field) for field in CLAIM_FIELDS}

    def __len__(self) -> int:
        """Count the claims."""
        return len(self._told)

    def find(self, source: int, position: int) -> int | None:
        """Give the number of a claim by the places of its source and its own."""
        return self._places.get(f"/sources/{source}/claims/{position}")

    def entry(self, number: int) -> dict[str, Any]:
        """Lay out one claim with its source and how it stands to the others and the headline."""
        pointer, source, claim = self._told[number]
        conflicts, others = self._conflicts.get(number, (0, []))
        return {
            "pointer": pointer,
            **claim,
            "article": source["article"],
            "locator": source["locator"],
            "agrees": self._agrees(number),
            "conflicts": conflicts,
            "conflicts_with": [self._told[other][0] for other in others],
        }

    def entry_apart(self, number: int) -> dict[str, Any]:
        """Lay out one claim so that it is understood without its record."""
        found = self.entry(number)
        about = {name: self.document[name] for name in _ABOUT}
        return {"incident": about, **found, "headline": _text(self.document, found["field"])}

    def fields(self) -> dict[str, Any]:
        """Say of each field the headline, what agrees with it, what conflicts, and why."""
        numbers: dict[str, list[int]] = {field: [] for field in CLAIM_FIELDS}
        for number, claim in enumerate(self._claims):
            numbers[claim.field].append(number)
        return {field: self._field(field, numbers[field]) for field in CLAIM_FIELDS}

    def _field(self, field: str, numbers: Sequence[int]) -> dict[str, Any]:
        told = [self._claims[number] for number in numbers]
        agree = [self._told[number][0] for number in numbers if self._agrees(number)]
        conflicts = [
            self._pair(number, other, self._why(number, other))
            for number in numbers
            for other in self._conflicts.get(number, (0, []))[1]
            if number < other
        ]
        gaps = claims.not_compared(told, MOST_LISTED)
        return {
            **_headline(self.document, field),
            "text": _text(self.document, field),
            "disputed": field in self.document["disputed"],
            "claims": len(numbers),
            "agree": agree[:MOST_LISTED],
            "conflicts": conflicts[:MOST_LISTED],
            "conflicts_total": sum(self._conflicts.get(n, (0, []))[0] for n in numbers) // 2,
            "not_compared": [self._pair(numbers[a], numbers[b], why) for a, b, why in gaps],
            "not_compared_total": claims.number_not_compared(told),
        }

    def _pair(self, one: int, other: int, reason: str) -> dict[str, Any]:
        return {"claims": [self._told[one][0], self._told[other][0]], "reason": reason}

    def _why(self, one: int, other: int) -> str:
        said = [_said(self._claims[number]) for number in (one, other)]
        return f"{said[0]} and {said[1]} cannot both be right"

    def _agrees(self, number: int) -> bool | None:
        """Tell whether a claim about the whole can be right together with the headline."""
        claim = self._claims[number]
        headline, range_ = self._headlines[claim.field], range_of(claim)
        if headline is None or range_ is None or claim.community is not None:
            return None
        return bool(range_[0] <= headline[1] and headline[0] <= range_[1])  # type: ignore[operator]


def _headline(document: Mapping[str, Any], field: str) -> dict[str, Any]:
    if field in COUNT_FIELDS:
        figure = figure_of(document, field)
        return {"best": figure.best, "low": figure.low, "high": figure.high}
    return {"value": document[field]}


def _headline_range(document: Mapping[str, Any], field: str) -> Range | None:
    """Give the range of a headline; "about 3,000" with no bounds is 3,000."""
    if field not in COUNT_FIELDS:
        return range_of(claims.Claim(field, document[field]))
    figure = figure_of(document, field)
    if figure.low is None and figure.high is None:
        return range_of(claims.Claim(field, figure.best))
    return range_of(claims.Claim(field, low=figure.low, high=figure.high))


def _text(document: Mapping[str, Any], field: str) -> str:
    if field in COUNT_FIELDS:
        return figure_of(document, field).text
    return str(_SAID.get(document[field], document[field]))


_SAID: dict[Any, str] = {None: "not reported", True: "yes", False: "no"}


def _said(claim: claims.Claim) -> str:
    """Say in words what a claim gives."""
    if claim.field in COUNT_FIELDS:
        value = claim.value
        assert value is None or isinstance(value, int)
        low, high = (claim.low, claim.high) if value is None else (value, value)
        return Figure(low, value, high).text
    assert claim.value is not None
    return str(_SAID.get(claim.value, claim.value))


# The claims of all published records.

_incidents, _claims = table(Incident).c, table(Claim).c
_sources, _articles = table(Source).c, table(Article).c
_CONFLICTING: ColumnElement[bool] = literal_column("claims.conflicting")  # as its index has it


def _conflicting(word: str) -> Clause:
    return _CONFLICTING if word == "true" else not_(_CONFLICTING)


FILTERS: dict[str, Filter] = {
    "field": any_of(_claims.field),
    "attributed_to": any_of(_claims.attributed_key),
    "community": any_of(_claims.community),
    "conflicting": words(_conflicting),
    "publisher": any_of(_articles.publisher_key),
    "article": any_of(_articles.id),
    "incident": any_of(_incidents.id),
    **{
        name: queries.FILTERS[name]
        for name in ("country", "city", "type", "episode", "date", "date_from", "date_to")
    },
}
# The order of the rows, by which the indexes of claims lead on. A cursor names the record by its
# id: keys of rows would tell of drafts by what is missing between them.
_ORDER = (_claims.incident_pk, _claims.source_position, _claims.position)
_LAST = select(_incidents.pk).where(_incidents.id == bindparam("after_id")).scalar_subquery()
_VERSION = select(Dataset.version).scalar_subquery()
_DOCUMENTS = select(Version.pk, Version.document).where(InJsonList(table(Version).c.pk, "pks"))


@dataclass(frozen=True, slots=True)
class _Walk:
    """What decides the SQL of a query."""

    filters: tuple[tuple[str, Shape], ...]
    after: bool = False
    counting: bool = False


def resolved(query: LoadedQuery) -> LoadedQuery:
    """Look up the names in QUERY, as they are written in the rows."""
    query = queries.resolved(query)
    names = query.criteria.get("attributed_to")
    if names is None:
        return query
    keys = list(dict.fromkeys(found for found in map(key, names) if found is not None))
    return replace(query, criteria={**query.criteria, "attributed_to": keys})


def page(reader: Reader, query: LoadedQuery) -> Page:
    """Read a page of the claims that a resolved QUERY means, in published records.

    Raises QueryError for a cursor that is not of this query.
    """
    criteria = queries.windowed(query.criteria)
    limit = query.limit or DEFAULT_LIMIT
    digest, place, seen = _begin(query, criteria)
    rows = _rows(reader, criteria, place, limit + 1)
    version = rows[0][4] if rows else reader.run(_STATE)[0][0]
    more = len(rows) > limit
    following = None
    if more:
        rows = rows[:limit]
        following = cursors.write(digest, *rows[-1][:3], seen + limit)
    total, relation = seen + len(rows) + more, "gte" if more or seen else "eq"
    if query.count == "exact" and relation == "gte":
        total, relation = _count(reader, criteria), "eq"
    return Page(list(_laid_out(reader, rows)), following, total, relation, version)


def batches(reader: Reader, query: LoadedQuery) -> Iterator[list[bytes]]:
    """Read all claims that a resolved QUERY means, up to BATCH at a time.

    For one state of the data, run it within `reader.snapshot()`. Raises QueryError as `page` does.
    """
    criteria = queries.windowed(query.criteria)
    _, place, _ = _begin(query, criteria)
    while rows := _rows(reader, criteria, place, BATCH):
        yield list(_laid_out(reader, rows))
        place = rows[-1][:3]


def _count(reader: Reader, criteria: Mapping[str, Any]) -> int:
    """Count exactly the claims that CRITERIA mean."""
    walk = replace(_walk_of(criteria, after=False), counting=True)
    found: int = reader.rows(_listing(reader, walk), _bound(criteria))[0][0]
    return found


def identity(query: LoadedQuery) -> str:
    """Say in full which claims a resolved QUERY means."""
    return repr((sorted(query.criteria.items()), query.cursor))


BATCH = 1000
_STATE = select(Dataset.version)
_AFTER = ("after_id", "after_source", "after_claim")


def _begin(query: LoadedQuery, criteria: Mapping[str, Any]) -> tuple[str, Sequence[Any], int]:
    """Give the digest of the filters, the place that the cursor names, and how many came before."""
    digest = hashlib.sha256(repr(sorted(criteria.items())).encode()).hexdigest()[:12]
    if query.cursor is None:
        return digest, (), 0
    of, *place, seen = cursors.read(query.cursor, str, str, int, int, int)
    if of != digest:
        raise cursors.refused("The cursor belongs to a query with other filters.")
    return digest, place, seen


def _rows(
    reader: Reader, criteria: Mapping[str, Any], place: Sequence[Any], limit: int
) -> Sequence[Any]:
    """Read the rows of at most LIMIT claims after PLACE; an empty one is the beginning."""
    values = _bound(criteria) | {"limit": limit} | dict(zip(_AFTER, place, strict=False))
    return reader.rows(_listing(reader, _walk_of(criteria, after=bool(place))), values)


def _bound(criteria: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in criteria.items():
        values |= FILTERS[name].values(name, value)
    return values


def _walk_of(criteria: Mapping[str, Any], *, after: bool) -> _Walk:
    filters = tuple((name, FILTERS[name].shape(criteria[name])) for name in sorted(criteria))
    return _Walk(filters, after)


@lru_cache(maxsize=256)
def _listing(reader: Reader, walk: _Walk) -> PreparedStatement:
    """Make the statement of a page, or the one that counts."""
    names = {name for name, _ in walk.filters}
    conditions = [_incidents.status == literal_column("'published'")]
    conditions += [FILTERS[name].clause(name, below, None) for name, below in walk.filters]
    if walk.after:
        place = tuple_(_LAST, *map(bindparam, _AFTER[1:]))
        conditions.append(tuple_(*_ORDER) > place)
    told = table(Claim).join(table(Incident), _incidents.pk == _claims.incident_pk)
    if names & {"publisher", "article"}:
        same = (_sources.incident_pk == _claims.incident_pk) & (
            _sources.position == _claims.source_position
        )
        told = told.join(table(Source), same)
        told = told.join(table(Article), _articles.pk == _sources.article_pk)
    shown = (_incidents.id, *_ORDER[1:], _incidents.document_pk, _VERSION)
    statement: Select[*tuple[Any, ...]] = select(*shown)
    if walk.counting:
        statement = select(func.count())
    else:
        statement = statement.order_by(*_ORDER).limit(bindparam("limit"))
    return reader.prepare(statement.select_from(told).where(*conditions))


def _laid_out(reader: Reader, rows: Sequence[Any]) -> Iterator[bytes]:
    """Write the claims that ROWS point at, each from the document of its record."""
    pks = {row[3] for row in rows}
    texts = dict(reader.run(_DOCUMENTS, {"pks": json_list(pks)})) if pks else {}
    # The claims of a record come one after the other, so that one ledger at a time is held.
    for pk, told in groupby(rows, key=itemgetter(3)):
        text = texts.get(pk, "{}")
        if text == "{}":  # erased since the row was read
            continue
        ledger = Ledger(load(text))
        for _, source, position, *_ in told:
            number = ledger.find(source, position)
            if number is not None:
                # What orjson makes has room for some kilobytes, however short it is.
                yield bytes(memoryview(orjson.dumps(ledger.entry_apart(number))))
