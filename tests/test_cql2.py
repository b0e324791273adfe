"""CQL2 filters: what each keeps, the same on both engines, and what is refused with words."""

import re
import time
from urllib.parse import quote

import pytest
from marshmallow import ValidationError

from schemas import cql2
from schemas.ogc_query import CRS84
from tests.examples import MOSCOW

ITEMS = "/ogc/collections/incidents/items"


def ask(client, text):
    return client.get(f"{ITEMS}?limit=1000&filter={quote(text)}")


# A filter's text, and what it means of a feature's properties: None is not known, so not kept.
MEANT = {
    "country = 'RU'": lambda p: p["country"] == "RU",
    "'RU' = country": lambda p: p["country"] == "RU",
    "country <> 'RU'": lambda p: p["country"] != "RU",
    "country IN ('RU','BE')": lambda p: p["country"] in ("RU", "BE"),
    "country NOT IN ('RU','BE')": lambda p: p["country"] not in ("RU", "BE"),
    "arrests >= 13": lambda p: p["arrests"] is not None and p["arrests"] >= 13,
    "13 <= arrests": lambda p: p["arrests"] is not None and p["arrests"] >= 13,
    "arrests > 12.5": lambda p: p["arrests"] is not None and p["arrests"] > 12.5,
    "arrests IS NULL": lambda p: p["arrests"] is None,
    "arrests IS NOT NULL": lambda p: p["arrests"] is not None,
    "NOT arrests > 12": lambda p: p["arrests"] is not None and p["arrests"] <= 12,
    "arrests BETWEEN 1 AND 13": lambda p: p["arrests"] is not None and 1 <= p["arrests"] <= 13,
    "arrests NOT BETWEEN 1 AND 13": lambda p: (
        p["arrests"] is not None and not 1 <= p["arrests"] <= 13
    ),
    "country = 'BE' OR country = 'RU' AND arrests > 10": lambda p: (
        p["country"] == "BE" or (p["country"] == "RU" and (p["arrests"] or 0) > 10)
    ),
    "(country = 'BE' OR country = 'RU') AND arrests IS NULL": lambda p: (
        p["country"] in ("BE", "RU") and p["arrests"] is None
    ),
    "NOT (country = 'RU' OR type = 'clash')": lambda p: (
        p["country"] != "RU" and p["type"] != "clash"
    ),
    "city LIKE 'M%'": lambda p: (p["city"] or "").startswith("M"),
    "city LIKE 'm%'": lambda p: False,
    "city LIKE '_oscow'": lambda p: p["city"] == "Moscow",
    r"city LIKE 'M\%'": lambda p: False,
    "city LIKE 'M*'": lambda p: False,
    "city NOT LIKE 'M%'": lambda p: p["city"] is not None and not p["city"].startswith("M"),
    "city > 'Lo'": lambda p: p["city"] is not None and p["city"] > "Lo",
    "title >= 'a'": lambda p: p["title"] >= "a",
    "communities = 'armenian; azerbaijani'": lambda p: p["communities"] == "armenian; azerbaijani",
    "communities LIKE '%azerbaijani%'": lambda p: "azerbaijani" in p["communities"],
    "police_measures IS NULL": lambda p: p["police_measures"] is None,
    "publishers LIKE '%a%'": lambda p: "a" in (p["publishers"] or ""),
    "tags IS NOT NULL": lambda p: p["tags"] is not None,
    "property_damage = TRUE": lambda p: p["property_damage"] is True,
    "property_damage <> true": lambda p: p["property_damage"] is False,
    "date_start >= DATE('2020-07-20')": lambda p: p["date_start"] >= "2020-07-20",
    "date_start < '2020-07-20'": lambda p: p["date_start"] < "2020-07-20",
    "date_end <= TIMESTAMP('2020-07-24T12:00:00Z')": lambda p: p["date_end"] <= "2020-07-24",
    "latitude > -1.5e1": lambda p: p["latitude"] > -15,
    f"id = '{MOSCOW}'": lambda p: p["id"] == MOSCOW,
    "S_INTERSECTS(geometry, BBOX(2.5,49.5,7.3,53.6))": lambda p: (
        p["city"] in ("Brussels", "The Hague")
    ),
    "s_intersects(geometry,POLYGON((37 55,38 55,38 56,37 56,37 55)))": lambda p: (
        p["city"] == "Moscow"
    ),
    "NOT S_INTERSECTS(geometry, BBOX(37,55,38,56))": lambda p: p["city"] != "Moscow",
    "S_INTERSECTS(geometry, POINT(0 0))": lambda p: False,
    "S_INTERSECTS(geometry, BBOX(37,55,38,56)) AND arrests > 1": lambda p: (
        p["city"] == "Moscow" and (p["arrests"] or 0) > 1
    ),
    "TRUE": lambda p: True,
    "country = 'RU' AND NOT FALSE": lambda p: p["country"] == "RU",
    "\"country\" = 'RU'": lambda p: p["country"] == "RU",
    "title = 'O''Brien'": lambda p: False,
    "arrests < 1e200": lambda p: p["arrests"] is not None,
}


def test_a_filter_keeps_what_it_means(seeded, client):
    every = client.get(f"{ITEMS}?limit=1000").json["features"]
    kept_by_some = set()
    for text, means in MEANT.items():
        answer = ask(client, text)
        assert answer.status_code == 200, (text, answer.text)
        found = [one["id"] for one in answer.json["features"]]
        assert found == [one["id"] for one in every if means(one["properties"])], text
        assert answer.json["numberMatched"] == len(found)
        kept_by_some |= {text} if 0 < len(found) < len(every) else set()
    assert len(kept_by_some) > len(MEANT) / 2


def test_lists_are_joined_as_features_have_them(client, editor, incident):
    articles = [{"title": "A", "publisher": name} for name in ("Zeta", None, "Alpha", "Zeta")]
    entries = [
        {"community": name, "role": role}
        for name, role in (
            ("azerbaijani", "organiser"),
            ("armenian", "target"),
            ("azerbaijani", "target"),
        )
    ]
    body = incident(
        communities=entries,
        tags=["later", "early"],
        police_measures=["tear_gas", "cordon"],
        sources=[
            {"article": {**one, "url": f"https://a.example/{n}"}} for n, one in enumerate(articles)
        ],
    )
    made = client.post("/api/v1/incidents", json=body, headers=editor)
    assert made.status_code == 201, made.text
    (one,) = client.get(ITEMS).json["features"]
    for name in ("communities", "tags", "police_measures", "publishers"):
        value = one["properties"][name]
        assert "; " in value
        assert ask(client, f"{name} = '{value}'").json["numberMatched"] == 1, (name, value)


def test_a_filter_goes_along_with_every_other_parameter_and_pages(seeded, client):
    query = f"filter={quote('arrests IS NOT NULL')}&filter-lang=cql2-text&filter-crs={CRS84}"
    query += "&country=RU&limit=1"
    address, found = f"{ITEMS}?{query}", []
    while address:
        page = client.get(address).json
        found += [one["id"] for one in page["features"]]
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        address = "/" + following[0].split("/", 3)[3] if following else None
    whole = ask(client, "arrests IS NOT NULL AND country = 'RU'").json["features"]
    assert found == [one["id"] for one in whole]


REFUSED = {
    "": "",
    "country": "comparison",
    "country = ": "",
    "country = 'RU": "cannot be read",
    "country = 'RU' AND": "missing",
    "(country = 'RU'": ") is missing",
    "colour = 'red'": "did you mean" if "colour" in cql2.QUERYABLES else "no property",
    "countri = 'RU'": "did you mean country",
    "arrests = 'many'": "is a number",
    "arrests LIKE '1%'": "LIKE compares text",
    "property_damage = 1": "is a boolean",
    "date_start > DATE('soon')": "is no day",
    "date_start > '2020'": "is no day",
    "S_INTERSECTS(geometry, LINESTRING(0 0,1 1))": "BBOX",
    "S_INTERSECTS(geometry, POLYGON((0 0,1 0,2 1,0 1,0 0)))": "a box",
    "S_INTERSECTS(geometry, BBOX(0,91,1,92))": "latitudes",
    "S_INTERSECTS(city, BBOX(0,1,1,2))": "geometry",
    "S_WITHIN(geometry, BBOX(0,1,1,2))": "",
    "arrests = 1; DROP TABLE incidents": "cannot be read",
    "arrests = 1 arrests = 2": "AND or OR",
    "CASEI(city) = 'moscow'": "",
    "arrests = deaths": "",
    "NOT " * 30 + "arrests = 1": "levels deep",
    "(" * 30 + "arrests = 1" + ")" * 30: "levels deep",
    " OR ".join(["arrests = 1"] * 51): "comparisons",
    f"arrests IN ({','.join('1' * 201)})": "values",
    "city = '" + "x" * 5000 + "'": "characters",
    "city = '\0'": "",
    "arrests = 1e301": "too large",
}


def test_what_cannot_be_read_is_a_400_that_says_what_would_be_right(client):
    for text, words in REFUSED.items():
        answer = ask(client, text)
        assert answer.status_code == 400, (text, answer.text)
        (error,) = answer.json["errors"]
        assert error["parameter"] == "filter"
        assert words in error["detail"], (text, error["detail"])


@pytest.mark.parametrize("text", ["(" * 4000, "NOT " * 1000, "a" * 4000, "'" * 3999, "1" * 4000])
def test_nothing_takes_long_to_read(text):
    began = time.process_time()
    with pytest.raises(ValidationError):
        cql2.parse(text)
    assert time.process_time() - began < 5


def test_the_queryables_are_what_features_have(seeded, client):
    answer = client.get("/ogc/collections/incidents/queryables")
    assert answer.mimetype == "application/schema+json"
    found = answer.json["properties"]
    assert found.pop("geometry")["format"] == "geometry-point"
    (one,) = client.get(f"{ITEMS}?limit=1").json["features"]
    assert found.keys() <= one["properties"].keys()
    for name in found:
        assert ask(client, f"{name} IS NOT NULL").status_code == 200
    assert (found["arrests"]["type"], found["date_start"]["format"]) == ("integer", "date")
    collection = client.get("/ogc/collections/incidents").json
    (link,) = [one for one in collection["links"] if one["rel"].endswith("/queryables")]
    assert re.sub("^http://[^/]*", "", link["href"]) == "/ogc/collections/incidents/queryables"
    assert answer.json["$id"] == link["href"]
