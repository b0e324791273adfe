"""`keys`: create, list and revoke API keys."""

import click

from api.database.engines import db
from api.database.transactions import transaction
from api.http import api_keys
from api.management.command_base import Group
from schemas.api_keys import KEY_ROLES

key_commands = Group("keys", help="Keys for writing: create, list, revoke.")


@key_commands.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice(KEY_ROLES), required=True)
def create_key(name: str, role: str) -> None:
    """Create a key for NAME; it is shown once, alone on the last line."""
    with transaction() as session:
        key = api_keys.create(session, name, role)
    click.echo(f"A key of role {role} for {name}. It is shown this once:", err=True)
    click.echo(key)


@key_commands.command("list")
def list_keys() -> None:
    """List the keys: the part before the underscore, role, name, and when made or revoked."""
    for key in api_keys.listing(db.session()):
        end = f"revoked {key['revoked_at']}" if key["revoked_at"] else "in use"
        click.echo(f"{key['id']}  {key['role']:<11}  {key['created_at']}  {end}  {key['name']}")


@key_commands.command("revoke")
@click.argument("beginning")
def revoke_key(beginning: str) -> None:
    """Revoke the one key in use that starts with BEGINNING, from the next request on."""
    with transaction() as session:
        keys = api_keys.in_use(beginning=beginning.partition("_")[0])
        matches = session.scalars(keys.order_by("prefix").limit(10)).all()
        if len(matches) != 1:
            raise click.ClickException(_not_one(beginning, [key.prefix for key in matches]))
        revoked = api_keys.describe(matches[0])
        api_keys.revoke(session, revoked["id"])
        admins_left = session.scalars(api_keys.in_use(role="admin").limit(1)).first()
    click.echo(f"Key {revoked['id']} of {revoked['name']} is revoked.")
    if revoked["role"] == "admin" and admins_left is None:
        click.echo("No key of an admin is left: flask --app api keys create NAME --role admin")


def _not_one(beginning: str, prefixes: list[str]) -> str:
    if not beginning or len(prefixes) > 1:
        return f"Several keys in use start so: {', '.join(prefixes)}; name more of the one."
    return f"No key in use starts with {beginning!r}; see: keys list"
