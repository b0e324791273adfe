"""Counts: how many records a query means, exactly."""

from dataclasses import replace

from api.db import Reader
from api.queries import text_walks, walks
from api.queries.filters import windowed
from api.roles import Actor
from schemas.query import Query


def count(reader: Reader, query: Query, actor: Actor) -> int:
    """Count exactly the records that QUERY means and ACTOR may read."""
    criteria = windowed(query.criteria)
    values = walks.bound(criteria, actor)
    walk = replace(walks.walk_of(criteria, query, actor), after=False, sort=None)
    if "q" in criteria:
        walk = text_walks.chosen(reader, walk, criteria, values, None)
        statement = text_walks.counting(reader, walk)
    else:
        walk = walks.chosen(reader, walk, criteria, values)
        statement = walks.counting(reader, walk)
    found: int = reader.rows(statement, values)[0][0]
    return found
