"""Copies: all that a database holds into an empty one, on either engine, from one snapshot.

Every table of the models is copied, row by row as it stands; what the engines keep in ways of their
own, the full-text indexes, is made anew from the records. On PostgreSQL a copy is one transaction;
on SQLite it is a file beside the target, which has the target's name once it is whole.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from alembic import command
from click import ClickException
from flask import current_app
from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    Select,
    String,
    Table,
    Text,
    cast,
    delete,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.ext.compiler import compiles

from api.database import sqlite
from api.database.base import Base
from api.database.engines import connect_to, db
from api.database.timeouts import Timeouts
from api.management.command_base import MIGRATIONS
from api.models import Dataset, SearchState, search_words
from api.models.tables import table
from api.search.rebuild import rebuild

# Made anew, with the full-text indexes that no model describes.
REBUILT = frozenset({search_words.name, table(SearchState).name})
_BATCH = 5000
_PART = ".unfinished"

# Called with the step, how much of it is done, and in all.
Progress = Callable[[str, int, int], None]


class CopyError(ClickException):
    """It cannot be copied; the message says why, and what would help."""


@dataclass(frozen=True, slots=True)
class CopyInfo:
    """What was copied: the place in the feed, the published records, and the rows of all tables."""

    dataset_version: int
    published: int
    rows: int


class _Content:
    """What a table holds: its number of rows, and a digest of them in their order."""

    def __init__(self) -> None:
        self.rows = 0
        self._digest = blake2b()

    def add(self, rows: list[tuple[Any, ...]]) -> None:
        """Count the next ROWS."""
        self.rows += len(rows)
        self._digest.update(repr(rows).encode())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Content) and self._digest.digest() == other._digest.digest()

    def __hash__(self) -> int:
        return hash(self._digest.digest())


def run(url: str, progress: Progress) -> CopyInfo:
    """Copy the application's database to the empty one at URL. Raises CopyError."""
    with _target(url) as target, _snapshot(db.engine) as source:
        dataset = source.execute(select(Dataset.version, Dataset.published)).one()
        _migrate(target)
        tables = copied_tables()
        total = sum(_count(source, each) for each in tables)
        copied: dict[str, _Content] = {}
        done = 0
        for each in tables:
            target.execute(delete(each))  # what a migration has put there
            copied[each.name] = _copy_table(source, target, each, progress, done, total)
            _copy_sequence(source, target, each)
            done += copied[each.name].rows
        rebuild(target, lambda done, total: progress("Full-text index", done, total))
        _check(target, copied, progress)
    return CopyInfo(dataset.version, dataset.published, total)


def copied_tables() -> list[Table]:
    """Return every table of the models but those made anew, each behind those it refers to."""
    return [each for each in Base.metadata.sorted_tables if each.name not in REBUILT]


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    """Yield a connection that sees one state of the database, however many write meanwhile."""
    level = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with engine.connect().execution_options(**level) as connection:
        yield connection


@contextmanager
def _target(url: str) -> Iterator[Connection]:
    """Yield a connection in the transaction that makes the copy; all of it stays, or nothing."""
    if url.startswith("sqlite"):
        with _target_file(_path(url)) as connection:
            yield connection
        return
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            with connection.begin():
                _refuse_tables(connection, "Make an empty one: createdb NAME")
                yield connection
            # Plans need the figures of what the tables hold.
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text("ANALYZE"))
    finally:
        engine.dispose()


@contextmanager
def _target_file(path: Path) -> Iterator[Connection]:
    """Yield a connection to a new file, which takes the name PATH once it is whole."""
    if path.exists():
        engine = _engine(f"sqlite:///{path}")
        with engine.connect() as connection:
            _refuse_tables(connection, "Name a file that is not there yet.")
        engine.dispose()
    part = path.with_name(f"{path.name}{_PART}")
    part.unlink(missing_ok=True)
    # Drafts and hashed keys are for nobody else on the machine.
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    engine = _engine(f"sqlite:///{part}")
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        driver = connection.connection.dbapi_connection
        assert driver is not None
        for pragma in ("journal_mode = MEMORY", "synchronous = OFF", "foreign_keys = OFF"):
            connection.rollback()
            driver.cursor().execute(f"PRAGMA {pragma}")
        sqlite.tune_for_bulk(connection)
        connection.rollback()
        with connection.begin():
            yield connection
        driver.cursor().execute("PRAGMA journal_mode = WAL")
    engine.dispose()
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)


def _path(url: str) -> Path:
    """Return the file that a SQLite URL names, as DATABASE_URL would name it."""
    path = url.removeprefix("sqlite:///")
    if path in ("", ":memory:", "sqlite://"):
        raise CopyError("A copy goes to a file: --to sqlite:////folder/incidents.sqlite")
    return Path(current_app.instance_path) / path


def _engine(url: str) -> Engine:
    config = current_app.config
    return connect_to(url, Timeouts(config["LOCK_TIMEOUT"], config["STATEMENT_TIMEOUT"]))


def _refuse_tables(connection: Connection, advice: str) -> None:
    """Raise CopyError where there are tables of this service already."""
    ours = {*Base.metadata.tables, "alembic_version"} & {*inspect(connection).get_table_names()}
    if ours:
        raise CopyError(
            f"The target holds tables of this service already ({len(ours)}), and nothing was "
            f"changed. {advice}"
        )


def _migrate(target: Connection) -> None:
    """Make the tables, as `db upgrade` would."""
    config = current_app.extensions["migrate"].migrate.get_config(str(MIGRATIONS))
    config.attributes["connection"] = target
    command.upgrade(config, "head")


def _count(connection: Connection, each: Table) -> int:
    return connection.scalar(select(func.count()).select_from(each)) or 0


def _rows_of(each: Table) -> Select[Any]:
    """Return a select of all rows, in values that both engines have: JSON is text, truth 0 or 1."""
    plain = {JSON: Text, Boolean: Integer}
    columns = []
    for column in each.columns:
        to = next((to for type_, to in plain.items() if isinstance(column.type, type_)), None)
        columns.append(column if to is None else cast(column, to).label(column.name))
    return select(*columns).order_by(*map(_ByCodePoint, each.primary_key.columns))


class _ByCodePoint(ColumnElement[Any]):
    """A column that both engines order alike, whatever language the database is in."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column = column


@compiles(_ByCodePoint)
def _by_code_point(element: _ByCodePoint, compiler: Any, **options: Any) -> str:
    column: str = compiler.process(element.column, **options)
    is_text = isinstance(element.column.type, String)
    return f'{column} COLLATE "C"' if is_text and compiler.dialect.name == "postgresql" else column


def _batches(connection: Connection, each: Table) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a table as the driver has them, so many at a time, the last ones fewer."""
    driver: Any = connection.connection.dbapi_connection
    # A cursor of the server's sends what is fetched; else all would be here at once.
    name = ("copy",) if connection.dialect.name == "postgresql" else ()
    cursor = driver.cursor(*name)
    cursor.execute(str(_rows_of(each).compile(dialect=connection.dialect)))
    while rows := cursor.fetchmany(_BATCH):
        yield rows
    cursor.close()


def _copy_table(
    source: Connection, target: Connection, each: Table, progress: Progress, done: int, total: int
) -> _Content:
    """Copy the rows of one table; return what they were. DONE rows were copied before."""
    content = _Content()

    def read() -> Iterator[list[tuple[Any, ...]]]:
        for rows in _batches(source, each):
            yield rows
            content.add(rows)
            progress("Rows", done + content.rows, total)

    columns = [column.name for column in each.columns]
    _WRITERS[target.dialect.name](target, each.name, columns, read())
    return content


def _write_postgresql(
    target: Connection, name: str, columns: list[str], batches: Iterator[list[tuple[Any, ...]]]
) -> None:
    """Write rows by one COPY, at whose end alone the references are checked."""
    driver: Any = target.connection.dbapi_connection
    into = ", ".join(f'"{column}"' for column in columns)
    with driver.cursor() as cursor, cursor.copy(f'COPY "{name}" ({into}) FROM STDIN') as copy:
        for rows in batches:
            for row in rows:
                copy.write_row(row)


def _write_sqlite(
    target: Connection, name: str, columns: list[str], batches: Iterator[list[tuple[Any, ...]]]
) -> None:
    into, marks = ", ".join(f'"{column}"' for column in columns), ", ".join("?" * len(columns))
    for rows in batches:
        target.exec_driver_sql(f'INSERT INTO "{name}" ({into}) VALUES ({marks})', rows)  # noqa: S608


_WRITERS = {"postgresql": _write_postgresql, "sqlite": _write_sqlite}


def _copy_sequence(source: Connection, target: Connection, each: Table) -> None:
    """Let the target draw the numbers that follow those the source has drawn."""
    column = each.autoincrement_column
    if column is None:
        return
    if source.dialect.name == "postgresql":
        sequence = source.scalar(select(func.pg_get_serial_sequence(each.name, column.name)))
        last, called = source.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()  # noqa: S608
        drawn = last if called else 0
    else:
        statement = text("SELECT max(seq) FROM sqlite_sequence WHERE name = :name")
        drawn = source.scalar(statement, {"name": each.name}) or 0
    drawn = max(drawn, source.scalar(select(func.max(column))) or 0)
    if not drawn:
        return
    if target.dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(each.name, column.name)
        target.execute(select(func.setval(sequence, drawn)))
    elif each.dialect_options["sqlite"]["autoincrement"]:
        values = {"name": each.name, "drawn": drawn}
        target.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
        target.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :drawn)"), values)


def _check(target: Connection, copied: dict[str, _Content], progress: Progress) -> None:
    """Read the target again; raises CopyError where it does not hold what was read."""
    total = sum(content.rows for content in copied.values())
    done = 0
    for each in copied_tables():
        content = _Content()
        for rows in _batches(target, each):
            content.add(rows)
            progress("Check", done + content.rows, total)
        if content != copied[each.name]:
            raise CopyError(
                f"The table {each.name} is not the same in the copy ({content.rows:,} rows, "
                f"{copied[each.name].rows:,} were read), which is left unfinished."
            )
        done += content.rows
    if target.dialect.name == "sqlite":
        broken = target.execute(text("PRAGMA foreign_key_check")).first()
        if broken is not None:
            raise CopyError(f"The table {broken[0]} refers to rows of {broken[2]} that are gone.")
