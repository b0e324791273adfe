"""Applications: Flask without what no request here needs, which costs as much as a database read.

There are no sessions, and no view is a coroutine.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface


class _NoSessions(SessionInterface):
    """The interface by which no request has a session."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """Return the null session."""
        return self._none


class Api(Flask):
    """The application's class."""

    session_interface = _NoSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Take FUNC as it is."""
        return func
