"""Importing: lines met with what is held, many at a time; the verbs of a post write them.

A line without a known id makes a record, by the schema and the verb of a POST. One whose id is
known is compared with the record as by PUT (a row of CSV as by PATCH): where both say the same it
is unchanged, else `on_conflict` decides.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.core.errors import ApiError
from api.core.ids import new_id
from api.core.permissions import Actor
from api.database import advisory_locks, statements
from api.database.statements import InJsonList, json_list
from api.imports import csv_rows
from api.imports.line_errors import Findings
from api.imports.staging import AT_ONCE, Faults, Line, Scratch, in_groups
from api.models import Incident, Version
from api.models.tables import table
from api.records import access, duplicates, verbs
from api.records.batches import Batch
from api.records.duplicates import DuplicateProbe
from api.records.results import Amendment, ImportedHistory, NewRecord, Row
from api.records.terms import Terms
from api.records.writer import RecordWriter
from schemas.errors import flatten
from schemas.record_fields import complete

COUNTS = ("created", "changed", "unchanged", "skipped", "duplicates", "number_of_warnings")
MOST_WARNINGS = 100
_MOST_ARTICLES = 100_000  # remembered from one group of lines to the next
_KEPT = ("version", "created_at", "updated_at")

_INCIDENTS = table(Incident)
_COLUMNS = tuple(_INCIDENTS.c.keys())
_HELD = select(_INCIDENTS).where(InJsonList(_INCIDENTS.c.id, "ids")).order_by(_INCIDENTS.c.pk)
_HELD_AND_LOCKED = _HELD.with_for_update(key_share=True)
_DOCUMENTS = select(Version.incident_pk, Version.document).where(
    InJsonList(table(Version).c.pk, "pks")
)


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller chose: what becomes of known ids and of duplicates, and why it is done."""

    on_conflict: str = "error"
    on_duplicate: str = "accept"
    reason: str | None = None


@dataclass(slots=True)
class Summary:
    """What an import did: how many lines had which end, and what should be said of them.

    `duplicates` are lines that look like a record that was there before them, whatever became of
    them; `ids` are the lines' records, one a line.
    """

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    duplicates: int = 0
    ids: list[str] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    number_of_warnings: int = 0

    def public(self, *, dry_run: bool = False) -> dict[str, Any]:
        """Lay it out for an answer; ids that a dry run drew are nobody's."""
        found = asdict(self)
        if dry_run:
            del found["ids"]
            found["dry_run"] = True
        return found

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> "Summary":
        """Make one of the numbers alone."""
        summary = cls()
        for name in COUNTS:
            setattr(summary, name, counts[name])
        return summary

    def counts(self) -> dict[str, int]:
        """Give the numbers alone."""
        return {name: getattr(self, name) for name in COUNTS}

    def add(self, other: "Summary") -> None:
        """Add what a further part did; of ids nobody asks, of warnings the first are kept."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.warnings = [*self.warnings, *other.warnings][:MOST_WARNINGS]


@dataclass(frozen=True, slots=True)
class _NewLine:
    """A new record to be written, and the number of its line."""

    number: int
    new: NewRecord


class Importing:
    """One import at work in one transaction: it writes, or checks what it would meet.

    Checking takes no lock and leaves nothing behind; lines are then compared with what is held
    and not with one another.
    """

    def __init__(
        self,
        session: Session,
        actor: Actor,
        options: Options,
        *,
        write: bool,
        scratch: Scratch | None = None,
    ) -> None:
        """Prepare to write, or to check lines of SCRATCH, some of which make articles."""
        self.session = session
        self.actor = actor
        self.options = options
        self.write = write
        self.summary = Summary()
        self.findings = Findings()
        self.place = 0
        batch = Batch(session.connection(), ahead=AT_ONCE)
        self.writer = RecordWriter(session, actor, options.reason, batch=batch)
        if scratch is not None:
            self.writer.resolver.citations.will_exist = lambda id_: scratch.makes(id_, self.place)

    def run(
        self,
        lines: Iterable[Line],
        *,
        notes: Sequence[dict[str, Any]] = (),
        told: Callable[[], None] = lambda: None,
        written: int = 0,
    ) -> Summary:
        """Take LINES, all of them whatever is wrong with some; raise ApiError that tells of that.

        NOTES are warnings about the file as a whole. After each group of lines it is TOLD. WRITTEN
        is how many lines before them stay written.
        """
        self.findings.notes = notes
        self.summary.warnings += notes
        self.summary.number_of_warnings += len(notes)
        for group in in_groups(lines):
            self.take(group)
            told()
        return self._end(written)

    def _end(self, written: int) -> Summary:
        self.findings.refuse(self.writer.resolver.terms.missing, written)
        if self.write:
            self.writer.write()
        return self.summary

    def take(self, lines: Sequence[Line]) -> None:
        """Take a group of LINES, and note what is wrong with them."""
        made: list[_NewLine] = []
        for line, held in self.meet(lines):
            self._try(line, held, made)
        self._finish(made)

    def meet(self, lines: Sequence[Line]) -> list[tuple[Line, tuple[Row, str] | None]]:
        """Find the record of each line's id, with its document; read cells by what it says."""
        held = self._held([line.id for line in lines if line.id is not None])
        lines = [
            line if line.cells is None else _spelled(line, held, self.writer.resolver.terms)
            for line in lines
        ]
        sources = [source for line in lines for source in line.named.get("sources", ())]
        self.writer.resolver.citations.fetch([source["article"] for source in sources], None)
        return [(line, held.get(line.id or "")) for line in lines]

    def _try(self, line: Line, held: tuple[Row, str] | None, made: list[_NewLine]) -> None:
        """Take a line, whose record may be HELD, and note what is wrong with it."""
        try:
            self._line(line, held, made)
        except ValidationError as error:
            self.findings.add(line.number, flatten(error.messages))
        except ApiError as refusal:
            self.findings.add(line.number, [_fault(refusal)])

    def _held(self, ids: Sequence[str]) -> dict[str, tuple[Row, str]]:
        """Read the records of IDS, locked where they may be changed, with their documents."""
        if not ids:
            return {}
        connection = self.session.connection()
        statement = _HELD_AND_LOCKED if self.write else _HELD
        rows = statements.run(connection, statement, {"ids": json_list(set(ids))})
        found = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
        pks = json_list(row["document_pk"] for row in found)
        documents = dict(statements.run(connection, _DOCUMENTS, {"pks": pks}) if found else [])
        return {row["id"]: (row, documents[row["pk"]]) for row in found}

    def _line(self, line: Line, held: tuple[Row, str] | None, made: list[_NewLine]) -> None:
        self.place = line.place
        known = held is not None
        faults = list(line.faults)
        if faults and not (known and line.cells is not None):
            faults += self._more_faults(line)
        if line.repeats is not None:
            detail = f"Line {line.repeats} has this id already; an id stands in one line."
            faults.append({"pointer": "/id", "code": "repeated", "detail": detail})
        if faults:
            self.findings.add(line.number, faults)
        elif held is not None:
            self._meet(line, *held, made)
        else:
            new = self._prepare(line)
            made.append(_NewLine(line.number, new))
            self._note(line.number, new.record["id"], new.warnings)

    def _prepare(self, line: Line) -> NewRecord:
        """Complete a record that is not known here; its history starts with this line."""
        named = dict(line.named)
        history = _history(named, self.writer.at) if line.id and line.cells is None else None
        status = access.initial_status(named, self.actor)
        return self.writer.prepare(
            named, status, line.id or new_id(), reason=named.get("reason"), history=history
        )

    def _more_faults(self, line: Line) -> Faults:
        """Find what else would be wrong with a line, its faulty members aside."""
        known = {_member(fault) for fault in line.faults}
        if not line.named:
            return []
        # A status that is faulty is told of; what corrects another record can be but a draft then.
        status = line.named.get("status") or ("draft" if "corrects" in line.named else "published")
        try:
            self.writer.prepare(line.named, status, new_id())
        except ValidationError as error:
            return [fault for fault in flatten(error.messages) if _member(fault) not in known]
        return []

    def _meet(self, line: Line, record: Row, text: str, made: list[_NewLine]) -> None:
        """Compare a line with the record of its id, and do what `on_conflict` says."""
        if not access.is_visible(record, self.actor):
            raise ApiError("id-taken", f"The id {line.id} is taken.")
        to = None
        if record["status"] not in ("withdrawn", "merged"):
            to = self._compare(line, record, complete(orjson.loads(text)))
        if to is not None and not to.changed:
            self.summary.unchanged += 1
        elif self.options.on_conflict == "skip":
            self.summary.skipped += 1
        elif self.options.on_conflict == "update":
            self._change(line, record, to, made)
        else:
            raise ApiError(
                "id-taken",
                f"The record {line.id} is held and says otherwise: on_conflict=update changes it, "
                "on_conflict=skip leaves it as it is.",
            )
        self._note(line.number, record["id"], to.warnings if to is not None else ())

    def _compare(self, line: Line, record: Row, document: Mapping[str, Any]) -> Amendment:
        named = {name: value for name, value in line.named.items() if name not in _KEPT}
        return self.writer.compare(
            record, document, named, replace=line.cells is None, reason=named.get("reason")
        )

    def _change(self, line: Line, record: Row, to: Amendment | None, made: list[_NewLine]) -> None:
        """Make a record what a line says of it, once those MADE before are written.

        Raises ApiError where it takes no change.
        """
        version = line.named.get("version")
        access.authorize_change(
            record, self.actor, "*" if version is None else frozenset({version})
        )
        assert to is not None, "what is withdrawn or merged takes no change"
        if to.status != record["status"] and not self.actor.can("set a status"):
            raise ApiError("forbidden", f"A {self.actor.role} sets no status; leave it out.")
        if self.write:
            if made:
                self._finish(made)
                made.clear()
            self.writer.change(to)
        self.summary.changed += 1

    def _note(self, number: int, id_: str, warnings: Sequence[Mapping[str, Any]]) -> None:
        self.summary.ids.append(id_)
        self.summary.number_of_warnings += len(warnings)
        room = MOST_WARNINGS - len(self.summary.warnings)
        self.summary.warnings += [{"line": number, **one} for one in warnings[: max(room, 0)]]

    def _finish(self, made: Sequence[_NewLine]) -> None:
        """Write the new records of a group and look for those that they duplicate."""
        self.summary.created += len(made)
        if self.write:
            for one in made:
                self.writer.add(one.new)
            self.writer.write(last=False)
        if self.write or self.options.on_duplicate == "error":
            self._find_duplicates(made)
        if not self.write:
            self.writer.batch.clear()
            self.writer.resolver.citations.new.clear()
        self.writer.resolver.citations.evict(_MOST_ARTICLES)

    def _find_duplicates(self, made: Sequence[_NewLine]) -> None:
        refusing = self.options.on_duplicate == "error"
        connection = self.session.connection()
        probes = [(one, probe) for one in made if (probe := _probe_of(one.new)) is not None]
        if refusing and self.write:
            cities = {(probe.country, probe.city_key) for _, probe in probes}
            for city in sorted(f"city {country} {name}" for country, name in cities):
                advisory_locks.hold(connection, city)
        later: set[int | None] = {probe.pk for _, probe in probes}
        certain: set[int] = set()
        if not refusing:  # nobody asks which they are
            new = [probe for one, probe in probes if one.new.corrects is None]
            first = min((probe.pk for _, probe in probes), default=0)
            certain = duplicates.certain_duplicates(connection, new, first)
            self.summary.duplicates += len(certain)
        possible = duplicates.possible_duplicates(
            connection, [probe for _, probe in probes if probe.pk not in certain]
        )
        for one, probe in probes:
            if probe.pk in possible:
                excluded = {*later, one.new.record["corrects_pk"]}
                candidates = duplicates.candidates(connection, probe, self.actor, excluded)
                self.summary.duplicates += bool(candidates)
                if candidates and refusing:
                    self.findings.add(one.number, [_fault(verbs.duplicate_error(candidates))])
            later.discard(probe.pk)


def _probe_of(new: NewRecord) -> DuplicateProbe | None:
    return duplicates.probe_of(new.record["pk"], new.state, new.article_pks.values())


def _spelled(line: Line, held: Mapping[str, tuple[Row, str]], terms: Terms) -> Line:
    """Read the cells of a row by what its record says."""
    row, text = held.get(line.id or "", (None, ""))
    stands = row is not None and row["status"] in ("draft", "published")
    stored = complete(orjson.loads(text)) if stands else None
    named, faults = csv_rows.named(line.cells or {}, stored, terms)
    return line._replace(named=named, faults=[*line.faults, *faults])


def _history(named: dict[str, Any], now: str) -> ImportedHistory:
    """Take from NAMED what a record brings along of its past elsewhere."""
    updated_at = named.pop("updated_at", now)
    created_at = named.pop("created_at", updated_at)
    return ImportedHistory(named.pop("version", 1), created_at, updated_at)


def _member(fault: Mapping[str, Any]) -> str:
    """Give the member of a line that a fault is in."""
    return str(fault["pointer"]).split("/", 2)[1] if fault["pointer"] else ""


def _fault(refusal: ApiError) -> dict[str, Any]:
    """Tell of a refusal as of a fault of the line."""
    fault = {"pointer": "", "code": refusal.kind.replace("-", "_"), "detail": refusal.detail}
    if "similar" in refusal.extra:
        fault["candidates"] = refusal.extra["similar"]
    return fault
