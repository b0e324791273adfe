"""Headers that every answer carries, set in one thin layer around the application.

It is a WSGI layer and not a pair of Flask's hooks: those cost a request more than the rest of its
way to a stored document.
"""

import re
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

# Answers are data, not pages: nothing in them may run, frame or be guessed at.
_SECURITY = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
]
_NO_CONTENT = ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

Environ = dict[str, Any]
Start = Callable[..., Any]


def init_app(app: Flask) -> None:
    """Put the layer around APP."""
    app.wsgi_app = _layer(app.wsgi_app)  # type: ignore[method-assign]


def _layer(application: Callable[[Environ, Start], Iterable[bytes]]) -> Any:
    def answer(environ: Environ, start_response: Start) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        environ["request_id"] = request_id

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            headers.append(("X-Request-Id", request_id))
            headers.extend(_SECURITY)
            # A page that shows something brings a policy of its own.
            if not any(name == _NO_CONTENT[0] for name, _ in headers):
                headers.append(_NO_CONTENT)
            return start_response(status, headers, exc_info)

        return application(environ, start)

    return answer
