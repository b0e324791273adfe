"""Predicates: what a filter's condition says in SQL, on a stored document.

What is cached of a query is brought up to date with them by the few records that changed since,
without asking the database.
"""

from collections.abc import Callable, Iterable
from typing import Any

from api.models.tables import key
from api.queries.filters.filter import Document, Predicate
from schemas import dates
from schemas.countries import division_label
from schemas.counts import at_least, at_most, figure_of


def one_of(member: str) -> Predicate:
    """Return the test that a member is one of the alternatives."""
    return lambda document, values, _: document[member] in values


def city_is(document: Document, keys: list[str], _: Any) -> bool:
    """Whether the city is one of those that the keys stand for."""
    return key(document["city"]) in keys


def is_in_division(document: Document, keys: list[str], _: Any) -> bool:
    """Whether the division is one of those that the keys stand for."""
    return key(division_label(document["country"], document["admin1"])) in keys


def is_place(document: Document, ids: list[str], _: Any) -> bool:
    """Whether the record was resolved to one of the places."""
    return (document["place_id"] or f"geonames-{document['geonames_id']}") in ids


def took_part(document: Document, groups: list[list[tuple[str, str | None]]], _: Any) -> bool:
    """Whether a community of each group took part; in the role asked for, if there is one."""
    entries = [(entry["community"], entry["role"]) for entry in document["communities"]]
    present = {*entries, *((community, None) for community, _ in entries)}
    return all(any(alternative in present for alternative in group) for group in groups)


def had_role(document: Document, roles: list[str], _: Any) -> bool:
    """Whether any community had one of the roles."""
    return any(entry["role"] in roles for entry in document["communities"])


def has_of_each(items_of: Callable[[Document], Iterable[str | None]]) -> Predicate:
    """Return the test that of each group of alternatives one is among a document's items."""
    return lambda document, groups, _: all(
        any(item in group for item in items_of(document)) for group in groups
    )


def organisation_keys(document: Document) -> set[str | None]:
    """Return the folded names of the organisations of a document's communities."""
    return {key(name) for entry in document["communities"] for name in entry["organisations"]}


def has_external_id(document: Document, external_ids: list[tuple[str, str]], _: Any) -> bool:
    """Whether the record has one of the external ids."""
    return any((one["scheme"], one["id"]) in external_ids for one in document["external_ids"])


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
