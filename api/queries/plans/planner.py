"""The one way from a resolved query to its plan and what is bound."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from api.core.permissions import Actor
from api.database.readers import Reader
from api.queries.filters.filter import Filter
from api.queries.filters.incidents import FILTERS
from api.queries.filters.orders import RELEVANCE
from api.queries.plans import access_paths
from api.queries.plans.query_plan import Filters, PathId, QueryPlan
from api.queries.results import ResolvedQuery
from api.search import index_tables

_TEXT: PathId = ("q", 0)


def plan_for(
    reader: Reader,
    query: ResolvedQuery,
    actor: Actor,
    *,
    sort: str | None = None,
    after: bool = False,
    figures: Literal["index", "rows"] | None = None,
    along_text: bool = False,
    hits: int | None = None,
) -> tuple[QueryPlan, dict[str, Any]]:
    """Return the plan of what QUERY means and ACTOR may read, and what is bound for it.

    - `sort`: None where records are only counted or added up;
    - `after`: whether a page goes on after another;
    - `figures`: where what is added up is read;
    - `along_text`: whether to read along the hits of a text, in an order that they have, so many
      `hits` or all.
    """
    shapes, values = bind_values(FILTERS, query.criteria)
    audience: Literal["public", "own", "all"] = "public"
    if actor.pk is not None:
        audience = "all" if actor.reads_all else "own"
        if audience == "own":
            values["actor_pk"] = actor.pk
    plan = QueryPlan(audience, shapes, query.match, sort, after, figures)
    if along_text and "q" in query.criteria and (sort in (None, RELEVANCE) or plan.by_date):
        if plan.window:
            values |= _doc_ids(plan.window, values)
        path = _path_beside_text(reader, plan, query, values, hits)
        return replace(plan, text=True, path=path), values
    path = access_paths.choose(access_paths.estimates_of(reader), plan, query.criteria, values)
    return plan if path is None else replace(plan, path=path), values


def bind_values(
    filters: Mapping[str, Filter], criteria: Mapping[str, Any]
) -> tuple[Filters, dict[str, Any]]:
    """Return what of CRITERIA decides the SQL, in the order of their names, and what is bound."""
    shapes: list[tuple[str, Any]] = []
    values: dict[str, Any] = {}
    for name in sorted(criteria):
        value = criteria[name]
        shapes.append((name, filters[name].shape(value)))
        values |= filters[name].values(name, value)
    return tuple(shapes), values


def _doc_ids(window: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of the index of words that has a WINDOW and what may reach into it."""
    return {
        f"{window}_first_doc_id": index_tables.first_doc_id(values[f"{window}_end"]),
        f"{window}_last_doc_id": index_tables.last_doc_id(values[f"{window}_reach"]),
    }


def _path_beside_text(
    reader: Reader, plan: QueryPlan, query: ResolvedQuery, values: dict[str, Any], hits: int | None
) -> PathId | None:
    """Return the path by which the filters beside a text are met beforehand, where that is less.

    Either each hit's record is looked at, until so many HITS fit, or all records that fit are
    gathered, and hits are compared with these.
    """
    estimates, others = access_paths.estimates_of(reader), plan.without_text()
    path = access_paths.choose(estimates, others, query.criteria, values)
    if path is None:
        return None
    few = estimates.for_paths([path], others, query.criteria, values)[path]
    past = estimates.for_paths([_TEXT], plan, query.criteria, values)[_TEXT]
    if hits is not None:
        past = min(past, hits * estimates.published() // max(few, 1))
    return path if few < past else None
