"""What all commands share: a fault of the database is told in a sentence, never as a trace."""

from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from api import upgrades


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
    """Say what keeps the database from being used: tables that are not current, or its own word."""
    try:
        upgrades.check()
    except upgrades.NotCurrentError as not_current:
        return str(not_current)
    except DBAPIError as away:
        error = away
    words = str(error.orig).splitlines() or ["no reason given"]
    return f"The database that DATABASE_URL names cannot be used: {words[0]}"
