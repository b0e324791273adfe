"""Statistics: numbers of incidents and honest sums of their figures, by one or two groups.

Each row has its group's keys, `incidents`, and for each of arrests, injuries, deaths, participants:

- `known`: how many of the incidents have a figure at all, `unknown`: how many have none;
- `low`: the sum of the lower bounds; a figure without one ("at most 5", "about 3,000") adds 0,
  since no fewer can be meant; null where no figure is known;
- `high`: the sum of the upper bounds; null as soon as one figure has none ("at least 25"), and
  where no figure is known;
- `open_ended`: how many figures have no upper bound.

What is not reported is in no sum: `low` to `high` is what is proven of the `known` incidents. By
community, by pair of communities and by organisation there are numbers of incidents by role
instead: arrests and injuries are known for an event, not for a community.
"""

from dataclasses import replace
from typing import Any

import orjson

from api.core.permissions import PUBLIC, Actor
from api.database.readers import Reader
from api.models import feed
from api.queries import cursors
from api.queries.cache import cache_of, cached
from api.queries.filters.incidents import has_predicates
from api.queries.plans.planner import plan_for
from api.queries.results import ResolvedQuery, Statistics
from api.queries.statistics import aggregates
from api.queries.statistics.aggregates import SUMMED, Grouping, Numbers, StatisticsAggregate
from api.queries.statistics.groups import GROUPS, ROLES_ONLY, Key
from schemas.query.requests import DEFAULT_ROWS
from schemas.vocabulary import ROLES

_SUMS_REFUSED = (
    "Arrests, injuries, deaths and participants are known for an event, not for a community or an "
    "organisation: their sums would ascribe to each what may have been the other's. There are "
    "numbers of incidents by role instead."
)


def read(reader: Reader, query: ResolvedQuery, actor: Actor) -> Statistics:
    """Return a page of the statistics that QUERY asks for and ACTOR may see.

    Public ones are cached until the data changes, and brought up to date by what changed. Raises
    QueryError for a cursor that is not of this query, or of an older dataset version, and where
    there are too many rows.
    """
    grouping = tuple(query.group_by or ())
    limit = query.limit or DEFAULT_ROWS
    if actor.pk is not None:
        return _page(_computed(reader, query, actor, grouping), query, limit)
    cache = cache_of(reader)
    version = feed.version_seen_by(reader)
    key = ("page", grouping, query.identity, limit)
    entry = cache.get(key)
    if entry is not None and entry[0] == version:
        page: Statistics = entry[1]
        return page
    aggregate = cached(
        reader,
        ("statistics", grouping, _identity(query)),
        lambda: _computed(reader, query, PUBLIC, grouping),
        incremental=has_predicates(query.criteria),
    )
    with aggregate.lock:
        page = _page(aggregate, query, limit)
    cache.put(key, page.dataset_version, page, len(page.before) + 1000)
    return page


def _identity(query: ResolvedQuery) -> str:
    return replace(query, cursor=None).identity


def _computed(
    reader: Reader, query: ResolvedQuery, actor: Actor, grouping: Grouping
) -> StatisticsAggregate:
    # Groups that another table tells are found row by row, in the order of the table.
    by_row = aggregates.several(grouping) and not aggregates.by_role(grouping)
    plan, values = plan_for(reader, query, actor, figures="rows" if by_row else "index")
    aggregate = StatisticsAggregate(grouping, query.criteria, query.match)
    aggregates.compute(aggregate, reader, plan, values)
    return aggregate


def _page(aggregate: StatisticsAggregate, query: ResolvedQuery, limit: int) -> Statistics:
    """Lay out a page of the groups."""
    start = 0
    digest = cursors.digest(f"{query.group_by} {_identity(query)}")
    if query.cursor is not None:
        start = cursors.read_row(query.cursor, digest, aggregate.version)
    rows = [_row(aggregate, key, row) for key, row in aggregate.ordered(start, start + limit)]
    following = None
    if start + limit < len(aggregate.rows):
        following = cursors.write_row(digest, aggregate.version, start + limit)
    grouping = aggregate.grouping
    before = b'{"group_by":%b,"data":[%b]' % (orjson.dumps(grouping), b",".join(rows))
    after = {
        "rows": len(aggregate.rows),
        "total": _total(aggregate.total, grouping),
        "notes": list(notes(grouping)),
    }
    return Statistics(before, orjson.dumps(after)[1:], following, aggregate.version)


def _row(aggregate: StatisticsAggregate, key: Key, row: Numbers) -> bytes:
    """Lay out a row; a change of the data leaves most of them as they were."""
    rendered = aggregate.shown.get(key)
    if rendered is None:
        shown = {**_shown(key, aggregate.grouping), **_numbers(row, key, aggregate.grouping)}
        # What orjson makes has room for 4 KB, however short it is.
        rendered = aggregate.shown[key] = bytes(memoryview(orjson.dumps(shown)))
    return rendered


def _shown(key: Key, grouping: Grouping) -> dict[str, Any]:
    """Return the keys of a row as members."""
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
    """Return the numbers of a row as members."""
    if not aggregates.by_role(grouping):
        return _total(row, grouping)
    counted = [
        dict(zip(ROLES, row[start:], strict=False)) for start in range(1, len(row), len(ROLES))
    ]
    if "community_pair" not in grouping:
        return {"incidents": row[0], "roles": counted[0]}
    start = sum(len(GROUPS[name].members) for name in grouping[: grouping.index("community_pair")])
    return {"incidents": row[0], "roles": dict(zip(key[start : start + 2], counted, strict=True))}


def _total(row: Numbers, grouping: Grouping) -> dict[str, Any]:
    """Return how many incidents, and the sums of their figures where they are added up."""
    shown: dict[str, Any] = {"incidents": row[0]}
    if aggregates.by_role(grouping):
        return shown
    for number, name in enumerate(SUMMED):
        low, high, known, bounded = row[1 + 4 * number : 5 + 4 * number]
        shown[name] = {
            "low": low if known else None,
            "high": high if known and known == bounded else None,
            "known": known,
            "unknown": row[0] - known,
            "open_ended": known - bounded,
        }
    return shown


def notes(grouping: Grouping) -> list[dict[str, str]]:
    """Return what must be known to read the rows of a grouping."""
    remarks = []
    if set(grouping) & set(ROLES_ONLY):
        remarks.append({"code": "no_sums_by_community", "detail": _SUMS_REFUSED})
    overlapping = [name for name in grouping if GROUPS[name].several]
    if overlapping:
        detail = (
            f"An incident is counted once in each {' and '.join(overlapping)} that it has, so that "
            "rows overlap and add up to more than the total."
        )
        remarks.append({"code": "rows_overlap", "detail": detail})
    periods = [name for name in grouping if GROUPS[name].period]
    if periods:
        detail = (
            f"Where {' or '.join(periods)} is null and spans is true are incidents whose date lies "
            "in more than one; they are in no other row of it."
        )
        remarks.append({"code": "spans", "detail": detail})
    return remarks
