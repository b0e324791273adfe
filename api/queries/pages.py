"""Pages and counts: the stored documents that a query means, and cursors that lead on."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine

from api import gazetteer
from api.db import Reader, db
from api.queries import cursors, walks, ways
from api.queries.filters import ORDERS, windowed
from api.queries.walks import Walk
from api.roles import Actor
from api.rows import key
from schemas.faults import Fault
from schemas.query import DEFAULT_LIMIT, Query, QueryError


@dataclass(frozen=True, slots=True)
class Page:
    """A page of documents: the stored texts, what comes after, and the number of all."""

    documents: list[str]
    following: str | None
    total: int
    total_relation: str
    dataset_version: int


def page(reader: Reader, query: Query, actor: Actor) -> Page:
    """Read a page of the records that QUERY means and ACTOR may read.

    Criteria must be resolved (`criteria_of`). Raises QueryError for a cursor that is not of
    this query.
    """
    criteria = windowed(query.criteria)
    limit = query.limit or DEFAULT_LIMIT
    digest = _digest(criteria, query.match, actor)
    values = walks.bound(criteria, actor)
    seen = 0
    walk = chosen(reader, walks.walk_of(criteria, query, actor), criteria, values)
    values["limit_plus_one"] = limit + 1
    if query.cursor is not None:
        place, id_, seen = _read_cursor(query.cursor, query.sort, digest)
        values |= {"after_place": place, "after_id": id_}
    rows = walks.ordered(reader.rows(walks.listing(reader, walk), values), walk)
    if rows:
        version, published = rows[0][3], rows[0][4]
    else:
        version, published = reader.run(walks.STATE)[0]
    more = len(rows) > limit
    following = None
    if more:
        rows = rows[:limit]
        following = cursors.write(query.sort, digest, rows[-1][2], rows[-1][1], seen + limit)
    total, relation = seen + len(rows) + more, "gte" if more or seen else "eq"
    if not criteria and actor.pk is None:
        total, relation = published, "eq"
    elif query.count == "exact" and relation == "gte":
        total, relation = count(reader, query, actor), "eq"
    return Page([row[0] for row in rows], following, total, relation, version)


def batches(reader: Reader, query: Query, actor: Actor) -> Iterator[list[str]]:
    """Read the documents of all records that QUERY means, in its order, a few at a time.

    It takes to be run within `reader.snapshot()`. Raises QueryError as `page` does. The records are
    walked along once, by one statement, whatever the filters and the order: pages would find their
    way anew each time.
    """
    criteria = windowed(query.criteria)
    values = walks.bound(criteria, actor)
    walk = chosen(reader, walks.walk_of(criteria, query, actor), criteria, values)
    if query.cursor is not None:
        digest = _digest(criteria, query.match, actor)
        place, id_, _ = _read_cursor(query.cursor, query.sort, digest)
        values |= {"after_place": place, "after_id": id_}
    for rows in reader.stream(walks.whole(reader, walk), values, walks.BATCH):
        pks = [row[2] for row in rows]
        padded = pks + pks[-1:] * (walks.BATCH - len(pks))
        documents: dict[int, str] = dict(
            reader.run(walks.DOCUMENTS, {f"pk_{number}": pk for number, pk in enumerate(padded)})
        )
        batch = [documents.pop(pk) for pk in pks]
        yield batch
        del batch  # before the next is read


def identity(query: Query) -> str:
    """Say in full which records a resolved QUERY means, in which order."""
    return repr((sorted(query.criteria.items()), query.match, query.sort, query.cursor))


def chosen(reader: Reader, walk: Walk, criteria: dict[str, Any], values: dict[str, Any]) -> Walk:
    """Give WALK with the way that leads past the fewest records."""
    return replace(walk, way=ways.choose(ways.estimates_of(reader), walk, criteria, values))


def count(reader: Reader, query: Query, actor: Actor) -> int:
    """Count exactly the records that QUERY means and ACTOR may read."""
    criteria = windowed(query.criteria)
    values = walks.bound(criteria, actor)
    walk = replace(walks.walk_of(criteria, query, actor), after=False, sort=None)
    walk = chosen(reader, walk, criteria, values)
    found: int = reader.rows(walks.counting(reader, walk), values)[0][0]
    return found


def resolved(query: Query) -> Query:
    """Look up the names in QUERY: a city's aliases, a publisher's folded name, a place to be near.

    Raises QueryError for a place that the gazetteer does not know.
    """
    if not query.criteria.keys() & {"city", "publisher", "near"}:
        return query
    criteria = dict(query.criteria)
    if "city" in criteria:
        criteria["city"] = _unique(
            name for city in criteria["city"] for name in _city_keys(db.engine, city)
        )
    if "publisher" in criteria:
        criteria["publisher"] = _unique(criteria["publisher"])
    if "near" in criteria:
        where, radius_km = criteria["near"]
        latitude, longitude = _point(db.engine, where) if isinstance(where, str) else where
        criteria["near"] = (latitude, longitude, radius_km)
    return replace(query, criteria=criteria)


@lru_cache(maxsize=4096)
def _point(engine: Engine, name: str) -> tuple[float, float]:
    """Find the largest place that goes by NAME."""
    with engine.connect() as connection:
        found = gazetteer.by_name_anywhere(connection, name)
    if found is None:
        detail = (
            f"The gazetteer knows no place {name[:40]!r}; search it at /api/v1/places?q=…, or give "
            "latitude,longitude, such as near=55.7558,37.6173."
        )
        raise QueryError({"near": [Fault("unknown_place", detail)]})
    return found.latitude, found.longitude


@lru_cache(maxsize=4096)
def _city_keys(engine: Engine, name: str) -> list[str]:
    """Find what a city's name may mean; the gazetteer stands still while the service runs."""
    with engine.connect() as connection:
        return gazetteer.city_keys(connection, name)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for name in map(key, names) if name is not None))


def _digest(criteria: dict[str, Any], match: str | None, actor: Actor) -> str:
    """Identify the filters of a query, so that a cursor is used with no others."""
    text = repr((sorted(criteria.items()), match, actor.pk))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _read_cursor(cursor: str, sort: str, digest: str) -> tuple[Any, str, int]:
    """Read a cursor; raise QueryError for one that is damaged or of another query."""
    kind = ORDERS[sort][2]
    # One of another order may hold a place of another kind.
    other = int if kind is str else str
    try:
        of_sort, of_digest, place, id_, seen = cursors.read(cursor, str, str, kind, str, int)
    except QueryError:
        of_sort, of_digest, place, id_, seen = cursors.read(cursor, str, str, other, str, int)
    if (of_sort, of_digest) != (sort, digest) or type(place) is not kind:
        raise cursors.refused(
            "The cursor belongs to a query with other filters or another sort; start that query "
            "anew without a cursor."
        )
    if seen < 0:
        raise cursors.refused("The cursor is damaged; take it from a `next` link as it is.")
    return place, id_, seen
