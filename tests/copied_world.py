"""A world for copies: all that a database may hold, and a seeded walk over all that is served.

`fill(app, number, keys)` writes it, mostly by requests, as curators would. `walk(app, keys)` asks
for everything that can be read, as everybody who may ask, and returns the answers.
"""

import random
from itertools import cycle
from urllib.parse import urlencode

from sqlalchemy import select

from api.core.permissions import Actor
from api.database.engines import db
from api.database.transactions import transaction
from api.models import ApiKey, ImportPosition, Incident, Version
from schemas.query.values import GROUPINGS, SORTS
from tests import builders, random_records

API = "/api/v1"
INCIDENTS = f"{API}/incidents"
# Of an answer's headers, what is of the answer and not of what is said.
_OWN_HEADERS = {"X-Request-Id", "Date"}
# What measures the process, and what has the size of the file in it.
_LEFT_OUT = {"service.read_metrics"}
_FORMATS = ("csv", "ndjson", "geojson", "json")
_WORDS = ("happened", "moscow", "somewhere -paris", '"something happened"', "moskow", "Кишинёв")
_FILTERS = (
    {},
    {"city": "Moscow"},
    {"country": "FR,BE", "disputed": "true"},
    {"community": "armenian:organiser"},
    {"date_from": "2019", "match": "possible"},
    {"min_arrests": "2", "sort": "-arrests"},
    {"near": "Brussels", "radius_km": "300"},
    {"bbox": "-180,-90,180,90", "sort": "date"},
    {"unreported": "arrests", "count": "exact"},
    {"q": "somewhere", "sort": "relevance"},
    {"publisher": "Daily Sample"},
    {"episode": "autumn-2020-war", "police_measure": "cordon"},
)


class _Curators:
    """Sends requests that have to be accepted."""

    def __init__(self, app, keys):
        self.client, self.keys = app.test_client(), keys

    def send(self, method, path, body=None, role="editor", **headers):
        """Send a request of ROLE, and return what it was answered."""
        own = {"Authorization": f"Bearer {self.keys[role]}", "If-Match": "*", **headers}
        data = {"data": body} if isinstance(body, str) else {"json": body}
        answer = self.client.open(path, method=method, headers=own, **data)
        assert answer.status_code < 300, f"{method} {path}: {answer.text}"
        return answer.json

    def post(self, role="editor", **changes):
        """Post a record and return it."""
        path = f"{INCIDENTS}?allow_duplicate=true"
        return self.send("POST", path, builders.incident(**changes), role)


def fill(app, number, keys):
    """Fill the database of APP with NUMBER records, and some of everything else."""
    with app.app_context():
        names = select(ApiKey).where(ApiKey.role == "contributor")
        author = db.session.scalars(names).one()
        actor = Actor(author.pk, author.role, author.name)
    records = random_records.fill(app, number, actor)
    published = [one for one in records if one["status"] == "published"]
    curators = _Curators(app, keys)
    _histories(curators, random.Random(1), published[2:])  # the others stand to the end
    _reviews(curators, published)
    _references(curators)
    _imports(app, curators)
    _editions(curators, published)
    _keys(curators)


def _histories(curators, rng, published):
    """Amend, withdraw, restore and merge about a third of the records."""
    for record in rng.sample(published, len(published) // 3):
        change = {"arrests": rng.randrange(50), "reason": "A later report."}
        curators.send("PATCH", record["url"], change)
    first, second, third, fourth, fifth, sixth = rng.sample(published, 6)
    curators.send("DELETE", f"{first['url']}", {"code": "safety", "reason": "Names a home."})
    curators.send("DELETE", f"{second['url']}", {"code": "duplicate"})
    curators.send("POST", f"{second['url']}/versions/1/restore", {"reason": "It is not one."})
    for one, into in ((third, fourth), (fifth, sixth)):
        curators.send("POST", f"{one['url']}/merge", {"into": into["id"]})
    curators.send("POST", f"{fifth['url']}/versions/1/restore", {"reason": "Two events."})


def _reviews(curators, published):
    """Leave drafts in every state of review."""
    draft = curators.post("contributor", title="A draft that waits")
    curators.send("POST", f"{draft['url']}/reject", {"reason": "Who says so?"})
    article = {"url": "https://news.example/draft", "title": "Known to the draft alone"}
    curators.post("contributor", sources=[{"article": article, "locator": "p1"}])
    correction = curators.post("contributor", corrects=published[0]["id"], venue="Town hall")
    curators.send("POST", f"{correction['url']}/publish", {})
    claims = [{"field": "arrests", "value": value, "scope": "the square"} for value in (3, 30)]
    source = {"article": {"url": "https://news.example/claims"}, "locator": "p1", "claims": claims}
    curators.post(sources=[source], external_ids=["acled:RUS1"], tags=["trial"])


def _references(curators):
    """Add, amend and delete what records refer to, and places."""
    community = {"id": "testers", "name": "Testers", "aliases": ["Пробные", "Probers"]}
    curators.send("POST", f"{API}/communities", community)
    curators.send("PATCH", f"{API}/communities/testers", {"description": "Of tests."})
    curators.send("POST", f"{API}/articles", {"id": "0ne0ff1tem", "title": "Not cited"})
    curators.send("DELETE", f"{API}/articles/0ne0ff1tem")  # the highest number is not in use
    point = {"latitude": 33.8937, "longitude": 35.5406}
    added = {"id": "p1ace0add1", "name": "Bourj Hammoud", "country": "LB", **point}
    curators.send("POST", f"{API}/places", added)
    curators.send("PATCH", f"{API}/places/geonames-2791018", {"aliases": ["Molem"]})
    curators.post(city="Bourj Hammoud", country="LB")


def _imports(app, curators):
    """Import a file, undo another, and leave a third half done."""
    lines = [builders.incident(title=f"Line {number}") for number in range(3)]
    retry = {"Idempotency-Key": "an import"}
    curators.send("POST", f"{API}/imports", lines, **retry)
    undone = curators.send("POST", f"{API}/imports", lines[:2])["import_id"]
    curators.send("POST", f"{API}/imports/{undone}/revert", {"reason": "The wrong file."})
    with app.app_context():
        with transaction() as session:
            session.add(
                ImportPosition(sha256="0" * 64, lines=2, counts={"created": 2}, at="2026-01-01")
            )
        db.session.remove()


def _editions(curators, published):
    """Freeze two editions; erase a record, and a field of another, from everything."""
    curators.send("POST", f"{API}/releases", {"name": "first"}, "admin")
    whole = curators.post(title="To be erased")
    curators.send("POST", f"{API}/releases", {"name": "second"}, "admin")
    curators.send("POST", f"{whole['url']}/erase", {"code": "legal"}, "admin")
    curators.send("POST", f"{published[1]['url']}/erase", {"fields": ["title"]}, "admin")


def _keys(curators):
    key = curators.send("POST", f"{API}/keys", {"name": "gone", "role": "editor"}, "admin")
    curators.send("DELETE", f"{API}/keys/{key['id']}", role="admin")


def walk(app, keys, records=15, seed=3):
    """Return {(caller, address): (status, headers, bytes)} of everything that can be read.

    RECORDS of them, drawn by SEED, are looked at each, in each of their versions, and all that
    were merged or erased.
    """
    client = app.test_client()
    callers = {"public": {}} | {
        role: {"Authorization": f"Bearer {key}"} for role, key in keys.items()
    }
    answers = {}

    def read(caller, address):
        answer = client.get(address, headers=callers[caller])
        headers = sorted(pair for pair in answer.headers if pair[0] not in _OWN_HEADERS)
        answers[caller, address] = (answer.status_code, headers, answer.data)
        return answer

    rng = random.Random(seed)
    for address in _addresses(app, random.Random(seed), records):
        for caller in sorted({"public", rng.choice(("contributor", "editor")), "admin"}):
            read(caller, address)
    for start in (f"{INCIDENTS}?limit=40", f"{API}/changes?since=0&limit=100", f"{API}/claims"):
        for caller in callers:
            _follow(read, caller, start)
    return answers


def _follow(read, caller, address, pages=20):
    """Read page after page."""
    for _ in range(pages):
        page = read(caller, address).json
        if page["next"] is None:
            return
        address = page["next"]


def _addresses(app, rng, records):
    """Yield the address of every read without variables, and of some records with all theirs."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in rule.methods]
    for rule in rules:
        if not rule.arguments and rule.endpoint not in _LEFT_OUT:
            yield str(rule)
    variables = _variables(app, rng, records)
    for rule in rules:
        for values in variables(rule):
            yield _built(rule, values)
    yield from _queries(rng)


def _built(rule, values):
    path = str(rule)
    for name, value in values.items():
        path = path.replace(f"<{name}>", str(value))
    return path


def _variables(app, rng, records):
    """Return a function from a rule to the values that its variables take in the walk."""
    with app.app_context():
        rows = db.session.execute(select(Incident.id, Incident.merged_into_pk, Incident.erased_at))
        ids = {id_: merged or erased for id_, merged, erased in rows}
        rare = {id_ for id_, is_rare in ids.items() if is_rare}
        chosen = sorted(rare | {*rng.sample(sorted(ids), min(records, len(ids)))})
        versions = db.session.execute(
            select(Incident.id, Version.number)
            .join(Version, Version.incident_pk == Incident.pk)
            .where(Incident.id.in_(chosen))
            .order_by(Incident.id, Version.number)
        ).all()
        db.session.remove()
    client = app.test_client()

    def listed(path):
        return [{"id_": one["id"]} for one in client.get(f"{API}/{path}?limit=40").json["data"]]

    found = {
        "incidents": [{"id_": id_} for id_ in chosen],
        "versions": [{"id_": id_, "number": number} for id_, number in versions],
        "articles": listed("articles"),
        "communities": listed("communities"),
        "episodes": listed("episodes"),
        "places": [{"id_": "p1ace0add1"}, {"id_": "geonames-2791018"}],
        "suffix": [{"suffix": suffix} for suffix in _FORMATS],
        "names": [{"name": name} for name in ("first", "second")],
        "files": [
            {"name": name, "file_name": file}
            for name in ("first", "second")
            for file in ("incidents.ndjson", "incidents.csv", "claims.csv")
        ],
    }

    def of(rule):
        parts = str(rule).split("/")
        if rule.arguments == {"id_"}:
            resource = next((part for part in parts if part in found), "incidents")
            return found[resource]
        kinds = {
            frozenset({"id_", "number"}): "versions",
            frozenset({"suffix"}): "suffix",
            frozenset({"name", "file_name"}): "files",
        }
        if rule.arguments == {"name"}:
            return found["names"] if "releases" in parts else []
        return found.get(kinds.get(frozenset(rule.arguments), ""), [])

    return of


def _queries(rng):
    """Yield lists, searches, sums and exports by filters of every kind."""
    formats = cycle(_FORMATS)
    for chosen in _FILTERS:
        yield f"{INCIDENTS}?{urlencode(chosen)}"
        yield f"{INCIDENTS}.{next(formats)}?{urlencode(chosen)}"
        yield f"{API}/overview?{urlencode({k: v for k, v in chosen.items() if k != 'sort'})}"
        yield f"{INCIDENTS}?{urlencode({'fields': 'id,date', 'limit': 7} | chosen)}"
    for order in SORTS:
        if order != "relevance":
            yield f"{INCIDENTS}?{urlencode({'sort': order, 'limit': rng.randrange(5, 50)})}"
    for words in _WORDS:
        yield f"{API}/search?{urlencode({'q': words})}"
        yield f"{API}/stats?{urlencode({'q': words, 'group_by': 'city'})}"
    for group in GROUPINGS:
        yield f"{API}/stats?{urlencode({'group_by': group})}"
    for name in ("Moscow", "Bourj", "Molem", "Кишинёв", "Spring"):
        yield f"{API}/places?{urlencode({'q': name})}"
