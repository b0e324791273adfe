"""What is erased is in no byte of any file: a marker in every field that a client can write.

The fields are those of the request schemas, so that a new one is searched for by itself. Run with
`-s` it prints what was written, and what was searched.
"""

import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psycopg
import pytest
from marshmallow import ValidationError

from api.database.engines import db
from schemas.article import ArticleSchema, InlineArticleSchema
from schemas.decisions import DecisionSchema, MergeSchema, RejectionSchema, RemovalSchema
from schemas.erasure import ERASABLE
from schemas.fields import ListOf, ObjectOf, Slug
from schemas.incident import IncidentSchema, NewSourceSchema, RestoreSchema
from schemas.places import PlaceSchema
from schemas.vocabulary_terms import TermSchema
from tests import builders, servers
from tests.conftest import run

ROOT = Path(__file__).parent.parent
API = "/api/v1"
# Ids stay, and what has to be one of a vocabulary is no word of the client's.
IDS = {"community", "episode", "country", "field"}

# What is read and not stored: keys of retries, of which a digest is, and lines that were refused.
UNSTORED = {"key", "line"}
_HEX = re.compile(rb"[0-9a-fA-F]{11,}")


class Markers:
    """Words that occur nowhere else, each with the field that it was written into."""

    def __init__(self):
        self.fields = {}

    def word(self, field):
        """Return a new word, which is also a slug, and which no prefix is shared with."""
        digest = hashlib.sha256(f"{len(self.fields)} {field} {os.urandom(8).hex()}".encode())
        marker = "ghkmpqrvwx"[len(self.fields) % 10] + digest.hexdigest()[:15]
        self.fields[marker] = field
        return marker

    def fill(self, schema, name, *, without=()):
        """Return a body with a word in every field of SCHEMA that takes one."""
        body = {}
        for member, field in schema().fields.items():
            is_id = member == "id" and isinstance(field, Slug)
            if member not in IDS and member not in without and not is_id:
                value = self._value(field, f"{name}.{field.data_key or member}")
                if value is not None:
                    body[field.data_key or member] = value
        return body

    def keep(self, sent):
        """Forget the words that were not SENT."""
        self.fields = {word: field for word, field in self.fields.items() if word in sent}

    def _value(self, field, name):
        if isinstance(field, ListOf):
            value = self._value(field.inner, name)
            return None if value is None else [value]
        if isinstance(field, ObjectOf):
            # Why an article is first named is said by the record.
            inline = issubclass(field.schema.__class__, InlineArticleSchema)
            return self.fill(type(field.schema), name, without=["reason"] * inline)
        word = self.word(name)
        for text in (word, f"https://{word}.example/", hashlib.sha256(word.encode()).hexdigest()):
            try:
                if field.deserialize(text) == text:
                    self.fields[word if word in text else text] = self.fields.pop(word)
                    return text
            except (ValidationError, TypeError, ValueError):
                continue
        del self.fields[word]
        return None


class Searched:
    """The bytes of files and folders, and which markers are in them."""

    def __init__(self, paths):
        self.files = sorted(
            file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))
        )
        self.files = [file for file in self.files if file.is_file()]

    def hits(self, markers):
        """Return the fields whose marker is in a file, with that file."""
        # An index cuts the beginning that a word shares with the one before it.
        ends = {marker[5:16].encode(): field for marker, field in markers.fields.items()}
        found = set()
        for file in self.files:
            data = file.read_bytes()
            data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
            for text in map(bytes.lower, _HEX.findall(data)):
                for start in range(len(text) - 10):
                    if field := ends.get(text[start : start + 11]):
                        found.add((field, file.name))
        return found

    def __str__(self):
        total = sum(file.stat().st_size for file in self.files)
        folders = sorted({str(file.parent) for file in self.files})
        return f"{len(self.files)} files, {total:,} bytes, in {', '.join(folders)}"


class Service:
    """The service as it runs, with its files in one folder, and a client of it."""

    def __init__(self, address, headers):
        self.address, self.headers, self.sent = address, headers, []

    def ask(self, method, path, body=None, *, role="editor", status=(200, 201, 204), **headers):
        """Send a request; return the JSON of its answer, with its headers."""
        kind = headers.pop("Content_Type", "application/json")
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        data = None if body is None else data
        sent = {} if data is None else {"Content-Type": kind}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(
            self.address + API + path, data, {**self.headers[role], **sent, **named}, method=method
        )
        self.sent += [path, str(data), *named.values()]
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text, code = answer.read(), answer.status
        except urllib.error.HTTPError as error:
            text, code = error.read(), error.code
        assert code in (status if isinstance(status, tuple) else (status,)), text.decode()
        return json.loads(text) if text.startswith((b"{", b"[")) else text.decode()

    def change(self, method, path, body, **more):
        """Change what stands, in whatever version."""
        return self.ask(method, path, body, If_Match="*", **more)


def whole_incident(markers, name):
    """Return the body of an incident with a word in every field, at a point of its own.

    A city is no field that is erased alone.
    """
    by_field = name.startswith("by field")
    body = markers.fill(IncidentSchema, name, without=("admin1", *["city"] * by_field))
    north = 50.4 + len(markers.fields) / 10_000
    point = {"latitude": round(north, 4), "longitude": 30.52, "geo_precision": "exact"}
    fixed = {"type": "clash", "date": "2019-05-04", "country": "UA", **point}
    body["communities"][0] |= {"community": "armenian", "role": "participant"}
    body["sources"][0]["claims"][0] |= {"field": "arrests", "value": 3}
    return {**body, **fixed, "arrests": 3}


def write_terms(service, markers):
    """Write communities, episodes and places, changed and deleted ones; return their paths."""
    paths = []
    for kind, schema, fixed in (
        ("communities", TermSchema, {}),
        ("episodes", TermSchema, {}),
        ("places", PlaceSchema, {"country": "UA", "latitude": 49.12, "longitude": 31.23}),
    ):
        for number, end in enumerate(("kept", "deleted")):
            name = f"{kind} {end}"
            id_ = f"erased{number}ab" if kind != "places" else f"erased000{number}"
            body = {**markers.fill(schema, name, without=("admin1",)), **fixed, "id": id_}
            path = f"/{kind}/{id_}"
            service.ask("POST", f"/{kind}", body, Idempotency_Key=markers.word(f"{name}.key"))
            service.change(
                "PATCH", path, markers.fill(schema, f"{name}, changed", without=("admin1",))
            )
            if end == "deleted":
                reason = markers.word(f"{name}.reason of its deletion")
                service.change("DELETE", f"{path}?reason={reason}", None)
            paths.append(path)
    paths.append("/places/geonames-703448")
    names = {"aliases": [markers.word("places of GeoNames.aliases")]}
    service.change("PATCH", paths[-1], names)
    return paths


def write_articles(service, markers):
    """Write articles: one of which a draft has a copy, one that is deleted; return their paths."""
    address = f"https://{markers.word('draft copy.article.url')}.example/a"
    copy = {
        **markers.fill(InlineArticleSchema, "draft copy.article", without=("reason",)),
        "url": address,
    }
    draft = builders.incident(city="Lviv", sources=[{"article": copy}])
    service.ask("POST", "/incidents", draft, role="contributor")
    paths = []
    for end in ("kept", "deleted"):
        made = service.ask("POST", "/articles", markers.fill(ArticleSchema, f"article {end}"))
        paths.append(f"/articles/{made['id']}")
        if end == "kept":
            cited = builders.incident(city="Kharkiv", sources=[{"article": made["id"]}])
            service.ask("POST", "/incidents", cited)
        changed = markers.fill(ArticleSchema, f"article {end}, changed")
        if end == "kept":
            changed["url"] = address.replace("https://", "http://www.") + "/?utm_source=x"
        service.change("PATCH", paths[-1], changed)
    service.change("DELETE", paths[-1], markers.fill(RemovalSchema, "article deleted.removal"))
    return paths


def write_records(service, markers, end):
    """Write records by every verb; return the paths of those to erase, corrections left out."""

    def fill(schema, verb):
        return markers.fill(schema, f"{end}: {verb}")

    def post(name, **more):
        body = {**whole_incident(markers, f"{end}: {name}"), **more.pop("body", {})}
        made = service.ask("POST", "/incidents?allow_duplicate=true", body, **more)
        return f"/incidents/{made['id']}"

    key = markers.word(f"{end}: record.key")
    record, other = post("record", Idempotency_Key=key), post("other")
    service.change("PATCH", record, whole_incident(markers, f"{end}: PATCH"))
    service.change("PUT", record, whole_incident(markers, f"{end}: PUT"))
    source = fill(NewSourceSchema, "source")
    source["claims"][0] |= {"field": "deaths", "value": 1}
    source = service.change("POST", f"{record}/sources", source)["sources"][-1]
    removed = f"{record}/sources/{source['article']['id']}"
    service.change("DELETE", f"{removed}?reason={markers.word(f'{end}: source.reason')}", None)
    service.change("POST", f"{record}/versions/1/restore", fill(RestoreSchema, "restore"))
    into = {**fill(MergeSchema, "merge"), "into": other.rpartition("/")[2]}
    service.change("POST", f"{record}/merge", into)
    service.change("POST", f"{record}/versions/2/restore", fill(RestoreSchema, "unmerge"))

    draft = post("draft", role="contributor")
    service.change("POST", f"{draft}/reject", fill(RejectionSchema, "reject"))
    correction = fill(IncidentSchema, "correction")["summary"]
    body = {"corrects": record.rpartition("/")[2], "summary": correction}
    body = service.ask("POST", "/incidents", body, role="contributor")
    service.change("POST", f"/incidents/{body['id']}/publish", fill(DecisionSchema, "publish"))
    withdrawn = post("withdrawn")
    service.change("DELETE", withdrawn, fill(RemovalSchema, "withdrawal"))
    return [record, other, draft, withdrawn, *write_many(service, markers, end)]


def write_many(service, markers, end):
    """Write records in bulk, with a line that is refused, and undo that; return their paths."""
    lines = [whole_incident(markers, f"{end}: line {number}") for number in range(2)]
    bad = {**builders.incident(), "type": markers.word(f"{end}: rejected.line")}
    text = "\n".join(json.dumps(line) for line in [*lines, bad])
    kind = {
        "Content_Type": "application/x-ndjson",
        "Idempotency_Key": markers.word(f"{end}: import.key"),
    }
    made = service.ask("POST", "/imports?on_error=skip", text, **kind)
    assert len(made["rejected"]) == 1
    reason = {"reason": markers.word(f"{end}: revert.reason")}
    service.ask("POST", f"/imports/{made['import_id']}/revert", reason)
    return [f"/incidents/{id_}" for id_ in made["ids"]]


def articles_of(service, path):
    """Return the paths of the articles that any version of a record shows."""
    numbers = [entry["version"] for entry in service.ask("GET", f"{path}/versions")["data"]]
    shown = [service.ask("GET", f"{path}/versions/{number}") for number in numbers]
    ids = {source["article"]["id"] for one in shown for source in one["sources"]}
    return {f"/articles/{id_}" for id_ in ids}


def erase(service, path, **body):
    """Erase what stands at PATH; articles of drafts go with them."""
    service.change("POST", f"{path}/erase", body, role="admin", status=(200, 204, 404))


def follow(service, folder):
    """Bring a copy of the data set up to date by the example of a mirror; return its file."""
    copy = folder / "mirror.sqlite"
    script = (
        "import sys; sys.path.insert(0, 'examples'); from mirror import Mirror; "
        "copy = Mirror(*sys.argv[1:]); copy.seq is None and copy.load()\n"
        "while copy.step(): pass"
    )
    command = [sys.executable, "-c", script, service.address, str(copy)]
    subprocess.run(command, cwd=ROOT, check=True)
    return copy


@pytest.fixture
def service(app, database, tmp_path, contributor, editor, admin):
    """Yield the service, every file of which lies in a folder of the test or in the database's."""
    if database.engine.name == "postgresql":
        uncompressed(app)
    (tmp_path / "tmp").mkdir()
    settings = {
        "EXPORT_FOLDER": tmp_path / "exports",
        "RELEASE_FOLDER": tmp_path / "releases",
        "ERASURE_LOG": tmp_path / "erasures.ndjson",
        "TMPDIR": tmp_path / "tmp",
        "ACCESS_LOG": "all",
    }
    log = tmp_path / "log"
    with servers.serving(app.config["DATABASE_URL"], log_file=log, **settings) as address:
        headers = {"contributor": contributor, "editor": editor, "admin": admin}
        yield Service(address, headers)


def uncompressed(app):
    """Let PostgreSQL store texts as they are, so that they can be searched for."""
    url = app.config["DATABASE_URL"].replace("+psycopg", "")
    columns = (
        "SELECT format('ALTER TABLE %I ALTER %I SET STORAGE EXTERNAL', table_name, column_name) "
        "FROM information_schema.columns WHERE table_schema = 'public' "
        "AND data_type IN ('text', 'character varying', 'json', 'tsvector')"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        for (statement,) in connection.execute(columns).fetchall():
            connection.execute(statement)


@pytest.mark.slow
def test_nothing_erased_is_in_any_byte(service, app, database, tmp_path):
    if not database.engine.files(app.config["DATABASE_URL"]):
        pytest.skip("the files of a server that is not ours cannot be searched")
    markers = Markers()
    paths = [*write_terms(service, markers), *write_articles(service, markers)]
    whole, parts = (write_records(service, markers, end) for end in ("whole", "by field"))
    articles = sorted({path for one in (*whole, *parts) for path in articles_of(service, one)})
    service.ask("POST", "/releases", {"name": "before"}, role="admin")
    service.ask("GET", f"/search?q={next(iter(markers.fields))}")
    service.ask("GET", "/incidents.csv")
    follow(service, tmp_path)
    run(app, "backup", str(tmp_path.parent / f"{tmp_path.name}.backup"))

    def search():
        return Searched([*database.engine.files(app.config["DATABASE_URL"]), tmp_path])

    if database.engine.name == "postgresql":
        with app.app_context(), db.engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")  # as its autovacuum would
    markers.keep(" ".join(service.sent))
    before = {field for field, _ in search().hits(markers)}
    for path in whole:
        erase(service, path)
    for path in parts:
        erase(service, path, fields=list(ERASABLE))
    for path in (*paths, *articles):
        erase(service, path)
    follow(service, tmp_path)
    run(app, "compact")
    after = search()
    sys.stdout.write(
        f"{database.engine.label}: {len(markers.fields)} words written, {len(before)} of them "
        f"found before; searched after erasing: {after}\n"
    )
    unfound = set(markers.fields.values()) - before
    assert {field.rpartition(".")[2] for field in unfound} <= UNSTORED
    assert after.hits(markers) == set()
