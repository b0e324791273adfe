"""Compaction: the database's files written anew, without what was deleted from them."""

from collections.abc import Callable, Iterator
from typing import Any

# Rewrites each segment of the write-ahead log that is kept to be used again.
_OVERWRITE_LOG = """
DO $$ BEGIN
  FOR segment IN 0..(SELECT count(*) FROM pg_ls_waldir()) LOOP
    PERFORM pg_logical_emit_message(false, 'compact', ''), pg_switch_wal();
  END LOOP;
END $$
"""
# Columns of empty tables whose figures ANALYZE would leave as they are. To set a column's type
# drops them, whatever the type is.
_STALE_FIGURES = """
SELECT format('ALTER TABLE %I.%I ALTER %I TYPE %s', n.nspname, c.relname, a.attname,
              format_type(a.atttypid, a.atttypmod)
              || coalesce((SELECT format(' COLLATE %I.%I', cn.nspname, co.collname)
                           FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace
                           WHERE co.oid = a.attcollation AND co.collname <> 'default'), ''))
FROM pg_stats s
JOIN pg_namespace n ON n.nspname = s.schemaname
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename AND c.reltuples = 0
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = s.attname
WHERE s.schemaname = current_schema()
"""


def run(connection: Any, dialect: str) -> list[str]:
    """Rewrite all tables on a raw CONNECTION: no page, log or index keeps what was deleted.

    Returns what could not be done, in sentences.
    """
    if dialect == "sqlite":
        return list(_compact_sqlite(connection.cursor()))
    driver = connection.dbapi_connection
    driver.rollback()
    driver.autocommit = True
    try:
        return list(_compact_postgresql(driver.execute))
    finally:
        driver.autocommit = False


def _compact_sqlite(cursor: Any) -> Iterator[str]:
    for name in _search_indexes(cursor):
        cursor.execute(f"INSERT INTO {name}({name}) VALUES ('optimize')")  # noqa: S608
    cursor.execute("VACUUM")
    busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    cursor.close()
    if busy:
        yield "The log (-wal) is being read, and holds what it held. Run this again."


def _search_indexes(cursor: Any) -> list[str]:
    """Return the full-text indexes: they keep deleted words until their segments are merged."""
    tables = cursor.execute("SELECT name FROM sqlite_schema WHERE sql LIKE '%USING fts5%'")
    return [name for (name,) in tables.fetchall()]


def _compact_postgresql(execute: Callable[..., Any]) -> Iterator[str]:
    """Rewrite tables, and what the server says of their values in statistics and its log."""
    from psycopg.errors import InsufficientPrivilege

    execute("ANALYZE")
    for (statement,) in execute(_STALE_FIGURES).fetchall():
        execute(statement)
    execute("VACUUM FULL")
    if execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_stat_statements'").fetchone():
        try:
            execute("SELECT pg_stat_statements_reset()")
        except InsufficientPrivilege:
            yield "pg_stat_statements_reset() is for another role: its texts stay until then."
    try:
        execute("CHECKPOINT")
        execute(_OVERWRITE_LOG)
        execute("CHECKPOINT")
    except InsufficientPrivilege:
        (size,) = execute("SHOW max_wal_size").fetchone()
        yield (
            "The server's write-ahead log (pg_wal) is for another role: it holds what was deleted "
            f"until some {size} of changes are written, or a superuser runs this command."
        )
