"""The path of PUBLIC_URL: `/incidents-api` of `https://example.org/incidents-api`, or nothing.

A proxy may take it off before it asks here, or leave it on; both are answered alike.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app

from api.config import ConfigError


def public_path() -> str:
    """Return the path below which the public finds the service, without a slash at its end."""
    return _path_of(current_app.config["PUBLIC_URL"])


@lru_cache(maxsize=16)
def _path_of(url: str) -> str:
    return urlsplit(url).path


def init_app(app: Flask) -> None:
    """Let APP, with all of its routes, be asked with the path and without it.

    Raises ConfigError where it could not be told which of the two a request means.
    """
    prefix = _path_of(app.config["PUBLIC_URL"])
    if not prefix:
        return
    rules = [str(rule) for rule in app.url_map.iter_rules()]
    own = {_first_segment(rule) for rule in rules}
    for rule in rules:
        if rule == prefix or (_below(rule, prefix) and _first_segment(rule[len(prefix) :]) in own):
            raise ConfigError(
                f"PUBLIC_URL is {app.config['PUBLIC_URL']!r}; it takes a path other than {prefix}, "
                "which the service has itself."
            )
    app.wsgi_app = _without_prefix(app.wsgi_app, prefix, own)  # type: ignore[method-assign]


def _without_prefix(application: Any, prefix: str, own: set[str]) -> Any:
    """Return APPLICATION asked by its OWN paths, where the PREFIX is left on."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == prefix:
            environ["PATH_INFO"] = "/"
        elif _below(path, prefix) and _first_segment(path[len(prefix) :]) in own:
            environ["PATH_INFO"] = path[len(prefix) :]
        answered: Iterable[bytes] = application(environ, start_response)
        return answered

    return answer


def _below(path: str, prefix: str) -> bool:
    return path.startswith(f"{prefix}/")


def _first_segment(path: str) -> str:
    """Return `incidents.<suffix>` and the like up to the point, as no prefix begins otherwise."""
    return path.split("/")[1].partition(".")[0]
