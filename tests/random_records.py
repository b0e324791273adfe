"""A world of generated records: small, varied, and with everything that a query can ask about.

`fill(app, number)` writes it by the verbs of every other write and gives the records as they are
served. The same number makes the same world on every engine, ids included.
"""

import json
import random
from datetime import date, timedelta

from api.core.permissions import Actor
from api.database.engines import db
from api.database.transactions import transaction
from api.records import access, references, verbs
from api.records.references import ARTICLES, COMMUNITIES
from schemas import incident
from schemas.counts import COUNT_FIELDS
from schemas.fields import ID_ALPHABET
from schemas.vocabulary import EVENT_TYPES, POLICE_MEASURES, ROLES

COMMUNITIES_KNOWN = ("armenian", "azerbaijani", "alphan", "betan", "gamman")
EPISODES = ("july-2020-border-clashes", "autumn-2020-war")
# City, country, admin1: as a body names them, resolved by the gazetteer.
CITIES = (
    ("Moscow", "RU", None),
    ("Moscow", "US", "Idaho"),
    ("Kishinev", "MD", None),
    ("Brussels", "BE", None),
    ("Washington, D.C.", "US", None),
    ("Paris", "FR", None),
    ("Tbilisi", "GE", None),
)
# Points that stand as given: around the antimeridian, at the poles, on the null island. A country
# with a place in the gazetteer has to have one within some 300 km of it.
POINTS = (
    ("FJ", -16.8, 179.95),
    ("FJ", -16.9, -179.97),
    ("FJ", -17.0, 180.0),
    ("FJ", -17.1, -180.0),
    ("AQ", -89.99, 10.0),
    ("AQ", -89.98, -170.0),
    ("AQ", -90.0, 0.0),
    ("BV", 89.99, 120.0),
    ("BV", 0.0, 0.0),
    ("BV", 0.4, -0.3),
    ("BE", 50.9, 4.3),
    ("FR", 48.9, 2.3),
)
PUBLISHERS = ("The Example Times", "THE EXAMPLE TIMES", "Le Témoin", "Daily Sample", None)
ORGANISATIONS = ("Union of One", "UNION OF ONE", "Ligue démo", "Youth, Lyon")
TAGS = ("reviewed", "festival", "wave-2")
EXTERNAL_IDS = ("acled:RUS1", "acled:RUS2", "acled:rus1", "gdelt:RUS1")
FIRST_DAY = date(2018, 12, 1)


def an_id(rng):
    return "".join(rng.choices(ID_ALPHABET, k=10))


def a_date(rng):
    """Make a date of any precision, with bounds that meet those of others."""
    day = FIRST_DAY + timedelta(days=rng.choice((0, 30, 31, 395, 396, 590, rng.randrange(1000))))
    form = rng.randrange(12)
    later = day + timedelta(days=rng.choice((1, 2, 6, 31, 60, 365, 366, 367, 800)))
    written = {
        6: f"{day}/{later}",
        7: f"{day}..{later}",
        8: f"{day:%Y-%m}",
        9: f"{day:%Y}",
        10: rng.choice((f"..{day}", f"{day}..")),
        11: f"{day}/{day + timedelta(days=3)}",
    }
    return written.get(form, f"{day}")


def a_figure(rng, name):
    """Make a count: not reported, exact, open at an end, a range, or a best figure alone."""
    low = rng.choice((0, 0, 1, 2, 5, 13, 40))
    ends = rng.choice(
        (
            None,
            None,
            (low, low, low),
            (low, low, low),
            (None, low, None),
            (None, None, low),
            (None, low, low + 7),
            (low + 2, low, low + 7),
            (low + 2, None, None),
            (low, None, low),
        )
    )
    if ends is None:
        return {}
    members = (name, f"{name}_low", f"{name}_high")
    return dict(zip(members, ends, strict=True))


def a_place(rng):
    if rng.random() < 0.55:
        city, country, admin1 = rng.choice(CITIES)
        return {"city": city, "country": country} | ({"admin1": admin1} if admin1 else {})
    country, latitude, longitude = rng.choice(POINTS)
    precision = rng.choice(("exact", "venue", "city", "admin1", "country"))
    # A division alone would have to be one of the country's.
    cities = ("Somewhere", "Élsewhere") if precision == "admin1" else (None, "Somewhere")
    return {
        "country": country,
        "latitude": latitude,
        "longitude": longitude,
        "geo_precision": precision,
        "city": rng.choice(cities),
    }


def a_source(rng, articles):
    claims = []
    if rng.random() < 0.4:
        field = rng.choice(("arrests", "injuries", "deaths"))
        claims = [{"field": field, "value": rng.choice((3, 30))} for _ in range(rng.choice((1, 2)))]
    if rng.random() < 0.1:
        claims.append({"field": "property_damage", "value": rng.choice((True, False))})
    return {"article": {"id": rng.choice(articles)["id"]}, "claims": claims}


def a_record(rng, articles):
    """Make the body of a record."""
    body = {
        "id": an_id(rng),
        "title": "Something happened",
        "type": rng.choice(tuple(EVENT_TYPES)[:4]),
        "date": a_date(rng),
        **a_place(rng),
    }
    for name in COUNT_FIELDS[:4]:
        body |= a_figure(rng, name)
    members = rng.choices(COMMUNITIES_KNOWN, (8, 6, 3, 2, 1), k=rng.choice((1, 2, 2, 3)))
    entries = {(community, rng.choice(tuple(ROLES))) for community in members}
    body["communities"] = [
        {"community": name, "role": role, "organisations": a_sample(rng, ORGANISATIONS)}
        for name, role in sorted(entries)
    ]
    body["police_measures"] = rng.sample(tuple(POLICE_MEASURES)[:4], rng.choice((0, 0, 1, 2)))
    body["property_damage"] = rng.choice((None, None, True, False))
    body["episode"] = rng.choice((None, *EPISODES))
    body["sources"] = [a_source(rng, articles) for _ in range(rng.choice((0, 1, 1, 2, 3)))]
    body["tags"] = a_sample(rng, TAGS)
    body["external_ids"] = a_sample(rng, EXTERNAL_IDS)
    return {name: value for name, value in body.items() if value is not None}


def a_sample(rng, words):
    return rng.sample(words, rng.choice((0, 0, 0, 1, 2)))


def write(session, body, actor, status):
    """Write one record, however alike it is to others."""
    return verbs.create(session, incident.load(body), actor, status=status, refuse_duplicates=False)


def fill(app, number, author, seed=7):
    """Write NUMBER records, some drafts of AUTHOR's key, some withdrawn; return them as served."""
    rng = random.Random(seed)
    articles = [
        {
            "id": an_id(rng),
            "title": f"Report {place}",
            "publisher": rng.choice(PUBLISHERS),
            "url": f"https://news.example/{place}",
        }
        for place in range(12)
    ]
    articles[3]["syndicated_from"] = articles[2]["id"]
    editor, other = Actor(None, "editor", "editor"), Actor(None, "admin", "operator")
    served = []
    with app.app_context():
        with transaction() as session:
            for name in COMMUNITIES_KNOWN[2:]:
                references.create(session, COMMUNITIES, {"id": name, "name": name}, editor, None)
            for article in articles:
                named = ARTICLES.schema.load(article)
                references.create(session, ARTICLES, named, editor, None)
        for place in range(number):
            status = "draft" if place % 12 == 5 else "published"
            who = author if place % 24 == 5 else other
            with transaction() as session:
                written = write(session, a_record(rng, articles), who, status)
                if place % 15 == 3:
                    record = access.get_for_update(session, written.id, other, "*")
                    written = verbs.withdraw(session, record, who)
            served.append(json.loads(written.document) | {"own": who is author})
        db.session.remove()
    return served
