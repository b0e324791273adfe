"""What erasing leaves of a record: pure functions on states (see `schemas.record_state`)."""

from collections.abc import Collection, Mapping
from typing import Any

from schemas.countries import NOWHERE
from schemas.counts import COUNT_FIELDS
from schemas.fields import Choice, Integer, ListOf, StrictSchema, Text
from schemas.record_fields import FIELDS, State
from schemas.record_state import EMPTY
from schemas.vocabulary import WITHDRAWAL_CODES

ERASED = "[erased]"
# Notes on versions: why each was made, and why a draft was rejected, which its history says too.
NOTES = ("reason", "review")
# Fields that can be erased alone. Without the others a record says nothing: those go as a whole.
ERASABLE = (
    *(name for name, field in FIELDS.items() if field.erasable and name not in ("sources", *NOTES)),
    "organisations",
    "sources",
    *NOTES,
)
ARTICLE_ERASABLE = (
    "title",
    "publisher",
    "author",
    "published",
    "language",
    "url",
    "archive_url",
    "syndicated_from",
    "text_sha256",
)
TERM_ERASABLE = ("name", "aliases", "description")
# A place is found by its name and its point: without them it goes as a whole.
PLACE_ERASABLE = ("aliases",)
# What the tables hold of a record that was erased as a whole; it is never shown.
BLANK: State = {
    **EMPTY,
    "title": ERASED,
    "type": "other",
    "date": "0001-01-01",
    "city": ERASED,
    "country": NOWHERE,
}


class EraseSchema(StrictSchema):
    """An erasure: of the fields named, or of everything; a list of none must not mean all."""

    version = Integer(1, 2**31 - 1)
    fields_ = ListOf(Choice(ERASABLE), least=1, data_key="fields", attribute="fields")
    code = Choice(WITHDRAWAL_CODES)
    reason = Text()


class EraseArticleSchema(EraseSchema):
    """An erasure of what is held of an article."""

    fields_ = ListOf(Choice(ARTICLE_ERASABLE), least=1, data_key="fields", attribute="fields")


class EraseTermSchema(EraseSchema):
    """An erasure of what is held of a community or an episode."""

    fields_ = ListOf(Choice(TERM_ERASABLE), least=1, data_key="fields", attribute="fields")


class ErasePlaceSchema(EraseSchema):
    """An erasure of a place that was added, or of the names that were given to one."""

    fields_ = ListOf(Choice(PLACE_ERASABLE), least=1, data_key="fields", attribute="fields")


def erased(state: State, fields: Collection[str], point: tuple[float, float] | None) -> State:
    """Take FIELDS out of a state, and the claims on them.

    Officers are among the injured, and would tell of them: they go with `injuries`. Without its
    venue a record is known to its city only: POINT replaces coordinates that were more precise
    than that.
    """
    remaining = dict(state)
    fields = {*fields, "injuries_police"} if "injuries" in fields else fields
    for name in fields:
        remaining.update(_gone(state, name))
    if "venue" in fields and state["geo_precision"] in ("exact", "venue") and point is not None:
        remaining.update(latitude=point[0], longitude=point[1], geo_precision="city")
    remaining["sources"] = [
        {
            **source,
            "claims": [claim for claim in source["claims"] if claim["field"] not in fields],
        }
        for source in remaining["sources"]
    ]
    return remaining


def erased_article(article: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """Take FIELDS out of an article, or out of what a record shows of it; it keeps its id."""
    left = {name: None if name in fields else value for name, value in article.items()}
    if left["url"] is None and left["title"] is None:
        left["title"] = ERASED
    return left


def _gone(state: State, name: str) -> dict[str, Any]:
    if name in NOTES:
        return {}  # no part of a state
    if name == "title":
        return {"title": ERASED}
    if name == "organisations":
        return {"communities": [{**entry, "organisations": []} for entry in state["communities"]]}
    if name in COUNT_FIELDS:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: FIELDS[name].default}
