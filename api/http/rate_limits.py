"""Rate limits: how often a key or an address may write, search and export.

Only what costs is limited; a read of a record or a list is not. The figures live in memory, each
worker for itself, or in Redis or Valkey where several machines share them. A store that does not
answer stops nothing: the limits then go on in memory. It is `limits`, the library under
Flask-Limiter, called where it is needed: the extension's hooks would run on every read.
"""

import math
import time
from collections.abc import Iterable
from typing import Any

from flask import Flask, Response, current_app, g, request
from limits import RateLimitItem, parse
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from api.config import ConfigError
from api.core.errors import ApiError
from api.http import authentication

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_RETRY_STORE = 30.0


class Limiter:
    """Counts the requests of each key or address against the limit of their kind."""

    def __init__(self, app: Flask) -> None:
        self.items: dict[str, RateLimitItem] = {
            kind: _limit(app, f"RATELIMIT_{kind.upper()}S") for kind in ("write", "read")
        }
        self.costly: frozenset[str] = frozenset()
        self._memory = MovingWindowRateLimiter(MemoryStorage())
        self._shared = self._memory
        self._away_until = 0.0
        uri = app.config["RATELIMIT_STORAGE"]
        if uri != "memory://":
            try:
                storage = storage_from_string(uri, wrap_exceptions=True)
            except (ConfigurationError, ValueError) as error:
                raise ConfigError(
                    f"RATELIMIT_STORAGE is {uri!r}; it takes memory:// or redis://HOST:PORT."
                ) from error
            assert isinstance(storage, Storage)
            self._shared = MovingWindowRateLimiter(storage)

    def hit(self, kind: str, who: str) -> tuple[bool, int, float]:
        """Count a request; return whether it fits the limit, how many remain, when it resets."""
        item = self.items[kind]
        if time.monotonic() >= self._away_until:
            try:
                return self._count(self._shared, item, kind, who)
            except StorageError as error:
                current_app.logger.warning("limit store away: %s", type(error).__name__)
                self._away_until = time.monotonic() + _RETRY_STORE
        return self._count(self._memory, item, kind, who)

    @staticmethod
    def _count(
        limiter: MovingWindowRateLimiter, item: RateLimitItem, kind: str, who: str
    ) -> tuple[bool, int, float]:
        within = limiter.hit(item, kind, who)
        stats = limiter.get_window_stats(item, kind, who)
        return within, stats.remaining, stats.reset_time


def _limit(app: Flask, name: str) -> RateLimitItem:
    try:
        return parse(app.config[name])
    except ValueError:
        raise ConfigError(
            f"{name} is {app.config[name]!r}; it takes a number and a time, such as 600/minute."
        ) from None


def init_app(app: Flask) -> None:
    """Guard the costly endpoints of APP."""
    if not app.config["RATELIMIT_ENABLED"]:
        return
    app.extensions["limiter"] = Limiter(app)
    app.before_request(_check)
    app.after_request(_show)


def limit_reads(app: Flask, endpoints: Iterable[str]) -> None:
    """Limit the reads of ENDPOINTS too, which cost about as much as a write."""
    if "limiter" in app.extensions:
        app.extensions["limiter"].costly = frozenset(endpoints)


def _check() -> None:
    kind = "read" if request.method in _READS else "write"
    if kind == "write" or request.endpoint in current_app.extensions["limiter"].costly:
        count(kind)


def count(kind: str) -> None:
    """Count this request against the limit of its KIND; raises ApiError beyond it."""
    if "limiter" not in current_app.extensions:
        return
    who = _who()
    limiter: Limiter = current_app.extensions["limiter"]
    within, remaining, reset = limiter.hit(kind, who)
    wait = max(1, math.ceil(reset - time.time()))
    g.rate = (limiter.items[kind], remaining, wait)
    if not within:
        raise ApiError(
            "too-many-requests",
            f"More than {limiter.items[kind]} from this key or address; go on in {wait} s.",
            retry_after=wait,
        )


def _who() -> str:
    """Name whom a request counts for: its key, or its address where it has no good one."""
    try:
        actor = authentication.actor()
    except ApiError:
        return f"address {request.remote_addr}"
    return f"address {request.remote_addr}" if actor.pk is None else f"key {actor.pk}"


def _show(response: Response) -> Any:
    """Show the client where it stands (RateLimit header fields, IETF draft)."""
    rate = g.get("rate")
    if rate is not None:
        item, remaining, wait = rate
        response.headers["RateLimit-Policy"] = f'"default";q={item.amount};w={item.get_expiry()}'
        response.headers["RateLimit"] = f'"default";r={remaining};t={wait}'
    return response
