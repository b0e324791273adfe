"""Likeness: how much two records look like the same event, with reasons, for people to judge.

Unlike the rule that refuses a post (`api.records.duplicates`) this only ranks. A score of 1 is
alike in all that is compared (the articles cited, the place, the dates, the communities, the
titles), or known elsewhere by the same number. Points near each other are one place where day and
community are the same too.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from rapidfuzz import fuzz
from sqlalchemy import ColumnElement, and_, bindparam, exists, literal_column, or_, select
from sqlalchemy.sql import Select

from api.core.permissions import Actor
from api.database.readers import Reader
from api.database.statements import InJsonList, json_list
from api.documents import load
from api.geo import grid
from api.geo.distances import distance_km
from api.models import (
    DistinctPair,
    Incident,
    IncidentCommunity,
    IncidentExternalId,
    Source,
    Version,
)
from api.models.tables import key, table
from schemas import dates

LEAST = 0.5
MOST = 20
_SCANNED = 200
_DAYS = 31
# So near are two points that are taken for one place, and so many days apart their dates begin.
NEAR_KM = 15
_NEAR_DAYS = 3
# What is compared -> what it weighs.
WEIGHTS = {"article": 0.3, "place": 0.2, "dates": 0.2, "communities": 0.15, "title": 0.15}
REASONS = ("external_id", *WEIGHTS)

Document = Mapping[str, Any]


def score(document: Document, other: Document) -> tuple[float, list[str]]:
    """Return how alike two documents are, 0 to 1, and in what."""
    parts = {
        "article": _articles(document, other),
        "place": _places(document, other),
        "dates": _dates(document, other),
        "communities": _communities(document, other),
        "title": fuzz.token_set_ratio(document["title"], other["title"]) / 100,
    }
    total = sum(WEIGHTS[name] * part for name, part in parts.items())
    reasons = [name for name, part in parts.items() if part >= 0.5]
    if any(one in other["external_ids"] for one in document["external_ids"]):
        return 1.0, ["external_id", *reasons]
    return round(total, 2), reasons


def _articles(document: Document, other: Document) -> float:
    cited = ({s["article"]["id"] for s in side["sources"]} for side in (document, other))
    return 1.0 if set.intersection(*cited) else 0.0


def _places(document: Document, other: Document) -> float:
    if _are_near(document, other):
        return 1.0
    if document["country"] != other["country"]:
        return 0.0
    if document["geonames_id"] is not None and document["geonames_id"] == other["geonames_id"]:
        return 1.0
    return 1.0 if key(document["city"]) == key(other["city"]) is not None else 0.0


def _are_near(document: Document, other: Document) -> bool:
    """Whether two records of one day and a shared community have points near each other."""
    if not (_has_point(document) and _has_point(other) and _communities(document, other)):
        return False
    span, other_span = (dates.parse(side["date"]) for side in (document, other))
    if not (span.close_to(other_span) and span.overlaps(other_span)):
        return False
    points = (side[axis] for side in (document, other) for axis in ("latitude", "longitude"))
    return distance_km(*points) <= NEAR_KM


def _has_point(document: Document) -> bool:
    """Whether a record's point is its place's, and not that of a whole division or country."""
    wide = document["geo_precision"] in ("admin1", "country")
    return document["latitude"] is not None and not wide


def _dates(document: Document, other: Document) -> float:
    spans = [dates.parse(side["date"]) for side in (document, other)]
    if spans[0].close_to(spans[1]):
        return 1.0
    return 0.6 if spans[0].overlaps(spans[1]) else 0.0


def _communities(document: Document, other: Document) -> float:
    first, second = ({e["community"] for e in side["communities"]} for side in (document, other))
    return len(first & second) / len(first | second)


def similar(reader: Reader, pk: int, document: Document, actor: Actor) -> list[dict[str, Any]]:
    """Rank the MOST like records that ACTOR may read by their likeness to one.

    A pair that a curator judged distinct says so.
    """
    return _alike(reader, pk, document, actor)[:MOST]


def _alike(reader: Reader, pk: int, document: Document, actor: Actor) -> list[dict[str, Any]]:
    distinct = {
        first if second == pk else second for first, second in reader.run(_DISTINCT, {"pk": pk})
    }
    candidates = []
    for other_pk, text in _near(reader, pk, document, actor):
        other = load(text)
        points, reasons = score(document, other)
        if points >= LEAST:
            candidates.append(
                {
                    "id": other["id"],
                    "url": other["url"],
                    "title": other["title"],
                    "date": other["date"],
                    "city": other["city"],
                    "score": points,
                    "reasons": reasons,
                    "judged_distinct": other_pk in distinct,
                }
            )
    return sorted(candidates, key=lambda candidate: (-candidate["score"], candidate["id"]))


def pairs(reader: Reader, after: int, most: int) -> tuple[list[dict[str, Any]], int | None]:
    """List the likely pairs among published records that nobody judged yet.

    Looks at MOST records whose number is above AFTER; a pair is told where the one of its two that
    has the higher id is looked at. Gives the pairs and the number to go on after, None at the end.
    """
    rows = reader.run(_NEXT, {"after": after, "most": most})
    pairs = []
    for pk, text in rows:
        document = load(text)
        for candidate in _alike(reader, pk, document, _PUBLIC):
            if not candidate.pop("judged_distinct") and candidate["id"] < document["id"]:
                face = {name: document[name] for name in ("id", "url", "title", "date", "city")}
                alike = {name: candidate.pop(name) for name in ("score", "reasons")}
                pairs.append({**alike, "incidents": [candidate, face]})
    return pairs, rows[-1][0] if len(rows) == most else None


_PUBLIC = Actor()
_PUBLISHED = Incident.status == literal_column("'published'")
_DISTINCT = select(DistinctPair.first_pk, DistinctPair.second_pk).where(
    or_(DistinctPair.first_pk == bindparam("pk"), DistinctPair.second_pk == bindparam("pk"))
)
_NEXT = (
    select(Incident.pk, Version.document)
    .join(Version, Version.pk == Incident.document_pk)
    .where(_PUBLISHED, Incident.pk > bindparam("after"))
    .order_by(Incident.pk)
    .limit(bindparam("most"))
)


def _select(condition: ColumnElement[bool], readable: ColumnElement[bool]) -> Select[int, str]:
    return (
        select(Incident.pk, Version.document)
        .join(Version, Version.pk == Incident.document_pk)
        .where(readable, condition, Incident.pk != bindparam("pk"))
        .limit(_SCANNED)
    )


_HERE = and_(
    Incident.city_key == bindparam("city_key"),
    Incident.country == bindparam("country"),
    Incident.sort_date.between(bindparam("low"), bindparam("high")),
)
_communities_ = table(IncidentCommunity).c
_axes = (Incident.x - bindparam("x"), Incident.y - bindparam("y"), Incident.z - bindparam("z"))
_AROUND = and_(
    InJsonList(table(Incident).c.cell, "cells"),
    Incident.sort_date.between(bindparam("near_low"), bindparam("near_high")),
    _axes[0] * _axes[0] + _axes[1] * _axes[1] + _axes[2] * _axes[2] <= bindparam("chord"),
    exists().where(
        _communities_.incident_pk == Incident.pk,
        InJsonList(_communities_.community, "communities"),
    ),
)
_OWN = and_(
    Incident.status == literal_column("'draft'"),
    or_(bindparam("every") == 1, Incident.author_pk == bindparam("actor")),
)
_sources = table(Source).c
_cited = table(Source).alias("cited").c


def _citing(readable: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition of citing the same article; compared are so many of those READABLE."""
    articles = select(_cited.article_pk).where(_cited.incident_pk == bindparam("pk"))
    pks = (
        select(_sources.incident_pk)
        .join_from(table(Source), Incident, Incident.pk == _sources.incident_pk)
        .where(_sources.article_pk.in_(articles), _sources.incident_pk != bindparam("pk"), readable)
        .limit(_SCANNED)
    )
    return Incident.pk.in_(pks.correlate(None))


_external_ids, _others = table(IncidentExternalId).c, table(IncidentExternalId).alias("others").c
_KNOWN_AS = Incident.pk.in_(
    select(_others.incident_pk)
    .join(
        table(IncidentExternalId),
        and_(_others.id == _external_ids.id, _others.scheme == _external_ids.scheme),
    )
    .where(_external_ids.incident_pk == bindparam("pk"))
    .correlate(None)
)
_STATEMENTS = [
    _select(condition, readable)
    for readable in (_PUBLISHED, _OWN)
    for condition in (_HERE, _AROUND, _citing(readable), _KNOWN_AS)
]
_PUBLIC_STATEMENTS = _STATEMENTS[: len(_STATEMENTS) // 2]


def _near(reader: Reader, pk: int, document: Document, actor: Actor) -> Iterable[tuple[int, str]]:
    """Return the records worth comparing.

    Those are of the same city and month, near it in the same days, cite the same article, or have
    the same external id.
    """
    day = dates.parse(document["date"]).sort_date
    values = {
        "pk": pk,
        "city_key": key(document["city"]),
        "country": document["country"],
        "low": _shift(day, -_DAYS),
        "high": _shift(day, _DAYS),
        "every": int(actor.reads_all),
        "actor": actor.pk,
        **_values_around(document, day),
    }
    near_ids: dict[int, str] = {}
    for statement in _PUBLIC_STATEMENTS if actor.pk is None else _STATEMENTS:
        near_ids |= {row[0]: row[1] for row in reader.run(statement, values)}
    return near_ids.items()


def _values_around(document: Document, day: str) -> dict[str, Any]:
    """Return what `_AROUND` is bound to; without a point it is true of no record."""
    latitude, longitude, boxes = 0.0, 0.0, []
    if _has_point(document):
        latitude, longitude = document["latitude"], document["longitude"]
        boxes = grid.bounding_boxes(latitude, longitude, NEAR_KM)
    return {
        "cells": json_list(sorted(grid.squares(boxes, grid.CELL))),
        "near_low": _shift(day, -_NEAR_DAYS),
        "near_high": _shift(day, _NEAR_DAYS),
        **dict(zip("xyz", grid.vector(latitude, longitude), strict=True)),
        "chord": grid.chord_squared(NEAR_KM),
        "communities": json_list({entry["community"] for entry in document["communities"]}),
    }


def _shift(day: str, days: int) -> str:
    try:
        return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
    except OverflowError:
        return day
