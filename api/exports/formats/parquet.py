"""Parquet: typed columns in row groups, for data frames and databases. An extra: it needs pyarrow.

A record's members are columns, lists stay lists, times and days have types of their own. What a
claim says is text in `value`, and a number once more in `value_number`: a column has one type. A
file ends on its index: one that was cut off cannot be opened.
"""

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

import orjson

from api.core.media_formats import Batches, Format
from api.documents import FIELDS
from api.exports.formats import claims as claim_rows
from schemas import record_fields
from schemas.article import EMBEDDED_FIELDS

# A row group is as large in memory before it is written.
_ROW_GROUP = 4_000_000
Rows = list[dict[str, Any]]


def is_installed() -> bool:
    """Whether the extra is there."""
    return find_spec("pyarrow") is not None


def _write_incidents(batches: Batches, fields: Sequence[str] | None = None) -> Iterator[bytes]:
    """Yield the documents of BATCHES as one file; with FIELDS, those columns in that order."""
    columns = list(record_fields.FIELDS) if fields is None else list(fields)
    return _write(_incident_schema(columns), batches, _incidents)


def _write_claims(batches: Batches, fields: Sequence[str] | None = None) -> Iterator[bytes]:
    """Yield the claims of BATCHES as one file; with FIELDS, those columns in that order."""
    columns = _CLAIM_COLUMNS if fields is None else list(fields)
    return _write(_claim_schema(columns), batches, _claims)


def _write(
    schema: Any, batches: Batches, read: Callable[[Sequence[bytes]], Rows]
) -> Iterator[bytes]:
    """Yield a file of SCHEMA, a row group at a time."""
    import pyarrow
    from pyarrow import parquet

    sink = _Sink()
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        held: list[Any] = []
        for batch in batches:
            held.append(_record_batch(schema, read(batch)))
            if sum(each.nbytes for each in held) >= _ROW_GROUP:
                writer.write_table(pyarrow.Table.from_batches(held, schema))
                held = []
                yield sink.taken()
        if held:
            writer.write_table(pyarrow.Table.from_batches(held, schema))
    yield sink.taken()


class _Sink:
    """A file that is written to its end and read as it grows."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0

    def write(self, part: Any) -> int:
        """Append PART."""
        self._parts.append(bytes(part))
        self._length += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        """Return how much was written in all."""
        return self._length

    def flush(self) -> None:
        """Do nothing: what was written is there."""

    def taken(self) -> bytes:
        """Return what was written since it was last taken."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _record_batch(schema: Any, rows: Rows) -> Any:
    """Return ROWS as columns; days and times are written as text, and cast."""
    import pyarrow

    columns = []
    for field in schema:
        values = [row[field.name] for row in rows]
        cast = pyarrow.types.is_date(field.type) or pyarrow.types.is_timestamp(field.type)
        column = pyarrow.array(values, pyarrow.string() if cast else field.type)
        columns.append(column.cast(field.type) if cast else column)
    return pyarrow.record_batch(columns, schema=schema)


def _incidents(documents: Sequence[bytes]) -> Rows:
    rows = [record_fields.complete(orjson.loads(document)) for document in documents]
    for row in rows:
        for source in row["sources"]:
            for claim in source["claims"]:
                _split_value(claim)
    return rows


def _claims(claims: Sequence[bytes]) -> Rows:
    rows = [claim_rows.cells(orjson.loads(claim)) for claim in claims]
    for row in rows:
        _split_value(row)
    return rows


def _split_value(claim: dict[str, Any]) -> None:
    """Write what CLAIM says as text, and beside it as a number where it is one."""
    value = claim["value"]
    is_number = isinstance(value, int) and not isinstance(value, bool)
    claim["value_number"] = value if is_number else None
    if value is not None and not isinstance(value, str):
        claim["value"] = orjson.dumps(value).decode()


# The types. Only what writes a file needs pyarrow.

_CLAIM_NUMBERS = ("value_number", "low", "high")
_CLAIM_COLUMNS = [
    name
    for column in claim_rows.COLUMNS
    for name in ((column, "value_number") if column == "value" else (column,))
]


def _incident_schema(columns: Sequence[str]) -> Any:
    import pyarrow

    types = _types()
    lists = _lists()
    fields = []
    for name in columns:
        field = record_fields.FIELDS[name]
        type_ = lists.get(name, types.get(field.type, types["text"]))
        fields.append(pyarrow.field(name, type_, metadata={"description": field.definition}))
    return pyarrow.schema(fields)


def _claim_schema(columns: Sequence[str]) -> Any:
    import pyarrow

    types = _types()
    others = {
        **dict.fromkeys((*_CLAIM_NUMBERS, "conflicts"), types["whole number"]),
        "agrees": types["true or false"],
    }
    return pyarrow.schema([(name, others.get(name, types["text"])) for name in columns])


def _types() -> dict[str, Any]:
    """Return the type of each type of fields; a list is one of texts unless said below."""
    import pyarrow

    return {
        "text": pyarrow.string(),
        "whole number": pyarrow.int64(),
        "number": pyarrow.float64(),
        "true or false": pyarrow.bool_(),
        "day": pyarrow.date32(),
        "time": pyarrow.timestamp("ms", tz="UTC"),
        "list": pyarrow.list_(pyarrow.string()),
    }


def _lists() -> dict[str, Any]:
    """Return the types of lists of objects."""
    import pyarrow

    types = _types()
    text, number = types["text"], types["whole number"]

    def objects(**members: Any) -> Any:
        return pyarrow.list_(pyarrow.struct(members))

    claims = objects(
        field=text,
        value=text,
        **dict.fromkeys(_CLAIM_NUMBERS, number),
        **dict.fromkeys(("text", "attributed_to", "community", "scope"), text),
    )
    return {
        "communities": objects(
            community=text,
            role=text,
            participants=number,
            participants_low=number,
            participants_high=number,
            organisations=types["list"],
        ),
        "external_ids": objects(scheme=text, id=text),
        "sources": objects(
            article=pyarrow.struct(dict.fromkeys(EMBEDDED_FIELDS, text)),
            locator=text,
            claims=claims,
        ),
    }


INCIDENTS = Format(
    "parquet",
    "Parquet",
    "application/vnd.apache.parquet",
    FIELDS,
    _write_incidents,
    is_packed=True,
)
CLAIMS = Format(
    "parquet",
    "Parquet",
    INCIDENTS.media_type,
    frozenset(_CLAIM_COLUMNS),
    _write_claims,
    is_packed=True,
)
