"""GeoJSON (RFC 7946): a feature a record, its document as properties, a point or null as geometry.

A feature's id is the record's. Positions are longitude, latitude in WGS 84 degrees. How exact a
point is stands in `geo_precision`: one of a city's middle is no place of an event.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from api.core.media_formats import Batches, Format
from api.documents import FIELDS, load, select_fields

_HEAD = b'{"type":"FeatureCollection","features":['
_TAIL = b"\n]}\n"


def write(batches: Batches, fields: Sequence[str] | None = None) -> Iterator[bytes]:
    """Yield one feature collection of the documents of BATCHES, a feature a line."""
    before = _HEAD
    for batch in batches:
        if batch:
            features = b",\n".join([feature(document, fields) for document in batch])
            yield b"%b\n%b" % (before, features)
            before = b","
    yield _TAIL if before == b"," else before + _TAIL


def feature(document: bytes, fields: Sequence[str] | None = None) -> bytes:
    """Write a feature around a stored document, which goes in as it is."""
    record = load(document)
    geometry = b"null"
    if record["latitude"] is not None:
        point = orjson.dumps((record["longitude"], record["latitude"]))
        geometry = b'{"type":"Point","coordinates":%b}' % point
    properties = document if fields is None else select_fields(document, fields)
    return b'{"type":"Feature","id":"%b","geometry":%b,"properties":%b}' % (
        record["id"].encode(),
        geometry,
        properties,
    )


def _closed(description: str, /, **properties: Any) -> dict[str, Any]:
    """Return the JSON Schema of an object with exactly PROPERTIES."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        **({"description": description} if description else {}),
    }


POINT = _closed(
    "A point in WGS 84.",
    type={"const": "Point"},
    coordinates={
        "type": "array",
        "items": {"type": "number"},
        "minItems": 2,
        "maxItems": 2,
        "description": "Longitude, latitude.",
    },
)
_REF = "#/components/schemas/"
_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "Point": POINT,
    "Feature": _closed(
        "A record as GeoJSON; `geo_precision` says how exact the point is.",
        type={"const": "Feature"},
        id={"$ref": f"{_REF}RecordId"},
        geometry={"anyOf": [{"$ref": f"{_REF}Point"}, {"type": "null"}]},
        properties={"$ref": f"{_REF}Incident"},
    ),
    "FeatureCollection": _closed(
        "All records, as GeoJSON.",
        type={"const": "FeatureCollection"},
        features={"type": "array", "items": {"$ref": f"{_REF}Feature"}},
    ),
}
FORMAT = Format(
    "geojson",
    "GeoJSON",
    "application/geo+json",
    FIELDS,
    write,
    aliases=("application/vnd.geo+json",),
    broader=("application/json",),  # GeoJSON is JSON, and GDAL asks for it so
    schemas=_SCHEMAS,
)
