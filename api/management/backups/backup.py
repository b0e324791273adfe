"""Backups: the whole database in one file, taken while it is served, and restored.

A backup is one state of the database, hence exactly the data set of one dataset version. SQLite's
is a database file, made by its online backup; PostgreSQL's an archive of pg_dump.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from alembic.script import ScriptDirectory
from sqlalchemy import Engine, func, inspect, select

from api.management.backups import postgresql, sqlite
from api.management.backups.errors import BackupError
from api.models import ApiKey, Article, Incident
from api.models.tables import table

__all__ = ["BackupError", "BackupInfo", "read", "restore", "row_counts", "take"]

Progress = Callable[[int, int], None]

_ENGINES: dict[str, ModuleType] = {"sqlite": sqlite, "postgresql": postgresql}


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """What a backup holds: its place in the feed, and its number of published records."""

    dataset_version: int
    published: int
    migration: str


def take(engine: Engine, file: Path, progress: Progress) -> BackupInfo:
    """Write a backup to FILE, which is there once it is whole and on the disk.

    PROGRESS is called with how much is done and in all. Raises BackupError.
    """
    part = file.with_name(f"{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        # Drafts and hashed keys are for nobody else on the machine.
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        state = _ENGINES[engine.dialect.name].take(engine, part, progress)
        with part.open("rb+") as output:
            os.fsync(output.fileno())
        part.replace(file)
        folder = os.open(file.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    except OSError as error:
        raise BackupError(f"{file}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return BackupInfo(*state)


def read(engine: Engine, file: Path, migrations: Path) -> BackupInfo:
    """Return what the backup in FILE holds, having checked whether it can be restored.

    Raises BackupError where it is damaged, of the other engine or of a newer service.
    """
    try:
        with file.open("rb") as opened:
            start = opened.read(16)
    except OSError as error:
        raise BackupError(f"{file}: {error.strerror}") from error
    name = engine.dialect.name
    for other, module in _ENGINES.items():
        if start.startswith(module.MAGIC) and other != name:
            raise BackupError(
                f"{file} is a backup of {other}, and DATABASE_URL names {name}. Restore it to a "
                f"database of {other}; `flask --app api copy` takes all of that to another engine."
            )
    if not start.startswith(_ENGINES[name].MAGIC):
        raise BackupError(f"{file} is no backup: it was not made by `flask --app api backup`.")
    info = BackupInfo(*_ENGINES[name].read(engine, file))
    known = {script.revision for script in ScriptDirectory(str(migrations)).walk_revisions()}
    if info.migration not in known:
        raise BackupError(
            f"{file} has tables of a newer service (migration {info.migration}); upgrade first."
        )
    return info


def row_counts(engine: Engine) -> dict[str, int]:
    """Return how many records, articles and keys a restore would overwrite, without zeros."""
    models = {"records": Incident, "articles": Article, "keys": ApiKey}
    with engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        counts = {
            name: connection.scalar(select(func.count()).select_from(table(model))) or 0
            for name, model in models.items()
            if table(model).name in tables
        }
    return {name: number for name, number in counts.items() if number}


def restore(engine: Engine, file: Path, progress: Progress) -> None:
    """Make the database what the backup in FILE holds, and nothing else. Raises BackupError."""
    engine.dispose()
    _ENGINES[engine.dialect.name].restore(engine, file, progress)
    engine.dispose()
