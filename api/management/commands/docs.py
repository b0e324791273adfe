"""`docs`: the reference, from the application itself."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from api.http.openapi import reference
from api.management.command_base import Command

REFERENCE = Path(__file__).parent.parent.parent.parent / "docs" / "reference.md"


@click.command("docs", cls=Command)
@click.argument("file", type=click.Path(path_type=Path), default=REFERENCE)
@with_appcontext
def docs(file: Path) -> None:
    """Write the reference of endpoints, parameters, problems and settings to FILE."""
    file.write_text(reference.make(current_app), encoding="utf-8")
    click.echo(f"Written: {file}")
