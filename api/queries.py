"""Filters, ordering and paging: which records a query means, and its stored documents.

`FILTERS` has one row for each parameter of the query schema. A query's *shape* (which filters, how
many alternatives, which order) becomes SQL once and is kept; the values are bound each time. A
statement reads the documents and the dataset version together, hence in one snapshot.

A date filter is two walks joined: dates that span a year or less are found by a range of
`sort_date` (their span bounds how far before the range they can start), wider ones apart.
"""

import base64
import hashlib
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Engine,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.sql import visitors

from api import gazetteer
from api.db import Prepared, Reader, db
from api.models import (
    Article,
    Dataset,
    Incident,
    IncidentCommunity,
    IncidentMeasure,
    Source,
    Version,
)
from api.roles import Actor
from api.rows import key, table
from schemas.counts import COUNT_FIELDS
from schemas.faults import Fault
from schemas.fields import MAX_COUNT
from schemas.query import DEFAULT_LIMIT, Query, QueryError

incidents = table(Incident).c
Shape = Hashable
Clause = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Filter:
    """A row of the table: how a parameter's value becomes a condition.

    `shape` is what of the value decides the SQL, `clause` makes the condition from the parameter's
    name, the shape and `match`, `values` gives what is bound.
    """

    shape: Callable[[Any], Shape]
    clause: Callable[[str, Any, str | None], Clause]
    values: Callable[[str, Any], dict[str, Any]]


def _bound_to(name: str) -> ColumnElement[Any]:
    return bindparam(name)


def _numbered(name: str, values: list[Any]) -> dict[str, Any]:
    return {f"{name}_{place}": value for place, value in enumerate(values)}


def _among(column: ColumnElement[Any], name: str, number: int) -> Clause:
    if number == 1:
        return column == bindparam(f"{name}_0")
    return column.in_([bindparam(f"{name}_{place}") for place in range(number)])


def any_of(column: ColumnElement[Any]) -> Filter:
    """Match records whose COLUMN is one of the alternatives."""
    return Filter(len, lambda name, number, _: _among(column, name, number), _numbered)


def words(clauses: Callable[[str], Clause]) -> Filter:
    """Match records by alternatives that each are a condition of their own."""
    return Filter(
        tuple,
        lambda _name, shape, _: or_(*(clauses(word) for word in shape)),
        lambda _name, _values: {},
    )


def one(clause: Callable[[ColumnElement[Any], str | None], Clause]) -> Filter:
    """Match records by one bound value."""
    return Filter(
        lambda _: None,
        lambda name, _, match: clause(bindparam(name), match),
        lambda name, value: {name: value},
    )


def _figure(name: str) -> list[ColumnElement[Any]]:
    """Give the columns of a count: best, low, high."""
    return [getattr(incidents, f"{name}{end}") for end in ("", "_low", "_high")]


def _at_least(name: str) -> Filter:
    best, low, high = _figure(name)
    reported = or_(best.is_not(None), low.is_not(None))

    def clause(bound: ColumnElement[Any], match: str | None) -> Clause:
        if match == "certain":
            return low >= bound
        if match == "possible":
            return or_(high >= bound, and_(high.is_(None), reported))
        return func.coalesce(best, low) >= bound

    return one(clause)


def _at_most(name: str) -> Filter:
    best, low, high = _figure(name)
    reported = or_(best.is_not(None), high.is_not(None))

    def clause(bound: ColumnElement[Any], match: str | None) -> Clause:
        if match == "certain":
            return high <= bound
        if match == "possible":
            return or_(low <= bound, and_(low.is_(None), reported))
        return func.coalesce(best, high) <= bound

    return one(clause)


def _took_part(name: str, shape: tuple[tuple[bool, ...], ...], _: str | None) -> Clause:
    """Hold for each group of alternatives that one of them took part (in its role)."""
    groups = []
    for place, group in enumerate(shape):
        rows = table(IncidentCommunity).alias(f"took_part_{place}").c
        alternatives = []
        for number, with_role in enumerate(group):
            same = rows.community == bindparam(f"{name}_{place}_{number}")
            if with_role:
                same = and_(same, rows.role == bindparam(f"{name}_{place}_{number}_role"))
            alternatives.append(same)
        groups.append(exists().where(rows.incident_pk == incidents.pk, or_(*alternatives)))
    return and_(*groups)


def _took_part_values(name: str, groups: list[list[tuple[str, str | None]]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for place, group in enumerate(groups):
        for number, (community, role) in enumerate(group):
            values[f"{name}_{place}_{number}"] = community
            if role is not None:
                values[f"{name}_{place}_{number}_role"] = role
    return values


def _measures(name: str, shape: tuple[int, ...], _: str | None) -> Clause:
    groups = []
    for place, number in enumerate(shape):
        rows = table(IncidentMeasure).alias(f"measure_{place}").c
        among = _among(rows.measure, f"{name}_{place}", number)
        groups.append(exists().where(rows.incident_pk == incidents.pk, among))
    return and_(*groups)


def _role(name: str, number: int, _: str | None) -> Clause:
    rows = table(IncidentCommunity).alias("had_role").c
    return exists().where(rows.incident_pk == incidents.pk, _among(rows.role, name, number))


def _cites(column: Callable[[Any], ColumnElement[Any]], alias: str) -> Filter:
    rows, articles = table(Source).alias(f"{alias}_source").c, table(Article).alias(alias)

    def clause(name: str, number: int, _: str | None) -> Clause:
        return exists().where(
            rows.incident_pk == incidents.pk,
            rows.article_pk == articles.c.pk,
            _among(column(articles.c), name, number),
        )

    return Filter(len, clause, _numbered)


def _disputed(word: str) -> Clause:
    if word in ("true", "false"):
        return incidents.disputed != "" if word == "true" else incidents.disputed == ""
    return incidents.disputed.contains(f"|{word}|", autoescape=True)


def _unreported(word: str) -> Clause:
    if word == "property_damage":
        return incidents.property_damage.is_(None)
    return and_(*(getattr(incidents, f"{word}{end}").is_(None) for end in ("", "_low", "_high")))


def _damage(word: str) -> Clause:
    if word == "unknown":
        return incidents.property_damage.is_(None)
    return incidents.property_damage.is_(word == "true")


def _in_box(name: str, crosses: bool, _: str | None) -> Clause:
    west, south, east, north = (_bound_to(f"{name}_{place}") for place in range(4))
    between = or_ if crosses else and_
    return and_(
        incidents.latitude >= south,
        incidents.latitude <= north,
        between(incidents.longitude >= west, incidents.longitude <= east),
    )


def _overlaps(name: str, _shape: Shape, match: str | None) -> Clause:
    """Hold records whose date may lie (or, for certain, lies) in the window."""
    start, end = _bound_to(f"{name}_start"), _bound_to(f"{name}_end")
    possible = and_(incidents.latest >= start, incidents.earliest <= end)
    if match != "certain":
        return possible
    lasted = incidents.date_precision.in_([literal_column("'day'"), literal_column("'interval'")])
    within = and_(incidents.earliest >= start, incidents.latest <= end)
    return and_(possible, or_(lasted, within))


_WINDOW = Filter(
    lambda _: None,
    _overlaps,
    lambda name, window: {
        f"{name}_start": window[0],
        f"{name}_end": window[1],
        f"{name}_reach": _days_before(window[0]),
    },
)

FILTERS: dict[str, Filter] = {
    "city": any_of(incidents.city_key),
    "country": any_of(incidents.country),
    "community": Filter(
        lambda groups: tuple(tuple(role is not None for _, role in group) for group in groups),
        _took_part,
        _took_part_values,
    ),
    "role": Filter(len, _role, _numbered),
    "type": any_of(incidents.type),
    "episode": any_of(incidents.episode),
    "police_measure": Filter(
        lambda groups: tuple(len(group) for group in groups),
        _measures,
        lambda name, groups: {
            f"{name}_{place}_{number}": measure
            for place, group in enumerate(groups)
            for number, measure in enumerate(group)
        },
    ),
    "publisher": _cites(lambda articles: articles.publisher_key, "by_publisher"),
    "article": _cites(lambda articles: articles.id, "by_article"),
    "status": any_of(incidents.status),
    "disputed": words(_disputed),
    "unreported": words(_unreported),
    "property_damage": words(_damage),
    "date": _WINDOW,
    "date_from": _WINDOW,
    "date_to": _WINDOW,
    "updated_since": one(lambda bound, _: incidents.updated_at >= bound),
    "min_sources": one(lambda bound, _: incidents.number_of_sources >= bound),
    "bbox": Filter(
        lambda box: box[0] > box[2], _in_box, lambda name, box: _numbered(name, list(box))
    ),
    **{f"min_{name}": _at_least(name) for name in COUNT_FIELDS},
    **{f"max_{name}": _at_most(name) for name in COUNT_FIELDS},
}

_UNKNOWN_FIRST, _UNKNOWN_LAST = -1, MAX_COUNT + 1


def _figure_order(name: str, unknown: int) -> ColumnElement[Any]:
    """Order by best, else low; what is unknown gets a figure beyond all others."""
    best, low = getattr(incidents, name), getattr(incidents, f"{name}_low")
    return func.coalesce(best, low, literal_column(str(unknown)))


# Sort -> what is ordered by, and if descending. Every order ends on the id.
ORDERS: dict[str, tuple[ColumnElement[Any], bool, type]] = {
    "date": (incidents.sort_date, False, str),
    "-date": (incidents.sort_date, True, str),
    "updated_at": (incidents.updated_at, False, str),
    "-updated_at": (incidents.updated_at, True, str),
    **{
        f"{sign}{name}": (
            _figure_order(name, _UNKNOWN_FIRST if sign else _UNKNOWN_LAST), bool(sign), int,
        )
        for name in ("arrests", "injuries")
        for sign in ("", "-")
    },
}  # fmt: skip

_REACH = 366


def _days_before(day: str) -> str:
    """Give the day a year before: where a date of at most a year that reaches DAY may start."""
    try:
        return (date.fromisoformat(day) - timedelta(days=_REACH)).isoformat()
    except OverflowError:
        return "0001-01-01"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of documents: the stored texts, what comes after, and the number of all."""

    documents: list[str]
    following: str | None
    total: int
    total_relation: str
    dataset_version: int


@dataclass(frozen=True, slots=True)
class _Shape:
    """What decides the SQL of a query."""

    audience: str
    filters: tuple[tuple[str, Shape], ...]
    match: str | None
    sort: str
    after: bool


def page(reader: Reader, query: Query, actor: Actor) -> Page:
    """Read a page of the records that QUERY means and ACTOR may read.

    Criteria must be resolved (`criteria_of`). Raises QueryError for a cursor that is not of
    this query.
    """
    criteria = windowed(query.criteria)
    limit = query.limit or DEFAULT_LIMIT
    digest = _digest(criteria, query.match, actor)
    values = _bound(criteria, actor) | {"limit_plus_one": limit + 1}
    seen = 0
    if query.cursor is not None:
        place, id_, seen = _read_cursor(query.cursor, query.sort, digest)
        values |= {"after_place": place, "after_id": id_}
    shape = _shape(criteria, query, actor)
    rows = reader.rows(_listing(reader, shape), values)
    if rows:
        version, published = rows[0][3], rows[0][4]
    else:
        version, published = reader.run(_STATE)[0]
    more = len(rows) > limit
    following = None
    if more:
        rows = rows[:limit]
        following = _write_cursor(query.sort, digest, rows[-1][2], rows[-1][1], seen + limit)
    total, relation = seen + len(rows) + more, "gte" if more or seen else "eq"
    if not criteria and actor.pk is None:
        total, relation = published, "eq"
    elif query.count == "exact" and relation == "gte":
        total, relation = count(reader, query, actor), "eq"
    return Page([row[0] for row in rows], following, total, relation, version)


def count(reader: Reader, query: Query, actor: Actor) -> int:
    """Count exactly the records that QUERY means and ACTOR may read."""
    criteria = windowed(query.criteria)
    shape = replace(_shape(criteria, query, actor), after=False, sort="-date")
    found: int = reader.rows(_counting(reader, shape), _bound(criteria, actor))[0][0]
    return found


def resolved(query: Query) -> Query:
    """Look up the names in QUERY: a city's aliases, a publisher's folded name."""
    if not query.criteria.keys() & {"city", "publisher"}:
        return query
    criteria = dict(query.criteria)
    if "city" in criteria:
        criteria["city"] = _unique(
            name for city in criteria["city"] for name in _city_keys(db.engine, city)
        )
    if "publisher" in criteria:
        criteria["publisher"] = _unique(criteria["publisher"])
    return replace(query, criteria=criteria)


@lru_cache(maxsize=4096)
def _city_keys(engine: Engine, name: str) -> list[str]:
    """Find what a city's name may mean; the gazetteer stands still while the service runs."""
    with engine.connect() as connection:
        return gazetteer.city_keys(connection, name)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for name in map(key, names) if name is not None))


def windowed(criteria: dict[str, Any]) -> dict[str, Any]:
    """Replace the three date parameters by the windows they open."""
    found = dict(criteria)
    for name in ("date", "date_from", "date_to"):
        span = criteria.get(name)
        if span is not None and not isinstance(span, tuple):
            start = "0001-01-01" if name == "date_to" else span.earliest
            end = "9999-12-31" if name == "date_from" else span.latest
            found[name] = (start, end)
    if isinstance(found.get("date_from"), tuple) and isinstance(found.get("date_to"), tuple):
        # Both together are one window: half of it each would keep what straddles neither.
        found["date_from"] = (found["date_from"][0], found.pop("date_to")[1])
    return found


def _bound(criteria: dict[str, Any], actor: Actor) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in criteria.items():
        values |= FILTERS[name].values(name, value)
    if actor.pk is not None and not actor.reads_all:
        values["actor_pk"] = actor.pk
    return values


def _shape(criteria: dict[str, Any], query: Query, actor: Actor) -> _Shape:
    audience = "public" if actor.pk is None else "all" if actor.reads_all else "own"
    filters = tuple((name, FILTERS[name].shape(criteria[name])) for name in sorted(criteria))
    return _Shape(audience, filters, query.match, query.sort, query.cursor is not None)


_PUBLISHED = incidents.status == literal_column("'published'")
_VERSION = select(Dataset.version).scalar_subquery()
_COUNTER = select(Dataset.published).scalar_subquery()
_STATE = select(Dataset.version, Dataset.published)


def _readable(shape: _Shape) -> Clause:
    """Hold what the audience may read; withdrawn and merged records only where asked for."""
    names = {name for name, _ in shape.filters}
    if shape.audience == "public":
        return _PUBLISHED
    mine = incidents.author_pk == bindparam("actor_pk")
    drafts = incidents.status == "draft"
    if "status" in names:
        mine_or_all = mine if shape.audience == "own" else incidents.status != "merged"
        return or_(_PUBLISHED, mine_or_all)
    return or_(_PUBLISHED, and_(drafts, mine) if shape.audience == "own" else drafts)


def _conditions(shape: _Shape) -> list[Clause]:
    clauses = [_readable(shape)]
    for name, below in shape.filters:
        clauses.append(FILTERS[name].clause(name, below, shape.match))
    return clauses


def _lanes(shape: _Shape) -> Iterator[list[Clause]]:
    """Give the condition sets whose records together are the answer, each apart from the others."""
    conditions = _conditions(shape)
    window = next((name for name, _ in shape.filters if name.startswith("date")), None)
    if window is None:
        yield conditions
        return
    reach, end = _bound_to(f"{window}_reach"), _bound_to(f"{window}_end")
    near = [not_(incidents.wide), incidents.sort_date >= reach, incidents.sort_date <= end]
    yield [*conditions, *near]
    yield [*conditions, incidents.wide]


def _driven(shape: _Shape) -> Any:
    """Choose what a page walks along: a community's listing where that leads to fewer records."""
    communities = dict(shape.filters).get("community")
    by_date = shape.sort in ("date", "-date")
    names = {name for name, _ in shape.filters}
    if shape.audience != "public" or not by_date or "city" in names or communities is None:
        return None
    single = isinstance(communities, tuple) and len(communities[0]) == 1
    return table(IncidentCommunity) if single else None


@lru_cache(maxsize=2048)
def _listing(reader: Reader, shape: _Shape) -> Prepared:
    """Make the statement of a page."""
    lanes = [_lane(shape, conditions) for conditions in _lanes(shape)]
    _, descending, _ = ORDERS[shape.sort]
    if len(lanes) == 1:
        found = lanes[0].subquery("found")
    else:
        found = union_all(*(select(lane.subquery()) for lane in lanes)).subquery("found")
    place, id_ = found.c.place, found.c.id
    versions = table(Version).c
    order = (place.desc(), id_.desc()) if descending else (place, id_)
    return reader.prepare(
        select(versions.document, id_, place, _VERSION, _COUNTER)
        .select_from(found.join(table(Version), versions.pk == found.c.document_pk))
        .order_by(*order)
        .limit(bindparam("limit_plus_one"))
    )


def _lane(shape: _Shape, conditions: list[Clause]) -> Select[Any]:
    """Make one ordered, bounded walk that yields place, id and document."""
    place, descending, _ = ORDERS[shape.sort]
    id_: ColumnElement[Any] = incidents.id
    source: Any = table(Incident)
    listing = _driven(shape)
    if listing is not None:
        place, id_ = listing.c.sort_date, listing.c.id
        source = listing.join(source, listing.c.incident_pk == incidents.pk)
        first = _bound_to("community_0_0")
        conditions = [listing.c.listed, listing.c.community == first, *conditions]
        conditions = [_on_listing(clause, listing) for clause in conditions]
    if shape.after:
        after = tuple_(bindparam("after_place"), bindparam("after_id"))
        both = tuple_(place, id_)
        conditions = [*conditions, both < after if descending else both > after]
    order = (place.desc(), id_.desc()) if descending else (place, id_)
    return (
        select(place.label("place"), id_.label("id"), incidents.document_pk)
        .select_from(source)
        .where(*conditions)
        .order_by(*order)
        .limit(bindparam("limit_plus_one"))
    )


def _on_listing(clause: Clause, listing: Any) -> Clause:
    """Read the sort date of a range from the listing that is walked."""

    def swap(element: Any, **_: Any) -> Any:
        return listing.c.sort_date if element is incidents.sort_date else None

    replaced: Clause = visitors.replacement_traverse(clause, {}, swap)
    return replaced


@lru_cache(maxsize=512)
def _counting(reader: Reader, shape: _Shape) -> Prepared:
    counts = [
        select(func.count()).select_from(table(Incident)).where(*conditions).scalar_subquery()
        for conditions in _lanes(shape)
    ]
    total: ColumnElement[Any] = counts[0]
    for other in counts[1:]:
        total = total + other
    return reader.prepare(select(total))


def _digest(criteria: dict[str, Any], match: str | None, actor: Actor) -> str:
    """Identify the filters of a query, so that a cursor is used with no others."""
    text = repr((sorted(criteria.items()), match, actor.pk))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _write_cursor(sort: str, digest: str, place: Any, id_: str, seen: int) -> str:
    content = orjson.dumps([sort, digest, place, id_, seen])
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _read_cursor(cursor: str, sort: str, digest: str) -> tuple[Any, str, int]:
    """Read a cursor; raise QueryError for one that is damaged or of another query."""
    try:
        content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        of_sort, of_digest, place, id_, seen = orjson.loads(content)
        kind = ORDERS[sort][2]
        sound = type(place) is kind and isinstance(id_, str) and type(seen) is int
    except (ValueError, TypeError):
        raise _bad_cursor("The cursor is damaged; take it from a `next` link as it is.") from None
    if not sound or not 0 <= seen < 2**53 or "\x00" in f"{place}{id_}":
        raise _bad_cursor("The cursor is damaged; take it from a `next` link as it is.")
    if (of_sort, of_digest) != (sort, digest):
        raise _bad_cursor(
            "The cursor belongs to a query with other filters or another sort; start that query "
            "anew without a cursor."
        )
    return place, id_, seen


def _bad_cursor(detail: str) -> QueryError:
    return QueryError({"cursor": [Fault("bad_cursor", detail)]})
