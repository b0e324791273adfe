"""Records that may tell of the same event: the rule that refuses a post, and its candidates.

A post is refused as a duplicate only if (a) a record of the same city shares a community and both
dates are known to three days or better and at most a day apart, or (b) a record of the same city
cites the same article and the dates overlap.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    Connection,
    Integer,
    and_,
    bindparam,
    exists,
    or_,
    select,
    text,
    union_all,
)

from api import statements
from api.models import DistinctPair, Incident, IncidentCommunity, Source
from api.rows import key, table
from api.statements import Among, listed
from schemas import dates
from schemas.amendments import State

MOST_LISTED = 20
# How many of the records that cite an article are looked at, the newest first: for a post, and
# for each of very many records.
FAR, CLOSE = 500, 20
# Two dates that are near enough begin at most so many days apart: each spans three days at most,
# with a day between them.
_NEAR_DAYS = 3


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


def duplicates(
    connection: Connection,
    state: State,
    article_pks: Collection[int],
    *,
    caller_pk: int | None,
    all_drafts: bool,
    but: Collection[int] = (),
    reach: int = FAR,
) -> list[Candidate]:
    """Find the records that STATE duplicates, the likeliest first, at most twenty.

    ARTICLE_PKS are the articles it cites. Compared are the published records, and the drafts of
    the caller or of all, but not those in BUT: itself, and the one that it corrects. Of an
    article's records the REACH newest are looked at.
    """
    if state["city"] is None:
        return []
    span = dates.parse(state["date"])
    values = {
        "city_key": key(state["city"]),
        "country": state["country"],
        "geonames_id": state["geonames_id"],
        "caller": caller_pk or 0,
        "every": all_drafts,
        "low": _shift(span.sort_date, -_NEAR_DAYS),
        "high": _shift(span.sort_date, _NEAR_DAYS),
        "communities": listed({entry["community"] for entry in state["communities"]}),
        "articles": listed(set(article_pks)),
        "reach": reach,
    }
    # A month or a year is near to nothing by the first rule.
    rows = statements.run(connection, _NEAR, values) if span.close_to(span) else []
    for article_pk in article_pks:
        rows += statements.run(connection, _CITING, {**values, "article": article_pk})
    found: dict[int, Candidate] = {}
    for pk, id_, title, date_, city, shares, cites in rows:
        if pk in found or pk in but:
            continue
        reasons = _reasons(span, dates.parse(date_), bool(shares), bool(cites))
        if reasons:
            found[pk] = Candidate(pk, id_, title, date_, city, reasons)
    return sorted(found.values(), key=lambda one: (-len(one.reasons), -one.pk))[:MOST_LISTED]


def _compared() -> tuple[Any, Any]:
    """Select the records of one city that are compared: published ones, and readable drafts."""
    shared, cited = table(IncidentCommunity).c, table(Source).c
    shares = exists().where(
        shared.incident_pk == _INCIDENTS.pk, Among(shared.community, "communities")
    )
    cites = exists().where(cited.incident_pk == _INCIDENTS.pk, Among(cited.article_pk, "articles"))
    geonames_id = bindparam("geonames_id", type_=Integer)
    same_city = or_(
        _INCIDENTS.geonames_id == geonames_id,
        and_(
            geonames_id.is_(None),
            _INCIDENTS.geonames_id.is_(None),
            _INCIDENTS.country == bindparam("country"),
        ),
    )
    every = select(
        _INCIDENTS.pk, _INCIDENTS.id, _INCIDENTS.title, _INCIDENTS.date, _INCIDENTS.city,
        shares.label("shares"), cites.label("cites"),
    ).where(_INCIDENTS.city_key == bindparam("city_key"), same_city)  # fmt: skip
    readable = or_(
        bindparam("every", type_=Boolean),
        _INCIDENTS.author_pk == bindparam("caller", type_=Integer),
    )
    # Each as the partial indexes have it.
    published = every.where(text("incidents.status = 'published'"))
    drafts = every.where(
        text("incidents.status <> 'published' AND incidents.status = 'draft'"), readable
    )
    return published, drafts


_INCIDENTS = table(Incident).c
_PUBLISHED, _DRAFTS = _compared()
_WINDOW = _INCIDENTS.sort_date.between(bindparam("low"), bindparam("high"))
_NEAR = union_all(_PUBLISHED.where(_WINDOW), _DRAFTS.where(_WINDOW))
_NEWEST = (
    select(table(Source).c.incident_pk)
    .where(table(Source).c.article_pk == bindparam("article"))
    .order_by(table(Source).c.incident_pk.desc())
    .limit(bindparam("reach", type_=Integer))
    .subquery()
)
_CITING = union_all(
    *(one.join(_NEWEST, _NEWEST.c.incident_pk == _INCIDENTS.pk) for one in (_PUBLISHED, _DRAFTS))
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
