"""Counts: how many records a query means, exactly; public numbers are cached."""

from api.core.permissions import Actor
from api.database.readers import Reader
from api.queries.cache import CannotUpdate, cache_of, changes_since
from api.queries.filters.incidents import has_predicates, signed_matches
from api.queries.plans import plans, text_plans
from api.queries.plans.planner import plan_for
from api.queries.results import ResolvedQuery


def count(reader: Reader, query: ResolvedQuery, actor: Actor, version: int | None = None) -> int:
    """Return how many records QUERY means and ACTOR may read, as of VERSION or later.

    A public number is cached, and brought up to date by the records that changed since.
    """
    if actor.pk is not None:
        return _computed(reader, query, actor)[0]
    if version is None:
        version = reader.run(plans.STATE)[0][0]
    cache = cache_of(reader)
    key = ("count", repr((sorted(query.criteria.items()), query.match)))
    updated = _updated(reader, query, cache.get(key), version)
    number, counted_at = updated or _computed(reader, query, actor)
    cache.put(key, counted_at, number, 500 + len(key[1]))
    return number


def _updated(
    reader: Reader, query: ResolvedQuery, entry: tuple[int, int] | None, version: int
) -> tuple[int, int] | None:
    """Return a cached number with its version, brought up to date, if it can be."""
    if entry is None or entry[0] > version:
        return None
    counted_at, number = entry
    if counted_at == version:
        return number, counted_at
    if not has_predicates(query.criteria):
        return None
    try:
        counted_at, changes = changes_since(reader, counted_at)
    except CannotUpdate:
        return None
    number += sum(sign for _, sign in signed_matches(changes, query.criteria, query.match))
    return number, counted_at


def _computed(reader: Reader, query: ResolvedQuery, actor: Actor) -> tuple[int, int]:
    """Return the number as the database counts it, and the dataset version."""
    plan, values = plan_for(reader, query, actor, along_text=True)
    make = text_plans.count_statement if plan.text else plans.count_statement
    number, counted_at = reader.rows(make(reader, plan), values)[0]
    return number, counted_at
