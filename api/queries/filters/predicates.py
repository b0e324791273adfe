"""Predicates: what a filter's condition says in SQL, on a stored document.

What is cached of a query is brought up to date with them by the few records that changed since,
without asking the database.
"""

from collections.abc import Callable
from typing import Any

from api.models.tables import key
from api.queries.filters.filter import Document, Predicate
from schemas import dates
from schemas.counts import at_least, at_most, figure_of


def one_of(member: str) -> Predicate:
    """Return the test that a member is one of the alternatives."""
    return lambda document, values, _: document[member] in values


def city_is(document: Document, keys: list[str], _: Any) -> bool:
    """Whether the city is one of those that the keys stand for."""
    return key(document["city"]) in keys


def took_part(document: Document, groups: list[list[tuple[str, str | None]]], _: Any) -> bool:
    """Whether a community of each group took part; in the role asked for, if there is one."""
    entries = [(entry["community"], entry["role"]) for entry in document["communities"]]
    present = {*entries, *((community, None) for community, _ in entries)}
    return all(any(alternative in present for alternative in group) for group in groups)


def had_role(document: Document, roles: list[str], _: Any) -> bool:
    """Whether any community had one of the roles."""
    return any(entry["role"] in roles for entry in document["communities"])


def took_measures(document: Document, groups: list[list[str]], _: Any) -> bool:
    """Whether police took a measure of each group."""
    return all(any(measure in group for measure in document["police_measures"]) for group in groups)


def cites(member: str, fold: Callable[[Any], Any] = lambda value: value) -> Predicate:
    """Return the test that an article is cited whose MEMBER is one of the alternatives."""
    return lambda document, values, _: any(
        fold(source["article"][member]) in values for source in document["sources"]
    )


def is_disputed(document: Document, words: list[str], _: Any) -> bool:
    """Whether claims conflict as one of the words says."""
    plain = "true" if document["disputed"] else "false"
    return any(word == plain or word in document["disputed"] for word in words)


def is_unreported(document: Document, words: list[str], _: Any) -> bool:
    """Whether one of the fields has no figure at all."""
    return any(
        document[word] is None
        if word == "property_damage"
        else not figure_of(document, word).reported
        for word in words
    )


def has_damage(document: Document, words: list[str], _: Any) -> bool:
    """Whether property was damaged as one of the words says."""
    damage = document["property_damage"]
    return ("unknown" if damage is None else str(damage).lower()) in words


def overlaps(document: Document, window: tuple[str, str], match: str | None) -> bool:
    """Whether the date may lie (or, for certain, lies) in the window."""
    span, (start, end) = dates.parse(document["date"]), window
    if span.latest < start or span.earliest > end:
        return False
    return match != "certain" or span.exact or (span.earliest >= start and span.latest <= end)


def figure_at_least(name: str) -> Predicate:
    """Return the test that a figure reaches a bound."""
    return lambda document, bound, match: at_least(figure_of(document, name), bound, match)


def figure_at_most(name: str) -> Predicate:
    """Return the test that a figure stays within a bound."""
    return lambda document, bound, match: at_most(figure_of(document, name), bound, match)


def not_less(member: str) -> Predicate:
    """Return the test that a member is the bound or more."""
    return lambda document, bound, _: document[member] >= bound
