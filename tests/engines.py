"""The database engines that the tests run on, behind one set of verbs.

An engine holds one template: a database with everything that a test may count on. `copy` makes
databases from it, `snapshot` notes what a copy holds, and `restore` empties its tables and puts
that back, which takes milliseconds. The gazetteer is only read, and is left alone.

A template begins with the tables and the gazetteer, which PREPARE makes at an address. They are
kept from one run to the next (`tests/prepared.py`), unless on a server that is not ours.
"""

import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from psycopg import sql
from sqlalchemy import create_engine, inspect, make_url

from api.config import database_url
from tests import prepared, processes, tools

# What `restore` leaves alone: the gazetteer and the mark of Alembic.
KEPT = {"alembic_version", "places", "place_names", "gazetteer_state"}

# What a copy held: its tables with their rows, in the engine's own form.
Snapshot = dict[str, Any]
Prepare = Callable[[str], None]

PREPARED = "prepared"  # the database of a server of ours that templates begin with


class Sqlite:
    """Databases that are files in one temporary folder."""

    name = "sqlite"

    def __init__(self, prepare: Prepare) -> None:
        # Memory where there is some in the file system: each commit waits for the disk.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="incidents-", dir=memory))
        self._kept = processes.keep(self.folder)
        self.label = f"SQLite {sqlite3.sqlite_version}"
        self._copies = 0
        begun = prepared.get(self.name, lambda path: prepare(f"sqlite:///{path}"))
        file = shutil.copy(begun, self.folder / "template.sqlite")
        self.template = f"sqlite:///{file}"

    def stop(self) -> None:
        """Remove the files."""
        processes.stop(self._kept)

    def copy(self) -> str:
        """Make a database like the template and return its address."""
        self._copies += 1
        url = f"sqlite:///{self.folder / f'copy-{self._copies}.sqlite'}"
        with self._open(self.template) as template, self._open(url) as copy:
            template.backup(copy)
            copy.execute("PRAGMA journal_mode = WAL")
        return url

    def empty(self) -> str:
        """Return the address of a database that is not there yet."""
        self._copies += 1
        return f"sqlite:///{self.folder / f'empty-{self._copies}.sqlite'}"

    def drop(self, url: str) -> None:
        """Remove a copy."""
        for end in ("", "-wal", "-shm"):
            Path(f"{make_url(url).database}{end}").unlink(missing_ok=True)

    def files(self, url: str) -> list[Path]:
        """Return the files of a database."""
        path = Path(make_url(url).database or "")
        return sorted(path.parent.glob(f"{path.name}*"))

    def snapshot(self, url: str) -> Snapshot:
        """Note what the database holds, its counters included."""
        with self._open(url) as connection:
            tables = [*self._tables(connection), "sqlite_sequence"]
            rows = {
                table: connection.execute(
                    f'SELECT {_columns(connection, table)} FROM "{table}"'
                ).fetchall()
                for table in tables
            }
        return {table: found for table, found in rows.items() if found}

    def restore(self, url: str, snapshot: Snapshot) -> None:
        """Make the database hold what SNAPSHOT noted."""
        with self._open(url) as connection:
            connection.executescript(
                "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; BEGIN IMMEDIATE;"
                + "".join(f'DELETE FROM "{table}";' for table in self._tables(connection))
            )
            for table, rows in snapshot.items():
                if table == "sqlite_sequence":  # the rows put back before have counted already
                    connection.execute("DELETE FROM sqlite_sequence")
                marks = ",".join("?" * len(rows[0]))
                into = f'"{table}" ({_columns(connection, table)})'
                connection.executemany(f"INSERT INTO {into} VALUES ({marks})", rows)
            connection.commit()

    def _open(self, url: str) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(make_url(url).database or "", timeout=30))

    def _tables(self, connection: sqlite3.Connection) -> list[str]:
        """List what may be emptied: not the shadows in which a full-text index keeps its data."""
        found = connection.execute("PRAGMA main.table_list").fetchall()
        return [
            name
            for _, name, kind, *_ in found
            if kind in ("table", "virtual") and name not in KEPT and not name.startswith("sqlite_")
        ]


def _columns(connection: sqlite3.Connection, table: str) -> str:
    """List the columns of a table; a full-text index numbers its rows in none of them."""
    found = connection.execute(f'PRAGMA table_xinfo("{table}")').fetchall()
    shown = [f'"{name}"' for _, name, *_, hidden in found if hidden == 0]
    numbered = any(hidden == 1 for *_, hidden in found)  # those of virtual tables have some
    return ", ".join([*(["rowid"] if numbered else []), *shown])


class Postgresql:
    """Databases of the server that TEST_DATABASE_URL names, or of one started for the tests.

    On a server that is named, databases of our own are made and dropped again; the one in the
    address is only connected to.
    """

    name = "postgresql"

    def __init__(self, prepare: Prepare) -> None:
        found = tools.find("postgresql")
        self._server = None if "://" in found else Server(Path(found), prepare)
        address = self._server.url if self._server else found
        self._admin = make_url(address).set(drivername="postgresql")
        self._prefix = f"incidents_test_{os.getpid()}"
        self._names: list[str] = []
        version = self._run("SHOW server_version").split()[0]
        self.label = f"PostgreSQL {version}"
        if self._server:
            self.template = self._create(PREPARED)
        else:
            self.template = self._create("template0")
            prepare(self.template)

    def stop(self) -> None:
        """Drop the databases, and stop the server if it is ours."""
        if self._server:
            self._server.stop()
        else:
            for name in self._names:
                self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def copy(self) -> str:
        """Make a database like the template and return its address."""
        return self._create(make_url(self.template).database or "")

    def empty(self) -> str:
        """Make a database without tables and return its address."""
        return self._create("template0")

    def drop(self, url: str) -> None:
        """Remove a copy, with whoever is still connected."""
        self._run(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")

    def snapshot(self, url: str) -> Snapshot:
        """Note what the database holds, its counters included."""
        snapshot: Snapshot = {"": self._tables(url)}
        with self._open(url) as connection:
            for table in snapshot[""]:
                with connection.cursor().copy(_statement("COPY {} TO STDOUT", table)) as out:
                    if rows := b"".join(out):
                        snapshot[table] = rows
            counters = "SELECT format('%I.%I', schemaname, sequencename), last_value"
            snapshot["counters"] = connection.execute(f"{counters} FROM pg_sequences").fetchall()
        return snapshot

    def restore(self, url: str, snapshot: Snapshot) -> None:
        """Make the database hold what SNAPSHOT noted."""
        tables: list[str] = snapshot[""]
        with self._open(url) as connection:
            connection.execute("SET synchronous_commit = off")
            connection.execute(
                sql.SQL(";").join(_statement("DELETE FROM {}", table) for table in reversed(tables))
            )
            for table in tables:
                if rows := snapshot.get(table):
                    with connection.cursor().copy(_statement("COPY {} FROM STDIN", table)) as into:
                        into.write(rows)
            for counter, last in snapshot["counters"]:
                value = (counter, last or 1, last is not None)
                connection.execute("SELECT setval(%s::regclass, %s, %s)", value)

    def files(self, _url: str) -> list[Path]:
        """Return the folder of the server, with its log; none of a server that is not ours."""
        return [self._server.folder] if self._server else []

    def _create(self, template: str) -> str:
        name = f"{self._prefix}_{len(self._names) + 1}"
        self._run(create_database(name, template))
        self._names.append(name)
        return self._admin.set(database=name).render_as_string(hide_password=False)

    def _run(self, statement: str) -> str:
        address = self._admin.render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return str(cursor.fetchone()[0]) if cursor.description else ""

    def _open(self, url: str) -> psycopg.Connection[Any]:
        return psycopg.connect(url, options="-c lock_timeout=20s")

    def _tables(self, url: str) -> list[str]:
        """List what may be emptied, what is referred to before what refers to it."""
        engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
        found = inspect(engine).get_sorted_table_and_fkc_names()
        engine.dispose()
        return [name for name, _ in found if name is not None and name not in KEPT]


def create_database(name: str, template: str) -> str:
    """Return the statement that makes a database."""
    return f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'"


def _statement(template: str, table: str) -> sql.Composed:
    return sql.SQL(template).format(sql.Identifier(table))


class Server:
    """A PostgreSQL server in a temporary folder, reached by its socket alone.

    With PREPARE it holds the database `PREPARED` from the start. LEAVE_FILES: they outlive it.
    """

    def __init__(
        self, programs: Path, prepare: Prepare | None = None, *, leave_files: bool = False
    ) -> None:
        self._leaves_files = leave_files
        self._account = account()
        self.folder = Path(tempfile.mkdtemp(prefix="incidents-", dir="/tmp"))
        self._own(self.folder)
        self.data = self.folder / "data"
        if prepare:
            version = subprocess.check_output([programs / "postgres", "--version"], text=True)
            begun = prepared.get(
                f"postgresql-{version.split()[2]}", lambda path: _prepare(programs, prepare, path)
            )
            shutil.copytree(begun, self.data)
            for path in (self.data, *self.data.rglob("*")):
                self._own(path)
        else:
            self._initialise(programs, self.data)
        self._start(programs)

    def _own(self, path: Path) -> None:
        if self._account:
            shutil.chown(path, self._account["user"], self._account["group"])

    def _start(self, programs: Path) -> None:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self.folder,
            # Nothing that it holds has to survive it.
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "autovacuum": "off",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("wb") as log:
            self._process = processes.start(
                [str(programs / "postgres"), "-D", str(self.data), *options],
                stop_signal="INT",  # the fast way: it waits for no client
                folder=None if self._leaves_files else self.folder,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                **self._account,
            )
        self.url = f"postgresql://postgres@/postgres?host={self.folder}"
        self._wait()

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        processes.stop(self._process)
        if not self._leaves_files:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _initialise(self, programs: Path, data: Path) -> None:
        """Make the cluster; sorted by English rules where it can, to show who relies on bytes."""
        command = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        english = ["--locale-provider=icu", "--icu-locale=en-US"]
        for more in (english, []):
            done = subprocess.run(
                [*command, "--no-sync", "--locale=C", *more],
                cwd=self.folder,
                capture_output=True,
                text=True,
                **self._account,
            )
            if done.returncode == 0:
                return
        raise AssertionError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _wait(self, timeout: float = 30) -> None:
        end = time.monotonic() + timeout
        while True:
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                if self._process.poll() is None and time.monotonic() < end:
                    time.sleep(0.02)
                    continue
                log = (self.folder / "log").read_text()
                self.stop()
                raise AssertionError(f"PostgreSQL did not start:\n{log}") from None
            return


def _prepare(programs: Path, prepare: Prepare, path: Path) -> None:
    """Put at PATH the files of a stopped server that holds the database `PREPARED`."""
    server = Server(programs, leave_files=True)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(create_database(PREPARED, "template0"))
    prepare(server.url.replace("/postgres?", f"/{PREPARED}?"))
    server.stop()
    shutil.move(server.data, path)
    shutil.rmtree(server.data.parent)


def account() -> dict[str, Any]:
    """Return the account to run PostgreSQL as, which refuses to be root; nothing if we are not."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise AssertionError("PostgreSQL does not run as root, and there is no account for it to use")


Engine = Sqlite | Postgresql
ENGINES: dict[str, type[Sqlite] | type[Postgresql]] = {
    engine.name: engine for engine in (Sqlite, Postgresql)
}


@contextmanager
def copied(engine: Engine) -> Iterator[str]:
    """Yield the address of a new database like the template, and drop it at the end."""
    url = engine.copy()
    try:
        yield url
    finally:
        engine.drop(url)


@contextmanager
def writing_elsewhere(app: Flask, *statements: str) -> Iterator[None]:
    """Hold what STATEMENTS lock, from another connection, until the block ends."""
    engine = create_engine(database_url(app.config["DATABASE_URL"], None))
    connection = engine.raw_connection()
    if engine.dialect.name == "sqlite":
        connection.dbapi_connection.isolation_level = None
        connection.cursor().execute("BEGIN IMMEDIATE")
    else:
        for statement in statements:
            connection.cursor().execute(statement)
    try:
        yield
    finally:
        connection.rollback()
        connection.close()
        engine.dispose()
