"""What crawlers, previews and programs find a record by."""

import json
import re
from xml.etree import ElementTree

import pytest

from api.routes import discovery
from tests.examples import MOSCOW

PAGE = {"Accept": "text/html"}
SPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def linked_data(page):
    """Read the JSON-LD of a page."""
    (text,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


def addresses(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/xml")
    return [one.text for one in ElementTree.fromstring(answer.data).iter(f"{SPACE}loc")]


@pytest.mark.parametrize("part", [10_000, 3])
def test_the_sitemap_lists_every_published_record_once(
    seeded, client, contributor, incident, monkeypatch, part
):
    monkeypatch.setattr(discovery, "PART", part)
    client.post("/api/v1/incidents", json=incident(), headers=contributor)
    origin = "http://127.0.0.1:8000"
    parts = addresses(client, "/sitemap.xml")
    found = [one for each in parts for one in addresses(client, each.removeprefix(origin))]
    records = client.get("/api/v1/incidents").json["data"]
    assert sorted(found) == sorted(f"{origin}/incidents/{one['id']}" for one in records)
    for number in (999_999, 10**30):
        assert addresses(client, f"/sitemaps/{number}.xml") == []


def test_robots_are_told_the_sitemap_and_to_leave_the_api_alone(client):
    lines = client.get("/robots.txt").text.splitlines()
    assert "Disallow: /api/" in lines
    assert "Sitemap: http://127.0.0.1:8000/sitemap.xml" in lines


def test_whom_to_tell_of_a_weakness_is_who_is_named(make_app, client):
    assert client.get("/.well-known/security.txt").status_code == 404
    text = make_app(CONTACT="me@incidents.example").test_client().get("/.well-known/security.txt")
    assert "Contact: mailto:me@incidents.example\n" in text.text
    assert re.search(r"^Expires: 20\d\d-\d\d-01T00:00:00Z$", text.text, re.MULTILINE)


def test_a_record_s_page_says_what_it_is_to_programs_and_previews(seeded, client):
    page = client.get(f"/incidents/{MOSCOW}", headers=PAGE).text
    record = client.get(f"/api/v1/incidents/{MOSCOW}").json
    address = f"http://127.0.0.1:8000/incidents/{MOSCOW}"
    assert f'<link rel="canonical" href="{address}">' in page
    assert '<meta property="og:title"' in page
    found = linked_data(page)
    assert (found["url"], found["dateModified"]) == (address, record["updated_at"])
    assert found["about"]["startDate"] == record["date_start"]
    assert found["about"]["location"]["address"]["addressLocality"] == "Moscow"
    assert len(found["citation"]) > 0


def test_a_release_s_page_is_a_data_set_with_what_google_asks_for(seeded, client, admin):
    client.post("/api/v1/releases", json={"name": "2026-12"}, headers=admin)
    found = linked_data(client.get("/releases/2026-12", headers=PAGE).text)
    assert found["@type"] == "Dataset"
    assert found["name"]
    assert 50 <= len(found["description"]) <= 5000
    for member in ("creator", "license", "isAccessibleForFree", "version", "citation"):
        assert found[member], member
    for file in found["distribution"]:
        assert file["contentUrl"].startswith("http://127.0.0.1:8000/api/v1/releases/2026-12/")
        assert file["encodingFormat"]


def test_programs_find_the_description_and_how_a_record_is_changed(seeded, client):
    links = client.get("/api/v1").headers.getlist("Link")
    assert any('rel="service-desc"' in link and "/openapi.json" in link for link in links)
    record = client.get(f"/api/v1/incidents/{MOSCOW}")
    assert record.headers["Accept-Patch"].startswith("application/merge-patch+json")
