"""The attacks, one function each: what one client at one address sends, with a key of its own.

A case fails by what it does to others (`attacks.runs` measures that), or by an answer that breaks
off or is a 500.
"""

import json
import random
import string
from collections.abc import Callable
from urllib.parse import quote

from attacks.clients import Attacker, Request, in_threads, trickle
from attacks.stages import ARTICLE, Stage, locked
from tests import builders

Case = Callable[[Stage, Attacker], None]

API = "/api/v1"
INCIDENTS = f"{API}/incidents"
_CONNECTIONS = 8
_BOUNDS = (-1, 0, 1, 10**9, 10**9 + 1, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 10**30)
_random = random.Random(7)


def _word(length: int = 12) -> str:
    return "".join(_random.choices(string.ascii_lowercase, k=length))


def _draft(at: Stage, attacker: Attacker, **changes: object) -> str:
    body = builders.incident(title=_word(), date="1901-02-03", **changes)
    path = f"{INCIDENTS}?allow_duplicate=true"
    status, _, answer = attacker.send(Request("POST", path, body, at.keys["contributor"]))
    assert status == 201, (status, answer[:300])
    id_: str = json.loads(answer)["id"]
    return id_


def _flood_get(at: Stage, attacker: Attacker, make: Callable[[int], str], key: str = "") -> None:
    attacker.flood(lambda n: Request("GET", make(n), key=key), _CONNECTIONS, at.scale.seconds)


def unknown_cities(at: Stage, attacker: Attacker) -> None:
    """A hundred names that nothing is called, as a filter of everything that takes filters."""
    paths = (
        f"{INCIDENTS}?",
        f"{INCIDENTS}.csv?",
        f"{API}/search?q=word&",
        f"{API}/stats?group_by=year&",
        "/?",
        f"{API}/claims?",
        "/ogc/collections/incidents/items?",
        f"{INCIDENTS}?country=US,RU,GB&",
    )

    def path(number: int) -> str:
        return f"{paths[number % len(paths)]}city={','.join(_word() for _ in range(100))}"

    _flood_get(at, attacker, path)


def unknown_names(at: Stage, attacker: Attacker) -> None:
    """The same with communities, episodes, publishers, tags and a place to be near to."""
    names = ("community", "episode", "publisher", "tag", "organisation", "external_id", "near")

    def path(number: int) -> str:
        name = names[number % len(names)]
        words = (f"x:{_word()}" if name == "external_id" else _word() for _ in range(100))
        return f"{INCIDENTS}?{name}={_word() if name == 'near' else ','.join(words)}"

    _flood_get(at, attacker, path)


def unknown_places(at: Stage, attacker: Attacker) -> None:
    """Bodies of lines whose places nobody knows."""

    def body(number: int) -> Request:
        lines = (json.dumps(builders.incident(city=_word(), country="US")) for _ in range(500))
        content = "\n".join(lines).encode()
        key = at.keys["contributor"]
        return Request("POST", f"{API}/imports", content, key, "application/x-ndjson")

    attacker.flood(body, 4, at.scale.seconds)


def wide_header(at: Stage, attacker: Attacker) -> None:
    """CSV with 20,000 columns, each of another name, or all of one."""

    def body(number: int) -> Request:
        names = [_word(6) if number % 2 else "title" for _ in range(20_000)]
        content = f"{','.join(names)}\n{',' * 19_999}\n".encode()
        return Request("POST", f"{API}/imports", content, at.keys["contributor"], "text/csv")

    attacker.flood(body, 4, at.scale.seconds)


def many_claims(at: Stage, attacker: Attacker) -> None:
    """As many claims in one draft as it takes, listed, amended and shown again and again."""
    key = at.keys["contributor"]
    id_ = _draft(at, attacker)
    claim = {"field": "arrests", "text": "some"}
    for number in range(48):
        claims = [claim | {"value": number, "scope": f"{number} {each}"} for each in range(500)]
        source = {"article": {"title": _word()}, "claims": claims}
        path = f"{INCIDENTS}/{id_}/sources"
        status, _, answer = attacker.send(Request("POST", path, source, key), **{"If-Match": "*"})
        if status != 201:
            assert status in (409, 413, 422, 429), (status, answer[:300])
            break

    def ask(number: int) -> Request:
        paths = (f"{INCIDENTS}/{id_}/claims", f"{API}/claims?incident={id_}&limit=1000")
        paths += (f"{INCIDENTS}/{id_}", f"/incidents/{id_}", f"{INCIDENTS}?limit=1000")
        if number % 6 == 5:
            body = {"summary": _word(), "version": 10**6}
            return Request("PATCH", paths[2], body, key)
        return Request("GET", paths[number % 6], key=key)

    attacker.flood(ask, _CONNECTIONS, at.scale.seconds)


def long_history(at: Stage, attacker: Attacker) -> None:
    """Versions of a large draft, each unlike the one before, and the list of them."""
    key, places = at.keys["contributor"], range(400)
    articles = [{"article": {"title": _word(250), "author": _word(900)}} for _ in places]
    id_ = _draft(at, attacker, sources=articles)
    path = f"{INCIDENTS}/{id_}"
    for _ in range(int(at.scale.seconds * 2)):
        sources = [{"article": {"title": _word(250), "author": _word(900)}} for _ in places]
        attacker.send(Request("PATCH", path, {"sources": sources}, key), **{"If-Match": "*"})
    _flood_get(at, attacker, lambda n: f"{path}/versions?limit=1000", key)


def large_pages(at: Stage, attacker: Attacker) -> None:
    """Pages as long as they can be, in every form."""
    ends = ("", ".csv", ".geojson", ".atom", ".jsonfeed")
    _flood_get(at, attacker, lambda n: f"{INCIDENTS}{ends[n % 5]}?limit=1000&min_sources={n // 5}")


def erasure_of_the_cited(at: Stage, attacker: Attacker) -> None:
    """An article is erased that many records cite."""
    request = Request("POST", f"{API}/articles/{ARTICLE}/erase", {}, at.keys["admin"])
    status, _, answer = attacker.send(request, **{"If-Match": "*"})
    assert status in (200, 202), (status, answer[:300])


def searches(at: Stage, attacker: Attacker) -> None:
    """Searches for what is frequent, for what is nowhere, and by beginnings."""

    def path(number: int) -> str:
        words = ("word", f"{_word()} {_word()} {_word()}", "w*", "word OR record -clash")
        ways = (f"{API}/search?", f"{INCIDENTS}?count=exact&", f"{API}/stats?group_by=city&")
        return f"{ways[number % 3]}q={quote(words[number % 4])}"

    _flood_get(at, attacker, path)


def wrong_keys(at: Stage, attacker: Attacker) -> None:
    """Keys that are guessed."""
    attacker.flood(
        lambda n: Request("GET", f"{INCIDENTS}?limit=1", key=f"{_word(8)}_{_word(40)}"),
        _CONNECTIONS,
        at.scale.seconds,
    )


def deep_json(at: Stage, attacker: Attacker) -> None:
    """Bodies of brackets."""
    bodies = (b"[" * 900_000, b'{"a":' * 150_000, b"[[" * 400_000 + b"]]" * 20)
    attacker.flood(
        lambda n: Request("POST", INCIDENTS, bodies[n % 3], at.keys["contributor"]),
        _CONNECTIONS,
        at.scale.seconds,
    )


def large_array_and_exports(at: Stage, attacker: Attacker) -> None:
    """A JSON array as large as a body may be, while four large exports are made."""
    line = json.dumps(builders.incident(summary="word " * 1900)).encode()
    body = b"[" + b",".join([line] * (63_000_000 // (len(line) + 1))) + b"]"
    upload = Request("POST", f"{API}/imports?dry_run=true", body, at.keys["contributor"])
    exports = [f"{INCIDENTS}.{end}" for end in ("ndjson", "csv", "geojson", "json")]
    requests = [upload, *(Request("GET", path, key=at.keys["editor"]) for path in exports)]
    left = iter(requests)
    in_threads(lambda: attacker.send(next(left)) and None, len(requests))


def slow_bodies(at: Stage, attacker: Attacker) -> None:
    """Bodies that come a byte a second, on as many connections as there are."""
    lines = ("Host: x", f"Authorization: Bearer {at.keys['contributor']}")
    lines += ("Content-Type: application/json", "Content-Length: 9999", "", "")
    beginning = "\r\n".join((f"POST {INCIDENTS} HTTP/1.1", *lines)).encode()
    trickle([attacker.socket(beginning) for _ in range(400)], at.scale.seconds, sends=True)


def slow_readers(at: Stage, attacker: Attacker) -> None:
    """Forty exports that nobody else may have, each read a byte a second."""
    lines = ("Host: x", f"Authorization: Bearer {at.keys['contributor']}", "", "")
    heads = [
        "\r\n".join((f"GET {INCIDENTS}.ndjson?min_sources=0&limit={number} HTTP/1.1", *lines))
        for number in range(10**6, 10**6 + 40)
    ]
    heads = [head.replace(f"&limit={10**6 + n}", "") for n, head in enumerate(heads)]
    trickle([attacker.socket(head.encode()) for head in heads], at.scale.seconds, sends=False)


def waiting_writers(at: Stage, attacker: Attacker) -> None:
    """Twenty-four writers who wait, as another program holds what they need."""
    with locked(at):
        attacker.flood(
            lambda n: Request("POST", INCIDENTS, builders.incident(), at.keys["contributor"]),
            24,
            3 * at.scale.seconds,
        )


def bounds(at: Stage, attacker: Attacker) -> None:
    """Integers at their bounds, wherever a query or a body takes one."""
    key = at.keys["contributor"]

    def ask(number: int) -> Request:
        bound = _BOUNDS[number % len(_BOUNDS)]
        names = ("limit", "min_arrests", "max_deaths", "min_sources", "radius_km")
        if number % 2:
            line = builders.incident(arrests=bound, version=bound, geonames_id=bound)
            body = json.dumps(line).encode()
            return Request("POST", f"{API}/imports", body, key, "application/x-ndjson")
        return Request("GET", f"{INCIDENTS}?near=Kyiv&{names[number % 5]}={bound}")

    attacker.flood(ask, _CONNECTIONS, at.scale.seconds)


CASES: dict[str, Case] = {
    case.__name__: case
    for case in (
        unknown_cities,
        unknown_names,
        unknown_places,
        wide_header,
        many_claims,
        long_history,
        large_pages,
        searches,
        wrong_keys,
        deep_json,
        large_array_and_exports,
        slow_bodies,
        slow_readers,
        waiting_writers,
        bounds,
        erasure_of_the_cited,
    )
}
# What waits for a lock that another program holds: no writer can go on.
LOCKED = frozenset({"waiting_writers"})
