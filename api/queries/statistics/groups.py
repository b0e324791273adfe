"""Groups: what statistics are counted by, read from the tables and from a document alike.

A group has a key of one or more parts. Most incidents are in one group of a kind; one with several
police measures is in each of theirs, and one without any in that of none, whose key is null. A
period (year, month, ISO week) holds what happened wholly within it: an incident whose date spans
several is in the group whose key is null.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from api.database.base import Base
from api.models import (
    Article,
    Incident,
    IncidentCommunity,
    IncidentMeasure,
    IncidentOrganisation,
    IncidentTag,
    Source,
)
from api.models.tables import table
from api.queries.plans.plans import Branch
from schemas import dates

Document = Mapping[str, Any]
Key = tuple[str | None, ...]
incidents = table(Incident).c


@dataclass(frozen=True, slots=True)
class GroupedBranch:
    """A branch with what a group adds to it: the source, key columns, and whose parts are counted.

    `parts` are the rows of communities or organisations: each with whether it is the first of its
    kind in the record.
    """

    source: Any
    columns: list[ColumnElement[Any]]
    parts: tuple[tuple[Any, ColumnElement[bool]], ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A way to group: the members that show its key, how branches are joined, keys of a document.

    `several`: an incident may be in several groups; `period`: its key may be null because the
    date spans several; `stored`: its columns are those of the figures' index.
    """

    members: tuple[str, ...]
    join: Callable[[Any, Branch], GroupedBranch]
    keys: Callable[[Document], Iterable[Key]]
    several: bool = False
    period: bool = False


def _columns(*names: str) -> Group:
    """Group by columns of the incident that a document has under the same names."""
    columns = [incidents[name] for name in names]
    return Group(
        names,
        lambda source, _: GroupedBranch(source, list(columns)),
        lambda document: [tuple(document[name] for name in names)],
    )


def _period(name: str, length: int) -> Group:
    """Group by the beginning of the date that its first and last day share."""
    first, last = (
        func.substr(column, literal_column("1"), literal_column(str(length)))
        for column in (incidents.earliest, incidents.latest)
    )

    def keys(document: Document) -> list[Key]:
        span = dates.parse(document["date"])
        start, end = span.earliest[:length], span.latest[:length]
        return [(start if start == end else None,)]

    within = case((first == last, first))
    return Group((name,), lambda source, _: GroupedBranch(source, [within]), keys, period=True)


def _week(document: Document) -> list[Key]:
    return [(dates.parse(document["date"]).week,)]


def _items(name: str, model: type[Base], column: str, member: str) -> Group:
    """Group by the items of a list: their COLUMN in the rows of MODEL, MEMBER of a document."""

    def join(source: Any, branch: Branch) -> GroupedBranch:
        rows = table(model).alias(f"grouped_{name}")
        joined = source.outerjoin(rows, rows.c.incident_pk == branch.pk)
        return GroupedBranch(joined, [rows.c[column]])

    def keys(document: Document) -> list[Key]:
        return [(item,) for item in document[member]] or [(None,)]

    return Group((name,), join, keys, several=True)


def _publishers(source: Any, branch: Branch) -> GroupedBranch:
    cited, articles = table(Source), table(Article)
    rows = (
        select(cited.c.incident_pk, articles.c.publisher)
        .join_from(cited, articles, articles.c.pk == cited.c.article_pk)
        .where(articles.c.publisher.is_not(None))
        .distinct()
        .subquery("grouped_publisher")
    )
    return GroupedBranch(
        source.outerjoin(rows, rows.c.incident_pk == branch.pk), [rows.c.publisher]
    )


def _publishers_of(document: Document) -> list[Key]:
    publishers = {source["article"]["publisher"] for source in document["sources"]} - {None}
    return [(name,) for name in sorted(publishers)] or [(None,)]


def _first(model: type[Base], column: str, name: str) -> tuple[Any, ColumnElement[bool]]:
    """Return MODEL's rows under NAME, and whether a row is the first of its record and COLUMN."""
    rows, others = table(model).alias(name), table(model).alias(f"{name}_o")
    earlier = exists().where(
        others.c.incident_pk == rows.c.incident_pk,
        others.c[column] == rows.c[column],
        others.c.position < rows.c.position,
    )
    return rows, ~earlier


def _part(name: str) -> tuple[Any, ColumnElement[bool]]:
    """Return a community's rows under NAME, and whether a row is the first of its community."""
    rows, first = _first(IncidentCommunity, "community", name)
    return rows, or_(literal_column(f"{name}.listed"), first)


def _communities(source: Any, branch: Branch) -> GroupedBranch:
    rows, first = _part("grouped_community")
    joined = source.join(rows, rows.c.incident_pk == branch.pk)
    return GroupedBranch(joined, [rows.c.community], ((rows, first),))


def _pairs(source: Any, branch: Branch) -> GroupedBranch:
    (left, first_left), (right, first_right) = _part("grouped_one"), _part("grouped_other")
    joined = source.join(left, left.c.incident_pk == branch.pk).join(
        right,
        and_(right.c.incident_pk == left.c.incident_pk, left.c.community < right.c.community),
    )
    columns = [left.c.community, right.c.community]
    return GroupedBranch(joined, columns, ((left, first_left), (right, first_right)))


def _organisations(source: Any, branch: Branch) -> GroupedBranch:
    rows, first = _first(IncidentOrganisation, "organisation", "grouped_organisation")
    joined = source.join(rows, rows.c.incident_pk == branch.pk)
    return GroupedBranch(joined, [rows.c.organisation], ((rows, first),))


def _organisations_of(document: Document) -> list[Key]:
    named = {name for entry in document["communities"] for name in entry["organisations"]}
    return [(name,) for name in sorted(named)]


def communities_of(document: Document) -> list[str]:
    """Return the communities of a document, each once."""
    return sorted({entry["community"] for entry in document["communities"]})


GROUPS: dict[str, Group] = {
    "country": _columns("country"),
    "admin1": _columns("admin1", "country"),
    "city": _columns("city", "admin1", "country"),
    "type": _columns("type"),
    "episode": _columns("episode"),
    "year": _period("year", 4),
    "month": _period("month", 7),
    "week": Group(
        ("week",), lambda source, _: GroupedBranch(source, [incidents.week]), _week, period=True
    ),
    "police_measure": _items("police_measure", IncidentMeasure, "measure", "police_measures"),
    "tag": _items("tag", IncidentTag, "tag", "tags"),
    "publisher": Group(("publisher",), _publishers, _publishers_of, several=True),
    "community": Group(
        ("community",),
        _communities,
        lambda document: [(name,) for name in communities_of(document)],
        several=True,
    ),
    "community_pair": Group(
        ("community_pair", "community_pair"),
        _pairs,
        lambda document: combinations(communities_of(document), 2),
        several=True,
    ),
    "organisation": Group(("organisation",), _organisations, _organisations_of, several=True),
}
# Groups that count incidents by role: figures belong to the event alone.
ROLES_ONLY = ("community", "community_pair", "organisation")


def roles_in(document: Document, group: str, part: str | None) -> set[str]:
    """Return the roles that a community, or an organisation, had: PART of a GROUP's key."""
    return {
        entry["role"]
        for entry in document["communities"]
        if part in (entry["organisations"] if group == "organisation" else [entry["community"]])
    }
