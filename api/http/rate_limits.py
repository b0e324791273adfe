"""Rate limits: how often a key or an address may write, search and export, and how much it costs.

Only what costs is counted; a read of a record or a list is not. The figures live in memory, each
worker for itself, or in Redis or Valkey where several machines share them. A store that does not
answer stops nothing: the limits then go on in memory. It is `limits`, the library under
Flask-Limiter, called where it is needed: the extension's hooks would run on every read.

Of whatever is asked, the processor's time is added up too, so that a request which costs more than
anyone thought of is paid for by who sends it.
"""

import math
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, current_app, g, request
from limits import RateLimitItem, parse
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from api.config import ConfigError
from api.core.budgets import Budget
from api.core.errors import ApiError
from api.http import authentication, concurrency

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_SEARCHES = re.compile(rb"(?:^|&)q=")
_RETRY_STORE = 30.0
# The names of the policies, as headers and documentation have them.
POLICIES = ("writes", "reads", "keys", "time")


class Limiter:
    """Counts the requests of each key or address against the limit of their kind."""

    def __init__(self, app: Flask) -> None:
        self.items: dict[str, RateLimitItem] = {
            policy: _limit(app, f"RATELIMIT_{policy.upper()}") for policy in POLICIES[:3]
        }
        self.time = Budget(app.config["RATELIMIT_TIME"])
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

    def hit(self, policy: str, who: str) -> tuple[bool, int, float]:
        """Count a request; return whether it fits the limit, how many remain, when it resets."""
        item = self.items[policy]
        if time.monotonic() >= self._away_until:
            try:
                return self._count(self._shared, item, policy, who)
            except StorageError as error:
                current_app.logger.warning("limit store away: %s", type(error).__name__)
                self._away_until = time.monotonic() + _RETRY_STORE
        return self._count(self._memory, item, policy, who)

    @staticmethod
    def _count(
        limiter: MovingWindowRateLimiter, item: RateLimitItem, policy: str, who: str
    ) -> tuple[bool, int, float]:
        within = limiter.hit(item, policy, who)
        stats = limiter.get_window_stats(item, policy, who)
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
    limiter = app.extensions["limiter"] = Limiter(app)
    app.before_request(_check)
    app.after_request(_show)
    if limiter.time.seconds:
        app.wsgi_app = _charging(app.wsgi_app, limiter.time)  # type: ignore[method-assign]


def _charging(application: Callable[..., Any], budget: Budget) -> Callable[..., Any]:
    """Return APPLICATION, whose requests are charged with the processor's time that they took."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        began = time.thread_time()
        try:
            return application(environ, start_response)
        finally:
            budget.charge(concurrency.payer_of(environ), time.thread_time() - began)

    return answer


def limit_reads(app: Flask, endpoints: Iterable[str]) -> None:
    """Limit the reads of ENDPOINTS too, which cost about as much as a write."""
    if "limiter" in app.extensions:
        app.extensions["limiter"].costly = frozenset(endpoints)


def _check() -> None:
    """Raise ApiError where the caller has to wait, be it for its writes, reads, keys or costs."""
    if "HTTP_AUTHORIZATION" in request.environ:
        _check_key()
    limiter: Limiter = current_app.extensions["limiter"]
    wait = limiter.time.wait(concurrency.payer_of(request.environ))
    if wait:
        _refuse("time", int(limiter.time.seconds), wait)
    if request.method not in _READS:
        count("writes")
    elif request.endpoint in limiter.costly or _SEARCHES.search(request.query_string):
        count("reads")


def _check_key() -> None:
    """Count a key that is not known against its address: guessing is limited, using is not."""
    try:
        authentication.actor()
    except ApiError:
        count("keys")


def count(policy: str) -> None:
    """Count this request against the limit of a POLICY, once; raises ApiError beyond it."""
    if "limiter" not in current_app.extensions or policy in g.get("rates", ()):
        return
    limiter: Limiter = current_app.extensions["limiter"]
    within, remaining, reset = limiter.hit(policy, concurrency.payer_of(request.environ))
    item = limiter.items[policy]
    wait = max(1, math.ceil(reset - time.time()))
    g.setdefault("rates", {})[policy] = (item.amount, item.get_expiry(), remaining, wait)
    if not within:
        raise _too_many(policy, f"more than {item} from this key or address", wait)


def _refuse(policy: str, seconds: int, wait: float) -> None:
    """Refuse a request whose key or address has used up its processor time."""
    whole = max(1, math.ceil(wait))
    g.setdefault("rates", {})[policy] = (seconds, 60, 0, whole)
    raise _too_many(policy, f"more than {seconds} s of processor time in a minute", whole)


def _too_many(policy: str, what: str, wait: int) -> ApiError:
    detail = f"The limit {policy!r} is reached, {what}; go on in {wait} s."
    return ApiError("too-many-requests", detail, retry_after=wait)


def _show(response: Response) -> Any:
    """Show the client where it stands (draft-ietf-httpapi-ratelimit-headers), by policy."""
    rates = g.get("rates")
    if rates:
        response.headers["RateLimit-Policy"] = ", ".join(
            f'"{policy}";q={most};w={window}' for policy, (most, window, _, _) in rates.items()
        )
        response.headers["RateLimit"] = ", ".join(
            f'"{policy}";r={remaining};t={wait}'
            for policy, (_, _, remaining, wait) in rates.items()
        )
    return response
