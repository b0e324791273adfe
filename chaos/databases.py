"""A PostgreSQL server that can be killed: its data outlives it, and it is started again."""

import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psycopg

from tests import tools
from tests.engines import account
from tests.servers import free_port


class Server:
    """A server with the settings that it comes with: what it acknowledges is on the disk."""

    def __init__(self, folder: Path) -> None:
        self._programs = Path(f"{tools.TOOLS['postgresql'].find()}")
        self._folder = folder / "postgresql"
        self._folder.mkdir()
        self._account = account()
        if self._account:
            shutil.chown(self._folder, self._account["user"], self._account["group"])
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        command = [self._programs / "initdb", "-D", self._data, "-U", "postgres", "-A", "trust"]
        subprocess.run(
            [*command, "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            **self._account,
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        """Start it, as often as it takes: what a killed one left behind has to go first."""
        end = time.monotonic() + 120
        options = {"port": self.port, "unix_socket_directories": "", "shared_buffers": "32MB"}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        while time.monotonic() < end:
            if self._process is None or self._process.poll() is not None:
                with (self._folder / "log").open("ab") as log:
                    self._process = subprocess.Popen(
                        [self._programs / "postgres", "-D", self._data, *words],
                        cwd=self._folder,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                        **self._account,
                    )
            with suppress(psycopg.OperationalError):
                psycopg.connect(self.url, connect_timeout=2).close()
                return
            time.sleep(0.1)
        raise AssertionError("PostgreSQL does not start")

    def kill(self, choose: random.Random) -> str:
        """Kill the server itself, or one process that serves a connection."""
        assert self._process is not None
        backends = self._backends()
        if backends and choose.random() < 0.5:
            with suppress(ProcessLookupError):
                os.kill(choose.choice(backends), signal.SIGKILL)
            return "backend"
        self._process.kill()
        self._process.wait()
        return "postmaster"

    def _backends(self) -> list[int]:
        with suppress(psycopg.OperationalError), psycopg.connect(self.url) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).fetchall()
            return [pid for (pid,) in rows]
        return []

    def stop(self) -> None:
        """Stop it without ceremony."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
