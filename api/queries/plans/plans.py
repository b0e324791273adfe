"""Walks: the statements that find what a query means, in its order.

What decides the SQL of a query (which filters, how many alternatives, which order, which way in)
is a `Walk`; it becomes SQL once and is kept, the values are bound each time. A statement reads the
documents and the dataset version together, hence in one snapshot.

A statement joins *arms*, each an ordered walk along an index, none of which sorts more than it
answers with. Arms come from

- alternatives: `country=RU,BE` is a walk for each, merged by date;
- a window of dates: records whose `sort_date` lies in it are one range of an index. The few that
  reach into it from outside are two more arms: dates that last and span a year or less, which
  start at most so long before it, and the wide ones, which are rare;
- what the public may read, and what only some may.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import itemgetter
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    asc,
    bindparam,
    desc,
    false,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.sql import visitors

from api.core.permissions import Actor
from api.database.readers import PreparedStatement, Reader
from api.database.statements import AsUtf8
from api.models import Dataset, Incident, Version
from api.models.tables import table
from api.queries.filters.table import FILTERS, ORDERS, Clause, Shape, bound_to, incidents, took_part
from api.queries.plans import access_paths
from api.queries.plans.access_paths import WINDOWS, Way, WayId, ways_of
from schemas.query.loading import LoadedQuery

_TABLE = table(Incident)
_PUBLISHED = incidents.status == literal_column("'published'")
VERSION = select(Dataset.version).scalar_subquery()
COUNTER = select(Dataset.published).scalar_subquery()
STATE = select(Dataset.version, Dataset.published)
_LIMIT = bound_to("limit_plus_one")
_PLACE_AND_ID = itemgetter(2, 1)  # of a row of a listing
# Filters that the index of figures has all columns for, or that ask another table.
_COVERED = {
    "country",
    "type",
    "episode",
    "date",
    "date_from",
    "date_to",
    "community",
    "role",
    "status",
    "police_measure",
    "publisher",
    "article",
    *(f"{end}_{name}" for end in ("min", "max") for name in ("arrests", "injuries", "deaths")),
}
# How many documents are read at a time where all of them are, and the statement that reads them.
BATCH = 200
_VERSIONS = table(Version).c
DOCUMENTS = select(_VERSIONS.pk, AsUtf8(_VERSIONS.document)).where(
    _VERSIONS.pk.in_([bindparam(f"pk_{number}") for number in range(BATCH)])
)
# The index of each order; both directions of a date or a time share one.
_INDEXES = {
    "date": "date",
    "-date": "date",
    "updated_at": "updated",
    "-updated_at": "updated",
    "arrests": "arrests_up",
    "-arrests": "arrests_down",
    "injuries": "injuries_up",
    "-injuries": "injuries_down",
}


@dataclass(frozen=True, slots=True)
class Walk:
    """What decides the SQL of a query.

    `sort` is None where records are only counted or added up; `figures` says where what is added
    up is read: from the index that has it all, or from the rows. `way` is the filter whose index
    is walked, None for the order's own.
    """

    audience: str
    filters: tuple[tuple[str, Shape], ...]
    match: str | None
    sort: str | None
    after: bool = False
    figures: Literal["index", "rows"] | None = None
    way: WayId | None = None

    @property
    def by_date(self) -> bool:
        """Tell whether records come in the order of dates, which the indexes of filters have."""
        return self.sort in ("date", "-date")

    @property
    def window(self) -> str | None:
        """Name the window of dates that parts the walk into arms."""
        return next((name for name, _ in self.filters if name in WINDOWS), None)

    @property
    def statuses(self) -> tuple[str, ...] | None:
        """Give the statuses that are asked for."""
        found: Any = dict(self.filters).get("status")
        return found  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Arm:
    """One walk: where it reads, by which index (on SQLite), and what it keeps."""

    source: Any
    hinted: Any
    hint: str | None
    clauses: list[Clause]
    columns: Any  # sort_date, id, document_pk as they stand in the source
    pk: ColumnElement[int]

    def select(self, *columns: Any) -> Select[Any]:
        """Select COLUMNS of what the arm keeps."""
        found = select(*columns).select_from(self.source).where(*self.clauses)
        return found.with_hint(self.hinted, self.hint, "sqlite") if self.hint else found


def bound(criteria: dict[str, Any], actor: Actor) -> dict[str, Any]:
    """Give what is bound for CRITERIA."""
    values: dict[str, Any] = {}
    for name, value in criteria.items():
        values |= FILTERS[name].values(name, value)
    if actor.pk is not None and not actor.reads_all:
        values["actor_pk"] = actor.pk
    return values


def walk_of(criteria: dict[str, Any], query: LoadedQuery, actor: Actor) -> Walk:
    """Find what decides the SQL; the way is still to be chosen."""
    audience = "public" if actor.pk is None else "all" if actor.reads_all else "own"
    filters = tuple((name, FILTERS[name].shape(criteria[name])) for name in sorted(criteria))
    return Walk(audience, filters, query.match, query.sort, query.cursor is not None)


def chosen(reader: Reader, walk: Walk, criteria: dict[str, Any], values: dict[str, Any]) -> Walk:
    """Give WALK with the way that leads past the fewest records."""
    way = access_paths.choose(access_paths.estimates_of(reader), walk, criteria, values)
    return walk if way == walk.way else replace(walk, way=way)


def arms(walk: Walk) -> Iterator[Arm]:
    """Give the walks whose records together are the answer, each apart from the others."""
    clauses = {
        name: FILTERS[name].clause(name, shape, walk.match)
        for name, shape in walk.filters
        if name != "status"
    }
    if walk.statuses is None or "published" in walk.statuses:
        yield from _published(walk, clauses)
    hidden = unpublished(walk)
    if hidden is not None:
        index = "INDEXED BY ix_incidents_unpublished"
        yield _plain(index, [hidden, *clauses.values()])


def _published(walk: Walk, clauses: dict[str, Clause]) -> Iterator[Arm]:
    """Give the walks over what is published."""
    window = walk.window
    way = ways_of(walk.filters, walk.match).get(walk.way) if walk.way else None
    along = walk.by_date or walk.sort is None
    if window is None or not (along or walk.way == (window, 0)) or (way and not way.along):
        yield from _base(walk, way, clauses, [])
        return
    start, end = bound_to(f"{window}_start"), bound_to(f"{window}_end")
    inside = [incidents.sort_date >= start, incidents.sort_date <= end]
    certain = {} if walk.match != "certain" else {window: clauses[window]}
    others = {name: clause for name, clause in clauses.items() if name != window}
    yield from _base(replace(walk, way=walk.way or (window, 0)), way, others | certain, inside)
    every = [_PUBLISHED, *clauses.values()]
    reaching = [
        literal_column("NOT incidents.wide"),
        incidents.earliest < incidents.latest,
        incidents.sort_date >= bound_to(f"{window}_reach"),
        incidents.sort_date < start,
    ]
    index = way.index if way and way.narrow else "ix_incidents_lasting"
    yield _plain(f"INDEXED BY {index}", [*every, *reaching])
    outside = or_(incidents.sort_date < start, incidents.sort_date > end)
    wide = [literal_column("incidents.wide"), outside]
    yield _plain("INDEXED BY ix_incidents_wide", [*every, *wide])


def _base(
    walk: Walk, way: Way | None, clauses: dict[str, Clause], more: list[Clause]
) -> Iterator[Arm]:
    """Walk along the way, each alternative by itself where their records are to be merged."""
    if way is None:
        yield _plain(_own_index(walk), [_PUBLISHED, *clauses.values(), *more])
        return
    name, group = walk.way or ("", 0)
    kept = dict(clauses)
    if way.implies:
        del kept[name]
    elif way.listing is not None:
        # The walk itself holds its group of communities, unless in certain roles.
        shape: Any = dict(walk.filters)[name]
        if not any(shape[group]):
            kept[name] = took_part(name, shape, but=group)
    lanes = way.lanes
    if way.listing is None and (walk.sort is None or not walk.by_date):
        lanes = [or_(*lanes)] if way.whole is None else [way.whole]
    for lane in lanes:
        if way.listing is None:
            yield _plain(way.hint, [lane, _PUBLISHED, *kept.values(), *more])
        else:
            # What is ordered by or added up is in the incident's row.
            row = walk.figures is not None or (walk.sort is not None and not walk.by_date)
            yield _listed(way, lane, [*kept.values(), *more], row=row)


def _own_index(walk: Walk) -> str | None:
    """Name the index of the order itself, of the window, or of all that is added up."""
    covered = {name for name, _ in walk.filters} <= _COVERED and walk.figures == "index"
    if walk.figures and (walk.way or covered):
        return "INDEXED BY ix_incidents_figures"
    if walk.way in {(name, 0) for name in WINDOWS}:
        return "INDEXED BY ix_incidents_date"
    return f"INDEXED BY ix_incidents_{_INDEXES[walk.sort]}" if walk.sort else "NOT INDEXED"


def _plain(hint: str | None, clauses: list[Clause]) -> Arm:
    return Arm(_TABLE, _TABLE, hint, clauses, incidents, incidents.pk)


def _listed(way: Way, lane: Clause, kept: list[Clause], *, row: bool) -> Arm:
    """Walk a community's listing; its copies of columns spare the incident where they suffice."""
    listing = way.listing
    clauses = [_on_listing(clause, listing) for clause in kept]
    source: Any = listing
    if row or any(_reads_incidents(clause) for clause in clauses):
        source = listing.join(_TABLE, listing.c.incident_pk == incidents.pk)
    return Arm(source, listing, way.hint, [lane, *clauses], listing.c, listing.c.incident_pk)


def _on_listing(clause: Clause, listing: Any) -> Clause:
    """Read from the listing what it has copies of."""
    copies: dict[Any, ColumnElement[Any]] = {
        incidents.pk: listing.c.incident_pk,
        incidents.sort_date: listing.c.sort_date,
        incidents.id: listing.c.id,
    }

    def swap(element: Any, **_: Any) -> Any:
        return copies.get(element) if isinstance(element, ColumnElement) else None

    replaced: Clause = visitors.replacement_traverse(clause, {}, swap)
    return replaced


def _reads_incidents(clause: Clause) -> bool:
    return any(getattr(part, "table", None) is _TABLE for part in visitors.iterate(clause))


def unpublished(walk: Walk) -> Clause | None:
    """Hold what the audience may read beside the published; withdrawn records only if asked for."""
    if walk.audience == "public":
        return None
    asked = ("draft",) if walk.statuses is None else walk.statuses
    words: list[ColumnElement[str]] = [
        literal_column(f"'{word}'") for word in asked if word != "published"
    ]
    if not words:
        return None
    status = incidents.status == words[0] if len(words) == 1 else incidents.status.in_(words)
    # An erased record is withdrawn and has no content that a list could show.
    hidden = and_(incidents.status != literal_column("'published'"), incidents.erased_at.is_(None))
    if walk.audience == "all":
        return and_(hidden, status)
    # What was published is its author's no more: withdrawn, it is gone for whoever wrote it.
    own = and_(incidents.author_pk == bindparam("actor_pk"), incidents.public_from.is_(None))
    return and_(hidden, status, own)


def after(walk: Walk, place: ColumnElement[Any], id_: ColumnElement[Any]) -> Clause:
    """Hold what comes after the place where a page ended."""
    _, descending, _ = ORDERS[walk.sort or ""]
    last = tuple_(bindparam("after_place"), bindparam("after_id"))
    return tuple_(place, id_) < last if descending else tuple_(place, id_) > last


@lru_cache(maxsize=256)
def listing(reader: Reader, walk: Walk) -> PreparedStatement:
    """Make the statement of a page: document, id, place, dataset version, number published.

    Its rows are those of the page, in no order: a sort would carry the documents along.
    """
    versions = table(Version).c
    lazy = reader.engine.dialect.name == "sqlite"
    found = _merged(walk, lazy=lazy).limit(_LIMIT).subquery("found")
    return reader.prepare(
        select(AsUtf8(versions.document), found.c.id, found.c.place, VERSION, COUNTER).select_from(
            found.join(table(Version), versions.pk == found.c.document_pk)
        )
    )


@lru_cache(maxsize=64)
def whole(reader: Reader, walk: Walk) -> PreparedStatement:
    """Make the statement of a whole result: place, id and the document's key, in order.

    Documents are read apart (`DOCUMENTS`), so that a walk that has to sort never sorts them.
    """
    return reader.prepare(_merged(walk, lazy=True))


def _merged(walk: Walk, *, lazy: bool) -> Any:
    """Merge the ordered walks of the arms into one.

    A LAZY engine (SQLite) takes from each only as much as the page needs; another one is told that
    a page's worth of each will do.
    """
    own_place, descending, _ = ORDERS[walk.sort or ""]
    lanes = []
    for arm in arms(walk):
        place = arm.columns.sort_date if walk.by_date else own_place
        id_, document = arm.columns.id, arm.columns.document_pk
        lane = arm.select(place.label("place"), id_.label("id"), document.label("document_pk"))
        lane = lane.where(after(walk, place, id_)) if walk.after else lane
        lanes.append((lane, (place.desc(), id_.desc()) if descending else (place, id_)))
    if not lanes:  # nothing that this audience may read
        return select(
            incidents.sort_date.label("place"), incidents.id, incidents.document_pk
        ).where(false())
    if len(lanes) == 1:
        lane, order = lanes[0]
        return lane.order_by(*order)
    direction = desc if descending else asc
    order = direction("place"), direction("id")
    if lazy:
        return union_all(*(lane for lane, _ in lanes)).order_by(*order)
    bounded = (lane.order_by(*own).limit(_LIMIT).subquery() for lane, own in lanes)
    return union_all(*(select(lane) for lane in bounded)).order_by(*order)


@lru_cache(maxsize=256)
def counting(reader: Reader, walk: Walk) -> PreparedStatement:
    """Make the statement of an exact count: the number, and the dataset version."""
    counts = [arm.select(func.count()).scalar_subquery() for arm in arms(walk)]
    total: ColumnElement[Any] = literal_column("0")
    for number in counts:
        total = total + number
    return reader.prepare(select(total, VERSION))


def ordered(rows: Iterable[Any], walk: Walk) -> list[Any]:
    """Put the rows of a page into the order of the walk."""
    return sorted(rows, key=_PLACE_AND_ID, reverse=ORDERS[walk.sort or ""][1])
