"""The filters of incidents: one object each, under the name of its parameter.

To add one: its parameter in `schemas/query/filters.py`, its object here, a row of
`tests/test_queries.py`; an index with its migration where it needs one. `FILTERS` is the table.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
    union_all,
)

from api.database.base import Base
from api.models import (
    Article,
    Incident,
    IncidentCommunity,
    IncidentExternalId,
    IncidentMeasure,
    IncidentOrganisation,
    IncidentTag,
    Source,
)
from api.models.incidents import PLACE_KEY
from api.models.tables import key, table
from api.queries.filters import cql2, predicates, spatial
from api.queries.filters.filter import (
    MOST_RANGES,
    AccessPath,
    Clause,
    Document,
    Filter,
    Paths,
    Predicate,
    Shape,
    among,
    any_of,
    any_word,
    bound_to,
    bound_value,
    numbered,
)
from api.search import index_tables
from schemas.counts import COUNT_FIELDS

incidents = table(Incident).c
PUBLISHED = incidents.status == literal_column("'published'")
Groups = list[list[tuple[str, str | None]]]  # of communities, each with its role


def _figure(name: str) -> list[ColumnElement[Any]]:
    """Return the columns of a count: best, low, high."""
    return [incidents[f"{name}{end}"] for end in ("", "_low", "_high")]


# Counts whose columns the index of figures has.
_IN_FIGURES = ("arrests", "injuries", "deaths")


def _at_least(name: str) -> Filter:
    best, low, high = _figure(name)
    reported = or_(best.is_not(None), low.is_not(None))

    def clause(bound: ColumnElement[Any], match: str | None) -> Clause:
        if match == "certain":
            return low >= bound
        if match == "possible":
            return or_(high >= bound, and_(high.is_(None), reported))
        return func.coalesce(best, low) >= bound

    return bound_value(
        clause,
        predicates.figure_at_least(name),
        _figure_paths(name) if name in _IN_FIGURES else None,
        shape=lambda bound: bool(bound > 0),
        covered=name in _IN_FIGURES,
    )


def _figure_paths(name: str) -> Paths:
    """Return what makes the path to records with a figure that high, where one is asked for."""
    best, low, _ = _figure(name)
    figure = func.coalesce(best, low, literal_column("-1"))

    def paths(parameter: str, positive: bool, match: str | None) -> list[AccessPath]:
        if not positive or match == "possible":
            return []
        reached = figure >= bound_to(parameter)
        if name == "deaths":
            return [AccessPath([reached & (figure > literal_column("0"))], "ix_incidents_deaths")]
        return [AccessPath([reached], f"ix_incidents_{name}_down")]

    return paths


def _at_most(name: str) -> Filter:
    best, low, high = _figure(name)
    reported = or_(best.is_not(None), high.is_not(None))

    def clause(bound: ColumnElement[Any], match: str | None) -> Clause:
        if match == "certain":
            return high <= bound
        if match == "possible":
            return or_(low <= bound, and_(low.is_(None), reported))
        return func.coalesce(best, high) <= bound

    return bound_value(clause, predicates.figure_at_most(name), covered=name in _IN_FIGURES)


def took_part(name: str, shape: tuple[tuple[bool, ...], ...], but: int | None = None) -> Clause:
    """Return the condition that of each group (BUT one) a community took part, in its role."""
    conditions = []
    for number, group in enumerate(shape):
        if number == but:
            continue
        rows = table(IncidentCommunity).alias(f"took_part_{number}").c
        alternatives = []
        for position, with_role in enumerate(group):
            same = rows.community == bound_to(f"{name}_{number}_{position}")
            if with_role:
                same = and_(same, rows.role == bound_to(f"{name}_{number}_{position}_role"))
            alternatives.append(same)
        conditions.append(exists().where(rows.incident_pk == incidents.pk, or_(*alternatives)))
    return and_(true(), *conditions)


def _roles_asked(groups: Groups) -> tuple[tuple[bool, ...], ...]:
    return tuple(tuple(role is not None for _, role in group) for group in groups)


def _took_part(name: str, shape: tuple[tuple[bool, ...], ...], _: str | None) -> Clause:
    return took_part(name, shape)


def _took_part_values(name: str, groups: Groups) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for number, group in enumerate(groups):
        for position, (community, role) in enumerate(group):
            values[f"{name}_{number}_{position}"] = community
            if role is not None:
                values[f"{name}_{number}_{position}_role"] = role
    return values


def _community_paths(
    name: str, shape: tuple[tuple[bool, ...], ...], _: str | None
) -> list[AccessPath]:
    """Lead along each group's listings; a record stands in that of its first alternative."""
    rows, earlier = (table(IncidentCommunity).alias(alias) for alias in ("listing", "known"))
    paths = []
    for number, group in enumerate(shape):
        if len(group) > MOST_RANGES:
            continue
        bound = [bound_to(f"{name}_{number}_{position}") for position in range(len(group))]
        ranges: list[Clause] = []
        for position in range(len(group)):
            listed: Clause = literal_column("listing.listed") & (
                rows.c.community == bound[position]
            )
            if position:
                before = exists().where(
                    earlier.c.incident_pk == rows.c.incident_pk,
                    earlier.c.community.in_(bound[:position]),
                )
                listed = listed & not_(before)
            ranges.append(listed)
        paths.append(AccessPath(ranges, "ix_incident_communities_listed", ordered=True, table=rows))
    return paths


def _role(name: str, number: int, _: str | None) -> Clause:
    rows = table(IncidentCommunity).alias("had_role").c
    return exists().where(rows.incident_pk == incidents.pk, among(rows.role, name, number))


def _group_lengths(groups: list[list[str]]) -> tuple[int, ...]:
    return tuple(map(len, groups))


def _of_each(model: type[Base], column: str, predicate: Predicate) -> Filter:
    """Return the filter of records that have an item of each group, in a COLUMN of MODEL's rows."""

    def clause(name: str, shape: tuple[int, ...], _: str | None) -> Clause:
        conditions = []
        for number, length in enumerate(shape):
            rows = table(model).alias(f"{name}_{number}").c
            is_item = among(rows[column], f"{name}_{number}", length)
            conditions.append(exists().where(rows.incident_pk == incidents.pk, is_item))
        return and_(*conditions)

    def values(name: str, groups: list[list[str]]) -> dict[str, Any]:
        bound: dict[str, Any] = {}
        for number, group in enumerate(groups):
            bound |= numbered(f"{name}_{number}", group)
        return bound

    def paths(name: str, shape: tuple[int, ...], _: str | None) -> list[AccessPath]:
        rows = table(model).c
        alternatives = (
            select(rows.incident_pk).where(among(rows[column], f"{name}_{number}", length))
            for number, length in enumerate(shape)
        )
        return [AccessPath([incidents.pk.in_(pks)]) for pks in alternatives]

    return Filter(_group_lengths, clause, values, predicate, paths, covered=True)


def _is_external_id(rows: Any, name: str, number: int) -> Clause:
    return or_(
        *(
            and_(rows.id == bound_to(f"{name}_{at}_id"), rows.scheme == bound_to(f"{name}_{at}"))
            for at in range(number)
        )
    )


def _external_id(name: str, number: int, _: str | None) -> Clause:
    rows = table(IncidentExternalId).alias("known_as").c
    return exists().where(rows.incident_pk == incidents.pk, _is_external_id(rows, name, number))


def _external_id_values(name: str, external_ids: list[tuple[str, str]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for position, (scheme, id_) in enumerate(external_ids):
        values |= {f"{name}_{position}": scheme, f"{name}_{position}_id": id_}
    return values


def _external_id_paths(name: str, number: int, _: str | None) -> list[AccessPath]:
    rows = table(IncidentExternalId).c
    pks = select(rows.incident_pk).where(_is_external_id(rows, name, number))
    return [AccessPath([incidents.pk.in_(pks)], exact=True)]


def _id_paths(name: str, number: int, _: str | None) -> list[AccessPath]:
    named = table(Incident).alias("by_id").c
    pks = select(named.pk).where(among(named.id, name, number))
    return [AccessPath([incidents.pk.in_(pks)], exact=True)]


def _cites(column: str, predicate: Predicate) -> Filter:
    """Return the filter of records that cite an article whose COLUMN is an alternative."""
    rows, articles = (
        table(Source).alias(f"by_{column}_source").c,
        table(Article).alias(f"by_{column}"),
    )

    def clause(name: str, number: int, _: str | None) -> Clause:
        return exists().where(
            rows.incident_pk == incidents.pk,
            rows.article_pk == articles.c.pk,
            among(articles.c[column], name, number),
        )

    def paths(name: str, number: int, _: str | None) -> list[AccessPath]:
        sources, cited = table(Source).c, table(Article).c
        joined: Select[Any] = select(sources.incident_pk).join_from(
            table(Source), table(Article), sources.article_pk == cited.pk
        )
        pks = joined.where(among(cited[column], name, number))
        return [AccessPath([incidents.pk.in_(pks)], exact=True)]

    return Filter(len, clause, numbered, predicate, paths, covered=True)


DISPUTED = incidents.disputed != literal_column("''")


def _disputed(word: str) -> Clause:
    if word in ("true", "false"):
        return DISPUTED if word == "true" else incidents.disputed == ""
    return incidents.disputed.contains(f"|{word}|", autoescape=True)


def _disputed_paths(_name: str, words: tuple[str, ...], _: str | None) -> list[AccessPath]:
    if "false" in words:
        return []
    return [AccessPath([DISPUTED], "ix_incidents_disputed", ordered=True)]


def _unreported(word: str) -> Clause:
    if word == "property_damage":
        return incidents.property_damage.is_(None)
    return and_(*(column.is_(None) for column in _figure(word)))


def _damage(word: str) -> Clause:
    if word == "unknown":
        return incidents.property_damage.is_(None)
    return incidents.property_damage.is_(word == "true")


def _has_status(word: str) -> Clause:
    return incidents.status == literal_column(f"'{word}'")


def _updated_since(bound: ColumnElement[Any], _: str | None) -> Clause:
    return incidents.updated_at >= bound


def _updated_paths(name: str, _shape: Hashable, _: str | None) -> list[AccessPath]:
    reached = incidents.updated_at >= bound_to(name)
    return [AccessPath([reached], "ix_incidents_updated", exact=True)]


def _min_sources(bound: ColumnElement[Any], _: str | None) -> Clause:
    return incidents.number_of_sources >= bound


def _overlaps(name: str, _shape: Shape, match: str | None) -> Clause:
    """Return the condition that the date may lie (or, for certain, lies) in the window."""
    start, end = bound_to(f"{name}_start"), bound_to(f"{name}_end")
    possible = and_(incidents.latest >= start, incidents.earliest <= end)
    if match != "certain":
        return possible
    lasted = incidents.date_precision.in_([literal_column("'day'"), literal_column("'interval'")])
    within = and_(incidents.earliest >= start, incidents.latest <= end)
    return and_(possible, or_(lasted, within))


_REACH = 366


@lru_cache(maxsize=1024)
def _days_before(day: str) -> str:
    """Return the day a year before: where a date of at most a year that reaches DAY may start."""
    try:
        return (date.fromisoformat(day) - timedelta(days=_REACH)).isoformat()
    except OverflowError:
        return "0001-01-01"


def _window_values(name: str, window: tuple[str, str]) -> dict[str, Any]:
    start, end = window
    return {
        f"{name}_start": start,
        f"{name}_end": end,
        f"{name}_reach": _days_before(start),
    }


# The window's own ranges are parts of every plan, see `plans.branches`.
_WINDOW = Filter(lambda _: None, _overlaps, _window_values, predicates.overlaps, covered=True)


def _in_index(_name: str, _shape: Shape, _match: str | None) -> Clause:
    """Return the condition that a full-text query finds the record; the value is a `TextQuery`."""
    indexes = (index_tables.PUBLIC_INDEX, index_tables.PRIVATE_INDEX)
    return incidents.pk.in_(union_all(*(index_tables.primary_keys(index) for index in indexes)))


def _text_paths(_name: str, _shape: Hashable, _: str | None) -> list[AccessPath]:
    return [
        AccessPath(
            [incidents.pk.in_(index_tables.primary_keys(index_tables.PUBLIC_INDEX))], exact=True
        )
    ]


def _text_values(_name: str, text_query: Any) -> dict[str, Any]:
    return dict(text_query.values)


_MIN_FIGURES = {f"min_{name}": _at_least(name) for name in COUNT_FIELDS}
_MAX_FIGURES = {f"max_{name}": _at_most(name) for name in COUNT_FIELDS}
FILTERS: dict[str, Filter] = {
    "q": Filter(lambda _: None, _in_index, _text_values, paths=_text_paths),
    "id": replace(any_of(incidents.id, predicates.one_of("id")), paths=_id_paths),
    "city": any_of(
        incidents.city_key, predicates.city_is, index="ix_incidents_city", selective=True
    ),
    "admin1": any_of(
        incidents.admin1_key, predicates.is_in_division, index="ix_incidents_admin1", selective=True
    ),
    "place": any_of(
        literal_column(PLACE_KEY), predicates.is_place, index="ix_incidents_place", selective=True
    ),
    "country": any_of(
        incidents.country,
        predicates.one_of("country"),
        index="ix_incidents_country",
        covered=True,
    ),
    "community": Filter(
        _roles_asked,
        _took_part,
        _took_part_values,
        predicates.took_part,
        _community_paths,
        covered=True,
    ),
    "role": Filter(len, _role, numbered, predicates.had_role, covered=True),
    "type": any_of(
        incidents.type, predicates.one_of("type"), index="ix_incidents_type", covered=True
    ),
    "episode": any_of(
        incidents.episode, predicates.one_of("episode"), index="ix_incidents_episode", covered=True
    ),
    "police_measure": _of_each(
        IncidentMeasure, "measure", predicates.has_of_each(itemgetter("police_measures"))
    ),
    "tag": _of_each(IncidentTag, "tag", predicates.has_of_each(itemgetter("tags"))),
    "organisation": _of_each(
        IncidentOrganisation,
        "organisation_key",
        predicates.has_of_each(predicates.organisation_keys),
    ),
    "external_id": Filter(
        len,
        _external_id,
        _external_id_values,
        predicates.has_external_id,
        _external_id_paths,
        covered=True,
    ),
    "publisher": _cites("publisher_key", predicates.cites("publisher", key)),
    "article": _cites("id", predicates.cites("id")),
    "status": any_word(_has_status, predicates.one_of("status"), covered=True),
    "disputed": any_word(_disputed, predicates.is_disputed, _disputed_paths),
    "unreported": any_word(_unreported, predicates.is_unreported),
    "property_damage": any_word(_damage, predicates.has_damage),
    "date": _WINDOW,
    "date_from": _WINDOW,
    "date_to": _WINDOW,
    "updated_since": bound_value(_updated_since, predicates.not_less("updated_at"), _updated_paths),
    "min_sources": bound_value(_min_sources, predicates.not_less("number_of_sources")),
    "bbox": spatial.BOX,
    "near": spatial.CIRCLE,
    "filter": cql2.expressions(spatial.BOX),
    **_MIN_FIGURES,
    **_MAX_FIGURES,
}


@lru_cache(maxsize=256)
def access_paths(
    filters: tuple[tuple[str, Any], ...], match: str | None
) -> dict[tuple[str, int], AccessPath]:
    """Return every path that leads to what FILTERS keep, names and shapes, by filter and number."""
    return {
        (name, number): path
        for name, shape in filters
        if (paths := FILTERS[name].paths) is not None
        for number, path in enumerate(paths(name, shape, match))
    }


def has_predicates(criteria: Iterable[str]) -> bool:
    """Whether documents can be tested for all of CRITERIA."""
    return all(FILTERS[name].predicate is not None for name in criteria)


def matches(document: Document, criteria: Mapping[str, Any], match: str | None) -> bool:
    """Whether a published document is among what resolved CRITERIA mean."""
    return all(
        (predicate := FILTERS[name].predicate) is not None and predicate(document, value, match)
        for name, value in criteria.items()
    )


def signed_matches(
    changes: Iterable[tuple[Document | None, Document | None]],
    criteria: Mapping[str, Any],
    match: str | None,
) -> Iterator[tuple[Document, int]]:
    """Yield the documents of CHANGES that match: -1 for one before a change, 1 for one after."""
    for change in changes:
        for document, sign in zip(change, (-1, 1), strict=True):
            if document is not None and matches(document, criteria, match):
                yield document, sign
