"""Text walks: statements for what a full-text query finds, along the index of its words.

An index gives its hits from the newest date to the oldest (`search.doc_id`). So a page by date
reads no more hits than it shows, and what is ranked are the newest. For other orders, and for
whoever adds up, a text query is a filter among others (`filters.FILTERS`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    false,
    func,
    literal_column,
    not_,
    select,
    tuple_,
    union_all,
)

from api import search
from api.database.readers import PreparedStatement, Reader
from api.database.statements import AsUtf8
from api.models import Incident, Version
from api.models.tables import table
from api.queries import cursors
from api.queries.filters.table import FILTERS, Clause, bound_to, incidents
from api.queries.plans import access_paths
from api.queries.plans.plans import COUNTER, VERSION, Walk, arms, unpublished
from api.search import SearchIndex

_INCIDENTS = table(Incident)
_VERSIONS = table(Version)


@dataclass(frozen=True, slots=True)
class _Lane:
    """A walk along one index, and what holds of the records that it leads to."""

    hit: Any
    matches: list[Clause]
    conditions: list[Clause]

    def select(self, *columns: ColumnElement[Any], joined: bool = True) -> Select[Any]:
        """Select COLUMNS of what the walk meets; without conditions, hits may do (not JOINED)."""
        statement = select(*columns).where(*self.matches)
        if not joined and not self.conditions:
            return statement.select_from(self.hit)
        source = self.hit.join(_INCIDENTS, incidents.pk == search.pk_of(self.hit.c.rowid))
        # From hits to records, never the other way: FTS5 would search anew for each record.
        hinted = statement.select_from(source).with_hint(_INCIDENTS, "NOT INDEXED", "sqlite")
        return hinted.where(*self.conditions)


def after(sort: str, values: dict[str, Any]) -> dict[str, int]:
    """Give the slot from which a page by date goes on, if one went before."""
    day = values.get("after_place")
    if day is None:
        return {}
    try:
        slot = search.first_doc_id(day) if sort == "-date" else search.last_doc_id(day)
    except ValueError:
        raise cursors.refused(cursors.DAMAGED) from None
    return {"after_slot": slot}


def chosen(
    reader: Reader, walk: Walk, criteria: dict[str, Any], values: dict[str, Any], wanted: int | None
) -> Walk:
    """Give WALK with the way that its other filters are met by beforehand, where that is less.

    WANTED is how many hits are to be found, None for all. Either each hit's record is looked at,
    until so many fit, or all records that fit are gathered, and hits are compared with these.
    """
    estimates, others = access_paths.estimates_of(reader), _others(walk)
    way = access_paths.choose(estimates, others, criteria, values)
    if way is None:
        return walk
    few = estimates.of(way, others, criteria[way[0]], values)
    past = estimates.of(("q", 0), walk, criteria["q"], values)
    if wanted is not None:
        past = min(past, wanted * estimates.all() // max(few, 1))
    return replace(walk, way=way) if few < past else walk


def _others(walk: Walk) -> Walk:
    """Give the walk through what the filters keep beside the text."""
    filters = tuple((name, shape) for name, shape in walk.filters if name != "q")
    return replace(walk, audience="public", filters=filters, sort=None, after=False)


def sought_in(walk: Walk) -> list[SearchIndex]:
    """Give the indexes in which there may be what WALK means."""
    hidden = unpublished(walk) is not None
    public = not hidden or walk.statuses is None or "published" in walk.statuses
    return [*([search.PUBLIC_INDEX] if public else []), *([search.PRIVATE_INDEX] if hidden else [])]


def _lanes(walk: Walk) -> Iterator[_Lane]:
    """Give the walks that together meet what WALK means, each apart from the others."""
    for sought in sought_in(walk):
        hit = search.index_table(sought.table)
        matches = search.Matches(hit, bound_to(sought.parameter()))
        by_way = sought is search.PUBLIC_INDEX and walk.way is not None
        found = list(arms(_others(walk))) if by_way else []
        if found:  # not where a status is asked for that the public never sees
            fit = union_all(*(arm.select(arm.pk) for arm in found))
            yield _Lane(hit, [matches, search.pk_of(hit.c.rowid).in_(fit)], [])
        else:
            yield from _record_by_record(walk, sought, hit, matches)


def _record_by_record(
    walk: Walk, sought: SearchIndex, hit: Any, matches: Clause
) -> Iterator[_Lane]:
    clauses = [
        FILTERS[name].clause(name, shape, walk.match)
        for name, shape in walk.filters
        if name not in ("q", "status")
    ]
    hidden = unpublished(walk)
    if sought is search.PRIVATE_INDEX and hidden is not None:
        clauses.append(hidden)
    elif walk.statuses is not None and "published" not in walk.statuses:
        clauses.append(false())  # all that stands there is published
    if walk.window is None:
        yield _Lane(hit, [matches], clauses)
        return
    first, last = (bound_to(f"{walk.window}_{end}_slot") for end in ("first", "last"))
    near = [matches, hit.c.rowid >= first, hit.c.rowid <= last]
    yield _Lane(hit, near, [*clauses, not_(incidents.wide)])
    yield _Lane(hit, [matches], [*clauses, incidents.wide])


@lru_cache(maxsize=256)
def listing(reader: Reader, walk: Walk) -> PreparedStatement:
    """Make the statement of a page by date: document, id, place, dataset version, counter."""
    found = _together([_by_date(walk, lane) for lane in _lanes(walk)])
    order = (found.c.place, found.c.id)
    return reader.prepare(
        select(AsUtf8(_VERSIONS.c.document), found.c.id, found.c.place, VERSION, COUNTER)
        .select_from(found.join(_VERSIONS, _VERSIONS.c.pk == found.c.document_pk))
        .order_by(*_directed(walk, order))
        .limit(bound_to("limit_plus_one")),
        plan_anew=True,
    )


def _by_date(walk: Walk, lane: _Lane) -> Select[Any]:
    """Make one ordered, bounded walk that yields place, id and document.

    Hits of one day do not come in the order of their ids. So the walk first finds the day on which
    it will end, then sorts what there is up to the end of that day.
    """
    descending, slot = walk.sort == "-date", lane.hit.c.rowid
    limit = bound_to("limit_plus_one")
    conditions: list[Clause] = []
    if walk.after:
        last, here = bound_to("after_slot"), tuple_(incidents.sort_date, incidents.id)
        after = tuple_(bound_to("after_place"), bound_to("after_id"))
        conditions = [slot >= last, here < after] if descending else [slot <= last, here > after]
    first = lane.select(slot, joined=walk.after).where(*conditions).limit(limit)
    met = first.order_by(slot if descending else slot.desc()).subquery("met")
    if descending:
        until = slot <= select(func.max(met.c.rowid).op("|")(_MASK)).scalar_subquery()
    else:
        until = slot >= select(func.min(met.c.rowid).op("&")(_DAY)).scalar_subquery()
    place, id_ = incidents.sort_date.label("place"), incidents.id.label("id")
    order = _directed(walk, (incidents.sort_date, incidents.id))
    found = lane.select(place, id_, incidents.document_pk).where(until, *conditions)
    return found.order_by(*order).limit(limit)


_MASK: ColumnElement[int] = literal_column(str(search.PK_MASK))
_DAY: ColumnElement[int] = literal_column(str(~search.PK_MASK))


def _directed(walk: Walk, columns: Any) -> list[Any]:
    return [column.desc() for column in columns] if walk.sort == "-date" else list(columns)


def _together(walks: list[Select[Any]]) -> Any:
    if len(walks) == 1:
        return walks[0].subquery("found")
    return union_all(*(select(walk.subquery()) for walk in walks)).subquery("found")


@lru_cache(maxsize=256)
def counting(reader: Reader, walk: Walk) -> PreparedStatement:
    """Make the statement that counts all hits: the number, and the dataset version."""
    counts = [lane.select(func.count(), joined=False).scalar_subquery() for lane in _lanes(walk)]
    total: ColumnElement[Any] = counts[0]
    for other in counts[1:]:
        total = total + other
    return reader.prepare(select(total, VERSION), plan_anew=True)


@lru_cache(maxsize=256)
def ranking(reader: Reader, walk: Walk, units: int) -> PreparedStatement:
    """Make the statement of a ranked page.

    Candidates are the newest hits after the slot `ranked_from`, up to `ranked_to`, at most
    `most_ranked` of them. Its rows: document, slot, points, dataset version, then the number of
    candidates, the last one's slot. Without candidates there are no rows.
    """
    candidates = _candidates(walk)
    engine = search.ENGINES[reader.engine.dialect.name]
    scored = engine.score(candidates, sought_in(walk), units).subquery("scored")
    number = select(func.count()).select_from(candidates).scalar_subquery()
    last = select(func.max(candidates.c.doc_id)).scalar_subquery()
    points, slot = scored.c.points, scored.c.doc_id
    conditions = []
    if walk.after:
        below = points < bound_to("after_points")
        level = points == bound_to("after_points")
        conditions = [below | (level & (slot > bound_to("after_slot")))]
    page = (
        select(points, slot)
        .where(*conditions)
        .order_by(points.desc(), slot)
        .limit(bound_to("limit_plus_one"))
        .subquery("page")
    )
    joined = page.join(_INCIDENTS, incidents.pk == search.pk_of(page.c.doc_id))
    return reader.prepare(
        select(AsUtf8(_VERSIONS.c.document), page.c.doc_id, page.c.points, VERSION, number, last)
        .select_from(joined.join(_VERSIONS, _VERSIONS.c.pk == incidents.document_pk))
        .order_by(page.c.points.desc(), page.c.doc_id),
        plan_anew=True,
    )


def _candidates(walk: Walk) -> Any:
    most = bound_to("most_ranked")
    walks = []
    for lane in _lanes(walk):
        slot = lane.hit.c.rowid
        within = [slot > bound_to("ranked_from"), slot <= bound_to("ranked_to")]
        hits = lane.select(slot.label("doc_id"), joined=False).where(*within)
        walks.append(hits.order_by(slot).limit(most))
    if len(walks) == 1:
        return walks[0].cte("candidates")
    found = _together(walks)
    return select(found.c.doc_id).order_by(found.c.doc_id).limit(most).cte("candidates")
