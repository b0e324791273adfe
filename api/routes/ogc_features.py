"""Features of OGC API Features: flat properties, which every GIS shows, and their types.

A list is one text, `armenian; azerbaijani`, as in CSV; publishers are those of the articles that
are cited. A filter (`schemas.cql2`) means the properties as they stand here.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from api.exports.formats import csv
from api.http.openapi import components
from api.http.openapi.schema_builders import Component
from schemas import record_fields
from schemas.cql2 import GEOMETRY, QUERYABLES

# GDAL and QGIS have the server filter every time by `datetime`, whichever field is meant, and trust
# it: what is no time of the incident is better left out.
PROPERTIES = (*(name for name in csv.COLUMNS if name != "updated_at"), "publishers")
_WORDS = {
    "community_roles": "Each community with its role: `armenian:target`.",
    "source_urls": "Addresses of the articles that are cited.",
    "publishers": "Publishers of the articles that are cited.",
}


def feature(document: bytes) -> bytes:
    """Write a stored document as a feature."""
    record = record_fields.complete(orjson.loads(document))
    point = None
    if record["latitude"] is not None:
        point = {"type": "Point", "coordinates": [record["longitude"], record["latitude"]]}
    articles = [source["article"] for source in record["sources"]]
    publishers = dict.fromkeys(article["publisher"] for article in articles)
    flat = csv.flattened(record)
    flat["publishers"] = csv.SEPARATOR.join(name for name in publishers if name)
    properties = {name: None if flat[name] == "" else flat[name] for name in PROPERTIES}
    return orjson.dumps(
        {"type": "Feature", "id": record["id"], "geometry": point, "properties": properties}
    )


def _schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a property, which may be null."""
    field = record_fields.FIELDS.get(name)
    if field is not None and field.default != []:
        schema = components.INCIDENT.schema["properties"][name]
        return dict(schema.schema if isinstance(schema, Component) else schema)
    words = _WORDS.get(name) or (field.definition if field else "")
    return {"type": ["string", "null"], "description": f"{words} Joined by `; `."}


SCHEMAS: Mapping[str, dict[str, Any]] = {name: _schema(name) for name in PROPERTIES}


def _plain(name: str) -> dict[str, Any]:
    """Return the type of a property without null, as clients read it."""
    schema = SCHEMAS[name]
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    (type_,) = (each for each in types if each != "null")
    plain = (
        {"title": name, "description": record_fields.FIELDS[name].definition}
        if (name in record_fields.FIELDS)
        else {"title": name, "description": schema["description"]}
    )
    return plain | {"type": type_} | ({"format": schema["format"]} if "format" in schema else {})


_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_POINT = {
    "title": GEOMETRY,
    "description": "A point.",
    "x-ogc-role": "primary-geometry",
    "format": "geometry-point",
}
FEATURE_SCHEMA = {
    "$schema": _DIALECT,
    "title": "Incident",
    "description": "The type of each property, where it is not null.",
    "type": "object",
    "properties": {
        "type": {"type": "string", "const": "Feature"},
        "id": {"type": "string"},
        "geometry": {"type": "object", "description": "A point."},
        "properties": {
            "type": "object",
            # GDAL has the id of the feature, and would list it twice
            "properties": {name: _plain(name) for name in PROPERTIES if name != "id"},
        },
    },
}


def queryables(address: str) -> dict[str, Any]:
    """Return the properties that a filter may name, as the JSON Schema that stands at ADDRESS."""
    return {
        "$schema": _DIALECT,
        "$id": address,
        "title": "Incidents",
        "description": "The properties that `filter` may name; a list is compared as one text.",
        "type": "object",
        "properties": {GEOMETRY: _POINT, **{name: _plain(name) for name in QUERYABLES}},
        "additionalProperties": False,
    }
