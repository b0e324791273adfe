"""Ranked pages: what a full-text query finds, the best first.

Ranked are the newest MOST_RANKED hits; beyond them a page leads on to the next so many, which are
ranked by themselves. So a word that a million records hold is answered as fast as a rare one, and
all hits can be paged through. How a hit is scored is in `search.index_tables`: it depends on the
record and the query alone, and is the same on both engines.
"""

import re
from dataclasses import dataclass, replace

from api import search
from api.core.permissions import Actor
from api.database.readers import Reader
from api.queries import cursors
from api.queries.counts import count
from api.queries.filters.table import windowed
from api.queries.plans import plans, text_plans
from api.queries.text.text_queries import Searched
from schemas.query.filters import DEFAULT_LIMIT
from schemas.query.loading import LoadedQuery

RELEVANCE = "relevance"
MOST_RANKED = 1000
# Of a part that was ranked, with what has been added to it since.
_MOST_CONTINUED = 10 * MOST_RANKED
_LAST_SLOT = 2**63 - 1
_SLOT = re.compile(r"[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found, and how well it fits, from 0 to 1."""

    document: bytes
    score: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """A page of hits; `ranked` says which part of all hits they were ranked among."""

    hits: list[Hit]
    following: str | None
    total: int
    total_relation: str
    dataset_version: int
    ranked: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page starts: in the part between two slots, after a hit (its points and slot)."""

    digest: str
    first: int = 0
    last: int = _LAST_SLOT
    points: int = -1
    slot: int = 0
    seen: int = 0

    def cursor(self) -> str:
        """Write it as a cursor; slots are too large for numbers of JSON."""
        slots = (str(self.first), str(self.last), str(self.slot))
        return cursors.write(RELEVANCE, self.digest, *slots, self.points, self.seen)


def ranked(reader: Reader, query: LoadedQuery, actor: Actor) -> Ranked:
    """Read a page of hits. Criteria must be resolved; raises QueryError for a foreign cursor."""
    criteria = windowed(query.criteria)
    searched: Searched = criteria["q"]
    units, limit = len(searched.named.units), query.limit or DEFAULT_LIMIT
    digest = cursors.digest_of(criteria, query.match, actor)
    place = _place(query.cursor, digest, units * search.MAX_POINTS)
    values = plans.bound(criteria, actor) | {
        "limit_plus_one": limit + 1,
        "ranked_from": place.first,
        "ranked_to": place.last,
        "most_ranked": MOST_RANKED if place.last == _LAST_SLOT else _MOST_CONTINUED,
        "after_points": place.points,
        "after_slot": place.slot,
    }
    walk = replace(plans.walk_of(criteria, query, actor), after=place.points >= 0)
    walk = text_plans.chosen(reader, walk, criteria, values, MOST_RANKED)
    rows = reader.rows(text_plans.ranking(reader, walk, units), values)
    version = rows[0][3] if rows else reader.run(plans.STATE)[0][0]
    number = rows[0][4] if rows else 0
    is_part = place.last != _LAST_SLOT or number >= MOST_RANKED
    end = rows[0][5] if is_part and place.last == _LAST_SLOT else place.last
    shown = rows[:limit]
    seen = place.seen + len(shown)
    following = None
    if len(rows) > limit:
        following = replace(place, last=end, points=shown[-1][2], slot=shown[-1][1], seen=seen)
    elif is_part:
        following = _Place(place.digest, first=end, seen=seen)
    total, relation = seen + (following is not None), "gte"
    if not is_part and place.first == 0:
        total, relation = number, "eq"
    elif query.count == "exact":
        total, relation = count(reader, query, actor), "eq"
    return Ranked(
        [Hit(row[0], round(row[2] / (units * search.MAX_POINTS), 4)) for row in shown],
        None if following is None else following.cursor(),
        total,
        relation,
        version,
        "all" if not is_part and place.first == 0 else _part(place),
    )


def _part(place: _Place) -> str:
    return f"newest {MOST_RANKED}" if place.first == 0 else f"next {MOST_RANKED}"


def _place(cursor: str | None, digest: str, most: int) -> _Place:
    """Read where a page starts; raise QueryError for a cursor that is not of this query.

    MOST is how many points a hit can have.
    """
    if cursor is None:
        return _Place(digest)
    sort, of_digest, *slots, points, seen = cursors.read(cursor, str, str, str, str, str, int, int)
    if (sort, of_digest) != (RELEVANCE, digest):
        raise cursors.refused(cursors.FOREIGN)
    sound = -1 <= points <= most and seen >= 0
    if not sound or not all(map(_is_slot, slots)):
        raise cursors.refused(cursors.DAMAGED)
    first, last, slot = map(int, slots)
    return _Place(digest, first, last, points, slot, seen)


def _is_slot(text: str) -> bool:
    return bool(_SLOT.fullmatch(text)) and int(text) <= _LAST_SLOT
