"""PostgreSQL: an archive of pg_dump, taken from one snapshot, restored by pg_restore."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from flask import current_app
from sqlalchemy import Connection, Engine, MetaData, text
from sqlalchemy.exc import DBAPIError

from api.database.base import Base
from api.management.backups.errors import BackupError

MAGIC = b"PGDMP"
_STATE = text("SELECT version, published, (SELECT version_num FROM alembic_version) FROM dataset")
_LOCK_TIMEOUT_MS = 10_000  # for tables that others hold
# Where Debian keeps the programs of each version.
_ELSEWHERE = Path("/usr/lib/postgresql")
Progress = Callable[[int, int], None]
State = tuple[int, int, str]


def take(engine: Engine, file: Path, progress: Progress) -> State:
    """Write an archive of the database to FILE."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        # The archive and what is reported of it are of the same state.
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        version, published, migration = connection.execute(_STATE).one()
        address, password = _address(connection)
        _run(
            "pg_dump",
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={snapshot}",
            f"--file={file}",
            f"--dbname={address}",
            password=password,
        )
    progress(1, 1)
    return version, published, migration


def read(_engine: Engine, file: Path) -> State:
    """Return what the archive in FILE holds; reading all of it shows whether it is whole."""
    _run("pg_restore", "--file=/dev/null", str(file))
    (migration,) = _row(file, "alembic_version", ("version_num",))
    version, published = _row(file, "dataset", ("version", "published"))
    return int(version), int(published), migration


def restore(engine: Engine, file: Path, progress: Progress) -> None:
    """Drop the tables that are there, and make those of the archive, all of them or none."""
    ours = {*Base.metadata.tables, *_tables(file)}
    tables = MetaData()
    try:
        with engine.begin() as connection:
            tables.reflect(connection, only=lambda name, _: name in ours)
            tables.drop_all(connection)
            address, password = _address(connection)
    except DBAPIError as error:
        raise BackupError(
            "The tables are in use, and nothing was changed. Stop the service."
        ) from error
    try:
        _run(
            "pg_restore",
            "--single-transaction",
            "--exit-on-error",
            "--no-owner",
            "--no-privileges",
            f"--dbname={address}",
            str(file),
            password=password,
        )
    except BackupError as error:
        raise BackupError(f"{error} The database is empty now; try again.") from error
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))  # plans need the figures that no archive holds
    progress(1, 1)


def _tables(file: Path) -> set[str]:
    """Return the tables of the archive: `215; 1259 16405 TABLE public incidents owner`."""
    lines = (line.split() for line in _run("pg_restore", "--list", str(file)).splitlines())
    return {words[5] for words in lines if len(words) > 5 and words[3] == "TABLE"}


def _row(file: Path, name: str, columns: tuple[str, ...]) -> list[str]:
    """Return COLUMNS of the one row of a table of the archive."""
    output = _run("pg_restore", "--data-only", f"--table={name}", "--file=-", str(file))
    lines = iter(output.splitlines())
    for line in lines:
        if line.startswith("COPY "):
            order = line[line.index("(") + 1 : line.index(")")].split(", ")
            values = dict(zip(order, next(lines).split("\t"), strict=True))
            return [values[column] for column in columns]
    raise BackupError(f"{file} holds no data set of this service.")


def _run(program: str, *arguments: str, password: str = "") -> str:
    """Run a program of PostgreSQL's and return what it prints.

    The password goes by the environment, where nobody reads it.
    """
    environment = {**os.environ, "PGOPTIONS": f"-c lock_timeout={_LOCK_TIMEOUT_MS}"}
    if password:
        environment["PGPASSWORD"] = password
    done = subprocess.run(  # noqa: S603 - our own words
        [_path_of(program), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it did not say why"]
        message = next((line for line in lines if "error: " in line), lines[-1])
        raise BackupError(f"{program} failed: {message.rpartition('error: ')[2]}")
    return done.stdout


def _address(connection: Connection) -> tuple[str, str]:
    """Return the address of the one server that CONNECTION is to, and the password apart."""
    driver = connection.connection.driver_connection
    assert driver is not None
    url = current_app.config["DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://", 1)
    # As it was given: the programs' libpq may be older than ours, and know less.
    from psycopg.conninfo import conninfo_to_dict, make_conninfo  # a service on SQLite has none

    parameters = conninfo_to_dict(url) | {"host": driver.info.host, "port": driver.info.port}
    for name in ("password", "hostaddr", "options"):
        parameters.pop(name, None)
    return make_conninfo(**parameters), driver.info.password


def _path_of(program: str) -> str:
    """Return the path of a program: by PATH, or the newest where Debian keeps them."""
    path = shutil.which(program)
    if path is not None:
        return path
    others = sorted(_ELSEWHERE.glob(f"*/bin/{program}"), key=lambda path: float(path.parts[-3]))
    if not others:
        raise BackupError(
            f"{program} is not there; install PostgreSQL's client programs, of the server's "
            "version or newer (on Debian and Ubuntu: apt-get install postgresql-client)."
        )
    return str(others[-1])
