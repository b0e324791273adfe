"""The tools that some tests need: how each is found, and Debian's package where it has one.

A test names what it needs: `@pytest.mark.needs("chromium")`. Where that is missing the test is
skipped and the tool is named in the last lines of the run; with REQUIRE_TOOLS=1 it fails.
Run as a program, this file prints the Debian packages of the tools that are missing.
"""

import glob
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import NamedTuple


class Tool(NamedTuple):
    """A tool: FIND gives its path (or what stands for it) or None; PACKAGE is Debian's."""

    find: Callable[[], str | None]
    package: str | None
    wanted: str


def _program(*names: str) -> Callable[[], str | None]:
    return lambda: next(filter(None, map(shutil.which, names)), None)


def _postgresql() -> str | None:
    """Find the folder of PostgreSQL's server programs, the newest first."""
    on_path = shutil.which("initdb")
    folders = [os.path.dirname(os.path.realpath(on_path))] if on_path else []
    for pattern in (
        "/usr/lib/postgresql/*/bin",  # Debian
        "/usr/pgsql-*/bin",  # Fedora
        "/opt/homebrew/opt/postgresql*/bin",
        "/usr/local/opt/postgresql*/bin",
        "/Applications/Postgres.app/Contents/Versions/*/bin",
    ):
        folders += sorted(glob.glob(pattern), key=_numbers, reverse=True)
    return next((f for f in folders if os.path.exists(os.path.join(f, "postgres"))), None)


def _numbers(path: str) -> list[int]:
    return [int(part) for part in "".join(c if c.isdigit() else " " for c in path).split()]


def _package_index() -> str | None:
    """Whether pip can fetch packages, asked of a small one."""
    with tempfile.TemporaryDirectory() as folder:
        fetch = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", folder]
        done = subprocess.run([*fetch, "itsdangerous"], capture_output=True)
    return "pip" if done.returncode == 0 else None


TOOLS = {
    "postgresql": Tool(
        lambda: os.environ.get("TEST_DATABASE_URL") or _postgresql(),
        "postgresql",
        "TEST_DATABASE_URL, or PostgreSQL's server programs",
    ),
    "pg_dump": Tool(
        lambda: (
            shutil.which("pg_dump") or next(glob.iglob("/usr/lib/postgresql/*/bin/pg_dump"), None)
        ),
        "postgresql-client",
        "PostgreSQL's client programs",
    ),
    "chromium": Tool(
        _program("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
        "chromium",
        "Chromium",
    ),
    "curl": Tool(_program("curl"), "curl", "curl"),
    "jq": Tool(_program("jq"), "jq", "jq"),
    "gdal": Tool(_program("ogrinfo"), "gdal-bin", "GDAL's programs"),
    "Rscript": Tool(_program("Rscript"), "r-base-core", "R"),
    "nginx": Tool(
        lambda: shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin"),
        "nginx-light",
        "nginx",
    ),
    "promtool": Tool(_program("promtool"), "prometheus", "Prometheus' promtool"),
    "npm": Tool(_program("npm"), "npm", "npm, with Node.js"),
    "node": Tool(_program("node"), "nodejs", "Node.js"),
    "rscript": Tool(_program("Rscript"), "r-base-core", "R"),
    "wrk": Tool(_program("wrk"), "wrk", "wrk"),
    "caddy": Tool(_program("caddy"), "caddy", "Caddy"),
    "systemd-analyze": Tool(_program("systemd-analyze"), "systemd", "systemd's programs"),
    "unshare": Tool(_program("unshare"), "util-linux", "unshare"),
    "setpriv": Tool(_program("setpriv"), "util-linux", "setpriv"),
    "package index": Tool(_package_index, None, "an index that pip can fetch packages from"),
    "root": Tool(
        lambda: "root" if hasattr(os, "geteuid") and os.geteuid() == 0 else None,
        None,
        "to be run as root",
    ),
}

# The tools that a test of this run needed and did not find.
missed: set[str] = set()


def find(name: str) -> str | None:
    """Return the path of tool NAME; skip the running test where it is missing, or fail it."""
    import pytest

    tool = TOOLS[name]
    found = tool.find()
    if found is None:
        missed.add(name)
        required = os.environ.get("REQUIRE_TOOLS", "") not in ("", "0")
        refuse = pytest.fail if required else pytest.skip
        refuse(f"needs {tool.wanted}" + ", and REQUIRE_TOOLS is set" * required)
    return found


if __name__ == "__main__":
    packages = (tool.package for tool in TOOLS.values() if tool.package and not tool.find())
    sys.stdout.write(" ".join(packages) + "\n")
