"""Bad input: every kind of it, on every route, is a 4xx problem that helps and leaves nothing.

`world` holds one record of each kind and the addresses that lead to them; every test sends what is
wrong to all routes of `app.url_map` that could take it, and holds each answer to one shape
(`tests/problems.py`). At its end nothing in the database may differ from its beginning.
"""

import base64
import gzip
import html
import http.client
import json
import re
import socket
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy.exc import OperationalError

from api.http.openapi import operation_of
from api.http.problems import PROBLEM_TYPES
from api.routes.list_exports import INCIDENT_QUERY
from schemas.counts import COUNT_FIELDS
from schemas.errors import flatten
from schemas.incident import IncidentSchema
from schemas.query import filters, loading
from tests import builders
from tests.problems import fault_pointers, problem_of

JSON = "application/json"


@dataclass
class World:
    """An application with a record of each kind, and every address that it answers at."""

    app: Any
    client: Any
    headers: dict[str, str]
    variables: dict[str, str]

    def routes(self, *methods):
        """Yield method and address of each route that takes one of METHODS."""
        for rule in sorted(self.app.url_map.iter_rules(), key=str):
            for method in sorted(rule.methods & set(methods)):
                yield method, self.address(rule)

    def address(self, rule, **others):
        """Fill the variables of a rule: with what is there, or with OTHERS."""
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", str(rule))
        resource = next((part for part in path.split("/") if part in self.variables), "")
        known = defaultdict(lambda: "none", FIXED, id_=self.variables.get(resource, "none"))
        known["article_id"] = self.variables["articles"]
        return path.format_map(known | others)

    def api_routes(self, *methods):
        """Yield the routes under the prefix."""
        return (found for found in self.routes(*methods) if found[1].startswith("/api/v1"))

    def routes_with_body(self, *, optional):
        """Yield the routes that take a body; those that can do without one if OPTIONAL."""
        for rule in sorted(self.app.url_map.iter_rules(), key=str):
            described = operation_of(self.app.view_functions[rule.endpoint])
            if described and described.body and (optional or not described.body.optional):
                for method in rule.methods & {"POST", "PUT", "PATCH"}:
                    yield method, self.address(rule)

    def send(self, method, address, **options):
        """Send a request that would be right but for OPTIONS: with a key and the version."""
        headers = {**self.headers, "If-Match": "*", **options.pop("headers", {})}
        return self.client.open(address, method=method, headers=headers, **options)


FIXED = {"number": "1", "kind": "duplicate", "suffix": "csv"}


@pytest.fixture
def world(app, client, admin):
    """Make a record of each kind."""
    article = {"title": "A report", "url": "https://news.example/report"}
    made = client.post(
        "/api/v1/incidents",
        headers=admin,
        json=builders.incident(sources=[{"article": article, "claims": []}]),
    )
    assert made.status_code == 201, made.data
    place = {"name": "Example Quarter", "country": "LB", "latitude": 33.9, "longitude": 35.5}
    added = client.post("/api/v1/places", headers=admin, json=place)
    assert added.status_code == 201, added.data
    variables = {
        "incidents": made.json["id"],
        "articles": made.json["sources"][0]["article"]["id"],
        "communities": "armenian",
        "episodes": "july-2020-border-clashes",
        "places": added.json["id"],
    }
    return World(app, client, admin, variables)


@pytest.fixture
def unchanged(database):
    """Return a block at whose end the database holds what it held at its beginning."""

    @contextmanager
    def block():
        before = _rows(database)
        yield
        assert _rows(database) == before

    return block


def _rows(database):
    found = database.engine.snapshot(database.url)
    found.pop("counters", None)  # PostgreSQL's counters do not go back, and need not
    return found


# The query string, on every route of the API


BAD_QUERIES = {
    "an unknown parameter": ("colour=red", "colour"),
    "a bracket": ("filter[city]=Kyiv", "filter[city]"),
    "no value": ("colour", "colour"),
    "an empty name": ("=red", ""),
    "a NUL": ("colour=%00", "colour"),
    "a NUL in the name": ("col%00our=1", "col\0our"),
    "half a surrogate": ("colour=%ED%A0%80", "colour"),
    "a byte that is no UTF-8": ("colour=%ff", "colour"),
    "a name that is no UTF-8": ("%ff=1", "\ufffd"),
    "a name of many letters": ("x" * 5000 + "=1", "x" * 80),
    "a very long value": ("colour=" + "x" * 200_000, "colour"),
    "another script": ("цвет=красный", "цвет"),
}


@pytest.mark.parametrize("name", ["offset", "page", "per_page"])
def test_who_pages_as_elsewhere_is_told_how_it_is_done_here(client, name):
    for address in ("/api/v1/incidents", "/api/v1/articles", "/api/v1/search?q=a"):
        joined = "&" if "?" in address else "?"
        said = problem_of(client.get(f"{address}{joined}{name}=2"), 422)["errors"][0]
        assert "`limit`" in said["detail"]
        assert "`next`" in said["detail"]
        assert "suggestion" not in said


@pytest.mark.parametrize("case", BAD_QUERIES)
def test_a_bad_query_string_is_refused_by_every_route(world, unchanged, case):
    query, parameter = BAD_QUERIES[case]
    with unchanged():
        for method, address in world.api_routes("GET", "POST", "PUT", "PATCH", "DELETE"):
            answer = world.send(method, address, query_string=query, json={})
            # Searches and statistics need these, and miss them besides.
            wrong = [
                n for n in fault_pointers(problem_of(answer, 422)) if n not in ("q", "group_by")
            ]
            assert wrong == [parameter], (method, address)


def test_thousands_of_unknown_parameters_are_counted_and_the_first_are_named(world):
    query = "&".join(f"colour{number}=1" for number in range(5000))
    body = problem_of(world.send("GET", "/api/v1/incidents", query_string=query), 422)
    assert len(body["errors"]) == 500
    assert "4999 more" in body["detail"]


# Bodies, on every route that takes one


NOT_JSON = {
    "nothing": b"",
    "blanks": b" \n",
    "a word": b"incident",
    "half an object": b'{"title": "A',
    "a trailing comma": b'{"title": "A",}',
    "two values": b"{} {}",
    "single quotes": b"{'title': 'A'}",
    "a comment": b"{} // note",
    "NaN": b'{"latitude": NaN}',
    "Infinity": b'{"latitude": Infinity}',
    "minus Infinity": b'{"latitude": -Infinity}',
    "a member that stands twice": b'{"title": "A", "title": "B"}',
    "a member that stands twice below": b'{"sources": [{"locator": "1", "locator": "2"}]}',
    "a member that stands twice by its escape": b'{"title": "A", "t\\u0069tle": "B"}',
    "no UTF-8": b'{"title": "\xff"}',
    "a raw half surrogate": b'{"title": "\xed\xa0\x80"}',
    "Latin-1": '{"title": "Émeute"}'.encode("latin-1"),
    "UTF-16": '{"title": "A"}'.encode("utf-16"),
    "a raw NUL": b'{"title": "A\x00"}',
    "a raw line break in a text": b'{"title": "A\nB"}',
    "lists seventeen deep": b'{"sources":' + b"[" * 16 + b"]" * 16 + b"}",
    "objects a thousand deep": b'{"a":' * 1000 + b"1" + b"}" * 1000,
    "brackets a hundred thousand deep": b"[" * 100_000,
    "a number with a leading zero": b'{"arrests": 013}',
    "a plus sign": b'{"arrests": +13}',
    "a hexadecimal number": b'{"arrests": 0x0d}',
}


@pytest.mark.parametrize("case", NOT_JSON)
def test_what_is_not_json_is_a_400_on_every_route_that_takes_a_body(world, unchanged, case):
    with unchanged():
        for method, address in world.routes_with_body(optional=bool(NOT_JSON[case])):
            answer = world.send(method, address, data=NOT_JSON[case], content_type=JSON)
            problem_of(answer, 400, "malformed-json")


@pytest.mark.parametrize("value", ["[]", "null", "1", '"armenian"', "true", "1e400"])
def test_json_that_is_no_object_is_refused_on_every_route_that_takes_a_body(
    world, unchanged, value
):
    with unchanged():
        for method, address in world.api_routes("PUT", "PATCH"):
            body = problem_of(world.send(method, address, data=value, content_type=JSON), 422)
            assert fault_pointers(body) == [""]
            assert "it takes an object" in body["detail"]


MEDIA_TYPES = {
    "curl's": "application/x-www-form-urlencoded",
    "text": "text/plain",
    "none": "",
    "a form": "multipart/form-data; boundary=x",
    "XML": "application/xml",
    "another charset": "application/json; charset=latin-1",
    "nonsense": "json",
    "a very long one": "application/" + "x" * 5000,
}


@pytest.mark.parametrize("case", MEDIA_TYPES)
def test_another_media_type_is_a_415_that_says_what_to_add(world, unchanged, case):
    with unchanged():
        for method, address in world.api_routes("PUT", "PATCH"):
            answer = world.send(method, address, data=b"{}", content_type=MEDIA_TYPES[case])
            body = problem_of(answer, 415, "unsupported-media-type")
            assert "charset" in body["detail"] or "-H 'Content-Type: application" in body["detail"]


def test_a_post_of_another_media_type_is_told_each_that_is_taken(world):
    answer = world.send("POST", "/api/v1/incidents", data=b"{}", content_type="text/plain")
    said = problem_of(answer, 415)["detail"]
    assert all(name in said for name in ("application/json", "application/x-ndjson", "text/csv"))


def test_a_compressed_body_is_a_415(world, unchanged):
    with unchanged():
        for method, address in world.api_routes("PUT", "PATCH"):
            answer = world.send(
                method,
                address,
                data=gzip.compress(b"{}"),
                content_type=JSON,
                headers={"Content-Encoding": "gzip"},
            )
            assert "Content-Encoding" in problem_of(answer, 415)["detail"]


def test_a_body_over_a_megabyte_is_a_413(world, unchanged):
    data = json.dumps({"summary": "x" * 1_000_000})
    with unchanged():
        for method, address in world.api_routes("PUT", "PATCH"):
            body = problem_of(
                world.send(method, address, data=data, content_type=JSON), 413, "too-large"
            )
            assert "1,000,000 bytes" in body["detail"]


HARD_MEMBERS = {
    "an unknown one": ("colour", "/colour"),
    "half a surrogate": ("\ud800", "/\\ud800"),
    "a NUL": ("a\0b", "/a\0b"),
    "a slash and a tilde": ("a/b~c", "/a~1b~0c"),
    "an empty one": ("", "/"),
    "a very long one": ("x" * 100_000, "/" + "x" * 200),
    "one of Python's": ("__class__", "/__class__"),
}


@pytest.mark.parametrize("case", HARD_MEMBERS)
def test_an_unknown_member_is_named_by_every_route(world, unchanged, case):
    member, pointer = HARD_MEMBERS[case]
    with unchanged():
        for method, address in world.api_routes("PUT", "PATCH"):
            body = problem_of(world.send(method, address, json={member: 1}), 422)
            assert pointer in fault_pointers(body), (method, address, body["errors"][:3])


def test_very_many_unknown_members_are_counted_and_the_first_are_named(world):
    many = {f"colour{number}": 1 for number in range(900)}
    body = problem_of(world.send("PATCH", address_of(world), json=many), 422)
    assert len(body["errors"]) == 500
    assert "899 more" in body["detail"]


def test_an_object_of_too_many_members_is_refused_at_once(world):
    many = {f"colour{number}": 1 for number in range(20_000)}
    body = problem_of(world.send("PATCH", address_of(world), json=many), 422)
    assert "it takes 1,000" in body["detail"]


def address_of(world):
    return f"/api/v1/incidents/{world.variables['incidents']}"


# One field at a time


DEEP = {"a": {"b": {"c": {"d": {}}}}}
WRONG_TYPES: dict[str, list[Any]] = {
    "title": [5, True, [], {}, ["A"]],
    "summary": [0, {}],
    "type": [1, "war", "", None],
    "date": [
        2020,
        "yesterday",
        "2020-02-30",
        "2020-13-01",
        "24.07.2020",
        "2020-07-24~",
        "",
        "2020-07-24T10:00:00Z",
        "0000-01-01",
        "10000-01-01",
        "2020-07-24/2020-07-22",
        "2020-07-01..2020-06-01",
        "..",
        "2020-07/2020-08",
        "x" * 5000,
    ],
    "city": [7, [], {"name": "Kyiv"}, "x" * 201, "Nowhereville-under-Sea"],
    "admin1": [7, "x" * 1001],
    "country": [7, "", "XX", "Atlantis", ["UA"]],
    "venue": [False, "x" * 1001],
    "geo_precision": ["roughly", 1],
    "geonames_id": ["703448", 0, -1, 2**31, 1.5, 10**30, True],
    "arrests": ["13", 1.5, -1, 10**9 + 1, 10**30, True, [13]],
    "arrests_low": ["13", -1, 0.5],
    "arrests_high": ["13", -1, 0.5],
    "property_damage": ["yes", 1, 0, "true"],
    "police_measures": ["baton", ["club"], [1], [["baton"]], ["baton", "baton"], {"baton": True}],
    "episode": [1, "Border Clashes", "no-such-wave", "x" * 65],
    "communities": [
        "armenian",
        [],
        None,
        [1],
        [{}],
        [{"role": "target"}],
        ["martian"],
        [{"community": "armenian", "role": "bystander"}],
        [{"community": "armenian", "participants": -1}],
        [{"community": "armenian", "colour": 1}],
        ["armenian", "armenian"],
        [{"community": "armenian", "organisations": [""]}],
        ["armenian"] * 501,
    ],
    "sources": [
        "x",
        {},
        [1],
        [{}],
        [{"article": {}}],
        [{"article": None}],
        [{"article": "0000000000"}],
        [{"article": "short"}],
        [{"article": {"id": "0000000000"}}],
        [{"article": {"url": "ftp://x.example"}}],
        [{"article": {"url": "javascript:alert(1)"}}],
        [{"article": {"url": "https://"}}],
        [{"article": {"url": "https://a b.example"}}],
        [{"article": {"url": "https://x.example:99999/"}}],
        [{"article": {"url": "https://x.example/" + "x" * 2048}}],
        [{"article": {"title": "A", "published": "soon"}}],
        [{"article": {"title": "A"}, "claims": [{}]}],
        [{"article": {"title": "A"}, "claims": [{"field": "weather", "value": 1}]}],
        [{"article": {"title": "A"}, "claims": [{"field": "arrests"}]}],
        [{"article": {"title": "A"}, "claims": [{"field": "arrests", "value": "13"}]}],
        [{"article": {"title": "A"}, "claims": [{"field": "arrests", "value": -1}]}],
        [{"article": {"title": "A"}, "claims": [{"field": "arrests", "value": DEEP}]}],
        [{"article": {"title": "A"}, "claims": [{"field": "arrests", "value": 1, "low": 1}]}],
        [{"article": {"title": "A"}, "claims": [{"field": "arrests", "low": 5, "high": 1}]}],
        [{"article": {"title": "A"}, "claims": [{"field": "type", "low": 5}]}],
        [{"article": {"title": "A"}, "claims": [{"field": "date", "value": "2020-99"}]}],
        [{"article": {"title": "A"}, "claims": [{"field": "property_damage", "value": 1}]}],
        [
            {
                "article": {"title": "A"},
                "claims": [{"field": "arrests", "value": 1, "community": "martian"}],
            }
        ],
    ],
    "id": ["short", 1, "uuuuuuuuuu", "", None],
    "version": ["1", 0, -1, 1.5, 2**31, [1], {"a": 1}, True, 10**30],
    "status": ["deleted", 1, None, "merged"],
    "reason": [1, "x" * 1001],
    "corrects": ["short", 1, "0000000000"],
}
TEXT_FIELDS = ("title", "summary", "city", "admin1", "venue", "reason")
BAD_TEXTS = ["A\0B", "half \ud800", "\udfff", "x" * 20_000]


def _fields():
    for field, values in WRONG_TYPES.items():
        yield from ((field, value) for value in values)
    yield from ((field, text) for field in TEXT_FIELDS for text in BAD_TEXTS)


@pytest.mark.parametrize("field", WRONG_TYPES)
def test_a_wrong_value_is_named_by_post_put_and_patch(world, unchanged, field):
    with unchanged():
        for name, value in _fields():
            if name != field:
                continue
            whole = {**builders.incident(), field: value}
            for method, address, body in (
                ("POST", "/api/v1/incidents?allow_duplicate=true", whole),
                ("PUT", address_of(world), whole),
                ("PATCH", address_of(world), {field: value}),
            ):
                answer = world.send(method, address, data=json.dumps(body), content_type=JSON)
                said = problem_of(answer, 422)
                assert {place.split("/")[1] for place in fault_pointers(said)} == {field}, (
                    value,
                    said,
                )


WRONG_REFERENCES: dict[str, dict[str, list[Any]]] = {
    "articles": {
        "title": [5, "x" * 301, *BAD_TEXTS],
        "publisher": [5, "x" * 1001, *BAD_TEXTS],
        "author": [[], *BAD_TEXTS],
        "published": ["soon", 2020],
        "language": ["English", "e", 7, "en_GB", "x" * 36],
        "url": [
            "news.example",
            "ftp://news.example",
            "https://",
            "https://a b.example",
            1,
            "https://x.example/" + "x" * 2048,
            "https://x.example:0/",
            "http://[::1",
        ],
        "archive_url": ["mailto:a@b.example"],
        "syndicated_from": ["short", 5],
        "text_sha256": ["abc", "g" * 64, 5],
        "id": ["short", 5, None],
        "version": ["1", 0, 10**30],
    },
    "communities": {
        "id": ["Two Words", "", 5, None, "x" * 65, "-a", "a--b"],
        "name": [5, None, "", "x" * 301, *BAD_TEXTS],
        "aliases": ["Armenians", [5], [""], [None], {}, ["x" * 301], ["a"] * 501],
        "description": [5, "x" * 10_001, *BAD_TEXTS],
        "version": ["1", 0, 1.5],
    },
}
WRONG_REFERENCES["episodes"] = WRONG_REFERENCES["communities"]


@pytest.mark.parametrize("kind", WRONG_REFERENCES)
def test_a_wrong_value_of_an_article_or_a_term_is_named(world, unchanged, kind):
    good = {"title": "A"} if kind == "articles" else {"id": "frisian", "name": "Frisian"}
    with unchanged():
        for field, values in WRONG_REFERENCES[kind].items():
            for value in values:
                address = f"/api/v1/{kind}"
                requests = [("POST", address, json.dumps({**good, field: value}))]
                if field != "id":
                    id_ = world.variables[kind]
                    whole = json.dumps({**good, "id": id_, field: value})
                    patch = json.dumps({field: value})
                    requests += [("PUT", f"{address}/{id_}", whole)]
                    requests += [("PATCH", f"{address}/{id_}", patch)]
                for method, url, sent in requests:
                    body = problem_of(world.send(method, url, data=sent, content_type=JSON), 422)
                    fields = {pointer.split("/")[1] for pointer in fault_pointers(body)}
                    assert fields == {field}, body


# What is right by itself and wrong together: what is sent, and which field is named.
WRONG_TOGETHER = {
    "low above high": ({"arrests_low": 20, "arrests_high": 10}, "/arrests_low"),
    "low above best": ({"deaths": 1, "deaths_low": 2, "deaths_high": 3}, "/deaths_low"),
    "high below best": ({"injuries": 9, "injuries_low": 2, "injuries_high": 3}, "/injuries_high"),
    "more officers than injured": ({"injuries": 2, "injuries_police": 3}, "/injuries_police"),
    "officers and no injured": ({"injuries_police": 3}, "/injuries_police"),
    "at least more officers than injured": (
        {"injuries_high": 5, "injuries_police_low": 6},
        "/injuries_police",
    ),
    "half a point": ({"latitude": 50.4}, "/longitude"),
    "the other half": ({"longitude": 30.5}, "/latitude"),
    "a point off the globe": ({"latitude": 91, "longitude": 0}, "/latitude"),
    "a longitude past the antimeridian": ({"latitude": 0, "longitude": 180.5}, "/longitude"),
    "a city with the id of another": (
        {"city": "Paris", "country": "FR", "geonames_id": 2988506},
        "/geonames_id",
    ),
    "a city of another country": ({"city": "Lviv", "country": "PT"}, "/city"),
    "an ambiguous city": ({"city": "Springfield", "country": "US"}, "/city"),
    "a region without that city": ({"admin1": "Lviv"}, "/admin1"),
    "a community twice in one role": (
        {"communities": ["armenian", {"community": "armenian"}]},
        "/communities/1/community",
    ),
    "a community's bounds crossed": (
        {"communities": [{"community": "armenian", "participants_low": 5, "participants_high": 4}]},
        "/communities/0/participants_low",
    ),
}


@pytest.mark.parametrize("case", WRONG_TOGETHER)
def test_what_does_not_fit_together_is_named(world, unchanged, case):
    changes, pointer = WRONG_TOGETHER[case]
    with unchanged():
        for method, address in (
            ("POST", "/api/v1/incidents?allow_duplicate=true"),
            ("PUT", address_of(world)),
        ):
            answer = world.send(method, address, json=builders.incident(**changes))
            assert pointer in fault_pointers(problem_of(answer, 422))
        answer = world.send("PATCH", address_of(world), json=changes)
        assert pointer in fault_pointers(problem_of(answer, 422))


@pytest.mark.parametrize("field", ["title", "type", "date", "city", "country", "communities"])
def test_what_is_required_is_named_where_it_is_missing(world, unchanged, field):
    with unchanged():
        for method, address in (("POST", "/api/v1/incidents"), ("PUT", address_of(world))):
            answer = world.send(method, address, json=builders.incident(**{field: ...}))
            assert fault_pointers(problem_of(answer, 422)) == [f"/{field}"]


def test_all_faults_are_named_at_once(world):
    body = builders.incident(title=..., type="war", date="soon", arrests=-1, colour=1)
    said = problem_of(world.send("POST", "/api/v1/incidents", json=body), 422)
    assert set(fault_pointers(said)) == {"/type", "/date", "/arrests", "/colour"}
    help_ = {fault["pointer"]: fault for fault in said["errors"]}
    assert "clash" in help_["/type"]["allowed"]


def test_a_number_too_large_for_any_machine_is_out_of_range(world, unchanged):
    with unchanged():
        for number in ("1e400", "-1e400", "9" * 5000, "-" + "9" * 5000, "0." + "1" * 5000):
            data = f'{{"arrests": {number}}}'
            answer = world.send("PATCH", address_of(world), data=data, content_type=JSON)
            assert fault_pointers(problem_of(answer, 422)) == ["/arrests"]


# Parameters of the lists


BAD_PARAMETERS = {
    "q": ['"open', "a)", "(a", "a OR", "-a", "*a", "a*", "!", "", "x" * 1001, "x " * 33],
    "limit": ["0", "-1", "1001", "1.5", "ten", "1e3", "٣", "", "9" * 30],
    "cursor": ["x", "!!!", "WyJkYXRlIl0", "é", "a" * 1001, "e30", "bnVsbA", "MQ"],
    "sort": ["name", "-", "--date", "date,arrests"],
    "count": ["yes", "estimate"],
    "fields": ["colour", "id,colour", ",", "id,"],
    "format": ["xml"],
    "match": ["maybe"],
    "country": ["XX", "Atlantis", ",", "RU,,BE", "RU,XX"],
    "community": ["Two Words", "armenian:", "armenian:bystander", ":target", "armenian:target:1"],
    "role": ["bystander"],
    "type": ["war"],
    "episode": ["Two Words"],
    "police_measure": ["club"],
    "status": ["deleted"],
    "disputed": ["maybe", "title"],
    "unreported": ["title"],
    "property_damage": ["yes", "null"],
    "date": ["yesterday", "2020-02-30", "2020-07-22~", "x" * 2000],
    "date_from": ["soon"],
    "date_to": ["24.07.2020"],
    "updated_since": ["yesterday", "2020-07-24T25:00:00Z", "2020-07", "2020-07-24T10:00:00"],
    "min_arrests": ["-1", "1.5", "many", "10000000001"],
    "max_deaths": ["-1", ""],
    "min_sources": ["-1", "501"],
    "bbox": ["1,2,3", "1,2,3,4,5", "a,b,c,d", "0,10,1,5", "-181,0,0,1", "0,0,0,91", "0,0,NaN,1"],
    "near": ["91,0", "0,181", "1,2,3", "1", "Nowhereville-under-Sea", "a,b"],
    "radius_km": ["0", "-1", "many", "20038"],
    "article": ["short", "uuuuuuuuuu"],
    "city": ["", ",", "x" * 1001],
    "publisher": ["", "x" * 1001],
    "id": ["short", "uuuuuuuuuu", ""],
    "admin1": ["", "Nowhereshire", "x" * 1001],
    "place": ["short", "geonames-", "geonames-x", ""],
    "external_id": ["", "x" * 1001],
    "tag": ["", "x" * 1001],
    "organisation": ["", "x" * 1001],
}


# What nothing is called by is an empty answer, or near names: any text may be one.
OPEN_NAMES = {"city", "publisher", "external_id", "tag", "organisation"}


@pytest.mark.parametrize("name", BAD_PARAMETERS)
def test_a_bad_value_of_a_parameter_is_named(world, name):
    for value in BAD_PARAMETERS[name]:
        answer = world.client.get("/api/v1/incidents", query_string={name: value})
        assert fault_pointers(problem_of(answer, 422)) == [name], value


@pytest.mark.parametrize("value", ["%00", "a%00b", "%ED%A0%80", "%ff", "%"])
def test_a_bad_text_is_refused_by_every_parameter(world, value):
    for name in BAD_PARAMETERS:
        answer = world.client.get("/api/v1/incidents", query_string=f"{name}={value}")
        if value == "%" and name in OPEN_NAMES:
            continue  # a percent sign that escapes nothing stands for itself
        assert fault_pointers(problem_of(answer, 422)) == [name]


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, parameter in INCIDENT_QUERY._declared_fields.items()
        if parameter.kind == "one"
    ],
)
def test_a_parameter_of_one_value_is_refused_when_repeated(world, name):
    answer = world.client.get("/api/v1/incidents", query_string=f"{name}=a&{name}=b")
    body = problem_of(answer, 422)
    assert fault_pointers(body) == [name]
    assert body["errors"][0]["code"] == "repeated"


@pytest.mark.parametrize(
    ("repeated", "joined"),
    [
        ("country=RU&country=BE", "country=RU,BE"),
        ("city=Washington, D.C.&city= Kyiv", "city=Washington, D.C.,Kyiv"),
        ("type=Clash&type=PROTEST", "type=clash,protest"),
    ],
)
def test_a_list_may_be_repeated_instead_of_joined(repeated, joined):
    (name, _, _) = joined.partition("=")
    pairs = [pair.partition("=")[::2] for pair in repeated.split("&")]
    values = [value for _, value in pairs]
    given = loading.load(filters.IncidentQuery, [(name, values)])

    assert given == loading.load(filters.IncidentQuery, [(name, [joined.partition("=")[2]])])


@pytest.mark.parametrize(
    ("query", "meant"),
    [("type=clash, protest", "clash,protest"), ("country=RU, BE", "RU,BE")],
)
def test_a_blank_after_a_comma_is_named_as_the_mistake(world, query, meant):
    body = problem_of(world.client.get(f"/api/v1/incidents?{query}"), 422)

    assert body["errors"][0]["code"] == "blank_after_comma"
    assert body["errors"][0]["suggestion"] == meant


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("search", ["q"]),
        ("text", ["q"]),
        ("query", ["q"]),
        ("from", ["date_from"]),
        ("until", ["date_to"]),
        ("since", ["updated_since", "date_from"]),
        ("year", ["date"]),
        ("police", ["police_measure"]),
        ("columns", ["fields"]),
        ("sort_by", ["sort"]),
        ("contry", ["country"]),
        ("country[]", ["country"]),
        ("tet", []),
        ("xyz", []),
    ],
)
def test_a_misnamed_parameter_leads_to_what_was_meant_or_nowhere(world, name, meant):
    body = problem_of(world.client.get("/api/v1/incidents", query_string={name: "x"}), 422)
    (error,) = body["errors"]

    assert error.get("suggestion") == (meant[0] if len(meant) == 1 else None)
    assert all(parameter in error["detail"] for parameter in meant)
    assert ("did you mean" in error["detail"]) == bool(meant)
    assert "/guide/reference" in error["detail"]


@pytest.mark.parametrize(
    ("word", "term"),
    [
        ("brawl", "clash"),
        ("Fight", "clash"),
        ("riot", "clash"),
        ("march", "protest"),
        ("demonstration", "protest"),
        ("attack", "assault"),
        ("vandalism", "property_attack"),
        ("counter protest", "counter_protest"),
        ("protset", "protest"),
    ],
)
def test_a_common_word_leads_to_the_term_of_the_codebook(world, word, term):
    asked = problem_of(world.client.get("/api/v1/incidents", query_string={"type": word}), 422)
    posted = list(flatten(IncidentSchema().validate({"type": word}, partial=True)))

    assert asked["errors"][0]["suggestion"] == posted[0]["suggestion"] == term


def test_every_parameter_of_the_list_has_a_bad_value_here(world):
    parameters = {name for name in INCIDENT_QUERY._declared_fields if name not in ELSEWHERE}
    counts = {f"{end}_{name}" for name in COUNT_FIELDS for end in ("min", "max")}
    assert parameters - counts == set(BAD_PARAMETERS) - counts


# Parameters that have tests of their own bad values where they are built.
ELSEWHERE: set[str] = set()


@pytest.mark.parametrize("word", ["limit=0", "cursor=%00", "cursor=!", "limit=1&limit=2", "page=2"])
@pytest.mark.parametrize("kind", ["articles", "communities", "episodes"])
def test_the_other_lists_are_as_strict(world, kind, word):
    problem_of(world.client.get(f"/api/v1/{kind}?{word}"), 422)


# Cursors


@pytest.fixture
def paged(client, editor):
    """Make four records and return the cursor of the second page of two."""
    for day in range(1, 5):
        body = builders.incident(date=f"2019-05-{day * 3:02}")
        assert client.post("/api/v1/incidents", json=body, headers=editor).status_code == 201
    following = client.get("/api/v1/incidents?limit=2").json["next"]
    return parse_qs(urlsplit(following).query)["cursor"][0]


def test_a_cursor_of_another_query_is_refused(client, editor, paged):
    for others in ("sort=date", "country=UA", "match=certain", "sort=-arrests", "status=published"):
        body = problem_of(client.get(f"/api/v1/incidents?limit=2&cursor={paged}&{others}"), 422)
        assert fault_pointers(body) == ["cursor"]
    # What another caller may see is another list.
    problem_of(client.get(f"/api/v1/incidents?cursor={paged}", headers=editor), 422)
    assert client.get(f"/api/v1/incidents?limit=1&cursor={paged}").status_code == 200


def test_a_forged_cursor_is_refused(client, paged):
    content = json.loads(base64.urlsafe_b64decode(paged + "=" * (-len(paged) % 4)))
    sort, digest, place, id_ = content
    forged = [
        [sort, digest, place, 5],
        [sort, digest, place, "x\0"],
        [sort, digest, place, "x" * 100_000],
        [sort, digest, 5, id_],
        [sort, digest, None, id_],
        [sort, digest, "\ud800", id_],
        [sort, "0" * 12, place, id_],
        [sort, digest, place],
        [sort, digest, place, id_, 1],
        {"sort": sort},
        "cursor",
        None,
        [[[[]]]],
    ]
    for one in forged:
        text = base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=")
        assert fault_pointers(problem_of(client.get(f"/api/v1/incidents?cursor={text}"), 422)) == [
            "cursor"
        ], one
    for damaged in (paged[:-1], paged + "A", paged.swapcase(), paged[5:], f"{paged}!"):
        problem_of(client.get(f"/api/v1/incidents?cursor={damaged}"), 422)


def test_a_forged_cursor_of_a_count_is_refused(client, editor, paged):
    following = client.get("/api/v1/incidents?limit=2&sort=-arrests").json["next"]
    cursor = parse_qs(urlsplit(following).query)["cursor"][0]
    sort, digest, _, id_ = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    for place in (2**63, 2**64 - 1, 10**30, -(2**40), 1.5, "5", None, True):
        text = json.dumps([sort, digest, place, id_]).encode()
        forged = base64.urlsafe_b64encode(text).decode().rstrip("=")
        problem_of(client.get(f"/api/v1/incidents?sort=-arrests&cursor={forged}"), 422)


# Addresses and methods


HARD_SEGMENTS = [
    "%00",
    "a%00b",
    "%ff",
    "%ED%A0%80",
    "x" * 5000,
    "..",
    "%2e%2e%2f",
    "'; DROP TABLE x; --",
    "𐍈" * 10,
    "\u202e",
    "null",
    "-1",
    "0",
    "%25",
    "{id}",
    "*",
    "a:b",
    "%0d%0aSet-Cookie:x=1",
]


@pytest.mark.parametrize("segment", HARD_SEGMENTS)
def test_a_bad_segment_of_an_address_leads_nowhere(world, unchanged, segment):
    with unchanged():
        for rule in sorted(world.app.url_map.iter_rules(), key=str):
            for variable in rule.arguments:
                if str(rule).startswith("/static"):
                    continue
                address = world.address(rule, **{variable: segment})
                for method in sorted(rule.methods - {"OPTIONS", "HEAD"}):
                    if segment == "0" and variable in ("since", "number"):  # of a sitemap's part
                        continue
                    # A DOI is what a release's PATCH must name; others take an empty body.
                    body = {"doi": None} if "/releases/" in str(rule) else {}
                    answer = world.send(method, address, json=body)
                    problem_of(answer, 404, "not-found")
                    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "address",
    [
        "/api",
        "/api/v2/incidents",
        "/api/v1/incident",
        "/favicon.icon",
        "//api/v1/incidents",
        "/api//v1/incidents",
        "/api/v1/incidents/0000000000/colour",
        "/api/v1/incidentsxlsx",
        "/problems/",
        "/%00",
        "/%ff",
        "/" + "x" * 10_000,
        "/api/v1/..%2f..%2fetc",
    ],
)
def test_an_unknown_address_is_a_404_for_every_method(client, address):
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = client.open(address, method=method)
        problem_of(answer, 404, "not-found")
        assert "Location" not in answer.headers


def test_a_wrong_method_is_a_405_that_lists_the_right_ones(world, unchanged):
    every = {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "BREW"}
    with unchanged():
        for rule in world.app.url_map.iter_rules():
            address = world.address(rule)
            # An address may be of several rules: that of a template is also that of a record.
            allowed = set(world.app.url_map.bind("localhost").allowed_methods(address))
            for method in sorted(every - allowed):
                answer = world.send(method, address)
                said = problem_of(answer, 405, "method-not-allowed")["detail"]
                assert said.endswith(f"takes {', '.join(sorted(allowed))}.")
                listed = set(answer.headers["Allow"].replace(" ", "").split(","))
                assert listed == allowed, (method, address)


def test_options_lists_the_methods_and_changes_nothing(world, unchanged):
    with unchanged():
        for rule in world.app.url_map.iter_rules():
            answer = world.client.options(world.address(rule))
            assert answer.status_code in (200, 204)
            assert answer.data == b""
            assert rule.methods <= set(answer.headers["Allow"].replace(" ", "").split(","))


def test_head_is_get_without_its_body(world):
    for method, address in world.routes("HEAD"):
        if address == "/metrics":
            continue  # it counts this very request
        whole, head = world.client.get(address), world.client.open(address, method=method)
        assert head.data == b""
        assert head.status_code == whole.status_code
        for name in ("Content-Type", "Content-Length", "ETag", "Dataset-Version", "Cache-Control"):
            assert head.headers.get(name) == whole.headers.get(name), (address, name)


# Headers


BAD_KEYS = {
    "a word": "secret",
    "another scheme": "Basic YTpi",
    "no key": "Bearer",
    "a blank key": "Bearer  ",
    "no underscore": "Bearer abcdef",
    "no secret": "Bearer abcdef_",
    "an unknown key": "Bearer 00000000_" + "0" * 40,
    "a very long key": "Bearer a_" + "x" * 100_000,
    "another script": "Bearer ключ_тайна".encode().decode("latin-1"),
    "a wildcard": "Bearer %_%",
    "quotes": "Bearer '_' OR '1'='1",
    "a control character": "Bearer a\x7f_b",
}


@pytest.mark.parametrize("case", BAD_KEYS)
def test_a_bad_key_is_a_401_on_every_write(world, unchanged, case):
    with unchanged():
        for method, address in world.api_routes("POST", "PUT", "PATCH", "DELETE"):
            answer = world.client.open(
                address, method=method, json={}, headers={"Authorization": BAD_KEYS[case]}
            )
            body = problem_of(answer, 401, "unauthorized")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert "Bearer KEY" in body["detail"] or "not known" in body["detail"]


@pytest.mark.parametrize("case", BAD_KEYS)
def test_a_bad_key_is_a_401_on_every_read(world, case):
    """Who sends a key means to use it: an answer for the public would hide that it is not known."""
    for _, address in world.api_routes("GET"):
        answer = world.client.get(address, headers={"Authorization": BAD_KEYS[case]})
        problem_of(answer, 401, "unauthorized")


def test_a_bad_idempotency_key_is_refused(world, unchanged):
    with unchanged():
        for key in ("", " ", "x" * 256, "schlüssel", "a\tb", "a\x7fb"):
            for path, body in (
                ("incidents?allow_duplicate=true", builders.incident()),
                ("articles", {"title": "Another"}),
                ("communities", {"id": "frisian", "name": "Frisian"}),
            ):
                answer = world.send(
                    "POST", f"/api/v1/{path}", json=body, headers={"Idempotency-Key": key}
                )
                assert fault_pointers(problem_of(answer, 422)) == ["Idempotency-Key"]


@pytest.mark.parametrize(
    "tag",
    ['"x"', "x", '""', "", '"', "W/", "0", '"-1"', '"٣"', "9" * 100, "é", "None"],
)
def test_a_bad_if_match_matches_nothing(world, unchanged, tag):
    with unchanged():
        for method, address in world.api_routes("PUT", "PATCH", "DELETE"):
            if "/keys/" in address:  # a key has no versions
                continue
            answer = world.send(method, address, json={}, headers={"If-Match": tag})
            assert answer.status_code in (412, 422)
            problem_of(answer)


@pytest.mark.parametrize("kind", ["incidents", "articles", "communities"])
def test_a_tag_that_names_no_version_is_told_what_one_looks_like(world, unchanged, kind):
    with unchanged():
        for method, address in world.api_routes("PATCH"):
            if address.startswith(f"/api/v1/{kind}/"):
                answer = world.send(method, address, json={}, headers={"If-Match": "abc"})
                said = problem_of(answer, 412, "version-stale")["detail"]
                assert 'If-Match names none; it takes one such as "1"' in said


def test_a_change_without_a_version_is_a_428_with_the_version_and_a_line_to_copy(world, unchanged):
    bodies = {"incidents": builders.incident(), "articles": {"title": "A"}}
    with unchanged():
        for method, address in world.api_routes("PUT", "PATCH", "DELETE"):
            kind = address.split("/")[3]
            # A release never changes but for its DOI, a key has no versions.
            if address.count("/") != 4 or kind in ("releases", "keys"):
                continue
            body = bodies.get(kind, {"name": "A"}) if method != "DELETE" else None
            answer = world.client.open(address, method=method, json=body, headers=world.headers)
            said = problem_of(answer, 428, "precondition-required")
            assert said["version"] == 1
            assert answer.headers["ETag"] == '"1"'
            assert f"curl -X {method} -H 'If-Match: \"1\"'" in said["detail"]
            assert address in said["detail"]


# What is our own fault


def test_a_fault_of_our_own_has_the_same_shape_and_tells_nothing(app, client, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("secret words of the insides")

    monkeypatch.setattr("api.queries.pages.page", fail)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    body = problem_of(client.get("/api/v1/incidents"), 500, "internal-error")
    assert "secret" not in json.dumps(body)


@pytest.mark.parametrize(
    ("message", "status", "kind"),
    [
        ("database is locked", 503, "unavailable"),
        ("server closed the connection unexpectedly", 503, "unavailable"),
        ("database or disk is full", 507, "storage-full"),
        ("attempt to write a readonly database", 507, "storage-full"),
    ],
)
def test_a_database_that_fails_is_answered_in_the_same_shape(
    client, editor, monkeypatch, message, status, kind
):
    def fail(*_, **__):
        raise OperationalError("SELECT secret", None, Exception(message))

    monkeypatch.setattr("api.records.verbs.create", fail)
    answer = client.post("/api/v1/incidents", json=builders.incident(), headers=editor)
    body = problem_of(answer, status, kind)
    assert message not in json.dumps(body)
    assert "secret" not in json.dumps(body)
    assert ("Retry-After" in answer.headers) == (status == 503)


@pytest.mark.parametrize("kind", PROBLEM_TYPES)
def test_every_kind_of_problem_has_a_page_that_explains_it(client, kind):
    page = client.get(f"/problems/{kind}")
    assert page.status_code == 200
    assert PROBLEM_TYPES[kind].title in html.unescape(page.text)
    assert PROBLEM_TYPES[kind].status in range(400, 600)
    assert 'href="/guide/reference#problems"' in page.text
    assert "`" not in page.text


def test_kinds_of_one_status_differ(client):
    titles = [row.title for row in PROBLEM_TYPES.values()]
    assert len(set(titles)) == len(titles)


def test_the_type_of_a_problem_is_an_address_where_one_is_set(make_app):
    app = make_app(PUBLIC_URL="https://incidents.example")
    body = app.test_client().get("/api/v1/none", headers={"Host": "evil.example"}).json
    assert body["type"] == "https://incidents.example/problems/not-found"


# What only a socket can send


RAW = {
    "a negative length": (
        b"POST /api/v1/incidents HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Authorization: KEY\r\nContent-Length: -5\r\n\r\n{}"
    ),
    "a length that is no number": (
        b"POST /api/v1/incidents HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Authorization: KEY\r\nContent-Length: many\r\n\r\n{}"
    ),
    "raw bytes in the path": b"GET /api/v1/incidents/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "raw bytes in the query": b"GET /api/v1/incidents?city=\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "raw bytes in a key": (
        b"DELETE /api/v1/incidents/0000000000 HTTP/1.1\r\nHost: x\r\n"
        b"Authorization: Bearer \xff_\xfe\r\n\r\n"
    ),
    "raw bytes in If-Match": (
        b"DELETE /api/v1/incidents/0000000000 HTTP/1.1\r\nHost: x\r\nAuthorization: KEY\r\n"
        b"If-Match: \xff\r\n\r\n"
    ),
    "TRACE": b"TRACE /api/v1/incidents HTTP/1.1\r\nHost: x\r\n\r\n",
    "an unknown method": b"BREW /api/v1/incidents HTTP/1.1\r\nHost: x\r\n\r\n",
    "a query of 60,000 characters": (
        b"GET /api/v1/incidents?colour=" + b"x" * 60_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    ),
    "a chunked body that is no JSON": (
        b"POST /api/v1/incidents HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Authorization: KEY\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    ),
}
# The server itself refuses these, before the application is asked.
REFUSED_BY_SERVER = {
    "a negative length",
    "a length that is no number",
    "raw bytes in the path",
    "raw bytes in the query",
}


@pytest.mark.slow
def test_what_only_a_socket_can_send_is_refused_too(database, live_server, unchanged):
    address = urlsplit(live_server)
    key = f"Bearer {database.keys['editor']}".encode()
    with unchanged():
        for case, text in RAW.items():
            status, headers, body = _exchange(address, text.replace(b"KEY", key))
            assert 400 <= status < 500, (case, status, body)
            if case not in REFUSED_BY_SERVER:
                assert headers["Content-Type"] == "application/problem+json", (case, body)
                assert json.loads(body)["status"] == status


def _exchange(address, text):
    """Send TEXT as it is; return status, headers and body of the answer."""
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall(text)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.headers, answer.read()


@pytest.mark.slow
def test_a_chunked_body_is_read_and_held_to_the_same_limit(database, live_server):
    address = urlsplit(live_server)
    key = f"Bearer {database.keys['editor']}"
    for data, status in ((json.dumps(builders.incident()).encode(), 201), (b"x" * 1_100_000, 413)):
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
        connection.request(
            "POST",
            "/api/v1/incidents",
            body=iter([data[:50], data[50:]]),
            encode_chunked=True,
            headers={"Authorization": key, "Content-Type": JSON, "Transfer-Encoding": "chunked"},
        )
        answer = connection.getresponse()
        assert answer.status == status, answer.read()
        connection.close()
