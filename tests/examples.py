"""The examples of the API's description: real records, sent to the service and answered by it.

`record` plays a session on an empty instance that holds the vocabularies; the first request of
each operation and its first answer of each status become examples. `tests/test_examples.py` holds
the file to the session; `make docs` writes it anew.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from api.http.openapi import operation_of
from api.http.problems import MEDIA_TYPE

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
COMMUNITIES = ("armenian", "azerbaijani")
MOSCOW, THE_HAGUE, LONDON = "3a8a51z8j1", "np6rqd9gj4", "rx0ktbwsnv"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_SAME_TIME = "2026-01-01T00:00:00.000Z"
_SAME_DIGEST = "0" * 64
# What the service says of itself and of its whole contract is no record.
LEFT_OUT = {
    "readyz",
    "healthz",
    "read_metrics",
    "problem_page",
    "read_codebook",
    "read_overview",
    "read_file",
}

Body = dict[str, Any]
Key = dict[str, str]  # the headers that carry it


class Session:
    """Sends requests to APP with the HEADERS of a key, and keeps what makes an example."""

    def __init__(self, app: Flask, headers: Key) -> None:
        self.app = app
        self.client = app.test_client()
        self.key = headers
        self.examples: dict[str, dict[str, Any]] = {"problems": {}}
        # Ids that the service drew, and what stands for them.
        self.drawn: dict[str, str] = {}

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Send a request of an editor and keep it with its answer; `If_Match` is a header."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = {"data": body} if isinstance(body, str) else {"json": body} if body else {}
        answer = self.client.open(path, method=method, headers={**self.key, **named}, **content)
        self._keep(method, path, body, answer)
        return answer

    def _keep(self, method: str, path: str, body: Any, answer: TestResponse) -> None:
        if answer.mimetype == MEDIA_TYPE:
            kind = answer.json["type"].rpartition("/")[2]
            self.examples["problems"].setdefault(kind, _timeless(answer.json))
            return
        endpoint, arguments = self.app.url_map.bind("").match(path.partition("?")[0], method)
        operation = operation_of(self.app.view_functions[endpoint])
        assert answer.status_code < 400, answer.text
        if operation is None or operation.name in LEFT_OUT:
            return
        kept = self.examples.setdefault(operation.name, {})
        if arguments:
            kept.setdefault("path", arguments)
        if body:
            kept.setdefault("request", _timeless(body))
        if answer.mimetype == "application/json":
            kept.setdefault(str(answer.status_code), _timeless(answer.json))


def _timeless(value: Any) -> Any:
    """Put one time in the place of each, and one digest and size in that of what depends on it."""
    text = _TIME.sub(_SAME_TIME, json.dumps(value))
    text = re.sub(r"\d{4}-\d\d-\d\d(?=\. CC BY)", _SAME_TIME[:10], text)
    text = re.sub(r'"bytes": \d+(?=, "sha256")', '"bytes": 20000', text)
    return json.loads(re.sub(r'(?<="sha256": ")[0-9a-f]{64}', _SAME_DIGEST, text))


def record(app: Flask, editor: Key, admin: Key) -> dict[str, dict[str, Any]]:
    """Play the session on APP and return the examples by operation and part."""
    session = Session(app, editor)
    _vocabularies(session)
    for article in json.loads((SEEDS / "articles.json").read_text(encoding="utf-8")):
        session.send("POST", "/api/v1/articles", article)
    since = session.client.get("/api/v1").json["dataset_version"] - 3
    incidents = {incident["id"]: incident for incident in _incidents()}
    first = [incidents.pop(MOSCOW), incidents.pop(THE_HAGUE)]
    session.send("POST", "/api/v1/incidents/dry-run", first[0])
    for incident in (*first, *incidents.values()):
        session.send("POST", "/api/v1/incidents", incident)
    _reads(session, since)
    _changes(session)
    _decisions(session, incidents[LONDON])
    _problems(session, first[0])
    session.key = admin
    _keys(session)
    _editions(session)
    _erasures(session)
    text = json.dumps(session.examples)
    for id_, same in session.drawn.items():
        text = text.replace(id_, same)
    examples: dict[str, dict[str, Any]] = json.loads(text)
    return examples


def _incidents() -> Iterator[Body]:
    for path in sorted(SEEDS.glob("incidents/*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))


def _vocabularies(session: Session) -> None:
    """Make again, by request, what the seeds' command has made of what the incidents name."""
    for plural in ("communities", "episodes"):
        for term in json.loads((SEEDS / f"{plural}.json").read_text(encoding="utf-8")):
            if plural == "communities" and term["id"] not in COMMUNITIES:
                continue
            path = f"/api/v1/{plural}/{term['id']}"
            session.send("GET", f"/api/v1/{plural}?limit=2")
            session.send("GET", path)
            session.send("DELETE", path, {"reason": "To be made anew."}, If_Match='"1"')
            session.send("POST", f"/api/v1/{plural}", term)


def _reads(session: Session, since: int) -> None:
    for path in (
        "/api/v1",
        "/api/v1/incidents?city=Moscow&limit=2",
        "/api/v1/search?q=Kishinev clashes",
        f"/api/v1/incidents/{MOSCOW}",
        "/api/v1/articles?limit=2",
        "/api/v1/articles/e0t3z15xx8",
        f"/api/v1/changes?since={since}&limit=2",
        "/api/v1/claims?limit=2",
        "/api/v1/places?q=Kishinev",
        "/api/v1/claims.json?field=arrests&limit=1",
        "/api/v1/stats?group_by=country&limit=2",
        f"/api/v1/incidents/{MOSCOW}/claims",
        "/ogc",
        "/ogc/conformance",
        "/ogc/collections",
        "/ogc/collections/incidents",
        f"/ogc/collections/incidents/items/{MOSCOW}",
    ):
        session.send("GET", path)


def _changes(session: Session) -> None:
    """Correct records, look back, and take one out."""
    path = f"/api/v1/incidents/{MOSCOW}"
    correction = {"venue": "Food market", "reason": "The later report names the place."}
    session.send("PATCH", path, correction, If_Match='"1"')
    session.send("GET", f"{path}/versions")
    session.send("GET", f"{path}/versions/1")
    session.send("POST", f"{path}/versions/1/restore", {"reason": "Too narrow."}, If_Match='"2"')
    source = {"article": "hk8ae126a0", "locator": "paragraph 5", "claims": []}
    session.send("POST", f"{path}/sources", source, If_Match='"3"')
    reason = {"reason": "It tells of another event."}
    session.send("DELETE", f"{path}/sources/hk8ae126a0", reason, If_Match='"4"')
    session.send("POST", "/api/v1/articles", {"id": "0ne0ff1tem", "title": "Not cited"})
    session.send("DELETE", "/api/v1/articles/0ne0ff1tem", {"reason": "A slip."}, If_Match='"1"')
    whole = session.client.get(path).json
    session.send("PUT", path, {**whole, "arrests": 13}, If_Match="*")
    for plural, id_, change in (
        ("articles", "e0t3z15xx8", {"language": "en"}),
        ("communities", "armenian", {"description": "Armenians outside Armenia."}),
        ("episodes", "autumn-2020-war", {"aliases": ["Second Karabakh war"]}),
    ):
        one = f"/api/v1/{plural}/{id_}"
        session.send("PATCH", one, change, If_Match="*")
        session.send("PUT", one, session.client.get(one).json, If_Match="*")
    point = {"latitude": 33.8937, "longitude": 35.5406}
    added = {"id": "p1ace0add1", "name": "Bourj Hammoud", "country": "LB", **point}
    session.send("POST", "/api/v1/places", added)
    held = "/api/v1/places/geonames-2791018"
    session.send("PATCH", held, {"aliases": ["Molem"]}, If_Match="*")
    session.send("GET", held)
    withdrawal = {"code": "duplicate", "reason": "Reported twice."}
    session.send("DELETE", f"/api/v1/incidents/{THE_HAGUE}", withdrawal, If_Match='"1"')


def _decisions(session: Session, incident: Body) -> None:
    """Publish, reject and merge what tells of the same event."""
    correction, copy = "7zq3m8k2xd", "8zq3m8k2xd"
    report = {**incident, "title": "Clash in central London"}
    draft = {**report, "id": correction, "corrects": LONDON}
    session.send("POST", "/api/v1/incidents", {**draft, "status": "draft"})
    path = f"/api/v1/incidents/{correction}"
    session.send("POST", f"{path}/reject", {"reason": "Say who reports it."}, If_Match='"1"')
    session.send("POST", f"{path}/publish", {"reason": "It does."}, If_Match="*")
    session.send("POST", "/api/v1/incidents?allow_duplicate=true", {**report, "id": copy})
    session.send("GET", f"/api/v1/incidents/{LONDON}/similar")
    session.send("GET", "/api/v1/similar")
    session.send("POST", f"/api/v1/incidents/{copy}/distinct", {"other": MOSCOW})
    merge = {"into": LONDON, "reason": "Two records of one event."}
    session.send("POST", f"/api/v1/incidents/{copy}/merge", merge, If_Match='"1"')
    line = {**report, "id": "9zq3m8k2xd", "title": "A line of a file", "sources": []}
    id_ = session.send("POST", "/api/v1/imports", [line]).json["import_id"]
    session.send("GET", "/api/v1/imports")
    session.send("POST", f"/api/v1/imports/{id_}/revert", {"reason": "The wrong file."})
    session.drawn[id_] = "1mp0rt0001"


def _problems(session: Session, incident: Body) -> None:
    """Ask for what is refused, once for each kind that can be had without breaking anything."""
    path = f"/api/v1/incidents/{MOSCOW}"
    new = {name: value for name, value in incident.items() if name != "id"}
    session.send("GET", "/api/v1/incidents/0000000000")
    session.send("GET", "/api/v1/incidents?contry=RU")
    session.send("POST", "/api/v1/incidents", incident)
    session.send("POST", "/api/v1/incidents", new)
    session.send("PATCH", path, {"arrests": 14})
    session.send("PATCH", path, {"arrests": 14}, If_Match='"1"')
    session.send("PATCH", f"/api/v1/incidents/{THE_HAGUE}", {"arrests": 1}, If_Match="*")
    session.send("DELETE", "/api/v1/articles/e0t3z15xx8", If_Match="*")
    url = "https://news.example/report"
    session.send("POST", "/api/v1/articles", {"id": "1" * 10, "url": url})
    session.send("POST", "/api/v1/articles", {"url": url})
    session.send("POST", "/api/v1/articles", {"title": "A report"}, Idempotency_Key="one")
    session.send("POST", "/api/v1/articles", {"title": "Another"}, Idempotency_Key="one")
    for content, media_type in (("{", "application/json"), ("{}", "text/plain")):
        session.send("POST", "/api/v1/incidents", content, Content_Type=media_type)
    session.key = {}
    session.send("GET", f"/api/v1/incidents/{THE_HAGUE}")
    session.send("POST", "/api/v1/incidents", new)


def _keys(session: Session) -> None:
    """Ask whose a key is; create one, and revoke it."""
    own = session.send("GET", "/api/v1/me").json["id"]
    session.send("DELETE", f"/api/v1/keys/{own}")
    new = {"name": "Border desk", "role": "contributor"}
    key = session.send("POST", "/api/v1/keys", new).json
    listed = session.send("GET", "/api/v1/keys").json["data"]
    session.send("DELETE", f"/api/v1/keys/{key['id']}")
    session.drawn[key["key"]] = f"b9f59284_{'0' * 40}"
    session.drawn |= {one["id"]: f"b9f5928{at}" for at, one in enumerate(reversed(listed), 4)}


def _editions(session: Session) -> None:
    """Take whole results away, and freeze them as a release."""
    release = {"name": "2026-11", "title": "Diaspora incidents"}
    session.send("POST", "/api/v1/releases", release)
    session.send("PATCH", "/api/v1/releases/2026-11", {"doi": "10.5281/zenodo.1234"})
    session.send("GET", "/api/v1/releases/2026-11")
    session.send("GET", "/api/v1/releases")


def _erasures(session: Session) -> None:
    """Take out what must not stay: of a record, and of what records refer to."""
    erased = {"fields": ["venue"], "code": "safety"}
    session.send("POST", f"/api/v1/incidents/{LONDON}/erase", erased, If_Match="*")
    erased = {"fields": ["author"], "code": "legal"}
    session.send("POST", "/api/v1/articles/e0t3z15xx8/erase", erased, If_Match="*")
    for path, field in (
        ("communities/armenian", "description"),
        ("episodes/autumn-2020-war", "description"),
        ("places/geonames-2791018", "aliases"),
    ):
        erased = {"fields": [field], "code": "safety"}
        session.send("POST", f"/api/v1/{path}/erase", erased, If_Match="*")


def write(path: Path, examples: dict[str, Any]) -> None:
    """Write EXAMPLES for people to read in a change."""
    text = json.dumps(examples, ensure_ascii=False, indent=1, sort_keys=False)
    path.write_text(text + "\n", encoding="utf-8")
