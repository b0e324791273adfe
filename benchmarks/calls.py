"""Count the calls of the project's functions in a request: `python -m benchmarks.calls`.

It prints those of a POST with an idempotency key, of a warm list of 50, of one with filters and of
one record, on a new SQLite database. A comprehension is no call; a generator is one each time that
it goes on. `--names` lists the functions. Unlike a rate, the figures are the same on any machine.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from api import create_app

API = "/api/v1/incidents"
ROOT = Path(__file__).resolve().parent.parent
OWN = tuple(f"{ROOT / package}/" for package in ("api", "schemas"))
FILTERS = "country=UA&community=armenian&type=clash&date_from=1930"
WARM_UP = 60  # requests of each kind before the one that is counted


def body(number: int) -> dict[str, Any]:
    """Return a usual body of a POST: two communities, a new article with two claims."""
    return {
        "title": f"Clash outside market {number}",
        "summary": "Two groups met after a rally; the police parted them.",
        "type": "clash",
        "date": f"{1920 + number}-05-04",
        "city": "Kyiv",
        "country": "UA",
        "arrests": 7,
        "police_measures": ["cordon"],
        "communities": [
            {"community": "armenian", "role": "participant"},
            {"community": "azerbaijani", "role": "participant"},
        ],
        "sources": [
            {
                "article": {
                    "title": f"Clash in Kyiv {number}",
                    "publisher": "Example Daily",
                    "published": "2019-05-05",
                    "url": f"https://daily.example/{number}",
                },
                "locator": "paragraph 2",
                "claims": [
                    {"field": "type", "value": "clash", "text": "a clash"},
                    {"field": "arrests", "value": 7, "text": "seven detained"},
                ],
            }
        ],
    }


def count_calls(request: Callable[[], Any]) -> Counter[str]:
    """Return how often REQUEST calls each of the project's functions, by file and name."""
    calls: Counter[str] = Counter()

    def profile(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(OWN) and code.co_name[0] != "<":
            calls[f"{Path(code.co_filename).relative_to(ROOT)}  {code.co_qualname}"] += 1

    sys.setprofile(profile)
    try:
        request()
    finally:
        sys.setprofile(None)
    return calls


def requests(client: FlaskClient, key: str) -> dict[str, Callable[[int], Any]]:
    """Return what is measured, by name: functions that make one request, the nth of its kind."""
    ids: list[str] = []

    def post(number: int) -> None:
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"calls-{number}"}
        response = client.post(API, json=body(number), headers=headers)
        assert response.status_code == 201, response.text
        ids.append(response.json["id"])

    def read(path: str) -> None:
        response = client.get(path)
        assert response.status_code == 200, response.text

    return {
        "a POST": post,
        "a warm list of 50": lambda _: read(f"{API}?limit=50"),
        "a warm list of 50 with filters": lambda _: read(f"{API}?limit=50&{FILTERS}"),
        "one record": lambda number: read(f"{API}/{ids[number]}"),
    }


def run(app: Flask, *arguments: str) -> str:
    """Run a command of APP; return the last line that it prints."""
    result = app.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0, result.output
    return result.stdout.strip().rpartition("\n")[2]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", action="store_true", help="list the functions that are called")
    names = parser.parse_args().names
    with tempfile.TemporaryDirectory() as folder:
        settings = {"DATABASE_URL": f"sqlite:///{folder}/calls.sqlite", "RATELIMIT_ENABLED": False}
        app = create_app(settings)
        run(app, "db", "upgrade")
        run(app, "seed", "--only", "vocabularies")
        client, key = app.test_client(), run(app, "keys", "create", "calls", "--role", "editor")
        for name, request in requests(client, key).items():
            for number in range(WARM_UP):
                request(number)
            calls = count_calls(partial(request, WARM_UP))
            print(f"{name}: {calls.total()} calls")
            if names:
                print(
                    *(f"  {number:4}  {place}" for place, number in calls.most_common()), sep="\n"
                )


if __name__ == "__main__":
    main()
