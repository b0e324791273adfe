"""The one thin layer around the application: headers of every answer, CORS, metrics, log lines.

It is a WSGI layer and not a stack of Flask's hooks and extensions: those cost a request more than
the rest of its way to a stored document.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from api.core import metrics
from api.http import access_log

# What scripts of other pages may read of an answer's headers.
_READABLE = (
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Range",
    "Dataset-Version",
    "ETag",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Record-Count",
    "Repr-Digest",
    "Retry-After",
    "Warnings",
    "X-Request-Id",
)
_SENDABLE = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "If-Range",
    "Range",
    "X-Request-Id",
)
# Answers are data, not pages: nothing in them may run, frame or be guessed at.
_ALWAYS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    # Reads are open to scripts of every page; a key is sent by hand, never by a browser itself.
    ("Access-Control-Allow-Origin", "*"),
    (
        "Access-Control-Expose-Headers",
        ", ".join(_READABLE),
    ),
]
_PREFLIGHT = [
    ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE"),
    (
        "Access-Control-Allow-Headers",
        ", ".join(_SENDABLE),
    ),
    ("Access-Control-Max-Age", "86400"),
    ("Content-Length", "0"),
]
_NO_CONTENT = ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_UNMEASURED = frozenset({"/healthz", "/metrics"})

Environ = dict[str, Any]
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]


def init_app(app: Flask) -> None:
    """Put the layer around APP."""
    application: Any = _layer(app.wsgi_app)
    hops = app.config["PROXIES"]
    if hops:
        application = ProxyFix(application, x_for=hops, x_proto=0, x_host=0)
    app.wsgi_app = application  # type: ignore[method-assign]


def _layer(application: Application) -> Application:
    def answer(environ: Environ, start_response: Start) -> Iterable[bytes]:
        began = time.perf_counter()
        sent = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = sent if _REQUEST_ID.fullmatch(sent) else secrets.token_hex(8)
        environ["request_id"] = request_id

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            headers.append(("X-Request-Id", request_id))
            headers.extend(_ALWAYS)
            # A page that shows something brings a policy of its own.
            if not any(name == _NO_CONTENT[0] for name, _ in headers):
                headers.append(_NO_CONTENT)
            _note(environ, status[:3], time.perf_counter() - began)
            return start_response(status, headers, exc_info)

        if environ["REQUEST_METHOD"] == "OPTIONS" and _is_preflight(environ):
            start("204 No Content", list(_PREFLIGHT))
            return ()
        return application(environ, start)

    return answer


def _is_preflight(environ: Environ) -> bool:
    """Whether this is a browser's question before a request, rather than a plain OPTIONS."""
    return "HTTP_ORIGIN" in environ and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ


def _note(environ: Environ, status: str, seconds: float) -> None:
    """Measure the request by its route, and log it where that is worth a line."""
    request = environ.get("werkzeug.request")
    rule = getattr(request, "url_rule", None)
    route = rule.rule if rule is not None else "none"
    if route in _UNMEASURED:
        return
    method = environ["REQUEST_METHOD"]
    metrics.observe(method if method in access_log.METHODS else "other", route, status, seconds)
    access_log.request(environ, method, route, status, seconds)
