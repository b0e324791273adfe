"""The service under test: started as an operator would, found and killed as an accident would."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.servers import free_port

ROOT = Path(__file__).resolve().parent.parent
_FLASK = [sys.executable, "-m", "flask", "--app", "api"]


def flask(environment: dict[str, str], *words: str) -> str:
    """Run a command of the application and return what it prints; fails with that if it fails."""
    done = subprocess.run(
        [*_FLASK, *words], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


class Service:
    """One `flask serve` on a port of its own, which can be killed and started again."""

    def __init__(self, folder: Path, database_url: str, **settings: object) -> None:
        named = {
            "DATABASE_URL": database_url,
            "PORT": free_port(),
            "RATELIMIT_ENABLED": False,
            "EXPORT_FOLDER": folder / "exports",
            "RELEASE_FOLDER": folder / "releases",
            **settings,
        }
        self.environment = {**os.environ, **{name: str(value) for name, value in named.items()}}
        self.address = f"http://127.0.0.1:{named['PORT']}"
        self._mark = f"PORT={named['PORT']}".encode()
        self._log = (folder / "log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    def set_up(self) -> str:
        """Make the tables and vocabularies, and return the key of an editor."""
        flask(self.environment, "db", "upgrade")
        flask(self.environment, "documents", "upgrade")
        flask(self.environment, "seed", "--only", "vocabularies")
        return flask(self.environment, "keys", "create", "chaos", "--role", "editor").split()[-1]

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._begin()
        self.recover()

    def _begin(self) -> None:
        self._process = subprocess.Popen(
            [*_FLASK, "serve"],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    @property
    def running(self) -> bool:
        """Whether the server itself is alive."""
        return self._process is not None and self._process.poll() is None

    def processes(self) -> dict[int, str]:
        """List its processes: number -> `master` or `worker`."""
        found: dict[int, int] = {}
        for number in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError):
                folder = Path(f"/proc/{number}")
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if b"granian" in words and self._mark in (folder / "environ").read_bytes():
                    stat = (folder / "stat").read_text().rpartition(")")[2].split()
                    if stat[0] != "Z":
                        found[int(number)] = int(stat[1])
        return {
            number: "worker" if parent in found or parent == 1 else "master"
            for number, parent in found.items()
        }

    def kill(self, choose: random.Random) -> str:
        """Kill one of its processes, wait until the service answers again; return which it was."""
        while not (processes := self.processes()):  # it is just ending by itself
            self.recover()
        number = choose.choice(sorted(processes))
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
        if self._process is not None and number == self._process.pid:
            self._process.wait()
        return processes[number]

    def recover(self, timeout: float = 180) -> None:
        """Do what a supervisor does: start it again where the server itself is gone.

        It ends by itself too, where workers die as fast as they are replaced.
        """
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self._process is not None and not self.running:
                while self.processes():  # workers end by themselves
                    assert time.monotonic() < end, "workers outlive their server"
                    time.sleep(0.05)
                self._begin()
            if self._answers():
                return
            time.sleep(0.05)
        raise AssertionError("the service does not answer; see its log")

    def _answers(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{self.address}/healthz", timeout=2):
            return True
        return False

    def stop(self) -> None:
        """Stop it and whatever is left of it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(20)
        for number in self.processes():
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self._log.close()

    def log(self) -> str:
        """Return the last of what it logged, and its faults."""
        lines = Path(self._log.name).read_text(errors="replace").splitlines()
        marks = ("unhandled exception", "[ERROR]")  # by the service, or by the server beneath it
        faults = [line for line in lines if any(words in line for words in marks)][:3]
        return "\n".join([*faults, *(line[:300] for line in lines[-12:])])


@contextmanager
def workplace() -> Iterator[Path]:
    """Yield a folder that is removed at the end; in memory, as most proofs are not about disks."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="chaos-", dir=memory) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def say(text: str, **figures: Any) -> None:
    """Print a line of what was seen."""
    shown = ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in figures.items())
    sys.stdout.write(f"{text}{': ' if shown else ''}{shown}\n")
    sys.stdout.flush()
