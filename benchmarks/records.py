"""A seeded generator of synthetic incidents: the same seed and size give the same records.

Places, communities and articles are drawn by Zipf's law, as reports are: a few name most of them.
Nothing in these records happened.
"""

import bisect
import itertools
import json
import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

COMMUNITIES = 60
PLACES = 3_000
ARTICLES = 50_000
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
# In about one record of ten: the word that the search is measured with.
COMMON_WORD = "embassy"
TYPES = (
    "clash",
    "assault",
    "protest",
    "counter_protest",
    "rally",
    "gathering",
    "blockade",
    "property_attack",
    "threat",
    "dispute",
    "vigil",
)
MEASURES = ("water_cannon", "tear_gas", "riot_police", "cordon", "dispersal", "detention")
TEXT = (
    "members of the community gathered near market square after reports from the border police "
    "said two people injured during a dispute between groups organisers denied involvement "
    "witnesses described stones thrown shop windows broken officers dispersed crowd later evening "
    "local media published statement called calm residents traffic blocked demonstration peaceful "
    "until midnight investigation opened council bridge station avenue harbour library school"
)
WORDS = TEXT.split()

Place = tuple[int, str, str, str | None, float, float]


def vocabularies(folder: Path) -> None:
    """Write the synthetic communities, and no episode, as seeds into FOLDER."""
    names = [{"id": f"community-{n}", "name": f"Community {n}"} for n in range(COMMUNITIES)]
    (folder / "communities.json").write_text(json.dumps(names))
    (folder / "episodes.json").write_text("[]")


def incidents(size: int, places: list[Place], seed: int = 7) -> Iterator[dict[str, Any]]:
    """Draw SIZE incidents in the form of a POST, at PLACES of the gazetteer."""
    source = random.Random(seed)
    draw_place, draw_community, draw_article = (
        _zipf(source, number) for number in (len(places), COMMUNITIES, ARTICLES)
    )
    articles = [_article(source, number) for number in range(ARTICLES)]
    for _ in range(size):
        yield _incident(
            source, places[draw_place()], draw_community, lambda: articles[draw_article()]
        )


def _zipf(source: random.Random, number: int) -> Callable[[], int]:
    weights = list(itertools.accumulate(1 / rank for rank in range(1, number + 1)))
    return lambda: bisect.bisect(weights, source.random() * weights[-1])


def _text(source: random.Random, length: int) -> str:
    return " ".join(source.choices(WORDS, k=length)).capitalize()


def _id(source: random.Random) -> str:
    return "".join(source.choices(ALPHABET, k=10))


def _article(source: random.Random, number: int) -> dict[str, Any]:
    day = date(2000, 1, 1) + timedelta(days=source.randrange(9000))
    return {
        "id": _id(source),
        "title": _text(source, 8),
        "publisher": f"Paper {number % 800}",
        "published": day.isoformat(),
        "url": f"https://paper{number % 800}.example/{number}",
    }


def _date(source: random.Random) -> str:
    """Draw a date: mostly days, some months, some intervals."""
    day = date(2000, 1, 1) + timedelta(days=source.randrange(9400))
    form = source.random()
    if form < 0.88:
        return day.isoformat()
    if form < 0.95:
        return day.isoformat()[:7]
    return f"{day}/{day + timedelta(days=source.randrange(1, 5))}"


def _incident(
    source: random.Random, place: Place, community: Callable[[], int], article: Callable[[], Any]
) -> dict[str, Any]:
    geonames_id, city, country, admin1, latitude, longitude = place
    parts = dict.fromkeys([community(), community()] if source.random() < 0.8 else [community()])
    figure = source.randrange(60)
    word = f" near the {COMMON_WORD}" if source.random() < 0.1 else ""
    found: dict[str, Any] = {
        "id": _id(source),
        "title": _text(source, 7),
        "summary": _text(source, 45) + word,
        "type": source.choice(TYPES),
        "date": _date(source),
        "city": city,
        "country": country,
        "admin1": admin1,
        "latitude": round(latitude, 4),
        "longitude": round(longitude, 4),
        "geonames_id": geonames_id,
        "geo_precision": "city",
        "communities": [
            {"community": f"community-{number}", "role": role}
            for number, role in zip(parts, ("participant", "counter_participant"), strict=False)
        ],
    }
    claims = [{"field": "type", "value": found["type"], "text": found["type"]}]
    if source.random() < 0.6:
        found["arrests"] = figure
        claims.append({"field": "arrests", "value": figure, "text": f"{figure} detained"})
    if source.random() < 0.4 and figure >= 3:  # at least none would say nothing
        found["injuries_low"] = figure // 3
        claims.append({"field": "injuries", "low": figure // 3, "attributed_to": "police"})
    if source.random() < 0.5:
        found["police_measures"] = source.sample(MEASURES, source.randrange(1, 3))
    found["sources"] = [
        {"article": article(), "locator": f"paragraph {source.randrange(1, 20)}", "claims": claims}
    ]
    if source.random() < 0.4:
        other = article()
        if other["id"] != found["sources"][0]["article"]["id"]:
            found["sources"].append({"article": other, "locator": "paragraph 1", "claims": []})
    return found
