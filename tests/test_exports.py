"""Exports as answers: complete, proven, resumed, shared, private, bounded, and gone on erasure."""

import base64
import csv
import hashlib
import io
import json
import threading
import tracemalloc
from contextlib import ExitStack
from datetime import date, timedelta
from functools import partial

import pytest
from pyarrow import parquet

from api import create_app
from api.core.permissions import OPERATOR, PUBLIC
from api.database.engines import reader
from api.database.transactions import transaction
from api.exports import exporter as exports
from api.exports.exporter import ExportRequest
from api.exports.formats import geojson, ndjson
from api.http.conditional import etag
from api.queries import pages
from api.queries.results import ResolvedQuery
from api.records.verbs import create
from schemas import incident as schema
from tests import builders
from tests.conftest import close

INCIDENTS = "/api/v1/incidents"
EXPORTED = ("csv", "geojson", "ndjson", "parquet")


def fill(app, number, **changes):
    """Make records, in one transaction; each on a date of its own unless that is given."""
    with app.app_context(), transaction() as session:
        for place in range(number):
            day = date(1990, 1, 1) + timedelta(3 * place)
            body = builders.incident(
                **{"title": f"Record {place}", "date": day.isoformat(), **changes}
            )
            create(session, schema.load(body), OPERATOR, refuse_duplicates=False)


def count(name, body):
    """Count the records in the bytes of a format."""
    if name == "csv":
        return len(list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""))))
    if name == "parquet":
        return parquet.read_table(io.BytesIO(body)).num_rows
    if name == "geojson":
        return len(json.loads(body)["features"])
    return len([json.loads(line) for line in body.splitlines()])


def digest(body):
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


@pytest.fixture
def client(app):
    """Return a client that reads each answer to its end, as a server would."""
    client = app.test_client()
    client.open = partial(client.open, buffered=True)
    return client


@pytest.fixture
def files(app, tmp_path, monkeypatch):
    """Let anything above a kilobyte become a file, in the folder that this returns."""
    monkeypatch.setattr(exports, "IN_MEMORY", 1000)
    folder = tmp_path / "exports"
    app.extensions["exports"].files.folder = folder
    return folder


def finished_files(folder):
    """List the finished files."""
    return sorted(path.name for path in folder.glob("[0-9]*")) if folder.exists() else []


# Whole and proven


@pytest.mark.parametrize("name", EXPORTED)
@pytest.mark.parametrize(("query", "number"), [("", 8), ("?city=Moscow", 3), ("?city=Kyiv", 0)])
@pytest.mark.parametrize("size", [1_000_000, 1000])
def test_an_export_proves_that_it_is_whole(
    seeded, client, files, monkeypatch, name, query, number, size
):
    monkeypatch.setattr(exports, "IN_MEMORY", size)
    answer = client.get(f"{INCIDENTS}.{name}{query}")
    version = client.get(INCIDENTS).headers["Dataset-Version"]
    assert answer.status_code == 200
    assert count(name, answer.data) == number
    assert answer.headers["Record-Count"] == str(number)
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert answer.headers["Repr-Digest"] == digest(answer.data)
    assert answer.headers["Dataset-Version"] == version
    assert answer.headers["ETag"] == etag(version, f"-{name}")
    assert answer.headers["Link"] == f'<{INCIDENTS}.{name}{query}>; rel="canonical"'
    assert answer.headers["Vary"] == "Accept, Authorization, Accept-Encoding"
    whole = "-filtered" if query else ""
    assert f'filename="incidents-v{version}{whole}.{name}"' in answer.headers["Content-Disposition"]
    assert "Transfer-Encoding" not in answer.headers


def test_ndjson_holds_the_records_as_they_are_served(seeded, client):
    lines = client.get(f"{INCIDENTS}.ndjson?sort=date").data.splitlines()
    for line in lines:
        assert client.get(f"{INCIDENTS}/{json.loads(line)['id']}").data == line


def test_an_export_holds_more_than_a_page_in_the_order_of_the_list(app, client):
    fill(app, 450, date="2020-07", arrests=3)
    fill(app, 3, date="2019-01-01/2021-12-31", arrests=9)
    for query in (
        "",
        "?date=2020&sort=-arrests",
        "?community=armenian&date=2020-07&sort=date",
        "?community=armenian,azerbaijani&country=UA,BE",
    ):
        lines = client.get(f"{INCIDENTS}.ndjson{query}").data.splitlines()
        ids = [json.loads(line)["id"] for line in lines]
        mark = "&" if query else "?"
        page = client.get(f"{INCIDENTS}{query}{mark}limit=1000&fields=id").json["data"]
        assert len(ids) == 453
        assert ids == [record["id"] for record in page]


def test_the_formats_are_the_same_by_suffix_parameter_and_accept(seeded, client):
    by_suffix = client.get(f"{INCIDENTS}.csv?city=Moscow")
    by_parameter = client.get(f"{INCIDENTS}?city=Moscow&format=csv")
    by_accept = client.get(f"{INCIDENTS}?city=Moscow", headers={"Accept": "text/csv"})
    for other in (by_parameter, by_accept):
        assert other.data == by_suffix.data
        assert other.headers["Link"] == by_suffix.headers["Link"]
    assert client.get(f"{INCIDENTS}.json").json == client.get(INCIDENTS).json


def test_what_is_no_format_is_told(client):
    assert client.get(f"{INCIDENTS}.xml").status_code == 404
    (error,) = client.get(f"{INCIDENTS}?format=geo").json["errors"]
    assert (error["parameter"], error["suggestion"]) == ("format", "geojson")
    (error,) = client.get(f"{INCIDENTS}?format=csv&format=json").json["errors"]
    assert error["code"] == "repeated"


def test_a_limit_makes_pages_of_any_format(seeded, client):
    seen, address = [], f"{INCIDENTS}.ndjson?limit=3"
    while address:
        answer = client.get(address)
        seen += [json.loads(line)["id"] for line in answer.data.splitlines()]
        assert answer.headers["Repr-Digest"] == digest(answer.data)
        links = answer.headers.getlist("Link")
        address = next((link[1:].split(">")[0] for link in links if 'rel="next"' in link), None)
    assert seen == [record["id"] for record in client.get(INCIDENTS).json["data"]]


def test_a_cursor_starts_an_export_in_the_middle(seeded, client):
    page = client.get(f"{INCIDENTS}?limit=5").json
    cursor = page["next"].partition("cursor=")[2]
    rest = client.get(f"{INCIDENTS}.ndjson?cursor={cursor}")
    assert rest.headers["Record-Count"] == "3"
    assert "-filtered" in rest.headers["Content-Disposition"]


def test_fields_are_the_members_or_the_columns_of_the_format(seeded, client):
    line = client.get(f"{INCIDENTS}.ndjson?fields=city,id&limit=1").data
    assert list(json.loads(line)) == ["city", "id"]
    table = client.get(f"{INCIDENTS}.csv?fields=id,community_roles").data.decode("utf-8-sig")
    assert table.splitlines()[0] == "id,community_roles"
    assert client.get(f"{INCIDENTS}.csv?fields=sources").status_code == 422
    assert client.get(f"{INCIDENTS}.ndjson?fields=community_roles").status_code == 422


def test_an_export_is_of_one_moment_whatever_is_written_meanwhile(
    app, client, editor, incident, monkeypatch, files
):
    fill(app, 450)
    before = client.get(INCIDENTS).headers["Dataset-Version"]
    read = pages.batches

    def write():
        new = app.test_client().post(INCIDENTS, json=incident(date="1990"), headers=editor)
        assert new.status_code == 201
        app.extensions["reader"].close()

    def batches(*arguments):
        for number, batch in enumerate(read(*arguments)):
            yield batch
            if number == 0:
                writer = threading.Thread(target=write)
                writer.start()
                writer.join(30)

    monkeypatch.setattr(pages, "batches", batches)
    answer = client.get(f"{INCIDENTS}.ndjson")
    assert (answer.headers["Record-Count"], answer.headers["Dataset-Version"]) == ("450", before)
    assert count("ndjson", answer.data) == 450
    assert client.get(INCIDENTS).headers["Dataset-Version"] == str(int(before) + 1)


# Held, resumed, asked about


@pytest.mark.parametrize("name", EXPORTED)
def test_what_is_held_is_not_sent_again(seeded, client, name):
    etag = client.get(f"{INCIDENTS}.{name}").headers["ETag"]
    again = client.get(f"{INCIDENTS}.{name}", headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    other = client.get(INCIDENTS, headers={"If-None-Match": etag})
    assert other.status_code == 200


@pytest.mark.parametrize("size", [1_000_000, 1000])
def test_head_tells_what_get_sends(seeded, client, files, monkeypatch, size):
    monkeypatch.setattr(exports, "IN_MEMORY", size)
    head, get = client.head(f"{INCIDENTS}.ndjson"), client.get(f"{INCIDENTS}.ndjson")
    assert head.data == b""
    for name in ("Content-Length", "Repr-Digest", "Record-Count", "ETag", "Accept-Ranges"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize("size", [1_000_000, 1000])
@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [("0-99", 0, 100), ("100-", 100, None), ("-50", -50, None), ("2000-999999999", 2000, None)],
)
def test_a_part_is_sent(seeded, client, files, monkeypatch, size, wanted, start, stop):
    monkeypatch.setattr(exports, "IN_MEMORY", size)
    whole = client.get(f"{INCIDENTS}.ndjson")
    headers = {"Range": f"bytes={wanted}", "If-Range": whole.headers["ETag"]}
    part = client.get(f"{INCIDENTS}.ndjson", headers=headers)
    assert part.status_code == 206
    assert part.data == whole.data[start:stop]
    first = start % len(whole.data)
    assert part.headers["Content-Range"] == (
        f"bytes {first}-{first + len(part.data) - 1}/{len(whole.data)}"
    )
    assert part.headers["Repr-Digest"] == whole.headers["Repr-Digest"]


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "nothing"])
def test_what_is_no_single_range_of_bytes_gets_the_whole(seeded, client, wanted):
    answer = client.get(f"{INCIDENTS}.csv", headers={"Range": wanted})
    assert answer.status_code == 200
    assert answer.headers["Repr-Digest"] == digest(answer.data)


def test_a_part_beyond_the_end_is_a_problem(seeded, client, files):
    length = client.get(f"{INCIDENTS}.csv").headers["Content-Length"]
    answer = client.get(f"{INCIDENTS}.csv", headers={"Range": "bytes=999999999-"})
    assert answer.status_code == 416
    assert answer.json["type"].endswith("/range-not-satisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{length}"


def test_a_part_of_what_has_changed_since_is_the_new_whole(seeded, client, editor, incident):
    first = client.get(f"{INCIDENTS}.csv")
    client.post(INCIDENTS, json=incident(), headers=editor)
    headers = {"Range": "bytes=100-", "If-Range": first.headers["ETag"]}
    answer = client.get(f"{INCIDENTS}.csv", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Record-Count"] == "9"


# Shared, and private


def test_a_large_export_is_written_once_while_the_version_stands(
    seeded, client, files, monkeypatch
):
    first = client.get(f"{INCIDENTS}.ndjson")
    (name,) = finished_files(files)
    assert name.startswith(f"{first.headers['Dataset-Version']}-")

    def fails(*_):
        raise AssertionError("it is read again")

    monkeypatch.setattr(pages, "batches", fails)
    again = client.get(f"{INCIDENTS}.ndjson")
    assert (again.data, dict(again.headers)["Repr-Digest"]) == (first.data, digest(first.data))
    assert again.headers["Record-Count"] == "8"
    assert finished_files(files) == [name]


def test_workers_share_the_files(seeded, client, files, monkeypatch):
    names = ("DATABASE_URL", "RATELIMIT_ENABLED")
    settings = {name: seeded.config[name] for name in names}
    other = create_app({**settings, "EXPORT_FOLDER": str(files)})
    try:
        first = other.test_client().get(f"{INCIDENTS}.ndjson").data
        (name,) = finished_files(files)
        assert client.get(f"{INCIDENTS}.ndjson").data == first
        assert finished_files(files) == [name]
    finally:
        close(other)


def test_every_query_and_format_is_a_file_of_its_own(seeded, client, files):
    for path in (
        ".ndjson",
        ".csv",
        ".ndjson?city=Moscow",
        ".ndjson?sort=date",
        ".ndjson?date=2020",
        ".ndjson?date=2020&match=certain",
        ".ndjson?fields=id,title,summary",
    ):
        assert client.get(INCIDENTS + path).status_code == 200
    assert len(finished_files(files)) == 7


def test_files_of_earlier_versions_go(seeded, client, files, editor, incident):
    client.get(f"{INCIDENTS}.ndjson")
    old = finished_files(files)
    client.post(INCIDENTS, json=incident(), headers=editor)
    assert client.get(f"{INCIDENTS}.ndjson").headers["Record-Count"] == "9"
    assert len(finished_files(files)) == 1
    assert finished_files(files) != old


def test_drafts_are_exported_to_their_readers_and_kept_nowhere(
    seeded, client, files, contributor, editor, incident
):
    client.post(INCIDENTS, json=incident(title="A draft " * 30), headers=contributor)
    for headers, number in ((contributor, "9"), (editor, "9"), ({}, "8")):
        answer = client.get(f"{INCIDENTS}.ndjson", headers=headers)
        assert answer.headers["Record-Count"] == number
        assert (b"A draft" in answer.data) == (number == "9")
        if headers:
            assert answer.headers["Cache-Control"] == "private, no-store"
            assert answer.headers["Accept-Ranges"] == "none"
            assert "ETag" not in answer.headers
            assert "Range" not in answer.headers
            part = client.get(f"{INCIDENTS}.ndjson", headers={**headers, "Range": "bytes=0-9"})
            assert part.status_code == 200
    assert len(finished_files(files)) == 1
    assert list(files.glob("*.part")) == []


def test_what_is_published_alone_is_shared_with_any_key(seeded, client, files, editor):
    public = client.get(f"{INCIDENTS}.ndjson?status=published")
    keyed = client.get(f"{INCIDENTS}.ndjson?status=published", headers=editor)
    assert keyed.data == public.data
    assert keyed.headers["ETag"] == public.headers["ETag"]
    assert len(finished_files(files)) == 1


# Bounds


def test_no_more_files_are_kept_than_agreed(seeded, client, files):
    cache = seeded.extensions["exports"].files
    cache.most_files = 2
    for sort in ("date", "-date", "arrests", "-arrests"):
        client.get(f"{INCIDENTS}.ndjson?sort={sort}")
    names = finished_files(files)
    assert len(names) == 2
    client.get(f"{INCIDENTS}.ndjson?sort=-arrests")
    assert finished_files(files) == names
    cache.most_files = 0
    assert client.get(f"{INCIDENTS}.ndjson?sort=injuries").status_code == 200
    assert finished_files(files) == []


def test_no_more_bytes_are_kept_than_agreed(seeded, client, files):
    cache = seeded.extensions["exports"].files
    size = int(client.get(f"{INCIDENTS}.ndjson").headers["Content-Length"])
    cache.most_bytes = int(size * 1.5)
    client.get(f"{INCIDENTS}.ndjson?sort=date")
    assert len(finished_files(files)) == 1


def test_an_export_larger_than_agreed_is_a_problem(seeded, client, files):
    seeded.extensions["exports"].files.most_bytes = 2000
    answer = client.get(f"{INCIDENTS}.ndjson")
    assert answer.status_code == 507
    assert answer.json["type"].endswith("/storage-full")
    assert "2,000" in answer.json["detail"]
    assert list(files.glob("*")) == []
    assert client.get(f"{INCIDENTS}.ndjson?limit=8").status_code == 200


@pytest.mark.parametrize("who", ["public", "editor"])
def test_a_folder_that_cannot_be_written_is_a_problem(seeded, client, files, editor, who):
    files.write_text("in the way")
    answer = client.get(f"{INCIDENTS}.ndjson", headers=editor if who == "editor" else {})
    assert answer.status_code == 507
    assert answer.json["type"].endswith("/storage-full")


def test_only_so_many_large_exports_are_on_their_way(seeded, client, files, monkeypatch):
    exports = seeded.extensions["exports"]
    monkeypatch.setattr(exports._open, "_places", threading.BoundedSemaphore(3))
    monkeypatch.setattr(
        "api.exports.exporter._BLOCK", 1000
    )  # so that a long one is not sent at once
    with ExitStack() as stack:
        for sort in ("date", "-date", "arrests"):
            long = client.get(f"{INCIDENTS}.ndjson?sort={sort}", buffered=False)
            stack.callback(long.close)
        for sort in ("date", "-arrests"):
            answer = client.get(f"{INCIDENTS}.ndjson?sort={sort}")
            assert answer.status_code == 503
            assert answer.json["type"].endswith("/busy")
            assert int(answer.headers["Retry-After"]) > 0
        assert client.get(INCIDENTS).status_code == 200
        assert client.get(f"{INCIDENTS}.ndjson?city=Moscow&fields=id").status_code == 200
    assert client.get(f"{INCIDENTS}.ndjson?sort=-arrests").status_code == 200


@pytest.mark.parametrize("path", [".ndjson", ".ndjson?sort=date"])
def test_what_failed_gives_its_place_back(seeded, client, files, path):
    cache = seeded.extensions["exports"].files
    client.get(f"{INCIDENTS}.ndjson")
    most = cache.most_bytes
    for _ in range(5):
        cache.most_bytes = 2000
        client.get(f"{INCIDENTS}{path}&fields=id,title,summary" if "?" in path else INCIDENTS)
        client.head(f"{INCIDENTS}{path}")
        client.get(f"{INCIDENTS}{path}", headers={"Range": "bytes=999999999-"})
        cache.most_bytes = most
        assert client.get(f"{INCIDENTS}{path}").status_code == 200


def test_the_same_export_asked_for_twice_at_once_is_written_once(
    seeded, client, files, monkeypatch
):
    """The first thread stops while it writes the file; the second one then waits for that file."""
    read, started, go_on = pages.batches, threading.Event(), threading.Event()
    finished = []

    def batches(*arguments):
        yield from read(*arguments)
        started.set()  # the first batch is in the file by now
        if threading.current_thread() is first:
            go_on.wait(30)
        finished.append(threading.current_thread())

    answers = {}

    def ask():
        answer = seeded.test_client().get(f"{INCIDENTS}.ndjson")
        answers[threading.current_thread()] = answer.data
        seeded.extensions["reader"].close()

    monkeypatch.setattr(pages, "batches", batches)
    first, second = threading.Thread(target=ask), threading.Thread(target=ask)
    first.start()
    assert started.wait(30)
    second.start()
    second.join(0.5)
    assert second.is_alive()
    go_on.set()
    first.join(30)
    second.join(30)
    assert finished == [first]
    assert answers[first] == answers[second] != b""


def test_what_a_killed_worker_left_is_taken_over(seeded, client, files):
    whole = client.get(f"{INCIDENTS}.ndjson").data
    (name,) = finished_files(files)
    files.joinpath(name).rename(files / f"{name}.part")
    other = files / "1-0000.part"
    other.write_bytes(b"half of")
    assert client.get(f"{INCIDENTS}.ndjson").data == whole
    assert finished_files(files) == [name]
    assert not other.exists()


def test_a_file_that_was_never_finished_is_not_sent(seeded, client, files):
    whole = client.get(f"{INCIDENTS}.ndjson").data
    (name,) = finished_files(files)
    files.joinpath(name).write_bytes(whole[:2000])
    assert client.get(f"{INCIDENTS}.ndjson").data == whole


# Erasure


def erase(client, admin, id_):
    answer = client.post(f"{INCIDENTS}/{id_}/erase", json={"version": 1}, headers=admin)
    assert answer.status_code == 204, answer.text


def test_an_erasure_empties_the_folder_at_once(seeded, client, files, admin):
    for name in EXPORTED:
        client.get(f"{INCIDENTS}.{name}")
    assert len(finished_files(files)) == len(EXPORTED)
    erase(client, admin, "kn46wr7ddn")
    assert finished_files(files) == []
    assert b"kn46wr7ddn" not in client.get(f"{INCIDENTS}.ndjson").data
    assert len(finished_files(files)) == 1


def test_an_export_that_was_read_before_an_erasure_is_not_kept(
    seeded, client, files, admin, monkeypatch
):
    read = pages.batches

    def batches(*arguments):
        yield from read(*arguments)
        erase(seeded.test_client(), admin, "kn46wr7ddn")

    monkeypatch.setattr(pages, "batches", batches)
    client.get(f"{INCIDENTS}.ndjson?sort=arrests")
    assert list(files.glob("[0-9]*")) == []


# Memory


@pytest.mark.slow
def test_memory_does_not_grow_with_the_records(app, files):
    """Both 2,000 and 200,000 documents pass through a few megabytes."""
    document = builders.incident(summary="x" * 1000)
    with app.app_context():
        peaks = []
        for batches in (10, 1000):
            texts = [json.dumps({**document, "id": "7zq3m8k2xd", "latitude": None}).encode()] * 200
            request = ExportRequest(
                "some", geojson.FORMAT, lambda n=batches, t=texts: [t] * n, "key"
            )
            tracemalloc.start()
            app.extensions["exports"].make(reader(), request).close()
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            app.extensions["exports"].files.purge(0)
    assert max(peaks) < 6_000_000
    assert peaks[1] < peaks[0] * 1.5


@pytest.mark.slow
def test_documents_are_read_a_few_at_a_time(app, files):
    fill(app, 2000, summary="x" * 9000)
    with app.app_context():
        request = ExportRequest(
            "incidents",
            ndjson.FORMAT,
            lambda: pages.batches(reader(), ResolvedQuery(), PUBLIC),
            "key",
        )
        tracemalloc.start()
        export = app.extensions["exports"].make(reader(), request)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        length, records = export.length, export.records
        export.close()
    assert records == 2000
    assert length > 18_000_000
    assert peak < 12_000_000


# The command


@pytest.mark.parametrize("name", EXPORTED)
def test_the_command_writes_what_the_service_sends(seeded, client, runner, tmp_path, name):
    file = tmp_path / f"moscow.{name}"
    result = runner.invoke(
        args=[
            "export",
            str(file),
            "--city",
            "Moscow",
            "--community",
            "armenian",
            "--community",
            "azerbaijani",
            "--sort",
            "date",
        ]
    )
    assert result.exit_code == 0, result.output
    assert "2 records of dataset version" in result.stderr
    query = "city=Moscow&community=armenian&community=azerbaijani&sort=date"
    assert file.read_bytes() == client.get(f"{INCIDENTS}.{name}?{query}").data
    assert list(tmp_path.iterdir()) == [file]


def test_the_command_writes_to_standard_output(seeded, client, runner):
    result = runner.invoke(args=["export", "-", "--format", "ndjson", "--min-arrests", "10"])
    assert result.stdout_bytes == client.get(f"{INCIDENTS}.ndjson?min_arrests=10").data


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["moscow.xml"], "takes .csv, .geojson, .ndjson or .parquet"),
        (["moscow.json"], "takes .csv, .geojson, .ndjson or .parquet"),
        (["moscow.csv", "--type", "clsh"], "--type: 'clsh' is not known here"),
        (["moscow.csv", "--fields", "sources"], "--fields: There is no field 'sources'"),
        (["no/such/folder/moscow.csv"], "No such file or directory"),
    ],
)
def test_the_command_says_what_is_wrong(app, runner, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    result = runner.invoke(args=["export", *arguments])
    assert result.exit_code == 1
    assert words in result.output
    assert list(tmp_path.iterdir()) == []
