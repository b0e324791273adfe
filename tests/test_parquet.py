"""Parquet: the records and their claims with types, whole, and only where the extra is there."""

import datetime
import io
import subprocess
import sys

import duckdb
import pandas
import pytest
from pyarrow import ArrowInvalid, parquet

from api.exports.formats import parquet as writer
from api.exports.formats import registry
from tests.test_formats import body, document

LIST = "/api/v1/incidents"
WITHOUT = """
import sys
sys.modules["pyarrow"] = None
from api import create_app
client = create_app({"DATABASE_URL": "sqlite:///:memory:"}).test_client()
for path in ("incidents", "claims"):
    answer = client.get(f"/api/v1/{path}.parquet")
    assert answer.status_code == 404, answer.text
    assert "Parquet is an extra" in answer.json["detail"], answer.text
    accept = {"Accept": "application/vnd.apache.parquet"}
    answer = client.get(f"/api/v1/{path}", headers=accept)
    assert answer.status_code == 406, answer.text
"""
CLAIMS = [
    {"field": "arrests", "value": 13},
    {"field": "injuries", "low": 2, "high": 5},
    {"field": "property_damage", "value": True},
    {"field": "type", "value": "clash"},
]


def read(client, path):
    return parquet.read_table(io.BytesIO(client.get(path).data))


def typed(name, value):
    """Return VALUE of a record as Parquet has it."""
    if value is None:
        return None
    if name in ("date_start", "date_end"):
        return datetime.date.fromisoformat(value)
    return datetime.datetime.fromisoformat(value) if name.endswith("_at") else value


def without_claims(record):
    return [{**source, "claims": []} for source in record["sources"]]


@pytest.mark.parametrize("size", [16_000_000, 1])
def test_every_record_comes_back_with_every_field(seeded, client, monkeypatch, size):
    monkeypatch.setattr(writer, "_ROW_GROUP", size)
    records = client.get(LIST).json["data"]
    rows = read(client, f"{LIST}.parquet").to_pylist()
    for record, row in zip(records, rows, strict=True):
        assert list(row) == list(record)
        assert without_claims(row) == without_claims(record)
        for name in row.keys() - {"sources"}:
            assert row[name] == typed(name, record[name])


def test_what_a_claim_says_has_one_type_in_each_column(client, editor, incident):
    source = {"article": {"title": "An article"}, "claims": CLAIMS}
    client.post(LIST, json=incident(sources=[source]), headers=editor)
    rows = read(client, "/api/v1/claims.parquet").to_pylist()
    assert [(row["value"], row["value_number"], row["low"]) for row in rows] == [
        ("13", 13, None),
        (None, None, 2),
        ("true", None, None),
        ("clash", None, None),
    ]
    (record,) = read(client, f"{LIST}.parquet").to_pylist()
    within = record["sources"][0]["claims"]
    assert [claim["value"] for claim in within] == [row["value"] for row in rows]


def test_it_is_written_in_row_groups_and_the_same_each_time(monkeypatch):
    monkeypatch.setattr(writer, "_ROW_GROUP", 1)
    format_ = registry.INCIDENTS["parquet"]
    batch = [body(registry.INCIDENTS["ndjson"], document()).strip()] * 3
    written = [b"".join(format_.chunks([batch] * 4)) for _ in range(2)]
    file = parquet.ParquetFile(io.BytesIO(written[0]))
    assert (file.num_row_groups, file.metadata.num_rows) == (4, 12)
    assert written[0] == written[1]
    with pytest.raises(ArrowInvalid, match="magic bytes"):
        parquet.ParquetFile(io.BytesIO(written[0][:-100]))


def test_columns_are_chosen_and_come_compressed_as_they_are(seeded, client):
    answer = client.get(f"{LIST}.parquet?fields=city,arrests", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    table = parquet.read_table(io.BytesIO(answer.data))
    assert table.column_names == ["city", "arrests"]
    assert read(client, "/api/v1/claims.parquet?fields=value_number").num_rows > 0


def test_pandas_and_duckdb_read_it_with_its_types(seeded, client, tmp_path):
    file = tmp_path / "incidents.parquet"
    file.write_bytes(client.get(f"{LIST}.parquet").data)
    frame = pandas.read_parquet(file, dtype_backend="numpy_nullable")
    assert (frame["arrests"].dtype, frame["latitude"].dtype) == ("Int64", "Float64")
    query = "SELECT typeof(date_start), typeof(updated_at), typeof(tags), len(communities)"
    found = duckdb.sql(f"{query} FROM '{file}'").fetchall()[0]
    assert found[:3] == ("DATE", "TIMESTAMP WITH TIME ZONE", "VARCHAR[]")


@pytest.mark.slow
def test_without_the_extra_it_is_no_format_and_says_so():
    subprocess.run([sys.executable, "-c", WITHOUT], check=True, timeout=120)
