"""Whatever is sent as many records is taken whole and given back the same, or refused whole."""

import csv
import io
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from api.exports.formats.csv import COLUMNS
from tests import builders, strategies
from tests.problems import problem_of

URL = "/api/v1/incidents"
NDJSON, CSV = "application/x-ndjson", "text/csv"

fuzzed = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)

# Values of any kind, and the texts that break programs.
wild = st.text(st.characters(codec="utf-8"), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | wild,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(wild, inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from([*builders.incident(), "id", "version", "status", "sources", "arrests_low"])


@st.composite
def broken(draw):
    """Draw a record of which some members, known or not, are anything."""
    changes = draw(st.dictionaries(names | wild, values, max_size=3))
    return json.dumps({**builders.incident(), **changes}).encode()


lines = st.one_of(
    st.lists(broken(), max_size=4),
    st.lists(broken() | values.map(json.dumps).map(str.encode) | st.binary(max_size=40)),
)
cells = st.one_of(
    wild,
    st.sampled_from(
        ["", "'", "=1+1", "'=", "-5", "1e9", "٣", "TRUE", "2019-02-30", "a; b", "\x00"]
    ),
)


def post(client, headers, body, media_type, query="?on_conflict=update"):
    return client.post(f"{URL}{query}", data=body, content_type=media_type, headers=headers)


def version(client):
    return client.get(f"{URL}?limit=1").headers["Dataset-Version"]


def taken_or_refused(client, headers, body, media_type):
    """Hold that BODY is taken, or refused with every fault in a line of it and nothing written."""
    before = version(client)
    answer = post(client, headers, body, media_type)
    if answer.status_code == 200:
        return
    for fault in problem_of(answer)["errors"]:
        assert 1 <= fault["line"] <= len(body.splitlines()) + 1
    assert answer.status_code in (400, 403, 409, 412, 422)
    assert version(client) == before


@pytest.mark.slow
@given(records=st.lists(strategies.bodies(strategies.places), min_size=1, max_size=4))
@fuzzed
def test_what_is_imported_is_exported_and_means_no_change(client, editor, records):
    body = "".join(f"{json.dumps(record)}\n" for record in records)
    made = post(client, editor, body, NDJSON)
    assert (made.status_code, made.json["created"]) == (200, len(records)), made.text
    before = version(client)
    for name, media_type in (("ndjson", NDJSON), ("csv", CSV)):
        export = client.get(f"{URL}.{name}")
        again = post(client, editor, export.data, media_type)
        assert again.status_code == 200, again.text
        assert again.json["unchanged"] == int(export.headers["Record-Count"])
        assert (again.json["created"], again.json["changed"]) == (0, 0)
    assert version(client) == before


@given(lines=lines)
@example(lines=[b'{"title": "\\ud800"}', b"\xef\xbb\xbf{}", b"[" * 5000])
@fuzzed
def test_lines_of_anything_are_taken_or_refused_whole(client, editor, lines):
    taken_or_refused(client, editor, b"\n".join(lines), NDJSON)
    listed = b"[" + b",".join(lines) + b"]"
    taken_or_refused(client, editor, listed, "application/json")


@given(
    header=st.lists(st.sampled_from(COLUMNS) | wild, min_size=1, max_size=6),
    rows=st.lists(st.dictionaries(st.sampled_from(COLUMNS), cells, max_size=4), max_size=3),
    raw=st.binary(max_size=40),
)
@fuzzed
def test_cells_of_anything_are_taken_or_refused_whole(client, editor, header, rows, raw):
    record = {
        "title": "Clash",
        "type": "clash",
        "date": "2019-05-04",
        "city": "Kyiv",
        "country": "UA",
        "communities": "armenian",
    }
    sheet = io.StringIO()
    columns = list(dict.fromkeys([*record, *header]))
    writer = csv.DictWriter(sheet, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows({**record, **row} for row in rows)
    taken_or_refused(client, editor, sheet.getvalue().encode(), CSV)
    taken_or_refused(client, editor, sheet.getvalue().encode() + raw, CSV)
