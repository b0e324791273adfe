"""Exports from the running service: cut off, resumed, read slowly, and read by other programs."""

import base64
import csv
import hashlib
import http.client
import io
import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit

import duckdb
import pandas
import pytest

from api.core.permissions import OPERATOR
from api.database.transactions import transaction
from api.records.verbs import create
from schemas import incident as schema
from tests import builders, servers, tools

LIST = "/api/v1/incidents"


@pytest.fixture
def service(seeded):
    """Yield the address of a running service that holds the seeds."""
    with servers.serving(seeded.config["DATABASE_URL"]) as address:
        yield address


@contextmanager
def cut_after(address, number):
    """Yield an address that passes NUMBER bytes of each answer on, and then hangs up."""
    upstream = urlsplit(address)
    listener = socket.create_server(("127.0.0.1", 0))

    def pass_on():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client, socket.create_connection((upstream.hostname, upstream.port)) as server:
                server.sendall(client.recv(65536))
                passed = 0
                while passed < number and (piece := server.recv(number - passed)):
                    client.sendall(piece)
                    passed += len(piece)

    thread = threading.Thread(target=pass_on)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def fetch(address, **headers):
    """Read an address: headers and body."""
    request = urllib.request.Request(
        address, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    with urllib.request.urlopen(request) as answer:
        return answer.headers, answer.read()


def digest(body):
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def run(*command):
    return subprocess.run(command, capture_output=True, timeout=60)


# Cut off in the middle


@pytest.mark.slow
@pytest.mark.needs("curl")
@pytest.mark.parametrize("name", ["csv", "geojson", "ndjson"])
def test_curl_notices_that_an_export_was_cut_off(service, tmp_path, name):
    with cut_after(service, 4000) as cut:
        done = run("curl", "-s", "-o", str(tmp_path / "file"), f"{cut}{LIST}.{name}")
    assert done.returncode == 18  # "transfer closed with outstanding read data remaining"


@pytest.mark.slow
def test_pandas_notices_that_an_export_was_cut_off(service):
    with cut_after(service, 4000) as cut, pytest.raises(http.client.IncompleteRead):
        pandas.read_csv(f"{cut}{LIST}.csv")


@pytest.mark.slow
@pytest.mark.needs("curl")
def test_curl_resumes_what_was_cut_off(service, tmp_path):
    file = tmp_path / "incidents.ndjson"
    with cut_after(service, 4000) as cut:
        run("curl", "-s", "-o", str(file), f"{cut}{LIST}.ndjson")
    got = len(file.read_bytes())
    headers, whole = fetch(f"{service}{LIST}.ndjson")
    assert 0 < got < len(whole)
    done = run(
        "curl",
        "-s",
        "-f",
        "-C",
        "-",
        "-H",
        f"If-Range: {headers['ETag']}",
        "-o",
        str(file),
        f"{service}{LIST}.ndjson",
    )
    assert done.returncode == 0
    assert file.read_bytes() == whole
    assert digest(whole) == headers["Repr-Digest"]


@pytest.mark.slow
@pytest.mark.needs("curl")
def test_head_over_the_wire_has_the_length_and_no_body(service):
    done = run("curl", "-s", "-I", f"{service}{LIST}.ndjson")
    received = dict(
        line.split(": ", 1) for line in done.stdout.decode().splitlines() if ": " in line
    )
    headers, body = fetch(f"{service}{LIST}.ndjson")
    assert received["content-length"] == str(len(body))
    assert received["repr-digest"] == headers["Repr-Digest"]


# Large, and read slowly


LARGE = 30


@pytest.fixture
def filled(app):
    """Fill the database with records of half a megabyte, which make a large export."""
    entry = {"community": "armenian", "organisations": ["x" * 900] * 500}
    with app.app_context(), transaction() as session:
        for place in range(LARGE):
            body = builders.incident(date=f"{1990 + place}", communities=[entry])
            create(session, schema.load(body), OPERATOR, refuse_duplicates=False)
    return app


@pytest.fixture
def large(filled, tmp_path):
    """Yield the address of a service that sends one large export at a time."""
    settings = {"EXPORT_FOLDER": tmp_path / "exports", "EXPORT_READERS": 1}
    with servers.serving(filled.config["DATABASE_URL"], **settings) as address:
        yield address


def slow(address, path):
    """Ask for PATH, read a little of the answer, and then nothing more."""
    parts = urlsplit(address)
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect((parts.hostname, parts.port))
    reader.sendall(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    head = reader.recv(1000)
    assert b" 200 OK" in head
    return reader


def status(address):
    try:
        return fetch(address)[0], 200
    except urllib.error.HTTPError as error:
        with error:
            return error.headers, error.code


@pytest.mark.slow
def test_a_slow_reader_holds_up_nothing_but_another_large_export(large):
    """One is on its way: the rest is answered, a second is told to wait."""
    with closing(slow(large, f"{LIST}.ndjson")):
        for _ in range(20):
            assert status(f"{large}{LIST}?limit=1")[1] == 200
        headers, code = status(f"{large}{LIST}.ndjson")
        assert code == 503
        assert int(headers["Retry-After"]) > 0
        assert status(f"{large}{LIST}.csv?fields=id")[1] == 200
    for _ in range(100):  # the server notices that the reader has gone
        if status(f"{large}{LIST}.ndjson")[1] == 200:
            break
        time.sleep(0.1)
    else:
        pytest.fail("the place was not given back")


@pytest.mark.slow
def test_who_has_the_last_byte_of_a_large_export_may_ask_for_the_next(large):
    for _ in range(10):
        _, body = fetch(f"{large}{LIST}.ndjson")
        assert len(body) > 450_000 * LARGE


@pytest.mark.slow
@pytest.mark.parametrize("name", ["geojson", "ndjson"])
def test_a_large_export_is_whole(large, name):
    """The first is written, the second comes from its file; a part of it too."""
    first, body = fetch(f"{large}{LIST}.{name}")
    again, same = fetch(f"{large}{LIST}.{name}")
    assert body == same
    assert len(body) == int(first["Content-Length"]) > 450_000 * LARGE
    assert first["Transfer-Encoding"] is None
    assert digest(body) == first["Repr-Digest"] == again["Repr-Digest"]
    assert first["Record-Count"] == str(LARGE)
    part, end = fetch(f"{large}{LIST}.{name}", Range="bytes=-1000", If_Range=first["ETag"])
    assert end == body[-1000:]
    assert part["Content-Range"] == f"bytes {len(body) - 1000}-{len(body) - 1}/{len(body)}"


@pytest.mark.slow
def test_a_service_that_is_stopped_leaves_less_than_the_length(filled, tmp_path):
    """It does not end the answer as if that were all."""
    settings = {"EXPORT_FOLDER": tmp_path / "exports"}
    with servers.serving(filled.config["DATABASE_URL"], **settings) as address:
        reader = slow(address, f"{LIST}.ndjson")
    got = 0
    with closing(reader), suppress(ConnectionResetError):
        while piece := reader.recv(1_000_000):
            got += len(piece)
    assert 0 < got < 450_000 * LARGE


# Read by other programs


@pytest.mark.slow
def test_pandas_reads_the_csv_with_its_types(service):
    table = pandas.read_csv(
        f"{service}{LIST}.csv",
        dtype={"id": str},
        keep_default_na=False,
        na_values=[""],
        dtype_backend="numpy_nullable",
    )
    assert len(table) == 8
    for name in ("arrests", "arrests_low", "injuries_high", "number_of_sources", "version"):
        assert table[name].dtype == "Int64", name
    assert table["latitude"].dtype == table["longitude"].dtype == "Float64"
    moscow = table[table["id"] == "3a8a51z8j1"].iloc[0]
    assert (moscow["arrests"], moscow["arrests_text"], moscow["city"]) == (13, "13", "Moscow")
    unknown = table[table["id"] == "btede7rdm9"].iloc[0]
    assert unknown["arrests"] is pandas.NA
    assert unknown["arrests_text"] == "not reported"
    assert set(table["country"]) == {"RU", "BE", "MD", "GB", "NL", "US"}


@pytest.mark.slow
def test_pandas_reads_the_csv_without_any_option(service):
    table = pandas.read_csv(f"{service}{LIST}.csv?sort=date&city=Moscow")
    assert len(table) == 3
    assert table.columns[0] == "id"  # the mark at the start is no part of the name
    assert table["latitude"].dtype == "float64"


@pytest.mark.slow
def test_duckdb_reads_the_ndjson_with_its_types(service, tmp_path):
    file = tmp_path / "incidents.ndjson"
    file.write_bytes(fetch(f"{service}{LIST}.ndjson")[1])
    with duckdb.connect() as connection:
        read = connection.read_json(str(file), format="newline_delimited")
        types = dict(zip(read.columns, map(str, read.types), strict=True))
        ((number, arrests, sources),) = read.aggregate(
            "count(*), sum(arrests_low), sum(len(sources))"
        ).fetchall()
    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert number == 8
    assert arrests == sum(record["arrests_low"] or 0 for record in records)
    assert sources == sum(len(record["sources"]) for record in records)
    assert types["arrests"] == types["number_of_sources"] == "BIGINT"
    assert types["latitude"] == "DOUBLE"
    assert types["title"] == "VARCHAR"
    assert types["sources"].endswith("[]")


@pytest.mark.slow
def test_duckdb_reads_the_csv_with_its_types(service, tmp_path):
    file = tmp_path / "incidents.csv"
    file.write_bytes(fetch(f"{service}{LIST}.csv")[1])
    with duckdb.connect() as connection:
        read = connection.read_csv(str(file))
        types = dict(zip(read.columns, map(str, read.types), strict=True))
        assert read.aggregate("count(*)").fetchall() == [(8,)]
    assert types["arrests"] == types["arrests_low"] == "BIGINT"
    assert types["latitude"] == "DOUBLE"
    assert types["title"] == "VARCHAR"
    assert types["updated_at"].startswith("TIMESTAMP")


@pytest.mark.slow
@pytest.mark.needs("gdal")
def test_gdal_reads_the_geojson_with_its_types(service):
    program = tools.find("gdal")
    done = run(program, "-ro", "-al", "-so", f"{service}{LIST}.geojson")
    assert done.returncode == 0, done.stderr
    output = done.stdout.decode()
    fields = dict(line.split(": ", 1) for line in output.splitlines() if ": " in line)
    assert fields["Feature Count"] == "8"
    assert fields["Geometry"] == "Point"
    assert "WGS 84" in output
    for name, type_ in {
        "id": "String",
        "arrests": "Integer",
        "arrests_text": "String",
        "latitude": "Real",
        "number_of_sources": "Integer",
        "title": "String",
    }.items():
        assert fields[name].startswith(type_), (name, fields[name])


@pytest.mark.slow
@pytest.mark.needs("gdal")
def test_gdal_selects_by_attribute(service):
    program = tools.find("gdal")
    where = ["-where", "country = 'RU' AND arrests >= 13"]
    done = run(program, "-ro", "-al", "-q", *where, f"{service}{LIST}.geojson")
    assert done.stdout.decode().count("OGRFeature") == 1
    assert "POINT (37.6" in done.stdout.decode()


def test_a_spreadsheet_finds_no_formula(app, client, editor, incident):
    """What a formula would begin with is guarded in text, and left alone in numbers."""
    formula = '=HYPERLINK("https://evil.example","x")'
    body = incident(
        title=formula,
        summary="@SUM(1)",
        venue="+1",
        latitude=-1.5,
        longitude=-70.5,
        city=...,
        country="CO",
    )
    assert client.post(LIST, json=body, headers=editor).status_code == 201
    text = client.get(f"{LIST}.csv").data.decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["title"], row["summary"], row["venue"]) == (f"'{formula}", "'@SUM(1)", "'+1")
    assert (row["latitude"], row["longitude"]) == ("-1.5", "-70.5")
