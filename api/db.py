"""The database: the declarative base, how each engine is set up, sessions and fast reads.

Two ways lead in. `transaction()` is the edge of every write: one BEGIN (IMMEDIATE on SQLite, so
that writers queue instead of failing half way), one commit. `reader()` runs prepared selects on
a connection that the calling thread keeps, in one statement each, hence in one snapshot.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, MetaData, Select, String, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql import CompoundSelect

from api import metrics


class Base(DeclarativeBase):
    """The base of all tables; names of constraints are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)


def ordered_text(length: int) -> String:
    """Make a text type that both engines order by code point, as Python does."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def init_app(app: Flask) -> None:
    """Bind the engine to APP and set its connections up."""
    url = app.config["DATABASE_URL"]
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    lock_ms = int(app.config["LOCK_TIMEOUT"] * 1000)
    options: dict[str, Any] = {
        "pool_pre_ping": not url.startswith("sqlite"),
        "hide_parameters": True,  # what people write is not for logs
    }
    if url.startswith("sqlite"):
        options["connect_args"] = {"check_same_thread": False, "timeout": lock_ms / 1000}
    else:
        options["connect_args"] = {"options": f"-c lock_timeout={lock_ms} -c timezone=UTC"}
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    with app.app_context():
        engine = db.engine
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        app.extensions["reader"] = Reader(engine)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours to say, see _begin_sqlite
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",  # an acknowledged write survives a power cut
        "foreign_keys = ON",
        "cache_size = -65536",  # 64 MB; the default of 2 MB costs a third of a warm list
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def transaction() -> Iterator[Session]:
    """Open the one transaction of a write; commit at its end, roll back on any error."""
    # A read may have opened a transaction before; what was seen there is no ground to write on.
    db.session.rollback()
    metrics.writing(1)
    try:
        db.session.connection(execution_options={"immediate": True})
        yield db.session()
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    finally:
        metrics.writing(-1)


Statement = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]


# How a snapshot begins. It reads much, and little of it twice: no large cache is needed, what is
# sorted goes to the disk, and the way to the last row counts, not to the first.
_SNAPSHOT = {
    "sqlite": ("PRAGMA cache_size = -4096", "PRAGMA temp_store = FILE", "BEGIN"),
    "postgresql": (
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "SET LOCAL cursor_tuple_fraction = 1",
    ),
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A select as text in the engine's own placeholders, and its fixed parameters."""

    sql: str
    fixed: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)


class _HintingCompiler(SQLiteCompiler):
    """Writes the hints of `Select.with_hint`, which SQLAlchemy leaves out for SQLite."""

    def get_from_hint_text(self, table: Any, text: Any) -> Any:
        return text


class Reader:
    """Runs prepared selects, each on a connection that its thread keeps for itself."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._local = threading.local()
        self._prepared: dict[int, Prepared] = {}
        style = "named" if engine.dialect.name == "sqlite" else "pyformat"
        self._begin = _SNAPSHOT[engine.dialect.name]
        dbapi = engine.dialect.loaded_dbapi
        self._error = dbapi.Error
        self._broken = (dbapi.OperationalError, dbapi.InterfaceError)
        self._dialect = type(engine.dialect)(paramstyle=style)  # type: ignore[call-arg]
        if engine.dialect.name == "sqlite":
            self._dialect.statement_compiler = _HintingCompiler

    def prepare(self, statement: Statement, *, plan_anew: bool = False) -> Prepared:
        """Compile STATEMENT once, for many runs; let PostgreSQL PLAN each of them ANEW.

        That is for statements whose best plan depends on the values: one for a rare word, another
        for a common one.
        """
        compiled = statement.compile(
            dialect=self._dialect, compile_kwargs={"render_postcompile": True}
        )
        anew = plan_anew and self.engine.dialect.name == "postgresql"
        return Prepared(str(compiled), dict(compiled.params), {"prepare": False} if anew else {})

    def run(self, statement: Statement, values: Mapping[str, Any] = {}) -> Sequence[Any]:
        """Run a STATEMENT that lives as long as its module, compiling it the first time."""
        prepared = self._prepared.get(id(statement))
        if prepared is None:
            prepared = self._prepared[id(statement)] = self.prepare(statement)
        return self.rows(prepared, values)

    def rows(self, prepared: Prepared, values: Mapping[str, Any] = {}) -> Sequence[Any]:
        """Run PREPARED with VALUES for its named parameters and fetch all rows.

        Raises SQLAlchemy's OperationalError, as a session does, where the database is busy or away.
        """
        parameters = {**prepared.fixed, **values} if prepared.fixed else values
        try:
            return self._run_or_reconnect(prepared, parameters)
        except self._broken as error:
            self.close()
            raise OperationalError(prepared.sql, None, error) from error

    def _run_or_reconnect(self, prepared: Prepared, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """Run once more on a new connection where the kept one was cut (a restarted server)."""
        fresh = not hasattr(self._local, "connection")
        try:
            return self._run(prepared, parameters)
        except self._broken:
            if fresh or self._in_snapshot:
                raise
            self.close()
        return self._run(prepared, parameters)

    def _run(self, prepared: Prepared, parameters: Mapping[str, Any]) -> Sequence[Any]:
        try:
            connection = self._local.connection
        except AttributeError:
            connection = self._local.connection = self._connect()
        cursor = connection.cursor()
        try:
            cursor.execute(prepared.sql, parameters, **prepared.options)
            rows: Sequence[Any] = cursor.fetchall()
            return rows
        finally:
            cursor.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all that the calling thread runs within read one state of the database.

        It has a connection of its own for that, whose memory goes with it. Should that break, it
        is an error: another one would read another state.
        """
        kept = self._local.__dict__.pop("connection", None)
        self._local.in_snapshot = True
        try:
            with self._told("BEGIN"):
                connection = self._local.connection = self._connect()
                for statement in self._begin:
                    connection.execute(statement)
            yield
        finally:
            self._local.in_snapshot = False
            self.close()
            if kept is not None:
                self._local.connection = kept

    def stream(
        self, prepared: Prepared, values: Mapping[str, Any], size: int
    ) -> Iterator[Sequence[Any]]:
        """Run PREPARED within a snapshot and yield its rows as the database finds them.

        SIZE rows at a time; other statements may run in between.
        """
        named = () if self.engine.dialect.name == "sqlite" else ("stream",)
        cursor = self._local.connection.cursor(*named)
        try:
            with self._told(prepared.sql):
                cursor.execute(prepared.sql, {**prepared.fixed, **values})
            while True:
                with self._told(prepared.sql):
                    rows = cursor.fetchmany(size)
                if not rows:
                    return
                yield rows
        finally:
            with suppress(self._error):  # the snapshot may have ended before
                cursor.close()

    @contextmanager
    def _told(self, sql: str) -> Iterator[None]:
        """Raise SQLAlchemy's OperationalError where the database is busy or away."""
        try:
            yield
        except self._broken as error:
            self.close()
            raise OperationalError(sql, None, error) from error

    @property
    def _in_snapshot(self) -> bool:
        found: bool = getattr(self._local, "in_snapshot", False)
        return found

    def _connect(self) -> Any:
        fairy = self.engine.raw_connection()
        fairy.detach()  # kept by this thread from here on, not by the pool
        connection = fairy.dbapi_connection
        assert connection is not None
        if self.engine.dialect.name == "postgresql":
            connection.autocommit = True
        return connection

    def close(self) -> None:
        """Close the calling thread's connection, if it has one."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            del self._local.connection
            connection.close()


def reader() -> Reader:
    """Give the application's reader."""
    found: Reader = current_app.extensions["reader"]
    return found
