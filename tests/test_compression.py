"""Compression: gzip for who takes it, with tags, lengths and digests that stay true."""

import base64
import gzip
import hashlib
import http.client
import json
import time
from contextlib import closing, contextmanager

import pytest

from api.exports import exporter
from tests import processes, servers, tools
from tests.examples import MOSCOW

LIST = "/api/v1/incidents"
GZIP = {"Accept-Encoding": "gzip"}
READS = [
    LIST,
    f"{LIST}/{MOSCOW}",
    f"{LIST}.csv",
    f"{LIST}.geojson?limit=3",
    f"{LIST}.atom",
    "/api/v1/claims",
    "/api/v1/stats?group_by=country",
    "/openapi.json",
    "/ogc/collections/incidents/items",
]


def digest(body):
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def test_an_answer_comes_packed_to_who_takes_it_so(seeded, client):
    for path in READS:
        plain, packed = client.get(path), client.get(path, headers=GZIP)
        assert "Content-Encoding" not in plain.headers
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data) == plain.data
        assert packed.headers["Content-Length"] == str(len(packed.data))
        assert packed.headers["ETag"] == f'{plain.headers["ETag"][:-1]}-gzip"'
        assert "Accept-Encoding" in plain.headers["Vary"]
        assert packed.headers["Vary"] == plain.headers["Vary"]


@pytest.mark.parametrize("form", ['"{}"', 'W/"{}"', '"{}-gzip"', 'W/"{}-gzip"', '"x", "{}-br"'])
def test_every_form_of_a_tag_says_what_is_held(seeded, client, form):
    for path in READS:
        held = form.format(client.get(path).headers["ETag"].strip('"'))
        for coding in ("gzip", "identity"):
            headers = {"Accept-Encoding": coding, "If-None-Match": held}
            answer = client.get(path, headers=headers)
            assert (answer.status_code, answer.data) == (304, b"")
            assert answer.headers["ETag"] in held
            assert "Accept-Encoding" in answer.headers["Vary"]


def test_a_change_is_based_on_any_form_of_a_tag(client, editor, incident):
    made = client.post(LIST, json=incident(), headers=editor).json
    forms = ('"{}-gzip"', 'W/"{}"', 'W/"{}-gzip"', '"{}-zstd"')
    for version, form in enumerate(forms, start=made["version"]):
        headers = {**editor, "If-Match": form.format(version)}
        path = f"{LIST}/{made['id']}"
        answer = client.patch(path, json={"arrests": version + 50}, headers=headers)
        assert answer.status_code == 200


def test_who_does_not_ask_for_gzip_gets_it_plain(seeded, client):
    for accepted in ("", "identity", "br", "gzip;q=0", "identity, gzip;q=0.5", "nonsense"):
        for path in (LIST, f"{LIST}.csv"):
            answer = client.get(path, headers={"Accept-Encoding": accepted})
            assert "Content-Encoding" not in answer.headers


def test_a_short_answer_is_not_worth_it(client):
    answer = client.get(f"{LIST}?limit=1", headers=GZIP)
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("size", [1_000_000, 1000])
def test_a_packed_export_proves_that_it_is_whole(seeded, client, monkeypatch, tmp_path, size):
    monkeypatch.setattr(exporter, "IN_MEMORY", size)
    for again in (False, True):
        head = client.head(f"{LIST}.ndjson", headers=GZIP)
        answer = client.get(f"{LIST}.ndjson", headers=GZIP)
        assert answer.headers["Repr-Digest"] == head.headers["Repr-Digest"] == digest(answer.data)
        assert answer.headers["Content-Length"] == str(len(answer.data)), again
        assert answer.headers["Record-Count"] == "8"
    assert gzip.decompress(answer.data) == client.get(f"{LIST}.ndjson").data


def test_a_part_of_a_packed_export_is_of_its_packed_bytes(seeded, client):
    whole = client.get(f"{LIST}.ndjson", headers=GZIP)
    headers = {**GZIP, "Range": "bytes=100-", "If-Range": whole.headers["ETag"]}
    part = client.get(f"{LIST}.ndjson", headers=headers)
    assert (part.status_code, part.data) == (206, whole.data[100:])
    assert part.headers["Content-Encoding"] == "gzip"
    plain = client.get(f"{LIST}.ndjson", headers={**headers, "Accept-Encoding": "identity"})
    assert plain.status_code == 200  # the tag is that of other bytes


def test_a_part_is_plain_where_nothing_says_that_its_beginning_was_packed(seeded, client):
    whole = client.get(f"{LIST}.ndjson")
    part = client.get(f"{LIST}.ndjson", headers={**GZIP, "Range": "bytes=100-199"})
    assert (part.status_code, part.data) == (206, whole.data[100:200])
    assert "Content-Encoding" not in part.headers


def test_a_release_has_each_file_packed_beside_it(seeded, client, admin):
    release = client.post("/api/v1/releases", json={"name": "packed"}, headers=admin).json
    files = {file["name"]: file for file in release["files"]}
    for name in ("incidents.ndjson", "incidents.csv", "claims.csv"):
        beside = files[f"{name}.gz"]
        named = client.get(beside["url"])
        coded = client.get(files[name]["url"], headers=GZIP)
        assert "Content-Encoding" not in named.headers
        assert coded.headers["Content-Encoding"] == "gzip"
        assert named.data == coded.data
        assert hashlib.sha256(coded.data).hexdigest() == beside["sha256"]
        assert len(coded.data) == beside["bytes"] == int(coded.headers["Content-Length"])
        assert gzip.decompress(coded.data) == client.get(files[name]["url"]).data
        assert beside["records"] == files[name]["records"]


# Behind a proxy that compresses by itself


@contextmanager
def caddy(folder, service):
    """Yield the port of a Caddy before SERVICE that compresses whatever is plain."""
    port = servers.free_port()
    text = f"{{\n admin off\n}}\nhttp://127.0.0.1:{port} {{\n encode zstd gzip\n"
    file = folder / "Caddyfile"
    file.write_text(f"{text} reverse_proxy {service} {{\n header_up -Accept-Encoding\n }}\n}}\n")
    environment = {
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    process = processes.start(
        [tools.find("caddy"), "run", "--config", str(file), "--adapter", "caddyfile"],
        env=environment,
    )
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                ask(port, "GET", "/healthz")
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        processes.stop(process)


def ask(port, method, path, body=None, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        return answer, answer.read()


@pytest.mark.slow
@pytest.mark.needs("caddy")
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_tag_survives_the_compression_of_a_proxy(seeded, tmp_path, editor):
    path, coding = f"{LIST}/{MOSCOW}", "zstd"
    with (
        servers.serving(seeded.config["DATABASE_URL"]) as service,
        caddy(tmp_path, service.removeprefix("http://")) as port,
    ):
        first, _ = ask(port, "GET", path, Accept_Encoding=coding)
        tag = first.headers["ETag"]
        assert first.headers["Content-Encoding"] == coding
        again, _ = ask(port, "GET", path, Accept_Encoding=coding, If_None_Match=tag)
        assert again.status == 304
        headers = {**editor, "Content-Type": "application/json", "If-Match": tag}
        changed, _ = ask(port, "PATCH", path, json.dumps({"arrests": 14}), **headers)
        assert changed.status == 200
        stale, _ = ask(port, "PATCH", path, json.dumps({"arrests": 15}), **headers)
        assert stale.status == 412
