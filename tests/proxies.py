"""A proxy before PostgreSQL that does to its clients what networks and broken servers do."""

import socket
import threading
import time
from contextlib import suppress

import psycopg
from sqlalchemy import make_url


class Proxy:
    """Passes connections on to the server of a database; `url` leads through it.

    - `frozen`: it takes what clients send, and gives nothing back.
    - `delay`: seconds for which each answer is held back.
    - `cut()` ends every connection, `refuse()` and `listen()` close and open its port.
    - `cut_at`: bytes that end a connection when a client sends them, once: before they are passed
      on, or with `after` when the server has got them and answered.
    """

    def __init__(self, url: str) -> None:
        url = url.replace("+psycopg", "", 1)
        address = make_url(url)
        with psycopg.connect(url) as connection:
            self._server = (connection.info.host, connection.info.port)
        self.frozen = threading.Event()
        self.delay = 0.0
        self.cut_at: bytes | None = None
        self.after = False
        self.taken = 0
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._muted: set[tuple[socket.socket, socket.socket]] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        host = f"{address.username or 'postgres'}@127.0.0.1:{self.port}"
        self.url = f"postgresql://{host}/{address.database}"
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def refuse(self) -> None:
        """Let nobody connect, and end what is connected."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def listen(self) -> None:
        """Take connections again, at the same port."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """End every connection."""
        for pair in list(self._pairs):
            self._end(pair)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.taken += 1
            pair = (client, self._dial())
            self._pairs.add(pair)
            for forward in (True, False):
                threading.Thread(target=self._pass, args=(pair, forward), daemon=True).start()

    def _dial(self) -> socket.socket:
        host, port = self._server
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _pass(self, pair: tuple[socket.socket, socket.socket], forward: bool) -> None:
        source, target = pair if forward else pair[::-1]
        try:
            while piece := source.recv(65536):
                if forward and self.cut_at is not None and self.cut_at in piece:
                    self.cut_at = None
                    if self.after:
                        self._muted.add(pair)
                        target.sendall(piece)
                        return  # the answer ends the connection
                    break
                if not forward:
                    if pair in self._muted:
                        break
                    time.sleep(self.delay)
                    while self.frozen.is_set():
                        time.sleep(0.01)
                target.sendall(piece)
        except OSError:
            pass
        self._end(pair)

    def _end(self, pair: tuple[socket.socket, socket.socket]) -> None:
        self._pairs.discard(pair)
        for one in pair:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
