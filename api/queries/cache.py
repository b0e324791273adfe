"""The cache: public answers that cost much, kept by a worker while the data stands still.

What is cached belongs to a dataset version, so that it is right with any number of workers: the
version is read from the database each time, and what is older is not served. What only counts or
adds up is brought up to date instead, by the records that changed since: the feed has them, with
their documents before and after. Nothing that may hold drafts comes here. An erasure empties
it.
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


class RecordChange(NamedTuple):
    """A record's public document before and after; None where the public had or has none."""

    before: dict[str, Any] | None
    after: dict[str, Any] | None


class CannotUpdate(Exception):  # noqa: N818 - it is an answer, not a malfunction
    """What is cached cannot be brought up to date."""


class Incremental(Protocol):
    """What adds up: it can be brought up to date by the records that changed.

    `version` is the dataset version that it stands for; `lock` is held while it changes, and by
    whoever reads more than one of its numbers.
    """

    version: int
    lock: threading.Lock

    @property
    def size_bytes(self) -> int:
        """Return about how many bytes it takes."""

    def apply_changes(self, changes: Iterable[RecordChange]) -> None:
        """Bring the numbers up to date; raises CannotUpdate where that cannot be."""


@dataclass(slots=True)
class _Entry:
    version: int
    value: Any
    size_bytes: int


class VersionedCache:
    """Answers by key with their dataset version, the least used evicted first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._size_bytes = 0
        self._lock = threading.Lock()
        self._making: dict[Hashable, tuple[threading.Lock, int]] = {}

    @contextmanager
    def single_flight(self, key: Hashable) -> Iterator[None]:
        """Let one thread at a time make what is cached under KEY; the others wait for it."""
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
        """Return what is cached under KEY, with the version it belongs to."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry.version, entry.value

    def put(self, key: Hashable, version: int, value: Any, size_bytes: int) -> None:
        """Cache VALUE of so many bytes, unless something newer is cached or it is too large."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry.version > version:
                return
            self._evict(key)
            if size_bytes > self._capacity:
                return
            self._entries[key] = _Entry(version, value, size_bytes)
            self._size_bytes += size_bytes
            while self._size_bytes > self._capacity:
                self._evict(next(iter(self._entries)))

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Evict all."""
        with self._lock:
            self._entries.clear()
            self._size_bytes = 0

    def _evict(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size_bytes -= entry.size_bytes


_caches: "WeakKeyDictionary[Reader, VersionedCache]" = WeakKeyDictionary()


def cache_of(reader: Reader) -> VersionedCache:
    """Return this worker's cache of answers from the database behind READER."""
    return _caches.setdefault(reader, VersionedCache())


_STATE = select(Dataset.version)


_Value = TypeVar("_Value", bound=Incremental)


def cached(
    reader: Reader, key: Hashable, compute: Callable[[], _Value], *, incremental: bool
) -> _Value:
    """Return what is cached under KEY, brought up to date by the changes since, or COMPUTE it.

    What is not INCREMENTAL is computed anew whenever the data changed.
    """
    cache = cache_of(reader)
    with cache.single_flight(key):
        entry = cache.get(key)
        value: _Value
        if entry is not None:
            stood, value = entry
            version = reader.run(_STATE)[0][0]
            if stood == version or (stood < version and incremental and update(reader, value)):
                cache.put(key, value.version, value, value.size_bytes)
                return value
        value = compute()
        cache.put(key, value.version, value, value.size_bytes)
        return value


def update(reader: Reader, value: Incremental) -> bool:
    """Bring VALUE up to date; return whether that could be."""
    try:
        with value.lock:
            version, changes = changes_since(reader, value.version)
            value.apply_changes(changes)
            value.version = version
    except CannotUpdate:
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


def changes_since(reader: Reader, version: int) -> tuple[int, list[RecordChange]]:
    """Return the version that the data now stands at, and the records that changed since VERSION.

    Raises CannotUpdate where they are too many, or where one was erased or all were upgraded:
    the former content is gone.
    """
    rows = reader.run(_SINCE, {"since": version})
    if len(rows) > MOST_CHANGES or any(row[2] in ("erased", "upgraded") for row in rows):
        cache_of(reader).clear()
        raise CannotUpdate
    documents: dict[str, tuple[str | None, str | None]] = {}
    for _, resource, _, id_, old, new in rows:
        if resource == "incident":
            documents[id_] = (documents[id_][0] if id_ in documents else old, new)
    changes = [
        RecordChange(*(None if text is None else load(text) for text in pair))
        for pair in documents.values()
    ]
    return (rows[-1][0] if rows else version), changes
