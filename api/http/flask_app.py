"""Applications: Flask without what no request here needs, which costs as much as a database read.

There are no sessions, and no view is a coroutine.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import Map, UnicodeConverter


class _NoSessions(SessionInterface):
    """The interface by which no request has a session."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """Return the null session."""
        return self._none


class _PathPart(UnicodeConverter):
    """A part of a path that stands for something: all but the fixed names beside records.

    So `DELETE /incidents/template.csv` is a method that does not fit, and no unknown id.
    """

    _FIXED = r"template\.csv|dry-run"

    def __init__(self, map_: Map) -> None:
        super().__init__(map_)
        self.regex = rf"(?!(?:{self._FIXED})$){self.regex}"


class Api(Flask):
    """The application's class."""

    session_interface = _NoSessions()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.url_map.converters["default"] = _PathPart

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Take FUNC as it is."""
        return func
