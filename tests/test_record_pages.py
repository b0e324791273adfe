"""Pages beside a record's own: versions, what records refer to, releases, claims, and dead ends."""

import re

import pytest

from tests import browsers
from tests.browsers import Visit

BRUSSELS = "kn46wr7ddn"
ARTICLE = "e0t3z15xx8"
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Encoding": "gzip"}
ARABIC = "وقفة أمام السفارة"
PATHS = (
    f"/incidents/{BRUSSELS}/versions/1",
    f"/articles/{ARTICLE}",
    "/communities/armenian",
    "/episodes/july-2020-border-clashes",
    "/releases",
    "/claims?country=BE",
)


def read(client, path, status=200):
    """Return the text of a page."""
    answer = client.get(path, headers={"Accept": PAGE["Accept"]})
    assert (answer.status_code, answer.mimetype) == (status, "text/html"), answer.text[:500]
    return answer.text


@pytest.mark.parametrize("path", PATHS)
def test_a_browser_gets_a_page_where_programs_get_json(seeded, client, path):
    page = client.get(path, headers=PAGE)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "'unsafe" not in page.headers["Content-Security-Policy"]
    again = client.get(path, headers={**PAGE, "If-None-Match": page.headers["ETag"]})
    assert again.status_code == 304
    plain = client.get(path)
    assert plain.json == client.get(f"/api/v1{path}").json
    assert "Accept" in plain.headers["Vary"]


@pytest.mark.parametrize("path", PATHS)
def test_every_link_of_a_page_leads_somewhere(seeded, client, path):
    links = set(re.findall(r'href="(/[^"#]*)', read(client, path)))
    assert len(links) > 5
    for link in links:
        answer = client.get(link.replace("&amp;", "&"), headers={"Accept": PAGE["Accept"]})
        assert answer.status_code == 200, link


def test_a_version_is_shown_with_its_difference(client, editor, incident):
    made = client.post("/api/v1/incidents", json=incident(title=ARABIC), headers=editor).json
    path = f"/incidents/{made['id']}"
    patch = {"arrests_low": 25, "version": 1, "reason": "A later report"}
    client.patch(f"/api/v1{path}", json=patch, headers=editor)
    text = read(client, f"{path}/versions/2")
    assert f'<h1 dir="auto">{ARABIC}</h1>' in text
    assert "A later report" in text
    row = "<del>not reported</del></td><td><ins>at least 25</ins>"
    assert row in text
    assert "It is the first version" in read(client, f"{path}/versions/1")
    assert "There is no version" in read(client, f"{path}/versions/3", status=404)
    assert "Records near it" not in read(client, path)


@pytest.mark.parametrize(("below", "anchor"), [("versions", "history"), ("claims", "claims")])
def test_lists_below_a_record_lead_to_their_part_of_its_page(seeded, client, below, anchor):
    answer = client.get(f"/incidents/{BRUSSELS}/{below}", headers=PAGE)
    assert answer.status_code == 308
    assert answer.headers["Location"].endswith(f"/incidents/{BRUSSELS}#{anchor}")
    assert f'id="{anchor}"' in read(client, f"/incidents/{BRUSSELS}")


def test_drafts_are_on_no_page_whoever_asks(client, contributor, editor, incident):
    source = {"article": {"url": "https://news.example/draft", "title": "A draft's"}}
    draft = client.post(
        "/api/v1/incidents", json=incident(sources=[source]), headers=contributor
    ).json
    article = draft["sources"][0]["article"]["id"]
    for path in (f"/incidents/{draft['id']}/versions/1", f"/articles/{article}"):
        answer = client.get(path, headers={**PAGE, **editor})
        assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert draft["title"] not in read(client, "/communities/armenian")


def test_a_release_has_its_files_and_citation_on_a_page(seeded, client, admin):
    client.post("/api/v1/releases", json={"name": "first", "title": "One"}, headers=admin)
    assert 'href="/releases/first"' in read(client, "/releases")
    text = read(client, "/releases/first")
    assert re.search(r"[0-9a-f]{64}", text)
    assert "CC BY 4.0" in text


def test_an_address_that_leads_nowhere_is_a_page_for_people_only(client):
    text = read(client, "/incident/3a8a51z8j1", status=404)
    assert 'role="search"' in text
    for path, headers in (("/nothing", {}), ("/api/v1/nothing", PAGE), ("/ogc/nothing", PAGE)):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert read(client, "/releases/nothing", status=404)


def test_wrong_filters_of_the_claims_are_said_in_words(client):
    assert "fild" in read(client, "/claims?fild=arrests", status=422)


@pytest.mark.slow
@pytest.mark.needs("chromium")
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_page_has_barriers_or_runs_off_a_phone(seeded, live_server):
    with browsers.chromium() as browser:
        visit = Visit(browser, live_server, size="phone", color_scheme="dark")
        for path in (*PATHS, f"/incidents/{BRUSSELS}", "/nothing"):
            page = visit.open(path)
            assert visit.barriers() == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        visit.spotless()
        visit.close()
