"""Commands: thin doors to the verbs. `flask --app api --help` lists them."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_migrate import Migrate, upgrade
from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, OperationalError

from api import geo, queries, search
from api.core import metrics
from api.core.errors import ApiError
from api.core.permissions import OPERATOR, PUBLIC
from api.database import compaction
from api.database.engines import db, reader
from api.database.errors import is_storage_full
from api.database.transactions import transaction
from api.exports import exporter, releases
from api.exports.exporter import ExportRequest
from api.exports.formats import registry
from api.http import authentication, concurrency, health, query_strings, request_bodies
from api.http.openapi import reference
from api.imports import file_import, jobs, receiving
from api.management import consistency, document_upgrades, seeding, upgrades
from api.management.command_base import Command, Group
from api.management.commands import backups
from api.models import ApiKey
from api.queries.overview import summary as overviews
from api.records import references
from schemas.errors import flatten
from schemas.fields import read_id
from schemas.query import loading
from schemas.query.filters import IncidentQuery
from schemas.query.loading import LoadedQuery
from schemas.query.parameters import QueryError
from schemas.release import ReleaseSchema

MIGRATIONS = Path(__file__).parent.parent / "migrations"
REFERENCE = Path(__file__).parent.parent.parent / "docs" / "reference.md"

key_commands = Group("keys", help="Keys for writing: create, list, revoke.")
document_commands = Group("documents", help="Stored documents against the rows they are from.")
search_commands = Group("search", help="The full-text index.")
article_commands = Group("articles", help="Articles: corrections that touch many records.")


release_commands = Group("release", help="Frozen, citable editions of the data set.")


def init_app(app: Flask) -> None:
    """Register the commands and the migrations of APP."""
    Migrate(app, db, directory=str(MIGRATIONS), compare_type=True)
    app.cli.add_command(key_commands)
    app.cli.add_command(seed)
    app.cli.add_command(import_file)
    app.cli.add_command(setup)
    app.cli.add_command(compact)
    app.cli.add_command(release_commands)
    app.cli.add_command(serve)
    app.cli.add_command(article_commands)
    app.cli.add_command(document_commands)
    app.cli.add_command(search_commands)
    app.cli.add_command(docs)
    app.cli.add_command(export)
    backups.init_app(app)


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
            named = references.ARTICLES.schema.load(request_bodies.parse(file.read()))
            written = references.amend(
                session, references.ARTICLES, row, named, OPERATOR, reason=reason, most=2**31
            )
    except ApiError as refusal:
        raise click.ClickException(refusal.detail) from None
    except ValidationError as error:
        faults = (f"{fault['pointer']}: {fault['detail']}" for fault in flatten(error.messages))
        raise click.ClickException("\n".join(faults)) from None
    click.echo(f"Article {written.id} stands at version {written.version}.")


@document_commands.command("check")
def check_documents() -> None:
    """Compare every stored document with one rendered from the rows; exit 1 where any differs."""
    differing = 0
    session = db.session()
    with _progress(consistency.number(session), "Documents") as bar:
        for number, findings in consistency.check(session):
            for finding in findings:
                click.echo(f"differs: {finding}")
            differing += len(findings)
            bar.update(number)
    kept, counted = consistency.counter(session)
    if kept != counted:
        click.echo(f"differs: the counter of published records has {kept}, there are {counted}")
    if differing or kept != counted:
        raise click.ClickException(f"{differing} records differ; see: documents rebuild")
    click.echo("Every document is as the rows have it.")


@document_commands.command("upgrade")
def upgrade_documents() -> None:
    """Give every current document the fields that are younger than it, in place."""
    upgraded = _upgrade_documents()
    click.echo(f"{upgraded:,} documents gained a field.")


def _upgrade_documents() -> int:
    with _progress(document_upgrades.number(db.session()), "Documents") as bar:
        return document_upgrades.run(bar.update)


@document_commands.command("rebuild")
def rebuild_documents() -> None:
    """Mend every document that differs from its rows: what the public reads, by a new version."""
    mended = 0
    with _progress(consistency.number(db.session()), "Documents") as bar:
        for keys_ in consistency.batches(db.session()):
            with transaction() as session:
                findings = consistency.rebuild(session, keys_)
            for finding in findings:
                click.echo(f"mended: {finding}")
            mended += len(findings)
            bar.update(len(keys_))
    with transaction() as session:
        consistency.mend_counter(session)
    exporter.purge()  # what was kept may show what is mended
    click.echo(f"{mended} records mended.")


def _progress(length: int, label: str) -> Any:
    """Show progress beside the output, which may go to a file."""
    return click.progressbar(length=length, label=label, file=sys.stderr)


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
    with transaction() as session:
        _load_gazetteer(session.connection())
    try:
        with transaction() as session:
            made = seeding.load(session, folder, only_vocabularies=only is not None)
    except seeding.SeedError as error:
        raise click.ClickException(str(error)) from None
    click.echo(
        f"Seeds: {made} added, of incidents, articles, communities and episodes."
        if made
        else "Seeds: all there."
    )


def _load_gazetteer(connection: Any) -> None:
    with click.progressbar(length=100, label="Gazetteer") as bar:
        geo.load(connection, _shown_on(bar))


def _shown_on(bar: Any) -> Callable[[int, int], None]:
    """Show on BAR, which counts to a hundred, how much is done of how much."""
    return lambda done, of: bar.update(100 * done // max(of, 1) - bar.pos)


@search_commands.command("rebuild")
def rebuild_search() -> None:
    """Make the full-text index anew from the records; writes wait until it is done."""
    with transaction() as session:
        number = _rebuild_search(session.connection())
    click.echo(f"The full-text index holds {number:,} records.")


def _rebuild_search(connection: Any) -> int:
    with click.progressbar(length=100, label="Full-text index") as bar:
        return search.rebuild(connection, _shown_on(bar))


@release_commands.command("create")
@click.argument("name")
@click.option("--title", help="What the release is called in its citation.")
@click.option("--doi", help="The DOI that it has, without resolver.")
def create_release(name: str, title: str | None, doi: str | None) -> None:
    """Freeze the published data set as release NAME, a slug such as 2026-11."""
    given = {"name": name, "title": title, "doi": doi}
    try:
        named = ReleaseSchema().load({key: value for key, value in given.items() if value})
        with transaction() as session:
            made = releases.create(session, named["name"], title=title, doi=doi)
    except ValidationError as error:
        raise click.ClickException(
            "; ".join(f["detail"] for f in flatten(error.messages))
        ) from None
    except ApiError as refusal:
        raise click.ClickException(refusal.detail) from None
    for file in made["files"]:
        click.echo(f"{file['sha256']}  {file['records']:>9,} records  {file['name']}")
    click.echo(made["citation"])


@click.command("import", cls=Command)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--on-conflict",
    type=click.Choice(["error", "skip", "update"]),
    default="error",
    help="What becomes of a line whose id is known and that says otherwise.",
)
@click.option(
    "--on-duplicate",
    type=click.Choice(["accept", "error"]),
    default="accept",
    help="Whether lines that look like a record that is there are taken and counted.",
)
@click.option(
    "--batch",
    type=click.IntRange(min=0),
    help="Lines that are written in one transaction; 0: all of them. By itself 10,000, or more of "
    "a large file.",
)
@click.option(
    "--check/--no-check",
    default=True,
    help="Whether every fault of the file is found before anything is written.",
)
@click.option("--dry-run", is_flag=True, help="Say what would happen, and write nothing.")
@click.option("--reason", help="Why, for the history of the records.")
@with_appcontext
def import_file(
    file: Path,
    on_conflict: str,
    on_duplicate: str,
    batch: int | None,
    check: bool,
    dry_run: bool,
    reason: str | None,
) -> None:
    """Import the records in FILE: .ndjson, .jsonl, .json or .csv, and .gz after any of these.

    Cut off, the same command on the same file goes on after the last whole transaction.
    """
    options = receiving.Options(on_conflict, on_duplicate, reason)
    job = jobs.Job(file, options, batch, check, dry_run)
    with _refusing():
        upgrades.check()
    try:
        with _Steps() as steps:
            done = file_import.run(job, steps.tell)
    except jobs.UnknownFormError as error:
        raise click.ClickException(str(error)) from None
    except OperationalError as error:
        trouble = "cannot be written" if is_storage_full(error.orig) else "is busy or away"
        detail = f"The database {trouble}. Whole batches stay; the same command goes on after them."
        raise click.ClickException(detail) from None
    except ApiError as refusal:
        for fault in refusal.extra.get("errors", ()):
            click.echo(_of_line(fault), err=True)
        raise click.ClickException(refusal.detail) from None
    _tell(done, dry_run=dry_run)
    if not dry_run:
        overviews.keep()  # so that nobody waits for it; a server that runs reads it too


class _Steps:
    """Shows a progress bar for each step of long work."""

    def __init__(self) -> None:
        self._name = ""
        self._bar: Any = None

    def __enter__(self) -> "_Steps":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)

    def tell(self, name: str, done: int, of: int) -> None:
        """Show that DONE is done OF all of the step NAME."""
        if name != self._name:
            self.__exit__()
            self._name, self._bar = name, click.progressbar(length=max(of, 1), label=name)
            self._bar.__enter__()
        self._bar.update(done - self._bar.pos)


def _of_line(found: Mapping[str, Any]) -> str:
    """Say what was found in a line, and in which member of it."""
    where = f"line {found['line']}:"
    return " ".join(filter(None, (where, found["pointer"], found["detail"])))


def _tell(done: jobs.Done, *, dry_run: bool) -> None:
    """Say what an import did."""
    summary = done.summary
    for warning in summary.warnings:
        click.echo(_of_line(warning), err=True)
    if done.resumed_at:
        click.echo(f"Taken up after line {done.resumed_at:,} of an earlier run.")
    counts = ", ".join(
        f"{getattr(summary, name):,} {name}"
        for name in ("created", "changed", "unchanged", "skipped")
    )
    click.echo(f"{'Would be: ' if dry_run else ''}{counts}.")
    if summary.duplicates:
        click.echo(f"{summary.duplicates:,} of the new records look like one that was there.")
    if summary.number_of_warnings > len(summary.warnings):
        click.echo(f"{summary.number_of_warnings:,} warnings in all.")


@click.command("compact", cls=Command)
@with_appcontext
def compact() -> None:
    """Write the database file anew, so that no erased content is left in its free space."""
    connection = db.engine.raw_connection()
    try:
        compaction.run(connection, db.engine.dialect.name)
    finally:
        connection.close()
    click.echo("The database holds nothing but what it shows.")


@click.command("serve", cls=Command)
@with_appcontext
def serve() -> None:
    """Serve with granian, by the settings HOST, PORT, WORKERS and THREADS.

    Refuses tables that are not current; a database that is away may come back later.
    """
    config = current_app.config
    with suppress(DBAPIError), _refusing():
        upgrades.check()
        _tidy()
    os.environ[metrics.FOLDER] = metrics.folder()
    os.environ["INCIDENTS_SERVER"] = str(os.getpid())  # see api/server.py
    for name, value in _MEMORY.items():
        os.environ.setdefault(name, value)
    command = [*_GRANIAN, "--host", config["HOST"]]
    for option in ("port", "workers"):
        command += [f"--{option}", str(config[option.upper()])]
    threads = config["THREADS"] + concurrency.SPARE_THREADS
    command += ["--blocking-threads", str(threads), "api.server:start"]
    # In place of this process: who stops or kills it stops or kills the server itself.
    os.execv(command[0], command)  # noqa: S606 - our own words


def _tidy() -> None:
    """Remove what processes left behind that were killed: it may hold what is erased since."""
    releases.tidy(db.session())
    exporter.tidy()
    db.session.rollback()


# Threads to spare: a slow client holds one, and no slot (`api/http/concurrency.py`). A worker that
# dies is replaced; a stop waits for slow clients no longer than the timeout. There are no
# websockets.
_GRANIAN = (
    sys.executable,
    "-m",
    "granian",
    "--interface",
    "wsgi",
    "--factory",
    "--respawn-failed-workers",
    "--workers-kill-timeout",
    "5",
    "--no-ws",
    "--log-config",
    str(Path(__file__).parent.parent / "core" / "server_log.json"),
)


# How glibc keeps the memory of a worker: in one pool, as only one of its threads runs Python at a
# time, and what is large apart, so that it goes back to the system as soon as it is free.
_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "1000000",
    "MALLOC_TRIM_THRESHOLD_": "1000000",
}


@click.command("setup", cls=Command)
@click.option("--serve", "then_serve", is_flag=True, help="Serve then, without a second start.")
@with_appcontext
def setup(then_serve: bool) -> None:
    """Make ready to serve: migrate, build the search index anew if its form is old, seed.

    Seeds bring the gazetteer along. The first editor key is made and shown.
    """
    with _refusing():
        wanted = upgrades.prepare(automatic=current_app.config["AUTO_MIGRATE"], report=click.echo)
    if wanted:
        upgrade(directory=str(MIGRATIONS))
    if not health.documents_are_current():
        _upgrade_documents()
    with transaction() as session:
        if search.is_outdated(session.connection()):
            _rebuild_search(session.connection())
    click.get_current_context().invoke(seed)
    overviews.keep()
    host, port = current_app.config["HOST"], current_app.config["PORT"]
    address = f"http://{host}:{port}"
    with transaction() as session:
        first = session.scalar(select(ApiKey.pk).limit(1)) is None
        key = authentication.create(session, "first editor", "editor") if first else None
    if key is not None:
        click.echo(f"Your editor key, shown this once: {key}")
    serving = "Serving" if then_serve else "Ready. `flask --app api serve` serves"
    click.echo(f"{serving} on {address}; the documentation is at {address}/docs. Try:")
    click.echo(f"  curl '{address}/api/v1/incidents?city=Moscow&community=armenian'")
    if then_serve:
        click.get_current_context().invoke(serve)


@contextmanager
def _refusing() -> Iterator[None]:
    """Say without a trace why a command does nothing."""
    try:
        yield
    except upgrades.NotCurrentError as error:
        raise click.ClickException(str(error)) from None


def _criteria() -> list[click.Parameter]:
    """Make an option of each parameter that chooses, orders or cuts records."""
    found: list[click.Parameter] = []
    for name, parameter in IncidentQuery._declared_fields.items():
        if name in ("limit", "cursor", "count", "format"):
            continue
        spellings = dict.fromkeys((f"--{name.replace('_', '-')}", f"--{name}"))
        repeated = parameter.kind == "all"
        found.append(
            click.Option([*spellings, name], help=parameter.description, multiple=repeated)
        )
    return found


@click.command("export", cls=Command, params=_criteria())
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "name",
    type=click.Choice([*registry.INCIDENTS][1:]),
    help="The format, where FILE does not end on it.",
)
@with_appcontext
def export(file: Path, name: str | None, **criteria: str | tuple[str, ...] | None) -> None:
    """Write all published incidents that match to FILE (`-`: standard output).

    The format is that of the suffix: .csv, .geojson or .ndjson. The options are the parameters of
    /incidents.
    """
    name = name or file.suffix.removeprefix(".")
    if name not in registry.INCIDENTS or name == registry.JSON.name:
        raise click.ClickException(
            f"{file} ends on no format: it takes .csv, .geojson or .ndjson; or give --format."
        )
    query = _query(criteria, registry.INCIDENTS[name])
    wanted = ExportRequest(
        "incidents",
        registry.INCIDENTS[name],
        lambda: queries.batches(reader(), query, PUBLIC),
        None,
        query.fields,
    )
    number = queries.count(reader(), query, PUBLIC)
    with (
        _whole(file) as written,
        click.progressbar(length=number, label="Exporting", file=sys.stderr) as bar,
    ):
        records, version = exporter.save(reader(), wanted, written, bar.update)
    click.echo(f"{records:,} records of dataset version {version}: {file}", err=True)


def _query(criteria: dict[str, Any], format_: registry.Format) -> LoadedQuery:
    """Read the options of a command as a query."""
    given = {
        name: value if isinstance(value, tuple) else (value,)
        for name, value in criteria.items()
        if value
    }
    try:
        return queries.resolved(
            query_strings.checked(
                loading.to_query(loading.load(IncidentQuery, given.items())), format_.fields
            )
        )
    except QueryError as error:
        faults = [
            f"--{fault['pointer'].removeprefix('/').partition('/')[0]}: {fault['detail']}"
            for fault in flatten(error.messages)
        ]
        raise click.ClickException("\n".join(faults)) from None


@contextmanager
def _whole(file: Path) -> Iterator[BinaryIO]:
    """Open FILE to write; under its name it is there only once it is whole."""
    if str(file) == "-":
        yield sys.stdout.buffer
        return
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as written:
            yield written
        part.replace(file)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


@click.command("docs", cls=Command)
@click.argument("file", type=click.Path(path_type=Path), default=REFERENCE)
@with_appcontext
def docs(file: Path) -> None:
    """Write the reference of endpoints, parameters, problems and settings to FILE."""
    file.write_text(reference.make(current_app), encoding="utf-8")
    click.echo(f"Written: {file}")
