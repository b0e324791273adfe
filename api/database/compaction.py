"""Compaction: the database's files written anew, without what was deleted from them."""

from typing import Any


def run(connection: Any, dialect: str) -> None:
    """Rewrite all tables on a raw CONNECTION: no page, log or index keeps what was deleted."""
    if dialect == "sqlite":
        cursor = connection.cursor()
        for name in _search_indexes(cursor):
            cursor.execute(f"INSERT INTO {name}({name}) VALUES ('optimize')")  # noqa: S608
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.close()
        return
    driver = connection.dbapi_connection
    driver.rollback()
    driver.autocommit = True
    try:
        driver.execute("VACUUM FULL")
        driver.execute("CHECKPOINT")
    finally:
        driver.autocommit = False


def _search_indexes(cursor: Any) -> list[str]:
    """Return the full-text indexes: they keep deleted words until their segments are merged."""
    tables = cursor.execute("SELECT name FROM sqlite_schema WHERE sql LIKE '%USING fts5%'")
    return [name for (name,) in tables.fetchall()]
