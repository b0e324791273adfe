"""Readers: prepared selects on pooled connections, in one statement each, hence in one snapshot."""

import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, Select
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql import CompoundSelect

from api.database import statements
from api.database.errors import is_timeout
from api.database.timeouts import Timeouts, deadline, within

Statement = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]

# Seconds for which a connection to PostgreSQL is used: a standby that came back is found anew.
MAX_CONNECTION_AGE = 300.0

# How a snapshot begins. It reads much, and little of it twice: no large cache is needed, nor for
# what it sorts, which goes to the disk as soon; and the way to the last row counts, not to the
# first.
_BEGIN_SNAPSHOT = {
    "sqlite": ("PRAGMA cache_size = -1024", "BEGIN"),
    "postgresql": (
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        "SET LOCAL cursor_tuple_fraction = 1",
    ),
}


@dataclass(frozen=True, slots=True)
class PreparedStatement:
    """A select as text in the engine's own placeholders, and its fixed parameters."""

    sql: str
    fixed: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _PooledConnection:
    """A connection, the time up to which it is used, and how long its statements may take."""

    connection: Any
    until: float
    statement_timeout: float


class Reader:
    """Runs prepared selects, each on a pooled connection, or on a new one."""

    def __init__(self, engine: Engine, timeouts: Timeouts) -> None:
        self.engine = engine
        self._timeouts = timeouts
        self._idle: list[_PooledConnection] = []  # the one used last is the next: its cache is warm
        self._local = threading.local()
        self._prepared: dict[int, PreparedStatement] = {}
        self._is_postgresql = engine.dialect.name == "postgresql"
        # PostgreSQL's binary answers: bytes as they are, and not in hexadecimal digits.
        self._cursor_options = {"binary": True} if self._is_postgresql else {}
        dbapi = engine.dialect.loaded_dbapi
        self._error = dbapi.Error
        self._unavailable = (dbapi.OperationalError, dbapi.InterfaceError)

    def prepare(self, statement: Statement, *, plan_anew: bool = False) -> PreparedStatement:
        """Compile STATEMENT once, for many runs; let PostgreSQL PLAN each of them ANEW.

        That is for statements whose best plan depends on the values: one for a rare word, another
        for a common one.
        """
        sql, fixed = statements.compiled(self.engine.dialect.name, statement)
        anew = plan_anew and self._is_postgresql
        return PreparedStatement(sql, fixed, {"prepare": False} if anew else {})

    def run(self, statement: Statement, values: Mapping[str, Any] = {}) -> Sequence[Any]:
        """Run a STATEMENT that lives as long as its module, compiling it the first time."""
        prepared = self._prepared.get(id(statement))
        if prepared is None:
            prepared = self._prepared[id(statement)] = self.prepare(statement)
        return self.rows(prepared, values)

    def rows(self, prepared: PreparedStatement, values: Mapping[str, Any] = {}) -> Sequence[Any]:
        """Run PREPARED with VALUES for its named parameters and fetch all rows.

        Raises SQLAlchemy's OperationalError, as a session does, where the database is busy or away.
        """
        parameters = {**prepared.fixed, **values} if prepared.fixed else values
        fresh = not self._idle
        try:
            return self._run(prepared, parameters)
        except self._unavailable as error:
            if fresh or self._in_snapshot or is_timeout(error):
                raise OperationalError(prepared.sql, None, error) from error
        # A pooled connection was cut, as by a restarted server: once more on a new one.
        self.close()
        with self._translate_errors(prepared.sql):
            return self._run(prepared, parameters)

    def _run(self, prepared: PreparedStatement, parameters: Mapping[str, Any]) -> Sequence[Any]:
        snapshot = getattr(self._local, "snapshot", None)
        if snapshot is not None:
            return self._fetch(snapshot, prepared, parameters)
        pooled = self._take()
        try:
            rows = self._fetch(pooled, prepared, parameters)
        except BaseException:
            pooled.connection.close()
            raise
        self._idle.append(pooled)
        return rows

    def _take(self) -> _PooledConnection:
        """Return an idle connection that is young enough, or a new one."""
        while True:
            try:
                pooled = self._idle.pop()
            except IndexError:
                return self._open()
            if time.monotonic() < pooled.until:
                return pooled
            pooled.connection.close()

    def _open(self) -> _PooledConnection:
        age = MAX_CONNECTION_AGE if self._is_postgresql else math.inf
        until = time.monotonic() + age
        return _PooledConnection(self._connect(), until, self._timeouts.statement_timeout)

    def _fetch(
        self, pooled: _PooledConnection, prepared: PreparedStatement, parameters: Mapping[str, Any]
    ) -> Sequence[Any]:
        cursor = pooled.connection.cursor(**self._cursor_options)
        deadline.at = time.monotonic() + pooled.statement_timeout
        try:
            cursor.execute(prepared.sql, parameters, **prepared.options)
            rows: Sequence[Any] = cursor.fetchall()
            return rows
        finally:
            deadline.at = math.inf
            cursor.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all that the calling thread runs within read one state of the database.

        It has a connection of its own for that, whose memory goes with it. Should that break, it
        is an error: another one would read another state.
        """
        with self._translate_errors("BEGIN"):
            pooled = self._open()
        try:
            with self._translate_errors("BEGIN"):
                for statement in _BEGIN_SNAPSHOT[self.engine.dialect.name]:
                    pooled.connection.execute(statement)
            self._local.snapshot = pooled
            yield
        finally:
            self._local.snapshot = None
            pooled.connection.close()

    def stream(
        self,
        prepared: PreparedStatement,
        values: Mapping[str, Any],
        size: int,
        *,
        whole: bool = False,
    ) -> Iterator[Sequence[Any]]:
        """Run PREPARED within a snapshot and yield its rows as the database finds them.

        SIZE rows at a time; other statements may run in between. PostgreSQL sends them at once if
        the WHOLE is wanted soon: only then do several of its processes work for it.
        """
        cursor_name = ("stream",) if self._is_postgresql and not whole else ()
        pooled: _PooledConnection = self._local.snapshot
        cursor = pooled.connection.cursor(*cursor_name)
        try:
            with self._translate_errors(prepared.sql), within(pooled.statement_timeout):
                cursor.execute(prepared.sql, {**prepared.fixed, **values})
            while True:
                with self._translate_errors(prepared.sql), within(pooled.statement_timeout):
                    rows = cursor.fetchmany(size)
                if not rows:
                    return
                yield rows
        finally:
            with suppress(self._error):  # the snapshot may have ended before
                cursor.close()

    @contextmanager
    def _translate_errors(self, sql: str) -> Iterator[None]:
        """Raise SQLAlchemy's OperationalError where the database is busy or away."""
        try:
            yield
        except self._unavailable as error:
            raise OperationalError(sql, None, error) from error

    @property
    def _in_snapshot(self) -> bool:
        return getattr(self._local, "snapshot", None) is not None

    def _connect(self) -> Any:
        fairy = self.engine.raw_connection()
        fairy.detach()  # this reader's from now on, not the engine's pool's
        connection = fairy.dbapi_connection
        assert connection is not None
        if self._is_postgresql:
            self._set_autocommit(connection)
        return connection

    def _set_autocommit(self, connection: Any) -> None:
        try:
            connection.autocommit = True
        except self._error as error:  # psycopg's words for a server that went away meanwhile
            connection.close()
            raise self._unavailable[0]("the connection broke") from error

    def close(self) -> None:
        """Close the connections that are idle."""
        while self._idle:
            with suppress(IndexError):  # another thread took the last
                self._idle.pop().connection.close()
