"""The guide: whole, true where it shows answers, and the same in the repository and at /guide."""

import re
from html import unescape
from pathlib import Path

import pytest

from api.web import guide
from tests import browsers, consoles
from tests.browsers import SCHEMES, SIZES, Visit

DOCS = Path(__file__).resolve().parent.parent / "docs"
NAMES = sorted(path.stem for path in DOCS.glob("*.md"))
PAGE = {"Accept": "text/html,*/*;q=0.8"}
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def links(page):
    """List where a page of Markdown leads to: (address, whether it is a picture)."""
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.S)
    return [
        (found[2], bool(found[1])) for found in re.finditer(r"(!?)\[[^\]]*\]\(([^)\s]+)\)", text)
    ]


def anchors(text):
    return set(re.findall(r' id="([^"]+)"', text))


def test_the_tutorial_answers_as_printed(seeded, client, contributor, editor):
    tutorial = DOCS / "tutorial.md"
    assert len(consoles.lines(tutorial)) >= 9
    consoles.answer_as_printed(client, tutorial, {"KEY": contributor, "EDITOR_KEY": editor})


def test_the_story_of_a_spreadsheet_answers_as_printed(seeded, client, editor):
    importing = DOCS / "importing.md"
    assert len(consoles.lines(importing)) >= 4
    consoles.answer_as_printed(client, importing, {"KEY": editor})


@pytest.mark.parametrize("name", NAMES)
def test_every_link_in_the_repository_leads_somewhere(name):
    for address, _ in links(DOCS / f"{name}.md"):
        path, _, anchor = address.partition("#")
        if re.match(r"https?:", address):
            continue
        target = (DOCS / path).resolve() if path else DOCS / f"{name}.md"
        assert target.exists(), address
        if anchor and target.suffix == ".md" and target.parent == DOCS:
            assert anchor in anchors(guide.pages()[target.stem].body), address


def tasks():
    """List the rows of “Find your task”: (task, words that do it, page, section)."""
    row = r"^\| ([^|]+) \| `([^|]+)` \| \[[^]]+\]\(([a-z]+)\.md(?:#([^)]+))?\) \|$"
    return re.findall(row, (DOCS / "README.md").read_text(), re.MULTILINE)


def test_the_first_page_names_what_readers_want_to_do():
    assert len(tasks()) >= 20


@pytest.mark.parametrize(("task", "words", "page", "section"), tasks())
def test_a_task_is_explained_where_the_first_page_leads(task, words, page, section):
    body = guide.pages()[page].body
    if section:
        body = body.partition(f' id="{section}"')[2].partition("<h2")[0]
    assert words in unescape(body)


@on_sqlite
def test_every_page_is_served_and_its_links_lead_somewhere(client):
    seen = set()
    for path in ("/guide", *(f"/guide/{name}" for name in NAMES)):
        answer = client.get(path, headers=PAGE)
        assert (answer.status_code, answer.mimetype) == (200, "text/html")
        for address in set(re.findall(r'(?:href|src)="(/[^"]*)"', answer.text)) - seen:
            seen.add(address)
            target, _, anchor = address.partition("#")
            found = client.get(target, headers=PAGE)
            assert found.status_code == 200 or address == "/incidents/3a8a51z8j1", address
            assert not anchor or anchor in anchors(found.text), address
    assert "/guide/images/figures.svg" in seen


@on_sqlite
def test_a_page_is_held_and_comes_with_a_strict_policy(client):
    answer = client.get("/guide/design", headers=PAGE)
    assert "default-src 'none'; script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert re.findall(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", answer.text) == []
    cached = {"If-None-Match": answer.headers["ETag"]}
    assert client.get("/guide/design", headers={**PAGE, **cached}).status_code == 304


@on_sqlite
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/guide/none", 404),
        ("/guide/images/none.svg", 404),
        ("/guide/design?colour=red", 422),
        ("/guide/images/..%2f..%2fsetup.cfg", 404),
    ],
)
def test_what_is_not_there_is_told(client, path, status):
    assert client.get(path, headers=PAGE).status_code == status
    assert client.get(path).mimetype == "application/problem+json"


def test_every_page_stands_in_the_contents_once():
    listed = [page.name for pages in guide.contents().values() for page in pages]
    assert sorted([*listed, guide.INDEX]) == NAMES


def test_pictures_have_words_in_their_place():
    pictures = re.findall(r"!\[([^\]]*)\]", "".join(p.read_text() for p in DOCS.glob("*.md")))
    assert pictures
    assert all(len(words) > 20 for words in pictures)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("| a |\n|:-:|\n| b |", '<th scope="col">a</th>'),
        ("[a](../seeds/README.md)", "<span>a</span>"),
        ("[a](exports.md#csv)", 'href="/guide/exports#csv"'),
        ("<!-- hidden -->\nshown", "<p>shown</p>"),
    ],
)
def test_markdown_becomes_safe_pages(tmp_path, text, html):
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\n{text}\n")
    rendered = guide.rendered(page)
    assert rendered.title == "Title"
    assert html in rendered.body
    assert "style=" not in rendered.body


@pytest.mark.slow
@pytest.mark.needs("chromium")
@on_sqlite
def test_no_page_has_barriers_at_any_size_in_any_scheme(live_server):
    found = {}
    with browsers.chromium() as browser:
        for size, scheme in zip(SIZES, SCHEMES, strict=True):
            one = Visit(browser, live_server, size=size, color_scheme=scheme)
            for name in NAMES:
                page = one.open(f"/guide/{name}")
                found[size, scheme, name] = one.barriers()
                wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
                assert not wide, f"{name} is wider than the screen ({size})"
                tall = page.evaluate("document.documentElement.scrollHeight")
                assert tall <= 40_000, f"{name} is {tall} pixels high ({size})"
                broken = "[...document.images].filter(one => one.complete && !one.naturalWidth)"
                assert page.evaluate(f"{broken}.length") == 0
            one.spotless()
            one.close()
    assert {key: value for key, value in found.items() if value} == {}
