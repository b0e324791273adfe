"""The curators' desk: a client of the public API alone, and all that curators do on it."""

import json
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from api import create_app
from tests import browsers, conftest, servers
from tests.browsers import Visit

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
in_chromium = pytest.mark.needs("chromium")
LABELS = (
    "Key",
    "Title",
    "Type",
    "Summary",
    "Date",
    "City",
    "Country",
    "Venue",
    "Community",
    "Role",
)


# What the server answers with


def test_the_desk_is_a_form_that_asks_for_no_key(client):
    answer = client.get("/desk")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert "'unsafe" not in answer.headers["Content-Security-Policy"]
    for label in LABELS:
        assert re.search(rf'<label for="[^"]+">{label}</label>', answer.text)


def test_a_new_field_stands_in_the_form_by_itself(client, monkeypatch):
    from api.web import desk_form
    from schemas.fields import Choice
    from schemas.record_fields import STATE_FIELDS, RecordField
    from schemas.vocabulary import GEO_PRECISIONS

    reader = Choice(GEO_PRECISIONS, allow_none=True)
    field = RecordField(name="weather", type="text", definition="As `reported`.", reader=reader)
    monkeypatch.setattr(desk_form, "STATE_FIELDS", (*STATE_FIELDS, field))
    text = client.get("/desk").text
    assert '<select id="weather" data-name="weather" data-kind="choice"' in text
    assert "As <code>reported</code>." in text


def test_the_files_of_the_desk_may_be_kept_for_good(client):
    text = client.get("/desk").text
    addresses = set(re.findall(r'"(/desk/assets/[^"]+)"', text))
    assert len(addresses) > 15
    for address in addresses:
        answer = client.get(address)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    inline = r"<script(?![^>]* src=)|<style| style=| on[a-z]+="
    assert re.findall(inline, text) == []


# In the browser


@pytest.fixture(scope="module")
def browser():
    """Yield the machine's own Chromium."""
    with browsers.chromium() as found:
        yield found


@pytest.fixture(scope="module")
def service(database):
    """Yield the address of a service that holds the seeds, for all tests of this file."""
    database.engine.restore(database.url, database.bare)
    app = create_app({"DATABASE_URL": database.url})
    database.seed(app)
    conftest.close(app)
    with servers.serving(database.url) as address:
        yield address


class Desk(Visit):
    """The desk at ADDRESS, worked at with the key of a ROLE; notes what it asks of the API."""

    def __init__(self, browser, address, database, role, **options):
        super().__init__(browser, address, **options)
        self.width = self.page.viewport_size["width"]
        self.requests = []
        self.page.on("request", self._note)
        self.open("/desk")
        if role:
            self.page.get_by_label("Key", exact=True).fill(database.keys[role])
            self.press("Use this key")
            self.page.get_by_text(f", {role}.").wait_for()

    def _note(self, request):
        if "/api/v1/" in request.url:
            self.requests.append(request)

    def press(self, name, within=None):
        (within or self.page).get_by_role("button", name=name, exact=True).last.click()

    def type(self, label, text, within=None):
        (within or self.page).get_by_label(label, exact=True).last.fill(text)

    def choose(self, label, option, within=None):
        (within or self.page).get_by_label(label, exact=True).last.select_option(label=option)

    def go(self, part):
        self.page.get_by_role("link", name=part, exact=True).click()

    def count(self, name, **ends):
        fieldset = self.page.get_by_role("group", name=name, exact=True).first
        for label, text in ends.items():
            self.type(label.replace("_", " "), text, fieldset)

    def claim(self, field, *, text, figure=None, **others):
        self.press("Add a claim")
        self.choose("Field", field)
        if figure:
            self.type("Figure", figure, self.page.locator(".claim").last)
        self.type("Words", text)
        for label, value in others.items():
            self.type(label.replace("_", " "), value, self.page.locator(".claim").last)


@pytest.fixture
def desk(browser, service, database):
    """Yield a function that opens the desk; none may break a rule of its policy."""
    desks = []

    def make(role=None, **options):
        desks.append(Desk(browser, service, database, role, **options))
        return desks[-1]

    yield make
    for one in desks:
        one.spotless()
        one.close()


def could_have_been_curl(desk, description):
    """Hold that each request was one of the API's own, with the key and without a cookie."""
    rules = {
        (method.upper(), re.compile(re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(path)) + "$"))
        for path, methods in description["paths"].items()
        for method in methods
    }
    for request in desk.requests:
        path, headers = urlsplit(request.url).path, request.headers
        assert any(method == request.method and rule.match(path) for method, rule in rules), path
        assert headers["authorization"].startswith("Bearer ")
        assert "cookie" not in headers
        if request.post_data:
            json.loads(request.post_data)


@pytest.mark.slow
@on_sqlite
@in_chromium
def test_one_story_from_an_article_to_what_the_public_sees(desk, browser, service):
    # Given an article that tells of two incidents, which a contributor enters,
    author = desk("contributor")
    author.type("Title", "Rally outside the embassy")
    author.choose("Type", "Rally")
    author.type("Date", "2021-03-05")
    expect(author.page.get_by_text("5 March 2021").first).to_be_visible()
    author.type("City", "Bruss")
    author.page.get_by_role("button", name=re.compile("^Brussels, Brussels Capital")).click()
    author.type("Community", "Ermeniler")
    expect(author.page.get_by_text("This is Armenian.")).to_be_visible()
    author.count("Participants", At_least="100", At_most="200")
    expect(author.page.get_by_text("100 to 200").first).to_be_visible()
    author.press("Add an article")
    author.type("Address of the article", "https://news.example/two-rallies")
    author.type("Title of the article", "Two rallies")
    author.claim("Participants", figure="100", text="a hundred people", Who_says_so="the police")
    author.claim("Participants", text="hundreds", At_least="200", Who_says_so="the organisers")
    expect(author.page.locator("#check")).to_contain_text("It would be made.")
    author.press("Send")
    expect(author.page.get_by_text("The draft was sent")).to_be_visible()
    author.press("Another incident from the same article")
    author.type("Title", "Rally at the central station")
    author.choose("Type", "Rally")
    author.type("Date", "2021-03")
    author.type("City", "Ghent")
    author.type("Country", "BE")
    author.type("Community", "Armenian")
    author.count("Arrests", Figure=">50")
    author.press("Use arrests_low: 51")
    author.press("Send")
    expect(author.page.get_by_text("The draft was sent")).to_be_visible()
    author.go("Drafts")
    expect(author.page.locator(".cards > li")).to_have_count(2)

    # when an editor corrects and publishes one and rejects the other with a reason,
    editor = desk("editor")
    editor.go("Drafts")
    first = editor.page.locator(".cards > li", has_text="Rally outside the embassy")
    editor.press("Look at it: Rally outside the embassy")
    expect(first).to_contain_text("the organisers")
    editor.press("Change it", first)
    editor.type("Title", "Rally outside the embassy in Brussels")
    editor.press("Send")
    expect(editor.page.get_by_text("The draft was sent")).to_be_visible()
    editor.go("Drafts")
    editor.press("Look at it: Rally outside the embassy in Brussels")
    card = editor.page.locator(".cards > li", has_text="in Brussels")
    editor.press("Publish", card)
    expect(editor.page.get_by_text("Published:")).to_be_visible()
    editor.press("Look at it: Rally at the central station")
    second = editor.page.locator(".cards > li", has_text="central station")
    editor.type("Reason (an author reads why a draft is rejected)", "Which station?", second)
    editor.press("Reject", second)
    expect(editor.page.get_by_text("Rejected:")).to_be_visible()
    author.press("Load again")
    expect(author.page.get_by_text("Which station?")).to_be_visible()

    # and a duplicate that was sent all the same is merged,
    editor.go("An incident")
    editor.press("Start with an empty form")
    for label, text in (("Title", "Embassy rally"), ("Date", "2021-03-05"), ("City", "Brussels")):
        editor.type(label, text)
    editor.choose("Type", "Rally")
    editor.type("Country", "Belgium")
    editor.type("Community", "Armenian")
    editor.count("Deaths", Figure="0")
    editor.press("Send")
    editor.press("It is another event: send it")
    expect(editor.page.get_by_text("It was published")).to_be_visible()
    other = editor.page.locator("#sent a").first.get_attribute("href").partition("=")[2]
    kept = editor.page.request.get(f"{service}/api/v1/incidents?q=Rally+outside").json()["data"][0]
    editor.go("Two of one event")
    editor.type("Id of one record", kept["id"])
    editor.type("Id of another", other)
    editor.press("Show both")
    editor.page.get_by_label("Deaths").check()
    editor.type("Reason", "One event", editor.page.locator("#compared"))
    editor.press("Merge them")
    expect(editor.page.get_by_text(f"{other} was merged into")).to_be_visible()

    # then the public sees the record, with its claims and history, at either address.
    public = Visit(browser, service)
    page = public.open(f"/incidents/{other}")
    assert page.url.endswith(kept["id"])
    for text in ("Rally outside the embassy in Brussels", "the organisers", "One event", "100–200"):
        expect(page.get_by_text(text).first).to_be_visible()
    assert page.request.get(f"{service}/api/v1/incidents/{kept['id']}").json()["deaths"] == 0
    public.close()
    description = author.page.request.get(f"{service}/openapi.json").json()
    assert len(author.requests) > 5 < len(editor.requests)
    for one in (author, editor):
        could_have_been_curl(one, description)


ARTICLE = {
    "url": "https://news.ru/en/world/confrontation-of-diasporas-armenians-and-azerbaijanis-clash-on-moscow-streets/",
    "title": "Confrontation of diasporas: Armenians and Azerbaijanis clash on Moscow streets",
    "publisher": "News.ru",
    "published": "2020-07-24..2020-07-31",
}
CLAIMS = (
    ("1", {"field": "arrests", "value": 17, "text": "17 people"}),
    ("2", {"field": "arrests", "value": 17, "text": "17 people detained"}),
    ("2", {"field": "date", "value": "2020-07-22", "text": "July 22"}),
    ("3", {"field": "type", "value": "clash", "text": "clashes in Belgium"}),
    ("3", {"field": "type", "text": "unrest"}),
)


class Typist(Desk):
    """A person who types and clicks; counts both. A choice of a list is two clicks."""

    keys = clicks = 0

    def press(self, name, within=None):
        self.clicks += 1
        super().press(name, within)

    def type(self, label, text, within=None):
        self.keys += len(text)
        super().type(label, text, within)

    def choose(self, label, option, within=None):
        self.clicks += 2
        super().choose(label, option, within)

    def tick(self, label):
        self.clicks += 1
        self.page.get_by_label(label, exact=True).check()


def brussels():
    """Return the seeds' incident of Brussels as a draft in JSON, with five claims."""
    path = servers.ROOT / "seeds" / "incidents" / "brussels-embassy-july-2020.json"
    body = json.loads(path.read_text())
    del body["id"]
    body["sources"] = []
    for paragraph in dict.fromkeys(paragraph for paragraph, _ in CLAIMS):
        # What is named once need not be named again.
        article = {"url": ARTICLE["url"]} if body["sources"] else ARTICLE
        claims = [claim for where, claim in CLAIMS if where == paragraph]
        locator = f"paragraph {paragraph}"
        body["sources"].append({"article": article, "locator": locator, "claims": claims})
    return body


def enter_brussels(desk, body):
    """Enter BODY as a person would: what stands in it twice is typed once and used again."""
    desk.type("Title", body["title"])
    desk.choose("Type", "Clash")
    desk.type("Summary", body["summary"])
    desk.type("City", "Brus")
    desk.clicks += 1
    desk.page.get_by_role("button", name=re.compile("^Brussels, Brussels Capital")).click()
    desk.type("Venue", body["venue"])
    desk.type("Community", "armenian")
    for measure in ("Water cannon", "Dispersal", "Detention"):
        desk.tick(measure)
    desk.type("Episode", body["episode"])
    desk.press("Add an article")
    labels = ("Address of the article", "Title of the article", "Publisher", "Published on")
    for label, text in zip(labels, ARTICLE.values(), strict=True):
        desk.type(label, text)
    for paragraph, claim in CLAIMS:
        desk.press("Add a claim")
        row = desk.page.locator(".claim").last
        desk.choose("Field", claim["field"].capitalize(), row)
        if claim["field"] == "type" and "value" in claim:
            desk.choose("Type it gives", "Clash", row)
        elif "value" in claim:
            label = {"date": "Date it gives"}.get(claim["field"], "Figure")
            desk.type(label, str(claim["value"]), row)
        desk.type("Words", claim["text"], row)
        desk.type("Paragraph", f"paragraph {paragraph}", row)
        if claim["text"] in ("17 people detained", "July 22"):
            desk.press("Use it in the record", row)


@pytest.mark.slow
@on_sqlite
@in_chromium
def test_the_incident_of_brussels_takes_less_than_half_the_keys_of_its_json(
    browser, service, database
):
    body = brussels()
    written = len(json.dumps(body, ensure_ascii=False))
    typist = Typist(browser, service, database, "contributor")
    typist.keys = typist.clicks = 0
    enter_brussels(typist, body)
    typist.press("Send")
    typist.press("It is another event: send it")
    expect(typist.page.get_by_text("The draft was sent")).to_be_visible()
    print(f"\n{typist.keys} keys and {typist.clicks} clicks; {written} keys as JSON")  # noqa: T201
    made = json.loads(typist.requests[-1].post_data)
    assert comparable(made) == comparable(body)
    assert typist.keys * 2 < written
    typist.spotless()
    typist.close()


def comparable(body):
    """Return BODY with what may be written in two ways written in one."""
    country = {"Belgium": "BE"}.get(body["country"], body["country"])
    sources = [{**source, "article": source["article"]["url"]} for source in body["sources"]]
    body = {**body, "country": country, "sources": sources}
    return {name: value for name, value in body.items() if name != "admin1"}


@on_sqlite
@in_chromium
def test_a_change_that_meets_another_is_shown_as_a_difference_and_put_on_top(
    desk, service, database
):
    editor = desk("editor")
    headers = {"Authorization": f"Bearer {database.keys['editor']}", "If-Match": "*"}
    path = f"{service}/api/v1/incidents/3a8a51z8j1"
    editor.page.goto(f"{service}/desk#record=3a8a51z8j1")
    editor.press("Change it")
    editor.type("Venue", "A market")
    for summary in ("Changed meanwhile.", "Changed again."):
        changed = editor.page.request.patch(path, data={"summary": summary}, headers=headers)
    editor.press("Send")
    conflict = editor.page.locator("#conflict")
    expect(conflict).to_contain_text("The record changed while you worked")
    expect(conflict).to_contain_text("Changed again.")
    expect(conflict).to_contain_text("A market")
    editor.press(f"Put my changes on version {changed.json()['version']}")
    editor.press("Send")
    expect(editor.page.get_by_text("It was published")).to_be_visible()
    record = editor.page.request.get(path).json()
    assert (record["venue"], record["summary"]) == ("A market", "Changed again.")
    before = editor.page.request.get(f"{path}/versions/1").json()
    assert record["sources"] == before["sources"]


@on_sqlite
@in_chromium
def test_an_import_shows_its_bad_lines_and_is_undone(desk, tmp_path, incident):
    lines = [incident(title="A good line", city="Lviv"), incident(title="A bad line", arrests="x")]
    file = tmp_path / "lines.ndjson"
    file.write_text("\n".join(map(json.dumps, lines)))
    editor = desk("editor")
    editor.go("Imports")
    editor.page.get_by_label("File").set_input_files(file)
    editor.press("Import")
    expect(editor.page.locator("#imports .problem")).to_be_visible()
    expect(editor.page.locator("#imported tbody tr")).to_have_count(1)
    editor.page.get_by_label("Leave out lines that do not fit, and take the others").check()
    editor.press("Import")
    expect(editor.page.get_by_text("It was taken: 1 created.")).to_be_visible()
    card = editor.page.locator("#imports .cards > li").first
    card.get_by_text("Undo it").click()
    editor.type("Reason", "The wrong file", card)
    editor.press("Undo the import", card)
    expect(editor.page.get_by_text("is undone: 1 withdrawn")).to_be_visible()


@on_sqlite
@in_chromium
def test_what_fails_is_said_and_nothing_stays_busy(desk):
    editor = desk("editor")
    editor.page.route("**/api/v1/**", lambda route: route.abort())
    editor.go("Drafts")
    alarm = editor.page.locator("#drafts > .alarm")
    expect(alarm).to_contain_text("The service does not answer.")
    expect(editor.page.locator("[aria-busy]")).to_have_count(0)
    editor.page.unroute("**/api/v1/**")
    editor.press("Try again", alarm)
    expect(alarm).to_be_empty()
    editor.press("Forget the key")
    editor.type("Key", "wrong")
    editor.press("Use this key")
    expect(editor.page.locator("#key-alarm")).to_contain_text("key")
    expect(editor.page.get_by_label("Key", exact=True)).to_be_focused()


LONG = "Überschwemmungsgebietsverordnungsänderung" * 3
ARABIC = "وقفة أمام السفارة في بروكسل (17 شخصًا)"


@pytest.mark.slow
@on_sqlite
@in_chromium
@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_no_state_of_the_desk_has_barriers_or_runs_off_the_window(
    desk, service, database, incident, size, scheme
):
    one = desk("editor", size=size, color_scheme=scheme)
    headers = {"Authorization": f"Bearer {database.keys['contributor']}"}
    for title in (LONG, ARABIC):
        body = incident(title=title, date=f"2011-0{len(size) % 9 + 1}", summary=f"{ARABIC} {LONG}")
        one.page.request.post(f"{service}/api/v1/incidents", data=body, headers=headers)

    def holds():
        assert one.barriers() == []
        assert one.page.evaluate("document.documentElement.scrollWidth") <= one.width

    one.press("Add an article")
    one.claim("Arrests", text=ARABIC)
    one.type("Title", LONG)
    one.count("Arrests", Figure=">50")
    one.press("Try it, write nothing")
    expect(one.page.locator(".fault").first).to_be_visible()
    holds()
    one.go("Drafts")
    one.press(f"Look at it: {ARABIC}")
    expect(one.page.locator(".decision")).to_be_visible()
    holds()
    one.page.goto(f"{service}/desk#pairs")
    one.type("Id of one record", "3a8a51z8j1")
    one.type("Id of another", "kn46wr7ddn")
    one.press("Show both")
    expect(one.page.locator("#compared .decision")).to_be_visible()
    holds()
    one.page.goto(f"{service}/desk#record=3a8a51z8j1")
    expect(one.page.locator("#record article")).to_be_visible()
    holds()
