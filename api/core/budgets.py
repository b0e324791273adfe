"""Budgets: how many seconds of this process's time each client may use, and when it may go on."""

import threading
import time

_WINDOW = 60.0  # seconds in which a budget that was used up is whole again
_MOST_CLIENTS = 10_000  # remembered; those whose budget is whole are forgotten beyond that


class Budget:
    """So many seconds of processor time in a minute for each client; they come back steadily."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._per_second = seconds / _WINDOW
        self._used: dict[str, tuple[float, float]] = {}  # seconds, and when that was so
        self._lock = threading.Lock()

    def charge(self, client: str, seconds: float) -> None:
        """Note what a request of a CLIENT took; one alone never takes more than the budget."""
        now = time.monotonic()
        with self._lock:
            used = self._used_at(client, now) + min(seconds, self.seconds)
            self._used[client] = (used, now)
            if len(self._used) > _MOST_CLIENTS:
                self._used = {name: of for name, of in self._used.items() if self._left(of, now)}

    def wait(self, client: str) -> float:
        """Return the seconds until a CLIENT may go on: 0 while something of its budget is left."""
        if client not in self._used:
            return 0.0
        beyond = self._used_at(client, time.monotonic()) - self.seconds
        return max(0.0, beyond / self._per_second)

    def _used_at(self, client: str, now: float) -> float:
        return self._left(self._used.get(client, (0.0, now)), now)

    def _left(self, of: tuple[float, float], now: float) -> float:
        used, at = of
        return max(0.0, used - (now - at) * self._per_second)
