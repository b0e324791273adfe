"""PostgreSQL: connections to it, none of which waits for a server for ever.

A server may be gone (nothing listens), cut off (nothing comes back), frozen (the system answers for
it, and it never does) or at work on something endless. The first is an error at once, the second
ends by TCP's own timeouts, the third is found out by a question beside the connection, the last by
the statement's own limit. None of this holds for commands, which may take as long as they need.
"""

import math
import socket
import struct
import time
from collections.abc import Callable, Generator
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from api.database.timeouts import Timeouts

# Seconds without an answer after which a server is asked whether it is alive, and in which it must
# say so.
_PROBE_AFTER = 2.0
_ALIVE_WITHIN = 2.0
# What an address may say otherwise. A server that is cut off is given up after ten seconds.
_DEFAULTS = {
    "connect_timeout": "2",
    "tcp_user_timeout": "10000",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "application_name": "incidents",
}
# The first message of PostgreSQL's protocol that is answered by one byte: may we speak TLS?
_SSL_REQUEST = struct.pack("!II", 8, 80877103)


def opener(url: str, timeouts: Timeouts, *, standby: bool) -> Callable[[], Any]:
    """Return what opens connections to the servers at URL.

    URL is libpq's, with any number of hosts. Of several, the one that takes writes is looked for,
    or with STANDBY, one that does not.
    """
    settings = conninfo_to_dict(url.replace("postgresql+psycopg://", "postgresql://", 1))
    hosts = {}
    if standby:
        hosts = {"target_session_attrs": "prefer-standby", "load_balance_hosts": "random"}
    elif "," in f"{settings.get('host', '')}{settings.get('hostaddr', '')}":
        hosts = {"target_session_attrs": "read-write"}
    parameters: dict[str, Any] = {**_DEFAULTS, **hosts, **settings}
    own_options = parameters.pop("options", "")

    def connect() -> psycopg.Connection[Any]:
        seconds = timeouts.statement_timeout
        # Compiling a statement costs seconds where it has many parts, and none runs long enough.
        options = (
            f"-c timezone=UTC -c jit=off -c lock_timeout={round(timeouts.lock * 1000)}"
            f" -c statement_timeout={0 if math.isinf(seconds) else round(seconds * 1000)}"
            f" {own_options}"
        )
        connection = WatchedConnection.connect(**parameters, options=options)
        connection.read_timeout = timeouts.read_timeout
        return connection

    return connect


class WatchedConnection(psycopg.Connection[Any]):
    """A connection that gives up a server which is frozen, or exceeds its read timeout."""

    read_timeout = math.inf

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        """Wait for an answer as psycopg does, with a look at the clock at every turn."""
        return super().wait(self._watched(gen), *args, **options)

    def _watched(self, gen: Any) -> Generator[Any, Any, Any]:
        began = time.monotonic()
        probe_after = began + _PROBE_AFTER
        try:
            event = next(gen)
            while True:
                ready = yield event
                if not ready and time.monotonic() >= probe_after:
                    if time.monotonic() - began > self.read_timeout or not self._alive():
                        self.close()
                        raise psycopg.OperationalError("the server does not answer")
                    probe_after = time.monotonic() + _PROBE_AFTER
                event = gen.send(ready)
        except StopIteration as end:
            return end.value

    def _alive(self) -> bool:
        """Whether the server answers a question on a connection of its own."""
        try:
            with _dial(self.info.hostaddr or self.info.host, self.info.port) as probe:
                probe.sendall(_SSL_REQUEST)
                return bool(probe.recv(1))
        except OSError:
            return False


def _dial(host: str, port: int) -> socket.socket:
    if not host.startswith(("/", "@")):
        return socket.create_connection((host, port), timeout=_ALIVE_WITHIN)
    path = f"{host}/.s.PGSQL.{port}"
    unix_socket = socket.socket(socket.AF_UNIX)
    unix_socket.settimeout(_ALIVE_WITHIN)
    try:
        unix_socket.connect(path.replace("@", "\0", 1))
    except BaseException:
        unix_socket.close()
        raise
    return unix_socket
