"""The explorer with hard records: its layout at every size, and requests that fail or come late."""

import contextlib
import re
import shutil

import pytest
from playwright import sync_api as playwright
from playwright.sync_api import expect

from tests import browsers, hard_world, servers
from tests.browsers import MORE_SIZES, Visit

pytestmark = pytest.mark.needs("chromium")
# All; a filter that leaves few; one that leaves none.
PATHS = ("/", "/?country=CN&type=rally", "/?q=nothing-like-it")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Yield the address of a server with a copy of the world of hard records."""
    file = shutil.copy(hard_world.database(), tmp_path_factory.mktemp("world") / "world.sqlite")
    with servers.serving(f"sqlite:///{file}") as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    """Yield the machine's own Chromium."""
    with browsers.chromium() as found:
        yield found


@pytest.fixture
def visit(browser, world):
    """Yield a function that opens a page of the world; none may break a rule."""
    visits = []

    def make(**options):
        visits.append(Visit(browser, world, **options))
        return visits[-1]

    yield make
    for one in visits:
        one.spotless()
        one.close()


@pytest.mark.slow
@pytest.mark.parametrize("size", MORE_SIZES)
def test_nothing_overlaps_is_void_or_beyond_the_window(visit, size):
    one = visit(size=size)
    for path in PATHS:
        one.open(path)
        _see_all(one)
        assert one.beyond() <= 0, path
        assert one.overlaps() == [], path
        assert one.largest_void() <= 300, path


def _see_all(one):
    """Scroll to the map, which is drawn once it is in sight, and wait for it."""
    one.page.locator("#map").scroll_into_view_if_needed()
    one.settled()
    one.page.evaluate("scrollTo(0, 0)")


def test_a_phone_shows_figures_and_timeline_before_the_list(visit):
    one = visit(size="phone")
    page = one.open("/")
    tops = [page.locator(f"#{id_}").bounding_box()["y"] for id_ in ("time", "plots", "results")]
    assert tops == sorted(tops)
    page.get_by_role("link", name="To the list").click()
    expect(page.locator("#results-heading")).to_be_in_viewport()


@pytest.mark.parametrize(
    "options",
    [{"color_scheme": "dark"}, {"forced_colors": "active"}],
    ids=["dark", "forced"],
)
def test_hard_records_make_no_barriers(visit, options):
    one = visit(size="phone", **options)
    one.open("/?country=CN&type=rally")
    _see_all(one)
    assert one.beyond() <= 0
    assert one.barriers() == []


def test_every_printed_page_has_text(visit):
    one = visit()
    page = one.open("/")
    one.settled()
    pages = browsers.texts_of_pages(page.pdf(format="A4"))
    assert len(pages) > 1
    assert min(pages) > 5


def test_a_title_of_another_script_runs_its_own_way(visit):
    page = visit().open("/?q=گردهمایی")
    heading = page.locator(".records h3 a").filter(has_text="تهران").first
    assert heading.evaluate("one => getComputedStyle(one).direction") == "rtl"
    page = visit().open("/?q=embassy")
    heading = page.locator(".records h3 a").filter(has_text="Rally").first
    assert heading.evaluate("one => getComputedStyle(one).direction") == "ltr"


def test_the_title_names_the_filters_and_the_place_in_the_list(visit):
    one = visit()
    page = one.open("/?country=CN")
    assert page.title() == "country: China – Diaspora incidents"
    page.get_by_label("Type").select_option("rally")
    page.wait_for_url("**type=rally")
    assert page.title() == "country: China; type: Rally – Diaspora incidents"


@pytest.mark.slow
def test_pages_say_which_records_they_hold_and_lead_back(visit):
    one = visit()
    page = one.open("/")
    total = page.locator("#results-heading").inner_text().removesuffix(" incidents")
    first = page.locator(".records h3").all_inner_texts()
    for span in ("51–100", "101–150"):
        page.get_by_role("link", name="Next page").click()
        expect(page.locator(".span")).to_have_text(f"{span} of {total}")
    assert "start=101" in page.url
    page.get_by_role("link", name="Previous page").click()
    expect(page.locator(".span")).to_have_text(f"51–100 of {total}")
    page.reload()
    expect(page.locator(".span")).to_have_text(f"51–100 of {total}")
    stranger = visit().open(page.url.removeprefix(one.address))
    stranger.get_by_role("link", name="First page").click()
    expect(stranger.locator(".span")).to_have_text(f"1–50 of {total}")
    assert stranger.locator(".records h3").all_inner_texts() == first


# Requests that fail, hang, come late or out of order

ADDRESSES = {"list": "**/?country=CN*", "overview": "**/api/v1/overview*"}


@pytest.mark.parametrize("how", ["fails", "is refused", "hangs"])
@pytest.mark.parametrize("what", ["list", "overview"])
def test_what_cannot_be_had_is_said_and_can_be_tried_again(visit, what, how):
    one = visit()
    page = one.open("/")
    _see_all(one)
    if how == "hangs":
        page.clock.install()
    page.route(ADDRESSES[what], ANSWERS[how])
    with page.expect_request(ADDRESSES[what]):
        page.get_by_label("Country").select_option("CN")
    if how == "hangs":
        expect(page.locator("[aria-busy]")).not_to_have_count(0)
        page.clock.fast_forward(30_000)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("could not be had")
    page.mouse.wheel(0, 2000)
    expect(alert).to_be_in_viewport()
    expect(page.locator("[aria-busy]")).to_have_count(0)
    expect(page.locator("#timeline, #figures, #map").locator("visible=true")).to_have_count(0)
    expect(page.locator(".records").locator("visible=true")).to_have_count(int(what == "overview"))
    page.unroute(ADDRESSES[what])
    alert.get_by_role("button", name="Try again").click()
    page.wait_for_url("**/?country=CN")
    expect(alert).to_have_count(0)
    expect(page.locator("#figures .measure")).to_have_count(5)
    expect(page.locator("#figures, .records").locator("visible=true")).to_have_count(2)


ANSWERS = {
    "fails": lambda route: route.abort(),
    "is refused": lambda route: route.fulfill(status=503, headers={"Retry-After": "7"}, body="{}"),
    "hangs": lambda route: None,
}


@pytest.mark.parametrize(
    "part", ["leaflet.js", "leaflet.css", "supercluster.min.js", "maps.js", "countries-110m.json"]
)
def test_a_map_that_cannot_be_had_leaves_the_rest_working(visit, part):
    one = visit(size="phone")
    one.page.route(f"**/{part}", ANSWERS["fails"])
    page = one.open("/?country=CN")
    page.locator("#map").scroll_into_view_if_needed()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The map could not be had")
    expect(page.locator("#figures .measure")).to_have_count(5)
    page.unroute(f"**/{part}")
    alert.get_by_role("button", name="Try again").click()
    expect(page.locator("#map .dot").first).to_be_visible()
    expect(alert).to_have_count(0)


@pytest.mark.parametrize("part", ["countries-50m.json", "places.json"])
def test_a_finer_map_that_cannot_be_had_leaves_the_coarse_one(visit, part):
    one = visit()
    one.page.route(f"**/{part}", ANSWERS["fails"])
    page = one.open("/#map=6/50.85/4.35")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The finer coast and the names of places could not be had")
    expect(page.locator("#map .dot").first).to_be_visible()
    page.unroute(f"**/{part}")
    alert.get_by_role("button", name="Try again").click()
    expect(page.locator(".place-name").first).to_be_visible()
    expect(alert).to_have_count(0)


def test_more_places_of_a_part_that_cannot_be_had_are_said(visit):
    def with_more(route):
        body = route.fetch().json()
        route.fulfill(json={**body, "other_places": {"places": 3, "incidents": 4}})

    one = visit()
    one.page.route("**/api/v1/overview", with_more)
    one.page.route("**/api/v1/overview?bbox=*", ANSWERS["is refused"])
    page = one.open("/")
    expect(page.locator("#map-note")).to_contain_text("4 incidents at 3 other places are not drawn")
    page.locator("#map").focus()
    page.keyboard.press("+")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("it is busy; it asks to wait 7 seconds")
    page.unroute("**/api/v1/overview?bbox=*")
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_have_count(0)


def test_suggestions_that_cannot_be_had_are_said_and_the_field_goes_on(visit):
    one = visit()
    page = one.open("/")
    page.route("**/api/v1/places*", ANSWERS["fails"])
    page.get_by_label("City").press_sequentially("Bruss")
    expect(page.locator("#city-note")).to_contain_text("No suggestions")
    page.get_by_label("City").fill("Brussels")
    page.get_by_label("City").press("Enter")
    page.wait_for_url("**/?city=Brussels")


def test_an_answer_that_comes_late_is_dropped(visit):
    one = visit()
    page = one.open("/")
    held = []
    for address in ("**/?country=CN", "**/overview?country=CN"):
        page.route(address, lambda route: held.append(route))
    with page.expect_request("**/?country=CN"):
        page.get_by_label("Country").select_option("CN")
    page.get_by_label("Country").select_option("TR")
    page.wait_for_url("**/?country=TR")
    one.settled()
    heading = page.locator("#results-heading").inner_text()
    for route in held:
        with contextlib.suppress(playwright.Error):
            route.continue_()
    one.settled()
    assert page.locator("#results-heading").inner_text() == heading
    assert page.url.endswith("country=TR")
    overview = page.request.get(f"{one.address}/api/v1/overview?country=TR").json()
    assert heading == f"{overview['incidents']} incidents"
    assert f"not reported in {overview['figures']['deaths']['not_reported']}" in (
        page.locator("#figures").inner_text()
    )


def test_no_connection_is_said(visit):
    one = visit()
    page = one.open("/")
    one.context.set_offline(True)
    expect(page.get_by_role("alert")).to_contain_text("There is no connection")
    page.get_by_label("Country").select_option("CN")
    expect(page.get_by_role("alert").last).to_contain_text("could not be had")
    one.context.set_offline(False)
    page.wait_for_url("**/?country=CN")
    expect(page.get_by_role("alert")).to_have_count(0)


# The map


def test_circles_are_numbered_and_two_spots_400_metres_apart_are_told_apart(visit):
    one = visit()
    page = one.open("/#map=15/50.8405/4.3720")
    page.locator("#map .dot.spot[title^='Brussels']").first.wait_for()
    spots = page.locator("#map .dot.spot[title^='Brussels, BE: 3 incidents']")
    expect(spots).to_have_count(2)
    spots.first.click()
    expect(page.locator(".leaflet-popup-content")).to_contain_text("at this spot")


@pytest.mark.slow
def test_the_map_s_position_is_part_of_the_address(visit):
    one = visit()
    page = one.open("/?country=CN")
    _see_all(one)
    page.locator("#map").focus()
    page.keyboard.press("+")
    page.wait_for_url("**/?country=CN#map=**")
    other = visit().open(page.url.removeprefix(one.address))
    other.locator("#map .dot").first.wait_for()
    expect(page.locator(".place-name").first).to_be_visible()
    shown = "one => [...one.querySelectorAll('.dot')].map((dot) => dot.title).sort()"
    assert other.locator("#map").evaluate(shown) == page.locator("#map").evaluate(shown)


def test_numbers_on_the_map_add_up_and_areas_are_listed_beside_it(visit):
    one = visit()
    page = one.open("/?country=CN")
    _see_all(one)
    overview = page.request.get(f"{one.address}/api/v1/overview?country=CN").json()
    points = [place for place in overview["places"] if place["geo_precision"] in POINTS]
    titles = page.locator("#map .dot").evaluate_all("all => all.map((one) => one.title)")
    counts = [int(re.search(r"([\d,]+) incident", title)[1].replace(",", "")) for title in titles]
    assert sum(counts) == sum(place["incidents"] for place in points)
    page.locator("#areas-summary").click()
    listed = page.locator("#areas tbody tr").first.inner_text()
    assert "China" in listed
    assert sum(map(int, re.findall(r"\d+", listed))) == sum(
        one["incidents"] for one in overview["areas"]
    )


POINTS = ("exact", "venue", "city")


@pytest.mark.slow
def test_a_finger_scrolls_the_page_until_the_map_is_tapped(visit):
    one = visit(size="phone", has_touch=True, is_mobile=True)
    page = one.open("/")
    _see_all(one)
    expect(page.locator(".hint")).to_be_visible()
    action = "one => getComputedStyle(one).touchAction"
    assert "pan-y" in page.locator("#map").evaluate(action)
    page.locator("#map").scroll_into_view_if_needed()
    box = page.locator("#map").bounding_box()
    page.touchscreen.tap(box["x"] + 20, box["y"] + box["height"] - 30)
    expect(page.locator("#map")).to_have_class(re.compile("awake"))
    assert page.locator("#map").evaluate(action) == "none"
    assert one.barriers() == []


# The timeline


def test_a_range_of_the_timeline_is_taken_by_keyboard_and_by_dragging(visit):
    one = visit()
    page = one.open("/")
    columns = page.locator("#timeline .column")
    columns.first.focus()
    for key in ("ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url("**/?date_from=1989&date_to=1991")
    page.go_back()
    one.settled()
    first, last = (columns.nth(place).bounding_box() for place in (2, 4))
    page.mouse.move(first["x"] + 3, first["y"] + 40)
    page.mouse.down()
    page.mouse.move(last["x"] + 3, last["y"] + 40)
    page.mouse.up()
    page.wait_for_url("**/?date_from=1990&date_to=1992")


# Finding


def test_a_city_is_suggested_and_finds_its_records(visit):
    one = visit()
    page = one.open("/?country=BE")
    page.get_by_label("City").press_sequentially("Brus")
    expect(page.locator("#cities option[value=Brussels]")).to_have_count(1)
    page.get_by_label("City").fill("Brussels")
    page.get_by_label("City").press("Tab")
    page.wait_for_url("**/?city=Brussels&country=BE")
    expect(page.locator("#results-heading")).not_to_have_text("No incidents")


def test_more_filters_are_there_and_say_what_is_wrong_beside_their_field(visit):
    one = visit()
    page = one.open("/")
    page.get_by_text("More filters").click()
    page.get_by_label("Episode").select_option("autumn-2020-war")
    page.wait_for_url("**/?episode=autumn-2020-war")
    page.get_by_label("Arrests, at least").fill("ten")
    page.get_by_label("Arrests, at least").press("Enter")
    expect(page.locator("#error-min_arrests")).to_be_visible()
    expect(page.get_by_label("Arrests, at least")).to_be_focused()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Arrests, at least (min_arrests)")
    assert one.barriers() == []


def test_choices_have_numbers_and_what_would_find_nothing_is_left_out(visit):
    one = visit()
    page = one.open("/?type=rally")
    options = page.get_by_label("Country").locator("option")
    counted = page.request.get(f"{one.address}/api/v1/overview?type=rally").json()["countries"]
    expect(options).to_have_count(len(counted) + 1)
    china = next(row["incidents"] for row in counted if row["country"] == "CN")
    expect(page.get_by_label("Country").locator("[value=CN]")).to_have_text(f"China ({china})")
    kinds = page.request.get(f"{one.address}/api/v1/overview").json()["types"]
    expect(page.get_by_label("Type").locator("option")).to_have_count(len(kinds) + 1)


@pytest.mark.slow
def test_what_is_typed_is_found_by_its_beginning_and_comes_back(visit):
    one = visit()
    page = one.open("/")
    text = page.locator("#q")
    text.press_sequentially("embas", delay=20)
    page.wait_for_url("**/?q=embas*")
    one.settled()
    text.press_sequentially("sy mark", delay=20)
    page.wait_for_url("**/?q=embassy+mark*")
    expect(page.locator("#results-heading")).not_to_have_text("No incidents")
    page.go_back()
    page.wait_for_url("**/?q=embas*")
    expect(text).to_have_value("embas")
    page.go_back()
    expect(text).to_have_value("")
    expect(page).to_have_url(f"{one.address}/")
