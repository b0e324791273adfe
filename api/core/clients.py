"""Clients: whom a request counts for where it carries no good key, and what each may hold."""

import ipaddress
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache

from api.core.errors import ApiError

_IPV6_NETWORK = 64  # bits: the least that whoever has an IPv6 address is given


@lru_cache(maxsize=4096)
def client_at(address: str) -> str:
    """Return the client at an ADDRESS: the address, of IPv6 the network of 64 bits around it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _IPV6_NETWORK), strict=False))


class Shares:
    """How many of something each client holds, which is at most MOST."""

    def __init__(self, most: int) -> None:
        self.most = max(1, most)
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    def acquire(self, *clients: str) -> bool:
        """Count one for each of CLIENTS, unless one of them holds as many as it may."""
        with self._lock:
            if any(self._held[client] >= self.most for client in clients):
                return False
            self._held.update(clients)
            return True

    def release(self, *clients: str) -> None:
        """Count one less for each of CLIENTS."""
        with self._lock:
            self._held.subtract(clients)
            for client in clients:
                if self._held[client] <= 0:
                    del self._held[client]

    @contextmanager
    def held(self, refused: ApiError, *clients: str) -> Iterator[None]:
        """Hold one for each of CLIENTS meanwhile. Raises REFUSED where one holds its share."""
        if not self.acquire(*clients):
            raise refused
        try:
            yield
        finally:
            self.release(*clients)


@dataclass(slots=True, eq=False)
class _Waiter:
    """Who waits for a turn; a client may wait many times."""

    client: str
    granted: threading.Event = field(default_factory=threading.Event)


class Turns:
    """So many places, of which one client holds at most a SHARE; those who wait take turns.

    A place that gets free goes to another client than the one that held it, where one waits.
    """

    def __init__(self, number: int, share: int) -> None:
        self._free = max(1, number)
        self._share = max(1, share)
        self._held: Counter[str] = Counter()
        self._waiting: list[_Waiter] = []
        self._lock = threading.Lock()

    def acquire(self, client: str, timeout: float) -> bool:
        """Acquire a place for a CLIENT. Whether one got free in so many seconds."""
        with self._lock:
            if self._may_have_one(client):
                self._free -= 1
                self._held[client] += 1
                return True
            waiter = _Waiter(client)
            self._waiting.append(waiter)
        if waiter.granted.wait(timeout):
            return True
        with self._lock:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
                return False
        return True  # it was granted just now

    def release(self, client: str) -> None:
        """Release a place that a CLIENT holds, to one who waits."""
        with self._lock:
            self._free += 1
            self._held[client] -= 1
            if not self._held[client]:
                del self._held[client]
            if not self._waiting:
                return
            able = [waiter for waiter in self._waiting if self._may_have_one(waiter.client)]
            others = [waiter for waiter in able if waiter.client != client]
            for waiter in (others or able)[:1]:
                self._waiting.remove(waiter)
                self._free -= 1
                self._held[waiter.client] += 1
                waiter.granted.set()

    def _may_have_one(self, client: str) -> bool:
        return self._free > 0 and self._held[client] < self._share
