"""The only maker of stored JSON: a state and what the service knows of it, as one document.

A document is rendered once, when it is written, and served as it is from then on. Nothing that
depends on a request or a caller goes inside: addresses are paths.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import orjson

from schemas import dates, record_fields
from schemas.addresses import canonical_address
from schemas.article import ARTICLE_FIELDS
from schemas.claims import CLAIM_FIELDS, Claim, conflicts_by_claim
from schemas.countries import NOWHERE, country_name
from schemas.counts import COUNT_FIELDS, NOT_REPORTED, reported_figures
from schemas.record_fields import State, complete

PREFIX = "/api/v1"
# The members of a record's document, for `fields=`.
FIELDS = frozenset(record_fields.FIELDS)
_COUNT_TEXTS = {name: f"{name}_text" for name in COUNT_FIELDS}
_NOT_REPORTED = dict.fromkeys(_COUNT_TEXTS.values(), NOT_REPORTED.text)


@dataclass(frozen=True, slots=True)
class RecordMetadata:
    """What a document says of the record itself, beside its state."""

    id: str
    version: int
    status: str
    created_at: str
    updated_at: str
    former_ids: Sequence[str] = ()
    corrects: str | None = None
    review: str | None = None


@dataclass(frozen=True, slots=True)
class DerivedFields:
    """What follows from a state: the span of its date, its disputed fields, its sources' number.

    `conflicting` are the claims that conflict with another, by their number in the record.
    """

    span: dates.DateSpan
    disputed: list[str]
    number_of_sources: int
    conflicting: Set[int]


def derive(state: State, upstream: Mapping[str, str | None]) -> DerivedFields:
    """Return what is derived from STATE, whose sources carry their articles.

    UPSTREAM is what the articles between a copy and its original say they copy, by id, where the
    record does not cite them itself (`citations.upstream`).
    """
    claims = [claim_of(claim) for source in state["sources"] for claim in source["claims"]]
    cited = {source["article"]["id"]: source["article"] for source in state["sources"]}
    copies = {**upstream, **{id_: article["syndicated_from"] for id_, article in cited.items()}}
    copies |= _of_equal_address(cited)
    originals = {_original(id_, copies) for id_ in cited}
    conflicting = conflicts_by_claim(claims, 0).keys()
    fields = {claims[number].field for number in conflicting}
    disputed = [name for name in CLAIM_FIELDS if name in fields]
    return DerivedFields(dates.parse(state["date"]), disputed, len(originals), conflicting)


def claim_of(claim: Mapping[str, Any]) -> Claim:
    """Return the claim that the conflict rule compares."""
    get = claim.get
    return Claim(
        claim["field"],
        get("value"),
        get("low"),
        get("high"),
        get("text"),
        get("attributed_to"),
        get("community"),
        get("scope"),
    )


def _of_equal_address(cited: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return, for articles whose address another of CITED has too, the one that counts for both."""
    if len(cited) < 2:
        return {}
    ids: dict[str, str] = {}
    same = {}
    # One that says what it copies comes first, so that the others copy the same.
    for id_, article in sorted(cited.items(), key=lambda item: not item[1]["syndicated_from"]):
        if article["url"] is not None:
            first = ids.setdefault(canonical_address(article["url"]), id_)
            if first != id_:
                same[id_] = first
    return same


def _original(article_id: str, copies: Mapping[str, str | None]) -> str:
    """Return the id of the report that an article copies in the end, held here or not."""
    passed = [article_id]
    while (copied := copies.get(passed[-1])) is not None:
        if copied in passed:  # a circle is one story, whichever of its articles one starts from
            return min(passed[passed.index(copied) :])
        passed.append(copied)
    return passed[-1]


def render(state: State, metadata: RecordMetadata, derived: DerivedFields) -> dict[str, Any]:
    """Return the record as clients read it: its members in the order of the table of fields."""
    span = derived.span
    values = {
        **state,
        **_NOT_REPORTED,
        "id": metadata.id,
        "url": f"{PREFIX}/incidents/{metadata.id}",
        "version": metadata.version,
        "status": metadata.status,
        "date": span.text,
        "date_start": span.start.isoformat() if span.start else None,
        "date_end": span.end.isoformat() if span.end else None,
        "date_precision": span.precision,
        "country_name": None if state["country"] == NOWHERE else country_name(state["country"]),
        "disputed": derived.disputed,
        "number_of_sources": derived.number_of_sources,
        "former_ids": list(metadata.former_ids),
        "corrects": metadata.corrects,
        "review": metadata.review,
        "created_at": metadata.created_at,
        "updated_at": metadata.updated_at,
    }
    for name, figure in reported_figures(state).items():
        values[_COUNT_TEXTS[name]] = figure.text
    return {name: values[name] for name in record_fields.FIELDS}


def revise(document: dict[str, Any], state: State, derived: DerivedFields) -> dict[str, Any]:
    """Return a stored DOCUMENT with STATE in place of its own: with the members that it had."""
    known = complete(document)
    metadata = RecordMetadata(**{name: known[name] for name in RecordMetadata.__dataclass_fields__})
    fresh = render(state, metadata, derived)
    return {name: fresh[name] for name in document}


def dump(document: Mapping[str, Any]) -> str:
    """Return the text of a document, as it is stored and sent."""
    return orjson.dumps(document).decode()


def load(text: str | bytes) -> dict[str, Any]:
    """Return a stored document of a record; what is younger than it has its field's default."""
    return complete(orjson.loads(text))


def select_fields(document: bytes, fields: Iterable[str]) -> bytes:
    """Return of a stored document the members FIELDS alone, in their order."""
    whole = load(document)
    return orjson.dumps({name: whole[name] for name in fields})


def article(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of an article as clients read it."""
    return {
        "id": row["id"],
        "version": row["version"],
        **{name: row[name] for name in ARTICLE_FIELDS},
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def place(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a place that editors added, or gave names, as clients read it."""
    return {
        "id": row["id"],
        "version": row["version"],
        "name": row["name"],
        "country": row["country"],
        "admin1": row["admin1"],
        "latitude": row["latitude"],
        "longitude": row["longitude"],
        "geonames_id": row["geonames_id"] if row["geonames_id"] > 0 else None,
        "aliases": row["aliases"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def term(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a community or an episode as clients read it."""
    return {
        "id": row["id"],
        "version": row["version"],
        "name": row["name"],
        "aliases": row["aliases"],
        "description": row["description"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }
