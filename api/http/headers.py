"""Headers that every answer carries, set in one thin layer."""

import re
import secrets

from flask import Flask, Response, g, request

# Answers are data, not pages: nothing in them may run, frame or be guessed at.
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def init_app(app: Flask) -> None:
    """Set the headers on every answer of APP."""
    app.before_request(_name_request)
    app.after_request(_finish)


def _name_request() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _finish(response: Response) -> Response:
    headers = response.headers
    headers["X-Request-Id"] = g.get("request_id", "-")
    for name, value in _SECURITY.items():
        headers.setdefault(name, value)
    return response
