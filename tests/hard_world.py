"""A world of records that are hard to show: what the pages have to stand up to.

Words without a break, right-to-left and mixed scripts, open and wide dates, records of a region or
a country only, dense cities, and two exact points 400 m apart. Nothing in these records happened.

It is an SQLite file of WORLD_RECORDS records (2,000 unless set), made once for each state of the
code and kept as `tests/prepared.py` keeps what tests begin with. `python -m tests.hard_world`
prints its path: serve a copy of it to look at the pages.
"""

import bisect
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

from tests import prepared, servers
from tests.conftest import prepare

RECORDS = int(os.environ.get("WORLD_RECORDS", "2000"))
# Two spots of Brussels, 400 m apart.
NEIGHBOURS = ((50.8387, 4.3720), (50.8423, 4.3720))
_COMMUNITIES = ("armenian", "azerbaijani", "turkish", "kurdish", "greek", "serbian")
_ROLES = ("organiser", "participant", "counter_participant", "target")
_TYPES = ("clash", "protest", "rally", "gathering", "assault", "vigil", "blockade", "dispute")
_MEASURES = ("cordon", "water_cannon", "detention", "riot_police")
_EPISODES = ("july-2020-border-clashes", "autumn-2020-war")
_TITLES = (
    "Rally outside an embassy",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2,
    "مظاهرة أمام السفارة في بروكسل (2020) تنتهي بسلام",
    "הפגנה מול השגרירות, 25 עצורים at least",
    "Демонстрация у посольства: Müdaxilə отказано, تظاهرات ۱۳۹۹, 抗議活動",
    "駐日大使館前で行われた抗議活動とその後の集会についての長い見出しで途中に区切りがないもの",
    "https://news.example/" + "a-very-long-address-without-a-blank-" * 5,
    "Gathering " + "on a long evening of speeches, " * 8,
    "گردهمایی «صلح» در تهران/Tehran – 3,000 نفر",
)
_WORDS = (
    "Members of the community gathered near a market square.",
    "اجتمع أفراد الجالية قرب ساحة السوق، ثم تفرقوا.",
    "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" * 3,
    "Officers dispersed the crowd later in the evening; organisers denied involvement.",
)
_FIRST_DAY, _DAYS = date(1988, 2, 20), 13_900


def database(size: int = RECORDS) -> Path:
    """Return the SQLite file with SIZE records and those of the seeds."""
    return prepared.get(
        f"world{size}", lambda path: _make(path, size), "tests/hard_world.py", "seeds"
    )


def _make(path: Path, size: int) -> None:
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{path}"}

    def flask(*words: str) -> None:
        command = [sys.executable, "-m", "flask", "--app", "api", *words]
        subprocess.run(
            command, cwd=servers.ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
        )

    shutil.copy(prepared.get("sqlite", lambda begun: prepare(f"sqlite:///{begun}")), path)
    flask("documents", "upgrade")
    flask("seed")
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as lines:
        for record in records(size, _places(path)):
            lines.write(json.dumps(record) + "\n")
        lines.flush()
        flask("import", lines.name)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _places(path: Path) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT name, country, admin1, latitude, longitude FROM places "
        "WHERE admin1 IS NOT NULL ORDER BY population DESC, geonames_id LIMIT 2500"
    ).fetchall()
    connection.close()
    return rows


def records(size: int, places: list[tuple[Any, ...]], seed: int = 16) -> Iterator[dict[str, Any]]:
    """Draw SIZE records in the form of a POST, at PLACES; a few places have most of them."""
    source = random.Random(seed)
    weights = list(accumulate(1 / rank for rank in range(1, len(places) + 1)))
    for number in range(size):
        place = places[bisect.bisect(weights, source.random() * weights[-1])]
        yield {
            "title": source.choice(_TITLES) if source.random() < 0.4 else f"Rally number {number}",
            "summary": source.choice(_WORDS),
            "type": source.choice(_TYPES),
            "date": _date(source),
            "communities": [
                {"community": community, "role": source.choice(_ROLES)}
                for community in source.sample(_COMMUNITIES, source.choice((1, 1, 2, 3)))
            ],
            **_where(source, number, place),
            **_figures(source),
            **_rest(source, number),
        }


def _date(source: random.Random) -> str:
    day = _FIRST_DAY + timedelta(source.randrange(_DAYS))
    later = day + timedelta(source.choice((1, 3, 40, 400, 2000)))
    drawn = source.random()
    for share, text in (
        (0.75, f"{day}"),
        (0.83, f"{day}"[:7]),
        (0.89, f"{day}"[:4]),
        (0.93, f"{day}/{min(later, date(2026, 10, 1))}"),
        (0.97, f"{day}..{min(later, date(2026, 10, 1))}"),
        (0.985, f"..{day}"),
    ):
        if drawn < share:
            return text
    return f"{day}.."


def _where(source: random.Random, number: int, place: tuple[Any, ...]) -> dict[str, Any]:
    name, country, admin1, latitude, longitude = place
    if number < 6:
        spot = NEIGHBOURS[number % 2]
        return {
            "city": "Brussels", "country": "BE", "geo_precision": "exact",
            "latitude": spot[0], "longitude": spot[1],
        }  # fmt: skip
    drawn = source.random()
    if drawn < 0.03:
        return {"country": country, "geo_precision": "country"}
    if drawn < 0.08:
        return {"country": country, "admin1": admin1, "geo_precision": "admin1"}
    point = {"city": name, "country": country, "latitude": latitude, "longitude": longitude}
    if drawn < 0.2:
        point["latitude"] = round(latitude + source.uniform(-0.03, 0.03), 4)
        point["longitude"] = round(longitude + source.uniform(-0.03, 0.03), 4)
        return {**point, "geo_precision": "venue", "venue": source.choice(_TITLES[1:5])}
    return point


def _figures(source: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, share in (("arrests", 0.4), ("injuries", 0.2), ("participants", 0.5)):
        if source.random() < share:
            low = source.choice((0, 1, 5, 24, 200, 2000))
            exact = source.random() < 0.6
            found |= {name: low} if exact else {f"{name}_low": low or 3}
    return found


def _rest(source: random.Random, number: int) -> dict[str, Any]:
    article = {
        "title": source.choice(_TITLES),
        "publisher": "جريدة",
        "url": f"https://news.example/{number}",
    }
    claims = [
        {"field": "arrests", "value": source.choice((3, 13)), "text": source.choice(_WORDS[:2])}
    ]
    return {
        "episode": source.choice(_EPISODES) if source.random() < 0.1 else None,
        "tags": ["festival"] if source.random() < 0.1 else [],
        "police_measures": [source.choice(_MEASURES)] if source.random() < 0.2 else [],
        "sources": [{"article": article, "locator": "paragraph 1", "claims": claims}]
        * (source.random() < 0.5),
    }  # fmt: skip


if __name__ == "__main__":
    sys.stdout.write(f"{database()}\n")
