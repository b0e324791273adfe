"""What all commands share: a fault of the database ends one with a sentence, never a trace."""

from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError, OperationalError

from api.database.errors import is_storage_full
from api.management import upgrades

MIGRATIONS = Path(__file__).parent.parent / "migrations"


class Command(click.Command):
    """A command that says what is wrong with the database, and what to do."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; ends with status 1 where the database cannot be used."""
        try:
            return super().invoke(ctx)
        except DBAPIError as error:
            raise click.ClickException(_cause(error)) from None


class Group(AppGroup):
    """A group of such commands."""

    command_class = Command


def _cause(error: DBAPIError) -> str:
    """Return what keeps the database from being used, and what to look at."""
    try:
        upgrades.check()
    except upgrades.NotCurrentError as not_current:
        return str(not_current)
    except DBAPIError as away:
        error = away
    subject = "The database that DATABASE_URL names"
    if is_storage_full(error.orig):
        return (
            f"{subject} takes no writes: make room on its disk, or let who runs this write there."
        )
    if isinstance(error, OperationalError):
        return (
            f"{subject} is away or busy: see that it runs, and that address, name and password are "
            "right; for SQLite, that the folder is there and may be read."
        )
    return f"{subject} is damaged, or none of this service: `flask --app api verify` looks it over."
