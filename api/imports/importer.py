"""The importer: lines compared with what is stored, many at a time; the verbs of a post write them.

A line without a known id makes a record, by the schema and the verb of a POST. One whose id is
known is compared with the record as by PUT (a row of CSV as by PATCH): where both say the same it
is unchanged, else `on_conflict` decides.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import orjson
from marshmallow import ValidationError
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from api.core.errors import ApiError
from api.core.ids import new_id
from api.core.permissions import Actor
from api.database import advisory_locks, statements
from api.database.statements import InJsonList, json_list
from api.imports import csv_rows
from api.imports.line_errors import LineErrors
from api.imports.staging import GROUP_SIZE, Errors, Line, StagingFile, in_groups
from api.imports.summary import MAX_SIMILAR, Options, Summary
from api.models import Incident, Version
from api.models.tables import table
from api.records import access, duplicates, external_ids, quotas
from api.records.batches import Batch
from api.records.duplicates import DuplicateProbe
from api.records.results import Amendment, Candidate, ImportedHistory, NewRecord, Row
from api.records.terms import Terms
from api.records.writer import RecordWriter
from schemas.errors import ErrorDetail, flatten
from schemas.record_fields import State, complete

MAX_VERSION = 1_000_000  # of a record that brings its version along
_MAX_ARTICLES = 100_000  # remembered from one group of lines to the next
_HISTORY_FIELDS = ("version", "created_at", "updated_at")

_INCIDENTS = table(Incident)
_COLUMNS = tuple(_INCIDENTS.c.keys())
_RECORDS = select(_INCIDENTS).where(InJsonList(_INCIDENTS.c.id, "ids")).order_by(_INCIDENTS.c.pk)
_LOCKED_RECORDS = _RECORDS.with_for_update(key_share=True)
_VERSIONS = table(Version).c
_OTHERS = table(Version).alias("others")
_DOCUMENTS = select(Version.incident_pk, Version.document).where(
    InJsonList(table(Version).c.pk, "pks")
)

# Of records, those that were withdrawn as a reverted import's, and that only imports made.
_FREE = (
    select(_VERSIONS.incident_pk)
    .where(
        InJsonList(_VERSIONS.pk, "pks"),
        _VERSIONS.action == "withdrawn",
        _VERSIONS.import_id.is_not(None),
        ~exists().where(
            _OTHERS.c.incident_pk == _VERSIONS.incident_pk, _OTHERS.c.import_id.is_(None)
        ),
    )
    .order_by(_VERSIONS.incident_pk)
)


class Stored(NamedTuple):
    """A record that is there: its row, its document, and whether only a reverted import made it."""

    record: Row
    document: str
    is_free: bool


class LinesRejected(Exception):  # noqa: N818 - what happened, not an error
    """Lines were rejected while the others were being written: these are to be written anew."""


@dataclass(frozen=True, slots=True)
class _NewLine:
    """A new record to be written, and its line."""

    line: Line
    record: NewRecord


class Importer:
    """Imports the lines of a staging file in one transaction, or checks what it would meet.

    Checking takes no write lock and leaves nothing behind; lines are then compared with what is
    stored and not with one another.
    """

    def __init__(
        self,
        session: Session,
        actor: Actor,
        options: Options,
        staging_file: StagingFile,
        *,
        write: bool,
        import_id: str | None = None,
    ) -> None:
        """Import as ACTOR, under an id; without WRITE the lines are checked only."""
        self.session = session
        self.actor = actor
        self.options = options
        self.staging_file = staging_file
        self.write = write
        self.summary = Summary(import_id=import_id)
        self.line_errors = LineErrors(staging_file.form == "csv")
        self.leaves_duplicates = False  # to the writing
        self.compares = write or options.on_duplicate == "error"  # lines with records
        self.position = 0
        batch = Batch(session.connection(), ahead=GROUP_SIZE)
        self.writer = RecordWriter(session, actor, options.reason, batch=batch, import_id=import_id)
        if not write:
            self.writer.resolver.citations.will_exist = lambda id_: staging_file.makes_article(
                id_, self.position
            )

    def run(
        self,
        after: int = 0,
        until: int = sys.maxsize,
        *,
        on_progress: Callable[[], None] = lambda: None,
    ) -> Summary:
        """Take the lines that stand after a position, UNTIL one; those before stay written.

        All are looked at whatever is wrong with some. Raises ApiError that lists the errors; where
        bad lines are skipped they are rejected instead, and LinesRejected is raised if good ones
        were written with them.
        """
        if after == 0:
            self.line_errors.notes = self.staging_file.notes
            self.summary.note(self.staging_file.notes)
        for group in in_groups(self.staging_file.lines(after, until)):
            self._take(group)
            on_progress()
        if self.leaves_duplicates and self.line_errors.are_duplicates:
            return self.summary
        if not self.options.skips_bad_lines:
            self.line_errors.raise_any(self.writer.resolver.terms.missing, after)
        elif self.write and self.line_errors.lines:
            raise LinesRejected
        if self.write:
            self.writer.write()
        quotas.check(self.session, self.actor, 0 if self.write else self.summary.created)
        return self.summary

    def _take(self, lines: Sequence[Line]) -> None:
        """Take a group of lines, and note what is wrong with them."""
        new_lines: list[_NewLine] = []
        for line, stored in self._match(lines):
            try:
                self._take_line(line, stored, new_lines)
            except ValidationError as error:
                self._refuse(line, list(flatten(error.messages)))
            except ApiError as error:
                self._refuse(line, [_line_error(error)])
        self.line_errors.checked += len(lines)
        self._write_new(new_lines)

    def _refuse(self, line: Line, errors: Errors) -> None:
        self.line_errors.add(line.number, errors)
        if self.options.skips_bad_lines:
            self.staging_file.reject(line.position, errors)

    def _match(self, lines: Sequence[Line]) -> list[tuple[Line, Stored | None]]:
        """Return the lines with the record of each id; cells are read by what it says."""
        stored = self._stored([line.id for line in lines if line.id is not None])
        lines = [
            line if line.cells is None else _read_cells(line, stored, self.writer.resolver.terms)
            for line in lines
        ]
        sources = [source for line in lines for source in line.data.get("sources", ())]
        self.writer.resolver.citations.fetch([source["article"] for source in sources], None)
        return [(line, stored.get(line.id or "")) for line in lines]

    def _stored(self, ids: Sequence[str]) -> dict[str, Stored]:
        """Return the records of IDS with their documents, locked where they may be changed."""
        if not ids:
            return {}
        connection = self.session.connection()
        statement = _LOCKED_RECORDS if self.write else _RECORDS
        rows = statements.run(connection, statement, {"ids": json_list(set(ids))})
        records = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
        pks = json_list(record["document_pk"] for record in records)
        documents = dict(statements.run(connection, _DOCUMENTS, {"pks": pks}) if records else [])
        withdrawn = [record["document_pk"] for record in records if record["status"] == "withdrawn"]
        values = {"pks": json_list(withdrawn)}
        free = {pk for (pk,) in statements.run(connection, _FREE, values)} if withdrawn else set()
        return {
            record["id"]: Stored(record, documents[record["pk"]], record["pk"] in free)
            for record in records
        }

    def _take_line(self, line: Line, stored: Stored | None, new_lines: list[_NewLine]) -> None:
        self.position = line.position
        errors = list(line.errors)
        if errors and (stored is None or line.cells is None):
            errors += self._more_errors(line)
        if line.repeats is not None:
            detail = f"Line {line.repeats} has this id already; an id stands in one line."
            errors.append({"pointer": "/id", "code": "repeated", "detail": detail})
        if errors:
            self._refuse(line, errors)
        elif stored is not None and stored.is_free and stored.record["erased_at"] is None:
            self._take_again(line, stored.record, new_lines)
        elif stored is not None:
            self._take_known(line, stored.record, stored.document, new_lines)
        else:
            self._take_new(line, new_lines)

    def _take_new(self, line: Line, new_lines: list[_NewLine]) -> None:
        """Complete a record that is not known here; its history starts with this line."""
        data = dict(line.data)
        is_row = line.cells is not None
        warnings = _drop_history(data, line) if is_row or not self.actor.can("publish") else []
        keeps_history = line.id is not None and not is_row
        history = _history(data, self.writer.at) if keeps_history else None
        status = access.initial_status(data, self.actor)
        record = self.writer.prepare(
            data, status, line.id or new_id(), reason=data.get("reason"), history=history
        )
        if line.id is None:
            self.summary.drawn.add(record.record["id"])
        new_lines.append(_NewLine(line, record))
        warnings += self._unused_cells(line, None, record.state)
        self._note(line, record.record["id"], [*warnings, *record.warnings])

    def _more_errors(self, line: Line) -> Errors:
        """Return what else would be wrong with a line, its faulty members aside."""
        known = {_member(error) for error in line.errors}
        if not line.data:
            return []
        # A status that is faulty is reported; what corrects another record can be but a draft then.
        status = line.data.get("status") or ("draft" if "corrects" in line.data else "published")
        try:
            self.writer.prepare(line.data, status, new_id())
        except ValidationError as error:
            return [error_ for error_ in flatten(error.messages) if _member(error_) not in known]
        return []

    def _take_known(
        self, line: Line, record: Row, document: str, new_lines: list[_NewLine]
    ) -> None:
        """Compare a line with the record of its id, and do what `on_conflict` says."""
        if not access.is_visible(record, self.actor):
            raise ApiError("id-taken", f"The id {line.id} is taken.")
        amendment, warnings = None, list[dict[str, Any]]()
        if record["status"] not in ("withdrawn", "merged"):
            stored = complete(orjson.loads(document))
            amendment = self._compare(line, record, stored)
            warnings = self._unused_cells(line, stored, amendment.state)
        if amendment is not None and not amendment.changed:
            self.summary.unchanged += 1
            self._note(line, record["id"], warnings)
            return
        if self.options.on_conflict == "skip":
            self.summary.skipped += 1
        elif self.options.on_conflict == "update":
            self._change(line, record, amendment, new_lines)
        else:
            raise ApiError(
                "id-taken",
                f"The record {line.id} is held and says otherwise: on_conflict=update changes it, "
                "on_conflict=skip leaves it as it is.",
            )
        warnings += amendment.warnings if amendment is not None else ()
        self._note(line, record["id"], warnings)

    def _take_again(self, line: Line, record: Row, new_lines: list[_NewLine]) -> None:
        """Make a line the next version of a record that only a reverted import had made."""
        if not access.is_visible(record, self.actor):
            raise ApiError("id-taken", f"The id {line.id} is taken.")
        access.authorize_change(record, self.actor, "*", restoring=True)
        data = {name: value for name, value in line.data.items() if name not in _HISTORY_FIELDS}
        status = access.initial_status(data, self.actor)
        if record["public_from"] is not None and status == "draft":
            detail = f"The record {line.id} was published before and cannot be a draft again."
            raise ApiError("record-withdrawn", detail)
        amendment = self.writer.prepare_anew(record, data, status, reason=data.get("reason"))
        if self.write:
            if new_lines:
                self._write_new(new_lines)
                new_lines.clear()
            self.writer.replace(
                record,
                amendment.state,
                amendment.article_pks,
                status=status,
                action="restored",
                reason=amendment.reason,
                withdrawal_code=None,
            )
        self.summary.created += 1
        unused = self._unused_cells(line, None, amendment.state)
        self._note(line, record["id"], [*unused, *amendment.warnings])

    def _compare(self, line: Line, record: Row, document: Mapping[str, Any]) -> Amendment:
        data = {name: value for name, value in line.data.items() if name not in _HISTORY_FIELDS}
        return self.writer.prepare_change(
            record,
            document,
            data,
            replace=line.cells is None,
            tells_emptied=True,
            reason=data.get("reason"),
        )

    def _change(
        self, line: Line, record: Row, amendment: Amendment | None, new_lines: list[_NewLine]
    ) -> None:
        """Make a record what a line says of it, once the new records before it are written.

        Raises ApiError where it takes no change.
        """
        version = line.data.get("version")
        access.authorize_change(
            record, self.actor, "*" if version is None else frozenset({version})
        )
        assert amendment is not None, "what is withdrawn or merged takes no change"
        if amendment.status != record["status"] and not self.actor.can("set a status"):
            raise ApiError("forbidden", f"A {self.actor.role} sets no status; leave it out.")
        if self.write:
            if new_lines:
                self._write_new(new_lines)
                new_lines.clear()
            self.writer.change(amendment)
        self.summary.changed += 1

    def _note(self, line: Line, id_: str, warnings: Sequence[Mapping[str, Any]]) -> None:
        self.summary.ids.append(id_)
        self.summary.warn(line.number, warnings, line.data)

    def _unused_cells(
        self, line: Line, stored: Mapping[str, Any] | None, state: State
    ) -> list[dict[str, Any]]:
        """Return warnings of cells of a row that are not read and say otherwise than its record."""
        if line.cells is None:
            return []
        return csv_rows.unused_cells(line.cells, stored, partial(self.writer.preview, state))

    def _write_new(self, new_lines: Sequence[_NewLine]) -> None:
        """Write the new records of a group and look for those that they duplicate."""
        self.summary.created += len(new_lines)
        if self.write:
            for new in new_lines:
                self.writer.add(new.record)
            self.writer.write(last=False)
        if self.compares:
            self._find_duplicates(new_lines)
        self._find_shared_ids(new_lines)
        if not self.write:
            self.writer.batch.clear()
            self.writer.resolver.citations.new.clear()
        self.writer.resolver.citations.evict(_MAX_ARTICLES)

    def _find_shared_ids(self, new_lines: Sequence[_NewLine]) -> None:
        """Note the external ids that other records have too, of the same file or not."""
        states = {new.record.record["pk"]: new.record.state for new in new_lines}
        excluded = {new.record.record["corrects_pk"] for new in new_lines}
        shared = external_ids.shared(self.session.connection(), states, self.actor, excluded)
        for new, warnings in zip(new_lines, shared.values(), strict=True):
            self.summary.warn(new.line.number, warnings, new.line.data)

    def _find_duplicates(self, new_lines: Sequence[_NewLine]) -> None:
        refusing = self.options.on_duplicate == "error"
        connection = self.session.connection()
        probes = [(new, probe) for new in new_lines if (probe := _probe_of(new.record)) is not None]
        if refusing and self.write:
            cities = {(probe.country, probe.city_key) for _, probe in probes}
            for city in sorted(f"city {country} {name}" for country, name in cities):
                advisory_locks.hold(connection, city)
        later: set[int | None] = {probe.pk for _, probe in probes}
        certain: set[int] = set()
        if not refusing:  # which records they are is asked for the first lines alone
            new_probes = [probe for new, probe in probes if new.record.corrects is None]
            first = min((probe.pk for _, probe in probes), default=0)
            certain = duplicates.certain_duplicates(connection, new_probes, first)
        possible = duplicates.possible_duplicates(
            connection, [probe for _, probe in probes if probe.pk not in certain], self.actor
        )
        for new, probe in probes:
            is_certain = probe.pk in certain
            room = len(self.summary.similar) < MAX_SIMILAR
            if probe.pk in possible or (is_certain and room):
                excluded = {*later, new.record.record["corrects_pk"]}
                # Of further lines only how many there are is told.
                most = duplicates.MOST_LISTED if room or refusing else 1
                candidates = duplicates.candidates(connection, probe, self.actor, excluded, most)
                self._add_candidates(new.line, candidates)
                is_certain = is_certain or bool(candidates)
            self.summary.duplicates += is_certain
            later.discard(probe.pk)

    def _add_candidates(self, line: Line, candidates: list[Candidate]) -> None:
        """Refuse a line that looks like other records, or note which they are."""
        if candidates and self.options.on_duplicate == "error":
            self._refuse(line, [_line_error(duplicates.duplicate_error(candidates))])
        self.summary.add_similar(line.number, [candidate.id for candidate in candidates])


def check(
    session: Session,
    actor: Actor,
    options: Options,
    staging_file: StagingFile,
    after: int = 0,
    *,
    before_writing: bool = True,
    counts_duplicates: bool = False,
    on_progress: Callable[[Importer], None] = lambda _: None,
) -> Summary:
    """Return what the lines after a position would do, and reject the bad ones if they are skipped.

    Holds no write lock. Raises ApiError that lists the errors where bad lines are not skipped; if
    they are duplicates all, writing lists them, which compares lines with one another too.
    Duplicates that are accepted are counted only where that is asked for.
    """
    while True:
        importer = Importer(session, actor, options, staging_file, write=False)
        importer.leaves_duplicates = before_writing
        importer.compares |= counts_duplicates
        try:
            summary = importer.run(after, on_progress=partial(on_progress, importer))
        finally:
            session.rollback()
        if not (options.skips_bad_lines and importer.line_errors.lines):
            return summary  # else others may have relied on the lines that are rejected now


def _probe_of(new: NewRecord) -> DuplicateProbe | None:
    return duplicates.probe_of(new.record["pk"], new.state, new.article_pks.values())


def _read_cells(line: Line, stored: Mapping[str, Stored], terms: Terms) -> Line:
    """Read the cells of a row by what its record says."""
    known = stored.get(line.id or "")
    document = None
    if known is not None and known.record["status"] in ("draft", "published"):
        document = complete(orjson.loads(known.document))
    data, errors = csv_rows.load_row(line.cells or {}, document, terms)
    return line._replace(data=data, errors=[*line.errors, *errors])


def _history(data: dict[str, Any], now: str) -> ImportedHistory:
    """Take from DATA what a record brings along of its past elsewhere. Raises ValidationError."""
    updated_at = data.pop("updated_at", now)
    created_at = data.pop("created_at", updated_at)
    version = data.pop("version", 1)
    if version > MAX_VERSION:
        detail = f"The version of a record that is new here is at most {MAX_VERSION:,}."
        raise ValidationError({"version": [ErrorDetail("out_of_range", detail)]})
    return ImportedHistory(version, created_at, updated_at)


def _drop_history(data: dict[str, Any], line: Line) -> list[dict[str, Any]]:
    """Drop from DATA what a line says of a record's past; return the warnings.

    An editor's line of JSON brings it along, a contributor's does not, and no row of CSV.
    """
    given = data if line.cells is None else line.cells
    dropped = [name for name in _HISTORY_FIELDS if given.get(name) is not None]
    for name in dropped:
        data.pop(name, None)
    whose = "a contributor's new record" if line.cells is None else "the record of a new row"
    return [
        {
            "pointer": f"/{name}",
            "code": "ignored",
            "detail": f"{name} was not used: {whose} begins at version 1 now.",
        }
        for name in dropped
    ]


def _member(error: Mapping[str, Any]) -> str:
    """Return the member of a line that an error is in."""
    return str(error["pointer"]).split("/", 2)[1] if error["pointer"] else ""


def _line_error(error: ApiError) -> dict[str, Any]:
    """Return a refusal as an error of its line."""
    line_error = {"pointer": "", "code": error.kind.replace("-", "_"), "detail": error.detail}
    if "similar" in error.extra:
        line_error["candidates"] = error.extra["similar"]
    return line_error
