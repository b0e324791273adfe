"""Answers of the gazetteer to writes, remembered until its places change.

What a write asks is asked before it takes the write lock (`api.records.foresight`), so that under
it only what was answered is read.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, func, select

from api.database import statements
from api.models import AddedPlace, GazetteerState

MOST_ANSWERS = 10_000
# A clock may stand still or go back, and a change of one place be hidden by another's time.
_STATE = select(
    select(GazetteerState.version).scalar_subquery(),
    func.count(AddedPlace.id),
    func.sum(AddedPlace.version),
    func.max(AddedPlace.updated_at),
)
T = TypeVar("T")


class Answers:
    """What was asked of the places that stand in one state, and what was answered."""

    def __init__(self, state: tuple[Any, ...]) -> None:
        self.state = state
        self._answers: dict[Hashable, Any] = {}

    def to(self, question: Hashable, look_up: Callable[[], T]) -> T:
        """Return the answer to a question, looked up where it is not remembered."""
        answer: T | None = self._answers.get(question)
        if answer is None:
            answer = look_up()
            if len(self._answers) >= MOST_ANSWERS:
                self._answers.clear()
            self._answers[question] = answer
        return answer


_current: "WeakKeyDictionary[Engine, Answers]" = WeakKeyDictionary()
_lock = threading.Lock()


def answers(connection: Connection) -> Answers:
    """Return the answers of the places as they stand, none where a place has changed."""
    state = tuple(statements.run(connection, _STATE, {})[0])
    with _lock:
        current = _current.get(connection.engine)
        if current is None or current.state != state:
            current = _current[connection.engine] = Answers(state)
    return current
