"""The writer: puts complete records into rows, versions, the full-text index and the feed.

Every write leaves one version of the record behind, with its document, who made it and why, and
records in the feed what the public can see of it. It never commits.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from api import documents
from api.core import clock
from api.core.permissions import Actor
from api.documents import DerivedFields, RecordMetadata
from api.models import Incident, IncidentCommunity, ReferenceVersion, Version
from api.models.tables import table
from api.records import access, external_ids, feed
from api.records.batches import Batch
from api.records.citations import ArticleRow, copies_of, drop_private, upstream
from api.records.reading import (
    current_document,
    load_metadata,
    lock_citing,
    version_document,
)
from api.records.resolver import ReferenceResolver
from api.records.results import Amendment, ImportedHistory, NewRecord, Row, WriteResult
from api.records.rows import child_rows, delete_children, incident_columns
from api.search import indexed_text, indexer
from schemas import merge, record_state
from schemas.article import embed
from schemas.errors import ErrorDetail
from schemas.record_fields import State


class RecordWriter:
    """Writes records of one transaction as one actor at one time.

    New records are collected in the batch, and `write` writes them; changes are written at once.
    """

    def __init__(
        self,
        session: Session,
        actor: Actor,
        reason: str | None = None,
        *,
        at: str | None = None,
        batch: Batch | None = None,
        import_id: str | None = None,
    ) -> None:
        """Write as ACTOR, at the time AT (now, unless given).

        REASON is noted with every version that is written without a reason of its own.

        IMPORT_ID is the import that makes the versions, or that is undone by them.
        """
        self.session = session
        self.actor = actor
        self.reason = reason
        self.at = at or clock.now()
        self.batch = batch or Batch(session.connection())
        self.resolver = ReferenceResolver(self.batch, self.at)
        self.import_id = import_id
        self._new_copies: list[ArticleRow] = []

    def prepare(
        self,
        data: Mapping[str, Any],
        status: str,
        id_: str,
        *,
        reason: str | None = None,
        history: ImportedHistory | None = None,
    ) -> NewRecord:
        """Return a new record of the fields in DATA, complete and not yet collected.

        Of a correction, DATA is a merge patch on the record that it corrects: the draft holds all
        of that record with the patch applied. Raises ValidationError with all faults.
        """
        history = history or ImportedHistory(1, self.at, self.at)
        is_new = history.created_at == self.at
        data = self.resolver.terms.identify(data)
        corrects, base = None, None
        if data.get("corrects") is not None:
            corrects, base = self._correction_base(data, status)
            data = record_state.as_patch(base, data)
        record: dict[str, Any] = {
            "pk": self.batch.next_pk(Incident),
            "id": id_,
            "status": status,
            "version": history.version,
            "public_from": history.version if status == "published" else None,
            "author_pk": self.actor.pk,
            "corrects_pk": corrects["pk"] if corrects else None,
            "corrects_version": corrects["version"] if corrects else None,
            "merged_into_pk": None,
            "merged_version": None,
            "erased_at": None,
            "withdrawal_code": None,
            "review": None,
            "created_at": history.created_at,
            "updated_at": history.updated_at,
        }
        amended = record_state.amend(base, data)
        draft_pk = record["pk"] if status == "draft" else None
        resolved = self.resolver.resolve_references(amended, draft_pk, stored=base, strict=is_new)
        return NewRecord(record, *resolved, corrects, reason or self.reason)

    def _correction_base(self, data: Mapping[str, Any], status: str) -> tuple[Row, State]:
        """Return the record that DATA corrects, at the version it is based on, and its state then.

        Raises ValidationError.
        """
        record = access.find_corrected(self.session, data["corrects"], self.actor, status)
        number = data.get("version", record["version"])
        if not record["public_from"] <= number <= record["version"]:
            detail = f"There is no public version {number}; it stands at {record['version']}."
            raise ValidationError({"version": [ErrorDetail("bad_version", detail)]})
        document = version_document(self.session, record, number)
        return {**record, "version": number}, record_state.state_of(document)

    def add(self, new: NewRecord) -> WriteResult:
        """Collect a new record with its first version; `write` writes what is collected."""
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
        self._add_article_versions(new.reason)
        self.batch.add(Incident, record)
        self.batch.add_rows(child_rows(record, state, derived, new.article_pks))
        self._add_version(record, "created", document, new.reason)
        self.batch.add_entry(indexed_text.entry(record["pk"], record["sort_date"], rendered))
        if record["status"] == "published":
            self._record_change(record, "created", published=1)
        return WriteResult(
            record["pk"], record["id"], record["version"], record["status"], document, new.warnings
        )

    def write(self, *, last: bool = True) -> None:
        """Write what is collected, a statement a table; LAST is as `Batch.write` has it."""
        if self.resolver.citations.new:
            self._add_article_versions(self.reason)
        copies, self._new_copies = self._new_copies, []
        self.batch.write(last=last or bool(copies))  # counting again looks at all
        for article in copies:
            self._recount_sources(article)

    def prepare_change(
        self,
        record: Row,
        document: Mapping[str, Any],
        data: Mapping[str, Any],
        *,
        replace: bool,
        tells_emptied: bool = False,
        reason: str | None = None,
    ) -> Amendment:
        """Return what DATA makes of a record; REPLACE is the rule of PUT.

        What REPLACE empties is a warning; with TELLS_EMPTIED, what any change empties. Raises
        ValidationError with all faults.
        """
        access.check_identity(data, document)
        status = access.next_status(record, data)
        publishing = record["status"] == "draft" and status == "published"
        if publishing and record["corrects_pk"] is not None:
            fault = (
                "A correction is published by POST …/publish: it becomes a version of the record."
            )
            raise ValidationError({"status": [ErrorDetail("bad_status", fault)]})
        stored = record_state.state_of(document)
        identified = self.resolver.terms.identify(data)
        amended = record_state.amend(stored, identified, replace=replace)
        draft_pk = record["pk"] if record["status"] == "draft" else None
        state, article_pks, warnings = self.resolver.resolve_references(
            amended, draft_pk, stored=stored
        )
        if replace:
            warnings += [
                {"pointer": f"/{name}", "code": "figure_assumed", "detail": detail}
                for name, detail in record_state.assumed_figures(stored, identified, state)
            ]
        changed = state != stored or status != record["status"]
        if replace or tells_emptied:
            warnings += _emptied(stored, state)
        if state["external_ids"] != stored["external_ids"] or status != record["status"]:
            others = (record["corrects_pk"],)
            pk, connection = record["pk"], self.batch.connection
            warnings += external_ids.shared(connection, {pk: state}, self.actor, others)[pk]
        return Amendment(record, status, state, article_pks, warnings, changed, reason)

    def prepare_anew(
        self, record: Row, data: Mapping[str, Any], status: str, *, reason: str | None = None
    ) -> Amendment:
        """Return what DATA alone makes of a withdrawn record, of which nothing else stays.

        Raises ValidationError with all faults.
        """
        amended = record_state.amend(None, self.resolver.terms.identify(data))
        draft_pk = record["pk"] if status == "draft" else None
        resolved = self.resolver.resolve_references(amended, draft_pk)
        return Amendment(record, status, *resolved, True, reason)

    def change(self, to: Amendment) -> WriteResult:
        """Write the next version of a record, publishing a draft where that is the change."""
        action, state, article_pks = "changed", to.state, to.article_pks
        if to.record["status"] == "draft" and to.status == "published":
            action = "published"
            self.batch.write()  # articles that this very request names
            renamed = self.resolver.citations.publish(to.record["pk"])
            state, article_pks = self.resolver.re_cite(state, renamed)
        # A draft that its author has worked on since a rejection waits for review anew.
        result = self.replace(
            to.record,
            state,
            article_pks,
            status=to.status,
            action=action,
            reason=to.reason,
            review=None,
        )
        result.warnings = to.warnings
        return result

    def replace(
        self,
        record: Row,
        state: State,
        article_pks: Mapping[str, int] | None,
        *,
        status: str,
        action: str,
        reason: str | None = None,
        **columns: Any,
    ) -> WriteResult:
        """Write the next version of a record; ARTICLE_PKS None leaves its sources as they are."""
        reason = reason or self.reason
        derived = self.derive(record, state)
        new = self._next_row(record, status, {**columns, **incident_columns(state, derived)})
        connection = self.batch.connection
        metadata = load_metadata(connection, [new])[new["pk"]]
        rendered = documents.render(state, metadata, derived)
        document = documents.dump(rendered)
        self._update_row(new)
        if article_pks is not None:
            delete_children(connection, record["pk"])
            self.batch.add_rows(child_rows(new, state, derived, article_pks))
        else:
            self._update_community_rows(new)
        self._add_article_versions(reason)
        self._add_version(new, action, document, reason)
        self.write()
        erased = new["erased_at"] is not None
        entry = None if erased else indexed_text.entry(new["pk"], new["sort_date"], rendered)
        indexer.replace(connection, record, entry)
        if record["public_from"] is None and article_pks is not None:
            drop_private(connection, record["pk"], article_pks.values())
        if new["public_from"] is not None:  # the public has seen it, or sees it now
            published = (status == "published") - (record["status"] == "published")
            action = "created" if action == "published" else action
            self._record_change(new, action, published=published)
        return WriteResult(new["pk"], new["id"], new["version"], status, document)

    def derive(self, record: Row, state: State) -> DerivedFields:
        """Return what is derived from the state of a record."""
        articles = [source["article"] for source in state["sources"]]
        owner = record["pk"] if record["status"] == "draft" else None
        return documents.derive(state, upstream(self.batch.connection, articles, owner))

    def preview(self, state: State) -> dict[str, Any]:
        """Return the document of a state, of a record that does not matter."""
        metadata = RecordMetadata("", 1, "published", self.at, self.at)
        return documents.render(state, metadata, documents.derive(state, {}))

    def _next_row(self, record: Row, status: str, columns: Mapping[str, Any]) -> dict[str, Any]:
        number = record["version"] + 1
        published_first = status == "published" and record["public_from"] is None
        return {
            **record,
            **columns,
            "status": status,
            "version": number,
            **({"public_from": number} if published_first else {}),
            "updated_at": self.at,
            "document_pk": self.batch.next_pk(Version),
        }

    def _update_row(self, new: Row) -> None:
        incidents = table(Incident)
        self.batch.connection.execute(
            update(incidents)
            .where(incidents.c.pk == new["pk"])
            .values({name: value for name, value in new.items() if name != "pk"})
        )

    def _update_community_rows(self, record: Row) -> None:
        """Bring what the rows of communities copy from their record up to date."""
        rows = table(IncidentCommunity)
        connection = self.batch.connection
        own = rows.c.incident_pk == record["pk"]
        seen: set[str] = set()
        communities = connection.execute(
            select(rows.c.position, rows.c.community).where(own).order_by(rows.c.position)
        ).all()
        for position, community in communities:
            connection.execute(
                update(rows)
                .where(own, rows.c.position == position)
                .values(
                    listed=record["status"] == "published" and community not in seen,
                    document_pk=record["document_pk"],
                )
            )
            seen.add(community)

    def _add_article_versions(self, reason: str | None) -> None:
        """Collect first versions of articles that are public from now on, and their changes."""
        articles, self.resolver.citations.new = self.resolver.citations.new, []
        for article in articles:
            version = {
                "resource": "article",
                "id": article["id"],
                "number": article["version"],
                "action": "created",
                "actor_pk": self.actor.pk,
                "at": self.at,
                "reason": reason,
                "document": documents.dump(documents.article(article)),
            }
            self.batch.add(ReferenceVersion, version)
            feed.record_change(
                self.session,
                resource="article",
                action="vocabulary",
                id=article["id"],
                version=article["version"],
                at=self.at,
            )
            if article["syndicated_from"] is not None:
                self._new_copies.append(article)

    def _recount_sources(self, article: ArticleRow) -> None:
        """Count the sources of others again, whose copies ARTICLE leads to their original."""
        reason = f"article {article['id']} says what it copies"
        for record in lock_citing(self.session, copies_of([article["id"]])):
            refresh(
                self.session,
                record,
                embed(article),
                self.actor,
                reason=reason,
                batch=self.batch,
                import_id=self.import_id,
            )

    def _add_version(self, record: Row, action: str, document: str, reason: str | None) -> None:
        version = {
            "pk": record["document_pk"],
            "incident_pk": record["pk"],
            "number": record["version"],
            "action": action,
            "status": record["status"],
            "code": record["withdrawal_code"],
            "actor_pk": self.actor.pk,
            "at": self.at,
            "reason": reason,
            "document": document,
            "import_id": self.import_id,
        }
        self.batch.add(Version, version)

    def _record_change(self, record: Row, action: str, *, published: int) -> None:
        feed.record_change(
            self.session,
            resource="incident",
            action=action,
            id=record["id"],
            version=record["version"],
            version_pk=record["document_pk"],
            at=self.at,
            published=published,
        )


def _emptied(before: State, after: State) -> list[dict[str, Any]]:
    """Return a warning of each field that is empty now, or a list that has lost entries."""
    return [
        {
            "pointer": f"/{change['field']}",
            "code": "emptied",
            "detail": f"{change['field']} has lost entries."
            if change["to"]
            else f"{change['field']} is empty now.",
        }
        for change in merge.differences(before, after)
        if merge.is_emptied(change)
    ]


def refresh(
    session: Session,
    record: Row,
    article: Mapping[str, Any],
    actor: Actor,
    *,
    reason: str,
    batch: Batch | None = None,
    import_id: str | None = None,
) -> WriteResult | None:
    """Render a record that cites ARTICLE (as embedded), or a copy of it, with what it says now.

    BATCH is that of a writer which goes on after it. None where the record shows none of what
    changed.
    """
    document = current_document(session, record)
    state = record_state.state_of(document)
    state["sources"] = [
        {**source, "article": article} if source["article"]["id"] == article["id"] else source
        for source in state["sources"]
    ]
    writer = RecordWriter(session, actor, reason, batch=batch, import_id=import_id)
    derived = writer.derive(record, state)
    same_number = derived.number_of_sources == document["number_of_sources"]
    if same_number and state == record_state.state_of(document):
        return None
    return writer.replace(record, state, None, status=record["status"], action="changed")
