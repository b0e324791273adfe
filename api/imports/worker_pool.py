"""Workers: processes beside this one, so that a large file is read and checked on every core."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_all_start_methods, get_context
from typing import TypeVar

from api.database.engines import db, reader

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_MOST = 8  # processes: one that writes keeps pace with no more
_NICE = 10  # by how much they stand back for the one that writes, and for whoever is served
_AHEAD = 2  # results that each works out before they are asked for


class Workers:
    """Maps functions over items, in order: in other processes, or here where there are none."""

    def __init__(self, pool: ProcessPoolExecutor | None, number: int) -> None:
        self._pool = pool
        self.number = number

    def map(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item]
    ) -> Iterator[_Result]:
        """Give what FUNCTION, one of a module, makes of each of ITEMS."""
        if self._pool is None:
            yield from map(function, items)
            return
        waiting: deque[Future[_Result]] = deque()
        for item in items:
            waiting.append(self._pool.submit(function, item))
            if len(waiting) > _AHEAD * self.number:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


HERE = Workers(None, 1)


def cores() -> int:
    """Tell how many processes can work at once, up to as many as one writer keeps pace with."""
    allowed = getattr(os, "sched_getaffinity", None)
    number = len(allowed(0)) if allowed is not None else os.cpu_count() or 1
    return min(number, _MOST)


@contextmanager
def workers(number: int) -> Iterator[Workers]:
    """Start NUMBER processes, which have this one's settings and connections of their own.

    A system that cannot fork does the work here.
    """
    if number < 2 or "fork" not in get_all_start_methods():
        yield HERE
        return
    # A connection that two processes hold is nobody's: they are made anew on either side.
    db.session.remove()
    db.engine.dispose()
    reader().close()
    pool = ProcessPoolExecutor(
        number, mp_context=get_context("fork"), initializer=_work_for, initargs=(os.getpid(),)
    )
    try:
        pool.submit(os.getpid).result()  # starts all of them, now that no connection is open
        yield Workers(pool, number)
    finally:
        pool.shutdown(cancel_futures=True)


def _work_for(parent: int) -> None:
    """Stand back for the PARENT, and end when it is gone: one that is killed tells nobody."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    os.nice(_NICE)
