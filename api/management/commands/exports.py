"""`export` and `release`: published records to files."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click
from flask.cli import with_appcontext
from marshmallow import ValidationError

from api.core.errors import ApiError
from api.core.media_formats import Format
from api.core.permissions import PUBLIC
from api.database.engines import reader
from api.exports import exporter, releases
from api.exports.exporter import ExportRequest
from api.exports.formats import registry
from api.http import query_strings
from api.management.command_base import Command, Group
from api.queries import pages
from api.queries.counts import count
from api.queries.resolver import resolve
from api.queries.results import ResolvedQuery
from schemas.errors import flatten
from schemas.query import loading
from schemas.query.filters import IncidentQuery
from schemas.query.parameters import QueryError
from schemas.release import ReleaseSchema

# The formats of files; JSON is the paged list.
_FORMATS = [name for name in registry.INCIDENTS if name != registry.JSON.name]


def _criteria() -> list[click.Parameter]:
    """Return an option for each parameter that chooses, orders or cuts records."""
    options: list[click.Parameter] = []
    for name, parameter in IncidentQuery._declared_fields.items():
        if name in ("limit", "cursor", "count", "format"):
            continue
        spellings = dict.fromkeys((f"--{name.replace('_', '-')}", f"--{name}"))
        repeated = parameter.kind == "all"
        options.append(
            click.Option([*spellings, name], help=parameter.description, multiple=repeated)
        )
    return options


@click.command("export", cls=Command, params=_criteria())
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "name",
    type=click.Choice(_FORMATS),
    help="The format, where FILE does not end on it.",
)
@with_appcontext
def export(file: Path, name: str | None, **criteria: str | tuple[str, ...] | None) -> None:
    """Write all published incidents that match to FILE (`-`: standard output).

    The format is that of the suffix, one of those of --format. The options are the parameters of
    /incidents.
    """
    name = name or file.suffix.removeprefix(".")
    if name not in _FORMATS:
        *others, last = (f".{known}" for known in _FORMATS)
        raise click.ClickException(
            f"{file} ends on no format: it takes {', '.join(others)} or {last}; or give --format."
        )
    query = _query(criteria, registry.INCIDENTS[name])
    request = ExportRequest(
        "incidents",
        registry.INCIDENTS[name],
        lambda: pages.batches(reader(), query, PUBLIC),
        None,
        query.fields,
    )
    number = count(reader(), query, PUBLIC)
    with (
        atomic_file(file) as output,
        click.progressbar(length=number, label="Exporting", file=sys.stderr) as bar,
    ):
        records, version = exporter.save(reader(), request, output, bar.update)
    click.echo(f"{records:,} records of dataset version {version}: {file}", err=True)


def _query(criteria: dict[str, Any], format_: Format) -> ResolvedQuery:
    """Return the options of a command as a query."""
    parameters = {
        name: value if isinstance(value, tuple) else (value,)
        for name, value in criteria.items()
        if value
    }
    try:
        return resolve(
            query_strings.checked(
                loading.to_query(loading.load(IncidentQuery, parameters.items())), format_.fields
            )
        )
    except QueryError as error:
        details = [
            f"--{fault['pointer'].removeprefix('/').partition('/')[0]}: {fault['detail']}"
            for fault in flatten(error.messages)
        ]
        raise click.ClickException("\n".join(details)) from None


@contextmanager
def atomic_file(file: Path) -> Iterator[BinaryIO]:
    """Open FILE to write; under its name it is there only once it is whole."""
    if str(file) == "-":
        yield sys.stdout.buffer
        return
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as output:
            yield output
        part.replace(file)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


release_commands = Group("release", help="Frozen, citable editions of the data set.")


@release_commands.command("create")
@click.argument("name")
@click.option("--title", help="What the release is called in its citation.")
@click.option("--doi", help="The DOI that it has, without resolver.")
def create_release(name: str, title: str | None, doi: str | None) -> None:
    """Freeze the published data set as release NAME, a slug such as 2026-11."""
    options = {"name": name, "title": title, "doi": doi}
    try:
        loaded = ReleaseSchema().load({key: value for key, value in options.items() if value})
        release = releases.create(loaded["name"], title=title, doi=doi)
    except ValidationError as error:
        raise click.ClickException(
            "; ".join(f["detail"] for f in flatten(error.messages))
        ) from None
    except ApiError as error:
        raise click.ClickException(error.detail) from None
    for file in release["files"]:
        click.echo(f"{file['sha256']}  {file['records']:>9,} records  {file['name']}")
    click.echo(release["citation"])
