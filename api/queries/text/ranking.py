"""Ranked pages: what a full-text query finds, the best first.

Ranked are the newest MOST_RANKED hits; beyond them a page leads on to the next so many, which are
ranked by themselves. So a word that a million records hold is answered as fast as a rare one, and
all hits can be paged through. How a hit is scored is in `search.index_tables`: it depends on the
record and the query alone, and is the same on both engines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.core.permissions import Actor
from api.database.readers import Reader
from api.queries import cursors
from api.queries.cursors import LAST_DOC_ID, HitPosition
from api.queries.filters.orders import RELEVANCE
from api.queries.plans import plans, text_plans
from api.queries.plans.planner import plan_for
from api.queries.results import ResolvedQuery
from api.queries.text.text_queries import TextQuery
from api.search import index_tables
from schemas.query.filters import DEFAULT_LIMIT

MOST_RANKED = 1000
# Of a part that was ranked, with what has been added to it since.
_MOST_CONTINUED = 10 * MOST_RANKED


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found, and how well it fits, from 0 to 1."""

    document: bytes
    score: float


@dataclass(frozen=True, slots=True)
class RankedPage:
    """A page of hits; `ranked` says which part of all hits they were ranked among."""

    hits: list[Hit]
    following: str | None
    total: int | None
    dataset_version: int
    ranked: str


def rank(reader: Reader, query: ResolvedQuery, actor: Actor) -> RankedPage:
    """Return a page of hits, the best first, and how many they are at least, or all.

    Raises QueryError for a cursor of another query.
    """
    text_query: TextQuery = query.criteria["q"]
    most_points = len(text_query.resolved.units) * index_tables.MAX_POINTS
    limit = query.limit or DEFAULT_LIMIT
    digest = cursors.digest_of(query.criteria, query.match, actor)
    position = HitPosition()
    if query.cursor is not None:
        position = HitPosition.read(query.cursor, RELEVANCE, most_points, digest)
    rows = _rows(reader, query, actor, position, limit)
    version = rows[0][3] if rows else reader.run(plans.STATE)[0][0]
    number = rows[0][4] if rows else 0
    is_part = position.last != LAST_DOC_ID or number >= MOST_RANKED
    shown = rows[:limit]
    end = rows[0][5] if is_part and position.last == LAST_DOC_ID else position.last
    following = None
    if len(rows) > limit:
        following = HitPosition(position.first, end, shown[-1][2], shown[-1][1])
    elif is_part:
        following = HitPosition(first=end)
    total = number if query.cursor is None and following is None else None
    return RankedPage(
        [Hit(row[0], round(row[2] / most_points, 4)) for row in shown],
        None if following is None else following.write(RELEVANCE, digest),
        total,
        version,
        "all" if not is_part and position.first == 0 else _part(position),
    )


def _rows(
    reader: Reader, query: ResolvedQuery, actor: Actor, position: HitPosition, limit: int
) -> Sequence[Any]:
    """Return the rows of a page of LIMIT hits and the next, as `ranked_statement` has them."""
    after = position.points >= 0
    plan, values = plan_for(
        reader, query, actor, sort=RELEVANCE, after=after, along_text=True, hits=MOST_RANKED
    )
    values |= {
        "limit_plus_one": limit + 1,
        "ranked_from": position.first,
        "ranked_to": position.last,
        "most_ranked": MOST_RANKED if position.last == LAST_DOC_ID else _MOST_CONTINUED,
        "after_points": position.points,
        "after_doc_id": position.doc_id,
    }
    units = len(query.criteria["q"].resolved.units)
    return reader.rows(text_plans.ranked_statement(reader, plan, units), values)


def _part(position: HitPosition) -> str:
    return f"newest {MOST_RANKED}" if position.first == 0 else f"next {MOST_RANKED}"
