"""Upgrades: when the tables may be brought to the newest migration, and what is kept before."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from api.database.engines import db
from api.http import health


class NotCurrentError(Exception):
    """The tables are not those of this code, and stay as they are; the message says what to do."""


def _stands() -> str | None:
    """Name the migration at which the database stands, without making a file of none."""
    url = db.engine.url
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return None
    return health.standing()


def check() -> None:
    """Raise NotCurrentError unless the tables are those of this code."""
    stands = _stands()
    if stands == health.newest_migration():
        return
    if stands is None:
        raise NotCurrentError("The database has no tables yet. Make them: flask --app api setup")
    if not health.behind(stands):
        raise NotCurrentError(_ahead(stands))
    raise NotCurrentError(
        f"The database stands at migration {stands}, this code needs {health.newest_migration()}. "
        "Make a backup, then: flask --app api db upgrade"
    )


def _ahead(stands: str) -> str:
    return (
        f"The database stands at migration {stands}, which this code does not know: a newer "
        "version wrote it. Run that version again, or restore a backup made before it."
    )


def prepare(*, automatic: bool, tell: Callable[[str], None]) -> bool:
    """Tell whether the tables have to be upgraded, having made a backup where that holds data.

    Raises NotCurrentError where a newer version wrote the database, and where it holds data and
    an upgrade may not be AUTOMATIC.
    """
    stands = _stands()
    if stands == health.newest_migration():
        return False
    if not health.behind(stands):
        raise NotCurrentError(_ahead(f"{stands}"))
    if stands is None or not _holds_data():
        return True
    if not automatic:
        check()
    if db.engine.dialect.name == "sqlite":
        tell(f"The tables are to be upgraded; a backup first: {_backup(stands)}")
    else:
        tell(
            f"Upgrading the tables from migration {stands} to {health.newest_migration()}, in one "
            "transaction: it is done as a whole or not at all."
        )
    return True


def _holds_data() -> bool:
    """Tell whether there is anything that a backup would keep."""
    with db.engine.connect() as connection:
        tables = ("incidents", "articles", "api_keys")
        return any(
            connection.execute(text(f"SELECT 1 FROM {table} LIMIT 1")).first()  # noqa: S608
            for table in tables
        )


def _backup(stands: str) -> Path:
    """Copy the database file as it stands to one beside it, and give its path."""
    source = Path(db.engine.url.database or "")
    time = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    copy = source.with_name(f"{source.stem}.before-upgrade-from-{stands}.{time}{source.suffix}")
    part = copy.with_name(f"{copy.name}.part")
    part.touch(0o600)  # it holds drafts, as the database does
    try:
        with closing(sqlite3.connect(source)) as held, closing(sqlite3.connect(part)) as kept:
            held.backup(kept)
            kept.execute("PRAGMA journal_mode = DELETE")
        part.rename(copy)
    finally:
        part.unlink(missing_ok=True)
    return copy
