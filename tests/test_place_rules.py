"""Places as people write them, and what becomes of each: the rules of resolving, one row a rule.

`gazetteer` is a connection to a database of this module's own that holds the gazetteer.
"""

import json
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from api import config
from api.database import statements, transactions
from api.geo.place_errors import PlaceError, no_country_for
from api.geo.resolver import resolve
from api.records import resolver
from tests import engines

INCIDENTS = "/api/v1/incidents"


@pytest.fixture(scope="module")
def engine(database):
    with engines.copied(database.engine) as url:
        engine = create_engine(config.database_url(url, Path()))
        yield engine
        engine.dispose()


@pytest.fixture
def gazetteer(engine):
    with engine.connect() as connection:
        yield connection


def place(text):
    """Read `City, CC, admin1, latitude longitude, precision` as the members it stands for."""
    city, country, admin1, point, precision = (*map(str.strip, text.split("/")), *[""] * 4)[:5]
    latitude, longitude = map(float, point.split()) if point else (None, None)
    return {
        "city": city or None,
        "country": country,
        "admin1": admin1 or None,
        "latitude": latitude,
        "longitude": longitude,
        "geo_precision": precision or None,
    }


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("New Jersey/US", "region_as_city", ["a division of United States", "Three Rivers, Mich"]),
        ("Nebraska/US", "region_as_city", ['"admin1": "Nebraska"', "Appomattox, Virginia"]),
        ("Sachsen/DE", "region_as_city", ["Saxony, a division of Germany", "Sachsen bei Ansbach"]),
        ("Wales/GB", "region_as_city", ["a division of United Kingdom"]),
        ("Bavaria/DE", "region_as_city", ['"geo_precision": "admin1" with "admin1": "Bavaria"']),
        ("SP/BR", "region_as_city", ["the code of São Paulo"]),
        ("Bouches-du-Rhône/FR", "region_as_city", ["a part of Provence-Alpes-Côte d'Azur"]),
        ("Puerto Rico/US", "region_as_city", ['"country": "PR"']),
        ("Germany/DE", "region_as_city", ["is a country", '"geo_precision": "country"']),
        ("Lebanon/US", "region_as_city", ["is a country", '"country": "LB"', "Tennessee"]),
        ("Airport/US", "unknown_place", ["venue"]),
        ("nationwide/BR", "unknown_place", ['"geo_precision": "country"']),
        ("several cities/BR", "unknown_place", ['"geo_precision": "country"']),
        ("online/DE", "unknown_place", ['"geo_precision": "country"']),
        ("St. Albans/US", "ambiguous_place", ["may mean 3 places"]),
        ("Springfield/US/Hawaii", "unknown_place", ["Springfield, Missouri, United States"]),
        ("St. Albans/US/Nowhere", "unknown_place", ["no division known there", "Vermont"]),
        ("Kishinev/RO", "unknown_place", ["It knows Chisinau", "correct the country"]),
        ("London, UK/GB", "two_members", ['"city": "London", "country": "GB"']),
        ("Los Angeles, USA/US", "two_members", ['"city": "Los Angeles", "country": "US"']),
        ("Springfield, Illinois/US", "two_members", ['"admin1": "Illinois"']),
        ("KÃ¶ln/DE", "unknown_place", ['"Köln" read in the wrong encoding']),
        ("Mosscow/RU", "unknown_place", ["Near names there: Moscow"]),
        ("Berlin/DE///exact", "needs_point", ["give latitude and longitude"]),
        ("Berlin/DE///venue", "needs_point", ["give latitude and longitude"]),
        ("Little Armenia/US//34.1 118.3", "point_abroad", ["latitude 34.1, longitude -118.3"]),
        ("Moscow/RU//37.6 55.75", "point_abroad", ["latitude 55.75, longitude 37.6"]),
        ("Paris/FR//16.0 -61.7", "point_abroad", ["300 km", "Guadeloupe (GP)"]),
        ("/DE///admin1", "required", ["give admin1"]),
        ("/DE/Atlantis//admin1", "unknown_division", ["no division of Germany"]),
        ("/UA/Kiev oblast or so//admin1", "unknown_division", ["ISO 3166-2"]),
        ("/US", "missing_place", ['"geo_precision"']),
    ],
)
def test_what_cannot_be_taken_is_refused_with_what_would_be_right(gazetteer, text, code, words):
    with pytest.raises(PlaceError) as refusal:
        resolve(gazetteer, **place(text))

    assert refusal.value.code == code
    assert [word for word in words if word not in refusal.value.detail] == []
    assert "leave it out" not in refusal.value.detail


@pytest.mark.parametrize(
    ("text", "city", "admin1"),
    [
        ("Berlin/DE/Berlin", "Berlin", "State of Berlin"),
        ("München/DE/Bayern", "Munich", "Bavaria"),
        ("Munich/DE/BY", "Munich", "Bavaria"),
        ("Munich/DE/Freistaat Bayern", "Munich", "Bavaria"),
        ("Munich/DE/DE-BY", "Munich", "Bavaria"),
        ("Kyiv/UA/Kyiv", "Kyiv", "Kyiv City"),
        ("Baku/AZ/Baku", "Baku", "Baki"),
        ("Toronto/CA/ON", "Toronto", "Ontario"),
        ("Wien/AT/Wien", "Vienna", "Vienna"),
        ("Barcelona/ES/Barcelona", "Barcelona", "Catalonia"),
        ("Paris/FR/Paris", "Paris", "Île-de-France"),
        ("Marseille/FR/Bouches-du-Rhône", "Marseille", "Provence-Alpes-Côte d'Azur"),
        ("St. Albans/US/Vermont", "Saint Albans", "Vermont"),
        ("Indiana/US/Pennsylvania", "Indiana", "Pennsylvania"),
        ("New York/US", "New York City", "New York"),
        ("Luxembourg/LU", "Luxembourg", "Luxembourg"),
        ("Armenia/CO", "Armenia", "Quindío Department"),
        ("Washington/US", "Washington", "District of Columbia"),
        ("Munich/DE/Bayern/48.137 11.575", "Munich", "Bavaria"),
        ("Munich/DE//48.137 11.575", "Munich", "Bavaria"),
        ("A Hamlet/DE/Bayern/48.137 11.575", "A Hamlet", "Bavaria"),
        ("/DE/Bayern//admin1", None, "Bavaria"),
        ("/DE/BY//admin1", None, "Bavaria"),
        ("/DE///country", None, None),
    ],
)
def test_a_place_is_taken_by_every_name_of_its_division_and_shown_in_one_spelling(
    gazetteer, text, city, admin1
):
    resolved = resolve(gazetteer, **place(text))

    assert (resolved.city, resolved.admin1) == (city, admin1)
    assert {each.code for each in resolved.warnings} <= {"place_overlooked"}


@pytest.mark.parametrize(
    ("text", "geonames_id", "code", "words"),
    [
        ("Harpers Ferry/US", 4505542, "taken_by_alias", "Athens, Ohio"),
        ("San Juan/US", 4726440, "small_namesake", "San Juan, Puerto Rico (PR)"),
        ("Halle/DE", 2911520, "place_overlooked", "Halle (Saale), Saxony-Anhalt"),
        ("Frankfurt/DE", 2925533, "place_overlooked", "Frankfurt (Oder), Brandenburg"),
        ("Brandenburg/DE", 2945358, "taken_by_alias", "Brandenburg an der Havel"),
        ("Munich/DE/Saxony/48.137 11.575", 2867714, "other_division", "admin1 is Bavaria"),
        ("Molenbeek/BE//50.8499 4.3125", 2791018, "taken_by_alias", "Molenbeek-Saint-Jean"),
        ("Paris/FR//45.75 4.85", None, "far_from_city", "km from Paris"),
        ("KÃ¶ln/DE//50.94 6.96", None, "wrong_encoding", '"Köln"'),
        ("Nebraska/US//41.5 -99.9", None, "region_as_city", "a division of United States"),
        ("Saarbrücken/DE//49.18 6.9", 2842647, "point_abroad", "Forbach, Grand Est, France"),
    ],
)
def test_what_was_assumed_is_told(gazetteer, text, geonames_id, code, words):
    resolved = resolve(gazetteer, **place(text))

    (warning,) = (each for each in resolved.warnings if each.code == code)
    assert resolved.geonames_id == geonames_id
    assert words in warning.detail


def test_a_point_far_from_its_country_is_told_where_a_record_brings_it(gazetteer):
    text = "Little Armenia/US//34.1 118.3"

    resolved = resolve(gazetteer, **place(text), strict=False)

    assert [each.code for each in resolved.warnings] == ["point_abroad"]


def test_a_division_stands_as_it_was_where_a_record_brings_it(gazetteer):
    text = "Munich/DE/Bayern/48.137 11.575"

    assert resolve(gazetteer, **place(text), strict=False).admin1 == "Bayern"


@pytest.mark.parametrize(
    ("city", "words", "country"),
    [
        ("Lyon", '"country": "FR" if Lyon, Auvergne-Rhône-Alpes, France (FR) is meant', "FR"),
        ("London, UK", '"city": "London", "country": "GB"', "GB"),
        ("Atlantis-on-Sea", "An incident needs a country.", None),
    ],
)
def test_a_city_without_a_country_is_answered_with_the_country(gazetteer, city, words, country):
    detail, proposed = no_country_for(gazetteer, city)

    assert words in detail
    assert proposed == country


@pytest.mark.parametrize(
    "text",
    [
        "Upper Darby/US",
        "Springfeild/US",
        "Qwertzuiop/RU",
        "St. Albans/US/Hawaii",
        "Anywhere/US//50.5 7.5",
    ],
)
def test_what_is_looked_up_for_a_refusal_is_bounded(gazetteer, monkeypatch, text):
    run, counted = statements.run, []

    def counting(connection, statement, values):
        rows = run(connection, statement, values)
        counted.append(len(rows))
        return rows

    monkeypatch.setattr(statements, "run", counting)
    with pytest.raises(PlaceError):
        resolve(gazetteer, **place(text))

    assert 0 < len(counted) <= 16
    assert sum(counted) <= 3000


# Over HTTP


@pytest.mark.parametrize(
    ("members", "pointer", "words"),
    [
        ({"city": "Nebraska", "country": "US"}, "/city", "geo_precision"),
        ({"city": "Lyon"}, "/country", '"country": "FR"'),
        ({"city": "London, UK"}, "/country", '"city": "London", "country": "GB"'),
        ({"country": "Sachsen"}, "/country", "a division of Germany (DE)"),
        ({"country": "South Ossetia"}, "/country", "is not a country of ISO 3166-1"),
        ({"country": "DE"}, "/city", "geo_precision of admin1 or country"),
    ],
)
def test_a_refusal_names_the_member_and_what_it_should_be(
    client, incident, editor, members, pointer, words
):
    body = incident()
    for name in ("city", "country"):
        del body[name]

    answer = client.post(INCIDENTS, json=body | members, headers=editor)

    assert answer.status_code == 422
    details = {error["pointer"]: error["detail"] for error in answer.json["errors"]}
    assert words in details[pointer]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("near=Brussels", "Brussels, Brussels Capital, Belgium"),
        ("near=Vienna", "Vienna, Austria"),
        ("near=Toledo", "Toledo, Ohio"),
        ("near=Toledo&country=ES", "Toledo, Castille-La Mancha, Spain"),
        ("near=Luxembourg", "Luxembourg (LU)"),
        ("near=Kishinev", "Chisinau"),
        ("near=Portland", "Portland, Oregon"),
    ],
)
@pytest.mark.parametrize("path", [INCIDENTS, "/api/v1/stats?group_by=country"])
def test_what_near_was_taken_for_is_told(client, path, query, words):
    answer = client.get(f"{path}{'&' if '?' in path else '?'}{query}")

    (warning,) = json.loads(answer.headers["Warnings"])
    assert (answer.status_code, warning["parameter"]) == (200, "near")
    assert words in warning["detail"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("near=Armenia", "country=AM"),
        ("near=Turkey", "country=TR"),
        ("near=New Jersey", "admin1=US-NJ"),
        ("near=Sachsen", "admin1=DE-SN"),
        ("near=Lyon&country=ES", "in Spain (ES)"),
    ],
)
def test_near_a_country_or_a_division_is_refused_with_the_filter_to_use(client, query, words):
    answer = client.get(f"{INCIDENTS}?{query}")

    assert answer.status_code == 422
    assert words in answer.json["errors"][0]["detail"]


def test_near_a_point_warns_of_nothing(client):
    assert "Warnings" not in client.get(f"{INCIDENTS}?near=50.85,4.35").headers


# Known for a division or a country only


@pytest.fixture
def region(client, incident, editor):
    body = incident(admin1="Bayern", country="DE", geo_precision="admin1")
    del body["city"]
    answer = client.post(INCIDENTS, json=body, headers=editor)
    assert answer.status_code == 201, answer.json
    return answer.json


def amend_place(client, editor, record, changes):
    headers = {**editor, "If-Match": "*"}
    answer = client.patch(record["url"], json=changes, headers=headers)
    names = ("city", "admin1", "country", "latitude", "geo_precision")
    if answer.status_code == 200:
        return tuple(answer.json[name] for name in names)
    return [error["pointer"] for error in answer.json["errors"]]


def test_a_record_of_a_division_has_neither_city_nor_point(client, region):
    names = ("city", "admin1", "country", "latitude", "longitude", "geonames_id", "geo_precision")
    assert [region[name] for name in names] == [None, "Bavaria", "DE", None, None, None, "admin1"]
    features = client.get(f"{INCIDENTS}.geojson?country=DE").json["features"]
    assert [each["geometry"] for each in features if each["id"] == region["id"]] == [None]
    for place in ("bbox=-180,-90,180,90", "near=Munich&radius_km=20000"):
        page = client.get(f"{INCIDENTS}?country=DE&{place}").json["data"]
        assert region["id"] not in [each["id"] for each in page]


def test_a_record_of_a_division_is_put_back_as_it_was_read(client, editor, region):
    headers = {**editor, "If-Match": "*"}
    put = client.put(region["url"], json=region, headers=headers)

    assert (put.status_code, put.json["version"]) == (200, 1)


def test_a_record_of_a_division_comes_back_from_csv(client, editor, region):
    headers = {**editor, "Content-Type": "text/csv"}
    csv = client.get(f"{INCIDENTS}.csv?country=DE").data
    answer = client.post(f"{INCIDENTS}?on_conflict=update", data=csv, headers=headers)
    assert answer.status_code == 200
    assert (answer.json["unchanged"], answer.json["changed"]) == (1, 0)


def test_no_city_is_not_the_same_city(client, incident, editor, region):
    body = incident(admin1="Bayern", country="DE", geo_precision="admin1")
    del body["city"]

    assert client.post(INCIDENTS, json=body, headers=editor).status_code == 201


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"admin1": "Saxony"}, (None, "Saxony", "DE", None, "admin1")),
        ({"city": "Munich"}, ("Munich", "Bavaria", "DE", 48.1374, "city")),
        ({"geo_precision": "country"}, (None, "Bavaria", "DE", None, "country")),
        ({"title": "Another"}, (None, "Bavaria", "DE", None, "admin1")),
        ({"latitude": 48.9, "longitude": 11.4, "geo_precision": "admin1"},
         (None, "Bavaria", "DE", 48.9, "admin1")),
        ({"geo_precision": "city"}, ["/city"]),
        ({"admin1": "Ohio"}, ["/admin1"]),
        ({"country": "AT"}, ["/admin1"]),
    ],
)  # fmt: skip
def test_a_record_of_a_division_is_amended(client, editor, region, changes, place):
    assert amend_place(client, editor, region, changes) == place


@pytest.mark.parametrize(
    ("before", "changes", "place"),
    [
        ({"city": "Munich", "country": "DE"},
         {"city": None, "geo_precision": "admin1", "admin1": "BY"},
         (None, "Bavaria", "DE", None, "admin1")),
        ({"city": "Munich", "country": "DE"}, {"city": None, "geo_precision": "country"},
         (None, "Bavaria", "DE", None, "country")),
        ({"city": "Munich", "country": "DE"}, {"geo_precision": "exact"}, ["/geo_precision"]),
        ({"city": "Munich", "country": "DE", "latitude": 48.14, "longitude": 11.5,
          "geo_precision": "exact"}, {"city": "Dachau"},
         ("Dachau", "Bavaria", "DE", 48.14, "exact")),
        ({"city": "Munich", "country": "DE", "latitude": 48.14, "longitude": 11.5,
          "geo_precision": "exact"}, {"admin1": "Saxony"},
         ("Munich", "Bavaria", "DE", 48.14, "exact")),
    ],
)  # fmt: skip
def test_the_precision_of_a_place_is_amended(client, incident, editor, before, changes, place):
    record = client.post(INCIDENTS, json=incident(**before), headers=editor).json

    assert amend_place(client, editor, record, changes) == place


# Under the write lock


@pytest.fixture
def looked_up_while_writing(client, monkeypatch):
    """Return the places that were looked up while a transaction was open."""
    looked_up, writing = [], []
    whole, begun = resolver.resolve, transactions._begun

    def noting(connection, **members):
        looked_up.extend(members["city"] for _ in writing)
        return whole(connection, **members)

    @contextmanager
    def begin():
        with begun() as session:
            writing.append(True)
            try:
                yield session
            finally:
                writing.pop()

    monkeypatch.setattr(resolver, "resolve", noting)
    monkeypatch.setattr(transactions, "_begun", begin)
    return looked_up


def test_no_place_is_looked_up_while_others_wait(
    client, editor, contributor, admin, incident, looked_up_while_writing
):
    headers = {**editor, "If-Match": "*"}
    record = client.post(INCIDENTS, json=incident(city="Lyon", country="FR"), headers=editor).json
    put = incident(city="Nice", country="FR")
    correction = {"corrects": record["id"], "city": "Lille"}
    lines = [incident(city=city, country="FR") for city in ("Nantes", "Paris")]

    answers = [
        client.patch(record["url"], json={"city": "Marseille"}, headers=headers),
        client.patch(record["url"], json={"city": "Atlantis"}, headers=headers),
        client.put(record["url"], json=put, headers=headers),
        client.post(INCIDENTS, json=correction, headers=contributor),
        client.post(INCIDENTS, json=incident(city="Nowheresville"), headers=editor),
        client.post(INCIDENTS, json=lines, headers=editor),
    ]

    assert [answer.status_code for answer in answers] == [200, 422, 200, 201, 422, 200]
    answer = client.post(f"{record['url']}/erase", json={}, headers=admin | {"If-Match": "*"})
    assert answer.status_code == 204
    change = {"city": "Lyon"}
    assert client.patch(record["url"], json=change, headers=headers).status_code == 410
    assert looked_up_while_writing == []
