"""The architecture holds: who imports whom, what is documented, and what the lock files promise."""

import ast
import re
import sys
from configparser import ConfigParser
from functools import cache
from pathlib import Path

import click
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from api import config, create_app

ROOT = Path(__file__).resolve().parent.parent

# Room -> its floor, and the rooms below that it may import from. docs/development.md draws it.
_FOUNDATION = "schemas config database core models documents geo search"
ROOMS = {
    "schemas": (1, ""),
    "config": (1, ""),
    "database": (1, ""),
    "core": (2, "database schemas"),
    "documents": (2, "database schemas"),
    "models": (2, "database schemas"),
    "geo": (3, "database models schemas"),
    "search": (3, "database models schemas"),
    "http": (3, "config core database models schemas"),
    "exports": (3, "core database documents models schemas"),
    "migrations": (4, "database geo models schemas"),
    "queries": (4, _FOUNDATION),
    "records": (4, _FOUNDATION),
    "web": (4, "core documents http schemas"),
    "imports": (5, "core database exports.formats models records schemas"),
    "routes": (6, f"{_FOUNDATION} http exports queries records web imports"),
    "management": (6, f"{_FOUNDATION} http exports queries records web imports"),
}
# The factory, a worker's entry and the command line's put the house together.
ENTRIES = {"api", "api.server", "api.__main__"}
MOST_LOOSE_MODULES = 5
LONGEST_CHAIN = 12
SOURCES = sorted(path for package in ("api", "schemas") for path in ROOT.glob(f"{package}/**/*.py"))


def name_of(path):
    """Return the dotted name of the module at PATH."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in SOURCES}


def room_of(module):
    """Return the room of a module: `api.models.feed` is in `models`, all of `schemas` in one."""
    parts = module.split(".")
    return parts[1] if parts[0] == "api" and len(parts) > 1 else parts[0]


@cache
def imports(path):
    """Return the modules of ours that the one at PATH imports, wherever in it."""
    package = name_of(path).split(".")
    package = package if path.name == "__init__.py" else package[:-1]
    modules = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            names = {f"{module}.{alias.name}" for alias in node.names}
            modules |= (names & MODULES.keys()) or {module}
            if not names <= MODULES.keys():
                modules.add(module)
    return frozenset(modules)


def is_ours(module):
    return module.split(".")[0] in ("api", "schemas")


def may_import(room, module):
    """Whether a module of ROOM may import MODULE: its own room, or one that its row names."""
    allowed = {room, *ROOMS[room][1].split()}
    return room_of(module) in allowed or any(
        module == f"api.{name}" or module.startswith(f"api.{name}.") for name in allowed
    )


def forbidden_imports():
    """Return every import that breaks the table, as `importing -> imported`."""
    return {
        f"{name} -> {module}"
        for name, path in MODULES.items()
        if name not in ENTRIES
        for module in imports(path)
        if is_ours(module) and not may_import(room_of(name), module)
    }


def test_every_module_lies_in_a_room():
    assert {room_of(name) for name in MODULES if name not in ENTRIES} == ROOMS.keys()


def test_a_module_imports_only_what_its_room_may():
    assert not forbidden_imports()


def test_a_room_imports_only_from_floors_below():
    for room, (floor, allowed) in ROOMS.items():
        for name in allowed.split():
            assert ROOMS[name.split(".")[0]][0] < floor, f"{room} may not import {name}"


def documented_rooms():
    """Return the table of docs/development.md: room -> floor, and what it may import."""
    page = (ROOT / "docs" / "development.md").read_text()
    rows = re.findall(r"^\| (\w+) \| (\d) \| (.*?) ?\|$", page, re.MULTILINE)
    return {room: (int(floor), set(filter(None, names.split(", ")))) for room, floor, names in rows}


def test_the_table_of_rooms_is_documented():
    rooms = {room: (floor, set(allowed.split())) for room, (floor, allowed) in ROOMS.items()}
    assert documented_rooms() == rooms


def test_few_modules_lie_loose():
    loose = [path.name for path in ROOT.glob("api/*.py") if path.name != "__init__.py"]
    assert len(loose) <= MOST_LOOSE_MODULES, loose


def test_no_import_chain_is_long_or_a_circle():
    chain = longest_chain()
    assert len(chain) <= LONGEST_CHAIN, " -> ".join(chain)


def longest_chain():
    """Return the longest chain of imports. A circle fails."""
    chains = {}

    def chain_of(name, above=()):
        assert name not in above, f"a circle: {' -> '.join((*above, name))}"
        if name not in chains:
            below = (module for module in imports(MODULES[name]) if module in MODULES)
            inner = (chain_of(module, (*above, name)) for module in below if module != name)
            chains[name] = (name, *max(inner, key=len, default=()))
        return chains[name]

    return max(map(chain_of, MODULES), key=len)


@pytest.mark.parametrize("path", [p for p in SOURCES if "schemas" in p.parts[:-1]], ids=name_of)
def test_the_contract_needs_marshmallow_and_the_standard_library_alone(path):
    used = {module.split(".")[0] for module in imports(path)}
    assert used <= sys.stdlib_module_names | {"schemas", "marshmallow"}


def documentation():
    """Return all that is written for people who run or use the service."""
    pages = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
    return "\n".join(page.read_text() for page in pages if page.exists())


def commands(group, *path):
    """Yield the commands below GROUP that are the project's own, as they are typed."""
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
    """Return what `make` offers: targets whose line says what they do."""
    return re.findall(r"^([a-z]+):.* ## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("target", targets())
def test_a_make_target_is_documented(target):
    assert f"`make {target}`" in documentation()


def pins(name):
    """Return what a lock file pins: package -> versions, one for each range of Python versions."""
    found = {}
    for line in (ROOT / name).read_text().splitlines():
        if line and line[0] not in "# ":
            pin = Requirement(line.rstrip("\\ "))
            (version,) = pin.specifier
            found.setdefault(canonicalize_name(pin.name), set()).add(version.version)
    return found


def required(*extras):
    """Return what setup.cfg asks for."""
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
