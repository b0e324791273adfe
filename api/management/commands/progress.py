"""Progress bars: of a number of records, of a hundred percent, and of the steps of an import."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import click


def of_records(total: int, label: str) -> Any:
    """Return a bar of TOTAL records, beside the output, which may go to a file."""
    return click.progressbar(length=total, label=label, file=sys.stderr)


@contextmanager
def of_percent(label: str, file: TextIO | None = None) -> Iterator[Callable[[int, int], None]]:
    """Show a bar of a hundred percent; yields what is called with how much is done and in all."""
    with click.progressbar(length=100, label=label, file=file) as bar:
        yield lambda done, total: bar.update(100 * done // max(total, 1) - bar.pos)


class Steps:
    """A bar for each step of long work."""

    def __init__(self) -> None:
        self._name = ""
        self._bar: Any = None

    def __enter__(self) -> "Steps":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)

    def show(self, name: str, done: int, total: int) -> None:
        """Show that DONE of TOTAL are done of the step NAME."""
        if name != self._name:
            self.__exit__()
            self._name, self._bar = name, click.progressbar(length=max(total, 1), label=name)
            self._bar.__enter__()
        self._bar.update(done - self._bar.pos)
