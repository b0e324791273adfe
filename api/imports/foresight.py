"""Foresight: the lines of a batch laid out by other processes, while one holds the lock and writes.

On SQLite who writes has the lock until the commit: whatever another process reads meanwhile stands
as it was when the writer began, but for what the writer has not committed yet. Of that only the
articles of lines before bear on a new record. They are named with it, and the writer compares
them with its own; a line that is another than it seemed, and any that is not plainly a new public
record, it takes by itself, as it would take all of them.
"""

import marshal
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from typing import Any

from api.citations import Relied
from api.db import Base, db
from api.imports.importing import Foreseen, Importing, Options
from api.imports.reading import AT_ONCE, Scratch
from api.imports.workers import Workers
from api.models import Article, Incident, Version
from api.records import Laid, Writing
from api.roles import OPERATOR
from api.rows import Batch

# No article has a key of its own here: who writes gives it one.
_NO_KEYS = count(-1, -1)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of lines to lay out: those after a place, the last of them at another.

    `at` is when the batch is written, `keys` are the primary keys that its records may have.
    """

    path: str
    options: Options
    after: int
    until: int
    at: str
    keys: dict[type[Base], range]


def helps(among: Workers) -> bool:
    """Tell whether other processes can lay out what this one writes."""
    return among.number > 1 and db.engine.dialect.name == "sqlite"


def foreseen(
    writing: Importing, after: int, until: int, among: Workers
) -> Iterator[list[Foreseen | None]]:
    """Lay out the lines AFTER a place, the last of them at UNTIL, AMONG other processes.

    The caller has the lock, and takes them in their order before it commits.
    """
    yield from map(_unpacked, among.map(_lay_out, _parts(writing, after, until)))


def _parts(writing: Importing, after: int, until: int) -> Iterator[Part]:
    batch = writing.writing.batch
    ends = list(_ends(after, until))
    for begin, end in zip([after, *ends], ends, strict=False):
        keys: dict[type[Base], range] = {
            model: batch.take_keys(model, end - begin) for model in (Incident, Version)
        }
        yield Part(writing.scratch.path, writing.options, begin, end, writing.writing.at, keys)


# Marshal takes a third of the time that pickle takes, and knows plain tuples alone. In this
# version it does not look for what comes again, which takes longer than to write it again.
_MARSHAL = 2


def _ends(after: int, until: int) -> Iterator[int]:
    """Say where parts end; the first are short, as the writer waits for them."""
    size = max(AT_ONCE // 8, 1)
    while after < until:
        after = min(after + size, until)
        yield after
        size = min(2 * size, AT_ONCE)


def _packed(group: Iterable[Foreseen | None]) -> bytes:
    return marshal.dumps([one and _plain(one) for one in group], _MARSHAL)


def _plain(one: Foreseen) -> tuple[Any, ...]:
    relied_on = [tuple(relied) for relied in one.relied_on]
    return one.number, one.reason, one.laid.plain(), relied_on


def _unpacked(packed: bytes) -> list[Foreseen | None]:
    return [one and _whole(*one) for one in marshal.loads(packed)]  # noqa: S302 - what we packed


def _whole(number: int, reason: str | None, laid: Any, relied_on: Any) -> Foreseen:
    return Foreseen(number, reason, Laid.of(*laid), [Relied(*relied) for relied in relied_on])


def _lay_out(part: Part) -> bytes:
    with closing(Scratch(part.path, ready=True)) as scratch:
        try:
            session = db.session()
            keys = {model: iter(found) for model, found in part.keys.items()}
            batch = Batch(session.connection(), keys={**keys, Article: _NO_KEYS})
            importing = Importing(
                session, OPERATOR, part.options, scratch, write=False, batch=batch, at=part.at
            )
            remembered.go_on(importing.writing, (part.path, part.at))
            return _packed(importing.foresee(list(scratch.lines(part.after, part.until))))
        finally:
            db.session.rollback()


class _Remembered:
    """What this process has looked up last, and for which batch."""

    def __init__(self) -> None:
        self._batch: tuple[str, str] | None = None
        self._writing: Writing | None = None

    def go_on(self, writing: Writing, batch: tuple[str, str] | None = None) -> None:
        """Let WRITING know what others before have looked up: in the same BATCH, or of places."""
        if self._writing is not None:
            writing.take_over(self._writing, whole=batch is not None and batch == self._batch)
        self._batch, self._writing = batch, writing


remembered = _Remembered()
