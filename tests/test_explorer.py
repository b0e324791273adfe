"""The explorer: what its pages say, and every way through them in a real browser."""

import gzip
import json
import re
import shlex
import subprocess

import pytest
from playwright.sync_api import expect

from tests import browsers, builders
from tests.browsers import SCHEMES, SIZES, Visit

MOSCOW = "3a8a51z8j1"
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGES = (
    "/",
    "/?community=armenian&community=azerbaijani&date_from=2020-07",
    f"/incidents/{MOSCOW}",
    "/codebook",
    "/problems/duplicate",
    "/incidents/0000000000",
    "/?date_from=soon",
    "/?country=JP",
)
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
in_chromium = pytest.mark.needs("chromium")


# What the server answers with, on both engines


@pytest.mark.parametrize("path", ["/", f"/incidents/{MOSCOW}", "/codebook"])
def test_who_asks_for_json_gets_json_and_a_browser_gets_a_page(seeded, client, path):
    for accept in ("application/json", "*/*", "", "application/json, text/html;q=0.5"):
        answer = client.get(path, headers={"Accept": accept})
        assert (answer.status_code, answer.mimetype) == (200, "application/json")
        assert "Accept" in answer.headers["Vary"]
    answer = client.get(path, headers=PAGE)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "Accept" in answer.headers["Vary"]
    again = client.get(path, headers={**PAGE, "If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    # What a browser holds takes over the headers of a 304.
    policy = answer.headers["Content-Security-Policy"]
    assert again.headers["Content-Security-Policy"] == policy


def test_the_index_leads_to_the_api(client):
    assert client.get("/").json == client.get("/api/v1").json


@pytest.mark.parametrize("path", PAGES)
def test_a_page_comes_with_a_strict_policy_and_nothing_inline(seeded, client, path):
    answer = client.get(path, headers=PAGE)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    # A block of data is no script; the browser tests hold that the policy lets it stand.
    inline = r"<script(?![^>]* src=)(?! type=\"application/ld\+json\")|<style| style=| on[a-z]+="
    assert re.findall(inline, answer.text) == []


def test_the_page_tells_search_engines_of_the_data_set(seeded, client, editor, incident):
    client.post("/api/v1/communities", json={"id": "evil", "name": "</script><b>"}, headers=editor)
    client.post("/api/v1/incidents", json=incident(communities=["evil"]), headers=editor)
    answer = client.get("/", headers=PAGE)
    (block,) = re.findall(
        r'<script type="application/ld\+json">(.*?)</script>', answer.text, re.DOTALL
    )
    metadata = json.loads(block)
    assert (metadata["@context"], metadata["@type"]) == ("https://schema.org/", "Dataset")
    assert metadata["version"] == answer.headers["Dataset-Version"]
    assert metadata["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert "</script><b>" in metadata["keywords"]
    for one in metadata["distribution"]:
        path = f"/{one['contentUrl'].split('/', 3)[3]}"
        assert client.get(path).mimetype == one["encodingFormat"]


def test_the_files_of_the_pages_may_be_kept_for_good_and_come_packed(client):
    addresses = set(re.findall(r'"(/assets/[^"]+)"', client.get("/", headers=PAGE).text))
    assert len(addresses) > 8
    for address in addresses:
        plain = client.get(address)
        assert plain.status_code == 200
        assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        packed = client.get(address, headers={"Accept-Encoding": "gzip"})
        if len(plain.data) >= 1000:  # a small one would not be smaller
            assert packed.headers["Content-Encoding"] == "gzip"
            assert len(packed.data) < len(plain.data)
        cached = client.get(address, headers={"If-None-Match": plain.headers["ETag"]})
        assert cached.status_code == 304
    assert client.get("/assets/0000/page.js").status_code == 404


@pytest.mark.parametrize(
    "path", ["/", f"/incidents/{MOSCOW}", "/codebook", "/guide", "/api/v1/overview"]
)
def test_a_page_comes_packed_to_who_takes_it_so(seeded, client, path):
    plain = client.get(path, headers=PAGE)
    packed = client.get(path, headers={**PAGE, "Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] == f'{plain.headers["ETag"][:-1]}-gzip"'
    for answer in (plain, packed):
        assert "Accept-Encoding" in answer.headers["Vary"]
        cached = {"Accept-Encoding": "gzip", "If-None-Match": answer.headers["ETag"]}
        assert client.get(path, headers={**PAGE, **cached}).status_code == 304


def test_the_list_says_what_is_not_reported_in_words(seeded, client):
    text = client.get("/?city=Moscow&date=2020-07", headers=PAGE).text
    assert "One incident" in text
    assert re.search(r"<dt>Arrests</dt><dd>13</dd>", text)
    assert re.search(r'class="unknown"><dt>Deaths</dt><dd>not reported</dd>', text)


def test_zero_is_not_shown_as_not_reported(client, editor, incident):
    client.post("/api/v1/incidents", json=incident(arrests=0), headers=editor)
    text = client.get("/", headers=PAGE).text
    assert re.search(r"<dt>Arrests</dt><dd>0</dd>", text)


def test_what_a_form_sends_is_put_into_the_query_language(seeded, client):
    sent = "/?community=armenian&community=&country=RU&country=BE&type=&date_from=2020-07&sort="
    answer = client.get(sent, headers=PAGE)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/?community=armenian&country=RU,BE&date_from=2020-07"
    assert client.get(answer.headers["Location"], headers=PAGE).status_code == 200


def test_communities_of_published_records_are_offered_and_the_one_that_is_asked_for(
    client, contributor, editor, incident
):
    client.post("/api/v1/incidents", json=incident(), headers=editor)
    drafted = incident(city="Odesa", communities=["greek"])
    client.post("/api/v1/incidents", json=drafted, headers=contributor)
    for asked, offered in [
        ("", ["armenian", "azerbaijani"]),
        ("?community=Kurds", ["Kurds", "armenian", "azerbaijani"]),
        ("?community=kurdish", ["armenian", "azerbaijani", "kurdish"]),
    ]:
        text = client.get(f"/{asked}", headers=PAGE).text
        (choice, _) = re.findall(r'<select [^>]*name="community".*?</select>', text, re.DOTALL)
        assert re.findall(r'value="([^"]+)"', choice) == offered


def test_a_bad_filter_is_explained_beside_its_field(seeded, client):
    answer = client.get("/?date_from=soon&colour=red", headers=PAGE)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert "There is no parameter &#39;colour&#39; here" in answer.text
    assert client.get("/incidents/3a8a51z8j1?colour=red", headers=PAGE).status_code == 422


def test_a_text_finds_and_may_be_ordered_by_its_best_match(seeded, client):
    text = client.get("/?q=brawl", headers=PAGE).text
    assert "One incident" in text
    assert '<option value="relevance">Best match first</option>' in text
    assert "Best match first" not in client.get("/", headers=PAGE).text
    best = client.get("/?q=clash&sort=relevance", headers=PAGE).text
    hits = client.get("/api/v1/search?q=clash&fields=id").json["data"]
    shown = re.findall(r'<h3><a href="/incidents/(\w+)"', best)
    assert shown == [hit["incident"]["id"] for hit in hits]
    emptied = client.get("/?q=&sort=relevance&country=RU", headers=PAGE)
    assert emptied.headers["Location"] == "/?country=RU"


def test_a_text_that_finds_nothing_is_answered_with_near_spellings(seeded, client):
    text = client.get("/?q=Brusels&country=BE", headers=PAGE).text
    assert "No incidents" in text
    (address,) = re.findall(r'Did you mean <a href="([^"]+)">', text)
    found = client.get(address.replace("&amp;", "&"), headers=PAGE).text
    assert "One incident" in found


def test_filters_without_a_field_of_their_own_are_kept_and_can_be_removed(seeded, client):
    text = client.get("/?min_sources=2&country=RU", headers=PAGE).text
    assert '<input type="hidden" name="min_sources" value="2">' in text
    assert 'href="/?country=RU" aria-label="Remove the filter sources at least: 2"' in text
    assert "/api/v1/incidents?min_sources=2&amp;country=RU" in text


def test_what_a_field_shows_once_is_kept_where_it_is_repeated(seeded, client):
    asked = "/?tag=one&tag=two&police_measure=cordon&police_measure=detention&min_arrests=1"
    text = client.get(asked, headers=PAGE).text
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)"', text)
    assert hidden == [("tag", "two"), ("police_measure", "detention")]
    assert re.search(r'<input id="tag" name="tag" value="one"', text)
    assert re.search(r'<option value="cordon" selected>', text)
    assert re.search(r'<details id="more" open>', text)


def test_only_what_occurs_in_published_records_is_offered(client, contributor, editor, incident):
    client.post("/api/v1/incidents", json=incident(), headers=editor)
    client.post("/api/v1/incidents", json=incident(city="Paris", country="FR"), headers=contributor)
    text = client.get("/?type=vigil", headers=PAGE).text
    offered = {
        name: re.findall(
            r'value="(\w+)"', re.search(f'<select id="{name}".*?</select>', text, re.S)[0]
        )
        for name in ("country", "type", "episode")
    }
    assert offered == {"country": ["UA"], "type": ["clash", "vigil"], "episode": []}


@pytest.mark.parametrize("start", ["0", "first", "-5", "9" * 400])
def test_a_page_s_number_is_checked(client, editor, incident, start):
    answer = client.get(f"/?cursor=x&start={start}", headers=PAGE)
    assert answer.status_code == 422
    assert "It is the number of the first record of the page" in answer.text
    alone = client.get(f"/?start={start}", headers=PAGE)
    assert alone.headers["Location"] == "/"


def test_pages_of_the_list_lead_on(app, client, editor, incident):
    for number in range(60):
        changes = {"title": f"Number {number}", "date": f"19{number:02}-01-01"}
        made = client.post("/api/v1/incidents", json=incident(**changes), headers=editor)
        assert made.status_code == 201
    first = client.get("/?country=UA", headers=PAGE).text
    assert "60 incidents" in first
    (following,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = client.get(following.replace("&amp;", "&"), headers=PAGE).text
    titles = re.findall(r">(Number \d+)</a>", first + second)
    assert titles == [f"Number {number}" for number in range(59, -1, -1)]


def test_text_of_a_record_cannot_become_markup(client, editor, incident):
    evil = "<script>alert(1)</script>"
    body = incident(
        title=evil,
        summary=evil,
        venue=evil,
        sources=[
            {
                "article": {"title": evil, "publisher": evil, "url": "https://news.example/?a='b"},
                "locator": evil,
                "claims": [{"field": "arrests", "value": 3, "text": evil, "scope": evil}],
            }
        ],
    )
    made = client.post("/api/v1/incidents", json=body, headers=editor)
    assert made.status_code == 201, made.text
    for path in ("/", f"/incidents/{made.json['id']}"):
        assert "<script>alert" not in client.get(path, headers=PAGE).text


def test_claims_that_conflict_stand_side_by_side(client, editor, incident):
    def source(paper, **claim):
        return {
            "article": {"title": f"Report in {paper}", "publisher": paper},
            "claims": [{"field": "arrests", **claim}],
        }

    sources = [source("Paper A", value=13), source("Paper B", low=50), source("Paper C", low=5)]
    made = client.post("/api/v1/incidents", json=incident(sources=sources), headers=editor).json
    text = client.get(f"/incidents/{made['id']}", headers=PAGE).text
    cards = re.findall(
        r'<li class="conflicting">.*?says">([^<]+)<.*?Conflicts with: ([^<]+)<', text, re.S
    )
    assert cards == [("13", "at least 50"), ("at least 50", "13")]
    assert "Sources disagree." in text


def test_the_history_shows_what_was_before_and_after(client, editor, incident):
    made = client.post("/api/v1/incidents", json=incident(arrests=5), headers=editor).json
    address = f"/api/v1/incidents/{made['id']}"
    change = {"arrests": 7, "reason": "a later report"}
    changed = client.patch(address, json=change, headers={**editor, "If-Match": '"1"'})
    assert changed.status_code == 200
    text = client.get(f"/incidents/{made['id']}", headers=PAGE).text
    assert "a later report" in text
    assert re.search(r'<th scope="row">Arrests</th><td><del>5</del></td><td><ins>7</ins>', text)


def test_records_that_are_gone_moved_or_unknown_have_pages_of_their_own(client, editor, incident):
    kept, gone = (
        client.post("/api/v1/incidents", json=incident(date=day), headers=editor).json["id"]
        for day in ("2001-01-01", "2002-02-02")
    )
    client.delete(f"/api/v1/incidents/{gone}?code=safety", headers={**editor, "If-Match": "*"})
    answer = client.get(f"/incidents/{gone}", headers=PAGE)
    assert (answer.status_code, answer.mimetype) == (410, "text/html")
    assert "Reason: Safety" in answer.text
    assert "Clash outside" not in answer.text
    merged = client.post("/api/v1/incidents", json=incident(date="2003"), headers=editor).json["id"]
    done = client.post(
        f"/api/v1/incidents/{merged}/merge",
        json={"into": kept},
        headers={**editor, "If-Match": "*"},
    )
    assert done.status_code == 200, done.text
    answer = client.get(f"/incidents/{merged}", headers=PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"/incidents/{kept}")
    assert merged in client.get(f"/incidents/{kept}", headers=PAGE).text
    answer = client.get("/incidents/none", headers=PAGE)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")


def test_a_draft_shows_on_no_page(client, editor, incident):
    body = incident(status="draft", title="Not yet reviewed")
    made = client.post("/api/v1/incidents", json=body, headers=editor).json
    for path in ("/", f"/incidents/{made['id']}"):
        assert "Not yet reviewed" not in client.get(path, headers={**PAGE, **editor}).text
    assert client.get("/api/v1/overview").json["incidents"] == 0


def test_the_codebook_page_defines_every_field_and_value(seeded, client):
    book = client.get("/api/v1/codebook").json
    text = client.get("/codebook", headers=PAGE).text
    for name in book["fields"]:
        assert f'id="field-{name}"' in text
    for name, one in book["vocabularies"].items():
        assert f'id="vocabulary-{name}"' in text
        for term in one["terms"]:
            assert f"<code>{term['id']}</code>" in text


# The overview


def test_the_overview_counts_what_the_list_holds(seeded, client):
    found = client.get("/api/v1/overview").json
    assert found["incidents"] == 8
    for name in ("places", "dates", "types", "countries"):
        assert sum(row["incidents"] for row in found[name]) == 8
    moscow = client.get("/api/v1/overview?city=Moscow&date_from=2020-09").json
    (place,) = moscow["places"]
    assert (place["city"], place["geo_precision"], place["incidents"]) == ("Moscow", "city", 2)


def test_the_overview_keeps_imprecise_dates_apart(client, editor, incident):
    written = ("2020-07-24", "2020-07", "2020", "2020-07-30/2020-08-02", "..2020-07-22")
    for date in written:
        client.post(
            "/api/v1/incidents?allow_duplicate=true", json=incident(date=date), headers=editor
        )
    rows = client.get("/api/v1/overview").json["dates"]
    assert {tuple(row.values()) for row in rows} == {
        ("2020-07", "2020-07", "day", 1),
        ("2020-07", "2020-07", "month", 1),
        ("2020-01", "2020-12", "year", 1),
        ("2020-07", "2020-08", "interval", 1),
        (None, "2020-07", "range", 1),
    }


def test_the_overview_tells_exact_bounded_and_unreported_figures_apart(client, editor, incident):
    for figures in ({"arrests": 0}, {"arrests": 7}, {"arrests_low": 5}, {}):
        body = incident(date=f"19{10 + len(str(figures))}", **figures)
        assert client.post("/api/v1/incidents", json=body, headers=editor).status_code == 201
    found = client.get("/api/v1/overview").json["figures"]
    assert found["arrests"] == {"exact": 2, "bounded": 1, "not_reported": 1}
    assert found["deaths"] == {"exact": 0, "bounded": 0, "not_reported": 4}


def test_the_overview_follows_every_change(client, editor, incident):
    assert client.get("/api/v1/overview").json["incidents"] == 0
    made = client.post("/api/v1/incidents", json=incident(), headers=editor).json
    answer = client.get("/api/v1/overview")
    assert answer.json["incidents"] == 1
    assert answer.headers["Dataset-Version"] == str(answer.json["dataset_version"])
    client.delete(f"/api/v1/incidents/{made['id']}", headers={**editor, "If-Match": "*"})
    assert client.get("/api/v1/overview").json["places"] == []


def test_of_more_places_than_are_held_those_with_most_incidents_are_shown(
    client, editor, incident, monkeypatch
):
    monkeypatch.setattr("api.queries.overview.aggregates.MOST_HELD", 3)
    monkeypatch.setattr("api.queries.overview.summary.MOST_PLACES", 2)

    def post(city, latitude):
        changes = {"city": city, "latitude": latitude, "longitude": 30.5, "country": "UA"}
        address = "/api/v1/incidents?allow_duplicate=true"
        assert client.post(address, json=incident(**changes), headers=editor).status_code == 201
        return client.get("/api/v1/overview").json

    for _ in range(2):
        post("Oldmarket", 50.1)
    for place in range(4):
        post("Somewhere", 50.2 + place / 10)
    found = post("Somewhere", 50.3)
    shown = [(one["city"], one["latitude"], one["incidents"]) for one in found["places"]]
    assert shown == [("Oldmarket", 50.1, 2), ("Somewhere", 50.3, 2)]
    assert found["other_places"] == {"places": 3, "incidents": 3}
    assert (found["incidents"], found["without_coordinates"]) == (7, 0)


def test_the_overview_counts_what_is_known_for_an_area_only(client, editor, incident):
    point = {"latitude": 50.45, "longitude": 30.52}
    for changes in (
        {"geo_precision": "country", "city": ...},
        {"geo_precision": "country", "city": ..., **point},
        {"geo_precision": "admin1", "admin1": "Lviv", "city": ...},
        {},
    ):
        body = incident(date=f"19{10 + len(str(changes))}", **changes)
        assert client.post("/api/v1/incidents", json=body, headers=editor).status_code == 201
    assert client.get("/api/v1/overview").json["areas"] == [
        {"geo_precision": "admin1", "country": "UA", "incidents": 1},
        {"geo_precision": "country", "country": "UA", "incidents": 2},
    ]


def test_the_overview_of_no_records_is_whole(client):
    found = client.get("/api/v1/overview?country=JP").json
    assert (found["incidents"], found["places"], found["dates"]) == (0, [], [])


def test_the_overview_takes_every_filter_of_the_list(seeded, client):
    for query in ("near=Brussels&radius_km=200", "bbox=4,50,5,53", "min_arrests=13&match=certain"):
        listed = client.get(f"/api/v1/incidents?count=exact&{query}").json["total"]
        assert client.get(f"/api/v1/overview?{query}").json["incidents"] == listed > 0


def test_paging_parameters_are_refused_by_the_overview(client):
    answer = client.get("/api/v1/overview?limit=5")
    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, "limit")


# In the browser


@pytest.fixture(scope="module")
def browser():
    """Yield the machine's own Chromium."""
    with browsers.chromium() as found:
        yield found


@pytest.fixture
def visit(browser, seeded, live_server):
    """Yield a function that opens a page of the running service; none may break a rule."""
    visits = []

    def make(**options):
        visits.append(Visit(browser, live_server, **options))
        return visits[-1]

    yield make
    for one in visits:
        one.spotless()
        one.close()


@pytest.mark.slow
@in_chromium
@on_sqlite
def test_no_page_has_barriers_at_any_size_in_any_scheme(visit):
    found = {}
    for size in SIZES:
        for scheme in SCHEMES:
            for path in PAGES:
                one = visit(size=size, color_scheme=scheme)
                page = one.open(path)
                for summary in page.locator("summary:visible").all():
                    summary.click()
                found[size, scheme, path] = one.barriers()
                wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
                assert not wide, f"{path} is wider than the screen ({size})"
    assert {key: value for key, value in found.items() if value} == {}


def test_the_history_names_fields_in_words(seeded, client, editor):
    change = {"city": "Kazan", "version": 1}
    client.patch(f"/api/v1/incidents/{MOSCOW}", json=change, headers=editor)
    text = client.get(f"/incidents/{MOSCOW}", headers=PAGE).text
    assert "State or region" in text
    assert "GeoNames id" in text
    assert "Admin1" not in text


@pytest.mark.slow
@in_chromium
@on_sqlite
def test_filters_that_do_not_fit_leave_no_empty_map_and_lead_back(browser, seeded, live_server):
    page = browser.new_page()
    page.goto(f"{live_server}/?country=RU&min_arrests=ten")
    expect(page.get_by_role("alert")).to_contain_text("min_arrests")
    expect(page.locator("#where, #time, #plots, #take").locator("visible=true")).to_have_count(0)
    page.get_by_label("Remove the filter min arrests: ten").click()
    expect(page.locator("#results h2")).to_have_text("3 incidents")
    expect(page.locator("#map .leaflet-pane").first).to_be_attached()
    page.close()


@pytest.mark.slow
@in_chromium
@on_sqlite
@pytest.mark.parametrize("size", SIZES)
def test_a_stranger_finds_who_reported_thirteen_arrests_and_takes_it_along(visit, size):
    one = visit(size=size)
    page = one.open("/")
    page.get_by_label("Country").select_option("RU")
    page.get_by_label("Type").select_option("clash")
    page.wait_for_url("**/?country=RU&type=clash")
    one.settled()
    page.get_by_role("link", name="Fighting between Armenians and Azerbaijanis in Moscow").click()
    page.wait_for_url(f"**/incidents/{MOSCOW}")
    ledger = page.get_by_role("region", name="Arrests recorded: 13")
    said = ledger.get_by_role("listitem").filter(has_text="13 people detained").first
    assert "News.ru" in said.inner_text()
    assert "About brawl in the south-east" in said.inner_text()
    said.get_by_role("link", name="Source 1").click()
    assert "News.ru" in page.locator("li:target").inner_text()
    page.get_by_role("button", name="Copy the curl line").click()
    expect(page.locator("#live")).to_have_text("The curl line copied.")
    line = page.evaluate("navigator.clipboard.readText()")
    assert json.loads(_run(line))["arrests"] == 13
    page.go_back()  # from the source, to the record
    page.go_back()
    one.settled()
    page.get_by_role("button", name="Copy the link to this view").click()
    page.get_by_role("button", name="Copied").wait_for()
    shared = page.evaluate("navigator.clipboard.readText()")
    other = visit(size=size)
    titles = other.open(shared.removeprefix(other.address)).locator(".records h3").all_inner_texts()
    assert titles == page.locator(".records h3").all_inner_texts()
    assert len(titles) == 1


def _run(line):
    """Run a curl line as a shell would."""
    done = subprocess.run([*shlex.split(line), "-sf"], capture_output=True, check=True, timeout=30)
    return done.stdout


@pytest.mark.slow
@in_chromium
@on_sqlite
@pytest.mark.parametrize("size", SIZES)
def test_one_state_drives_list_map_timeline_and_links(visit, size):
    one = visit(size=size)
    page = one.open("/")
    page.wait_for_selector("#timeline svg")
    page.get_by_label("Community", exact=True).select_option("armenian")
    page.wait_for_url("**/?community=armenian")
    page.get_by_label("and community").select_option("azerbaijani")
    page.wait_for_url("**/?community=armenian&community=azerbaijani")
    one.settled()
    heading = page.locator("#results-heading").inner_text()
    overview = page.request.get(
        f"{one.address}/api/v1/overview?community=armenian&community=azerbaijani"
    ).json()
    assert heading == f"{overview['incidents']} incidents"
    assert page.locator(".records > li").count() == overview["incidents"]
    expect(page.locator("#live")).to_have_text(heading)
    page.locator("#places").locator("xpath=..").locator("summary").click()
    expect(page.locator("#places tbody tr")).to_have_count(len(overview["places"]))
    line = page.locator("#take code").inner_text()
    assert json.loads(_run(line))["total"] == overview["incidents"]
    page.go_back()
    expect(page.get_by_label("and community")).to_have_value("")
    page.go_back()
    expect(page.get_by_label("Community", exact=True)).to_have_value("")
    expect(page.locator(".records > li")).to_have_count(8)
    page.go_forward()
    expect(page.get_by_label("Community", exact=True)).to_have_value("armenian")
    page.go_forward()
    expect(page.locator(".records > li")).to_have_count(overview["incidents"])
    expect(page.get_by_label("and community")).to_have_value("azerbaijani")


@pytest.mark.slow
@in_chromium
@on_sqlite
def test_a_place_and_a_month_lead_to_their_incidents(visit):
    one = visit()
    page = one.open("/")
    page.get_by_text("The places as a table").click()
    page.get_by_role("link", name="Moscow, RU").click()
    page.wait_for_url("**/?city=Moscow&country=RU")
    one.settled()
    assert page.locator("#results-heading").inner_text() == "3 incidents"
    assert page.evaluate("document.activeElement.id") == "results-heading"
    page.get_by_text("The timeline as a table").click()
    page.get_by_role("link", name="Jul 2020").click()
    page.wait_for_url("**date_from=2020-07&date_to=2020-07")
    one.settled()
    assert page.locator("#results-heading").inner_text() == "One incident"
    page.get_by_role("link", name="Remove the filter city: Moscow").click()
    page.wait_for_url("**/?country=RU&date_from=2020-07&date_to=2020-07")
    expect(page.get_by_role("link", name="Remove the filter city: Moscow")).to_have_count(0)


@pytest.mark.slow
@in_chromium
@on_sqlite
def test_part_of_the_map_is_a_filter(visit):
    one = visit()
    page = one.open("/?country=RU")
    page.get_by_role("button", name="Only this part of the map").click()
    page.wait_for_url("**bbox=**")
    one.settled()
    assert page.get_by_role("link", name="Remove the filter area on the map").count() == 1
    assert page.locator("#results-heading").inner_text() == "3 incidents"


@pytest.mark.slow
@in_chromium
@on_sqlite
def test_a_circle_tells_its_place_and_leads_to_its_incidents(visit):
    one = visit()
    page = one.open("/?country=RU")
    page.wait_for_selector("html[data-drawn]")
    page.locator("#map").click()  # in the middle, where the one city is
    popup = page.locator(".leaflet-popup-content")
    assert "Moscow, RU" in popup.inner_text()
    assert "3 incidents, somewhere in the city" in popup.inner_text()
    popup.get_by_role("link", name="Show them").click()
    page.wait_for_url("**/?country=RU&city=Moscow")
    expect(page.locator("#results-heading")).to_be_focused()
    expect(popup).to_have_count(0)


@pytest.mark.slow
@in_chromium
@on_sqlite
@pytest.mark.parametrize("how", ["scrolled", "tabbed"])
def test_on_a_phone_the_map_comes_once_it_is_in_sight(visit, how):
    one = visit(size="phone")
    page = one.open("/")
    page.wait_for_selector("#timeline svg")
    assert not [url for url in one.asked if "leaflet" in url or "countries" in url]
    if how == "scrolled":
        page.mouse.wheel(0, 300)
    else:
        _tab_to(page, "map")
    page.wait_for_selector("#map canvas")
    one.settled()
    assert [url for url in one.asked if "countries" in url]


@pytest.mark.slow
@in_chromium
@on_sqlite
def test_a_wrong_date_is_told_where_it_stands_and_the_list_stays(visit):
    one = visit()
    page = one.open("/")
    page.locator("#date_from").fill("July 2020")
    page.locator("#date_from").press("Tab")
    page.wait_for_selector("#error-date_from")
    assert page.locator("#date_from").get_attribute("aria-invalid") == "true"
    page.locator("#date_from").fill("2020-07")
    page.locator("#date_from").press("Enter")
    one.settled()
    page.wait_for_selector("#error-date_from", state="detached")
    assert page.locator(".records > li").count() == 8


@pytest.mark.slow
@in_chromium
@on_sqlite
@pytest.mark.parametrize("size", SIZES)
def test_the_list_and_a_record_work_without_scripts(visit, size):
    one = visit(size=size, java_script_enabled=False)
    page = one.open("/")
    assert not page.locator("#map").is_visible()
    page.get_by_label("Country").select_option("BE")
    page.locator("#date_from").fill("2020-07")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/?country=BE&date_from=2020-07")
    page.locator(".records a").click()
    assert "not reported" in page.locator("table.figures").inner_text()
    assert "curl '" in page.locator("pre").inner_text()
    assert not page.get_by_role("button", name="Copy").first.is_visible()


@pytest.mark.slow
@in_chromium
@on_sqlite
def test_the_keyboard_alone_gets_everywhere(visit):
    one = visit()
    page = one.open("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    _tab_to(page, "country")
    page.keyboard.type("Belg")
    _tab_to(page, "date_from")
    page.keyboard.type("2020-07")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?country=BE&date_from=2020-07")
    expect(page.locator("#results-heading")).to_be_focused()
    one.settled()
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/incidents/**")


def _tab_to(page, id_):
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == id_:
            return
    raise AssertionError(f"Tab does not lead to {id_}")


@pytest.mark.slow
@in_chromium
@on_sqlite
def test_the_timeline_draws_imprecise_dates_as_what_they_are(visit, live_server, editor):
    one = visit()
    for date in ("2020", "2020-07-30/2020-08-02", "2020-10-02.."):
        made = one.page.request.post(
            f"{live_server}/api/v1/incidents?allow_duplicate=true",
            headers=editor,
            data=builders.incident(date=date),
        )
        assert made.status == 201
    page = one.open("/")
    page.wait_for_selector("#timeline svg")
    assert page.locator("#timeline .bar.known").count() == 3
    assert page.locator("#timeline .bar.partly").count() == 1
    assert page.locator("#timeline .bracket.perhaps").count() == 1
    assert page.locator("#timeline .bracket.lasted").count() == 1
    assert page.locator("#timeline .open.after").count() == 1
    assert (
        "3 incidents whose date spans more than one month"
        in page.locator("#time-note").inner_text()
    )


@pytest.mark.slow
@in_chromium
@on_sqlite
def test_whoever_wants_less_motion_gets_none(visit):
    one = visit(reduced_motion="reduce")
    page = one.open("/")
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    assert page.locator("#map.leaflet-fade-anim").count() == 0


@pytest.mark.slow
@in_chromium
@on_sqlite
def test_a_record_prints_without_what_one_would_click(visit):
    one = visit()
    page = one.open(f"/incidents/{MOSCOW}")
    page.emulate_media(media="print")
    assert not page.get_by_role("button", name="Copy the citation").is_visible()
    assert page.locator("table.figures").is_visible()
