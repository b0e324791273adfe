"""The page that shows the API's description: from files of the service, and nothing else."""

import re

import pytest
from playwright.sync_api import sync_playwright

from tests import tools

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
}


@pytest.fixture
def browser_page():
    """Yield a page of the machine's own Chromium, with what it asks for and complains of."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=tools.find("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.add_init_script(
            "window.violations = [];"
            "document.addEventListener('securitypolicyviolation',"
            " event => window.violations.push(event.violatedDirective + ' ' + event.blockedURI))"
        )
        page.requested, page.complaints = [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: page.complaints.append(said.text) if said.type == "error" else None,
        )
        yield page
        browser.close()


@pytest.mark.slow
@pytest.mark.needs("chromium")
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_page_shows_every_operation_and_asks_nobody_else(live_server, browser_page):
    page = browser_page
    page.goto(f"{live_server}/docs")
    page.wait_for_selector(".opblock-summary")
    operations = page.request.get(f"{live_server}/openapi.json").json()["paths"]
    assert page.locator(".opblock-summary").count() == sum(map(len, operations.values()))
    page.click("#operations-incidents-list_incidents .opblock-summary-control")
    page.wait_for_selector("#operations-incidents-list_incidents .parameters-container")
    page.click("#operations-incidents-list_incidents .try-out__btn")
    page.click("#operations-incidents-list_incidents .execute")
    answer = page.wait_for_selector("#operations-incidents-list_incidents .live-responses-table")
    assert "200" in answer.inner_text()
    assert page.evaluate("window.violations") == []
    assert page.complaints == []
    asked = [url for url in page.requested if not url.startswith("data:")]
    assert asked
    assert all(url.startswith(f"{live_server}/") for url in asked)


@pytest.mark.slow
@pytest.mark.needs("chromium")
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_tried_writes_nothing_unasked_and_is_invented(live_server, browser_page):
    page, sent, asked = browser_page, [], []
    page.on("request", lambda request: request.method == "POST" and sent.append(request))
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.emulate_media(color_scheme="dark")
    page.goto(f"{live_server}/docs")
    page.wait_for_selector(".opblock-summary", timeout=60_000)
    assert page.locator("html.dark-mode").count() == 1
    for operation, told in (("incidents-create_incident", sent), ("keys-create_key", asked)):
        block = page.locator(f"#operations-{operation}")
        block.locator(".opblock-summary-control").click()
        block.locator(".try-out__btn").click()
        block.locator(".execute").click()
        for _ in range(100):
            if not told:
                page.wait_for_timeout(200)
    assert ["dry_run=true" in request.url for request in sent] == [True]
    assert "invented" in sent[0].post_data_json["title"]
    assert len(asked) == 1


def test_the_page_comes_with_a_strict_policy(client):
    answer = client.get("/docs")
    assert answer.mimetype == "text/html"
    assert set(answer.headers["Content-Security-Policy"].split("; ")) == POLICY
    assert "<style" not in answer.text
    assert re.findall(r"<script(?![^>]* src=)", answer.text) == []


def test_the_files_of_the_page_may_be_kept_for_good(client):
    addresses = re.findall(r'(?:src|href)="(/docs/assets/[^"]+)"', client.get("/docs").text)
    assert len(addresses) == 4
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        not_modified = client.get(address, headers={"If-None-Match": answer.headers["ETag"]})
        assert not_modified.status_code == 304


def test_a_file_of_another_release_is_not_found(client):
    (address, *_) = re.findall(r'src="(/docs/assets/[^"]+)"', client.get("/docs").text)
    _, _, _, release, name = address.split("/")
    for other in (f"/docs/assets/0000/{name}", f"/docs/assets/{release}/../docs.html"):
        answer = client.get(other)
        assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
