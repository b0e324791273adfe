"""Claims as CSV: a row a claim, with its record, its source and the record's own figure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson

from api.core.media_formats import Batches
from api.exports.formats import csv
from api.exports.formats.csv import SEPARATOR, table

_ARTICLE = {
    "article_id": "id", "article_title": "title", "publisher": "publisher",
    "published": "published", "article_url": "url", "syndicated_from": "syndicated_from",
}  # fmt: skip
_INCIDENT = {
    "incident_id": "id", "incident_url": "url", "title": "title", "date": "date", "city": "city",
    "country": "country",
}  # fmt: skip
_OWN = (
    "pointer", "field", "value", "low", "high", "text", "attributed_to", "community", "scope",
    "headline", "agrees", "conflicts", "conflicts_with",
)  # fmt: skip
COLUMNS = (*_INCIDENT, *_OWN, *_ARTICLE, "locator")
# The members of a claim as JSON, for `fields=`.
FIELDS = frozenset((*_OWN, "incident", "article", "locator"))


def write(batches: Batches, fields: Sequence[str] | None = None) -> Iterator[bytes]:
    """Yield the claims of BATCHES as rows; with FIELDS, those columns in that order."""
    rows = ([cells(orjson.loads(claim)) for claim in batch] for batch in batches)
    return table(COLUMNS if fields is None else fields, rows)


def cells(claim: dict[str, Any]) -> dict[str, Any]:
    """Return a claim with its record and article in cells of their own; CLAIM is changed."""
    incident, article = claim.pop("incident"), claim.pop("article")
    claim |= {column: incident[name] for column, name in _INCIDENT.items()}
    claim |= {column: article[name] for column, name in _ARTICLE.items()}
    claim["conflicts_with"] = SEPARATOR.join(claim["conflicts_with"])
    return claim


FORMAT = replace(csv.FORMAT, fields=frozenset(COLUMNS), write=write)
