"""Foresight: the lines of a batch laid out by other processes, while one holds the lock and writes.

On SQLite who writes has the lock until the commit: whatever another process reads meanwhile stands
as it was when the writer began, but for what the writer has not committed yet. Of that only the
articles of lines before bear on a new record. They are named with it, and the writer compares
them with its own; a line that is another than it seemed, and any that is not plainly a new public
record, it takes by itself, as it would take all of them.
"""

import marshal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from api.core.permissions import OPERATOR
from api.database.base import Base
from api.database.engines import db
from api.imports.importer import Foreseen, Importing, Options, Summary
from api.imports.staging import AT_ONCE, Aside, Stretch
from api.imports.worker_pool import Workers
from api.models import Article, Incident, Version
from api.records.citations import Relied
from api.records.rows import Batch
from api.records.verbs import Laid, Writing

# No article has a key of its own here: who writes gives it one.
_NO_KEYS = count(-1, -1)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of lines to lay out.

    `at` is when the batch is written, `keys` are the primary keys that its records may have.
    """

    stretch: Stretch
    options: Options
    at: str
    keys: dict[type[Base], range]


def run(
    writing: Importing,
    stretches: Iterable[Stretch],
    among: Workers,
    told: Callable[[], None],
    written: int = 0,
) -> Summary:
    """Let WRITING take the lines of STRETCHES, laid out AMONG other processes if they can help.

    After each group of lines it is TOLD of; WRITTEN is how many lines before them stay written.
    Raises ApiError that tells of what is wrong.
    """
    if among.number > 1 and db.engine.dialect.name == "sqlite":
        foreseen = _foreseen(writing, stretches, among)
        return writing.run_foreseen(foreseen, told=told, written=written)
    lines = (line for one in stretches for line in one.lines(one.after, one.until))
    return writing.run(lines, told=told, written=written)


def _foreseen(
    writing: Importing, stretches: Iterable[Stretch], among: Workers
) -> Iterator[tuple[Stretch, list[Foreseen | None]]]:
    """Lay out the lines of STRETCHES, one after the other; WRITING takes them in that order."""
    waiting: deque[Stretch] = deque()

    def parts() -> Iterator[Part]:
        for stretch in stretches:
            waiting.append(stretch)
            yield _part(writing, stretch)

    for packed in among.map(_lay_out, parts()):
        yield waiting.popleft(), _unpacked(packed)


def _part(writing: Importing, stretch: Stretch) -> Part:
    batch, number = writing.writing.batch, stretch.until - stretch.after
    keys: dict[type[Base], range] = {
        model: batch.take_keys(model, number) for model in (Incident, Version)
    }
    return Part(stretch, writing.options, writing.writing.at, keys)


def stretches(path: str, after: int, until: int) -> Iterator[Aside]:
    """Cut the lines AFTER a place, the last of them at UNTIL, which are set aside at PATH.

    The first stretches are short, as the writer waits for them.
    """
    size = max(AT_ONCE // 8, 1)
    while after < until:
        end = min(after + size, until)
        yield Aside(path, after, end)
        after, size = end, min(2 * size, AT_ONCE)


# Marshal takes a third of the time that pickle takes, and knows plain tuples alone. In this
# version it does not look for what comes again, which takes longer than to write it again.
_MARSHAL = 2


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
    stretch = part.stretch
    try:
        session = db.session()
        keys = {model: iter(found) for model, found in part.keys.items()}
        batch = Batch(session.connection(), keys={**keys, Article: _NO_KEYS})
        importing = Importing(session, OPERATOR, part.options, write=False, batch=batch, at=part.at)
        remembered.go_on(importing.writing, part.at)
        return _packed(importing.foresee(list(stretch.lines(stretch.after, stretch.until))))
    finally:
        db.session.rollback()


class _Remembered:
    """What this process has looked up last, and for which batch."""

    def __init__(self) -> None:
        self._batch: str | None = None
        self._writing: Writing | None = None

    def go_on(self, writing: Writing, batch: str | None = None) -> None:
        """Let WRITING know what others before have looked up: in the same BATCH, or of places.

        A batch is named by its time: this process works for one import alone.
        """
        if self._writing is not None:
            writing.take_over(self._writing, whole=batch is not None and batch == self._batch)
        self._batch, self._writing = batch, writing


remembered = _Remembered()
