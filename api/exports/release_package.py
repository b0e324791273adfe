"""What describes a release beside its data: for programs, for archives, and for people.

- `datapackage.json`: a Frictionless data package, each column of each table with its type
- `datacite.json`: what DataCite and archives such as Zenodo want to know
- `codebook.json`, `LICENSE.txt`, `citation.bib`, and `SHA256SUMS` over all files
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from api.core.media_formats import Format
from api.exports.formats import citations
from api.exports.formats import csv as sheets
from schemas import codebook, record_fields, vocabulary

DESCRIPTION = (
    "Incidents that involve diaspora communities abroad: clashes, rallies, protests and disputes, "
    "each with date, place and figures as precise as their sources, and with every source's "
    "claims. What is not reported is null, never zero."
)
KEYWORDS = ("diaspora", "event data", "protest")
LICENCE = "Creative Commons Attribution 4.0 International"
LICENCE_URL = "https://creativecommons.org/licenses/by/4.0/"
MEDIA_TYPES = {
    # Files are described as text, and saved: JSON would be another type of the same answer.
    "datapackage.json": "text/plain; charset=utf-8",
    "datacite.json": "text/plain; charset=utf-8",
    "codebook.json": "text/plain; charset=utf-8",
    "LICENSE.txt": "text/plain; charset=utf-8",
    "citation.bib": citations.FORMATS["bibtex"].media_type,
    "SHA256SUMS": "text/plain; charset=utf-8",
}
_CSV = "text/csv"
_TYPES = {
    "whole number": "integer",
    "number": "number",
    "true or false": "boolean",
    "day": "date",
    "time": "datetime",
}
_VOCABULARIES = {each.name: list(each) for each in vocabulary.VOCABULARIES}
_FLAGS = {"trueValues": ["true"], "falseValues": ["false"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A release as it is described: its names, what it holds, and where it is, if that is known."""

    name: str
    title: str
    doi: str | None
    dataset_version: int
    codebook_version: str
    created_at: str
    revision: int
    url: str


def files(edition: Edition, data: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each file that describes DATA, the files of a release.

    `SHA256SUMS` is made by who has written them all.
    """
    release = {name: getattr(edition, name) for name in edition.__slots__}
    citation = orjson.dumps(citations.of_release(release, edition.url))
    bibtex: Format = citations.FORMATS["bibtex"]
    yield "datapackage.json", _json(_package(edition, data))
    yield "datacite.json", _json(_datacite(edition, data))
    yield "codebook.json", _json(codebook.contents())
    yield "LICENSE.txt", f"{edition.title}\n\n{LICENCE} (CC BY 4.0)\n{LICENCE_URL}\n".encode()
    yield "citation.bib", b"".join(bibtex.chunks([[citation]]))


def checksums(written: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the digests of files as `sha256sum --check` reads them."""
    return "".join(f"{file['sha256']}  {file['name']}\n" for file in written).encode()


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _package(edition: Edition, data: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the data package (datapackage.org, version 1, which most programs read)."""
    return {
        "profile": "data-package",
        "name": f"diaspora-incidents-{edition.name}",
        "title": edition.title,
        "description": DESCRIPTION,
        **({"id": f"https://doi.org/{edition.doi}"} if edition.doi else {}),
        "homepage": edition.url,
        "version": f"{edition.name}-r{edition.revision}",
        "created": edition.created_at,
        "keywords": list(KEYWORDS),
        "licenses": [{"name": "CC-BY-4.0", "title": LICENCE, "path": LICENCE_URL}],
        "contributors": [{"title": citations.AUTHOR, "role": "author"}],
        "resources": [_resource(file) for file in data],
    }


def _resource(file: Mapping[str, Any]) -> dict[str, Any]:
    name = file["name"]
    resource = {
        "name": name.lower().replace(".", "-"),
        "path": name,
        "bytes": file["bytes"],
        "hash": f"sha256:{file['sha256']}",
        "format": name.rpartition(".")[2],
    }
    if name not in _SCHEMAS:
        return {**resource, "type": "file"}  # no table that is read by a schema
    return {
        **resource,
        "profile": "tabular-data-resource",
        "mediatype": _CSV,
        "encoding": "utf-8",
        "dialect": {
            "delimiter": ",",
            "lineTerminator": "\r\n",
            "quoteChar": '"',
            "doubleQuote": True,
        },
        "schema": _SCHEMAS[name],
    }


def _column(name: str) -> dict[str, Any]:
    """Return the Table Schema of a column of records, from the table of fields."""
    field = next(each for each in record_fields.FIELDS.values() if name in each.columns)
    type_ = _TYPES.get(field.type, "string")
    column: dict[str, Any] = {"name": name, "type": type_, "description": field.definition}
    if type_ == "boolean":
        column |= _FLAGS
    if type_ == "datetime":
        column["format"] = "any"
    constraints: dict[str, Any] = {"required": True, "unique": True} if name == "id" else {}
    if field.type == "vocabulary" and field.vocabulary in _VOCABULARIES:
        constraints["enum"] = _VOCABULARIES[field.vocabulary]
    return {**column, **({"constraints": constraints} if constraints else {})}


# An empty cell alone is missing: `NA` is Namibia.
_MISSING = [""]
_CLAIM_COLUMNS = {
    "incident": "The record's id.",
    "article": "The article's id.",
    "locator": "Where in the article.",
    "field": "The field that the claim is about.",
    "value": "What it says, a number or a word.",
    "low": "At least so many.",
    "high": "At most so many.",
    "text": "A few words of the source.",
    "attributed_to": "Whom the source names for it.",
    "community": "The community that it is about, if it is about one.",
    "scope": "The part of the event that it is about; empty: all of it.",
}
CLAIM_COLUMNS = tuple(_CLAIM_COLUMNS)
_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "incidents.csv": {
        "fields": [_column(name) for name in sheets.COLUMNS],
        "primaryKey": "id",
        "missingValues": _MISSING,
    },
    "claims.csv": {
        "fields": [
            {
                "name": name,
                "type": "integer" if name in ("low", "high") else "string",
                "description": words,
            }
            for name, words in _CLAIM_COLUMNS.items()
        ],
        "foreignKeys": [
            {
                "fields": "incident",
                "reference": {"resource": "incidents-csv", "fields": "id"},
            }
        ],
        "missingValues": _MISSING,
    },
}


def _datacite(edition: Edition, data: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what DataCite's metadata schema 4.5 asks for."""
    return {
        **({"doi": edition.doi} if edition.doi else {}),
        **({"url": edition.url} if edition.url.startswith("http") else {}),
        "schemaVersion": "http://datacite.org/schema/kernel-4",
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Event data"},
        "creators": [{"name": citations.AUTHOR, "nameType": "Organizational"}],
        "titles": [{"title": edition.title}],
        "publisher": {"name": citations.DATA_SET},
        "publicationYear": edition.created_at[:4],
        "dates": [{"date": edition.created_at[:10], "dateType": "Issued"}],
        "language": "en",
        "version": f"{edition.name}-r{edition.revision}",
        "subjects": [{"subject": word} for word in KEYWORDS],
        "descriptions": [{"description": DESCRIPTION, "descriptionType": "Abstract"}],
        "rightsList": [
            {
                "rights": LICENCE,
                "rightsUri": LICENCE_URL,
                "rightsIdentifier": "CC-BY-4.0",
                "rightsIdentifierScheme": "SPDX",
                "schemeUri": "https://spdx.org/licenses/",
            }
        ],
        "sizes": [f"{file['bytes']} bytes ({file['name']})" for file in data],
        "formats": sorted({file["name"].rpartition(".")[2] for file in data}),
    }
