"""Statistics: numbers of incidents and honest sums of their figures, by one or two groups.

Each row has its group's keys, `incidents`, and for each of arrests, injuries and deaths:

- `known`: how many of the incidents have a figure at all, `unknown`: how many have none;
- `low`: the sum of the lower bounds; a figure without one ("at most 5", "about 3,000") adds 0,
  since no fewer can be meant; null where no figure is known;
- `high`: the sum of the upper bounds; null as soon as one figure has none ("at least 25"), and
  where no figure is known;
- `open_ended`: how many figures have no upper bound.

What is not reported is in no sum: `low` to `high` is what is proven of the `known` incidents. By
community and by pair of communities there are numbers of incidents by role instead: arrests and
injuries are known for an event, not for a community.
"""

from dataclasses import dataclass, replace
from typing import Any

import orjson

from api.core.permissions import PUBLIC, Actor
from api.database.readers import Reader
from api.models import feed
from api.queries import cache, chosen, cursors, identity, windowed
from api.queries.cache import memory_of
from api.queries.filters import predicates
from api.queries.plans import plans
from api.queries.statistics import aggregates
from api.queries.statistics.aggregates import SUMMED, Grouping, Numbers, Tally
from api.queries.statistics.groups import GROUPS, ROLES_ONLY, Key
from schemas.query.loading import LoadedQuery
from schemas.query.requests import DEFAULT_ROWS
from schemas.vocabulary import ROLES

_SUMS_REFUSED = (
    "Arrests, injuries and deaths are known for an event, not for a community: their sums by "
    "community would ascribe to each what may have been the other's. There are numbers of "
    "incidents by role instead."
)


@dataclass(frozen=True, slots=True)
class Statistics:
    """A page of statistics: JSON members before and after `next`, the cursor that goes there."""

    before: bytes
    after: bytes
    following: str | None
    dataset_version: int


def read(reader: Reader, query: LoadedQuery, actor: Actor) -> Statistics:
    """Read a page of the statistics that QUERY (resolved) asks for and ACTOR may see.

    Public ones are remembered until the data changes, and brought up to date by what changed.
    Raises QueryError for a cursor that is not of this query, or of an older dataset version, and
    where there are too many rows.
    """
    grouping = tuple(query.group_by or ())
    limit = query.limit or DEFAULT_ROWS
    if actor.pk is not None:
        return _page(_computed(reader, query, actor, grouping), query, limit)
    memory = memory_of(reader)
    version = feed.version_seen_by(reader)
    key = ("page", grouping, identity(query), limit)
    known = memory.get(key)
    if known is not None and known[0] == version:
        found: Statistics = known[1]
        return found
    tally = _remembered(reader, query, grouping)
    with tally.lock:
        found = _page(tally, query, limit)
    memory.put(key, found.dataset_version, found, len(found.before) + 1000)
    return found


def _remembered(reader: Reader, query: LoadedQuery, grouping: Grouping) -> Tally:
    """Take a public tally from memory, brought up to date, or add it up."""
    return cache.followed(
        reader,
        ("tally", grouping, identity(replace(query, cursor=None))),
        lambda: _computed(reader, query, PUBLIC, grouping),
        testable=predicates.testable(query.criteria),
    )


def _computed(reader: Reader, query: LoadedQuery, actor: Actor, grouping: Grouping) -> Tally:
    criteria = windowed(query.criteria)
    values = plans.bound(criteria, actor)
    # Groups that another table tells are found row by row, in the order of the table.
    by_row = aggregates.several(grouping) and not aggregates.by_role(grouping)
    walk = replace(
        plans.walk_of(criteria, query, actor),
        sort=None,
        after=False,
        figures="rows" if by_row else "index",
    )
    tally = Tally(grouping, criteria, query.match)
    aggregates.compute(tally, reader, chosen(reader, walk, criteria, values), values)
    return tally


def _page(tally: Tally, query: LoadedQuery, limit: int) -> Statistics:
    """Lay out a page of a tally."""
    start = 0
    digest = _digest(query)
    if query.cursor is not None:
        start = _read_cursor(query.cursor, digest, tally)
    rows = [_row(tally, key, row) for key, row in tally.ordered(start, start + limit)]
    following = None
    if start + limit < len(tally.rows):
        following = cursors.write(digest, tally.version, start + limit)
    grouping = tally.grouping
    before = b'{"group_by":%b,"data":[%b]' % (orjson.dumps(grouping), b",".join(rows))
    after = {
        "rows": len(tally.rows),
        "total": _total(tally.total, grouping),
        "notes": list(notes(grouping)),
    }
    return Statistics(before, orjson.dumps(after)[1:], following, tally.version)


def _row(tally: Tally, key: Key, row: Numbers) -> bytes:
    """Lay out a row; a change of the data leaves most of them as they were."""
    found = tally.shown.get(key)
    if found is None:
        shown = {**_shown(key, tally.grouping), **_numbers(row, key, tally.grouping)}
        # What orjson makes has room for 4 KB, however short it is.
        found = tally.shown[key] = bytes(memoryview(orjson.dumps(shown)))
    return found


def _digest(query: LoadedQuery) -> str:
    return cursors.digest(f"{query.group_by} {identity(replace(query, cursor=None))}")


def _read_cursor(cursor: str, digest: str, tally: Tally) -> int:
    of_digest, version, start = cursors.read(cursor, str, int, int)
    if of_digest != digest or start < 0:
        raise cursors.refused("The cursor belongs to other statistics; start them anew without it.")
    if version != tally.version:
        raise cursors.refused(
            "The data changed since the first page, and rows may have moved; start anew without a "
            "cursor, or ask for more rows at once with limit."
        )
    found: int = start
    return found


def _shown(key: Key, grouping: Grouping) -> dict[str, Any]:
    """Show the keys of a row."""
    shown: dict[str, Any] = {}
    parts = iter(key)
    for name in grouping:
        members = GROUPS[name].members
        if name == "community_pair":
            shown[name] = [next(parts) for _ in members]
        else:
            shown |= {member: next(parts) for member in members}
    periods = [name for name in grouping if GROUPS[name].period]
    if periods:
        shown["spans"] = any(shown[name] is None for name in periods)
    return shown


def _numbers(row: Numbers, key: Key, grouping: Grouping) -> dict[str, Any]:
    """Show the numbers of a row."""
    if not aggregates.by_role(grouping):
        return _total(row, grouping)
    counted = [
        dict(zip(ROLES, row[place:], strict=False)) for place in range(1, len(row), len(ROLES))
    ]
    if "community_pair" not in grouping:
        return {"incidents": row[0], "roles": counted[0]}
    place = sum(len(GROUPS[name].members) for name in grouping[: grouping.index("community_pair")])
    return {"incidents": row[0], "roles": dict(zip(key[place : place + 2], counted, strict=True))}


def _total(row: Numbers, grouping: Grouping) -> dict[str, Any]:
    """Show how many incidents, and the sums of their figures where they are added up."""
    shown: dict[str, Any] = {"incidents": row[0]}
    if aggregates.by_role(grouping):
        return shown
    for place, name in enumerate(SUMMED):
        low, high, known, bounded = row[1 + 4 * place : 5 + 4 * place]
        shown[name] = {
            "low": low if known else None,
            "high": high if known and known == bounded else None,
            "known": known,
            "unknown": row[0] - known,
            "open_ended": known - bounded,
        }
    return shown


def notes(grouping: Grouping) -> list[dict[str, str]]:
    """Say what must be known to read the rows of a grouping."""
    found = []
    if set(grouping) & set(ROLES_ONLY):
        found.append({"code": "no_sums_by_community", "detail": _SUMS_REFUSED})
    overlapping = [name for name in grouping if GROUPS[name].several]
    if overlapping:
        detail = (
            f"An incident is counted once in each {' and '.join(overlapping)} that it has, so that "
            "rows overlap and add up to more than the total."
        )
        found.append({"code": "rows_overlap", "detail": detail})
    periods = [name for name in grouping if GROUPS[name].period]
    if periods:
        detail = (
            f"Where {' or '.join(periods)} is null and spans is true are incidents whose date lies "
            "in more than one; they are in no other row of it."
        )
        found.append({"code": "spans", "detail": detail})
    return found
