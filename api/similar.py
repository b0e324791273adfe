"""Records that may tell of the same event: the rule that refuses a post, and its candidates.

A post is refused as a duplicate only if (a) a record of the same city shares a community and both
dates are known to three days or better and at most a day apart, or (b) a record of the same city
cites the same article and the dates overlap.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, false, or_, select

from api.models import DistinctPair, Incident, IncidentCommunity, Source
from api.rows import key, table
from schemas import dates
from schemas.amendments import State

MOST_LISTED = 20
_SCANNED = 500


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that may be the same, and why."""

    pk: int
    id: str
    title: str
    date: str
    city: str
    reasons: list[str]

    def public(self) -> dict[str, Any]:
        """Lay it out for an answer."""
        return {
            "id": self.id,
            "url": f"/api/v1/incidents/{self.id}",
            "title": self.title,
            "date": self.date,
            "city": self.city,
            "reasons": self.reasons,
        }


def readable(caller_pk: int | None, *, all_drafts: bool) -> ColumnElement[bool]:
    """Say which records a caller may read that are neither withdrawn nor merged."""
    columns = table(Incident).c
    published = columns.status == "published"
    if all_drafts:
        return or_(published, columns.status == "draft")
    if caller_pk is None:
        return published
    return or_(published, and_(columns.status == "draft", columns.author_pk == caller_pk))


def duplicates(
    connection: Connection,
    state: State,
    article_pks: Collection[int],
    *,
    visible: ColumnElement[bool],
    but: Collection[int] = (),
) -> list[Candidate]:
    """Find the records that STATE duplicates, the likeliest first, at most twenty.

    ARTICLE_PKS are the articles it cites, VISIBLE what the caller may read (`readable`), BUT the
    records not to compare with: itself, and the one that it corrects.
    """
    if state["city"] is None:
        return []
    span = dates.parse(state["date"])
    incidents = table(Incident).c
    same_city = (
        incidents.geonames_id == state["geonames_id"]
        if state["geonames_id"] is not None
        else and_(incidents.geonames_id.is_(None), incidents.country == state["country"])
    )
    statement = (
        select(incidents.pk, incidents.id, incidents.title, incidents.date, incidents.city)
        .where(visible, incidents.city_key == key(state["city"]), same_city)
        .where(incidents.pk.not_in(list(but)))
        .where(incidents.earliest <= _shift(span.latest, 1))
        .where(incidents.latest >= _shift(span.earliest, -1))
        .order_by(incidents.sort_date.desc(), incidents.id)
        .limit(_SCANNED)
    )
    shares = _shares({entry["community"] for entry in state["communities"]})
    cites = _cites(article_pks)
    # A month or a year is near to nothing by the first rule, so that these are not even looked at.
    known = incidents.date_precision.in_(("day", "interval", "range"))
    near = and_(shares, known) if span.close_to(span) else false()
    statement = statement.where(or_(near, cites)).add_columns(
        shares.label("shares"), cites.label("cites")
    )
    found = []
    for row in connection.execute(statement):
        reasons = _reasons(span, dates.parse(row.date), bool(row.shares), bool(row.cites))
        if reasons:
            found.append(Candidate(row.pk, row.id, row.title, row.date, row.city, reasons))
    found.sort(key=lambda candidate: -len(candidate.reasons))
    return found[:MOST_LISTED]


def _shares(communities: Collection[str]) -> ColumnElement[bool]:
    rows = table(IncidentCommunity).c
    return exists().where(
        rows.incident_pk == table(Incident).c.pk, rows.community.in_(list(communities))
    )


def _cites(article_pks: Collection[int]) -> ColumnElement[bool]:
    rows = table(Source).c
    return exists().where(
        rows.incident_pk == table(Incident).c.pk, rows.article_pk.in_(list(article_pks))
    )


def _reasons(span: dates.DateSpan, other: dates.DateSpan, shares: bool, cites: bool) -> list[str]:
    reasons = []
    if shares and span.close_to(other):
        reasons.append("same city, a shared community, dates at most a day apart")
    if cites and span.overlaps(other):
        reasons.append("same city, the same article, overlapping dates")
    return reasons


def _shift(day: str, days: int) -> str:
    """Move an ISO day, staying inside the calendar."""
    try:
        return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
    except OverflowError:
        return day


def remember_distinct(connection: Connection, pk: int, others: Iterable[int], at: str) -> None:
    """Note that the record PK is not the same as OTHERS, by a curator's judgement."""
    pairs = table(DistinctPair)
    rows: list[Mapping[str, Any]] = [
        {"first_pk": min(pk, other), "second_pk": max(pk, other), "at": at} for other in others
    ]
    for row in rows:
        known = select(pairs).where(
            pairs.c.first_pk == row["first_pk"], pairs.c.second_pk == row["second_pk"]
        )
        if connection.execute(known).first() is None:
            connection.execute(pairs.insert().values(row))
