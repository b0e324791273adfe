"""`keys`: create, list and revoke API keys."""

import click
from sqlalchemy import select

from api.database.engines import db
from api.database.transactions import transaction
from api.http import authentication
from api.management.command_base import Group
from api.models import ApiKey

key_commands = Group("keys", help="Keys for writing: create, list, revoke.")


@key_commands.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice(["contributor", "editor", "admin"]), required=True)
def create_key(name: str, role: str) -> None:
    """Create a key for NAME; it is shown once, alone on the last line."""
    with transaction() as session:
        key = authentication.create(session, name, role)
    click.echo(f"A key of role {role} for {name}. It is shown this once:", err=True)
    click.echo(key)


@key_commands.command("list")
def list_keys() -> None:
    """List the keys: the part before the underscore, role, name, and when made or revoked."""
    for key in db.session.scalars(select(ApiKey).order_by(ApiKey.pk)):
        end = f"revoked {key.revoked_at}" if key.revoked_at else "in use"
        click.echo(f"{key.prefix}  {key.role:<11}  {key.created_at}  {end}  {key.name}")


@key_commands.command("revoke")
@click.argument("prefix")
def revoke_key(prefix: str) -> None:
    """Revoke the key that starts with PREFIX, from the next request on."""
    with transaction() as session:
        revoked = authentication.revoke(session, prefix.partition("_")[0])
    if not revoked:
        raise click.ClickException(f"No key in use starts with {prefix!r}; see: keys list")
    click.echo(f"Key {prefix} is revoked.")
