"""The explorer with hard records, at every size: nothing overlaps, is void or is cut off."""

import shutil

import pytest
from playwright.sync_api import expect

from tests import browsers, hard_world, servers
from tests.browsers import SIZES, Visit

pytestmark = pytest.mark.needs("chromium")
# All; a filter that leaves few; one that leaves none.
PATHS = ("/", "/?country=BE&type=rally", "/?q=nothing-like-it")


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


@pytest.mark.parametrize("size", SIZES)
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
    page.get_by_role("link", name="incidents: to the list").click()
    expect(page.locator("#results-heading")).to_be_in_viewport()


@pytest.mark.parametrize(
    "options",
    [{"color_scheme": "dark"}, {"forced_colors": "active"}],
    ids=["dark", "forced"],
)
def test_hard_records_make_no_barriers(visit, options):
    one = visit(size="phone", **options)
    one.open("/?country=BE&type=rally")
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
    page = one.open("/?country=BE")
    assert page.title() == "country: Belgium – Diaspora incidents"
    page.get_by_label("Type").select_option("rally")
    page.wait_for_url("**type=rally")
    assert page.title() == "country: Belgium; type: Rally – Diaspora incidents"


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
