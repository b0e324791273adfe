"""`setup` and `seed`: all that a service needs before its first request."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade
from sqlalchemy import select

from api.database.transactions import transaction
from api.geo import loader
from api.http import api_keys, health
from api.management import seeding, upgrades
from api.management.command_base import MIGRATIONS, Command
from api.management.commands import documents, progress
from api.management.commands.server import serve
from api.models import ApiKey
from api.search import indexer

_FIRST = (
    "Preparing the tables, a gazetteer of the world and the seed records. The first time this "
    "takes a minute or two; later starts take seconds."
)


@click.command("seed", cls=Command)
@click.option(
    "--only", type=click.Choice(["vocabularies"]), help="Leave articles and incidents out."
)
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path),
    default=seeding.SEEDS,
    help="Another folder of seeds.",
)
@with_appcontext
def seed(only: str | None, folder: Path) -> None:
    """Load the gazetteer and the curated seeds; what is there already stays as it is."""
    with transaction() as session, progress.of_percent("Gazetteer") as show:
        loader.load(session.connection(), show)
    with transaction() as session:
        added = seeding.load(session, folder, only_vocabularies=only is not None, report=click.echo)
    click.echo(
        f"Seeds: {added} added, of incidents, articles, communities and episodes."
        if added
        else "Seeds: all there."
    )


@click.command("setup", cls=Command)
@click.option("--serve", "then_serve", is_flag=True, help="Serve then, without a second start.")
@with_appcontext
def setup(then_serve: bool) -> None:
    """Make ready to serve: migrate, build the search index anew if its form is old, seed.

    Seeds bring the gazetteer along. The first editor key is made and shown.
    """
    if upgrades.prepare(automatic=current_app.config["AUTO_MIGRATE"], report=click.echo):
        click.echo(_FIRST)
        upgrade(directory=str(MIGRATIONS))
    if not health.documents_are_current():
        documents.upgrade_all()
    with transaction() as session:
        if indexer.is_outdated(session.connection()):
            documents.rebuild_index(session.connection())
    click.get_current_context().invoke(seed)
    host, port = current_app.config["HOST"], current_app.config["PORT"]
    address = f"http://{host}:{port}"
    with transaction() as session:
        is_first = session.scalar(select(ApiKey.pk).limit(1)) is None
        key = api_keys.create(session, "first editor", "editor") if is_first else None
    if key is not None:
        click.echo(f"Your editor key, shown this once: {key}")
    serving = "Serving (Ctrl-C stops it)" if then_serve else "Ready. `flask --app api serve` serves"
    click.echo(f"{serving} on {address}; the documentation is at {address}/docs. Try:")
    click.echo(f"  curl '{address}/api/v1/incidents?city=Moscow&community=armenian'")
    if then_serve:
        click.get_current_context().invoke(serve)
