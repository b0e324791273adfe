"""Importing: lines met with what is held, many at a time; the verbs of a post write them.

A line without a known id makes a record, by the schema and the verb of a POST. One whose id is
known is compared with the record as by PUT (a row of CSV as by PATCH): where both say the same it
is unchanged, else `on_conflict` decides.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson
from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from api import feed, locks, records, similar, statements
from api.citations import new_id
from api.imports import sheets
from api.imports.findings import Findings
from api.imports.reading import AT_ONCE, Faults, Line, Scratch, in_groups
from api.models import Incident, Version
from api.records import Amendment, Kept, New, Row
from api.refusals import Refusal
from api.roles import Actor
from api.rows import Batch, key, table
from api.statements import Among, listed
from schemas.faults import flatten

COUNTS = ("created", "changed", "unchanged", "skipped", "duplicates", "number_of_warnings")
MOST_WARNINGS = 100
_MOST_ARTICLES = 20_000  # remembered from one group of lines to the next
_KEPT = ("version", "created_at", "updated_at")

_INCIDENTS = table(Incident)
_COLUMNS = tuple(_INCIDENTS.c.keys())
_HELD = select(_INCIDENTS).where(Among(_INCIDENTS.c.id, "ids")).order_by(_INCIDENTS.c.pk)
_HELD_AND_LOCKED = _HELD.with_for_update(key_share=True)
_DOCUMENTS = select(Version.incident_pk, Version.document).where(Among(table(Version).c.pk, "pks"))


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


class Importing:
    """One import at work in one transaction: it writes, or checks what it would meet.

    Checking takes no lock and leaves nothing behind; lines are then compared with what is held
    and not with one another.
    """

    def __init__(
        self, session: Session, actor: Actor, options: Options, scratch: Scratch, *, write: bool
    ) -> None:
        self.session = session
        self.actor = actor
        self.options = options
        self.scratch = scratch
        self.write = write
        self.summary = Summary()
        self.findings = Findings()
        self.place = 0
        batch = Batch(session.connection(), ahead=AT_ONCE)
        self.writing = records.Writing(session, batch, actor, feed.now(), options.reason)
        if not write:
            self.writing.citations.promised = lambda id_: scratch.makes(id_, self.place)

    def run(self, lines: Iterable[Line], written: int = 0) -> Summary:
        """Take LINES, all of them whatever is wrong with some; raise Refusal that tells of that.

        WRITTEN is how many lines before them stay written.
        """
        self.take(lines)
        self.findings.refuse(self.writing.missing, written)
        return self.summary

    def take(self, lines: Iterable[Line]) -> None:
        """Take LINES, and note what is wrong with them."""
        for group in in_groups(lines):
            self._group(group)

    def _group(self, lines: Sequence[Line]) -> None:
        held = self._held([line.id for line in lines if line.id is not None])
        lines = [line if line.cells is None else _spelled(line, held) for line in lines]
        sources = [source for line in lines for source in line.named.get("sources", ())]
        self.writing.citations.fetch([source["article"] for source in sources], None)
        made: list[tuple[Line, New]] = []
        for line in lines:
            try:
                self._line(line, held, made)
            except ValidationError as error:
                self.findings.add(line.number, flatten(error.messages))
            except Refusal as refusal:
                self.findings.add(line.number, [_fault(refusal)])
        self._finish(made)

    def _held(self, ids: Sequence[str]) -> dict[str, tuple[Row, str]]:
        """Read the records of IDS, locked where they may be changed, with their documents."""
        connection = self.session.connection()
        statement = _HELD_AND_LOCKED if self.write else _HELD
        rows = statements.run(connection, statement, {"ids": listed(set(ids))})
        found = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
        pks = listed(row["document_pk"] for row in found)
        documents = dict(statements.run(connection, _DOCUMENTS, {"pks": pks}) if found else [])
        return {row["id"]: (row, documents[row["pk"]]) for row in found}

    def _line(
        self, line: Line, held: Mapping[str, tuple[Row, str]], made: list[tuple[Line, New]]
    ) -> None:
        self.place = line.place
        known = line.id is not None and line.id in held
        faults = list(line.faults)
        if faults and not (known and line.cells is not None):
            faults += self._more_faults(line)
        if line.repeats is not None:
            detail = f"Line {line.repeats} has this id already; an id stands in one line."
            faults.append({"pointer": "/id", "code": "repeated", "detail": detail})
        if faults:
            self.findings.add(line.number, faults)
        elif known:
            self._meet(line, *held[line.id or ""])
        else:
            made.append((line, self._prepare(line)))

    def _prepare(self, line: Line) -> New:
        """Complete a record that is not known here; its history starts with this line."""
        named = dict(line.named)
        kept = _kept(named, self.writing.at) if line.id and line.cells is None else None
        status = records.initial_status(named, self.actor)
        new = self.writing.prepare(named, status, line.id or new_id(), kept)
        self._note(line, new.record["id"], new.warnings)
        return new

    def _more_faults(self, line: Line) -> Faults:
        """Find what else would be wrong with a line, its faulty members aside."""
        known = {_member(fault) for fault in line.faults}
        if not line.named:
            return []
        try:
            self.writing.prepare(line.named, "published", new_id())
        except ValidationError as error:
            return [fault for fault in flatten(error.messages) if _member(fault) not in known]
        return []

    def _meet(self, line: Line, record: Row, text: str) -> None:
        """Compare a line with the record of its id, and do what `on_conflict` says."""
        if not records.visible(record, self.actor):
            raise Refusal("id-taken", f"The id {line.id} is taken.")
        to = None
        if record["status"] not in ("withdrawn", "merged"):
            to = self._compare(line, record, orjson.loads(text))
        if to is not None and not to.changed:
            self.summary.unchanged += 1
        elif self.options.on_conflict == "skip":
            self.summary.skipped += 1
        elif self.options.on_conflict == "update":
            self._change(line, record, to)
        else:
            raise Refusal(
                "id-taken",
                f"The record {line.id} is held and says otherwise: on_conflict=update changes it, "
                "on_conflict=skip leaves it as it is.",
            )
        self._note(line, record["id"], to.warnings if to is not None else ())

    def _compare(self, line: Line, record: Row, document: Mapping[str, Any]) -> Amendment:
        named = {name: value for name, value in line.named.items() if name not in _KEPT}
        return self.writing.compare(record, document, named, replace=line.cells is None)

    def _change(self, line: Line, record: Row, to: Amendment | None) -> None:
        """Make a record what a line says of it. Raises Refusal where it takes no change."""
        version = line.named.get("version")
        records.check_change(record, self.actor, "*" if version is None else frozenset({version}))
        assert to is not None, "what is withdrawn or merged takes no change"
        if to.status != record["status"] and not self.actor.may("set a status"):
            raise Refusal("forbidden", f"A {self.actor.role} sets no status; leave it out.")
        if self.write:
            self.writing.reason = line.named.get("reason") or self.options.reason
            self.writing.change(to)
        self.summary.changed += 1

    def _note(self, line: Line, id_: str, warnings: Sequence[Mapping[str, Any]]) -> None:
        self.summary.ids.append(id_)
        self.summary.number_of_warnings += len(warnings)
        room = MOST_WARNINGS - len(self.summary.warnings)
        self.summary.warnings += [{"line": line.number, **one} for one in warnings[: max(room, 0)]]

    def _finish(self, made: Sequence[tuple[Line, New]]) -> None:
        """Write the new records of a group and look for those that they duplicate."""
        self.summary.created += len(made)
        if self.write:
            for line, new in made:
                self.writing.reason = line.named.get("reason") or self.options.reason
                self.writing.insert(new)
            self.writing.write()
        if self.write or self.options.on_duplicate == "error":
            self._find_duplicates(made)
        if not self.write:
            self.writing.batch.clear()
            self.writing.citations.take_new()
        self.writing.citations.forget(_MOST_ARTICLES)

    def _find_duplicates(self, made: Sequence[tuple[Line, New]]) -> None:
        refusing = self.options.on_duplicate == "error"
        connection = self.session.connection()
        if refusing and self.write:
            places = {(new.state["country"], key(new.state["city"])) for _, new in made}
            for place in sorted(f"city {country} {city}" for country, city in places):
                locks.hold(connection, place)
        suspects = similar.suspects(
            connection,
            ((new.record["pk"], new.state, set(new.article_pks.values())) for _, new in made),
        )
        later = {new.record["pk"] for _, new in made}
        for line, new in made:
            if new.record["pk"] not in suspects:
                later.discard(new.record["pk"])
                continue
            found = self.writing.duplicates(new, but=later)
            later.discard(new.record["pk"])
            self.summary.duplicates += bool(found)
            if found and refusing:
                self.findings.add(line.number, [_fault(records._duplicate(found))])


def _spelled(line: Line, held: Mapping[str, tuple[Row, str]]) -> Line:
    """Read the cells of a row by what its record says."""
    row, text = held.get(line.id or "", (None, ""))
    stands = row is not None and row["status"] in ("draft", "published")
    named, faults = sheets.named(line.cells or {}, orjson.loads(text) if stands else None)
    return replace(line, named=named, faults=[*line.faults, *faults])


def _kept(named: dict[str, Any], now: str) -> Kept:
    """Take from NAMED what a record keeps of its past elsewhere."""
    updated_at = named.pop("updated_at", now)
    created_at = named.pop("created_at", updated_at)
    return Kept(named.pop("version", 1), created_at, updated_at)


def _member(fault: Mapping[str, Any]) -> str:
    """Give the member of a line that a fault is in."""
    return str(fault["pointer"]).split("/", 2)[1] if fault["pointer"] else ""


def _fault(refusal: Refusal) -> dict[str, Any]:
    """Tell of a refusal as of a fault of the line."""
    fault = {"pointer": "", "code": refusal.kind.replace("-", "_"), "detail": refusal.detail}
    if "similar" in refusal.extra:
        fault["candidates"] = refusal.extra["similar"]
    return fault
