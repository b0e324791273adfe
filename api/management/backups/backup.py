"""Backups: the whole database in one file, taken while it is served, and put back.

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

__all__ = ["BackupError", "Taken", "content", "put_back", "read", "take"]

Progress = Callable[[int, int], None]

_ENGINES: dict[str, ModuleType] = {"sqlite": sqlite, "postgresql": postgresql}


@dataclass(frozen=True, slots=True)
class Taken:
    """What a backup holds: its place in the feed, and its number of published records."""

    dataset_version: int
    published: int
    migration: str


def take(engine: Engine, file: Path, progress: Progress) -> Taken:
    """Write a backup to FILE, which is there once it is whole and on the disk.

    PROGRESS is told how much is done of how much. Raises BackupError.
    """
    part = file.with_name(f"{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        # Drafts and hashed keys are for nobody else on the machine.
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        found = _ENGINES[engine.dialect.name].take(engine, part, progress)
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(file)
        folder = os.open(file.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    except OSError as error:
        raise BackupError(f"{file}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return Taken(*found)


def read(engine: Engine, file: Path, migrations: Path) -> Taken:
    """Tell what the backup in FILE holds, after looking whether it can be put back.

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
                f"{file} is a backup of {other}, and DATABASE_URL names {name}. Between engines "
                "records move by `export` and `import`."
            )
    if not start.startswith(_ENGINES[name].MAGIC):
        raise BackupError(f"{file} is no backup: it was not made by `flask --app api backup`.")
    found = Taken(*_ENGINES[name].read(engine, file))
    known = {script.revision for script in ScriptDirectory(str(migrations)).walk_revisions()}
    if found.migration not in known:
        raise BackupError(
            f"{file} has tables of a newer service (migration {found.migration}); upgrade first."
        )
    return found


def content(engine: Engine) -> dict[str, int]:
    """Count what the database holds that a restore would overwrite: records, articles, keys."""
    counted = {"records": Incident, "articles": Article, "keys": ApiKey}
    with engine.connect() as connection:
        there = set(inspect(connection).get_table_names())
        found = {
            name: connection.scalar(select(func.count()).select_from(table(model))) or 0
            for name, model in counted.items()
            if table(model).name in there
        }
    return {name: number for name, number in found.items() if number}


def put_back(engine: Engine, file: Path, progress: Progress) -> None:
    """Make the database what the backup in FILE holds, and nothing else. Raises BackupError."""
    engine.dispose()
    _ENGINES[engine.dialect.name].put_back(engine, file, progress)
    engine.dispose()
