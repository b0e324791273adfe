"""The formats alone: documents in, bytes out, and from CSV the way back."""

import csv as standard
import io
import json

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from api import documents
from api.core.errors import ApiError
from api.exports.formats import csv, geojson, ndjson, registry
from api.http import negotiation
from api.imports import csv_reader
from api.routes import list_exports
from schemas import incident
from schemas.counts import COUNT_FIELDS
from schemas.query.parameters import QueryError
from schemas.record_state import EMPTY, amend, state_of
from schemas.vocabulary import EVENT_TYPES, POLICE_MEASURES, ROLES
from tests import builders

# Texts as they are stored: trimmed, of any character that a database takes.
texts = st.builds(
    lambda start, rest: (start + rest).strip(),
    st.sampled_from(["", "=", "+", "-", "@", "'", "''", '"', ",", ";", "a\r\nb", "a\rb"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30),
)
maybe_texts = texts.map(lambda text: text or None)
figures = st.one_of(
    st.just((None, None, None)),
    st.integers(0, 10**9).map(lambda n: (n, n, n)),
    st.integers(0, 10**9).map(lambda n: (n, None, None)),
    st.integers(0, 10**9).map(lambda n: (None, n, None)),
)
points = st.one_of(
    st.just((None, None)),
    st.tuples(st.floats(-90, 90), st.floats(-180, 180)).map(
        lambda point: (round(point[0], 4) + 0.0, round(point[1], 4) + 0.0)
    ),
)
entries = st.builds(
    lambda community, role, organisations, figure: {
        "community": community,
        "role": role,
        "organisations": organisations,
        "participants": figure[0],
        "participants_low": figure[1],
        "participants_high": figure[2],
    },
    st.sampled_from(["armenian", "azerbaijani", "georgian"]),
    st.sampled_from(list(ROLES)),
    st.lists(texts.filter(bool), max_size=2),
    figures,
)


def document(**changes):
    """Make a stored document: a whole record with CHANGES to its state."""
    state = {
        **EMPTY,
        **builders.incident(),
        "latitude": 50.4547,
        "longitude": 30.5238,
        "geo_precision": "city",
        "admin1": "Kyiv City",
        "geonames_id": 703448,
        **changes,
    }
    state["communities"] = [
        {
            "participants": None,
            "participants_low": None,
            "participants_high": None,
            "organisations": [],
            **entry,
        }
        for entry in state["communities"]
    ]
    metadata = documents.RecordMetadata(
        "7zq3m8k2xd", 3, "published", "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"
    )
    return documents.render(state, metadata, documents.derive(state, {}))


@st.composite
def records(draw):
    counts = {}
    for name in COUNT_FIELDS:
        best, low, high = draw(figures)
        counts |= {name: best, f"{name}_low": low, f"{name}_high": high}
    latitude, longitude = draw(points)
    article = {
        "id": "e0t3z15xx8",
        "title": draw(texts),
        "url": draw(maybe_texts),
        "publisher": None,
        "published": None,
        "syndicated_from": None,
    }
    return document(
        title=draw(texts) or "A title",
        summary=draw(maybe_texts),
        type=draw(st.sampled_from(list(EVENT_TYPES))),
        date=draw(st.sampled_from(["2020-07-24", "2020-07", "..2020-07-22", "2020-07-01.."])),
        city=draw(maybe_texts),
        venue=draw(maybe_texts),
        latitude=latitude,
        longitude=longitude,
        communities=draw(
            st.lists(
                entries, min_size=1, max_size=4, unique_by=lambda e: (e["community"], e["role"])
            )
        ),
        police_measures=draw(st.lists(st.sampled_from(list(POLICE_MEASURES)), unique=True)),
        property_damage=draw(st.sampled_from([True, False, None])),
        sources=draw(st.sampled_from([[], [{"article": article, "locator": None, "claims": []}]])),
        **counts,
    )


def body(format_, *given, fields=None):
    """Write documents in a format."""
    return b"".join(format_.chunks([[documents.dump(one).encode() for one in given]], fields))


def table(written):
    """Read CSV as any other program would: header and rows."""
    header, *rows = standard.reader(io.StringIO(written.decode("utf-8-sig"), newline=""))
    return [dict(zip(header, row, strict=True)) for row in rows]


def back(written):
    """Read CSV back: the cells of its one row."""
    (row,) = csv_reader.read(io.BytesIO(written)).rows
    assert row.messages == {}
    return row.cells


def cells(record, **edited):
    """Export a record and edit cells; `...` drops a column."""
    found = {**back(body(csv.FORMAT, record)), **edited}
    return {name: cell for name, cell in found.items() if cell is not ...}


def applied(record, named):
    """Return the record's state once what was NAMED is put onto it as a PATCH."""
    return amend(state_of(record), incident.load(named)).state


# CSV


def test_the_columns_are_those_promised():
    (header,) = standard.reader(io.StringIO(body(csv.FORMAT).decode("utf-8-sig"), newline=""))
    assert header[:5] == ["id", "url", "title", "type", "date"]
    assert header[-5:] == ["summary", "version", "updated_at", "external_ids", "tags"]
    assert {f"arrests{end}" for end in ("", "_low", "_high", "_text")} <= set(header)
    assert "sources" not in header
    assert "status" not in header


def test_a_csv_opens_with_a_mark_and_ends_its_lines_by_the_standard():
    written = body(csv.FORMAT, document(), document())
    assert written.startswith(b"\xef\xbb\xbfid,url,")
    assert written.endswith(b"\r\n")
    assert written.count(b"\r\n") == 3


def test_null_is_an_empty_cell_and_zero_is_not():
    (row,) = table(body(csv.FORMAT, document(deaths=0, deaths_low=0, deaths_high=0)))
    assert (row["deaths"], row["deaths_text"]) == ("0", "0")
    assert (row["arrests"], row["arrests_text"], row["venue"]) == ("", "not reported", "")
    assert row["property_damage"] == ""


def test_lists_are_joined():
    article = {"id": "e0t3z15xx8", "url": "https://news.example/1", "syndicated_from": None}
    sources = [{"article": article, "locator": None, "claims": []}] * 2
    (row,) = table(
        body(
            csv.FORMAT,
            document(
                communities=[
                    {"community": "armenian", "role": "target"},
                    {"community": "azerbaijani", "role": "organiser"},
                    {"community": "azerbaijani", "role": "participant"},
                ],
                police_measures=["cordon", "detention"],
                property_damage=True,
                sources=sources,
            ),
        )
    )
    assert row["communities"] == "armenian; azerbaijani"
    assert row["community_roles"] == (
        "armenian:target; azerbaijani:organiser; azerbaijani:participant"
    )
    assert row["police_measures"] == "cordon; detention"
    assert row["source_urls"] == "https://news.example/1"
    assert row["property_damage"] == "true"


@pytest.mark.parametrize("risk", ["=", "+", "-", "@", "'", "\t", "\r"])
def test_a_text_that_would_be_a_formula_is_guarded(risk):
    text = f"{risk}HYPERLINK(1)"
    (row,) = table(body(csv.FORMAT, document(title=text)))
    assert row["title"] == f"'{text}"


def test_a_negative_number_is_no_formula():
    (row,) = table(body(csv.FORMAT, document(latitude=-33.9249, longitude=-0.1)))
    assert (row["latitude"], row["longitude"]) == ("-33.9249", "-0.1")


@given(records())
def test_no_text_cell_begins_a_formula(record):
    written = body(csv.FORMAT, record)
    (row,) = table(written)
    numbers = {"latitude", "longitude"}
    assert not [
        name for name, cell in row.items() if name not in numbers and cell[:1] in tuple("=+-@\t\r")
    ]


@given(records())
def test_what_was_exported_names_nothing_that_changes_it(record):
    named = csv.row_data(back(body(csv.FORMAT, record)), record)
    assert named == {"id": record["id"], "version": record["version"]}
    again = amend(state_of(record), incident.load(named))
    assert again.state == state_of(record)
    assert again.place is None


@given(records())
def test_a_new_record_is_named_whole(record):
    """All but sizes of communities, organisations and claims, which CSV has no place for."""
    named = csv.row_data(back(body(csv.FORMAT, record)))
    for name in (
        "title",
        "summary",
        "date",
        "city",
        "latitude",
        "property_damage",
        "arrests",
        "arrests_low",
        "police_measures",
    ):
        assert named[name] == record[name], name
    pairs = [(entry["community"], entry["role"]) for entry in named["communities"]]
    assert pairs == [(entry["community"], entry["role"]) for entry in record["communities"]]
    urls = dict.fromkeys(source["article"]["url"] for source in record["sources"])
    if not any(";" in url or url.split() != [url] for url in urls if url):  # as no address has
        sources = [{"article": {"url": url}} for url in urls if url]
        assert named.get("sources", []) == sources
    assert not {"url", "arrests_text", "updated_at"} & named.keys()


def test_a_change_of_an_exact_figure_alone_takes_its_bounds_along():
    record = document(arrests=13, arrests_low=13, arrests_high=13)
    named = csv.row_data(cells(record, arrests="20"), record)
    assert named == {"id": record["id"], "version": 3, "arrests": 20}
    state = applied(record, named)
    assert [state[name] for name in ("arrests", "arrests_low", "arrests_high")] == [20, 20, 20]


def test_a_figure_that_was_about_stays_about():
    record = document(arrests=3000)
    state = applied(record, csv.row_data(cells(record, arrests="3500"), record))
    assert [state[name] for name in ("arrests", "arrests_low", "arrests_high")] == [
        3500,
        None,
        None,
    ]


def test_a_figure_can_be_emptied():
    record = document(arrests=13, arrests_low=13, arrests_high=13)
    emptied = dict.fromkeys(("arrests", "arrests_low", "arrests_high"))
    state = applied(record, csv.row_data(cells(record, **emptied), record))
    assert [state[name] for name in emptied] == [None, None, None]


def test_a_new_city_asks_for_its_coordinates():
    record = document()
    named = csv.row_data(cells(record, city="Odesa"), record)
    assert named.keys() == {"id", "version", "city"}
    assert amend(state_of(record), incident.load(named)).place is not None


def test_an_absent_column_is_untouched_and_an_empty_cell_is_null():
    record = document(venue="Market", summary="What happened")
    named = csv.row_data(cells(record, venue=None, summary=...), record)
    assert named == {"id": record["id"], "version": 3, "venue": None}


def test_derived_columns_and_sources_are_ignored():
    record = document()
    edited = cells(
        record,
        source_urls="https://news.example/2",
        arrests_text="13",
        disputed="x",
        date_start="1999-01-01",
        number_of_sources="9",
        url="/elsewhere",
    )
    assert csv.row_data(edited, record).keys() == {"id", "version"}


SIZED = {
    "community": "armenian",
    "role": "organiser",
    "participants": 40,
    "participants_low": 40,
    "participants_high": 40,
    "organisations": ["A congress"],
}


def test_a_community_that_stays_keeps_what_is_known_of_it():
    record = document(communities=[SIZED])
    named = csv.row_data(cells(record, communities="armenian; georgian"), record)
    assert named["communities"] == [SIZED, {"community": "georgian"}]


def test_a_role_can_be_changed_in_its_column():
    record = document(communities=[SIZED, {"community": "georgian", "role": "participant"}])
    edited = cells(record, community_roles="armenian:organiser; georgian:target")
    assert csv.row_data(edited, record)["communities"] == [
        SIZED,
        {"community": "georgian", "role": "target"},
    ]


def test_two_columns_that_disagree_on_the_communities_are_told():
    record = document(communities=[SIZED])
    edited = cells(record, communities="georgian", community_roles="armenian:target")
    with pytest.raises(ValidationError) as error:
        csv.row_data(edited, record)
    assert error.value.messages.keys() == {"community_roles"}


def test_every_cell_that_cannot_be_read_is_told_at_once():
    edited = cells(document(), arrests="dozens", latitude="55,75", property_damage="maybe")
    with pytest.raises(ValidationError) as error:
        csv.row_data(edited)
    assert error.value.messages.keys() == {"arrests", "latitude", "property_damage"}


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("1.000", "1000 or 1"),
        ("12.500", "12500 or 12.5"),
        ("1,000", "1000 or 1"),
        ("1 000", "1000 or 1"),
        (">50", "arrests_low: 51"),
        ("20 - 30", "arrests_low: 20, arrests_high: 30"),
        ("dozens", "arrests_low: 24"),
    ],
)
def test_a_number_that_is_none_is_refused_with_what_it_may_mean(cell, message):
    with pytest.raises(ValidationError) as error:
        csv.row_data({"arrests": cell})
    assert message in error.value.messages["arrests"][0]


@pytest.mark.parametrize(
    ("row", "figure"),
    [
        ({"arrests": "13"}, (13, 13, 13)),
        ({"arrests": "13", "arrests_low": None, "arrests_high": None}, (13, 13, 13)),
        ({"arrests": "0", "arrests_low": None, "arrests_high": None}, (0, 0, 0)),
        ({"arrests": "13", "arrests_low": None, "arrests_text": "about 13"}, (13, None, None)),
        ({"arrests": None, "arrests_low": "25", "arrests_high": None}, (None, 25, None)),
    ],
)
def test_a_new_figure_without_bounds_is_exact_unless_its_words_say_otherwise(row, figure):
    state = amend(None, csv.row_data({"title": "A", **row})).state
    assert (state["arrests"], state["arrests_low"], state["arrests_high"]) == figure


@pytest.mark.parametrize(("cell", "number"), [("13", 13), ("13.0", 13), (" 13 ", 13), ("0", 0)])
def test_whole_numbers_are_read_as_programs_write_them(cell, number):
    assert csv.row_data({"arrests": cell})["arrests"] == number


# GeoJSON and NDJSON


def test_a_feature_has_the_records_id_point_and_document():
    record = document()
    collection = json.loads(body(geojson.FORMAT, record))
    assert collection["type"] == "FeatureCollection"
    (feature,) = collection["features"]
    assert feature == {
        "type": "Feature",
        "id": "7zq3m8k2xd",
        "geometry": {"type": "Point", "coordinates": [30.5238, 50.4547]},
        "properties": record,
    }


def test_a_record_without_a_point_has_no_geometry():
    (feature,) = json.loads(body(geojson.FORMAT, document(latitude=None, longitude=None)))[
        "features"
    ]
    assert feature["geometry"] is None


@pytest.mark.parametrize("batches", [[], [[]], [[], []]])
def test_nothing_is_an_empty_collection(batches):
    written = b"".join(geojson.write(batches))
    assert json.loads(written) == {"type": "FeatureCollection", "features": []}


@pytest.mark.slow
@given(st.lists(st.lists(records(), max_size=2), max_size=3))
def test_batches_do_not_show(batches):
    texts = [[documents.dump(record).encode() for record in batch] for batch in batches]
    flat = [record for batch in batches for record in batch]
    features = json.loads(b"".join(geojson.write(texts)))["features"]
    assert [feature["properties"] for feature in features] == flat
    lines = b"".join(ndjson.write(texts)).split(b"\n")
    assert [json.loads(line) for line in lines[:-1]] == flat
    assert lines[-1] == b""
    assert len(table(b"".join(csv.write(texts)))) == len(flat)


def test_fields_choose_members_and_columns():
    record = document()
    assert json.loads(body(ndjson.FORMAT, record, fields=["city", "id"])) == {
        "city": "Kyiv",
        "id": "7zq3m8k2xd",
    }
    (feature,) = json.loads(body(geojson.FORMAT, record, fields=["date"]))["features"]
    assert feature["properties"] == {"date": "2019-05-04"}
    assert feature["geometry"]["coordinates"] == [30.5238, 50.4547]
    (row,) = table(body(csv.FORMAT, record, fields=["latitude", "community_roles"]))
    assert row == {
        "latitude": "50.4547",
        "community_roles": "armenian:participant; azerbaijani:participant",
    }


# Negotiation


def chosen(path="/incidents", accept=None, suffix=None):
    """Choose a format for a request."""
    headers = {} if accept is None else {"Accept": accept}
    with Flask(__name__).test_request_context(path, headers=headers):
        return negotiation.choose(registry.INCIDENTS, suffix).name


@pytest.mark.parametrize("name", registry.INCIDENTS)
def test_the_parameter_takes_the_formats_there_are(name):
    assert list_exports.INCIDENT_QUERY().load({"format": name}) == {"format": name}


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        (None, "json"),
        ("", "json"),
        ("*/*", "json"),
        ("application/json", "json"),
        ("text/csv", "csv"),
        ("text/*", "csv"),
        ("TEXT/CSV; header=present", "csv"),
        ("application/geo+json", "geojson"),
        ("application/x-ndjson", "ndjson"),
        ("application/jsonl", "ndjson"),
        ("text/csv;q=0.5, application/geo+json", "geojson"),
        ("application/geo+json;q=0.5, text/csv;q=0.6", "csv"),
        ("*/*, text/csv", "csv"),
        ("application/json;q=0, */*", "csv"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "json"),
    ],
)
def test_accept_chooses(accept, name):
    assert chosen(accept=accept) == name


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*;q=0", "image/*"])
def test_what_accept_excludes_altogether_is_told(accept):
    with pytest.raises(ApiError) as refusal:
        chosen(accept=accept)
    assert refusal.value.kind == "not-acceptable"
    assert "text/csv" in refusal.value.detail


def test_the_address_names_the_format():
    assert chosen(suffix="csv") == "csv"
    assert chosen("/incidents?format=geojson") == "geojson"
    assert chosen("/incidents?format=csv", suffix="csv") == "csv"
    assert chosen(suffix="csv", accept="text/html,*/*;q=0.8") == "csv"
    assert chosen(suffix="geojson", accept="text/plain, application/json") == "geojson"


def test_an_unknown_suffix_leads_nowhere():
    with pytest.raises(ApiError) as refusal:
        chosen(suffix="xml")
    assert refusal.value.kind == "not-found"


def test_what_contradicts_itself_is_told():
    with pytest.raises(QueryError) as error:
        chosen("/incidents?format=json", suffix="csv")
    assert error.value.messages["format"][0].code == "contradiction"
    for path, suffix in (("/incidents", "csv"), ("/incidents?format=csv", None)):
        with pytest.raises(ApiError) as refusal:
            chosen(path, "application/json", suffix)
        assert refusal.value.kind == "not-acceptable"
