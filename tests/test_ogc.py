"""OGC API Features: what the standard asks for, and what GDAL makes of it."""

import json
import subprocess

import pytest
from openapi_spec_validator import validate
from owslib.ogcapi.features import Features

from api.routes import ogc
from tests import servers, tools
from tests.examples import MOSCOW

ITEMS = "/ogc/collections/incidents/items"
ALL = 8


def links(body, rel):
    return [link["href"] for link in body["links"] if link["rel"] == rel]


def path_of(address):
    """Return the path and query of a whole address, as the test client asks for it."""
    assert address.startswith("http://")
    return f"/{address.split('/', 3)[3]}"


def features(client, query, **headers):
    """Read every page of the features that QUERY means, and return their ids."""
    address, found = f"{ITEMS}?{query}", []
    while address:
        page = client.get(address, headers=headers).json
        assert page["numberReturned"] == len(page["features"])
        found += [feature["id"] for feature in page["features"]]
        following = links(page, "next")
        address = path_of(following[0]) if following else None
    return found


def test_every_link_of_the_landing_page_leads_somewhere(client):
    landing = client.get("/ogc").json
    for rel in ("self", "service-desc", "service-doc", "conformance", "data"):
        (address,) = links(landing, rel)
        assert client.get(path_of(address)).status_code == 200
    assert client.get("/ogc/").json == landing


def test_it_says_which_parts_of_the_standard_are_there(client):
    found = client.get("/ogc/conformance").json["conformsTo"]
    assert found == ogc.CONFORMANCE


def test_there_is_one_collection_and_its_links_lead_to_it(client):
    (collection,) = client.get("/ogc/collections").json["collections"]
    assert client.get("/ogc/collections/incidents").json == collection
    (items,) = links(collection, "items")
    assert path_of(items) == ITEMS
    for address in links(collection, "describedBy"):
        assert client.get(path_of(address)).status_code == 200
    assert client.get("/ogc/collections/articles").status_code == 404


def test_its_description_is_openapi_3_0_for_what_is_below_it(client):
    answer = client.get("/ogc/api")
    assert answer.headers["Content-Type"] == "application/vnd.oai.openapi+json;version=3.0"
    found = answer.json
    assert found["openapi"].startswith("3.0.")
    validate(found)
    assert found["servers"] == [{"url": "/ogc"}]
    assert set(found["paths"]) == {
        "/",
        "/conformance",
        "/collections",
        "/collections/incidents",
        "/collections/incidents/schema",
        "/collections/incidents/queryables",
        "/collections/incidents/items",
        "/collections/incidents/items/{id}",
    }
    text = json.dumps(found)
    for kind, components in found["components"].items():
        for name in components if kind != "securitySchemes" else ():
            assert f'"#/components/{kind}/{name}"' in text


def test_the_schema_gives_counts_and_dates_their_types(client):
    schema = client.get("/ogc/collections/incidents/schema").json["properties"]["properties"]
    types = {name: one["type"] for name, one in schema["properties"].items()}
    assert types["deaths"] == types["arrests_low"] == "integer"
    assert types["latitude"] == "number"
    assert types["communities"] == types["publishers"] == "string"
    assert schema["properties"]["date_start"]["format"] == "date"


def test_the_extent_is_that_of_the_incidents(seeded, client):
    extent = client.get("/ogc/collections/incidents").json["extent"]
    every = client.get(f"{ITEMS}?limit=1000").json["features"]
    points = [one["geometry"]["coordinates"] for one in every if one["geometry"]]
    west, south = (min(point[axis] for point in points) for axis in (0, 1))
    east, north = (max(point[axis] for point in points) for axis in (0, 1))
    assert extent["spatial"]["bbox"] == [[west, south, east, north]]
    ((first, last),) = extent["temporal"]["interval"]
    assert first == min(one["properties"]["date_start"] for one in every) + "T00:00:00Z"
    assert last == max(one["properties"]["date_end"] for one in every) + "T23:59:59Z"


def test_without_incidents_the_extent_is_open(client):
    extent = client.get("/ogc/collections/incidents").json["extent"]
    assert extent["spatial"]["bbox"] == [[-180, -90, 180, 90]]
    assert extent["temporal"]["interval"] == [[None, None]]


def test_the_parameters_are_described_as_the_standard_wants_them(client):
    items = client.get("/ogc/api").json["paths"]["/collections/incidents/items"]["get"]
    described = {one.get("name"): one for one in items["parameters"]}
    for name, type_ in (("limit", "integer"), ("bbox", "array"), ("datetime", "string")):
        assert (described[name]["in"], described[name]["required"]) == ("query", False)
        assert described[name]["schema"]["type"] == type_
        assert (described[name]["style"], described[name]["explode"]) == ("form", False)
    assert described["filter-lang"]["schema"]["enum"] == ["cql2-text", "cql-text"]


def test_pages_of_any_length_hold_every_incident_once(seeded, client):
    whole = [one["id"] for one in client.get("/api/v1/incidents").json["data"]]
    for limit in (1, 3, ALL, 1000):
        assert features(client, f"limit={limit}") == whole
    first = client.get(f"{ITEMS}?limit=3").json
    assert (first["numberMatched"], first["numberReturned"]) == (ALL, 3)


def test_a_limit_that_is_too_large_is_lowered_as_the_standard_asks(seeded, client):
    assert client.get(f"{ITEMS}?limit=1000000").json["numberReturned"] == ALL


def test_a_feature_is_the_record_in_flat_properties(seeded, client):
    record = client.get(f"/api/v1/incidents/{MOSCOW}").json
    feature = client.get(f"{ITEMS}/{MOSCOW}").json
    assert feature["id"] == MOSCOW
    assert feature["geometry"]["coordinates"] == [record["longitude"], record["latitude"]]
    found = feature["properties"]
    assert found["communities"] == "; ".join(one["community"] for one in record["communities"])
    assert found["publishers"].split("; ")
    for name in ("arrests", "arrests_text", "city", "latitude", "property_damage", "summary"):
        assert found[name] == record[name]
    assert {type(value) for value in found.values()} <= {str, int, float, bool, type(None)}
    for rel in ("self", "collection", "alternate"):
        assert links(feature, rel)


BOXES = {
    "2.5,49.5,7.3,53.6": 2,  # Brussels and The Hague
    "2.5,49.5,-100,7.3,53.6,9000": 2,  # with heights
    "37,55,38,56": 3,
    "1e-17,50,7.29999999999999982,53.6000000000000014": 2,  # as GDAL writes them
    "-180,-90,180,90": ALL,
    "170,-90,-100,90": 1,  # across the antimeridian, to Los Angeles
    "0,0,1,1": 0,
}


@pytest.mark.parametrize("box", BOXES)
def test_a_box_keeps_what_lies_in_it(seeded, client, box):
    assert len(features(client, f"bbox={box}")) == BOXES[box]


WRITTEN = (
    "2020-07-24",
    "2020-07",
    "2020",
    "2020-07-20/2020-07-26",
    "2020-07-01..2020-07-22",
    "..2020-07-10",
    "2021-01-01..",
)
TIMES = {
    "2020-07-24": {"2020-07-24", "2020-07", "2020", "2020-07-20/2020-07-26"},
    "2020-07-24T12:00:00Z": {"2020-07-24", "2020-07", "2020", "2020-07-20/2020-07-26"},
    "2020-07-24T23:30:00%2B05:00/2020-07-24T23:45:00Z": {
        "2020-07-24",
        "2020-07",
        "2020",
        "2020-07-20/2020-07-26",
    },
    "2020-07-27/2020-07-31": {"2020-07", "2020"},
    "../2020-06-30": {"2020", "..2020-07-10"},
    "/2020-06-30": {"2020", "..2020-07-10"},
    "2020-12-31/..": {"2020", "2021-01-01.."},
    "2021-01-01/": {"2021-01-01.."},
    "2020-07-21/2020-07-23": {"2020-07", "2020", "2020-07-20/2020-07-26", "2020-07-01..2020-07-22"},
}


def test_a_time_keeps_every_incident_whose_date_shares_a_day_with_it(client, editor, incident):
    ids = {}
    for date in WRITTEN:
        answer = client.post(
            "/api/v1/incidents?allow_duplicate=true", json=incident(date=date), headers=editor
        )
        ids[answer.json["id"]] = date
    for time, expected in TIMES.items():
        assert {ids[id_] for id_ in features(client, f"datetime={time}")} == expected, time
    both = features(client, "datetime=2020-07-20T/..&datetime=../2020-07-24T")
    assert both == features(client, "datetime=2020-07-20/2020-07-24")


def test_the_plain_filters_of_the_lists_go_along(seeded, client):
    for query in ("country=RU&type=clash", "city=Кишинёв", "q=brawl", "community=armenian:target"):
        listed = client.get(f"/api/v1/incidents?{query}").json["data"]
        assert features(client, f"{query}&limit=1") == [one["id"] for one in listed]


WRONG = [
    "colour=red",
    "limit=0",
    "limit=many",
    "bbox=1,2,3",
    "bbox=1,2,3,4,5",
    "bbox=0,9,1,8",
    "datetime=soon",
    "datetime=2020-07",
    "datetime=../..",
    "datetime=2020-02-30",
    "datetime=2020-07-02/2020-07-01",
    "cursor=!",
    "bbox=1,2,3,4&bbox=1,2,3,4",
    "datetime=2020-01-01&datetime=2020-01-02",
    "city=Nowherecity%00",
    "filter-lang=cql2-json",
    "filter-crs=http://www.opengis.net/def/crs/EPSG/0/4326",
]


@pytest.mark.parametrize("query", WRONG)
def test_what_is_wrong_in_a_query_is_a_400_that_names_it(seeded, client, query):
    answer = client.get(f"{ITEMS}?{query}")
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert [one["parameter"] for one in answer.json["errors"]] == [query.partition("=")[0]]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/conformance",
        "/collections",
        "/collections/incidents",
        "/api",
        "/collections/incidents/schema",
        f"/collections/incidents/items/{MOSCOW}",
    ],
)
def test_what_takes_no_parameter_refuses_any(seeded, client, path):
    assert client.get(f"/ogc{path}?colour=red").status_code == 400


def test_drafts_and_what_was_withdrawn_are_seen_by_whom_the_lists_show_them(
    client, editor, incident
):
    kept, draft, gone = (
        client.post(
            "/api/v1/incidents", json=incident(date=date, status=status), headers=editor
        ).json["id"]
        for date, status in (("2001", "published"), ("2002", "draft"), ("2003", "published"))
    )
    client.delete(f"/api/v1/incidents/{gone}", headers={**editor, "If-Match": "*"})
    assert features(client, "") == [kept]
    assert client.get(f"{ITEMS}/{draft}").status_code == 404
    assert client.get(f"{ITEMS}/{gone}").status_code == 410
    answer = client.get(ITEMS, headers=editor)
    assert {one["id"] for one in answer.json["features"]} == {kept, draft}
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "ETag" not in answer.headers
    assert client.get(f"{ITEMS}/{draft}", headers=editor).status_code == 200


def test_a_merged_record_leads_to_the_one_it_went_into(client, editor, incident):
    kept, merged = (
        client.post("/api/v1/incidents", json=incident(date=date), headers=editor).json["id"]
        for date in ("2001", "2002")
    )
    client.post(
        f"/api/v1/incidents/{merged}/merge",
        json={"into": kept},
        headers={**editor, "If-Match": "*"},
    )
    answer = client.get(f"{ITEMS}/{merged}")
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{ITEMS}/{kept}")


@pytest.mark.parametrize("path", [ITEMS, f"{ITEMS}/{MOSCOW}", "/ogc", "/ogc/api"])
def test_an_answer_that_is_held_is_not_sent_again(seeded, client, path):
    first = client.get(path)
    assert client.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_addresses_are_those_of_the_public_address(make_app):
    client = make_app(PUBLIC_URL="https://incidents.example").test_client()
    for link in client.get("/ogc").json["links"]:
        assert link["href"].startswith("https://incidents.example/")
    assert client.get("/ogc/api").json["servers"] == [{"url": "https://incidents.example/ogc"}]


# GDAL


@pytest.fixture
def layer(seeded):
    """Yield a function that asks GDAL for the layer of the running service: fields by feature."""
    program = tools.find("gdal")
    with servers.serving(seeded.config["DATABASE_URL"]) as address:

        def ask(*options):
            command = [program, "-ro", "-q", *options, f"OAPIF:{address}/ogc", "incidents"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            assert (done.returncode, done.stderr) == (0, "")
            found = [part.splitlines() for part in done.stdout.split("OGRFeature(incidents)")[1:]]
            return [
                {
                    name.split(" (")[0].strip(): value
                    for name, value in (line.split(" = ", 1) for line in lines if " = " in line)
                }
                for lines in found
            ]

        ask.address = address
        yield ask


@pytest.mark.slow
@pytest.mark.needs("gdal")
def test_gdal_lists_the_layer_with_its_types(layer):
    source = f"OAPIF:{layer.address}/ogc"
    done = subprocess.run(
        [tools.find("gdal"), "-ro", "-so", source, "incidents"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    summary = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    assert (summary["Feature Count"], summary["Geometry"]) == (str(ALL), "Point")
    for name, type_ in {
        "id": "String",
        "arrests": "Integer",
        "deaths": "Integer",
        "participants_high": "Integer",
        "date_start": "Date",
        "latitude": "Real",
        "property_damage": "Integer(Boolean)",
    }.items():
        assert summary[name].startswith(type_), (name, summary[name])


@pytest.mark.slow
@pytest.mark.needs("gdal")
def test_gdal_reads_all_incidents_page_by_page(layer, client):
    whole = [one["id"] for one in client.get("/api/v1/incidents").json["data"]]
    for options in ((), ("-oo", "PAGE_SIZE=3")):
        assert [feature["id"] for feature in layer(*options)] == whole
    (moscow,) = layer("-where", f"id = '{MOSCOW}'")
    assert (moscow["arrests"], moscow["deaths"], moscow["city"]) == ("13", "(null)", "Moscow")


@pytest.mark.slow
@pytest.mark.needs("gdal")
def test_gdal_filters_by_box_date_and_attribute(layer):
    assert {one["city"] for one in layer("-spat", "2.5", "49.5", "7.3", "53.6")} == {
        "Brussels",
        "The Hague",
    }
    later = layer("-where", "date_start >= '2020-09-01'")
    assert {one["id"] for one in later} == {"c3kveqepts", "pyv59m6kjs"}
    within = layer("-where", "date_end >= '2020-07-23' AND date_start <= '2020-07-24'")
    assert {one["id"] for one in within} == {MOSCOW, "np6rqd9gj4", "g56qsdcydy"}
    assert {one["country"] for one in layer("-where", "country = 'RU'")} == {"RU"}
    assert {one["id"] for one in layer("-where", "arrests >= 13 AND country = 'RU'")} == {MOSCOW}


@pytest.mark.slow
@pytest.mark.needs("gdal")
def test_gdal_has_the_server_filter_by_attributes(layer):
    command = [tools.find("gdal"), "-ro", "-q"]
    where = "communities LIKE '%azerbaijani%' AND arrests >= 10 AND country = 'RU'"
    done = subprocess.run(
        [*command, "-where", where, f"OAPIF:{layer.address}/ogc", "incidents"],
        env={"CPL_DEBUG": "ON"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("OGRFeature(incidents)") == 1
    assert "communities (String) = armenian; azerbaijani" in done.stdout
    assert "arrests (Integer) = 13" in done.stdout
    (asked,) = [line for line in done.stderr.splitlines() if "filter=" in line and "HTTP" in line]
    assert "country" in asked


@pytest.mark.slow
def test_owslib_reads_filters_and_finds_what_can_be_filtered_by(layer):
    service = Features(f"{layer.address}/ogc")
    assert service.feature_collections() == ["incidents"]
    assert service.conformance()["conformsTo"] == ogc.CONFORMANCE
    assert "communities" in service.collection_queryables("incidents")["properties"]
    page = service.collection_items(
        "incidents", bbox=[37, 55, 38, 56], filter="arrests > 10 OR deaths > 0", limit=10
    )
    assert [one["properties"]["city"] for one in page["features"]] == ["Moscow"]
    found = service.collection_item("incidents", MOSCOW)
    assert found["properties"]["communities"] == "armenian; azerbaijani"
