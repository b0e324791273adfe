"""The desk's form: a control for each field that curators fill in, made from the table of fields.

A field that is added to `schemas.record_fields` stands in the form by itself, in the last section
unless it is placed in another; its control follows from what reads its value.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow.fields import Field

from api.web import labels
from schemas.article import InlineArticleSchema
from schemas.claims import CLAIM_FIELDS
from schemas.counts import COUNT_FIELDS
from schemas.fields import Boolean, Choice, Count, Integer, ListOf, Number, Text
from schemas.record_fields import STATE_FIELDS, RecordField
from schemas.record_state import REQUIRED
from schemas.vocabulary import VOCABULARIES

_LONG = 2000  # characters; a text that may be longer has several lines
_SECTIONS = {
    "What happened": ("title", "type", "summary"),
    "When": ("date",),
    "Where": ("city", "country", "venue", "admin1"),
}
# What stands folded behind the fields of the place.
_POINT = ("latitude", "longitude", "geo_precision", "geonames_id")
# Fields with a layout of their own in the template.
_LAID_OUT = ("communities", "sources")
_ARTICLE = {
    "url": "Address of the article",
    "title": "Title of the article",
    "published": "Published on",
    "archive_url": "Address of an archived copy",
    "syndicated_from": "Copy of the article with the id",
}
_ARTICLE_FIRST = ("url", "title", "publisher", "published")
_NOT_TYPED = ("id", "version", "reason", "text_sha256")


@dataclass(frozen=True, slots=True)
class Control:
    """A control of the form; `kind` says how the desk's scripts read and fill it."""

    name: str
    label: str
    kind: str
    hint: str = ""
    options: Mapping[str, str] | None = None
    longest: int | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """The whole form: sections of controls, the counts, and what sources and claims have."""

    sections: Mapping[str, Sequence[Control]]
    point: Sequence[Control]
    counts: Mapping[str, str]
    more: Sequence[Control]
    article: Sequence[Control]
    article_more: Sequence[Control]
    claim_fields: Mapping[str, str]


def form() -> Form:
    """Return the form, from the tables as they stand."""
    controls = {control.name: control for control in _controls()}
    placed = {*_POINT, *(name for names in _SECTIONS.values() for name in names)}
    article = {
        name: _control(name, _ARTICLE.get(name) or labels.field(name), field)
        for name, field in InlineArticleSchema().load_fields.items()
        if name not in _NOT_TYPED
    }
    return Form(
        sections={title: [controls[name] for name in names] for title, names in _SECTIONS.items()},
        point=[controls[name] for name in _POINT],
        counts={name: labels.field(name) for name in COUNT_FIELDS},
        more=[control for name, control in controls.items() if name not in placed],
        article=[article[name] for name in _ARTICLE_FIRST],
        article_more=[one for name, one in article.items() if name not in _ARTICLE_FIRST],
        claim_fields={name: labels.field(name) for name in CLAIM_FIELDS},
    )


def _controls() -> Iterator[Control]:
    """Yield a control for each field that curators set alone: all but counts and nested lists."""
    for field in STATE_FIELDS:
        if field.reader is None or field.group in COUNT_FIELDS or field.name in _LAID_OUT:
            continue
        yield _control(field.name, labels.field(field.name), field.reader, field)


def _control(
    name: str, label: str, reader: Field[Any], field: RecordField | None = None
) -> Control:
    return Control(
        name,
        label,
        _kind(name, reader),
        field.definition if field else "",
        _options(reader),
        reader.longest if isinstance(reader, Text) else None,
        required=field is not None and name in REQUIRED,
    )


def _kind(name: str, reader: Field[Any]) -> str:
    """Say how a control is read: one word for each way in which values are typed or chosen."""
    if isinstance(reader, Choice):
        return "choice"
    if isinstance(reader, Boolean):
        return "yes_no"
    if isinstance(reader, Count | Integer | Number):
        return "number"
    if isinstance(reader, ListOf):
        return "choices" if isinstance(reader.inner, Choice) else "list"
    if isinstance(reader, Text) and reader.longest > _LONG:
        return "long"
    return "text"


def _options(reader: Field[Any]) -> Mapping[str, str] | None:
    """Return the labels of a closed vocabulary by id, in the codebook's order."""
    choice = reader.inner if isinstance(reader, ListOf) else reader
    if not isinstance(choice, Choice):
        return None
    known = {
        term.id: term.label
        for vocabulary in VOCABULARIES
        if set(choice.allowed) <= set(vocabulary)
        for term in vocabulary.values()
    }
    return {id_: known.get(id_, id_) for id_ in choice.allowed}
