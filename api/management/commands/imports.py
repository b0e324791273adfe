"""`import` and `imports`: records from files, and undoing it."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import OperationalError

from api.core.errors import ApiError
from api.core.permissions import OPERATOR
from api.database.engines import db
from api.database.errors import is_storage_full
from api.imports import file_import, imports_log, jobs, reverting
from api.imports.summary import Options
from api.management import upgrades
from api.management.command_base import Command, Group
from api.management.commands import progress


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
    "--on-error",
    type=click.Choice(["refuse", "skip"]),
    default="refuse",
    help="Whether one bad line refuses the file, or the good lines are taken.",
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Take the good lines and write the others to this file, each as a JSON object with line, "
    "text and errors.",
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
    on_error: str,
    rejects: Path | None,
    batch: int | None,
    check: bool,
    dry_run: bool,
    reason: str | None,
) -> None:
    """Import the records in FILE: .ndjson, .jsonl, .json or .csv, and .gz after any of these.

    Cut off, the same command on the same file goes on after the last whole transaction.
    """
    on_error = "skip" if rejects is not None else on_error
    options = Options(on_conflict, on_duplicate, on_error, reason)
    job = jobs.Job(file, options, batch, check, dry_run, rejects)
    upgrades.check()
    try:
        with progress.Steps() as steps:
            result = file_import.run(job, steps.show)
    except jobs.UnknownFormError as error:
        raise click.ClickException(str(error)) from None
    except OperationalError as error:
        trouble = "cannot be written" if is_storage_full(error.orig) else "is busy or away"
        detail = f"The database {trouble}. Whole batches stay; the same command goes on after them."
        raise click.ClickException(detail) from None
    except ApiError as error:
        for line_error in error.extra.get("errors", ()):
            click.echo(_line_text(line_error), err=True)
        raise click.ClickException(error.detail) from None
    _report(result, dry_run=dry_run)


import_commands = Group("imports", help="Imports that were made: list, revert.")


@import_commands.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, help="How many.")
def list_imports(limit: int) -> None:
    """List the imports, the newest first: id, time, whose, what became of the lines."""
    entries, _ = imports_log.listing(db.session(), OPERATOR, before=None, limit=limit)
    for entry in entries:
        counts = ", ".join(f"{entry[name]:,} {name}" for name in ("created", "changed"))
        end = f", reverted {entry['reverted_at']}" if entry["reverted_at"] else ""
        whose = " ".join(filter(None, (entry["actor"], entry["file"], entry["reason"])))
        click.echo(f"{entry['id']}  {entry['at']}  {counts}{end}  {whose}")


@import_commands.command("revert")
@click.argument("import_id")
@click.option("--reason", help="Why, for the history of the records.")
def revert_import(import_id: str, reason: str | None) -> None:
    """Withdraw what an import created, restore what it changed unless changed since."""
    try:
        with progress.Steps() as steps:
            outcome = reverting.revert(
                import_id, OPERATOR, reason, partial(steps.show, "Reverting")
            )
    except ApiError as error:
        raise click.ClickException(error.detail) from None
    for kept in outcome["kept"]:
        click.echo(f"kept {kept['id']}: {kept['why']}", err=True)
    click.echo(
        f"{outcome['withdrawn']:,} withdrawn, {outcome['restored']:,} restored, "
        f"{outcome['number_of_kept']:,} kept."
    )


def _report(result: jobs.ImportResult, *, dry_run: bool) -> None:
    """Say what an import did."""
    summary = result.summary
    for warning in summary.warnings:
        more = f" (and {warning['count'] - 1:,} more)" if warning["count"] > 1 else ""
        click.echo(f"{_line_text(warning)}{more}", err=True)
    if result.resumed_at:
        click.echo(f"Taken up after line {result.resumed_at:,} of an earlier run.")
    counts = ", ".join(
        f"{getattr(summary, name):,} {name}"
        for name in ("created", "changed", "unchanged", "skipped")
    )
    click.echo(f"{'Would be: ' if dry_run else ''}{counts}.")
    if summary.import_id is not None:
        click.echo(f"Import {summary.import_id}; to undo it: imports revert {summary.import_id}")
    if summary.duplicates:
        click.echo(f"{summary.duplicates:,} of the new records look like one that was there.")
    if summary.number_of_rejected:
        click.echo(f"{summary.number_of_rejected:,} lines were rejected.")
    if summary.number_of_warnings > len(summary.warnings):
        click.echo(f"{summary.number_of_warnings:,} warnings in all.")


def _line_text(error: Mapping[str, Any]) -> str:
    """Return a line error as text: line, member, detail."""
    line = f"line {error['line']}:"
    return " ".join(filter(None, (line, error["pointer"], error["detail"])))
