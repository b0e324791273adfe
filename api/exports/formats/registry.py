"""The formats that lists are answered in. A format is a module beside this one and a line here."""

from dataclasses import replace

from api.core.media_formats import Format
from api.documents import FIELDS
from api.exports.formats import claims, csv, geojson, ndjson, parquet

JSON = Format("json", "JSON", "application/json", FIELDS)


def _by_name(*formats: Format) -> dict[str, Format]:
    return {format_.name: format_ for format_ in formats}


# By the name of the list; the first of each is the default.
INCIDENTS = _by_name(
    JSON,
    csv.FORMAT,
    geojson.FORMAT,
    ndjson.FORMAT,
    *([parquet.INCIDENTS] if parquet.is_installed() else []),
)
CLAIMS = _by_name(
    replace(JSON, fields=claims.FIELDS),
    claims.FORMAT,
    replace(ndjson.FORMAT, fields=claims.FIELDS),
    *([parquet.CLAIMS] if parquet.is_installed() else []),
)
