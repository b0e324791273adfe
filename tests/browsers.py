"""Pages in the machine's own Chromium, with what they ask for and complain of.

`Visit` is a page that notes every request, every violation of the content security policy and
every error; `spotless` holds that there was nothing amiss and nobody else was asked.
"""

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests import tools

_AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_WATCH = (
    "window.violations = [];"
    "document.addEventListener('securitypolicyviolation',"
    " event => window.violations.push(event.violatedDirective + ' ' + event.blockedURI))"
)
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
MORE_SIZES = {**SIZES, "wide": (1440, 900), "tablet": (820, 1180)}
SCHEMES = ("light", "dark")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=tools.find("chromium"), args=list(_QUIET)
        )
        yield browser
        browser.close()


# Boxes of the page with a text of their own, or a picture, as [left, top, right, bottom, words].
_BOXES = """() => [...document.querySelectorAll("header *, main *, footer *")].filter((one) => {
  if (one.closest(".unseen, .leaflet-container *, svg *")) return false;
  const style = getComputedStyle(one);
  const inline = style.display.startsWith("inline") && !one.matches("svg, input, select, button");
  const filled = one.matches("svg, .map, input, select, button, .track")
    || [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
    || (!inline && [...one.children].some((inner) => getComputedStyle(inner).display === "inline"));
  return filled && !inline && one.checkVisibility() && one.getClientRects().length;
}).map((one) => {
  const box = one.getBoundingClientRect();
  const name = `${one.tagName} ${one.className?.baseVal ?? one.className}`;
  const words = `${name} ${one.textContent.trim().slice(0, 40)}`;
  return [box.left, box.top + scrollY, box.right, box.bottom + scrollY, words];
})"""
_TOUCH = 1.5  # pixels that two boxes may share, for fractions


class Visit:
    """A page of the service at ADDRESS, in a context of its own."""

    def __init__(self, browser: Browser, address: str, size: str = "desktop", **options: Any):
        """OPTIONS are those of Playwright's contexts, such as `color_scheme`."""
        width, height = MORE_SIZES[size]
        viewport = {"width": width, "height": height}
        self.address = address
        self.scripts = options.get("java_script_enabled", True)
        self.context = browser.new_context(viewport=viewport, **options)
        self.context.add_init_script(_WATCH)
        self.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page: Page = self.context.new_page()
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._listen)

    def _listen(self, said: Any) -> None:
        # What a page answers with is told as an error too: `spotless` is about what it does.
        if said.type == "error" and "Failed to load resource" not in said.text:
            self.complaints.append(said.text)

    def open(self, path: str) -> Page:
        """Go to PATH, and wait until everything that comes with it is there."""
        self.page.goto(f"{self.address}{path}", wait_until="networkidle")
        return self.page

    def settled(self) -> None:
        """Wait until the page has drawn what was asked for last."""
        self.page.wait_for_load_state("networkidle")
        expect(self.page.locator("[aria-busy]")).to_have_count(0)

    def spotless(self) -> None:
        """Hold that the page broke no rule of its policy, raised no error, asked nobody else."""
        if self.scripts:
            assert self.page.evaluate("window.violations") == []
        assert self.complaints == []
        outside = [url for url in self.asked if not url.startswith((self.address, "data:"))]
        assert outside == []

    def barriers(self) -> list[Any]:
        """List what axe-core finds against the accessibility of the page as it stands."""
        # Evaluated by the browser's own tools, which no policy of the page keeps out.
        self.page.evaluate(_AXE.read_text())
        found = self.page.evaluate("axe.run({resultTypes: ['violations']})")
        return [
            (one["id"], [node["target"] for node in one["nodes"]]) for one in found["violations"]
        ]

    def boxes(self) -> list[Any]:
        """List the boxes of text and pictures as left, top, right, bottom and words."""
        found: list[Any] = self.page.evaluate(_BOXES)
        return found

    def overlaps(self) -> list[Any]:
        """List the pairs of boxes that lie over one another in part."""
        boxes = self.boxes()
        return [
            (one[4], other[4])
            for index, one in enumerate(boxes)
            for other in boxes[index + 1 :]
            if _share(one, other) and not _holds(one, other) and not _holds(other, one)
        ]

    def largest_void(self) -> float:
        """Return the height of the largest void in a quarter and in three quarters of the width."""
        boxes, largest = self.boxes(), 0.0
        left, right = min(box[0] for box in boxes), max(box[2] for box in boxes)
        for place in (0.25, 0.75):
            x, reached = left + place * (right - left), 0.0
            for _, top, _, bottom, _ in sorted(
                (box for box in boxes if box[0] <= x <= box[2]), key=lambda box: box[1]
            ):
                largest = max(largest, top - reached)
                reached = max(reached, bottom)
        return largest

    def beyond(self) -> float:
        """Return how many pixels of the page lie beyond the window's width."""
        wide: float = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return wide

    def close(self) -> None:
        """Close the page and what belongs to it."""
        self.context.close()


def _share(one: Any, other: Any) -> bool:
    """Whether two boxes have room in common."""
    return all(
        min(one[end], other[end]) - max(one[begin], other[begin]) > _TOUCH
        for begin, end in ((0, 2), (1, 3))
    )


def _holds(one: Any, other: Any) -> bool:
    """Whether the first box lies around the other."""
    return all(one[n] - _TOUCH <= other[n] for n in (0, 1)) and all(
        one[n] + _TOUCH >= other[n] for n in (2, 3)
    )


def texts_of_pages(pdf: bytes) -> list[int]:
    """Return, for each page of a PDF that Chromium printed, how many pieces of text it has."""
    objects = dict(re.findall(rb"\n(\d+) 0 obj\n(.*?)\nendobj", pdf, re.DOTALL))
    found = []
    for body in objects.values():
        if re.search(rb"/Type /Page\b", body):
            (content,) = re.findall(rb"/Contents (\d+) 0 R", body)
            stream = objects[content].partition(b"stream\n")[2].rpartition(b"\nendstream")[0]
            found.append(len(re.findall(rb"\bT[jJ]\b", zlib.decompress(stream))))
    return found
