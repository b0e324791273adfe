"""A PostgreSQL cluster on loopback: three servers under Patroni, with etcd, as deploy/ has them."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from string import Template
from typing import Any

from chaos.services import ROOT
from tests import tools
from tests.engines import account
from tests.servers import free_port

HOST = "127.0.0.1"
# An older one may let a primary that was frozen take its place back (chaos/requirements.txt).
OLDEST_PATRONI = (3, 0, 3)
# What Patroni calls a server that does its work: a standby that follows is told apart since 3.1.
_AT_WORK = ("running", "streaming")
_IDS = (("uid", "user"), ("gid", "group"))
_READING = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")


def patroni() -> str | None:
    """Find Patroni: that of `make chaos` before the machine's own; None where it is too old."""
    own = ROOT / "chaos" / ".venv" / "bin" / "patroni"
    found = str(own) if own.exists() else shutil.which("patroni")
    if found is None:
        return None
    said = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
    version = tuple(map(int, re.findall(r"\d+", said)[:3]))
    return found if version >= OLDEST_PATRONI else None


class Member:
    """A machine, as far as loopback has any: one Patroni and its PostgreSQL."""

    def __init__(self, folder: Path, name: str, etcd: str) -> None:
        self.name = name
        self.folder = folder
        self.port, self.rest_port = free_port(), free_port()
        self._account = account()
        self.data = folder / name
        settings = {
            "NAME": name,
            "HOST": HOST,
            "PORT": self.port,
            "REST_PORT": self.rest_port,
            "ETCD": etcd,
            "DATA": self.data,
            "PASSWORD": "loopback",
            "PROGRAMS": tools.TOOLS["postgresql"].find(),
        }
        self._file = folder / f"{name}.yml"
        self._file.write_text(_filled("patroni.yml", settings))
        self._patroni: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start its Patroni, which starts its PostgreSQL."""
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self._patroni = subprocess.Popen(
                [*self._as_account(), f"{patroni()}", self._file],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _as_account(self) -> list[str]:
        """Begin a command of PostgreSQL's account, which may read Python where only root may."""
        if not self._account:
            return []
        user, group = (f"--re{name}={self._account[key]}" for name, key in _IDS)
        return ["setpriv", user, group, "--clear-groups", *_READING, "--"]

    def processes(self) -> list[int]:
        """List its processes: Patroni first, then PostgreSQL's."""
        found = [self._patroni.pid] if self._patroni and self._patroni.poll() is None else []
        with suppress(OSError, ValueError, IndexError):
            postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
            os.kill(postmaster, 0)
            found += [postmaster, *_children(postmaster)]
        return found

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all of its processes."""
        for process in self.processes():
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def reap(self) -> None:
        """Wait for its Patroni, which was killed."""
        if self._patroni is not None:
            self._patroni.wait()


class Cluster:
    """Three members and their etcd."""

    def __init__(self, folder: Path) -> None:
        owner = account()
        if owner:
            shutil.chown(folder, owner["user"], owner["group"])
        port, peer_port = free_port(), free_port()
        etcd = f"{HOST}:{port}"
        self.members = {name: Member(folder, name, etcd) for name in ("alpha", "bravo", "charlie")}
        settings = {
            "NAME": "etcd1",
            "HOST": HOST,
            "PORT": port,
            "PEER_PORT": peer_port,
            "DATA": folder / "etcd",
        }
        (folder / "etcd.yml").write_text(_filled("etcd.yml", settings))
        with (folder / "etcd.log").open("wb") as log:
            self._etcd = subprocess.Popen(
                [f"{shutil.which('etcd')}", "--config-file", folder / "etcd.yml"],
                cwd=folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **owner,
            )

    @property
    def url(self) -> str:
        """Return the address that names all of them."""
        hosts = ",".join(f"{HOST}:{member.port}" for member in self.members.values())
        return f"postgresql://postgres@{hosts}/postgres"

    def start(self) -> None:
        """Start all, and wait until two standbys follow."""
        for member in self.members.values():
            member.start()
        self.wait_until_whole()

    def state(self) -> dict[str, tuple[str, str]]:
        """Return what each member is, as one that answers knows it: name -> (role, state)."""
        for member in self.members.values():
            with suppress(OSError, ValueError):
                found = _ask(member.rest_port, "/cluster")
                return {one["name"]: (one["role"], one["state"]) for one in found["members"]}
        return {}

    def leader(self) -> Member | None:
        """Return the member that is primary."""
        for name, (role, state) in self.state().items():
            if role == "leader" and state in _AT_WORK:
                return self.members[name]
        return None

    def wait_until_whole(self, timeout: float = 240) -> Member:
        """Wait for a primary with two standbys, one of them synchronous; return the primary."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            roles = sorted(role for role, state in self.state().values() if state in _AT_WORK)
            leader = self.leader()
            if leader is not None and roles == ["leader", "replica", "sync_standby"]:
                return leader
            time.sleep(0.5)
        raise AssertionError(f"the cluster does not get whole: {self.state()}")

    def switch_over(self, leader: Member) -> None:
        """Ask for another primary, by plan."""
        standby = next(name for name, (role, _) in self.state().items() if role == "sync_standby")
        body = {"leader": leader.name, "candidate": standby}
        _ask(leader.rest_port, "/switchover", body, timeout=60)

    def stop(self) -> None:
        """End everything without ceremony."""
        for member in self.members.values():
            member.signal(signal.SIGCONT)
            member.signal(signal.SIGKILL)
        self._etcd.kill()
        self._etcd.wait()


def _filled(name: str, settings: dict[str, Any]) -> str:
    return Template((ROOT / "deploy" / "patroni" / name).read_text()).substitute(settings)


def _children(parent: int) -> list[int]:
    done = subprocess.run(["pgrep", "-P", f"{parent}"], capture_output=True, text=True)
    return [int(word) for word in done.stdout.split()]


def _ask(port: int, path: str, body: Any = None, timeout: float = 2) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{HOST}:{port}{path}", data)
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        found = answer.read()
    return json.loads(found) if path == "/cluster" else found
