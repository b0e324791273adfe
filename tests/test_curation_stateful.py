"""Whatever curators do in whatever order, what a reader relies on holds.

Random sequences of writes, each on a data set of its own: three, the same for everyone, unless
SEQUENCES says how many. SHRINK=1 looks for the shortest one that fails, which takes minutes.
`tests/stateful_model.py` remembers what was done; `look` compares it with all that can be read.
"""

import csv
import gzip
import io
import json
import os
import time
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from pyarrow import parquet

from api import create_app
from api.database.engines import db
from api.management import consistency
from tests import builders, conftest, contract
from tests.stateful_model import OWN, WORD, Model, PublicAnswer
from tests.test_json_patch import apply

SEQUENCES = int(os.environ.get("SEQUENCES", "3"))
PHASES = [Phase.generate, *([Phase.shrink] if "SHRINK" in os.environ else [])]
API = "/api/v1"
EVERYWHERE = (
    *(f"{API}/incidents{end}" for end in ("?limit=1000", ".csv", ".ndjson", ".geojson")),
    *(f"{API}/{name}" for name in ("claims?limit=1000", "claims.csv", "articles", "overview")),
    *(f"{API}/{name}" for name in ("communities", "episodes", "codebook")),
    *(f"{API}/stats?group_by={name}" for name in ("country", "community", "type")),
    f"{API}/changes?since=0&limit=1000",
    f"{API}/search?q=clash",
    f"{API}/incidents?q=clash",
)
OF_ONE = ("", "/versions", "/claims", "/similar")
WHERE = (("Kyiv", "UA"), ("Lviv", "UA"), ("Tbilisi", "GE"))
PAGE = {"Accept": "text/html"}
# What an erasure may change of a document beside the fields that it names.
WITH_SOURCES = {"sources", "disputed", "number_of_sources"}
WITH_VENUE = {"latitude", "longitude", "geo_precision"}

pick = st.integers(0, 11)


def choose(candidates, number):
    """Choose one of CANDIDATES, whose order is that in which they came."""
    found = list(candidates)
    return found[number % len(found)]


def a_moment():
    """Return a time apart from those of the writes before and after it."""
    time.sleep(0.002)
    moment = datetime.now(UTC)
    time.sleep(0.002)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Curation(RuleBasedStateMachine):
    """Curators at work on an empty data set, and a reader who remembers everything."""

    def __init__(self, database, folder):
        super().__init__()
        database.engine.restore(database.url, database.bare)
        self.folder = folder / f"{time.monotonic_ns()}"
        self.app = create_app(
            {
                "DATABASE_URL": database.url,
                "RATELIMIT_ENABLED": False,
                "RELEASE_FOLDER": str(self.folder / "releases"),
                "EXPORT_FOLDER": str(self.folder / "exports"),
            }
        )
        self.broken = contract.watch(self.app)
        self.client = self.app.test_client()
        self.keys = {
            role: {"Authorization": f"Bearer {key}", "If-Match": "*"}
            for role, key in database.keys.items()
        }
        self.model = Model()
        self.names = {"communities/armenian": None, "episodes/autumn-2020-war": None}
        self.releases = {}
        self.mirror = {}
        self.looks = 0
        self.seq = self.version()

    # How everything is asked

    def version(self):
        return int(self.client.get(f"{API}/incidents?limit=1").headers["Dataset-Version"])

    def write(self, method, path, body=None, role="editor", allowed=()):
        """Send a write; what is refused is None where its status is ALLOWED."""
        answer = self.client.open(API + path, method=method, json=body, headers=self.keys[role])
        if answer.status_code in allowed:
            return None
        assert answer.status_code in (200, 201, 204), answer.text
        return answer.json if answer.data else {}

    def read(self, address, status=200, headers=None):
        answer = self.client.get(address, headers=headers)
        assert answer.status_code == status, (address, answer.status_code, answer.text)
        return answer

    def private(self, act):
        """Hold that what ACT does is nothing to the public."""
        before = self.version()
        act()
        assert self.version() == before

    def settle(self):
        """Remember what the public reads of each record after a step."""
        self.model.settle()
        moment = a_moment()
        for record in self.model.known():
            answer = self.client.get(f"{API}/incidents/{record.id}")
            document = answer.json if answer.status_code == 200 else None
            last = record.reads[-1] if record.reads else None
            if last is None or (last.status, last.document) != (answer.status_code, document):
                record.reads.append(PublicAnswer(moment, answer.status_code, document))

    def standing(self, status=None):
        return [
            found
            for found in self.model.records.values()
            if found.standing and status in (None, found.status)
        ]

    def some(self, *statuses):
        return [found for found in self.model.records.values() if found.status in statuses]

    # What curators do

    def body(self, place, words):
        city, country = choose(WHERE, place)
        own = {name: self.model.word(own=True) for name in OWN}
        words += own.values()
        return builders.incident(
            **own,
            city=city,
            country=country,
            date=f"2020-07-{1 + place:02}",
            arrests=None if place % 3 else place,
            episode="autumn-2020-war",
        )

    def source(self, record, cited):
        """Make a source; CITED chooses a public article or, beyond those, a new one."""
        public = [article for article in self.model.articles.values() if article.public]
        holders = {record.id} if record else set()
        if cited < len(public):
            article = {"id": public[cited].id}
        else:
            title = self.model.word()
            article = {
                "title": title,
                "url": f"https://news.example/{title}",
                "publisher": self.model.word(),
            }
        said = {name: self.model.word(holders=set(holders)) for name in ("text", "scope")}
        claim = {"field": "arrests", "value": cited, **said}
        locator = self.model.word(holders=set(holders))
        return {"article": article, "locator": locator, "claims": [claim]}

    def cite(self, document):
        """Learn the ids of the articles that a write made."""
        for source in document["sources"]:
            article = source["article"]
            for name in ("title", "publisher", "url"):
                for word in WORD.findall(article[name] or ""):
                    self.model.words[word].article = article["id"]
                    self.model.words[word].holders.clear()

    def create(self, place, cited, role, status):
        words = []
        body = self.body(place, words)
        if cited is not None:
            source = body["sources"] = [self.source(None, cited)]
            source = source[0]
            words += (source["locator"], source["claims"][0]["text"], source["claims"][0]["scope"])
        if status == "draft" and place % 2:
            body["reason"] = self.model.word(note=True)
        document = self.write("POST", "/incidents?allow_duplicate=true", body, role)
        assert document["status"] == status
        self.cite(document)
        self.model.add(document, words)
        self.settle()

    @rule(place=pick, cited=st.none() | pick)
    def publish_at_once(self, place, cited):
        self.create(place, cited, "editor", "published")

    @rule(place=pick, cited=st.none() | pick)
    def post_a_draft(self, place, cited):
        self.private(lambda: self.create(place, cited, "contributor", "draft"))

    @precondition(lambda self: self.standing())
    @rule(number=pick, name=st.sampled_from((*OWN, "arrests", "communities")), drop=st.booleans())
    def change(self, number, name, drop):
        record = choose(self.standing(), number)
        body, own = {name: number}, None
        if name == "communities":
            body = {name: ["armenian"] if drop else ["armenian", "azerbaijani"]}
        elif name in OWN:
            word = self.model.word(own=True, holders={record.id})
            own = body = {name: None if drop and name != "title" else word}
        note = {"reason": self.model.word(note=True)} if record.status == "draft" else {}
        path = f"/incidents/{record.id}"

        def act():
            self.model.take(record, self.write("PATCH", path, {**body, **note}), own)

        self.private(act) if record.status == "draft" else act()
        self.settle()

    @precondition(lambda self: self.standing())
    @rule(number=pick, cited=pick, adopt=st.booleans())
    def add_a_source(self, number, cited, adopt):
        record = choose(self.standing(), number)
        body = self.source(record, cited) | ({"adopt": ["arrests"]} if adopt else {})
        document = self.write("POST", f"/incidents/{record.id}/sources", body)
        self.cite(document)
        self.model.take(record, document)
        self.settle()

    @precondition(lambda self: any(found.articles for found in self.standing()))
    @rule(number=pick, article=pick)
    def remove_a_source(self, number, article):
        record = choose((found for found in self.standing() if found.articles), number)
        id_ = choose(sorted(record.articles), article)
        path = f"/incidents/{record.id}"
        self.write("DELETE", f"{path}/sources/{id_}")
        self.model.take(record, self.read(API + path, headers=self.keys["editor"]).json)
        self.settle()

    @precondition(lambda self: self.standing("published"))
    @rule(number=pick, name=st.sampled_from(OWN))
    def post_a_correction(self, number, name):
        target = choose(self.standing("published"), number)
        word = self.model.word(own=True)
        shown = self.read(f"{API}/incidents/{target.id}").json
        body = {**shown, name: word, "corrects": target.id}
        for member in ("id", "version", "status"):
            del body[member]

        def act():
            path = "/incidents?allow_duplicate=true"
            document = self.write("POST", path, body, "contributor")
            draft = self.model.add(document, [word])
            draft.corrects = target
            self.model.spread(target, draft, own=True)

        self.private(act)
        self.settle()

    def publish_a_correction(self, draft):
        """Publish what a draft corrects, unless its record is gone or changed the same field."""
        target = draft.corrects
        path = f"/incidents/{draft.id}/publish"
        document = self.write("POST", path, {}, allowed=(409,))
        if document is not None:
            draft.status, draft.merged_into = "merged", target
            self.model.spread(draft, target, own=True)
            own = {name: document[name] for name in OWN}
            assert all(own[name] in (target.own[name], draft.own[name]) for name in OWN)
            self.model.take(target, document, own)
        self.settle()

    @precondition(lambda self: self.standing("draft"))
    @rule(number=pick)
    def publish(self, number):
        record = choose(self.standing("draft"), number)
        if record.corrects is not None:
            self.publish_a_correction(record)
        else:
            document = self.write("POST", f"/incidents/{record.id}/publish", {})
            self.cite(document)
            self.model.take(record, document)
            self.settle()

    @precondition(lambda self: self.standing())
    @rule(number=pick)
    def withdraw(self, number):
        record = choose(self.standing(), number)
        note = self.model.word(note=True)
        self.write("DELETE", f"/incidents/{record.id}?code=safety&reason={note}")
        record.status = "withdrawn"
        self.settle()

    @precondition(lambda self: self.some("withdrawn", "published", "draft"))
    @rule(number=pick, version=pick)
    def restore(self, number, version):
        record = choose(self.some("withdrawn", "published", "draft"), number)
        wanted = choose(range(1, record.version + 1), version)
        path = f"/incidents/{record.id}/versions/{wanted}/restore"
        self.model.take(record, self.write("POST", path, {}), record.own_at(wanted))
        self.settle()

    @precondition(lambda self: len(self.standing()) > 1)
    @rule(number=pick, other=pick)
    def merge(self, number, other):
        record = choose(self.standing(), number)
        into = choose((found for found in self.standing() if found is not record), other)
        if record.status == "published" and into.status == "draft":
            record, into = into, record
        document = self.write("POST", f"/incidents/{record.id}/merge", {"into": into.id})
        self.model.join(record, into)
        self.model.take(into, document)
        self.settle()

    @precondition(lambda self: self.some("merged"))
    @rule(number=pick)
    def undo_a_merge(self, number):
        record = choose(self.some("merged"), number)
        allowed = () if record.merged_into.standing else (409,)
        path = f"/incidents/{record.id}"
        document = self.write("POST", f"{path}/versions/1/restore", {}, allowed=allowed)
        assert (document is None) == (not record.merged_into.standing)
        if document is not None:
            into = record.merged_into
            self.model.take(record, document)
            left = self.read(f"{API}/incidents/{into.id}", headers=self.keys["editor"]).json
            own = {name: left[name] for name in OWN}
            assert all(own[name] in {then[name] for _, then in into.past} for name in OWN)
            self.model.take(into, left, own)
        self.settle()

    @precondition(lambda self: self.some("draft", "published", "withdrawn", "merged"))
    @rule(number=pick)
    def erase_a_record(self, number):
        record = choose(self.some("draft", "published", "withdrawn", "merged"), number)
        self.write("POST", f"/incidents/{record.id}/erase", {}, "admin")
        for gone in (record, *self.model.corrections(record)):
            gone.status = "erased"
            self.model.erase(
                [name for name, word in self.model.words.items() if gone.id in word.holders],
                gone.id,
            )
        for release in self.releases.values():
            release["lines"].pop(record.id, None)
            release["erased"] = True
        self.settle()

    @precondition(lambda self: self.some("draft", "published", "withdrawn", "merged"))
    @rule(number=pick, fields=st.sets(st.sampled_from((*OWN, "sources", "arrests")), min_size=1))
    def erase_fields(self, number, fields):
        record = choose(self.some("draft", "published", "withdrawn", "merged"), number)
        document = self.write(
            "POST", f"/incidents/{record.id}/erase", {"fields": sorted(fields)}, "admin"
        )
        left = {name: document[name] for name in OWN if name in fields}
        for touched in (record, *self.model.corrections(record)):
            self.forget(touched, fields, left)
            touched.own |= left
        if record.standing:
            self.model.take(record, document, left)
        loose = {*fields, *WITH_SOURCES, *WITH_VENUE, *(f"arrests{end}" for end in ENDS)}
        self.loosen(record, loose)
        self.settle()

    def forget(self, record, fields, left):
        """Remember that the words of FIELDS are gone from every version of a record."""
        for name in fields & set(OWN):
            words = {own[name] for _, own in record.past} | {record.own[name]}
            self.model.erase(words & self.model.words.keys(), record.id)
            for _, own in record.past:
                own[name] = left[name]
        if "sources" in fields:
            record.articles.clear()
            self.model.erase(
                [
                    name
                    for name, word in self.model.words.items()
                    if record.id in word.holders and not word.own
                ],
                record.id,
            )

    @precondition(lambda self: any(found.public for found in self.model.articles.values()))
    @rule(number=pick)
    def rename_an_article(self, number):
        article = choose((cited for cited in self.model.articles.values() if cited.public), number)
        word = self.model.word(article=article.id)
        self.write("PATCH", f"/articles/{article.id}", {"title": word})
        self.settle()

    @precondition(lambda self: any(found.public for found in self.model.articles.values()))
    @rule(number=pick)
    def erase_an_article(self, number):
        article = choose((cited for cited in self.model.articles.values() if cited.public), number)
        self.write("POST", f"/articles/{article.id}/erase", {}, "admin")
        self.model.erase(
            name for name, word in self.model.words.items() if word.article == article.id
        )
        for record in self.model.records.values():
            self.loosen(record, WITH_SOURCES)
        self.settle()

    @rule(path=st.sampled_from(("communities/armenian", "episodes/autumn-2020-war")))
    def rename_a_term(self, path):
        name = self.model.name()
        before = self.read(f"{API}/incidents.ndjson").data
        self.write("PATCH", f"/{path}", {"name": name})
        assert self.read(f"{API}/incidents.ndjson").data == before
        self.names[path] = name

    def loosen(self, record, members):
        for remembered in record.reads:
            remembered.loose |= members
        for release in self.releases.values():
            release["loose"].setdefault(record.id, set()).update(members)
            release["erased"] = True

    @precondition(lambda self: len(self.releases) < 2)
    @rule()
    def release(self):
        name = f"edition-{len(self.releases)}"
        found = self.write("POST", "/releases", {"name": name}, "admin")
        assert found["files"][0]["records"] == len(self.model.published())
        files = self.files(found)
        lines = self.lines(files)
        assert lines.keys() == self.model.published()
        for id_, line in lines.items():
            assert line.strip() == self.read(f"{API}/incidents/{id_}").data.strip()
        self.releases[name] = {
            "revision": 1,
            "files": files,
            "lines": lines,
            "loose": {},
            "erased": False,
        }

    # What a reader relies on

    @precondition(lambda self: self.looks < 2)
    @rule()
    def look(self):
        self.looks += 1
        self.stored_equals_fresh()
        self.every_id_answers_as_it_should()
        self.as_of_is_what_was_read_then()
        self.history_replays_to_the_present()
        self.a_copy_is_in_step()
        self.releases_change_by_erasure_alone()
        self.what_is_public_is_found()
        self.what_is_not_is_found_nowhere()
        assert self.broken == []

    def teardown(self):
        try:
            self.look()
        finally:
            conftest.close(self.app)

    def stored_equals_fresh(self):
        with self.app.app_context():
            session = db.session()
            assert [
                found for _, differing in consistency.check(session) for found in differing
            ] == []
            kept, counted = consistency.counter(session)
            session.rollback()
        assert kept == counted == len(self.model.published())

    def every_id_answers_as_it_should(self):
        for record in self.model.records.values():
            address = f"{API}/incidents/{record.id}"
            if record.public_from is None:
                self.read(address, 404)
            elif record.status == "published":
                document = self.read(address).json
                assert {name: document[name] for name in OWN} == record.own
            elif record.status == "merged":
                to = self.read(address, 308).headers["Location"]
                assert to == f"{API}/incidents/{record.merged_into.id}"
            else:
                self.read(address, 410)

    def as_of_is_what_was_read_then(self):
        for record in self.model.known():
            for then in record.reads:
                address = f"{API}/incidents/{record.id}?as_of={then.moment}"
                if record.status != "published":
                    self.read(address, 308 if record.status == "merged" else 410)
                    continue
                # A record that was merged then, and is not now, was not to be read then.
                status = 410 if then.status == 308 else then.status
                answer = self.read(address, status)
                if then.document is not None:
                    assert same(then.document, answer.json, then.loose)
                    then.document, then.loose = answer.json, set()

    def history_replays_to_the_present(self):
        for id_ in self.model.published():
            path = f"{API}/incidents/{id_}"
            document = None
            for entry in self.read(f"{path}/versions?limit=1000").json["data"]:
                if entry["status"] != "published":
                    assert entry["patch"] is None
                    self.read(f"{path}/versions/{entry['version']}", 410)
                    continue
                as_it_was = self.read(f"{path}/versions/{entry['version']}").json
                if document is not None:
                    assert apply(document, entry["patch"]) == as_it_was
                document = as_it_was
            assert document == self.read(path).json

    def a_copy_is_in_step(self):
        page = self.read(f"{API}/changes?since={self.seq}&limit=1000").json
        numbers = [entry["seq"] for entry in page["data"]]
        assert numbers == list(range(self.seq + 1, self.seq + 1 + len(numbers)))
        for entry in page["data"]:
            if "incident" in entry and entry["incident"] is None:
                self.mirror.pop(entry["id"], None)
            elif "incident" in entry:
                self.mirror[entry["id"]] = entry["incident"]
        self.seq = page["last_seq"]
        served = self.read(f"{API}/incidents.ndjson").text.splitlines()
        assert self.mirror == {found["id"]: found for found in map(json.loads, served)}
        assert self.mirror.keys() == self.model.published()

    def files(self, found):
        return {file["name"]: self.read(file["url"]).data for file in found["files"]}

    def lines(self, files):
        lines = files["incidents.ndjson"].splitlines(keepends=True)
        return {json.loads(line)["id"]: line for line in lines}

    def releases_change_by_erasure_alone(self):
        never = self.model.never()
        for name, release in self.releases.items():
            found = self.read(f"{API}/releases/{name}").json
            files = self.files(found)
            if not release["erased"]:
                assert (found["revision"], files) == (release["revision"], release["files"])
            lines = self.lines(files)
            assert lines.keys() == release["lines"].keys()
            for id_, line in lines.items():
                loose = release["loose"].get(id_, set())
                was = release["lines"][id_]
                assert line == was or same(json.loads(was), json.loads(line), loose)
            text = "".join(text_of(*file) for file in files.items())
            assert not [word for word in never if word in text]
            assert len(found["revisions"]) == found["revision"]
            sheet = files["incidents.csv"].decode("utf-8-sig")
            assert {row["id"] for row in csv.DictReader(io.StringIO(sheet))} == lines.keys()
            release |= {
                "revision": found["revision"],
                "files": files,
                "lines": lines,
                "loose": {},
                "erased": False,
            }

    def what_is_public_is_found(self):
        published = [found for found in self.model.records.values() if found.status == "published"]
        for record in published:
            for word in {word for word in record.own.values() if word in self.model.words}:
                hits = self.read(f"{API}/search?q={word}").json["data"]
                holders = {found.id for found in published if word in found.own.values()}
                assert {hit["incident"]["id"] for hit in hits} == holders
        total = self.read(f"{API}/incidents?count=exact").json["total"]
        assert total == len(published) == self.read(f"{API}/overview").json["incidents"]
        for path, name in self.names.items():
            if name is not None:
                assert self.read(f"{API}/{path}").json["name"] == name
                query = f"q={name}&limit=1000&fields=id"
                found = self.read(f"{API}/incidents?{query}").json["data"]
                assert {record["id"] for record in found} == self.model.published()

    def what_is_not_is_found_nowhere(self):
        hidden, erased = self.model.hidden(), self.model.erased()
        self.absent(hidden, {}, EVERYWHERE)
        self.absent(hidden, PAGE, ("/", "/codebook"))
        listed = f"{API}/incidents?status=draft,published,withdrawn&limit=1000"
        for headers in (self.keys["editor"], self.keys["admin"]):
            self.absent(erased, headers, (*EVERYWHERE, listed))
        for record in self.model.records.values():
            path = f"{API}/incidents/{record.id}"
            numbers = [f"/versions/{number}" for number in range(1, record.version + 1)]
            addresses = [path + below for below in (*OF_ONE, *numbers)]
            self.absent(hidden - {record.id}, {}, addresses)
            self.absent(hidden - {record.id}, PAGE, (f"/incidents/{record.id}",))
            self.absent(erased, self.keys["editor"], addresses)
        for article in self.model.articles.values():
            path = f"{API}/articles/{article.id}"
            self.absent(hidden, {}, (path,))
            assert self.client.get(path).status_code == (200 if article.public else 404)
        self.not_suggested(hidden)

    def absent(self, words, headers, addresses):
        for address in addresses:
            text = self.client.get(address, headers=headers).text
            found = [word for word in words if word in text]
            assert not found, (address, found)

    def not_suggested(self, hidden):
        """Search for what is hidden, and for what is nearly that."""
        words = sorted(word for word in hidden if WORD.fullmatch(word))
        for start in range(0, len(words), 8):
            some = words[start : start + 8]
            for query in (" OR ".join(some), f"{some[0][:-1]}w", f"{some[0][:-1]}*"):
                answer = self.read(f"{API}/search?q={query}").json
                found = {hit["incident"]["id"] for hit in answer["data"]}
                assert not found or query.endswith("*")
                suggested = " ".join(answer["suggestions"])
                assert not [word for word in hidden - set(some) if word in suggested]
                assert some[0] not in suggested or query is some[0]


ENDS = ("", "_low", "_high", "_text")


def text_of(name, data):
    """Read the text in a file of a release, packed or in columns."""
    if name.endswith(".gz"):
        return text_of(name.removesuffix(".gz"), gzip.decompress(data))
    if name.endswith(".parquet"):
        return str(parquet.read_table(io.BytesIO(data)).to_pylist())
    return data.decode()


def same(was, now, loose):
    """Whether a document is as it was but for LOOSE members."""
    kept = was.keys() | now.keys()
    return all(was.get(name, ...) == now.get(name, ...) for name in kept - loose)


@pytest.mark.slow
def test_no_sequence_of_writes_breaks_what_a_reader_relies_on(database, tmp_path):
    run_state_machine_as_test(
        lambda: Curation(database, tmp_path),
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=16 if SEQUENCES < 20 else 30,
            deadline=None,
            database=None,
            derandomize=SEQUENCES < 20,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
            phases=PHASES,
        ),
    )
