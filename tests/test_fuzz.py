"""Whatever is sent, the answer is in the contract: no 5xx, no fault without its shape.

Dates, cursors, queries, CSV, NDJSON, merge patches, headers and paths, from text near what is right
to any bytes at all. `make fuzz` tries FUZZ_EXAMPLES of each; the number of requests is printed.
"""

import base64
import json
import os
import sys
from collections import Counter
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.routes.list_exports import INCIDENT_QUERY

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES") or 8)
INCIDENTS = "/api/v1/incidents"
SEEN: Counter[str] = Counter()

PARAMETERS = [*INCIDENT_QUERY._declared_fields, "since", "group_by", "field", "count", "as_of", "x"]
PATHS = [
    INCIDENTS,
    "/api/v1/search",
    "/api/v1/stats",
    "/api/v1/claims",
    "/api/v1/changes",
    "/api/v1/places",
    "/api/v1/articles",
    "/api/v1/communities",
    "/api/v1/episodes",
    "/api/v1/releases",
    "/api/v1/codebook",
    f"{INCIDENTS}.csv",
    f"{INCIDENTS}.ndjson",
    f"{INCIDENTS}.geojson",
    f"{INCIDENTS}.json",
    "/api/v1/claims.csv",
    "/",
    "/incidents",
]
# Words near what is right, and what they are joined with.
WORDS = st.sampled_from(
    [
        "2020",
        "2020-07",
        "2020-07-24",
        "2020-02-30",
        "0000",
        "9999-12-31",
        "-0001",
        "10000",
        "XX",
        "armenian",
        "armenian:target",
        "moscow",
        "Кишинёв",
        "Washington, D.C.",
        "RU",
        "XK",
        "ZZ",
        "arrests",
        "-date",
        "relevance",
        "true",
        "possible",
        "exact",
        "csv",
        "*",
        "NULL",
        "NaN",
        "1e309",
        "-1",
        "0",
        "1",
        "1000",
        "1001",
        "55.75,37.62",
        "-180,-90,180,90",
        "91,181",
        "a OR b",
        '"a b"',
        "title:x",
        "NEAR(",
        "a*",
        "--",
        "%",
        "\x00",
        "\u202e",
        "é" * 300,
    ]
)
JOINED = st.lists(
    st.one_of(
        WORDS,
        st.sampled_from(["..", "/", "-", ",", ":", " ", "~", "?", "%", "[", "]", '"']),
        st.text(max_size=6),
    ),
    max_size=5,
).map("".join)
ANY_TEXT = st.one_of(WORDS, JOINED, st.text(max_size=30))
BYTES = st.one_of(ANY_TEXT.map(lambda text: text.encode(errors="replace")), st.binary(max_size=30))
NAMES = [
    "id",
    "title",
    "type",
    "date",
    "city",
    "country",
    "communities",
    "community",
    "role",
    "arrests",
    "arrests_low",
    "arrests_high",
    "injuries",
    "injuries_police",
    "deaths",
    "participants",
    "latitude",
    "longitude",
    "geo_precision",
    "sources",
    "article",
    "claims",
    "field",
    "value",
    "low",
    "high",
    "url",
    "published",
    "locator",
    "police_measures",
    "episode",
    "summary",
    "status",
    "version",
    "reason",
    "corrects",
    "venue",
    "property_damage",
    "x",
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    ANY_TEXT,
    st.sampled_from([25, 0, "clash", "UA", "Kyiv", "2020-07-24", "armenian"]),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=5)), inner, max_size=6),
    ),
    max_leaves=15,
)
PATCHES = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6)


@pytest.fixture(scope="module", autouse=True)
def notes():
    """Print at the end how many requests there were, where many were asked for."""
    yield
    if os.environ.get("FUZZ_EXAMPLES"):
        statuses = ", ".join(f"{number:,} x {name}" for name, number in sorted(SEEN.items()))
        sys.stdout.write(f"\nfuzzing: {sum(SEEN.values()):,} requests: {statuses}\n")


def fuzzed(function):
    """Run a test with so many examples."""
    wanted = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    return wanted(function)


def hold(answer):
    """Hold an answer to what every answer keeps to."""
    SEEN[f"{answer.status_code}"] += 1
    assert answer.status_code < 500, answer.get_data(as_text=True)
    if answer.status_code >= 400 and answer.mimetype != "text/html":
        problem = answer.get_json()
        assert problem["status"] == answer.status_code
        text = answer.get_data(as_text=True)
        for word in ("Traceback", "sqlite3", "psycopg", "sqlalchemy", "SELECT "):
            assert word not in text.partition('"detail"')[0] + json.dumps(problem["title"])
    elif answer.mimetype == "application/json":
        json.loads(answer.get_data())
    answer.close()


def query(pairs):
    return b"&".join(
        name.encode() + b"=" + quote_from_bytes(value).encode() for name, value in pairs
    )


@fuzzed
@given(
    path=st.sampled_from(PATHS),
    pairs=st.lists(st.tuples(st.sampled_from(PARAMETERS), BYTES), max_size=5),
)
def test_no_query_breaks_the_service(seeded, path, pairs):
    hold(seeded.test_client().get(path, query_string=query(pairs).decode()))


@fuzzed
@given(path=st.sampled_from(PATHS), raw=st.binary(max_size=60))
def test_no_raw_query_string_breaks_the_service(seeded, path, raw):
    text = raw.decode("latin-1").replace("\r", "").replace("\n", "")
    hold(seeded.test_client().get(path, query_string=text))


@fuzzed
@given(date=JOINED, name=st.sampled_from(["date", "date_from", "date_to", "updated_since"]))
def test_no_date_breaks_a_filter_or_a_record(seeded, incident, editor, date, name):
    client = seeded.test_client()
    hold(client.get(INCIDENTS, query_string={name: date}))
    body = incident(date=date)
    hold(client.post(f"{INCIDENTS}?dry_run=true", json=body, headers=editor))


CURSORS = st.one_of(
    st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
    st.lists(SCALARS, max_size=6).map(
        lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    ),
    ANY_TEXT,
)


@fuzzed
@given(cursor=CURSORS, path=st.sampled_from(PATHS[:9]), place=st.integers(0, 60), extra=ANY_TEXT)
def test_no_cursor_breaks_the_service(seeded, cursor, path, place, extra):
    client = seeded.test_client()
    hold(client.get(path, query_string={"cursor": cursor}))
    first = client.get(path, query_string={"limit": 1})
    following = (first.get_json(silent=True) or {}).get("next") or ""
    real = following.partition("cursor=")[2]
    hold(client.get(path, query_string={"limit": 1, "cursor": real[:place] + extra}))


@fuzzed
@given(patch=PATCHES, raw=st.booleans())
def test_no_merge_patch_breaks_a_record(seeded, editor, patch, raw):
    client = seeded.test_client()
    path = client.get(f"{INCIDENTS}?limit=1").json["data"][0]["url"]
    headers = {**editor, "If-Match": "*"}
    body = json.dumps(patch).encode(errors="replace")
    dry = "" if raw else "?dry_run=true"
    hold(client.patch(path + dry, data=body, content_type="application/json", headers=headers))


@fuzzed
@given(changes=PATCHES)
def test_no_record_breaks_the_service(seeded, incident, editor, changes):
    body = json.dumps({**incident(), **changes}).encode(errors="replace")
    client = seeded.test_client()
    hold(
        client.post(
            f"{INCIDENTS}?allow_duplicate=true",
            data=body,
            content_type="application/json",
            headers=editor,
        )
    )
    hold(client.get(INCIDENTS))


@fuzzed
@given(
    lines=st.lists(st.lists(st.one_of(ANY_TEXT, st.sampled_from(NAMES)), max_size=6), max_size=5),
    raw=st.binary(max_size=80),
    kind=st.integers(0, 2),
)
def test_no_csv_breaks_an_import(seeded, editor, lines, raw, kind):
    client = seeded.test_client()
    body = "\r\n".join(",".join(line) for line in lines).encode(errors="replace")
    if kind == 1:
        body = client.get(f"{INCIDENTS}.csv").data[:400] + raw
    elif kind == 2:
        body = raw
    hold(
        client.post(f"{INCIDENTS}?dry_run=true", data=body, content_type="text/csv", headers=editor)
    )


@fuzzed
@given(records=st.lists(st.one_of(PATCHES, JSON), max_size=4), raw=st.binary(max_size=40))
def test_no_ndjson_breaks_an_import(seeded, editor, records, raw):
    body = b"\n".join(json.dumps(one).encode(errors="replace") for one in records) + raw
    path = f"{INCIDENTS}?dry_run=true"
    hold(
        seeded.test_client().post(
            path, data=body, content_type="application/x-ndjson", headers=editor
        )
    )


HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "If-Match",
            "If-None-Match",
            "Range",
            "If-Range",
            "Accept",
            "Authorization",
            "Idempotency-Key",
            "X-Request-Id",
            "Accept-Encoding",
            "Content-Encoding",
            "Origin",
            "Access-Control-Request-Method",
            "X-Forwarded-For",
            "Prefer",
        ]
    ),
    st.one_of(
        ANY_TEXT,
        st.sampled_from(
            [
                '"1"',
                'W/"1"',
                "*",
                "bytes=0-",
                "bytes=5-1",
                "text/csv",
                "application/json;q=0.x",
                "Bearer a_b",
                "Bearer",
            ]
        ),
    ).map(lambda text: "".join(c for c in text if c.isprintable() and ord(c) < 256)),
    max_size=4,
)


@fuzzed
@given(
    headers=HEADERS,
    path=st.sampled_from(PATHS),
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
)
def test_no_header_breaks_the_service(seeded, headers, path, method):
    answer = seeded.test_client().open(path, method=method, headers=headers)
    if method == "HEAD":
        assert answer.status_code < 500
    else:
        hold(answer)


@fuzzed
@given(
    parts=st.lists(
        st.one_of(
            BYTES,
            st.sampled_from(
                [
                    b"incidents",
                    b"versions",
                    b"articles",
                    b"1",
                    b"..",
                    b"claims",
                    b"problems",
                    b"ogc",
                    b"releases",
                ]
            ),
        ),
        max_size=5,
    )
)
def test_no_path_breaks_the_service(seeded, parts):
    # Two slashes at the beginning would be a host to the client, before anything is sent.
    path = "/".join(quote_from_bytes(part, safe="") for part in parts).lstrip("/")
    hold(seeded.test_client().get(f"/api/v1/{path}"))
    hold(seeded.test_client().get(f"/{path}"))
