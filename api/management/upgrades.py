"""Upgrades: when the tables may be brought to the newest migration, and what is kept before."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from click import ClickException
from sqlalchemy import text

from api.database import schema_version, sqlite
from api.database.engines import db
from api.http import health


class NotCurrentError(ClickException):
    """The tables are not those of this code, and stay as they are; the message says what to do."""


_LACKING = (
    "Documents of the database lack a field that this code has. Bring them up to date: "
    "flask --app api documents upgrade"
)


def _current_revision() -> str | None:
    """Return the revision at which the database stands, without making a file of none."""
    url = db.engine.url
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return None
    return schema_version.current_revision()


def check() -> None:
    """Raise NotCurrentError unless the tables are those of this code."""
    revision = _current_revision()
    if revision == schema_version.newest_revision():
        if not health.documents_are_current():
            raise NotCurrentError(_LACKING)
        return
    if revision is None:
        raise NotCurrentError("The database has no tables yet. Make them: flask --app api setup")
    if not schema_version.is_known_revision(revision):
        raise NotCurrentError(_ahead(revision))
    raise NotCurrentError(
        f"The database stands at migration {revision}, this code needs "
        f"{schema_version.newest_revision()}. Make a backup, then: flask --app api db upgrade"
    )


def _ahead(revision: str | None) -> str:
    return (
        f"The database stands at migration {revision}, which this code does not know: a newer "
        "version wrote it. Run that version again, or restore a backup made before it."
    )


def prepare(*, automatic: bool, report: Callable[[str], object]) -> bool:
    """Whether the tables have to be upgraded; where they hold data, a backup was made then.

    Raises NotCurrentError where a newer version wrote the database, and where it holds data and
    an upgrade may not be AUTOMATIC.
    """
    revision = _current_revision()
    if revision == schema_version.newest_revision():
        if not automatic:
            check()
        return False
    if not schema_version.is_known_revision(revision):
        raise NotCurrentError(_ahead(revision))
    if revision is None or not _holds_data():
        return True
    if not automatic:
        check()
    if db.engine.dialect.name == "sqlite":
        report(f"The tables are to be upgraded; a backup first: {_backup(revision)}")
    else:
        report(
            f"Upgrading the tables from migration {revision} to "
            f"{schema_version.newest_revision()}, in one transaction: it is done as a whole or "
            "not at all."
        )
    return True


def _holds_data() -> bool:
    """Whether there is anything that a backup would keep."""
    with db.engine.connect() as connection:
        tables = ("incidents", "articles", "api_keys")
        return any(
            connection.execute(text(f"SELECT 1 FROM {table} LIMIT 1")).first()  # noqa: S608
            for table in tables
        )


def _backup(revision: str) -> Path:
    """Copy the database file as it stands to one beside it, and return its path."""
    source = Path(db.engine.url.database or "")
    time = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    copy = sqlite.copy_before_upgrade(source, revision, time)
    part = copy.with_name(f"{copy.name}.part")
    part.touch(0o600)  # it holds drafts, as the database does
    try:
        with closing(sqlite3.connect(source)) as database, closing(sqlite3.connect(part)) as backup:
            database.backup(backup)
            backup.execute("PRAGMA journal_mode = DELETE")
        part.rename(copy)
    finally:
        part.unlink(missing_ok=True)
    return copy
