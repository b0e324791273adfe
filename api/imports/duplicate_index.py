"""The records of a first load so far, in memory, as `api.records.duplicates` compares them.

The tables held nothing before, so that the records of the file itself are all there is to look
like. Asking the tables about each takes a third of the time of writing them.
"""

from array import array
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Hashable
from datetime import date
from functools import lru_cache

from api.records.duplicates import MOST_CITING, NEAR_DAYS, DuplicateProbe

_BITS = 22  # a day, counted from the first of the calendar
_DAY = (1 << _BITS) - 1
_SHORT = 3  # days that the bounds of a date known to three days or better may have


class Gathered:
    """Tells which records look like one before them, by the rule that refuses a single post.

    A date is one number here, its first day above its last.
    """

    def __init__(self) -> None:
        # Dates of the records of a city that name a community, in order; only those near to any.
        self._near: dict[Hashable, array[int]] = defaultdict(lambda: array("q"))
        # Dates of the records of a city that cite an article, the newest record last.
        self._citing: dict[Hashable, array[int]] = defaultdict(lambda: array("q"))

    def meets(self, one: DuplicateProbe) -> bool:
        """Tell whether a record looks like one that was added."""
        city = _city(one)
        start, end = _days(one.earliest, one.latest)
        return (
            one.near and any(self._is_near((city, name), start, end) for name in one.communities)
        ) or any(self._cites((city, pk), start, end) for pk in one.articles)

    def add(self, one: DuplicateProbe) -> None:
        """Add a record."""
        city = _city(one)
        start, end = _days(one.earliest, one.latest)
        dated = start << _BITS | end
        if one.near:
            for name in one.communities:
                insort(self._near[city, name], dated)
        for pk in one.articles:
            self._citing[city, pk].append(dated)

    def _is_near(self, key: Hashable, start: int, end: int) -> bool:
        found = self._near.get(key)
        if found is None:
            return False
        first = bisect_left(found, max(start - NEAR_DAYS, 0) << _BITS)
        last = bisect_left(found, (start + NEAR_DAYS + 1) << _BITS, first)
        return any(_are_near(start, end, one >> _BITS, one & _DAY) for one in found[first:last])

    def _cites(self, key: Hashable, start: int, end: int) -> bool:
        found = self._citing.get(key)
        return found is not None and any(
            one >> _BITS <= end and start <= one & _DAY for one in found[-MOST_CITING:]
        )


def _city(one: DuplicateProbe) -> Hashable:
    return one.city_key, one.country if one.geonames_id is None else one.geonames_id


@lru_cache(maxsize=16_384)
def _days(earliest: str, latest: str) -> tuple[int, int]:
    return date.fromisoformat(earliest).toordinal(), date.fromisoformat(latest).toordinal()


def _are_near(start: int, end: int, other_start: int, other_end: int) -> bool:
    """Compare dates as `schemas.dates.DateSpan.close_to` does, both being near to themselves."""
    if end - start < _SHORT and other_end - other_start < _SHORT:
        return max(start, other_start) - min(end, other_end) <= 1
    return abs(start - other_start) <= 1 and abs(end - other_end) <= 1
