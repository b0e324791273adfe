"""What a request makes of a record: fields that belong together change together.

These are tests of the rules alone: `settled` stands in for the gazetteer with a few cities.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.counts import COUNT_FIELDS
from schemas.record_state import EMPTY, PLACE_FIELDS, amend, check, state_of
from tests import builders, strategies

# city, country, admin1, latitude, longitude, geonames_id
CITIES = [
    ("Kyiv", "UA", "Kyiv City", 50.4547, 30.5238, 703448),
    ("Brussels", "BE", "Brussels Capital", 50.8505, 4.3488, 2800866),
    ("Moscow", "RU", "Moscow", 55.7522, 37.6156, 524901),
    ("Moscow", "US", "Idaho", 46.7324, -117.0002, 5601538),
    ("Springfield", "US", "Illinois", 39.8017, -89.6437, 4250542),
    ("Springfield", "US", "Missouri", 37.2153, -93.2982, 4409896),
]


def settled(amended):
    """Return the state of AMENDED with its place looked up among the few cities here."""
    state, sought = dict(amended.state), amended.place
    if sought is None or sought["country"] is None:
        return state
    found = [city for city in CITIES if (city[0], city[1]) == (sought["city"], sought["country"])]
    if sought.get("admin1"):
        found = [city for city in found if city[2] == sought["admin1"]] or found
    point = (sought.get("latitude"), sought.get("longitude"))
    if point[0] is None:
        assert len(found) == 1, f"422: {sought}"
        _, _, admin1, *point, geonames_id = found[0]
    else:
        near = [city for city in found if abs(city[3] - point[0]) + abs(city[4] - point[1]) < 1]
        admin1, geonames_id = (near[0][2], near[0][5]) if near else (None, None)
        admin1 = sought.get("admin1", admin1)
    state.update(
        city=sought["city"],
        admin1=admin1,
        latitude=point[0],
        longitude=point[1],
        geonames_id=geonames_id,
        geo_precision=sought.get("geo_precision") or "city",
    )
    return state


def post(**changes):
    return settled(amend(None, builders.incident(**changes)))


def put(stored, body):
    return settled(amend(stored, body, replace=True))


def patch(stored, **named):
    return settled(amend(stored, named))


def place_of(state):
    return {name: state[name] for name in PLACE_FIELDS}


# Counts


@pytest.mark.parametrize("name", COUNT_FIELDS)
def test_a_best_figure_alone_sets_its_bounds_and_null_empties_all(name):
    stored = post(**{name: 13})
    assert [stored[f"{name}{end}"] for end in ("_low", "", "_high")] == [13, 13, 13]
    moved = patch(stored, **{name: 25})
    assert [moved[f"{name}{end}"] for end in ("_low", "", "_high")] == [25, 25, 25]
    emptied = patch(moved, **{name: None})
    assert [emptied[f"{name}{end}"] for end in ("_low", "", "_high")] == [None, None, None]


def test_zero_is_a_figure_and_not_the_lack_of_one():
    stored = post(arrests=0)
    assert (stored["arrests"], stored["arrests_low"], stored["arrests_high"]) == (0, 0, 0)
    assert patch(stored, title="Another title")["arrests"] == 0


def test_a_bound_alone_leaves_the_rest_and_the_result_must_fit():
    stored = post(arrests_low=25)
    raised = patch(stored, arrests_high=60)
    assert (raised["arrests_low"], raised["arrests"], raised["arrests_high"]) == (25, None, 60)
    assert "arrests_low" in check(patch(raised, arrests_low=61))
    assert "arrests_high" in check(patch(post(arrests=13), arrests_high=12))


def test_about_is_a_best_figure_with_both_bounds_null():
    stored = post(participants=3000, participants_low=None, participants_high=None)
    assert (stored["participants_low"], stored["participants_high"]) == (None, None)


def test_an_exact_figure_that_was_read_edited_and_put_back_is_exact():
    stored = post(arrests=13)
    edited = put(stored, {**stored, "arrests": 14})
    assert (edited["arrests_low"], edited["arrests"], edited["arrests_high"]) == (14, 14, 14)


def test_the_bounds_of_a_count_that_was_not_exact_stand_as_they_are_put():
    stored = post(arrests=30, arrests_low=25, arrests_high=50)
    edited = put(stored, {**stored, "arrests": 40})
    assert (edited["arrests_low"], edited["arrests"], edited["arrests_high"]) == (25, 40, 50)


def test_naming_one_figure_leaves_every_other_field():
    stored = post(arrests=13, injuries=2, deaths_low=1, venue="Market", summary="Words.")
    changed = patch(stored, injuries=3)
    differing = {name for name in EMPTY if stored[name] != changed[name]}
    assert differing == {"injuries", "injuries_low", "injuries_high"}


def test_officers_are_part_of_the_injured():
    assert "injuries_police" in check(post(injuries=2, injuries_police=3))
    assert "injuries_police" in check(post(injuries_police=1))
    assert check(post(injuries=3, injuries_police=3)) == {}
    assert check(post(injuries=0, injuries_police=0)) == {}


def test_a_communitys_size_follows_the_same_rules():
    entry = {"community": "armenian", "role": "organiser", "participants": 100}
    stored = post(communities=[entry])
    assert stored["communities"][0]["participants_high"] == 100
    read = stored["communities"][0]
    edited = put(stored, {**stored, "communities": [{**read, "participants": 150}]})
    assert edited["communities"][0]["participants_low"] == 150


def test_a_community_without_a_role_took_part():
    assert post(communities=[{"community": "armenian"}])["communities"][0]["role"] == "participant"


# Places


def test_naming_a_city_brings_all_that_belongs_to_it():
    moved = patch(post(), city="Brussels", country="BE")
    assert tuple(place_of(moved).values()) == (
        "Brussels",
        "Brussels Capital",
        "BE",
        50.8505,
        4.3488,
        "city",
        2800866,
        None,  # place_id: Brussels is in the gazetteer
    )


def test_a_city_moved_and_moved_back_is_where_it_was():
    stored = post()
    moved = patch(stored, city="Brussels", country="BE")
    assert place_of(patch(moved, city="Kyiv", country="UA")) == place_of(stored)
    moved = put(stored, {**stored, "city": "Brussels", "country": "BE"})
    assert moved["geonames_id"] == 2800866
    assert place_of(put(moved, {**moved, "city": "Kyiv", "country": "UA"})) == place_of(stored)


def test_naming_a_country_alone_looks_for_the_namesake_there():
    stored = post(city="Moscow", country="RU")
    assert patch(stored, country="US")["admin1"] == "Idaho"
    assert put(stored, {**stored, "country": "US"})["latitude"] == 46.7324


def test_what_is_named_beside_a_city_stands():
    moved = patch(
        post(),
        city="Brussels",
        country="BE",
        latitude=50.84,
        longitude=4.36,
        geo_precision="venue",
    )
    assert (moved["latitude"], moved["geo_precision"]) == (50.84, "venue")


def test_a_region_chooses_among_namesakes():
    illinois = post(city="Springfield", country="US", admin1="Illinois")
    assert illinois["geonames_id"] == 4250542
    assert patch(illinois, admin1="Missouri")["geonames_id"] == 4409896
    assert put(illinois, {**illinois, "admin1": "Missouri"})["latitude"] == 37.2153


def test_a_region_does_not_move_a_venue():
    venue = post(latitude=50.45, longitude=30.52, geo_precision="venue")
    named = patch(venue, admin1="Kyiv Oblast")
    assert {**place_of(named), "admin1": None} == {**place_of(venue), "admin1": None}
    assert named["admin1"] == "Kyiv Oblast"


def test_the_same_put_with_a_region_and_without_a_point_works_again_and_again():
    body = builders.incident(city="Springfield", country="US", admin1="Illinois")
    once = put(post(), body)
    assert once == settled(amend(None, body))
    assert put(once, body) == once


def test_coordinates_without_a_precision_are_of_the_city():
    assert post(latitude=50.45, longitude=30.52)["geo_precision"] == "city"
    exact = post(latitude=50.45, longitude=30.52, geo_precision="exact")
    assert patch(exact, latitude=50.46, longitude=30.53)["geo_precision"] == "city"


def test_a_point_that_is_moved_in_a_record_that_was_read_keeps_its_precision():
    venue = post(latitude=50.45, longitude=30.52, geo_precision="venue")
    moved = put(venue, {**venue, "latitude": 50.46})
    assert (moved["latitude"], moved["longitude"]) == (50.46, 30.52)
    assert moved["geo_precision"] == "venue"


def test_a_city_that_is_changed_in_a_record_that_was_read_takes_its_point_along():
    venue = post(latitude=50.45, longitude=30.52, geo_precision="venue")
    moved = put(venue, {**venue, "city": "Brussels", "country": "BE"})
    assert (moved["latitude"], moved["geo_precision"]) == (50.8505, "city")


def test_a_precision_alone_moves_nothing():
    stored = post()
    named = patch(stored, geo_precision="venue")
    assert {**place_of(stored), "geo_precision": "venue"} == place_of(named)


def test_null_coordinates_count_as_not_named():
    stored = post()
    assert patch(stored, latitude=None, longitude=None) == stored
    moved = patch(stored, city="Brussels", country="BE", latitude=None, longitude=None)
    assert moved["latitude"] == 50.8505


def test_a_city_emptied_leaves_the_point_with_its_precision():
    venue = post(latitude=50.45, longitude=30.52, geo_precision="venue")
    for emptied in (patch(venue, city=None), put(venue, {**venue, "city": None})):
        assert place_of(emptied) == {
            "city": None,
            "admin1": None,
            "country": "UA",
            "latitude": 50.45,
            "longitude": 30.52,
            "geo_precision": "venue",
            "geonames_id": None,
            "place_id": None,
        }
        assert check(emptied) == {}


def test_a_point_alone_is_a_place():
    stored = post(city=..., latitude=44.5, longitude=34.1)
    assert (stored["city"], stored["latitude"], stored["geo_precision"]) == (None, 44.5, "city")
    assert put(stored, stored) == stored
    assert check(stored) == {}


def test_a_put_without_a_place_has_none():
    stored = post()
    body = builders.incident(city=...)
    assert "city" in check(put(stored, body))
    assert "country" in check(put(stored, builders.incident(country=...)))


# Everything at once

places = st.one_of(
    st.sampled_from(CITIES).map(
        lambda city: {"city": city[0], "country": city[1], "admin1": city[2]}
    ),
    strategies.points(),
)


def bodies():
    """Draw a body as it was read, without sources, which have rules of their own."""

    def as_read(body):
        whole = [number for number in body["external_ids"] if isinstance(number, dict)]
        return {**body, "sources": [], "external_ids": whole}

    return strategies.bodies(places).map(as_read)


@pytest.mark.slow
@given(bodies())
def test_what_is_valid_is_complete(body):
    state = settled(amend(None, body))
    assert check(state) == {}
    assert state.keys() == EMPTY.keys()


@pytest.mark.slow
@given(bodies())
def test_a_put_of_what_was_read_changes_nothing_and_looks_nothing_up(body):
    stored = settled(amend(None, body))
    again = amend(stored, stored, replace=True)
    assert again.state == stored
    assert again.place is None


@pytest.mark.slow
@given(bodies())
def test_a_patch_of_nothing_and_a_patch_of_its_own_plain_fields_change_nothing(body):
    stored = settled(amend(None, body))
    assert amend(stored, {}) == amend(stored, {"title": stored["title"], "venue": stored["venue"]})
    assert amend(stored, {}).state == stored


@pytest.mark.slow
@given(bodies(), bodies())
@settings(max_examples=200)
def test_the_same_put_twice_is_the_same_as_once(first, body):
    stored = settled(amend(None, first))
    once = put(stored, body)
    assert put(once, body) == once


@pytest.mark.slow
@given(bodies(), bodies())
@settings(max_examples=200)
def test_a_put_leaves_nothing_of_before_but_what_it_names(first, body):
    """It is what a POST of the same body makes, unless it names what was there."""
    stored = settled(amend(None, first))
    once, fresh = put(stored, body), settled(amend(None, body))
    named = {name for name in body if body[name] == stored.get(name)}
    belonging = {
        name for field in named for name in EMPTY if field in PLACE_FIELDS and name in PLACE_FIELDS
    }
    differing = {name for name in EMPTY if once[name] != fresh[name]}
    assert differing <= belonging | {"communities"} | {
        f"{name}{end}"
        for name in COUNT_FIELDS
        if any(f"{name}{end}" in named for end in ("", "_low", "_high"))
        for end in ("", "_low", "_high")
    }


@pytest.mark.slow
@given(bodies())
def test_a_document_holds_a_whole_state(body):
    stored = settled(amend(None, body))
    assert state_of({**stored, "id": "x", "version": 1}) == stored
