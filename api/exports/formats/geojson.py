"""GeoJSON (RFC 7946): a feature a record, its document as properties, a point or null as geometry.

A feature's id is the record's. Positions are longitude, latitude in WGS 84 degrees. How exact a
point is stands in `geo_precision`: one of a city's middle is no place of an event.
"""

from collections.abc import Iterable, Iterator, Sequence

import orjson

from api.documents import load, select_fields

_HEAD = b'{"type":"FeatureCollection","features":['
_TAIL = b"\n]}\n"


def write(
    batches: Iterable[Sequence[bytes]], fields: Sequence[str] | None = None
) -> Iterator[bytes]:
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
