"""Pages in the machine's own Chromium, with what they ask for and complain of.

`Visit` is a page that notes every request, every violation of the content security policy and
every error; `spotless` holds that there was nothing amiss and nobody else was asked.
"""

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


class Visit:
    """A page of the service at ADDRESS, in a context of its own."""

    def __init__(self, browser: Browser, address: str, size: str = "desktop", **options: Any):
        """OPTIONS are those of Playwright's contexts, such as `color_scheme`."""
        width, height = SIZES[size]
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

    def close(self) -> None:
        """Close the page and what belongs to it."""
        self.context.close()
