"""The write verbs: create, amend, publish, withdraw, restore. They never commit.

Every verb leaves one version of the record behind, with its document, who made it and why, and
announces to the feed what the public can see of it.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from marshmallow import ValidationError
from sqlalchemy import CompoundSelect, Connection, Select, or_, select, update
from sqlalchemy.orm import Session

from api import documents, geo, search
from api.core import clock
from api.core.errors import ApiError, not_found
from api.core.ids import new_id
from api.core.permissions import Actor
from api.core.preconditions import ExpectedVersion, check_version
from api.database import advisory_locks, statements
from api.database.statements import InJsonList, json_list
from api.documents import DerivedFields, RecordMetadata
from api.models import (
    Community,
    Episode,
    Incident,
    IncidentCommunity,
    ReferenceVersion,
    Source,
    Version,
)
from api.models.tables import key, table
from api.records import duplicates as similar
from api.records import feed
from api.records.citations import Citations, copies_of, drop_private, upstream
from api.records.duplicates import Candidate, Sought
from api.records.rows import (
    DOCUMENT,
    Batch,
    Rows,
    clear_owned,
    in_order,
    incident_columns,
    owned_rows,
)
from schemas import record_state
from schemas.errors import ErrorDetail, flatten
from schemas.record_state import PLACE_FIELDS, Amended, State

_TERMS = {
    "communities": select(Community.id).where(InJsonList(table(Community).c.id, "ids")),
    "episodes": select(Episode.id).where(InJsonList(table(Episode).c.id, "ids")),
}


_TAKEN = select(Incident.id).where(InJsonList(table(Incident).c.id, "ids"))
_MOST_PLACES = 10_000  # remembered while many records are written

Row = Mapping[str, Any]
Keys = Select[tuple[int]] | CompoundSelect[tuple[int]]

# Records that one change of an article renders anew within its own request.
MOST_REWRITTEN = 1000


@dataclass(slots=True)
class Written:
    """What a verb wrote: the record's document and what should be said of it."""

    pk: int
    id: str
    version: int
    status: str
    document: str
    warnings: list[dict[str, Any]] = field(default_factory=list)
    similar: list[Candidate] = field(default_factory=list)
    changed: bool = True


@dataclass(slots=True)
class New:
    """A record that is complete and not yet written."""

    record: dict[str, Any]
    state: State
    article_pks: dict[str, int]
    warnings: list[dict[str, Any]]
    corrects: Row | None


class Laid(NamedTuple):
    """A new record laid out: its rows in order, its entry in the full-text index.

    `sought` is what others are compared with to find duplicates, and `corrects_pk` the record
    that is not among them.
    """

    pk: int
    id: str
    version: int
    version_pk: int
    status: str
    corrects_pk: int | None
    warnings: list[dict[str, Any]]
    rows: Rows
    entry: search.Entry
    sought: Sought | None

    @property
    def document(self) -> str:
        """Give the document, as its version holds it."""
        (version,) = self.rows[Version]
        return str(version[DOCUMENT])


@dataclass(slots=True)
class Amendment:
    """What a change makes of a record that is there, not yet written."""

    record: Row
    status: str
    state: State
    article_pks: dict[str, int]
    warnings: list[dict[str, Any]]
    changed: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What a record keeps of its past elsewhere, when its history starts here."""

    version: int
    created_at: str
    updated_at: str


def create(
    session: Session,
    named: Mapping[str, Any],
    actor: Actor,
    *,
    status: str = "published",
    allow_duplicate: bool = False,
    refuse_duplicates: bool = True,
    reason: str | None = None,
) -> Written:
    """Make a record of the NAMED fields, as a draft or published.

    Raises ValidationError for what is wrong with the fields, ApiError for an id that is taken and
    for a duplicate (unless ALLOW_DUPLICATE, which remembers the listed ones as distinct).
    """
    writing = Writing(session, Batch(session.connection()), actor, clock.now(), reason)
    new = writing.prepare(named, status, _free_id(session, named.get("id")))
    if refuse_duplicates and not allow_duplicate:
        # The same event, posted twice at once: the second waits here, then finds the first.
        advisory_locks.hold(
            session.connection(), f"city {new.state['country']} {key(new.state['city'])}"
        )
    found = writing.duplicates(writing.sought(new), new.record["corrects_pk"])
    if found and refuse_duplicates and not allow_duplicate:
        raise _duplicate(found)
    written = writing.collect(writing.lay_out(new))
    writing.write()
    if found and allow_duplicate:
        pks = [one.pk for one in found]
        similar.remember_distinct(session.connection(), written.pk, pks, writing.at)
    written.similar = found
    return written


def amend(
    session: Session,
    record: Row,
    named: Mapping[str, Any],
    actor: Actor,
    *,
    replace: bool = False,
    reason: str | None = None,
) -> Written:
    """Put NAMED fields onto RECORD (a row of `locked`); REPLACE is the rule of PUT.

    A change of nothing makes no version. A `status` of published publishes a draft.
    """
    document = current(session, record)
    _same_identity(named, document)
    if _next_status(record, named) == "withdrawn":
        return withdraw(session, record, actor, reason=reason)
    writing = Writing(session, Batch(session.connection()), actor, clock.now(), reason)
    change = writing.compare(record, document, named, replace=replace)
    if change.changed:
        return writing.change(change)
    return Written(
        record["pk"],
        record["id"],
        record["version"],
        record["status"],
        documents.dump(document),
        change.warnings,
        changed=False,
    )


def withdraw(
    session: Session, record: Row, actor: Actor, *, code: str = "error", reason: str | None = None
) -> Written:
    """Take RECORD back: the public gets its code and date from now on, and no content."""
    document = current(session, record)
    state = record_state.state_of(document)
    at = clock.now()
    writing = Writing(session, Batch(session.connection()), actor, at, reason)
    return writing.replace(
        record, state, None, status="withdrawn", action="withdrawn", withdrawal_code=code
    )


def restore(
    session: Session, record: Row, actor: Actor, *, number: int, reason: str | None = None
) -> Written:
    """Bring back what version NUMBER of RECORD held, in a new version; undo a withdrawal with it.

    A record that stands as it did then gets no version. Raises ApiError: no such version, or one
    that refers to what is there no more.
    """
    document = content(session, record, number)
    writing = Writing(session, Batch(session.connection()), actor, clock.now(), reason)
    status = "draft" if record["public_from"] is None else "published"
    state, article_pks = writing.complete_again(
        record_state.state_of(document), record["pk"] if status == "draft" else None
    )
    stands = current(session, record)
    if status == record["status"] and state == record_state.state_of(stands):
        return Written(
            record["pk"],
            record["id"],
            record["version"],
            status,
            documents.dump(stands),
            changed=False,
        )
    return writing.replace(
        record, state, article_pks, status=status, action="restored", withdrawal_code=None
    )


def citing(session: Session, article_pks: Keys, most: int = MOST_REWRITTEN) -> list[Row]:
    """Find and lock the records, drafts too, that cite any of ARTICLE_PKS: MOST and one more."""
    incidents, sources = table(Incident), table(Source).c
    statement = (
        select(incidents)
        .where(
            incidents.c.pk.in_(
                select(sources.incident_pk).where(sources.article_pk.in_(article_pks))
            ),
            or_(incidents.c.status == "published", incidents.c.status == "draft"),
        )
        .order_by(incidents.c.pk)
        .limit(most + 1)
        .with_for_update(key_share=True)
    )
    return [dict(row) for row in session.connection().execute(statement).mappings()]


def refresh(
    session: Session,
    record: Row,
    article: Mapping[str, Any],
    actor: Actor,
    *,
    reason: str,
    batch: Batch | None = None,
) -> Written | None:
    """Render a record that cites ARTICLE (as embedded), or a copy of it, with what it says now.

    BATCH is that of a writing which goes on after it. Gives None where the record shows none of
    what changed.
    """
    document = current(session, record)
    state = record_state.state_of(document)
    state["sources"] = [
        {**source, "article": article} if source["article"]["id"] == article["id"] else source
        for source in state["sources"]
    ]
    batch = batch or Batch(session.connection())
    writing = Writing(session, batch, actor, clock.now(), reason)
    derived = writing.derive(record, state)
    same_number = derived.number_of_sources == document["number_of_sources"]
    if same_number and state == record_state.state_of(document):
        return None
    return writing.replace(record, state, None, status=record["status"], action="changed")


def current(session: Session, record: Row) -> dict[str, Any]:
    """Read the current document of a record."""
    versions = table(Version).c
    text = (
        session.connection()
        .execute(select(versions.document).where(versions.pk == record["document_pk"]))
        .scalar_one()
    )
    return documents.load(text)


def content(session: Session, record: Row, number: int) -> dict[str, Any]:
    """Read the document of version NUMBER of a record. Raises ApiError: not found."""
    versions = table(Version).c
    text = (
        session.connection()
        .execute(
            select(versions.document).where(
                versions.incident_pk == record["pk"], versions.number == number
            )
        )
        .scalar()
    )
    if text is None:
        raise not_found(f"There is no version {number} of incident {record['id']}.")
    return documents.load(text)


def find(session: Session, id_: str, *, lock: bool = False) -> Row | None:
    """Find the row of a record by its id; LOCK it for a change."""
    incidents = table(Incident)
    statement = select(incidents).where(incidents.c.id == id_)
    if lock:
        statement = statement.with_for_update(key_share=True)
    row = session.connection().execute(statement).mappings().first()
    return row if row is None else dict(row)


def visible(record: Row | None, actor: Actor) -> bool:
    """Tell whether ACTOR may know that the record exists."""
    if record is None:
        return False
    if record["public_from"] is not None or actor.reads_all:
        return True
    return actor.pk is not None and record["author_pk"] == actor.pk


def locked(
    session: Session, id_: str, actor: Actor, expected: ExpectedVersion, *, restoring: bool = False
) -> Row:
    """Find and lock the record that ACTOR wants to change, expecting the version EXPECTED.

    One that is withdrawn or merged takes no change but RESTORING. Raises ApiError: not found,
    forbidden, withdrawn or merged, without or with an old version.
    """
    record = find(session, id_, lock=True)
    if record is None or not visible(record, actor):
        raise not_found(f"There is no incident {id_}.")
    check_change(record, actor, expected, restoring=restoring)
    return record


def check_change(
    record: Row, actor: Actor, expected: ExpectedVersion, *, restoring: bool = False
) -> None:
    """Hold that ACTOR, expecting the version EXPECTED, may change RECORD. Raises ApiError."""
    id_ = record["id"]
    if record["erased_at"] is not None:
        raise ApiError(
            "gone",
            f"Incident {id_} was erased; what it held is nowhere.",
            code=record["withdrawal_code"],
            withdrawn_at=record["erased_at"],
        )
    own_draft = record["author_pk"] == actor.pk and record["status"] != "published"
    if not own_draft and not actor.can("read and edit every incident"):
        raise ApiError(
            "forbidden",
            "A contributor edits its own drafts; correct a published record by posting a "
            f'draft with "corrects": "{id_}".',
        )
    if record["status"] in ("withdrawn", "merged") and not restoring:
        raise ApiError(
            "record-withdrawn",
            f"Incident {id_} is {record['status']}; an editor can restore it.",
            version=record["version"],
        )
    check_version(record["version"], expected)


def _same_identity(named: Mapping[str, Any], document: Mapping[str, Any]) -> None:
    """Refuse a change that is about another record, or about what is said once and for all."""
    if named.get("id", document["id"]) != document["id"]:
        fault = ErrorDetail("bad_id", f"The address names {document['id']}; ids never change.")
        raise ValidationError({"id": [fault]})
    if named.get("corrects", document["corrects"]) != document["corrects"]:
        fault = ErrorDetail("bad_corrects", "What a draft corrects is said when it is posted.")
        raise ValidationError({"corrects": [fault]})


def _next_status(record: Row, named: Mapping[str, Any]) -> str:
    """Read the status that a change asks for; refuse the ways that lead nowhere."""
    status: str = named.get("status", record["status"])
    if status == "draft" and record["status"] == "published":
        fault = "What was published cannot be a draft again; withdraw it by DELETE."
    elif status == "withdrawn" and named.keys() - {"status", "version", "id", "reason"}:
        fault = "Withdraw in a request of its own: by DELETE, or a PATCH of status alone."
    else:
        return status
    raise ValidationError({"status": [ErrorDetail("bad_status", fault)]})


def initial_status(named: Mapping[str, Any], actor: Actor) -> str:
    """Choose the status of a new record: what the role may set, else its default."""
    wanted: str | None = named.get("status")
    default = "published" if actor.can("publish") else "draft"
    if wanted is None or wanted == default:
        return default
    if not actor.can("set a status"):
        raise ApiError("forbidden", f"A {actor.role} posts drafts; leave status out.")
    if wanted not in ("draft", "published"):
        fault = ErrorDetail("bad_status", "A new record is a draft or published.")
        raise ValidationError({"status": [fault]})
    return wanted


def _free_id(session: Session, wanted: str | None) -> str:
    if wanted is None:
        return new_id()
    if statements.run(session.connection(), _TAKEN, {"ids": json_list([wanted])}):
        raise ApiError("id-taken", f"The id {wanted} is taken; leave id out to have one drawn.")
    return wanted


def _shown(status: str) -> str:
    """Give the status as documents show it: of the public's view, a merged record is withdrawn."""
    return "withdrawn" if status == "merged" else status


def _corrected(session: Session, id_: str | None, actor: Actor) -> Row | None:
    if id_ is None:
        return None
    record = find(session, id_)
    if record is None or not visible(record, actor) or record["status"] != "published":
        fault = ErrorDetail("unknown_incident", f"There is no published incident {id_} to correct.")
        raise ValidationError({"corrects": [fault]})
    return record


def _duplicate(found: list[Candidate]) -> ApiError:
    first = found[0]
    return ApiError(
        "duplicate",
        f"This looks like {first.id} ({first.title}, {first.date}): {first.reasons[0]}. "
        "Add a source to that record, or post again with allow_duplicate=true if it is another.",
        similar=[one.public() for one in found],
    )


class Writing:
    """One verb at work: completes a state from the tables, then writes rows and version."""

    def __init__(
        self, session: Session, batch: Batch, actor: Actor, at: str, reason: str | None
    ) -> None:
        self.session = session
        self.connection = session.connection()
        self.batch = batch
        self.actor = actor
        self.at = at
        self.reason = reason
        self.citations = Citations(batch, at)
        self.new_articles: list[Row] = []
        self.copies: list[Row] = []  # new articles that copy others
        self.terms: dict[str, set[str]] = {"communities": set(), "episodes": set()}
        self.missing: dict[str, set[str]] = {"communities": set(), "episodes": set()}
        self.gazetteer: str | None = None  # its version, where one has to know
        self.places: dict[tuple[Any, ...], geo.Resolved | geo.PlaceError] = {}

    def prepare(
        self, named: Mapping[str, Any], status: str, id_: str, kept: Kept | None = None
    ) -> New:
        """Complete a new record of the NAMED fields; raise ValidationError with all faults."""
        kept = kept or Kept(1, self.at, self.at)
        corrects = _corrected(self.session, named.get("corrects"), self.actor)
        if corrects is not None and status == "published":
            fault = ErrorDetail(
                "bad_corrects",
                'A correction is posted as a draft: add "status": "draft", or change the record '
                f"{corrects['id']} itself.",
            )
            raise ValidationError({"corrects": [fault]})
        record: dict[str, Any] = {
            "pk": self.batch.next_pk(Incident),
            "id": id_,
            "status": status,
            "version": kept.version,
            "public_from": kept.version if status == "published" else None,
            "author_pk": self.actor.pk,
            "corrects_pk": corrects["pk"] if corrects else None,
            "corrects_version": corrects["version"] if corrects else None,
            "merged_into_pk": None,
            "merged_version": None,
            "erased_at": None,
            "withdrawal_code": None,
            "review": None,
            "created_at": kept.created_at,
            "updated_at": kept.updated_at,
        }
        amended = record_state.amend(None, named)
        draft_pk = record["pk"] if status == "draft" else None
        return New(record, *self.complete(amended, draft_pk), corrects)

    def compare(
        self, record: Row, document: Mapping[str, Any], named: Mapping[str, Any], *, replace: bool
    ) -> Amendment:
        """Work out what NAMED makes of a record; raise ValidationError with all faults."""
        _same_identity(named, document)
        status = _next_status(record, named)
        publishing = record["status"] == "draft" and status == "published"
        if publishing and record["corrects_pk"] is not None:
            fault = (
                "A correction is published by POST …/publish: it becomes a version of the record."
            )
            raise ValidationError({"status": [ErrorDetail("bad_status", fault)]})
        stored = record_state.state_of(document)
        amended = record_state.amend(stored, named, replace=replace)
        draft_pk = record["pk"] if record["status"] == "draft" else None
        state, article_pks, warnings = self.complete(amended, draft_pk)
        changed = state != stored or status != record["status"]
        return Amendment(record, status, state, article_pks, warnings, changed)

    def change(self, to: Amendment) -> Written:
        """Write the next version of a record, publishing a draft where that is the change."""
        action, state, article_pks = "changed", to.state, to.article_pks
        if to.record["status"] == "draft" and to.status == "published":
            action = "published"
            self.batch.write()  # articles that this very request names
            renamed = self.citations.publish(to.record["pk"])
            state, article_pks = self.cite_again(state, renamed)
        # A draft that its author has worked on since a rejection waits for review anew.
        written = self.replace(
            to.record, state, article_pks, status=to.status, action=action, review=None
        )
        written.warnings = to.warnings
        return written

    def sought(self, new: New) -> Sought | None:
        """Take from a new record what others are compared with."""
        return similar.sought(new.record["pk"], new.state, new.article_pks.values())

    def duplicates(
        self, sought: Sought | None, corrects_pk: int | None, but: Collection[int] = ()
    ) -> list[Candidate]:
        """Find the records, BUT some, that a new one seems to duplicate, as the actor may read."""
        if sought is None:
            return []
        return similar.duplicates(
            self.connection,
            sought,
            caller_pk=self.actor.pk,
            all_drafts=self.actor.reads_all,
            but=but if corrects_pk is None else {*but, corrects_pk},
        )

    def complete(
        self, amended: Amended, draft_pk: int | None
    ) -> tuple[State, dict[str, int], list[dict[str, Any]]]:
        """Resolve place, vocabularies and articles; raise ValidationError with all faults."""
        state = dict(amended.state)
        messages: dict[str, Any] = {}
        noted: list[dict[str, Any]] = []
        if amended.place is not None:
            messages |= self._place(state, amended.place, noted)
        for name, faults in record_state.check(state).items():
            messages.setdefault(name, faults)
        for name, faults in self._unknown_terms(state).items():
            messages.setdefault(name, faults)
        sources: list[dict[str, Any]] = []
        article_pks: dict[str, int] = {}
        warnings: list[dict[str, Any]] = []
        try:
            sources, article_pks, warnings = self.citations.cite(state["sources"], draft_pk)
        except ValidationError as error:
            for name, faults in error.messages_dict.items():
                messages.setdefault(name, faults)
        if messages:
            if draft_pk is not None:
                self.citations.disown(draft_pk)
            raise ValidationError(messages)
        state["sources"] = sources
        return state, article_pks, [*noted, *warnings]

    def cite_again(
        self,
        state: State,
        renamed: Mapping[str, str],
        owner: int | None = None,
        private: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    ) -> tuple[State, dict[str, int]]:
        """Name the articles of a draft that became public by the ids they have now.

        Those of PRIVATE, another draft's, are made for the draft OWNER too.
        """
        sources = [
            {**source, "article": private.get(id_, {"id": renamed.get(id_, id_)})}
            for source in state["sources"]
            for id_ in (source["article"]["id"],)
        ]
        self.new_articles += self.citations.take_new()
        self.citations = Citations(self.batch, self.at)
        complete, article_pks, _ = self.citations.cite(sources, owner)
        return {**state, "sources": complete}, article_pks

    def complete_again(self, state: State, draft_pk: int | None) -> tuple[State, dict[str, int]]:
        """Complete the state of an earlier version with what its articles say now.

        An article that was deleted since is made again of what the version shows of it. Raises
        ApiError where the version refers to what cannot be found again.
        """
        missing = self._unknown_terms(state)
        sources: list[dict[str, Any]] = []
        article_pks: dict[str, int] = {}
        try:
            sources, article_pks, _ = self.citations.cite(state["sources"], draft_pk)
        except ValidationError as error:
            missing |= error.messages_dict
        if missing:
            faults = "; ".join(fault["detail"] for fault in flatten(missing))
            raise ApiError("not-restorable", f"The version refers to what is gone: {faults}")
        return {**state, "sources": sources}, article_pks

    def _place(
        self, state: State, sought: Mapping[str, Any], warnings: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """Look the place up and put it into STATE; give messages where it cannot be."""
        if sought.get("country") is None:
            return {}
        found = self._resolved(sought)
        if isinstance(found, geo.PlaceError):
            fault = ErrorDetail(
                found.code,
                found.detail,
                candidates=found.candidates or None,
                suggestions=found.suggestions or None,
            )
            return {found.field: [fault]}
        warnings += [
            {"pointer": "/city", "code": "place_overlooked", "detail": warning}
            for warning in found.warnings
        ]
        state.update(
            city=found.city,
            admin1=found.admin1,
            latitude=found.latitude,
            longitude=found.longitude,
            geonames_id=found.geonames_id,
            geo_precision=sought.get("geo_precision") or "city",
        )
        return {}

    def _resolved(self, sought: Mapping[str, Any]) -> geo.Resolved | geo.PlaceError:
        """Ask the gazetteer, once for the same place."""
        place: dict[str, Any] = {
            name: sought.get(name) for name in PLACE_FIELDS if name != "geo_precision"
        }
        asked = tuple(place.values())
        if asked not in self.places:
            if len(self.places) == _MOST_PLACES:
                self.places.clear()
            try:
                self.places[asked] = geo.resolve(self.connection, **place)
            except geo.PlaceError as error:
                self.places[asked] = error
        return self.places[asked]

    def _unknown_terms(self, state: State) -> dict[str, Any]:
        """Find communities and episodes that the vocabularies do not hold."""
        messages: dict[str, Any] = {}
        named = {entry["community"] for entry in state["communities"]}
        claims = [
            (place, position, claim["community"])
            for place, source in enumerate(state["sources"])
            for position, claim in enumerate(source.get("claims", []))
            if claim.get("community") is not None
        ]
        known = self._known("communities", named | {community for *_, community in claims})
        for position, entry in enumerate(state["communities"]):
            if entry["community"] not in known:
                below = messages.setdefault("communities", {})
                below[position] = {"community": [_unknown("community", entry["community"])]}
        for place, position, community in claims:
            if community not in known:
                below = messages.setdefault("sources", {}).setdefault(place, {})
                fault = [_unknown("community", community)]
                below.setdefault("claims", {})[position] = {"community": fault}
        episode = state["episode"]
        if episode is not None and episode not in self._known("episodes", {episode}):
            messages["episode"] = [_unknown("episode", episode)]
        return messages

    def _known(self, vocabulary: str, ids: set[str]) -> set[str]:
        """Tell which of IDS a vocabulary holds; those found are remembered."""
        known = self.terms[vocabulary]
        if sought := ids - known:
            found = statements.run(self.connection, _TERMS[vocabulary], {"ids": json_list(sought)})
            known |= {id_ for (id_,) in found}
            self.missing[vocabulary] |= sought - known
        return known

    def derive(self, record: Row, state: State) -> DerivedFields:
        """Work out what is derived from the state of a record."""
        articles = [source["article"] for source in state["sources"]]
        owner = record["pk"] if record["status"] == "draft" else None
        return documents.derive(state, upstream(self.connection, articles, owner))

    def write(self, *, last: bool = True) -> None:
        """Write what is collected, a statement a table; LAST is as `Batch.write` has it."""
        self._tell_of_articles()
        copies, self.copies = self.copies, []
        self.batch.write(last=last or bool(copies))  # counting again looks at all
        for article in copies:
            self._recount(article)

    def _tell_of_articles(self) -> None:
        """Collect the first versions of articles that are public from now on, and tell the feed."""
        new = [*self.new_articles, *self.citations.take_new()]
        self.new_articles = []
        for article in new:
            self.batch.add(ReferenceVersion, self._first_version(article))
            feed.record_change(
                self.session,
                resource="article",
                action="vocabulary",
                id=article["id"],
                version=article["version"],
                at=self.at,
            )
        self.copies += [article for article in new if article["syndicated_from"] is not None]

    def _first_version(self, article: Row) -> dict[str, Any]:
        return {
            "resource": "article",
            "id": article["id"],
            "number": article["version"],
            "action": "created",
            "actor_pk": self.actor.pk,
            "at": self.at,
            "reason": self.reason,
            "document": documents.dump(documents.article(article)),
        }

    def _recount(self, article: Row) -> None:
        """Count the sources of others again, whose copies ARTICLE leads to their original."""
        for record in citing(self.session, copies_of([article["id"]])):
            refresh(
                self.session,
                record,
                documents.embed(article),
                self.actor,
                reason=f"article {article['id']} says what it copies",
                batch=self.batch,
            )

    def lay_out(self, new: New) -> Laid:
        """Lay out a new record with its first version; nothing is collected yet."""
        record, state = new.record, new.state
        derived = self.derive(record, state)
        metadata = RecordMetadata(
            record["id"],
            record["version"],
            record["status"],
            record["created_at"],
            record["updated_at"],
            corrects=new.corrects["id"] if new.corrects else None,
        )
        rendered = documents.render(state, metadata, derived)
        document = documents.dump(rendered)
        record["document_pk"] = self.batch.next_pk(Version)
        record |= incident_columns(state, derived)
        version = self._version(record, "created", document)
        rows: Rows = {Incident: [in_order(Incident, record)], Version: [in_order(Version, version)]}
        for model, owned in owned_rows(record, state, new.article_pks).items():
            rows[model] = [in_order(model, row) for row in owned]
        return Laid(
            pk=record["pk"],
            id=record["id"],
            version=record["version"],
            version_pk=record["document_pk"],
            status=record["status"],
            rows=rows,
            entry=search.entry(record["pk"], record["sort_date"], rendered),
            sought=self.sought(new),
            corrects_pk=record["corrects_pk"],
            warnings=new.warnings,
        )

    def collect(self, laid: Laid) -> Written:
        """Collect a new record; `write` writes what is collected."""
        self._tell_of_articles()
        self.batch.add_rows(laid.rows)
        self.batch.add_entry(laid.entry)
        if laid.status == "published":
            self._announce(laid.id, laid.version, laid.version_pk, "created", published=1)
        return Written(laid.pk, laid.id, laid.version, laid.status, laid.document, laid.warnings)

    def replace(
        self,
        record: Row,
        state: State,
        article_pks: Mapping[str, int] | None,
        *,
        status: str,
        action: str,
        **columns: Any,
    ) -> Written:
        """Write the next version of a record; ARTICLE_PKS None leaves its sources as they are."""
        derived = self.derive(record, state)
        new: dict[str, Any] = {
            **record,
            **columns,
            "status": status,
            "version": record["version"] + 1,
            "updated_at": self.at,
            "document_pk": self.batch.next_pk(Version),
            **incident_columns(state, derived),
        }
        if status == "published" and record["public_from"] is None:
            new["public_from"] = new["version"]
        metadata = record_metadata(self.connection, [new])[new["pk"]]
        rendered = documents.render(state, metadata, derived)
        document = documents.dump(rendered)
        connection = self.connection
        incidents = table(Incident)
        connection.execute(
            update(incidents)
            .where(incidents.c.pk == record["pk"])
            .values({name: value for name, value in new.items() if name != "pk"})
        )
        if article_pks is not None:
            clear_owned(connection, record["pk"])
            self.batch.add_owned(new, state, article_pks)
        else:
            self._relist(new)
        self.batch.add(Version, self._version(new, action, document))
        self.write()
        erased = new["erased_at"] is not None
        entry = None if erased else search.entry(new["pk"], new["sort_date"], rendered)
        search.replace(connection, record, entry)
        if record["public_from"] is None and article_pks is not None:
            drop_private(connection, record["pk"], article_pks.values())
        self._announce_change(record, new, action)
        return Written(new["pk"], new["id"], new["version"], status, document)

    def _relist(self, record: Row) -> None:
        """Bring the copies in the communities' rows up to date."""
        rows = table(IncidentCommunity)
        connection = self.connection
        own = rows.c.incident_pk == record["pk"]
        seen: set[str] = set()
        listing = connection.execute(
            select(rows.c.position, rows.c.community).where(own).order_by(rows.c.position)
        ).all()
        for position, community in listing:
            connection.execute(
                update(rows)
                .where(own, rows.c.position == position)
                .values(
                    listed=record["status"] == "published" and community not in seen,
                    document_pk=record["document_pk"],
                )
            )
            seen.add(community)

    def _version(self, record: Row, action: str, document: str) -> dict[str, Any]:
        return {
            "pk": record["document_pk"],
            "incident_pk": record["pk"],
            "number": record["version"],
            "action": action,
            "status": record["status"],
            "code": record["withdrawal_code"],
            "actor_pk": self.actor.pk,
            "at": self.at,
            "reason": self.reason,
            "document": document,
        }

    def _announce_change(self, old: Row, new: Row, action: str) -> None:
        """Tell the feed, as far as the public has seen or now sees the record."""
        if new["public_from"] is None:
            return
        was, is_ = old["status"] == "published", new["status"] == "published"
        if action == "published":
            action = "created"
        self._announce(new["id"], new["version"], new["document_pk"], action, published=is_ - was)

    def _announce(
        self, id_: str, version: int, version_pk: int, action: str, *, published: int
    ) -> None:
        feed.record_change(
            self.session,
            resource="incident",
            action=action,
            id=id_,
            version=version,
            version_pk=version_pk,
            at=self.at,
            published=published,
        )


def record_metadata(connection: Connection, records: Collection[Row]) -> dict[int, RecordMetadata]:
    """Tell what the documents of RECORDS say of the records themselves, by primary key."""
    incidents = table(Incident).c
    former: dict[int, list[str]] = defaultdict(list)
    merged = select(incidents.merged_into_pk, incidents.id).where(
        incidents.merged_into_pk.in_([record["pk"] for record in records]),
        incidents.public_from.is_not(None),
    )
    for into, id_ in connection.execute(merged.order_by(incidents.id)):
        former[into].append(id_)
    # What a published record once corrected is history.
    drafts = {record["corrects_pk"] for record in records if record["status"] != "published"}
    corrected: dict[int | None, str] = {}
    if drafts - {None}:
        named = select(incidents.pk, incidents.id).where(incidents.pk.in_(drafts - {None}))
        corrected = {row.pk: row.id for row in connection.execute(named)}
    return {
        record["pk"]: RecordMetadata(
            record["id"],
            record["version"],
            _shown(record["status"]),
            record["created_at"],
            record["updated_at"],
            former[record["pk"]],
            None if record["status"] == "published" else corrected.get(record["corrects_pk"]),
            record["review"],
        )
        for record in records
    }


def _unknown(what: str, id_: str) -> ErrorDetail:
    plural = "communities" if what == "community" else f"{what}s"
    return ErrorDetail(
        f"unknown_{what}",
        f"There is no {what} {id_!r}; see /api/v1/{plural}, or add it there first.",
    )
