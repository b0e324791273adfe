"""`documents` and `search`: what is made of the rows, and made anew."""

import click
from sqlalchemy import Connection

from api.database.engines import db
from api.database.transactions import transaction
from api.exports import exporter
from api.management import consistency, document_upgrades
from api.management.command_base import Group
from api.management.commands import progress
from api.search.rebuild import rebuild

document_commands = Group("documents", help="Stored documents against the rows they are from.")
search_commands = Group("search", help="The full-text index.")


@document_commands.command("check")
def check_documents() -> None:
    """Compare every stored document with one rendered from the rows; exit 1 where any differs."""
    differing = 0
    session = db.session()
    with progress.of_records(consistency.number(session), "Documents") as bar:
        for number, findings in consistency.check(session):
            for finding in findings:
                click.echo(f"differs: {finding}")
            differing += len(findings)
            bar.update(number)
    stored, counted = consistency.counter(session)
    if stored != counted:
        click.echo(f"differs: the counter of published records has {stored}, there are {counted}")
    if differing or stored != counted:
        raise click.ClickException(f"{differing} records differ; see: documents rebuild")
    click.echo("Every document is as the rows have it.")


@document_commands.command("upgrade")
def upgrade_documents() -> None:
    """Add to every current document the fields that are younger than it, in place."""
    upgraded = upgrade_all()
    click.echo(f"{upgraded:,} documents gained a field.")


def upgrade_all() -> int:
    """Upgrade all documents, with progress; return how many gained a field."""
    with progress.of_records(document_upgrades.number(db.session()), "Documents") as bar:
        return document_upgrades.run(bar.update)


@document_commands.command("rebuild")
def rebuild_documents() -> None:
    """Mend every document that differs from its rows: what the public reads, by a new version."""
    mended = 0
    with progress.of_records(consistency.number(db.session()), "Documents") as bar:
        for pks in consistency.batches(db.session()):
            with transaction() as session:
                findings = consistency.rebuild(session, pks)
            for finding in findings:
                click.echo(f"mended: {finding}")
            mended += len(findings)
            bar.update(len(pks))
    with transaction() as session:
        consistency.mend_counter(session)
    exporter.purge()  # what was kept may show what is mended
    click.echo(f"{mended} records mended.")


@search_commands.command("rebuild")
def rebuild_search() -> None:
    """Make the full-text index anew from the records; writes wait until it is done."""
    with transaction() as session:
        number = rebuild_index(session.connection())
    click.echo(f"The full-text index holds {number:,} records.")


def rebuild_index(connection: Connection) -> int:
    """Make the full-text index anew, with progress; return the number of records."""
    with progress.of_percent("Full-text index") as show:
        return rebuild(connection, show)
