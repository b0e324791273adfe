"""The house holds: who imports whom, what is documented, and what the lock files promise."""

import ast
import re
import sys
from configparser import ConfigParser
from pathlib import Path

import click
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from api import config, create_app

ROOT = Path(__file__).resolve().parent.parent

# Room -> the rooms that it may import from, itself aside; `room.Name` lets in that name alone.
# A row names only rooms above it, so that no two rooms can need each other.
ROOMS = {
    # the contract; every room below may read it, and these
    "schemas": "",
    "config": "",
    "metrics": "",
    "notices": "",
    "connections": "",
    "postgresql": "config connections",
    "statements": "",
    "db": "metrics connections postgresql statements",
    "globe": "",
    "folders": "",
    "locks": "",
    "refusals": "",
    "roles": "",
    # tables, and what reads or renders them
    "models": "",
    "documents": "models",
    "gazetteer": "models",
    "search": "models",
    "feed": "models",
    # how a record's state is laid out in rows, and its sources in articles
    "rows": "models documents search",
    "citations": "models documents rows",
    "similar": "models documents gazetteer search feed rows",
    "remembered": "models",
    "queries": "models documents gazetteer search feed rows remembered",
    "codebook": "models rows",
    "likeness": "models rows",
    "stats": "models documents gazetteer search feed rows remembered queries",
    "ledger": "models documents rows statements queries",
    # numbers for a map and a timeline; a record in words
    "overviews": "models feed rows remembered queries",
    "explorer": "documents",
    # the documentation as pages
    "guide": "",
    # the write verbs
    "records": "models documents gazetteer search feed rows citations similar queries",
    "references": "models documents feed rows citations records",
    "compaction": "",
    # verbs on whole records: one made of two, a draft reviewed
    "merges": "models feed rows records",
    "reviews": "models feed rows records merges",
    "erasures": "models documents gazetteer search feed rows citations records references",
    "health": "models",
    "upgrades": "health",
    "commands": "upgrades",
    # what changed from one document to another
    "patches": "",
    "versions": "models documents feed rows records patches",
    "sources": "models documents feed rows citations records",
    "checks": "models documents search feed rows citations records erasures",
    "seeding": "records references",
    # what is sent: formats are pure, exports make them whole
    "formats": "documents ledger",
    "exports": "models feed formats",
    "releases": "models documents feed rows citations records formats",
    # whether all of it is whole, and how it is kept safe
    "audits": "models health checks erasures releases rows",
    "backups": "models rows erasures exports releases audits commands",
    # the edge; `http` knows the shapes that it answers with, not how they come about
    "http": "models metrics feed queries.Page stats.Statistics records.Written records.BasedOn"
    " versions.Current versions.History documents.cut formats.Format exports.Export",
    "imports": "models documents feed rows citations similar records formats",
    "routes": "models health metrics codebook likeness documents gazetteer search feed similar"
    " queries ledger overviews explorer guide stats records merges reviews erasures references"
    " sources versions releases http formats exports imports",
    "cli": "commands checks metrics upgrades compaction models documents gazetteer search feed"
    " queries overviews records references releases seeding http formats exports imports backups",
    "migrations": "models",
}
FOUNDATION = {
    "schemas",
    "config",
    "connections",
    "db",
    "folders",
    "globe",
    "locks",
    "statements",
    "refusals",
    "roles",
}
SOURCES = sorted(path for package in ("api", "schemas") for path in ROOT.glob(f"{package}/**/*.py"))


def name_of(path):
    """Give the dotted name of the module at PATH."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path) for path in SOURCES}


def room_of(module):
    """Give the room of a module: `api.models.api_keys` is in `models`, all of `schemas` in one."""
    parts = module.split(".")
    return parts[1] if parts[0] == "api" and len(parts) > 1 else parts[0]


def imports(path):
    """List what the module at PATH imports, wherever in it: (module, name or None)."""
    package = name_of(path).split(".")
    package = package if path.name == "__init__.py" else package[:-1]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            for alias in node.names:
                inner = f"{module}.{alias.name}"
                yield (inner, None) if inner in MODULES else (module, alias.name)


def is_ours(module):
    return module.split(".")[0] in ("api", "schemas")


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_module_imports_only_what_its_room_may(path):
    if path in (ROOT / "api" / "__init__.py", ROOT / "api" / "server.py"):
        return  # they put the house together
    room = room_of(name_of(path))
    assert room in ROOMS, f"a new room: give it a row in ROOMS, and say in the commit why {room}"
    may = {room, *ROOMS[room].split()} | (FOUNDATION if room not in FOUNDATION else {"schemas"})
    wrong = [
        f"{module} ({name})" if name else module
        for module, name in imports(path)
        if is_ours(module) and not {room_of(module), f"{room_of(module)}.{name}"} & may
    ]
    assert wrong == [], f"{room} may import {', '.join(sorted(may))}"


def test_a_room_relies_only_on_rooms_above_it():
    above = set()
    for room, allowed in ROOMS.items():
        assert {entry.split(".")[0] for entry in allowed.split()} <= above, room
        above.add(room)


def test_nobody_imports_the_routes_or_the_commands():
    assert not any({"routes", "cli"} & set(allowed.split()) for allowed in ROOMS.values())


@pytest.mark.parametrize("path", [p for p in SOURCES if "schemas" in p.parts[:-1]], ids=name_of)
def test_the_contract_needs_marshmallow_and_the_standard_library_alone(path):
    used = {module.split(".")[0] for module, _ in imports(path)}
    assert used <= sys.stdlib_module_names | {"schemas", "marshmallow"}


def documentation():
    """Read all that is written for people who run or use the service."""
    pages = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
    return "\n".join(page.read_text() for page in pages if page.exists())


def commands(group, *path):
    """List the commands below GROUP that are the project's own, as they are typed."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        elif getattr(command.callback, "__module__", "").startswith("api"):
            yield " ".join((*path, name))


OWN_COMMANDS = sorted(commands(create_app({"DATABASE_URL": "sqlite:///:memory:"}).cli))


@pytest.mark.parametrize("command", [*OWN_COMMANDS, "db upgrade"])
def test_a_command_is_documented(command):
    assert f"flask --app api {command}" in documentation()


@pytest.mark.parametrize("setting", config.settings())
def test_a_setting_is_documented(setting):
    assert f"`{setting}`" in documentation()


def targets():
    """List what `make` offers: targets whose line says what they do."""
    return re.findall(r"^([a-z]+):.* ## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("target", targets())
def test_a_make_target_is_documented(target):
    assert f"`make {target}`" in documentation()


def pins(name):
    """Read a lock file: package -> versions, one for each range of Python versions."""
    found = {}
    for line in (ROOT / name).read_text().splitlines():
        if line and line[0] not in "# ":
            pin = Requirement(line.rstrip("\\ "))
            (version,) = pin.specifier
            found.setdefault(canonicalize_name(pin.name), set()).add(version.version)
    return found


def required(*extras):
    """Read what setup.cfg asks for."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    asked = [setup["options"]["install_requires"]]
    asked += [setup["options.extras_require"][extra] for extra in extras]
    lines = "\n".join(asked).splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]


LOCKS = {"requirements.txt": (), "requirements-dev.txt": ("test", "check")}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_holds_what_setup_asks_for(lock):
    pinned = pins(lock)
    for requirement in required(*LOCKS[lock]):
        versions = pinned.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement} is not in {lock}: make lock"
        assert all(version in requirement.specifier for version in versions), "make lock"


def test_the_tests_run_on_the_versions_that_are_served():
    served, tested = (pins(lock) for lock in LOCKS)
    assert {name: tested.get(name) for name in served} == served, "make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_names_hashes_and_no_place(lock):
    text = (ROOT / lock).read_text()
    entries = text.count("==")
    assert text.count(" \\\n    --hash=sha256:") >= entries > 0
    assert "://" not in text
    assert "-index" not in text
    assert "--find-links" not in text
