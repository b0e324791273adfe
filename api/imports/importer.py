"""Importing: lines met with what is held, many at a time; the verbs of a post write them.

A line without a known id makes a record, by the schema and the verb of a POST. One whose id is
known is compared with the record as by PUT (a row of CSV as by PATCH): where both say the same it
is unchanged, else `on_conflict` decides.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.core import clock
from api.core.errors import ApiError
from api.core.ids import new_id
from api.core.permissions import Actor
from api.database import advisory_locks, statements
from api.database.statements import InJsonList, json_list
from api.imports import csv_rows
from api.imports.duplicate_index import Gathered
from api.imports.line_errors import Findings
from api.imports.staging import AT_ONCE, Faults, Line, Scratch, in_groups
from api.models import Incident, Version
from api.models.tables import table
from api.records import duplicates as similar
from api.records import verbs
from api.records.duplicates import Sought
from api.records.rows import Batch
from api.records.verbs import Amendment, Kept, New, Row
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
class _Made:
    """A new record to be written: the number of its line, and why it is made."""

    number: int
    reason: str | None
    record: New


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
        # What a load into empty tables compares its records with, rather than with the tables.
        self.gathered: Gathered | None = None
        batch = Batch(session.connection(), ahead=AT_ONCE)
        self.writing = verbs.Writing(session, batch, actor, clock.now(), options.reason)
        if scratch is not None:
            self.writing.citations.promised = lambda id_: scratch.makes(id_, self.place)

    def run(
        self, lines: Iterable[Line], *, told: Callable[[], None] = lambda: None, written: int = 0
    ) -> Summary:
        """Take LINES, all of them whatever is wrong with some; raise ApiError that tells of that.

        After each group of them it is TOLD. WRITTEN is how many lines before them stay written.
        """
        for group in in_groups(lines):
            self.take(group)
            told()
        return self._end(written)

    def _end(self, written: int) -> Summary:
        self.findings.refuse(self.writing.missing, written)
        if self.write:
            self.writing.write()
        return self.summary

    def take(self, lines: Sequence[Line]) -> None:
        """Take a group of LINES, and note what is wrong with them."""
        made: list[_Made] = []
        for line, held in self.meet(lines):
            self._try(line, held, made)
        self._finish(made)

    def _reason(self, line: Line) -> str | None:
        return line.named.get("reason") or self.options.reason

    def meet(self, lines: Sequence[Line]) -> list[tuple[Line, tuple[Row, str] | None]]:
        """Find the record of each line's id, with its document; read cells by what it says."""
        held = self._held([line.id for line in lines if line.id is not None])
        lines = [line if line.cells is None else _spelled(line, held) for line in lines]
        sources = [source for line in lines for source in line.named.get("sources", ())]
        self.writing.citations.fetch([source["article"] for source in sources], None)
        return [(line, held.get(line.id or "")) for line in lines]

    def _try(self, line: Line, held: tuple[Row, str] | None, made: list[_Made]) -> None:
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

    def _line(self, line: Line, held: tuple[Row, str] | None, made: list[_Made]) -> None:
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
            made.append(_Made(line.number, self._reason(line), new))
            self._note(line.number, new.record["id"], new.warnings)

    def _prepare(self, line: Line) -> New:
        """Complete a record that is not known here; its history starts with this line."""
        named = dict(line.named)
        kept = _kept(named, self.writing.at) if line.id and line.cells is None else None
        status = verbs.initial_status(named, self.actor)
        return self.writing.prepare(named, status, line.id or new_id(), kept)

    def _more_faults(self, line: Line) -> Faults:
        """Find what else would be wrong with a line, its faulty members aside."""
        known = {_member(fault) for fault in line.faults}
        if not line.named:
            return []
        # A status that is faulty is told of; what corrects another record can be but a draft then.
        status = line.named.get("status") or ("draft" if "corrects" in line.named else "published")
        try:
            self.writing.prepare(line.named, status, new_id())
        except ValidationError as error:
            return [fault for fault in flatten(error.messages) if _member(fault) not in known]
        return []

    def _meet(self, line: Line, record: Row, text: str, made: list[_Made]) -> None:
        """Compare a line with the record of its id, and do what `on_conflict` says."""
        if not verbs.visible(record, self.actor):
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
        return self.writing.compare(record, document, named, replace=line.cells is None)

    def _change(self, line: Line, record: Row, to: Amendment | None, made: list[_Made]) -> None:
        """Make a record what a line says of it, once those MADE before are written.

        Raises ApiError where it takes no change.
        """
        version = line.named.get("version")
        verbs.check_change(record, self.actor, "*" if version is None else frozenset({version}))
        assert to is not None, "what is withdrawn or merged takes no change"
        if to.status != record["status"] and not self.actor.can("set a status"):
            raise ApiError("forbidden", f"A {self.actor.role} sets no status; leave it out.")
        if self.write:
            if made:
                self._finish(made)
                made.clear()
            self.writing.reason = self._reason(line)
            self.writing.change(to)
        self.summary.changed += 1

    def _note(self, number: int, id_: str, warnings: Sequence[Mapping[str, Any]]) -> None:
        self.summary.ids.append(id_)
        self.summary.number_of_warnings += len(warnings)
        room = MOST_WARNINGS - len(self.summary.warnings)
        self.summary.warnings += [{"line": number, **one} for one in warnings[: max(room, 0)]]

    def _finish(self, made: Sequence[_Made]) -> None:
        """Write the new records of a group and look for those that they duplicate."""
        self.summary.created += len(made)
        if self.write:
            for one in made:
                self.writing.reason = one.reason
                self.writing.collect(self.writing.lay_out(one.record))
            self.writing.write(last=False)
        if self.write or self.options.on_duplicate == "error":
            self._find_duplicates(made)
        if not self.write:
            self.writing.batch.clear()
            self.writing.citations.take_new()
        self.writing.citations.forget(_MOST_ARTICLES)

    def _find_duplicates(self, made: Sequence[_Made]) -> None:
        refusing = self.options.on_duplicate == "error"
        connection = self.session.connection()
        sought = [
            (one, found) for one in made if (found := self.writing.sought(one.record)) is not None
        ]
        if refusing and self.write:
            places = {(found.country, found.city_key) for _, found in sought}
            for place in sorted(f"city {country} {city}" for country, city in places):
                advisory_locks.hold(connection, place)
        if self.gathered is not None:
            sought = list(self._not_gathered(sought, self.gathered))
        later = {found.pk for _, found in sought}
        sure: set[int] = set()
        if not refusing:  # nobody asks which they are
            new = [found for one, found in sought if one.record.record["corrects_pk"] is None]
            sure = similar.surely(connection, new, min(later, default=0))
            self.summary.duplicates += len(sure)
        suspects = similar.suspects(
            connection, [found for _, found in sought if found.pk not in sure]
        )
        for one, what in sought:
            if what.pk in suspects:
                like = self.writing.duplicates(what, one.record.record["corrects_pk"], but=later)
                self.summary.duplicates += bool(like)
                if like and refusing:
                    self.findings.add(one.number, [_fault(verbs._duplicate(like))])
            later.discard(what.pk)

    def _not_gathered(
        self, sought: Iterable[tuple[_Made, Sought]], gathered: Gathered
    ) -> Iterator[tuple[_Made, Sought]]:
        """Compare records with those gathered before; leave corrections, which look like theirs."""
        for one, what in sought:
            if one.record.record["corrects_pk"] is not None:
                yield one, what
            else:
                self.summary.duplicates += gathered.meets(what)
            gathered.add(what)


def _spelled(line: Line, held: Mapping[str, tuple[Row, str]]) -> Line:
    """Read the cells of a row by what its record says."""
    row, text = held.get(line.id or "", (None, ""))
    stands = row is not None and row["status"] in ("draft", "published")
    named, faults = csv_rows.named(
        line.cells or {}, complete(orjson.loads(text)) if stands else None
    )
    return line._replace(named=named, faults=[*line.faults, *faults])


def _kept(named: dict[str, Any], now: str) -> Kept:
    """Take from NAMED what a record keeps of its past elsewhere."""
    updated_at = named.pop("updated_at", now)
    created_at = named.pop("created_at", updated_at)
    return Kept(named.pop("version", 1), created_at, updated_at)


def _member(fault: Mapping[str, Any]) -> str:
    """Give the member of a line that a fault is in."""
    return str(fault["pointer"]).split("/", 2)[1] if fault["pointer"] else ""


def _fault(refusal: ApiError) -> dict[str, Any]:
    """Tell of a refusal as of a fault of the line."""
    fault = {"pointer": "", "code": refusal.kind.replace("-", "_"), "detail": refusal.detail}
    if "similar" in refusal.extra:
        fault["candidates"] = refusal.extra["similar"]
    return fault
