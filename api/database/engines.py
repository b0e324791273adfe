"""The database: the declarative base, how each engine is set up, sessions and fast reads.

Two ways lead in. `transaction()` is the edge of every write: one BEGIN (IMMEDIATE on SQLite, so
that writers queue instead of failing half way), one commit. `reader()` runs prepared selects on
connections that are kept, in one statement each, hence in one snapshot.

Where DATABASE_READ_URL names standbys, what is read without a key is read there, by either way.
"""

import math
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app, g, has_request_context, request
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Connection, Engine, MetaData, Select, String, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql import CompoundSelect

from api.core import metrics
from api.database import timeouts
from api.database.statements import HintingCompiler
from api.database.timeouts import Limits, due, within


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


class _Routed(FlaskSession):
    """A session that reads where its request may read."""

    def get_bind(self, *args: Any, **kwargs: Any) -> Any:
        """Choose a standby for what is read without a key, where there are some."""
        if kwargs.get("bind") is None and (found := engine()) is standbys():
            return found
        return super().get_bind(*args, **kwargs)

    def close(self) -> None:
        """End what is open; a server that went away meanwhile has ended it by itself.

        That happens after a request is answered, and an error there would take the answer back.
        """
        try:
            super().close()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise


db = SQLAlchemy(model_class=Base, session_options={"class_": _Routed})


class OutcomeUnknownError(OperationalError):
    """The connection broke while a change was being stored: it may be there, or not."""


def ordered_text(length: int) -> String:
    """Make a text type that both engines order by code point, as Python does."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def init_app(app: Flask) -> None:
    """Bind the engines to APP and set their connections up."""
    limits = Limits(app.config["LOCK_TIMEOUT"], app.config["STATEMENT_TIMEOUT"])
    url, options = _engine("DATABASE_URL", app.config["DATABASE_URL"], limits)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    app.extensions["standbys"] = None
    app.extensions["turn"] = threading.Lock() if url.startswith("sqlite") else None
    with app.app_context():
        app.extensions["reader"] = Reader(_listened(db.engine), limits)
    read_url = app.config["DATABASE_READ_URL"]
    if read_url:
        url, options = _engine("DATABASE_READ_URL", read_url, limits, standby=True)
        app.extensions["standbys"] = _listened(create_engine(url, **options))
        app.extensions["standby_reader"] = Reader(app.extensions["standbys"], limits)


def _engine(
    name: str, url: str, limits: Limits, *, standby: bool = False
) -> tuple[str, dict[str, Any]]:
    """Give the address and the options of the engine for the setting NAME."""
    options: dict[str, Any] = {"hide_parameters": True}  # what people write is not for logs
    if url.startswith("sqlite"):
        options["connect_args"] = {"check_same_thread": False, "timeout": limits.lock}
        return url, options
    from api.database import postgresql  # with its driver, which SQLite does without

    opener = postgresql.opener(name, url, limits, standby=standby)
    # Connections are made anew now and then, to find a standby that came back.
    options |= {"creator": opener, "pool_pre_ping": True, "pool_recycle": _LONGEST_KEPT}
    return "postgresql+psycopg://", options


def _listened(engine: Engine) -> Engine:
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


# Seconds for which a connection to PostgreSQL is kept.
_LONGEST_KEPT = 300.0


def reads_anonymously() -> bool:
    """Tell whether this is a request that reads, and carries no key."""
    return (
        has_request_context()
        and request.method in ("GET", "HEAD")
        and "Authorization" not in request.headers
    )


def standbys() -> Engine | None:
    """Give the engine of the standbys, where there are some."""
    found: Engine | None = current_app.extensions["standbys"]
    return found


def engine() -> Engine:
    """Give the engine to read with: that of the standbys for what is read without a key."""
    found = standbys()
    return db.engine if found is None or not reads_anonymously() else found


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    timeouts.prepare_sqlite(connection)


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
        with _turn():
            try:
                db.session.connection(execution_options={"immediate": True})
                yield db.session()
                _commit()
            except BaseException:
                db.session.rollback()
                raise
    finally:
        metrics.writing(-1)


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for the writers of this process that came before, on SQLite.

    It has one writer at a time, and who waits for it sleeps, longer each time, while nobody writes.
    """
    turn: threading.Lock | None = current_app.extensions["turn"]
    if turn is None:
        yield
        return
    if not turn.acquire(timeout=current_app.config["LOCK_TIMEOUT"]):
        busy = sqlite3.OperationalError("database is locked")
        raise OperationalError("BEGIN IMMEDIATE", None, busy)
    try:
        yield
    finally:
        turn.release()


def _commit() -> None:
    """Commit, and note that it is done: a request that has committed is not run again.

    Raises OutcomeUnknownError where the connection broke meanwhile.
    """
    try:
        db.session.commit()
    except DBAPIError as error:
        if error.connection_invalidated:
            raise OutcomeUnknownError("COMMIT", None, error.orig or error) from error
        raise
    g.committed = True


def committed() -> bool:
    """Tell whether this request has committed a change."""
    return "committed" in g


Statement = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]


# How a snapshot begins. It reads much, and little of it twice: no large cache is needed, nor for
# what it sorts, which goes to the disk as soon; and the way to the last row counts, not to the
# first.
_SNAPSHOT = {
    "sqlite": ("PRAGMA cache_size = -1024", "BEGIN"),
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


@dataclass(frozen=True, slots=True)
class _Kept:
    """A connection, the time up to which it is used, and how long its statements may take."""

    connection: Any
    until: float
    seconds: float


class Reader:
    """Runs prepared selects, each on a connection that was kept, or on a new one."""

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self.engine = engine
        self._limits = limits
        self._idle: list[_Kept] = []  # the one used last is the next: its cache is warm
        self._local = threading.local()
        self._prepared: dict[int, Prepared] = {}
        style = "named" if engine.dialect.name == "sqlite" else "pyformat"
        self._begin = _SNAPSHOT[engine.dialect.name]
        # PostgreSQL's binary answers: bytes as they are, and not in hexadecimal digits.
        self._cursor = {} if engine.dialect.name == "sqlite" else {"binary": True}
        dbapi = engine.dialect.loaded_dbapi
        self._error = dbapi.Error
        self._broken = (dbapi.OperationalError, dbapi.InterfaceError)
        self._dialect = type(engine.dialect)(paramstyle=style)  # type: ignore[call-arg]
        if engine.dialect.name == "sqlite":
            self._dialect.statement_compiler = HintingCompiler

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
            raise OperationalError(prepared.sql, None, error) from error

    def _run_or_reconnect(self, prepared: Prepared, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """Run once more on a new connection where a kept one was cut (a restarted server)."""
        fresh = not self._idle
        try:
            return self._run(prepared, parameters)
        except self._broken as error:
            if fresh or self._in_snapshot or timeouts.overdue(error):
                raise
            self.close()
        return self._run(prepared, parameters)

    def _run(self, prepared: Prepared, parameters: Mapping[str, Any]) -> Sequence[Any]:
        if self._in_snapshot:
            return self._rows(self._local.kept, prepared, parameters)
        kept = self._take()
        try:
            rows = self._rows(kept, prepared, parameters)
        except BaseException:
            kept.connection.close()
            raise
        self._idle.append(kept)
        return rows

    def _take(self) -> _Kept:
        """Give a connection that is kept and young enough, or a new one."""
        while True:
            try:
                kept = self._idle.pop()
            except IndexError:
                return self._open()
            if time.monotonic() < kept.until:
                return kept
            kept.connection.close()

    def _open(self) -> _Kept:
        lasts = _LONGEST_KEPT if self.engine.dialect.name == "postgresql" else math.inf
        return _Kept(self._connect(), time.monotonic() + lasts, self._limits.for_statements())

    def _rows(
        self, kept: _Kept, prepared: Prepared, parameters: Mapping[str, Any]
    ) -> Sequence[Any]:
        cursor = kept.connection.cursor(**self._cursor)
        due.at = time.monotonic() + kept.seconds
        try:
            cursor.execute(prepared.sql, parameters, **prepared.options)
            rows: Sequence[Any] = cursor.fetchall()
            return rows
        finally:
            due.at = math.inf
            cursor.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all that the calling thread runs within read one state of the database.

        It has a connection of its own for that, whose memory goes with it. Should that break, it
        is an error: another one would read another state.
        """
        with self._told("BEGIN"):
            kept = self._open()
        try:
            with self._told("BEGIN"):
                for statement in self._begin:
                    kept.connection.execute(statement)
            self._local.kept = kept
            yield
        finally:
            self._local.kept = None
            kept.connection.close()

    def stream(
        self, prepared: Prepared, values: Mapping[str, Any], size: int, *, whole: bool = False
    ) -> Iterator[Sequence[Any]]:
        """Run PREPARED within a snapshot and yield its rows as the database finds them.

        SIZE rows at a time; other statements may run in between. PostgreSQL sends them at once if
        the WHOLE is wanted soon: only then do several of its processes work for it.
        """
        named = () if whole or self.engine.dialect.name == "sqlite" else ("stream",)
        kept: _Kept = self._local.kept
        cursor = kept.connection.cursor(*named)
        try:
            with self._told(prepared.sql), within(kept.seconds):
                cursor.execute(prepared.sql, {**prepared.fixed, **values})
            while True:
                with self._told(prepared.sql), within(kept.seconds):
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
            raise OperationalError(sql, None, error) from error

    @property
    def _in_snapshot(self) -> bool:
        return getattr(self._local, "kept", None) is not None

    def _connect(self) -> Any:
        fairy = self.engine.raw_connection()
        fairy.detach()  # kept here from now on, not by the pool
        connection = fairy.dbapi_connection
        assert connection is not None
        if self.engine.dialect.name == "postgresql":
            self._commit_by_itself(connection)
        return connection

    def _commit_by_itself(self, connection: Any) -> None:
        try:
            connection.autocommit = True
        except self._error as error:  # psycopg's words for a server that went away meanwhile
            connection.close()
            raise self._broken[0]("the connection broke") from error

    def close(self) -> None:
        """Close the connections that are kept and not at work."""
        while self._idle:
            with suppress(IndexError):  # another thread took the last
                self._idle.pop().connection.close()


def reader() -> Reader:
    """Give the application's reader: on the standbys for what is read without a key."""
    extensions = current_app.extensions
    on_standbys = extensions["standbys"] is not None and reads_anonymously()
    found: Reader = extensions["standby_reader" if on_standbys else "reader"]
    return found


def primary() -> Reader:
    """Give the reader on the database that takes writes, whoever asks."""
    found: Reader = current_app.extensions["reader"]
    return found
