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

# (dialect, id of a statement that lives as long as its module) -> text, fixed parameters
_compiled: dict[tuple[str, int], tuple[str, dict[str, Any]]] = {}


class HintingCompiler(SQLiteCompiler):
    """Writes the hints of `Select.with_hint`, which SQLAlchemy leaves out for SQLite."""

    def get_from_hint_text(self, table: Any, text: Any) -> Any:
        """Return the hint as it is."""
        return text


class InJsonList(ColumnElement[bool]):
    """A column's value is one of those in a parameter, which is a JSON list (`json_list`)."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        self.column = column
        self.values: BindParameter[str] = bindparam(name)


@compiles(InJsonList)
def _in_json_list(element: InJsonList, compiler: Any, **options: Any) -> str:
    """Return what a message about the statement shows; no engine runs it."""
    return f"{compiler.process(element.column, **options)} IN :{element.values.key}"


@compiles(InJsonList, "sqlite")
def _in_json_list_sqlite(element: InJsonList, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.column, **options)
    values = f"json_each({compiler.process(element.values)})"
    return f"{column} IN (SELECT value FROM {values})"  # noqa: S608 - a column and a placeholder


@compiles(InJsonList, "postgresql")
def _in_json_list_postgresql(element: InJsonList, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.column, **options)
    type_ = compiler.dialect.type_compiler_instance.process(element.column.type)
    values = f"json_array_elements_text({compiler.process(element.values)}::json)"
    return f"{column} = ANY (ARRAY(SELECT {values}::{type_}))"


class AsUtf8(ColumnElement[bytes]):
    """A column of text as the bytes of its UTF-8: what is only sent on is never decoded."""

    inherit_cache = False

    def __init__(self, column: Any) -> None:
        self.column = column
        self.type = LargeBinary()


@compiles(AsUtf8, "sqlite")
def _as_utf8_sqlite(element: AsUtf8, compiler: Any, **options: Any) -> str:
    return f"CAST({compiler.process(element.column, **options)} AS BLOB)"


@compiles(AsUtf8, "postgresql")
def _as_utf8_postgresql(element: AsUtf8, compiler: Any, **options: Any) -> str:
    return f"convert_to({compiler.process(element.column, **options)}, 'UTF8')"


def json_list(values: Iterable[Any]) -> str:
    """Return VALUES, sorted, as the text that `InJsonList` takes."""
    return orjson.dumps(sorted(values)).decode()


def run(
    connection: Connection, statement: ClauseElement, values: Mapping[str, Any] | None = None
) -> list[Any]:
    """Run a STATEMENT that lives as long as its module; return its rows as the driver has them."""
    key = (connection.dialect.name, id(statement))
    if key not in _compiled:
        _compiled[key] = compiled(connection.dialect.name, statement)
    sql, fixed = _compiled[key]
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql, {**fixed, **values} if values else fixed)
        return list(cursor.fetchall()) if cursor.description else []
    except connection.dialect.loaded_dbapi.Error as error:
        raise _translated(connection, sql, error) from error
    finally:
        cursor.close()


def compiled(dialect: str, statement: ClauseElement) -> tuple[str, dict[str, Any]]:
    """Return STATEMENT as text in the driver's placeholders, and its fixed parameters by name."""
    text = statement.compile(
        dialect=_dialect(dialect, "named" if dialect == "sqlite" else "pyformat"),
        compile_kwargs={"render_postcompile": True},
    )
    return str(text), dict(text.params)


def insert_many(connection: Connection, into: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert ROWS, which all name the same columns of INTO, as one statement."""
    names = tuple(rows[0])
    insert_tuples(connection, into, names, list(map(tuple_getter(into, names), rows)))


TupleGetter = Callable[[Mapping[str, Any]], tuple[Any, ...]]


@lru_cache
def tuple_getter(into: Table, names: tuple[str, ...]) -> TupleGetter:
    """Return a function from a row that NAMES columns to its values as `insert_tuples` takes them.

    They come in the order of the columns of INTO, JSON as text.
    """
    columns = [column for column in into.c if column.key in names]
    values: TupleGetter = itemgetter(*(column.key for column in columns))
    json_indexes = [i for i, column in enumerate(columns) if isinstance(column.type, JSON)]
    if not json_indexes:
        return values

    def with_json(row: Mapping[str, Any]) -> tuple[Any, ...]:
        encoded = list(values(row))
        for i in json_indexes:
            if encoded[i] is not None:
                encoded[i] = orjson.dumps(encoded[i]).decode()
        return tuple(encoded)

    return with_json


def insert_tuples(
    connection: Connection, into: Table, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert ROWS, made by the `tuple_getter` of INTO and NAMES, as one statement."""
    sql = _insert(connection.dialect.name, into, names)
    cursor = connection.connection.cursor()
    try:
        # In order, not by name: a driver looks every name of every row up.
        cursor.executemany(sql, rows)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _translated(connection, sql, error) from error
    finally:
        cursor.close()


def _translated(connection: Connection, sql: str, error: Exception) -> Exception:
    """Return ERROR of the driver as the exception that SQLAlchemy raises for it."""
    base = connection.dialect.loaded_dbapi.Error
    return DBAPIError.instance(sql, None, error, base, dialect=connection.dialect)


@lru_cache
def _dialect(name: str, style: str) -> Dialect:
    dialect_class: type[Dialect] = registry.load(name if name == "sqlite" else "postgresql.psycopg")
    dialect = dialect_class(paramstyle=style)  # type: ignore[call-arg]
    if name == "sqlite":
        dialect.statement_compiler = HintingCompiler
    return dialect


@lru_cache
def _insert(dialect: str, into: Table, names: tuple[str, ...]) -> str:
    """Return the text of an insert of the columns NAMES, in the order of INTO."""
    style = "qmark" if dialect == "sqlite" else "format"
    statement = insert(into).inline()
    return str(statement.compile(dialect=_dialect(dialect, style), column_keys=list(names)))
