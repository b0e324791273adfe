"""Remembered: public answers that cost much, kept by a worker while the data stands still.

What is kept belongs to a dataset version, so that it is right with any number of workers: the
version is read from the database each time, and what is older is not served. What only counts or
adds up is brought up to date instead, by the records that changed since: the feed has them, with
their documents before and after. Nothing that may hold drafts comes here. An erasure has all
forgotten.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import and_, bindparam, func, literal_column, select
from sqlalchemy.orm import aliased

from api.database.readers import Reader
from api.documents import load
from api.models import Change, Dataset, Version

# Bytes that all of a worker's answers may take, by their own estimate.
CAPACITY = 6_000_000
# More changes than this are not followed one by one.
MOST_CHANGES = 200


class Moved(NamedTuple):
    """A record's public document before and after; None where the public had or has none."""

    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Forgotten(Exception):  # noqa: N818 - it is an answer, not a malfunction
    """What was remembered cannot be brought up to date."""


class Followed(Protocol):
    """What adds up: it can be brought up to date by the records that moved.

    `version` is the dataset version that it stands for, `weight` the bytes that it takes; `lock`
    is held while it changes, and by whoever reads more than one of its numbers.
    """

    version: int
    lock: threading.Lock

    @property
    def weight(self) -> int:
        """Estimate the bytes that it takes."""

    def follow(self, moved: Iterable[Moved]) -> None:
        """Bring the numbers up to date; raises Forgotten where that cannot be."""


@dataclass(slots=True)
class _Entry:
    version: int
    value: Any
    weight: int


class Memory:
    """Answers by key with their dataset version, the least used forgotten first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._weight = 0
        self._lock = threading.Lock()
        self._making: dict[Hashable, tuple[threading.Lock, int]] = {}

    @contextmanager
    def alone(self, key: Hashable) -> Iterator[None]:
        """Let one thread at a time make what is kept under KEY; the others find it made."""
        with self._lock:
            lock, waiting = self._making.get(key, (threading.Lock(), 0))
            self._making[key] = lock, waiting + 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, waiting = self._making.pop(key)
                if waiting > 1:
                    self._making[key] = lock, waiting - 1

    def get(self, key: Hashable) -> tuple[int, Any] | None:
        """Give what is kept under KEY, with the version it belongs to."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry.version, entry.value

    def put(self, key: Hashable, version: int, value: Any, weight: int) -> None:
        """Keep VALUE of WEIGHT bytes, unless something newer is kept or it is too large."""
        with self._lock:
            known = self._entries.get(key)
            if known is not None and known.version > version:
                return
            self._drop(key)
            if weight > self._capacity:
                return
            self._entries[key] = _Entry(version, value, weight)
            self._weight += weight
            while self._weight > self._capacity:
                self._drop(next(iter(self._entries)))

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._entries.clear()
            self._weight = 0

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._weight -= entry.weight


_memories: "WeakKeyDictionary[Reader, Memory]" = WeakKeyDictionary()


def memory_of(reader: Reader) -> Memory:
    """Give what this worker remembers of the database behind READER."""
    return _memories.setdefault(reader, Memory())


_STANDS = select(Dataset.version)


_Found = TypeVar("_Found", bound=Followed)


def followed(
    reader: Reader, key: Hashable, compute: Callable[[], _Found], *, testable: bool
) -> _Found:
    """Take what is kept under KEY, brought up to date by what moved since, or COMPUTE it.

    What is not TESTABLE, document by document, is computed anew whenever the data changed.
    """
    memory = memory_of(reader)
    with memory.alone(key):
        known = memory.get(key)
        found: _Found
        if known is not None:
            stood, found = known
            version = reader.run(_STANDS)[0][0]
            if stood == version or (stood < version and testable and brought_up(reader, found)):
                memory.put(key, found.version, found, found.weight)
                return found
        found = compute()
        memory.put(key, found.version, found, found.weight)
        return found


def brought_up(reader: Reader, found: Followed) -> bool:
    """Bring what was FOUND up to date; tell whether that could be."""
    try:
        with found.lock:
            stands, moved = moved_since(reader, found.version)
            found.follow(moved)
            found.version = stands
    except Forgotten:
        return False
    return True


_old, _new = aliased(Version), aliased(Version)
_before = aliased(Change)
_recent = (
    select(Change.seq, Change.resource, Change.action, Change.id, Change.version_pk)
    .where(Change.seq > bindparam("since"))
    .order_by(Change.seq)
    .limit(literal_column(str(MOST_CHANGES + 1)))
    .subquery("recent")
)
_known = aliased(Change)
_last_known = (
    select(func.max(_known.seq))
    .where(
        _known.id == _recent.c.id,
        _known.seq <= bindparam("since"),
        _known.resource == literal_column("'incident'"),
    )
    .scalar_subquery()
)
_SINCE = (
    select(
        _recent.c.seq,
        _recent.c.resource,
        _recent.c.action,
        _recent.c.id,
        _old.document,
        _new.document,
    )
    .select_from(_recent)
    .outerjoin(_before, _before.seq == _last_known)
    .outerjoin(
        _old, and_(_old.pk == _before.version_pk, _old.status == literal_column("'published'"))
    )
    .outerjoin(
        _new, and_(_new.pk == _recent.c.version_pk, _new.status == literal_column("'published'"))
    )
    .order_by(_recent.c.seq)
)


def moved_since(reader: Reader, version: int) -> tuple[int, list[Moved]]:
    """Give the version that the data now stands at, and the records that moved since VERSION.

    Raises Forgotten where they are too many, or where one was erased: its former content is gone.
    """
    rows = reader.run(_SINCE, {"since": version})
    if len(rows) > MOST_CHANGES or any(row[2] in ("erased", "upgraded") for row in rows):
        memory_of(reader).clear()
        raise Forgotten
    documents: dict[str, tuple[str | None, str | None]] = {}
    for _, resource, _, id_, old, new in rows:
        if resource == "incident":
            documents[id_] = (documents[id_][0] if id_ in documents else old, new)
    moved = [
        Moved(*(None if text is None else load(text) for text in pair))
        for pair in documents.values()
    ]
    return (rows[-1][0] if rows else version), moved
