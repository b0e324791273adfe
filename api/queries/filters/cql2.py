"""CQL2 expressions as one filter: the same answer on both engines, with every value bound.

The shape of an expression, without its values, decides the SQL. Boxes are the filter `bbox`; where
a plain filter means the same as a part that all must hold, `schemas.ogc_query` takes that one.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    String,
    and_,
    bindparam,
    case,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import BindParameter

from api.models.articles_and_terms import Article
from api.models.incidents import Incident, IncidentCommunity, IncidentMeasure, IncidentTag, Source
from api.models.tables import table
from api.queries.filters.filter import Clause, Filter, Shape
from schemas.expressions import Combination, Comparison, Expression, Kind

_incidents = table(Incident).c


class _Matches(ColumnElement[bool]):
    """A text matches a pattern, capitals apart: by LIKE, which SQLite has for any case alone."""

    inherit_cache = False

    def __init__(self, text: ColumnElement[Any], name: str) -> None:
        self.text = text
        self.pattern: BindParameter[str] = bindparam(name, type_=String())
        self.glob: BindParameter[str] = bindparam(f"{name}_glob", type_=String())


@compiles(_Matches, "sqlite")
def _matches_sqlite(element: _Matches, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.text, **options)} GLOB {compiler.process(element.glob)})"


@compiles(_Matches, "postgresql")
def _matches_postgresql(element: _Matches, compiler: Any, **options: Any) -> str:
    text = compiler.process(element.text, **options)
    return f"({text} LIKE {compiler.process(element.pattern)})"


class _ByCode(ColumnElement[str]):
    """A text that is ordered by its characters' numbers, whatever the language of the server."""

    inherit_cache = False

    def __init__(self, text: ColumnElement[Any]) -> None:
        self.text = text
        self.type = String()


@compiles(_ByCode, "sqlite")
def _by_code_sqlite(element: _ByCode, compiler: Any, **options: Any) -> str:
    text: str = compiler.process(element.text, **options)
    return text


@compiles(_ByCode, "postgresql")
def _by_code_postgresql(element: _ByCode, compiler: Any, **options: Any) -> str:
    return f'({compiler.process(element.text, **options)} COLLATE "C")'


class _Aggregate(ColumnElement[str]):
    """All values of a group, joined as the cells of CSV are."""

    inherit_cache = False

    def __init__(self, value: ColumnElement[Any]) -> None:
        self.value = value
        self.type = String()


@compiles(_Aggregate, "sqlite")
def _aggregate_sqlite(element: _Aggregate, compiler: Any, **options: Any) -> str:
    return f"group_concat({compiler.process(element.value, **options)}, '; ')"


@compiles(_Aggregate, "postgresql")
def _aggregate_postgresql(element: _Aggregate, compiler: Any, **options: Any) -> str:
    return f"string_agg({compiler.process(element.value, **options)}, '; ')"


def _joined(rows: Any, value: Any, *position: Any, alias: str) -> ColumnElement[Any]:
    """Return the values of an incident's ROWS, each once, joined as a feature has them."""
    values = (
        select(value.label("value"))
        .select_from(rows)
        .where(value.is_not(None))
        .group_by(value)
        .order_by(*map(func.min, position))
        .correlate(table(Incident))
        .subquery(alias)
    )
    return select(_Aggregate(values.c.value)).select_from(values).scalar_subquery()


def _items(model: Any, column: str) -> ColumnElement[Any]:
    rows = table(model).alias(f"{column}_items")
    own = select(rows).where(rows.c.incident_pk == _incidents.pk).correlate(table(Incident))
    items = own.subquery(f"{column}_own")
    return _joined(items, items.c[column], items.c.position, alias=f"{column}_values")


def _publishers() -> ColumnElement[Any]:
    sources, articles = table(Source).alias("cql_sources"), table(Article).alias("cql_articles")
    own = (
        select(articles.c.publisher, sources.c.position)
        .join_from(sources, articles, sources.c.article_pk == articles.c.pk)
        .where(sources.c.incident_pk == _incidents.pk)
        .correlate(table(Incident))
        .subquery("publishers_own")
    )
    return _joined(own, own.c.publisher, own.c.position, alias="publishers_values")


# What a property is in SQL, where that is no column of its name.
_COLUMNS: Mapping[str, ColumnElement[Any]] = {
    "date_start": func.nullif(_incidents.earliest, literal_column("'0001-01-01'")),
    "date_end": func.nullif(_incidents.latest, literal_column("'9999-12-31'")),
    "communities": _items(IncidentCommunity, "community"),
    "police_measures": _items(IncidentMeasure, "measure"),
    "tags": _items(IncidentTag, "tag"),
    "publishers": _publishers(),
}


def _shape(box: Filter, expression: Expression) -> Shape:
    """Return what decides the SQL: the expression with the number of values, or an area's shape."""
    if isinstance(expression, Combination):
        return (expression.operator, tuple(_shape(box, part) for part in expression.parts))
    values: Any = len(expression.values)
    if expression.operator == "intersects":
        values = box.shape(expression.values[0])
    return (expression.name, expression.kind, expression.operator, values)


def _comparisons(expression: Expression) -> Iterator[Comparison]:
    if isinstance(expression, Comparison):
        yield expression
    else:
        for part in expression.parts:
            yield from _comparisons(part)


def _values(box: Filter, name: str, expression: Expression) -> dict[str, Any]:
    """Return what is bound: of the third comparison `filter_2_0` and so on."""
    bound: dict[str, Any] = {}
    for number, comparison in enumerate(_comparisons(expression)):
        own = f"{name}_{number}"
        if comparison.operator == "intersects":
            bound |= box.values(own, comparison.values[0])
            continue
        for position, value in enumerate(comparison.values):
            bound[f"{own}_{position}"] = value
        if comparison.operator == "like":
            bound[f"{own}_0_glob"] = _glob(comparison.values[0])
    return bound


def _glob(pattern: str) -> str:
    r"""Return a pattern of LIKE as one of GLOB; a `\` takes what follows as it is."""
    glob, characters = "", iter(pattern)
    for character in characters:
        if character in "%_":
            glob += "*" if character == "%" else "?"
            continue
        literal = next(characters, "\\") if character == "\\" else character
        glob += f"[{literal}]" if literal in "*?[" else literal
    return glob


def _clause(box: Filter, name: str, shape: Any, _: str | None) -> Clause:
    return _condition(box, shape, (f"{name}_{number}" for number in count()))


def _condition(box: Filter, shape: Any, names: Iterator[str]) -> Clause:
    if isinstance(shape[1], tuple):
        parts = [_condition(box, part, names) for part in shape[1]]
        if shape[0] == "not":
            return not_(parts[0])
        return and_(true(), *parts) if shape[0] == "and" else or_(false(), *parts)
    property_, kind, operator, values = shape
    name = next(names)
    if operator == "intersects":
        # NULL, as SQL has it of what has no point: neither it nor its negation holds.
        return case((_incidents.latitude.is_not(None), box.clause(name, values, None)))
    column = _COLUMNS[property_] if property_ in _COLUMNS else _incidents[property_]
    if operator == "null":
        return column.is_(None)
    if operator == "like":
        return _Matches(column, f"{name}_0")
    bound = [_bound(f"{name}_{position}", kind) for position in range(values)]
    if operator == "in":
        return column.in_(bound)
    if kind in ("text", "list") and operator not in ("=", "<>"):
        column = _ByCode(column)
    if operator == "between":
        low, high = bound
        return column.between(low, high)
    return _SIGNS[operator](column, bound[0])


def _bound(name: str, kind: Kind) -> BindParameter[Any]:
    # A whole number's column is compared with 0.5 as it stands.
    if kind == "boolean":
        return bindparam(name, type_=_incidents.property_damage.type)
    return bindparam(name, type_=Double() if kind == "number" else String())


_SIGNS: dict[str, Callable[[Any, Any], Clause]] = {
    "=": lambda column, value: column == value,
    "<>": lambda column, value: column != value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
}


def expressions(box: Filter) -> Filter:
    """Return the filter that takes an expression; BOX is the filter of boxes."""
    return Filter(partial(_shape, box), partial(_clause, box), partial(_values, box))
