"""`articles`: what touches every record that shows an article, however many those are."""

import sys
from typing import IO

import click
from marshmallow import ValidationError

from api.core.errors import ApiError
from api.core.permissions import OPERATOR
from api.database.engines import db
from api.database.transactions import transaction
from api.exports import exporter, releases
from api.management.command_base import Group
from api.management.commands import progress
from api.records import article_erasures, erasure_log, reference_erasures, references
from schemas import strict_json
from schemas.erasure import ARTICLE_ERASABLE
from schemas.errors import flatten
from schemas.fields import read_id
from schemas.vocabulary import WITHDRAWAL_CODES

article_commands = Group("articles", help="Articles: what touches many records.")


@article_commands.command("amend")
@click.argument("id_", metavar="ID")
@click.argument("file", type=click.File("rb"))
@click.option("--reason", help="Why, for the history of the records that show it.")
def amend_article(id_: str, file: IO[bytes], reason: str | None) -> None:
    """Put the fields in FILE (JSON, or - for standard input) onto the article ID.

    However many records show it, all of them show it anew, in one transaction.
    """
    try:
        with transaction() as session:
            row = references.find(session, references.ARTICLES, read_id(id_) or "")
            if row is None:
                raise click.ClickException(f"There is no article {id_}.")
            fields = references.ARTICLES.schema.load(strict_json.parse(file.read()))
            amended = references.amend(
                session, references.ARTICLES, row, fields, OPERATOR, reason=reason, most=2**31
            )
    except ApiError as error:
        raise click.ClickException(error.detail) from None
    except strict_json.ParseError as error:
        raise click.ClickException(str(error)) from None
    except ValidationError as error:
        details = (f"{fault['pointer']}: {fault['detail']}" for fault in flatten(error.messages))
        raise click.ClickException("\n".join(details)) from None
    click.echo(f"Article {amended.id} stands at version {amended.version}.")


@article_commands.command("erase")
@click.argument("id_", metavar="ID")
@click.option(
    "--field",
    "fields",
    multiple=True,
    type=click.Choice(ARTICLE_ERASABLE),
    help="What to erase; may be repeated. All of it where it is left out.",
)
@click.option(
    "--code", type=click.Choice(WITHDRAWAL_CODES), default="safety", show_default=True, help="Why."
)
def erase_article(id_: str, fields: tuple[str, ...], code: str) -> None:
    """Erase the article ID from every version of every record that ever showed it.

    However many those are: they are rewritten in batches, between which others write. Cut off, it
    is started again.
    """
    key = read_id(id_) or ""
    try:
        about = {"resource": "article", "id": key, "fields": list(fields) or None}
        with releases.revising(about) as revise, erasure_log.erasing() as session:
            if not references.is_known(session, references.ARTICLES, key):
                raise click.ClickException(f"There is no article {id_}.")
            erased = reference_erasures.erase(
                session, references.ARTICLES, key, fields, OPERATOR, code=code
            )
            revise(session)
    except ApiError as error:
        raise click.ClickException(error.detail) from None
    assert erased.traces is not None
    with progress.of_percent("Records", sys.stderr) as show:
        article_erasures.finish(erased.traces, OPERATOR, show)
    exporter.purge()
    releases.tidy(db.session())
    click.echo(f"Article {key} is erased.")
