"""Walks: the statements that find what a query means, in its order.

A query's *shape* (which filters, how many alternatives, which order) becomes SQL once and is kept;
the values are bound each time. A statement reads the documents and the dataset version together,
hence in one snapshot.

A date filter is two walks joined: dates that span a year or less are found by a range of
`sort_date` (their span bounds how far before the range they can start), wider ones apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.sql import visitors

from api.db import Prepared, Reader
from api.models import Dataset, Incident, IncidentCommunity, Version
from api.queries.filters import FILTERS, ORDERS, Clause, Shape, bound_to, incidents
from api.roles import Actor
from api.rows import table
from schemas.query import Query


@dataclass(frozen=True, slots=True)
class Walk:
    """What decides the SQL of a query."""

    audience: str
    filters: tuple[tuple[str, Shape], ...]
    match: str | None
    sort: str
    after: bool


def bound(criteria: dict[str, Any], actor: Actor) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in criteria.items():
        values |= FILTERS[name].values(name, value)
    if actor.pk is not None and not actor.reads_all:
        values["actor_pk"] = actor.pk
    return values


def walk_of(criteria: dict[str, Any], query: Query, actor: Actor) -> Walk:
    audience = "public" if actor.pk is None else "all" if actor.reads_all else "own"
    filters = tuple((name, FILTERS[name].shape(criteria[name])) for name in sorted(criteria))
    return Walk(audience, filters, query.match, query.sort, query.cursor is not None)


# Words of the code stand in the statement: a parameter of their own could meet a filter's name.
_PUBLISHED = incidents.status == literal_column("'published'")
_DRAFT = incidents.status == literal_column("'draft'")
_NOT_MERGED = incidents.status != literal_column("'merged'")
_VERSION = select(Dataset.version).scalar_subquery()
_COUNTER = select(Dataset.published).scalar_subquery()
STATE = select(Dataset.version, Dataset.published)


def _readable(shape: Walk) -> Clause:
    """Hold what the audience may read; withdrawn and merged records only where asked for."""
    names = {name for name, _ in shape.filters}
    if shape.audience == "public":
        return _PUBLISHED
    mine = incidents.author_pk == bindparam("actor_pk")
    if "status" in names:
        mine_or_all = mine if shape.audience == "own" else _NOT_MERGED
        return or_(_PUBLISHED, mine_or_all)
    return or_(_PUBLISHED, and_(_DRAFT, mine) if shape.audience == "own" else _DRAFT)


def _conditions(shape: Walk) -> list[Clause]:
    clauses = [_readable(shape)]
    for name, below in shape.filters:
        clauses.append(FILTERS[name].clause(name, below, shape.match))
    return clauses


def _lanes(shape: Walk) -> Iterator[list[Clause]]:
    """Give the condition sets whose records together are the answer, each apart from the others."""
    conditions = _conditions(shape)
    window = next((name for name, _ in shape.filters if name.startswith("date")), None)
    if window is None:
        yield conditions
        return
    reach, end = bound_to(f"{window}_reach"), bound_to(f"{window}_end")
    near = [not_(incidents.wide), incidents.sort_date >= reach, incidents.sort_date <= end]
    yield [*conditions, *near]
    yield [*conditions, incidents.wide]


def _driven(shape: Walk) -> Any:
    """Choose what a page walks along: a community's listing where that leads to fewer records."""
    communities = dict(shape.filters).get("community")
    by_date = shape.sort in ("date", "-date")
    names = {name for name, _ in shape.filters}
    if shape.audience != "public" or not by_date or "city" in names or communities is None:
        return None
    single = isinstance(communities, tuple) and len(communities[0]) == 1
    return table(IncidentCommunity) if single else None


@lru_cache(maxsize=2048)
def listing(reader: Reader, shape: Walk) -> Prepared:
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


def _lane(shape: Walk, conditions: list[Clause]) -> Select[Any]:
    """Make one ordered, bounded walk that yields place, id and document."""
    place, descending, _ = ORDERS[shape.sort]
    id_: ColumnElement[Any] = incidents.id
    source: Any = table(Incident)
    listing = _driven(shape)
    if listing is not None:
        place, id_ = listing.c.sort_date, listing.c.id
        source = listing.join(source, listing.c.incident_pk == incidents.pk)
        first = bound_to("community_0_0")
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
def counting(reader: Reader, shape: Walk) -> Prepared:
    counts = [
        select(func.count()).select_from(table(Incident)).where(*conditions).scalar_subquery()
        for conditions in _lanes(shape)
    ]
    total: ColumnElement[Any] = counts[0]
    for other in counts[1:]:
        total = total + other
    return reader.prepare(select(total))
