"""The commands of an operator: `backup`, `restore`, `copy`, `verify`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade
from sqlalchemy.exc import DBAPIError

from api.config import database_url
from api.database.engines import db, reader
from api.database.transactions import transaction
from api.exports import exporter, releases
from api.management import audits, database_copy, document_upgrades, upgrades
from api.management.backups import backup as backups
from api.management.command_base import MIGRATIONS, Command
from api.management.commands import progress
from api.records import erasure_log, reference_erasures

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("backup", cls=Command)
@click.argument("file", type=_FILE)
@click.option("--replace", is_flag=True, help="Write over FILE, should it be there.")
@with_appcontext
def backup(file: Path, replace: bool) -> None:
    """Write the whole database as it stands to FILE, while it is served.

    The file is there once it is whole. It holds keys (hashed) and drafts: keep it as safe as the
    database. The files of releases are not in it, nor the record of erasures (ERASURE_LOG).
    """
    if str(file.resolve()) == _database_file():
        raise click.ClickException(f"{file} is the database itself.")
    if file.exists() and not replace:
        raise click.ClickException(f"{file} is there already; --replace writes over it.")
    with fail_cleanly():
        erasure_log.write_log(db.session())
        db.session.rollback()
        with progress.of_percent("Backup", sys.stderr) as show:
            info = backups.take(db.engine, file, show)
    click.echo(
        f"{file}: dataset version {info.dataset_version}, {info.published:,} published records, "
        f"{file.stat().st_size:,} bytes"
    )


@click.command("restore", cls=Command)
@click.argument("file", type=_FILE)
@click.option("--replace", is_flag=True, help="Write over a database that holds something.")
@with_appcontext
def restore(file: Path, replace: bool) -> None:
    """Make the database what the backup in FILE holds, without what was erased since.

    Stop the service first. Erasures made after the backup, which ERASURE_LOG knows, are applied
    again; then everything is verified.
    """
    with fail_cleanly():
        info = backups.read(db.engine, file, MIGRATIONS)
        counts = backups.row_counts(db.engine)
        if counts and not replace:
            rows = ", ".join(f"{number:,} {name}" for name, number in counts.items())
            raise click.ClickException(
                f"The database holds {rows}. --replace drops all of it; take a backup before."
            )
        _log_erasures(counts)
        db.session.remove()
        reader().close()
        with progress.of_percent("Restore", sys.stderr) as show:
            backups.restore(db.engine, file, show)
        upgrade(directory=str(MIGRATIONS))
        with progress.of_records(info.published, "Documents") as bar:
            document_upgrades.run(bar.update)
        applied, absent = _without_erased()
    click.echo(
        f"Restored: dataset version {info.dataset_version}, {info.published:,} published records."
    )
    click.echo(f"Erasures applied again: {len(applied)}, of those in {_erasure_log()}.")
    for name in absent:
        click.echo(f"Release {name}: its files are not in {releases.folder()}; put them back.")
    click.echo("Keys stand as they did then: revoke again those that were revoked since.")
    _verify()


def _log_erasures(counts: dict[str, int]) -> None:
    """Note the erasures of a database that is about to be overwritten, if it can be read."""
    if not counts:
        return
    try:
        erasure_log.write_log(db.session())
    except DBAPIError:
        click.echo("The erasures of the old database cannot be read.", err=True)
    finally:
        db.session.rollback()


def _without_erased() -> tuple[list[erasure_log.ErasureEntry], list[str]]:
    """Apply again what was erased after the backup; return it, and releases without files."""
    with transaction() as session:
        absent = releases.take_up(session)
        applied = reference_erasures.reapply(session, erasure_log.read_log())
        for entry in applied:
            releases.revise(session, entry)
    erasure_log.write_log(db.session())
    exporter.purge()
    releases.tidy(db.session())
    db.session.rollback()
    return applied, absent


@click.command("copy", cls=Command)
@click.option("--to", "url", required=True, help="An empty database, as DATABASE_URL names one.")
@with_appcontext
def copy(url: str) -> None:
    """Copy everything to the empty database at URL, on either engine, while it is served.

    The copy is one state of the database, and is checked row by row. Files stay where they are:
    those of releases (RELEASE_FOLDER), whose digests are looked at, and ERASURE_LOG.
    """
    upgrades.check()
    address = database_url(url, Path(current_app.instance_path), "--to")
    with fail_cleanly():
        faults = list(releases.faults(db.session()))
        db.session.rollback()
        with progress.Steps() as steps:
            info = database_copy.run(address, steps.show)
    click.echo(
        f"Copied and checked: {info.rows:,} rows, dataset version {info.dataset_version}, "
        f"{info.published:,} published records. Serve it: DATABASE_URL={url}"
    )
    if faults:
        raise click.ClickException("The copy is whole, but:\n" + "\n".join(faults))


@click.command("verify", cls=Command)
@with_appcontext
def verify() -> None:
    """Verify that the database is whole; exit 1 where it is not.

    Its files and tables, every stored document against its rows, every version, the feed, that
    nothing erased is left, and the files of releases.
    """
    with fail_cleanly():
        _verify()


def _verify() -> None:
    number = 0
    for name, findings in audits.run(db.session()):
        click.echo(f"{name}: {f'faults, {len(findings)}' if findings else 'whole'}")
        for finding in findings:
            click.echo(f"  {finding}")
        number += len(findings)
    if number:
        raise click.ClickException(f"Faults: {number}; docs/backups.md says what mends them.")


@contextmanager
def fail_cleanly() -> Iterator[None]:
    """End the command with a sentence where a file or the database cannot be read."""
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from None
    except DBAPIError as error:
        raise click.ClickException(
            f"The database cannot be read: {str(error.orig).splitlines()[0]}"
        ) from None


def _erasure_log() -> str:
    path: str = current_app.config["ERASURE_LOG"]
    return path


def _database_file() -> str | None:
    url = db.engine.url
    if db.engine.dialect.name != "sqlite" or not url.database:
        return None
    return str(Path(url.database).resolve())
