"""Records that may tell of the same event: the rule that refuses a post, and its candidates.

A post is refused as a duplicate only if (a) a record of the same city shares a community and both
dates are known to three days or better and at most a day apart, or (b) a record of the same city
cites the same article and the dates overlap.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    exists,
    not_,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql import ClauseElement

from api.core import clock
from api.core.errors import ApiError
from api.core.permissions import Actor
from api.database import statements
from api.database.statements import InJsonList, json_list
from api.models import DistinctPair, Incident, IncidentCommunity, Source
from api.models.tables import key, table
from api.records import access
from api.records.results import Candidate
from schemas import dates
from schemas.record_fields import State

MOST_LISTED = 20
# Of one city's records that cite the same article the newest are compared.
_MOST_CITING = 100
# Two dates that are near enough begin at most so many days apart: each spans three days at most,
# with a day between them.
_NEAR_DAYS = 3


class DuplicateProbe(NamedTuple):
    """A record as others are compared with it: where and when it was, who and what it names.

    `near` tells whether its date is known to three days or better; what is then near enough begins
    between `low` and `high`, and ends not before `ends`. PK may be no record's yet.
    """

    pk: int
    city_key: str
    country: str
    geonames_id: int | None
    date: str
    near: bool
    earliest: str
    latest: str
    low: str
    high: str
    ends: str
    communities: tuple[str, ...]
    articles: tuple[int, ...]


def probe_of(pk: int, state: State, article_pks: Iterable[int]) -> DuplicateProbe | None:
    """Return what others are compared with a record by: its STATE, and the articles it cites.

    None without a city, as nothing is like that.
    """
    if state["city"] is None:
        return None
    return DuplicateProbe(
        pk=pk,
        city_key=key(state["city"]) or "",
        country=state["country"],
        geonames_id=state["geonames_id"],
        **_when(state["date"]),
        communities=tuple({entry["community"] for entry in state["communities"]}),
        articles=tuple(set(article_pks)),
    )


def candidates(
    connection: Connection,
    probe: DuplicateProbe,
    actor: Actor,
    excluded: Collection[int | None],
    most: int = MOST_LISTED,
) -> list[Candidate]:
    """Return the records that a record duplicates, the likeliest first, at most MOST.

    Compared are the published records, and the drafts that ACTOR may read, but not those EXCLUDED,
    such as the one that it corrects. Of records that only are near, the latest are taken.
    """
    values = {
        **probe._asdict(),
        **_caller(actor),
        "communities": json_list(probe.communities),
        "articles": json_list(probe.articles),
        "excluded": json_list(pk for pk in excluded if pk is not None),
    }
    found = _citing(connection, probe, values)
    # A month or a year is near to nothing by the first rule.
    for statement in (_NEAR_PUBLISHED, _NEAR_DRAFTS) if probe.near else ():
        found |= _near(connection, statement, probe, values, most)
    ranked = sorted(found.values(), key=lambda each: (-len(each.reasons), -each.pk))
    return ranked[:most]


def _citing(
    connection: Connection, probe: DuplicateProbe, values: dict[str, Any]
) -> dict[int, Candidate]:
    """Return the duplicates, by primary key, among those that cite an article of a record."""
    pks: set[int] = set()
    for article_pk in probe.articles:
        newest = statements.run(connection, _NEWEST, {**values, "article": article_pk})
        pks.update(pk for (pk,) in newest)
    if not pks:
        return {}
    rows = statements.run(connection, _CITING, {**values, "pks": json_list(pks)})
    return _duplicates(probe, rows)


def _near(
    connection: Connection,
    statement: ClauseElement,
    probe: DuplicateProbe,
    values: dict[str, Any],
    most: int,
) -> dict[int, Candidate]:
    """Return the latest duplicates of near days, by primary key, until there are MOST.

    A few at a time: of thousands that are alike, each would be read for each of the others.
    """
    found: dict[int, Candidate] = {}
    offset, size = 0, most
    while len(found) < most:
        page = {**values, "offset": offset, "size": size}
        rows = statements.run(connection, statement, page)
        found |= _duplicates(probe, rows)
        if len(rows) < size:
            break
        offset, size = offset + size, 4 * size
    return found


def _duplicates(probe: DuplicateProbe, rows: Iterable[Any]) -> dict[int, Candidate]:
    span = dates.parse(probe.date)
    found = {}
    for pk, id_, title, date_, city, shares, cites in rows:
        if reasons := _reasons(span, dates.parse(date_), bool(shares), bool(cites)):
            found[pk] = Candidate(pk, id_, title, date_, city, reasons)
    return found


def certain_duplicates(
    connection: Connection, probes: Iterable[DuplicateProbe], before: int
) -> set[int]:
    """Return which of many PROBES, by primary key, surely duplicate a published one.

    Those are of one day, and so is the other, whose key is below BEFORE. It takes no row but one.
    """
    lines = [
        (
            probe.pk,
            probe.city_key,
            probe.country,
            probe.geonames_id,
            probe.ends,
            probe.high,
            _within(probe),
        )
        for probe in probes
        if probe.earliest == probe.latest
    ]
    if not lines:
        return set()
    values = {"lines": orjson.dumps(lines).decode(), "before": before}
    return {pk for (pk,) in statements.run(connection, _SURE[connection.dialect.name], values)}


def possible_duplicates(
    connection: Connection, probes: Iterable[DuplicateProbe], actor: Actor
) -> set[int]:
    """Return which of many PROBES, by primary key, may duplicate any other that ACTOR may read.

    The rest surely do not: one question about all costs a fraction of one about each.
    """
    near, citing = [], []
    for probe in probes:
        bounds = (probe.pk, probe.city_key, probe.earliest, probe.latest, probe.low, probe.high)
        if probe.near:
            near.append((*bounds, probe.ends, _within(probe), None))
        citing += [(*bounds, None, None, article_pk) for article_pk in probe.articles]
    name = connection.dialect.name
    pks: set[int] = set()
    for statement, lines in ((_ANY_NEAR[name], near), (_ANY_CITING[name], citing)):
        if lines:
            values = {"lines": orjson.dumps(lines).decode(), **_caller(actor)}
            pks.update(pk for (pk,) in statements.run(connection, statement, values))
    return pks


def _caller(actor: Actor) -> dict[str, Any]:
    """Return what says which drafts are readable: every one, or those of the caller."""
    return {"caller": actor.pk or 0, "every": actor.reads_all}


def _within(probe: DuplicateProbe) -> str:
    """Write the communities of a record as `_SHARING` looks one up among them."""
    return f"|{'|'.join(probe.communities)}|"


_COLLATED = {"text": ' COLLATE "C"', "bigint": ""}


def _lines(names: Mapping[str, str]) -> dict[str, str]:
    """Write lines of a JSON list as a table of columns with these NAMES and types.

    PostgreSQL compares as the columns are ordered.
    """
    parts = [f"json_extract(value, '$[{at}]') AS {name}" for at, name in enumerate(names)]
    typed = [
        f'(line->>{at})::{type_}{_COLLATED[type_]} AS "{name}"'
        for at, (name, type_) in enumerate(names.items())
    ]
    each = "json_array_elements(CAST(:lines AS json)) AS each(line)"
    return {
        "sqlite": f"SELECT {', '.join(parts)} FROM json_each(:lines)",  # noqa: S608
        "postgresql": f"SELECT {', '.join(typed)} FROM {each}",  # noqa: S608
    }


_LINES = _lines(
    {"pk": "bigint"}
    | dict.fromkeys(
        ("city_key", "earliest", "latest", "low", "high", "ends", "communities"), "text"
    )
    | {"article": "bigint"}
)
_SURE_LINES = _lines(
    {"pk": "bigint", "city_key": "text", "country": "text", "geonames_id": "bigint"}
    | dict.fromkeys(("low", "high", "communities"), "text")
)
_OTHER = "FROM incidents AS other WHERE other.pk <> line.pk"
_SHARING = (
    "EXISTS (SELECT 1 FROM incident_communities AS part"
    " WHERE part.incident_pk = other.pk AND line.communities LIKE '%|' || part.community || '|%')"
)
_THERE = (
    "other.city_key = line.city_key AND other.sort_date BETWEEN line.low AND line.high"
    f" AND other.latest >= line.ends AND {_SHARING}"
)
_SURE = {
    name: text(
        f"WITH line AS MATERIALIZED ({lines}) SELECT line.pk FROM line WHERE EXISTS"  # noqa: S608
        " (SELECT 1 FROM incidents AS other WHERE other.pk < :before"
        " AND other.status = 'published' AND other.city_key = line.city_key"
        " AND other.sort_date BETWEEN line.low AND line.high AND other.earliest = other.latest"
        " AND (other.geonames_id = line.geonames_id OR (other.geonames_id IS NULL"
        f" AND line.geonames_id IS NULL AND other.country = line.country)) AND {_SHARING})"
    )
    for name, lines in _SURE_LINES.items()
}
_ANY_NEAR = {
    name: text(
        f"WITH line AS MATERIALIZED ({lines}) SELECT line.pk FROM line WHERE"  # noqa: S608
        f" EXISTS (SELECT 1 {_OTHER} AND {_THERE} AND other.status = 'published')"
        f" OR EXISTS (SELECT 1 {_OTHER} AND {_THERE} AND other.status <> 'published'"
        " AND other.status = 'draft')"
    )
    for name, lines in _LINES.items()
}
# By way of the sources: left to choose, PostgreSQL compares every line with every record.
_ANY_CITING = {
    name: text(
        f"WITH line AS MATERIALIZED ({lines}) SELECT line.pk FROM line WHERE EXISTS"  # noqa: S608
        " (SELECT 1 FROM (SELECT incident_pk FROM sources"
        " JOIN incidents AS cited ON cited.pk = incident_pk"
        " WHERE article_pk = line.article AND sources.city_key = line.city_key"
        " AND (cited.status = 'published' OR cited.status = 'draft'"
        " AND (:every OR cited.author_pk = :caller))"
        f" ORDER BY incident_pk DESC LIMIT {_MOST_CITING}) AS citing"
        " JOIN incidents AS other ON other.pk = citing.incident_pk"
        " WHERE other.pk <> line.pk AND other.status IN ('published', 'draft')"
        " AND other.earliest <= line.latest AND other.latest >= line.earliest)"
    )
    for name, lines in _LINES.items()
}

_INCIDENTS = table(Incident).c
_COMMUNITIES, _SOURCES = table(IncidentCommunity).c, table(Source).c
_SHARES = exists().where(
    _COMMUNITIES.incident_pk == _INCIDENTS.pk, InJsonList(_COMMUNITIES.community, "communities")
)
_CITES = exists().where(
    _SOURCES.incident_pk == _INCIDENTS.pk, InJsonList(_SOURCES.article_pk, "articles")
)
_NOT_EXCLUDED = not_(InJsonList(_INCIDENTS.pk, "excluded"))
_READABLE = or_(
    bindparam("every", type_=Boolean), _INCIDENTS.author_pk == bindparam("caller", type_=Integer)
)


def _in_city(shares: ColumnElement[bool], cites: ColumnElement[bool]) -> Select[Any]:
    """Select the records of one city by name, with what they have in common."""
    geonames_id = bindparam("geonames_id", type_=Integer)
    same_city = or_(
        _INCIDENTS.geonames_id == geonames_id,
        and_(
            geonames_id.is_(None),
            _INCIDENTS.geonames_id.is_(None),
            _INCIDENTS.country == bindparam("country"),
        ),
    )
    return select(
        _INCIDENTS.pk,
        _INCIDENTS.id,
        _INCIDENTS.title,
        _INCIDENTS.date,
        _INCIDENTS.city,
        shares.label("shares"),
        cites.label("cites"),
    ).where(same_city)


# Those of near days that share a community, published and drafts each as their index has them.
# An index has them in that order, so that no more are read than are asked for.
_WINDOW = (
    _in_city(true(), _CITES)
    .where(
        _INCIDENTS.city_key == bindparam("city_key"),
        _INCIDENTS.sort_date.between(bindparam("low"), bindparam("high")),
        _SHARES,
        _NOT_EXCLUDED,
    )
    .order_by(_INCIDENTS.sort_date.desc(), _INCIDENTS.id.desc())
    .limit(bindparam("size"))
    .offset(bindparam("offset"))
)
_DRAFTS = text("incidents.status <> 'published' AND incidents.status = 'draft'")
_NEAR_PUBLISHED = _WINDOW.where(text("incidents.status = 'published'"))
_NEAR_DRAFTS = _WINDOW.where(_DRAFTS, _READABLE)
# Those that cite one of the same articles, whenever: first who they are, from an index alone.
_MAY_BE_READ = or_(_INCIDENTS.status == "published", and_(_INCIDENTS.status == "draft", _READABLE))
_NEWEST = (
    select(_SOURCES.incident_pk)
    .join_from(table(Source), table(Incident), _INCIDENTS.pk == _SOURCES.incident_pk)
    .where(
        _SOURCES.article_pk == bindparam("article"),
        _SOURCES.city_key == bindparam("city_key"),
        _MAY_BE_READ,
    )
    .order_by(_SOURCES.incident_pk.desc())
    .limit(_MOST_CITING)
)
_CITING = _in_city(_SHARES, true()).where(
    InJsonList(_INCIDENTS.pk, "pks"),
    _INCIDENTS.earliest <= bindparam("latest"),
    _INCIDENTS.latest >= bindparam("earliest"),
    _MAY_BE_READ,
    _NOT_EXCLUDED,
)


def _reasons(span: dates.DateSpan, other: dates.DateSpan, shares: bool, cites: bool) -> list[str]:
    reasons = []
    if shares and span.close_to(other):
        reasons.append("same city, a shared community, dates at most a day apart")
    if cites and span.overlaps(other):
        reasons.append("same city, the same article, overlapping dates")
    return reasons


@lru_cache(maxsize=16_384)
def _when(text: str) -> Mapping[str, Any]:
    """Return what of its date a record is compared by."""
    span = dates.parse(text)
    return {
        "date": text,
        "near": span.close_to(span),
        "earliest": span.earliest,
        "latest": span.latest,
        "low": _shift(span.sort_date, -_NEAR_DAYS),
        "high": min(_shift(span.sort_date, _NEAR_DAYS), _shift(span.latest, 1)),
        "ends": _shift(span.earliest, -1),
    }


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


def judge_distinct(session: Session, ids: Collection[str], actor: Actor) -> None:
    """Note that the two records with IDS are of two events. Raises ApiError: one cannot be had."""
    # In the order of their ids, so that two judgements do not wait for each other.
    first, second = (access.get_for_update(session, id_, actor, "*") for id_ in sorted(ids))
    remember_distinct(session.connection(), first["pk"], [second["pk"]], clock.now())


def duplicate_error(candidates: list[Candidate]) -> ApiError:
    """Return the refusal of a record that looks like CANDIDATES, the likeliest first."""
    first = candidates[0]
    return ApiError(
        "duplicate",
        f"This looks like {first.id} ({first.title}, {first.date}): {first.reasons[0]}. "
        "Add a source to that record, or post again with allow_duplicate=true if it is another.",
        similar=[candidate.public() for candidate in candidates],
    )
