"""`serve` and `compact`."""

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from api.core import metrics
from api.database import compaction
from api.database.engines import db
from api.exports import exporter, releases
from api.http import concurrency
from api.management import upgrades
from api.management.command_base import Command
from api.records import erasure_log

# Threads to spare: a slow client holds one, and no place (`api/http/concurrency.py`). A worker that
# dies is replaced; a stop waits for slow clients no longer than the timeout. There are no
# websockets.
_GRANIAN = (
    sys.executable,
    "-m",
    "granian",
    "--interface",
    "wsgi",
    "--factory",
    "--respawn-failed-workers",
    "--workers-kill-timeout",
    "5",
    "--no-ws",
    "--log-config",
    str(Path(__file__).parent.parent.parent / "core" / "server_log.json"),
)


# How glibc keeps the memory of a worker: in one pool, as only one of its threads runs Python at a
# time, and what is large apart, so that it goes back to the system as soon as it is free.
_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "1000000",
    "MALLOC_TRIM_THRESHOLD_": "1000000",
}


@click.command("serve", cls=Command)
@with_appcontext
def serve() -> None:
    """Serve with granian, by the settings HOST, PORT, WORKERS and THREADS.

    Refuses tables that are not current; a database that is away may come back later.
    """
    config = current_app.config
    _check_host(config["HOST"])
    try:
        erasure_log.check_log()
    except OSError as error:
        path = config["ERASURE_LOG"]
        raise click.ClickException(
            f"ERASURE_LOG ({path}) cannot be written ({error.strerror}), so that nothing could be "
            "erased. Name a file that can be, kept as long as the backups are."
        ) from None
    with suppress(DBAPIError):
        upgrades.check()
        _tidy()
    os.environ[metrics.FOLDER] = metrics.new_folder()
    os.environ["INCIDENTS_SERVER"] = str(os.getpid())  # see api/server.py
    for name, value in _MEMORY.items():
        os.environ.setdefault(name, value)
    command = [*_GRANIAN, "--host", config["HOST"]]
    for option in ("port", "workers"):
        command += [f"--{option}", str(config[option.upper()])]
    threads = config["THREADS"] + concurrency.SPARE_THREADS
    command += ["--blocking-threads", str(threads), "api.server:start"]
    # In place of this process: who stops or kills it stops or kills the server itself.
    os.execv(command[0], command)  # noqa: S606 - our own words


def _check_host(host: str) -> None:
    """Raise ClickException where HOST names no address."""
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        raise click.ClickException(
            f"HOST is {host!r}; it takes an address of this machine, such as 127.0.0.1. A shell "
            "may have one of another meaning, as conda's compilers set it: unset HOST."
        ) from None


def _tidy() -> None:
    """Remove what processes left behind that were killed: it may hold what is erased since."""
    releases.tidy(db.session())
    exporter.tidy()
    db.session.rollback()


@click.command("compact", cls=Command)
@with_appcontext
def compact() -> None:
    """Write the database's files anew, so that no erased content is left in their free space."""
    connection = db.engine.raw_connection()
    try:
        left = compaction.run(connection, db.engine.dialect.name)
    finally:
        connection.close()
    if left:
        raise click.ClickException(" ".join(left))
    click.echo("The database holds nothing but what it shows.")
