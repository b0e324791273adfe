"""Measure the pages in a real browser: the explorer's first view, cold and warm, and Lighthouse.

`make pages SIZE=1000000` serves a copy of the data set and prints the seconds from the start of a
navigation until the list, the figures, the timeline and the map are on the screen, each time with
an empty browser cache: right after the server has started (also with the file of the data set out
of the system's memory, as after a start of the machine), after a write, and warm. The server has
one core, the browser the other. `ARGS=--lighthouse` prints instead the scores of Lighthouse (npm's
package of that name) for the explorer and a record, as a phone and as a desktop.
"""

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import datasets, machine, servers

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
GOAL = 2.0  # seconds
_DRAWN = """
new MutationObserver((_, observer) => {
  if (!document.documentElement?.dataset.drawn) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.drawnAt = performance.now(); }));
}).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-drawn"] });
window.tasks = [];
new PerformanceObserver((list) => {
  window.tasks.push(...list.getEntries().map((one) => one.duration));
}).observe({ type: "longtask", buffered: true });
"""
_WAIT = """() => new Promise((resume) => {
  const look = () => (window.drawnAt ? resume(window.drawnAt) : setTimeout(look, 10));
  look();
})"""
# Choose a country in the form, and wait until what is drawn is of it.
_CHOOSE = """(country) => new Promise((resume) => {
  const began = performance.now(), field = document.getElementById("country");
  const { dataset } = document.documentElement, before = dataset.drawn;
  field.value = country;
  field.dispatchEvent(new Event("change", { bubbles: true }));
  const look = () => {
    if (dataset.drawn === before) setTimeout(look, 10);
    else requestAnimationFrame(() => setTimeout(() => resume(performance.now() - began)));
  };
  look();
})"""


class View:
    """What a first view took: seconds to the first text and to all drawn, and the longest task."""

    def __init__(self, page: Page, url: str) -> None:
        page.goto(url, wait_until="commit", timeout=120_000)
        self.drawn = page.evaluate(_WAIT) / 1000
        paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
        self.text = page.evaluate(paint) / 1000
        self.longest = page.evaluate("Math.max(0, ...window.tasks)")


@contextmanager
def opened(browser: Browser, size: str) -> Iterator[Page]:
    """Open a page with nothing in its cache."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height})
    context.add_init_script(_DRAWN)
    yield context.new_page()
    context.close()


def views(browser: Browser, address: str, size: str, rounds: int = 1) -> list[View]:
    """Look at the explorer ROUNDS times, each time as one who was never there."""
    found = []
    for _ in range(rounds):
        with opened(browser, size) as page:
            found.append(View(page, address + "/"))
    return found


@contextmanager
def service(url: str, folder: Path) -> Iterator[str]:
    """Serve the database at URL as it is served by default, with its exports in FOLDER."""
    port = servers.free_port()
    command = [sys.executable, "-m", "flask", "--app", "api", "serve"]
    environment = {
        "DATABASE_URL": url,
        "EXPORT_FOLDER": str(folder),
        "PORT": str(port),
        "RATELIMIT_ENABLED": "false",
    }
    with servers.running(command, port, "/healthz", **environment) as server:
        yield server.address


def evict(path: Path) -> None:
    """Have the system forget what it holds of the file at PATH, as after a start of the machine."""
    with path.open("rb") as file:
        os.fdatasync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def print_row(name: str, views: list[View]) -> None:
    """Print a row: the median, and the worst."""
    drawn = [view.drawn for view in views]
    print(
        f"{name:<44}{statistics.median(view.text for view in views):>7.2f}"
        f"{statistics.median(drawn):>8.2f}{max(drawn):>8.2f}"
        f"{max(view.longest for view in views):>9.0f}"
        f"  {'yes' if max(drawn) < GOAL else 'NO'}",
        flush=True,
    )


def measure(database: Path, rounds: int) -> None:
    """Print the table of first views over the SQLite file DATABASE, which is written to."""
    url = f"sqlite:///{database}"
    key = datasets.flask(url, "keys", "create", "pages", "--role", "editor")
    print(f"{'the first view, in seconds':<44}{'text':>7}{'drawn':>8}{'worst':>8}{'task ms':>9}")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory(dir=datasets.CACHE) as name:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        # The first of all reads the file into the system's memory, and is not counted.
        first, again, folder = [], [], Path(name)
        for _ in range(rounds + 1):
            with service(url, folder) as address:
                first += views(browser, address, "desktop")
        for _ in range(rounds):
            evict(database)
            with service(url, folder) as address:
                again += views(browser, address, "desktop")
        print_row("server just started", first[1:])
        print_row("server just started, machine too", again)
        with service(url, folder) as address:
            written = []
            for turn in range(rounds):
                _write(address, key, turn)
                written += views(browser, address, "desktop")
            print_row("after a write", written)
            print_row("warm", views(browser, address, "desktop", 2 * rounds))
            print_row("warm, on a phone", views(browser, address, "phone", 2 * rounds))
            print(f"\nanother country is chosen: {_chosen(browser, address, rounds):.2f} seconds")
        browser.close()


def _write(address: str, key: str, number: int) -> None:
    """Publish a record."""
    record = {
        "title": f"Rally number {number}",
        "type": "rally",
        "date": f"2020-01-{number + 1:02}",
        "city": "Paris",
        "country": "FR",
        "communities": ["community-1"],
        "sources": [{"article": {"title": f"Report number {number}"}}],
    }
    request = urllib.request.Request(
        f"{address}/api/v1/incidents?allow_duplicate=true",
        json.dumps(record).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=60).close()


def _chosen(browser: Browser, address: str, rounds: int) -> float:
    """Choose one country after the other in the form; the worst of the seconds that it took."""
    with opened(browser, "desktop") as page:
        View(page, address + "/")
        return float(max(page.evaluate(_CHOOSE, one) for one in ("FR", "DE", "BE")) / 1000)


def lighthouse(database: Path) -> None:
    """Print Lighthouse's scores for the explorer and a record, as a phone and as a desktop."""
    connection = sqlite3.connect(database)
    (id_,) = connection.execute(
        "SELECT id FROM incidents ORDER BY pk LIMIT 1 OFFSET 500"
    ).fetchone()
    connection.close()
    print(f"\n{'Lighthouse':<24}{'performance':>12}{'accessibility':>15}{'TBT':>10}{'LCP':>10}")
    with (
        tempfile.TemporaryDirectory(dir=datasets.CACHE) as name,
        service(f"sqlite:///{database}", Path(name)) as address,
    ):
        for path in ("/", f"/incidents/{id_}"):
            urllib.request.urlopen(address + path).close()
            for preset in ("phone", "desktop"):
                found = _scored(address + path, preset)
                audits, scores = found["audits"], found["categories"]
                print(
                    f"{('explorer' if path == '/' else 'record') + ', ' + preset:<24}"
                    f"{100 * scores['performance']['score']:>12.0f}"
                    f"{100 * scores['accessibility']['score']:>15.0f}"
                    f"{audits['total-blocking-time']['numericValue']:>7.0f} ms"
                    f"{audits['largest-contentful-paint']['numericValue'] / 1000:>8.1f} s",
                    flush=True,
                )


def _scored(url: str, preset: str) -> dict[str, Any]:
    command = [
        *_command(),
        url,
        "--quiet",
        "--output=json",
        "--output-path=stdout",
        "--only-categories=performance,accessibility",
        "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
        *(["--preset=desktop"] if preset == "desktop" else []),
    ]
    environment = {**os.environ, "CHROME_PATH": str(shutil.which("chromium"))}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _command() -> list[str]:
    """Return the command of Lighthouse; the package is fetched once."""
    folder = datasets.CACHE / "lighthouse"
    script = folder / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not script.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["npm", "install", "--prefix", str(folder), "--no-fund", "--no-audit", "lighthouse@12"],
            check=True,
            stdout=sys.stderr,
        )
    return ["node", str(script)]


def main() -> None:
    """Measure what was asked for, over a copy of the data set."""
    parser = argparse.ArgumentParser(description="The pages in a real browser.")
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lighthouse", action="store_true", help="scores only")
    parser.add_argument("--data", type=Path, help="a SQLite file to write to, in place of a copy")
    options = parser.parse_args()
    print(f"{machine.describe()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(dir=datasets.CACHE) as name:
        database = options.data
        if database is None:
            database = Path(name) / "incidents.sqlite"
            shutil.copyfile(
                datasets.Sqlite().dataset(options.size).removeprefix("sqlite:///"), database
            )
        if options.lighthouse:
            lighthouse(database)
        else:
            if (os.cpu_count() or 1) > 1:
                os.sched_setaffinity(0, {1})
            measure(database, options.rounds)


if __name__ == "__main__":
    main()
