"""Pages and counts: the stored documents that a query means, and cursors that lead on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine

from api import geo
from api.core.permissions import PUBLIC, Actor
from api.database.engines import engine, reader
from api.database.readers import Reader
from api.models.tables import key
from api.queries import cursors
from api.queries.counts import count
from api.queries.filters import name_checks as names
from api.queries.filters.table import ORDERS, windowed
from api.queries.plans import plans, text_plans
from api.queries.text.ranking import RELEVANCE, Ranked, ranked
from api.queries.text.text_queries import searched
from schemas.errors import ErrorDetail
from schemas.query.filters import DEFAULT_LIMIT, MAX_LIMIT
from schemas.query.loading import LoadedQuery
from schemas.query.parameters import QueryError


@dataclass(frozen=True, slots=True)
class Page:
    """A page of documents: the stored texts as UTF-8, what comes after, and the number of all."""

    documents: list[bytes]
    following: str | None
    total: int
    total_relation: str
    dataset_version: int


def page(reader: Reader, query: LoadedQuery, actor: Actor) -> Page:
    """Read a page of the records that QUERY means and ACTOR may read.

    Criteria must be resolved (`criteria_of`). Raises QueryError for a cursor that is not of
    this query.
    """
    if query.sort == RELEVANCE:
        best = ranked(reader, query, actor)
        found = [hit.document for hit in best.hits]
        return Page(found, best.following, best.total, best.total_relation, best.dataset_version)
    criteria = windowed(query.criteria)
    limit = query.limit or DEFAULT_LIMIT
    digest = cursors.digest_of(criteria, query.match, actor)
    values = plans.bound(criteria, actor)
    seen = 0
    walk = plans.walk_of(criteria, query, actor)
    values["limit_plus_one"] = limit + 1
    if query.cursor is not None:
        place, id_, seen = _read_cursor(query.cursor, query.sort, digest)
        values |= {"after_place": place, "after_id": id_}
    if "q" in criteria and walk.by_date:
        values |= text_plans.after(query.sort, values)
        walk = text_plans.chosen(reader, walk, criteria, values, limit)
        listing = text_plans.listing(reader, walk)
    else:
        walk = plans.chosen(reader, walk, criteria, values)
        listing = plans.listing(reader, walk)
    rows = plans.ordered(reader.rows(listing, values), walk)
    if rows:
        version, published = rows[0][3], rows[0][4]
    else:
        version, published = reader.run(plans.STATE)[0]
    more = len(rows) > limit
    following = None
    if more:
        rows = rows[:limit]
        following = cursors.write(query.sort, digest, rows[-1][2], rows[-1][1], seen + limit)
    total, relation = seen + len(rows) + more, "gte" if more or seen else "eq"
    if not criteria and actor.pk is None:
        total, relation = published, "eq"
    elif query.count == "exact" and relation == "gte":
        total, relation = count(reader, query, actor, version), "eq"
    return Page([row[0] for row in rows], following, total, relation, version)


def batches(reader: Reader, query: LoadedQuery, actor: Actor) -> Iterator[list[bytes]]:
    """Read the documents of all records that QUERY means, in its order, a few at a time.

    It takes to be run within `reader.snapshot()`. Raises QueryError as `page` does. The records are
    walked along once, by one statement, whatever the filters and the order: pages would find their
    way anew each time.
    """
    if query.sort == RELEVANCE:
        yield from _ranked_batches(reader, query, actor)
        return
    criteria = windowed(query.criteria)
    values = plans.bound(criteria, actor)
    walk = plans.chosen(reader, plans.walk_of(criteria, query, actor), criteria, values)
    if query.cursor is not None:
        digest = cursors.digest_of(criteria, query.match, actor)
        place, id_, _ = _read_cursor(query.cursor, query.sort, digest)
        values |= {"after_place": place, "after_id": id_}
    for rows in reader.stream(plans.whole(reader, walk), values, plans.BATCH):
        pks = [row[2] for row in rows]
        padded = pks + pks[-1:] * (plans.BATCH - len(pks))
        documents: dict[int, bytes] = dict(
            reader.run(plans.DOCUMENTS, {f"pk_{number}": pk for number, pk in enumerate(padded)})
        )
        batch = [documents.pop(pk) for pk in pks]
        yield batch
        del batch  # before the next is read


def _ranked_batches(reader: Reader, query: LoadedQuery, actor: Actor) -> Iterator[list[bytes]]:
    """Read the documents of all hits, part by part as they are ranked."""
    best: Ranked | None = None
    while best is None or best.following is not None:
        cursor = query.cursor if best is None else best.following
        best = ranked(reader, replace(query, limit=MAX_LIMIT, cursor=cursor, count=None), actor)
        yield [hit.document for hit in best.hits]


def identity(query: LoadedQuery) -> str:
    """Say in full which records a resolved QUERY means, in which order."""
    return repr((sorted(query.criteria.items()), query.match, query.sort, query.cursor))


def resolved(query: LoadedQuery, actor: Actor = PUBLIC) -> LoadedQuery:
    """Look up the names in QUERY: of cities, terms, publishers, a place; words to search for.

    Raises QueryError for a city, a community or an episode that nothing which ACTOR may read is
    called, for a place that the gazetteer does not know, for words that cannot be read, and for
    relevance without words.
    """
    if query.sort == RELEVANCE and "q" not in query.criteria:
        detail = "Relevance is to words that are looked for: give them as q, or take another sort."
        raise QueryError({"sort": [ErrorDetail("needs_words", detail)]})
    if not query.criteria.keys() & {"city", "community", "episode", "publisher", "near", "q"}:
        return query
    criteria = names.identified(reader(), engine(), query.criteria, actor)
    if "q" in criteria:
        criteria["q"] = searched(reader(), criteria["q"])
    if "city" in criteria:
        criteria["city"] = _unique(
            name for city in criteria["city"] for name in _city_keys(engine(), city)
        )
    if "publisher" in criteria:
        criteria["publisher"] = _unique(criteria["publisher"])
    if "near" in criteria:
        where, radius_km = criteria["near"]
        latitude, longitude = _point(engine(), where) if isinstance(where, str) else where
        criteria["near"] = (latitude, longitude, radius_km)
    return replace(query, criteria=criteria)


@lru_cache(maxsize=4096)
def _point(engine: Engine, name: str) -> tuple[float, float]:
    """Find the largest place that goes by NAME."""
    with engine.connect() as connection:
        found = geo.by_name_anywhere(connection, name)
    if found is None:
        detail = (
            f"The gazetteer knows no place {name[:40]!r}; search it at /api/v1/places?q=…, or give "
            "latitude,longitude, such as near=55.7558,37.6173."
        )
        raise QueryError({"near": [ErrorDetail("unknown_place", detail)]})
    return found.latitude, found.longitude


@lru_cache(maxsize=4096)
def _city_keys(engine: Engine, name: str) -> list[str]:
    """Find what a city's name may mean; the gazetteer stands still while the service runs."""
    with engine.connect() as connection:
        return geo.city_keys(connection, name)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for name in map(key, names) if name is not None))


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
        raise cursors.refused(cursors.FOREIGN)
    if seen < 0:
        raise cursors.refused(cursors.DAMAGED)
    return place, id_, seen
