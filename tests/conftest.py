"""How the fixtures work.

`app` is the application on a database that holds the gazetteer, the vocabularies of `seeds/`, a
key of each role, and no records. A test that asks for it, or for what builds on it, runs once on
SQLite and once on PostgreSQL (`tests/engines.py`). Every test has an `app` of its own, so that
nothing remembered leaks; its database is one for all tests of an engine, put back in between.
Every answer of it is held to the API's description (`tests/contract.py`).

- `client`, `runner`: Flask's, on `app`.
- `contributor`, `editor`, `admin`: the headers that carry a key of the role.
- `incident(**changes)`: a valid body to POST (`tests/builders.py`).
- `seeded`: `app`'s database also holds the seeds' articles and incidents.
- `live_server`: the address of a real server, granian, on `app`'s database.
- `make_app(**settings)`: another application, on an empty database of its own, such as a second
  instance or one with other settings.
- `database`: the engine under all of them, for what is about databases as such.

A test on one engine only: `@pytest.mark.parametrize("database", ["postgresql"], indirect=True)`.
A test that needs a tool: `@pytest.mark.needs("chromium")`, see `tests/tools.py`.
The last lines of a run say how many tests ran on each engine, and which tools were missing.
"""

import os
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from werkzeug.routing import Rule

from api import config, create_app
from api.database.engines import db
from api.geo import loader
from tests import builders, contract, engines, processes, servers, tools

ROLES = ("contributor", "editor", "admin")
# No test is timed: a busy machine takes longer, and is not wrong.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

_compile_builder = Rule._compile_builder
_builders = {}
_ran: Counter[str] = Counter()
_kept: list[processes.Process] = []
_labels = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def pytest_configure():
    """Keep the settings of whoever runs the tests out of them, and files in their own folders."""
    for name in config.settings():
        os.environ.pop(name, None)
    folder = Path(tempfile.mkdtemp(prefix="incidents-tests-"))
    os.environ["EXPORT_FOLDER"] = str(folder / "exports")
    os.environ["RELEASE_FOLDER"] = str(folder / "releases")
    os.environ["ERASURE_LOG"] = str(folder / "erasures.ndjson")
    _kept.append(processes.keep(folder))
    Rule._compile_builder = _builder_of


def _builder_of(rule, append_unknown=True):
    """Compile what writes the addresses of RULE once: each test's application has the same rules.

    It follows from the text of the rule alone, and is two thirds of what an application costs.
    """
    key = (tuple(rule._trace), str(rule.defaults), append_unknown)
    if key not in _builders:
        _builders[key] = _compile_builder(rule, append_unknown)
    return _builders[key]


def pytest_unconfigure():
    """Remove the files, as would be done if the tests were killed."""
    while _kept:
        processes.stop(_kept.pop())


class PreparedDatabase:
    """A database for the tests of one engine: its address, its keys, and what it holds."""

    def __init__(self, engine):
        self.engine = engine
        self.keys = _fill(engine.template)
        self.url = engine.copy()
        self.bare = engine.snapshot(self.url)
        self._seeded = None

    def seed(self, app):
        """Load the seeds into the database of APP: by its command the first time, then back."""
        if self._seeded is None:
            run(app, "seed")
            self._seeded = self.engine.snapshot(self.url)
        else:
            self.engine.restore(self.url, self._seeded)


def prepare(url):
    """Make the tables and load the gazetteer."""
    app = create_app({"DATABASE_URL": url})
    run(app, "db", "upgrade")
    with app.app_context(), db.engine.begin() as connection:
        loader.load(connection)
    close(app)


def _fill(url):
    """Make the template by the commands that an operator would use; return a key of each role."""
    app = create_app({"DATABASE_URL": url})
    run(app, "documents", "upgrade")
    run(app, "seed", "--only", "vocabularies")
    keys = {role: run(app, "keys", "create", f"test {role}", "--role", role) for role in ROLES}
    close(app)
    return keys


def run(app, *arguments):
    """Run a command of APP and return the last line that it prints."""
    result = app.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0, result.output
    return result.stdout.strip().rpartition("\n")[2]


def close(app):
    """Close every connection of APP that this thread knows of."""
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()
    app.extensions["reader"].close()


@pytest.fixture(scope="session", params=list(engines.ENGINES))
def database(request):
    """Yield the database that the tests of an engine share."""
    engine = engines.ENGINES[request.param](prepare)
    _labels[request.param] = engine.label
    try:
        yield PreparedDatabase(engine)
    finally:
        engine.stop()


@pytest.fixture
def app(database):
    """Yield the application, with no records."""
    database.engine.restore(database.url, database.bare)
    app = create_app({"DATABASE_URL": database.url, "RATELIMIT_ENABLED": False})
    broken = contract.watch(app)
    yield app
    close(app)
    assert broken == [], "the API's description says otherwise"


@pytest.fixture
def seeded(app, database):
    """Load the seeds into the database of `app`, and return it."""
    database.seed(app)
    return app


@pytest.fixture
def make_app(database):
    """Yield a function that makes another application, on an empty database of its own."""
    broken = []
    with ExitStack() as stack:

        def make(**settings):
            url = stack.enter_context(engines.copied(database.engine))
            made = create_app({"DATABASE_URL": url, "RATELIMIT_ENABLED": False, **settings})
            stack.callback(close, made)
            broken.append(contract.watch(made))
            return made

        yield make
    assert not any(broken), "the API's description says otherwise"


@pytest.fixture
def client(app):
    """Return a client that, unlike pytest-flask's, keeps no request's context open."""
    return app.test_client()


@pytest.fixture
def runner(app):
    """Return a runner of the application's commands."""
    return app.test_cli_runner()


@pytest.fixture(autouse=True)
def _push_request_context():
    """Keep pytest-flask from pushing one context around a whole test.

    All requests of a test would share it, and a write that forgets to commit would pass.
    """


def _headers(role, database):
    return {"Authorization": f"Bearer {database.keys[role]}"}


@pytest.fixture
def contributor(database):
    """Return the headers of a contributor."""
    return _headers("contributor", database)


@pytest.fixture
def editor(database):
    """Return the headers of an editor."""
    return _headers("editor", database)


@pytest.fixture
def admin(database):
    """Return the headers of an admin."""
    return _headers("admin", database)


@pytest.fixture
def incident():
    """Return the builder of incidents."""
    return builders.incident


@pytest.fixture
def live_server(app):
    """Yield the address of a server that runs on the database of `app`."""
    with servers.serving(app.config["DATABASE_URL"]) as address:
        yield address


def pytest_collection_modifyitems(items):
    """Note on each test which engine it runs on; its report then says so too."""
    for item in items:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        item.user_properties.append(("engine", params.get("database", "")))


def pytest_runtest_setup(item):
    """Find the tools that a test is marked to need."""
    for mark in item.iter_markers("needs"):
        for name in mark.args:
            tools.find(name)


def pytest_runtest_logreport(report):
    """Count the tests that ran, by engine."""
    if report.when == "call" and not report.skipped:
        _ran[dict(report.user_properties)["engine"]] += 1


def pytest_sessionfinish(session):
    """Report what was found here to the process that asked for the tests, where several run."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput |= {"labels": _labels, "missed": sorted(tools.missed)}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take what one of several processes found."""
    output = getattr(node, "workeroutput", {})
    _labels.update(
        {name: label for name, label in output.get("labels", {}).items() if " " in label}
    )
    tools.missed.update(output.get("missed", ()))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    """Say how many tests ran on each engine, and what they could not do for want of a tool."""
    counts = [f"{label}: {_ran[name]} tests" for name, label in _labels.items()]
    terminalreporter.write_sep("-", "engines and tools")
    terminalreporter.write_line(f"{', '.join(counts)}; without a database: {_ran['']}")
    for name in sorted(tools.missed):
        terminalreporter.write_line(f"Skipped where {name} is missing: {tools.TOOLS[name].wanted}")
