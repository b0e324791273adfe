"""Counts: how many records a query means, exactly; public numbers are remembered."""

from dataclasses import replace
from typing import Any

from api.core.permissions import Actor
from api.database.readers import Reader
from api.queries.cache import Forgotten, memory_of, moved_since
from api.queries.filters import predicates
from api.queries.filters.table import windowed
from api.queries.plans import plans, text_plans
from schemas.query.loading import LoadedQuery


def count(reader: Reader, query: LoadedQuery, actor: Actor, version: int | None = None) -> int:
    """Count exactly the records that QUERY means and ACTOR may read, as of VERSION or later.

    A public number is remembered, and brought up to date by the records that changed since.
    """
    if actor.pk is not None:
        return _counted(reader, query, actor)[0]
    if version is None:
        version = reader.run(plans.STATE)[0][0]
    memory = memory_of(reader)
    key = ("count", repr((sorted(query.criteria.items()), query.match)))
    known = _brought_up(reader, query, memory.get(key), version)
    number, stands = known or _counted(reader, query, actor)
    memory.put(key, stands, number, 500 + len(key[1]))
    return number


def _brought_up(
    reader: Reader, query: LoadedQuery, known: tuple[int, Any] | None, version: int
) -> tuple[int, int] | None:
    """Bring a number that is KNOWN of an older version up to date, if it can be."""
    if known is None or known[0] > version:
        return None
    stands, number = known
    if stands == version:
        return number, stands
    if not predicates.testable(query.criteria):
        return None
    try:
        stands, moved = moved_since(reader, stands)
    except Forgotten:
        return None
    criteria = windowed(query.criteria)
    for pair in moved:
        for document, sign in zip(pair, (-1, 1), strict=True):
            if document is not None and predicates.matches(document, criteria, query.match):
                number += sign
    return number, stands


def _counted(reader: Reader, query: LoadedQuery, actor: Actor) -> tuple[int, int]:
    """Count in the database: the number, and the dataset version."""
    criteria = windowed(query.criteria)
    values = plans.bound(criteria, actor)
    walk = replace(plans.walk_of(criteria, query, actor), after=False, sort=None)
    if "q" in criteria:
        walk = text_plans.chosen(reader, walk, criteria, values, None)
        statement = text_plans.counting(reader, walk)
    else:
        walk = plans.chosen(reader, walk, criteria, values)
        statement = plans.counting(reader, walk)
    number, stands = reader.rows(statement, values)[0]
    return number, stands
