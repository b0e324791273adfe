"""The guide: the documentation in `docs/` as pages, from Markdown rendered once a process.

What people read in the repository is what the service shows. A link to another page of it leads to
that page here; one to a file that the service does not serve is left as words.
"""

import posixpath
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from api.core.project_folders import folder

DOCS = folder("docs")
INDEX = "README"
# The order of the contents; pages that are not named here come last.
GROUPS = {
    "Learn": ("tutorial",),
    "How to": (
        "howto",
        "queries",
        "search",
        "exports",
        "tools",
        "mirroring",
        "desk",
        "importing",
        "curation",
    ),
    "Understand": ("design", "claims", "history", "explorer"),
    "Run": ("running", "upgrading", "moving", "backups"),
    "Look up": ("reference", "glossary", "stability"),
    "Develop": ("development",),
}
_MORE = "More"
_HERE = "http://127.0.0.1:8000"  # how examples write the address of the service


@dataclass(frozen=True)
class Page:
    """A page: its name in addresses, its title, its body, and its sections by anchor."""

    name: str
    title: str
    body: str
    sections: dict[str, str]


@lru_cache(maxsize=1)
def pages() -> dict[str, Page]:
    """Return every page by name; none where the documentation is not beside the package."""
    return {path.stem: rendered(path) for path in sorted(DOCS.glob("*.md"))}


def contents() -> dict[str, list[Page]]:
    """List the pages but the first by group, in the order in which they are best read."""
    known = pages()
    groups = {
        group: [known[name] for name in names if name in known] for group, names in GROUPS.items()
    }
    grouped = {INDEX, *(name for names in GROUPS.values() for name in names)}
    groups[_MORE] = [page for name, page in known.items() if name not in grouped]
    return {group: those for group, those in groups.items() if those}


@lru_cache(maxsize=1)
def images() -> dict[str, bytes]:
    """Return the pictures of the pages by file name."""
    folder = DOCS / "images"
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.*"))}


def rendered(path: Path) -> Page:
    """Render a file of Markdown."""
    text = re.sub(r"<!--.*?-->\n*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable("table")
    tokens = parser.parse(text)
    title = path.stem
    if tokens and tokens[0].tag == "h1":
        title, tokens = _words(tokens[1]), tokens[3:]
    sections: dict[str, str] = {}
    met: Counter[str] = Counter()
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            words = _words(inline)
            # As forges name it, so that an anchor leads to the same place there and here.
            anchor = re.sub(r"[^\w\- ]", "", words.lower()).strip().replace(" ", "-")
            met[anchor] += 1
            if met[anchor] > 1:
                anchor = f"{anchor}-{met[anchor] - 1}"
            opening.attrSet("id", anchor)
            if opening.tag == "h2":
                sections[anchor] = words
    for token in tokens:
        _point(token.children or [])
    return Page(path.stem, title, parser.renderer.render(tokens, parser.options, {}), sections)


def _words(inline: Token) -> str:
    """Return the words of a heading."""
    return "".join(part.content for part in inline.children or ())


def _point(children: list[Token]) -> None:
    """Let the links and pictures of a text lead to where the service has them."""
    closed = False
    for token in children:
        if token.type == "image":
            token.attrSet("src", f"/guide/{token.attrGet('src')}")
        elif token.type == "link_open":
            address = _address(str(token.attrGet("href")))
            closed = address is None
            token.attrs = {} if address is None else {**token.attrs, "href": address}
            token.tag = "span" if closed else "a"
        elif token.type == "link_close":
            token.tag = "span" if closed else "a"


def _address(href: str) -> str | None:
    """Return the address that a link has here; None where the service has nothing of it."""
    if href.startswith(_HERE):
        return href.removeprefix(_HERE) or "/"
    if re.match(r"[a-z]+:|[/#]", href):
        return href
    path, mark, anchor = href.partition("#")
    path = posixpath.normpath(path)
    if path == f"{INDEX}.md":
        return f"/guide{mark}{anchor}"
    if "/" not in path and path.endswith(".md"):
        return f"/guide/{path.removesuffix('.md')}{mark}{anchor}"
    return None


class _Renderer(RendererHTML):
    """Writes tables and pictures that scroll by themselves, also with a keyboard."""

    def __init__(self, parser: Any = None) -> None:
        super().__init__(parser)
        self.met: Counter[str] = Counter()

    def _scrolling(self, what: str, role: str) -> str:
        self.met[what] += 1
        name = f"{what} {self.met[what]}"
        return f'class="scroll" tabindex="0" role="{role}" aria-label="{name}"'

    def image(self, tokens: Any, index: int, options: Any, env: Any) -> str:
        """Write a picture that keeps a size at which its words can be read."""
        shown = super().image(tokens, index, options, env)
        return f"<span {self._scrolling('Picture', 'group')}>{shown}</span>"

    def table_open(self, *_: Any) -> str:
        """Open a table within a region that can be reached."""
        return f"<div {self._scrolling('Table', 'region')}><table>\n"

    def table_close(self, *_: Any) -> str:
        """Close a table and its region."""
        return "</table></div>\n"

    def th_open(self, tokens: Any, index: int, options: Any, env: Any) -> str:
        """Open the head of a column."""
        tokens[index].attrs = {"scope": "col"}
        return self.renderToken(tokens, index, options, env)

    def td_open(self, tokens: Any, index: int, options: Any, env: Any) -> str:
        """Open a cell: how it is aligned would be an inline style."""
        tokens[index].attrs = {}
        return self.renderToken(tokens, index, options, env)
