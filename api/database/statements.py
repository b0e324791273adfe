"""Statements of writes: compiled once, run on the driver's cursor of the open transaction.

A statement built and run by SQLAlchemy costs a multiple of what it does in the database. Those of
a write's every record are prepared, as the reader's are; values go in and come out as the driver
has them, and what the driver raises is raised as SQLAlchemy would.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    BindParameter,
    Connection,
    Dialect,
    LargeBinary,
    Table,
    bindparam,
    insert,
)
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement, ColumnElement

_prepared: dict[tuple[str, int], tuple[str, dict[str, Any]]] = {}


class HintingCompiler(SQLiteCompiler):
    """Writes the hints of `Select.with_hint`, which SQLAlchemy leaves out for SQLite."""

    def get_from_hint_text(self, table: Any, text: Any) -> Any:
        """Give the hint as it is."""
        return text


class Among(ColumnElement[bool]):
    """A column's value is one of those in a parameter, which is a JSON list (`listed`)."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        self.column = column
        self.values: BindParameter[str] = bindparam(name)


@compiles(Among)
def _among(element: Among, compiler: Any, **options: Any) -> str:
    """Write what a message about the statement shows; no engine runs it."""
    return f"{compiler.process(element.column, **options)} IN :{element.values.key}"


@compiles(Among, "sqlite")
def _among_sqlite(element: Among, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.column, **options)
    values = f"json_each({compiler.process(element.values)})"
    return f"{column} IN (SELECT value FROM {values})"  # noqa: S608 - a column and a placeholder


@compiles(Among, "postgresql")
def _among_postgresql(element: Among, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.column, **options)
    type_ = compiler.dialect.type_compiler_instance.process(element.column.type)
    values = f"json_array_elements_text({compiler.process(element.values)}::json)"
    return f"{column} = ANY (ARRAY(SELECT {values}::{type_}))"


class Encoded(ColumnElement[bytes]):
    """A column of text as the bytes of its UTF-8: what is only sent on is never decoded."""

    inherit_cache = False

    def __init__(self, column: Any) -> None:
        self.column = column
        self.type = LargeBinary()


@compiles(Encoded, "sqlite")
def _encoded_sqlite(element: Encoded, compiler: Any, **options: Any) -> str:
    return f"CAST({compiler.process(element.column, **options)} AS BLOB)"


@compiles(Encoded, "postgresql")
def _encoded_postgresql(element: Encoded, compiler: Any, **options: Any) -> str:
    return f"convert_to({compiler.process(element.column, **options)}, 'UTF8')"


def listed(values: Iterable[Any]) -> str:
    """Write VALUES as `Among` takes them, in an order of their own."""
    return orjson.dumps(sorted(values)).decode()


def run(
    connection: Connection, statement: ClauseElement, values: Mapping[str, Any] | None = None
) -> list[Any]:
    """Run a STATEMENT that lives as long as its module; give its rows as the driver does."""
    key = (connection.dialect.name, id(statement))
    if key not in _prepared:
        _prepared[key] = _prepare(connection.dialect, statement)
    sql, fixed = _prepared[key]
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql, {**fixed, **values} if values else fixed)
        return list(cursor.fetchall()) if cursor.description else []
    except connection.dialect.loaded_dbapi.Error as error:
        raise _wrapped(connection, sql, error) from error
    finally:
        cursor.close()


def insert_many(connection: Connection, into: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert ROWS, which all name the same columns of INTO, as one statement."""
    names = tuple(rows[0])
    insert_ordered(connection, into, names, list(map(in_order(into, names), rows)))


InOrder = Callable[[Mapping[str, Any]], tuple[Any, ...]]


@lru_cache
def in_order(into: Table, names: tuple[str, ...]) -> InOrder:
    """Make what gives the values of a row that NAMES columns, as `insert_ordered` takes them."""
    columns = [column for column in into.c if column.key in names]
    values: InOrder = itemgetter(*(column.key for column in columns))
    places = [at for at, column in enumerate(columns) if isinstance(column.type, JSON)]
    if not places:
        return values

    def with_json(row: Mapping[str, Any]) -> tuple[Any, ...]:
        found = list(values(row))
        for at in places:
            if found[at] is not None:
                found[at] = orjson.dumps(found[at]).decode()
        return tuple(found)

    return with_json


def insert_ordered(
    connection: Connection, into: Table, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert ROWS, which give their values `in_order`, as one statement."""
    sql = _insert(connection.dialect.name, into, names)
    cursor = connection.connection.cursor()
    try:
        # In order, not by name: a driver looks every name of every row up.
        cursor.executemany(sql, rows)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _wrapped(connection, sql, error) from error
    finally:
        cursor.close()


@lru_cache
def _dialect(name: str, style: str) -> Dialect:
    engine: type[Dialect] = registry.load(name if name == "sqlite" else "postgresql.psycopg")
    found = engine(paramstyle=style)  # type: ignore[call-arg]
    if name == "sqlite":
        found.statement_compiler = HintingCompiler
    return found


def _prepare(dialect: Dialect, statement: ClauseElement) -> tuple[str, dict[str, Any]]:
    style = "named" if dialect.name == "sqlite" else "pyformat"
    compiled = statement.compile(
        dialect=_dialect(dialect.name, style), compile_kwargs={"render_postcompile": True}
    )
    return str(compiled), dict(compiled.params)


@lru_cache
def _insert(dialect: str, into: Table, names: tuple[str, ...]) -> str:
    """Give the text of an insert of the columns NAMES, in the order of INTO."""
    style = "qmark" if dialect == "sqlite" else "format"
    statement = insert(into).inline()
    return str(statement.compile(dialect=_dialect(dialect, style), column_keys=list(names)))


def _wrapped(connection: Connection, sql: str, error: Exception) -> Exception:
    """Give ERROR of the driver the class that SQLAlchemy raises for it."""
    base = connection.dialect.loaded_dbapi.Error
    return DBAPIError.instance(sql, None, error, base, dialect=connection.dialect)
