"""The gazetteer on both engines: loading once, resolving places, look-ups for filters and search.

`gazetteer` is a connection to a database of this module's own that holds the gazetteer.
"""

from contextlib import suppress
from math import isclose
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, event, func, insert, select, update

from api import config
from api.geo.distances import distance_km
from api.geo.loader import load, loaded_version
from api.geo.lookup import city_keys, place_by_id, places_meant, search
from api.geo.place_errors import PlaceError
from api.geo.resolver import resolve
from api.models.places import GazetteerState, Place, PlaceName
from schemas.name_folding import fold
from tests import engines

CHISINAU, THE_HAGUE, MOSCOW, PRISTINA = 618426, 2747373, 524901, 786714
MOSCOW_IDAHO, SPRINGFIELD_ILLINOIS, BERLIN = 5601538, 4250542, 2950159


@pytest.fixture(scope="module")
def engine(database):
    with engines.copied(database.engine) as url:
        engine = create_engine(config.database_url(url, Path()))
        yield engine
        engine.dispose()


@pytest.fixture
def gazetteer(engine):
    with engine.connect() as connection:
        yield connection  # rolled back when it closes


def count(connection, model):
    return connection.execute(select(func.count()).select_from(model)).scalar_one()


# Loading


def test_a_second_load_does_nothing(gazetteer):
    before = count(gazetteer, PlaceName)

    assert load(gazetteer) == 0
    assert count(gazetteer, PlaceName) == before


@pytest.mark.slow
def test_another_version_is_replaced_as_a_whole_with_progress_told(gazetteer):
    current, places = loaded_version(gazetteer), count(gazetteer, Place)
    gazetteer.execute(update(GazetteerState).values(version="an older one"))
    gazetteer.execute(
        insert(PlaceName).values(name="a name now gone", geonames_id=BERLIN, canonical=False)
    )

    steps = []

    assert load(gazetteer, lambda done, total: steps.append((done, total))) == places
    assert loaded_version(gazetteer) == current
    assert search(gazetteer, "a name now gone") == []
    assert steps == sorted(steps)
    assert steps[-1] == (places + count(gazetteer, PlaceName),) * 2


def test_a_load_that_is_rolled_back_leaves_what_was_there(engine):
    with engine.connect() as connection:
        places = count(connection, Place)
        connection.execute(update(GazetteerState).values(version="an older one"))

        def interrupt(done, total):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            load(connection, interrupt)
        connection.rollback()
        assert count(connection, Place) == places


def test_every_place_bears_its_own_name(gazetteer):
    own = select(PlaceName).where(
        PlaceName.canonical,
        PlaceName.geonames_id == Place.geonames_id,
        PlaceName.name == Place.folded,
    )
    nameless = select(func.count()).select_from(Place).where(~own.exists())

    assert gazetteer.execute(nameless).scalar_one() == 0


def test_the_file_holds_names_as_they_fold_now(gazetteer):
    sample = select(PlaceName.name).where(PlaceName.geonames_id % 97 == 0).limit(20_000)

    changed = [name for name in gazetteer.execute(sample).scalars() if fold(name) != name]

    assert changed == []


def test_codes_and_addresses_are_not_names(gazetteer):
    assert "kiv" not in names_of(gazetteer, CHISINAU)  # its airport
    urls = select(PlaceName.name).where(PlaceName.name.between("http", "httpz"))
    assert gazetteer.execute(urls).scalars().all() == []


def names_of(connection, geonames_id):
    query = select(PlaceName.name).where(PlaceName.geonames_id == geonames_id)
    return set(connection.execute(query).scalars())


# Resolving by name


@pytest.mark.parametrize(
    ("city", "country", "geonames_id"),
    [
        ("Chisinau", "MD", CHISINAU),
        ("Kishinev", "MD", CHISINAU),
        ("Кишинёв", "MD", CHISINAU),
        ("КИШИНЕВ", "MD", CHISINAU),
        ("Chişinău", "MD", CHISINAU),
        ("Chișinău", "MD", CHISINAU),
        ("The Hague", "NL", THE_HAGUE),
        ("Den Haag", "NL", THE_HAGUE),
        ("'s-Gravenhage", "NL", THE_HAGUE),
        ("Moscow", "RU", MOSCOW),
        ("Москва", "RU", MOSCOW),
        ("Moscow", "US", MOSCOW_IDAHO),
        ("Berlin", "DE", BERLIN),
        ("London", "GB", 2643743),
        ("London", "CA", 6058560),
        ("Los Angeles", "US", 5368361),
        ("New York", "US", 5128581),
        ("Odessa", "UA", 698740),
        ("Odessa", "US", 5527554),
        ("Pristina", "XK", PRISTINA),
        ("Prishtinë", "XK", PRISTINA),
        ("Ереван", "AM", 616052),
        ("Երևան", "AM", 616052),
        ("Bakı", "AZ", 587084),
        ("תל אביב", "IL", 293397),
        ("القاهرة", "EG", 360630),
    ],
)
def test_a_name_in_any_script_resolves_in_its_country(gazetteer, city, country, geonames_id):
    assert resolve(gazetteer, city=city, country=country).geonames_id == geonames_id


def test_a_resolved_place_carries_the_gazetteers_name_division_and_point(gazetteer):
    found = resolve(gazetteer, city="Kishinev", country="MD")

    assert (found.city, found.admin1, found.country) == ("Chisinau", "Chișinău Municipality", "MD")
    assert (found.latitude, found.longitude) == (47.009, 28.8594)


def test_an_ambiguous_name_is_refused_with_candidates_and_ways_to_choose(gazetteer):
    with pytest.raises(PlaceError) as refusal:
        resolve(gazetteer, city="Springfield", country="US")

    error = refusal.value
    assert (error.code, error.field) == ("ambiguous_place", "city")
    assert [each["admin1"] for each in error.candidates[:3]] == [
        "Missouri",
        "Massachusetts",
        "Illinois",
    ]
    assert error.candidates[2]["geonames_id"] == SPRINGFIELD_ILLINOIS
    assert set(error.candidates[0]) >= {"name", "country", "population", "latitude", "longitude"}
    assert all(way in error.detail for way in ("admin1", "geonames_id", "latitude"))


@pytest.mark.parametrize("admin1", ["Illinois", "illinois", "IL", "il"])
def test_admin1_narrows_by_name_and_code(gazetteer, admin1):
    found = resolve(gazetteer, city="Springfield", country="US", admin1=admin1)

    assert (found.geonames_id, found.admin1) == (SPRINGFIELD_ILLINOIS, "Illinois")


def test_an_admin1_without_the_city_is_refused_with_those_that_have_it(gazetteer):
    with pytest.raises(PlaceError) as refusal:
        resolve(gazetteer, city="Springfield", country="US", admin1="Hawaii")

    assert refusal.value.field == "admin1"
    assert "Missouri" in refusal.value.suggestions


def test_an_unknown_name_is_refused_with_near_names(gazetteer):
    with pytest.raises(PlaceError) as refusal:
        resolve(gazetteer, city="Kishinyev", country="MD")

    assert (refusal.value.code, refusal.value.field) == ("unknown_place", "city")
    assert "Chisinau" in refusal.value.suggestions


def test_a_city_of_another_country_is_refused_and_the_country_named(gazetteer):
    with pytest.raises(PlaceError, match=r"Moldova \(MD\)") as refusal:
        resolve(gazetteer, city="Kishinev", country="RO")

    assert refusal.value.candidates[0]["geonames_id"] == CHISINAU


def test_an_unknown_country_is_refused(gazetteer):
    with pytest.raises(PlaceError) as refusal:
        resolve(gazetteer, city="Moscow", country="SU")

    assert refusal.value.field == "country"


def test_an_own_name_goes_before_a_far_larger_citys_alias_with_a_warning(gazetteer):
    found = resolve(gazetteer, city="Halle", country="DE")

    assert (found.city, found.admin1) == ("Halle", "North Rhine-Westphalia")
    assert "Halle (Saale)" in found.warnings[0].detail
    assert resolve(gazetteer, city="Berlin", country="DE").warnings == ()


# Resolving by point


def test_with_coordinates_the_nearest_namesake_is_taken_and_the_point_stands(gazetteer):
    found = resolve(
        gazetteer, city="Springfield", country="US", latitude=39.79999, longitude=-89.64
    )

    assert found.geonames_id == SPRINGFIELD_ILLINOIS
    assert (found.latitude, found.longitude, found.admin1) == (39.8, -89.64, "Illinois")


def test_own_names_go_before_nearer_aliases(gazetteer):
    # The City of London, which also goes by "London", lies nearer to this point.
    found = resolve(gazetteer, city="London", country="GB", latitude=51.5155, longitude=-0.0922)

    assert found.city == "London"


@pytest.mark.parametrize(("latitude", "geonames_id"), [(47.40, CHISINAU), (47.60, None)])
def test_a_namesake_is_taken_within_50_km_only(gazetteer, latitude, geonames_id):
    found = resolve(gazetteer, city="Chisinau", country="MD", latitude=latitude, longitude=28.8594)

    assert (found.city, found.geonames_id) == ("Chisinau", geonames_id)
    assert found.latitude == latitude
    assert bool(found.warnings) == (geonames_id is None)


def test_a_point_far_from_each_place_of_its_name_is_told(gazetteer):
    found = resolve(gazetteer, city="Paris", country="FR", latitude=45.75, longitude=4.85)

    assert (found.city, found.geonames_id) == ("Paris", None)
    assert "393 km from Paris" in found.warnings[0].detail


def test_a_place_unknown_to_the_gazetteer_stands_as_given_with_its_point(gazetteer):
    found = resolve(
        gazetteer,
        city="Nowhere-on-Sea",
        country="GB",
        admin1="Elsewhere",
        latitude=53.0,
        longitude=0.0,
    )

    assert (found.city, found.admin1, found.geonames_id) == ("Nowhere-on-Sea", "Elsewhere", None)
    assert (found.latitude, found.longitude) == (53.0, 0.0)


def test_a_point_alone_is_enough(gazetteer):
    found = resolve(gazetteer, city=None, country="MD", latitude=47, longitude=28)

    assert (found.city, found.geonames_id) == (None, None)


def test_neither_city_nor_point_is_refused(gazetteer):
    with pytest.raises(PlaceError) as refusal:
        resolve(gazetteer, city=None, country="MD")

    assert refusal.value.field == "city"


def test_half_a_point_is_refused_and_the_other_half_named(gazetteer):
    with pytest.raises(PlaceError) as refusal:
        resolve(gazetteer, city="Chisinau", country="MD", latitude=0)

    assert refusal.value.field == "longitude"


def test_a_place_has_one_spelling_of_its_division_and_another_is_told(gazetteer):
    found = resolve(
        gazetteer, city="Chisinau", country="MD", admin1="Centru", latitude=47, longitude=28.85
    )

    assert (found.geonames_id, found.admin1) == (CHISINAU, "Chișinău Municipality")
    assert [each.code for each in found.warnings] == ["other_division"]


def test_a_namesake_across_the_antimeridian_is_near(gazetteer):
    # Beringovskiy in Chukotka lies at 179.35 degrees east, 38 kilometres west of this point.
    found = resolve(gazetteer, city="Beringovskiy", country="RU", latitude=63.06, longitude=-179.9)

    assert found.geonames_id == 2126710


# Resolving by id


def test_an_id_decides_between_namesakes(gazetteer):
    found = resolve(gazetteer, city="Springfield", country="US", geonames_id=SPRINGFIELD_ILLINOIS)

    assert found.admin1 == "Illinois"


def test_an_id_in_another_country_is_refused(gazetteer):
    with pytest.raises(PlaceError, match="Moldova") as refusal:
        resolve(gazetteer, city="Chisinau", country="RO", geonames_id=CHISINAU)

    assert refusal.value.field == "geonames_id"


def test_an_id_of_a_city_with_another_name_is_refused_without_a_point(gazetteer):
    with pytest.raises(PlaceError, match="Chisinau") as refusal:
        resolve(gazetteer, city="Tiraspol", country="MD", geonames_id=CHISINAU)

    assert refusal.value.field == "geonames_id"


def test_with_a_point_both_the_id_and_the_other_name_stand(gazetteer):
    found = resolve(
        gazetteer,
        city="Botanica",
        country="MD",
        geonames_id=CHISINAU,
        latitude=46.98,
        longitude=28.86,
    )

    assert (found.city, found.geonames_id, found.latitude) == ("Botanica", CHISINAU, 46.98)


@pytest.mark.parametrize("geonames_id", [1, 0, -1, 2**31, 10**30])
def test_an_id_that_is_not_held_is_refused_without_a_point(gazetteer, geonames_id):
    with pytest.raises(PlaceError):
        resolve(gazetteer, city="Chisinau", country="MD", geonames_id=geonames_id)


def test_an_id_that_is_not_held_stands_with_name_and_point_and_a_warning(gazetteer):
    found = resolve(
        gazetteer, city="A Hamlet", country="MD", geonames_id=7, latitude=47, longitude=28
    )

    assert (found.city, found.geonames_id) == ("A Hamlet", 7)
    assert "7" in found.warnings[0].detail


# Whatever is written


@pytest.mark.parametrize("city", ["", " ", "!!!", "\x00", "a\x00b", "\ud800", "x" * 100_000])
def test_strange_names_are_unknown_without_a_point_and_stand_with_one(gazetteer, city):
    with pytest.raises(PlaceError) as refusal:
        resolve(gazetteer, city=city, country="MD")
    assert len(refusal.value.detail) < 1000

    assert resolve(gazetteer, city=city, country="MD", latitude=47, longitude=28).city == city


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=st.text(max_size=20))
def test_any_text_can_be_looked_up(gazetteer, name):
    assert isinstance(city_keys(gazetteer, name), list)
    assert len(search(gazetteer, name)) <= 20
    with suppress(PlaceError):
        resolve(gazetteer, city=name, country="AM")


# Look-ups for filters and search


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Moscow", {"moscow"}),
        ("Кишинёв", {"chisinau", "кишинев"}),
        ("Kishinev", {"chisinau", "kishinev"}),
        ("Atlantis-on-Sea", {"atlantis on sea"}),
    ],
)
def test_a_filter_by_name_matches_the_folded_names_it_may_mean(gazetteer, name, keys):
    assert set(city_keys(gazetteer, name)) == keys


def test_a_filter_by_a_name_borne_elsewhere_still_finds_the_larger_city(gazetteer):
    assert set(city_keys(gazetteer, "Odessa")) >= {"odesa", "odessa"}


@pytest.mark.parametrize(
    ("name", "geonames_id"),
    [("Moscow", MOSCOW), ("Den Haag", THE_HAGUE), ("Odessa", 698740), ("Paris", 2988507)],
)
def test_a_name_alone_means_the_largest_place(gazetteer, name, geonames_id):
    assert places_meant(gazetteer, name)[0].geonames_id == geonames_id


def test_an_unknown_name_means_nothing_anywhere(gazetteer):
    assert places_meant(gazetteer, "Atlantis-on-Sea") == []


def test_search_lists_exact_names_first_then_beginnings_by_population(gazetteer):
    found = search(gazetteer, "Moscow")

    assert [each["geonames_id"] for each in found[:2]] == [MOSCOW, MOSCOW_IDAHO]
    assert found[0]["country_name"] == "Russia"
    assert "Moscow Mills" in [each["name"] for each in found]


def test_search_finds_by_the_beginning_of_an_alias_and_within_a_country(gazetteer):
    assert search(gazetteer, "Кишин", country="MD")[0]["geonames_id"] == CHISINAU
    assert {each["country"] for each in search(gazetteer, "mos", country="US")} == {"US"}


def test_search_keeps_to_its_limit_and_names_each_place_once(gazetteer):
    found = [each["geonames_id"] for each in search(gazetteer, "san", limit=50)]

    assert len(found) == len(set(found)) == 50


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_look_ups_walk_indexes(engine):
    # Read from SQLite's plans; the indexes are the same on both engines.
    plans = []

    def explain(_connection, cursor, statement, parameters, _context, _many):
        if statement.startswith("SELECT"):
            plans.extend(cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    with engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", explain)
        search(connection, "Moscow")
        city_keys(connection, "Moscow")
        place_by_id(connection, MOSCOW)
        with pytest.raises(PlaceError):
            resolve(connection, city="Mosscow", country="RU")

    scans = [plan[3] for plan in plans if plan[3].startswith("SCAN")]
    assert plans
    assert scans == []


# Distances


def test_distances_are_great_circles():
    assert isclose(distance_km(55.7522, 37.6156, 40.4093, 49.8671), 1926, rel_tol=0.01)
    assert distance_km(0, 179.9, 0, -179.9) < 23
    assert isclose(distance_km(90, 0, 90, 120), 0, abs_tol=1e-6)
    assert isclose(distance_km(0, 0, 0, 180), 20015, rel_tol=0.001)
