"""What is stored was given, follows by a rule from what was given, or is named in a warning.

Whatever is sent, alone or as many, as JSON or CSV, new or as a change: each stored value is
explained by `RULES`, and nothing that was given is gone without a word. UNSAID_EXAMPLES says how
many requests of each kind are tried on each engine: `make unsaid` takes 1,000.
"""

import csv
import io
import json
import os
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from api.database.engines import db
from api.models.places import Place, PlaceName
from schemas.name_folding import fold
from tests import strategies
from tests.builders import incident as body_of

EXAMPLES = int(os.environ.get("UNSAID_EXAMPLES", "40"))
URL = "/api/v1/incidents"
COUNTS = ("arrests", "injuries", "deaths", "participants", "injuries_police")
PLACE = ("city", "admin1", "country", "latitude", "longitude", "geo_precision", "geonames_id")
HELD = {
    "id": "a1a1a1a1a1",
    "title": "A report",
    "publisher": "The Paper",
    "published": "2020-07-24",
    "url": "https://news.example/a",
}
SAME_ADDRESS = (
    "https://news.example/a",
    "http://www.news.example/a/",
    "https://news.example/a?utm_source=x#top",
)

# Dates as they are written, and as they are stored.
DATES = {
    "2020-07-24": "2020-07-24",
    " 2020-07 ": "2020-07",
    "2019": "2019",
    "[2020-07-01..2020-07-22]": "2020-07-01..2020-07-22",
    "2020-07-22/2020-07-24": "2020-07-22/2020-07-24",
    "2020-07-24/2020-07-24": "2020-07-24",
    "2020-07..2020-08": "2020-07-01..2020-08-31",
    "..2019": "..2019-12-31",
    "1715-03-02": "1715-03-02",
    **dict.fromkeys(("7/24/2020", "24.07.2020", "July 2020", "2999-01-01", "2020-07-24T10:00", "")),
}
COUNTRIES = {"UA": "UA", "ua": "UA", "Ukraine": "UA", "Moldova, Republic of": "MD", "IND": "IN"} | {
    code: code for code in ("MD", "IN", "DE", "US", "BE", "GE")
}
# Divisions by the names that they are given here.
DIVISIONS = {
    **dict.fromkeys(("Bavaria", "Bayern", "BY", "DE-BY"), "Bavaria"),
    **dict.fromkeys(("Illinois", "il"), "Illinois"),
    "Saxony": "Saxony",
}
PLACES = [
    {"city": "Kishinev", "country": "MD"},
    {"city": "Кишинёв", "country": "Moldova, Republic of"},
    {"city": "Bombay", "country": "IND"},
    {"city": " kyiv ", "country": "ua"},
    {"city": "Kyiv", "country": "Ukraine", "latitude": 50.45001, "longitude": 30.52},
    {"city": "Kyiv", "country": "UA", "latitude": 46.48, "longitude": 30.72},
    {"city": "Kyiv", "country": "UA", "latitude": None, "longitude": None},
    {"city": "Molenbeek", "country": "BE", "latitude": 50.8499, "longitude": 4.3125},
    {"city": "Springfield", "country": "US", "admin1": "il"},
    {"city": "Springfield", "country": "US"},
    {"city": "Harpers Ferry", "country": "US"},
    {"city": "New Jersey", "country": "US"},
    {"city": "Munich", "country": "DE", "admin1": "Bayern"},
    {"city": "München", "country": "DE", "admin1": "Saxony", "latitude": 48.14, "longitude": 11.58},
    {"city": "Nowhere Hamlet", "country": "DE", "latitude": 48.5, "longitude": 11.5},
    {"city": "KÃ¶ln", "country": "DE", "latitude": 50.94, "longitude": 6.96},
    {"city": "Unknown", "country": "DE", "latitude": 50.94, "longitude": 6.96},
    {"city": "Batumi", "country": "GE", "geo_precision": "exact"},
    {
        "city": "Poti",
        "country": "GE",
        "geo_precision": "VENUE",
        "latitude": 42.1,
        "longitude": 41.6,
    },
    {"city": ..., "country": "DE", "admin1": "DE-BY", "geo_precision": "admin1"},
    {"city": ..., "country": "DE", "geo_precision": "country"},
    {"city": ..., "country": "DE", "geonames_id": 2950159},
    {"city": "Kyiv", "country": "DE"},
]
_numbers = count()
blanks = st.sampled_from(["", "  ", "\u3000"])
optional_texts = (
    st.none() | blanks | strategies.texts | st.sampled_from(["Unknown", "N/A", "Рынок «Садовод»"])
)
communities = st.sampled_from(["armenian", "Armenians", "ARMENIAN", "Ermeniler", "azerbaijani"])
roles = st.sampled_from(["participant", "Target", "organiser", "counter_participant"])
articles = st.one_of(
    st.just(HELD["id"]),
    st.fixed_dictionaries(
        {"url": st.sampled_from(SAME_ADDRESS)},
        optional={
            "title": st.sampled_from([None, "A report", "Another title", " A report "]),
            "publisher": st.sampled_from([None, "The Paper", "Other"]),
            "published": st.sampled_from([None, "2020-07-24", "2020-07"]),
            "id": st.just(HELD["id"]),
        },
    ),
    st.fixed_dictionaries(
        {"title": strategies.texts},
        optional={"publisher": optional_texts, "published": st.sampled_from(list(DATES))},
    ),
)
entries = communities | st.fixed_dictionaries(
    {"community": communities},
    optional={
        "role": roles,
        "organisations": st.lists(strategies.texts, max_size=2),
        "participants": st.none() | st.integers(0, 50),
    },
)
claims = st.fixed_dictionaries(
    {"field": st.just("arrests"), "value": st.integers(0, 20)},
    optional={"text": optional_texts, "community": communities, "scope": optional_texts},
)
sources = st.lists(
    st.fixed_dictionaries(
        {"article": articles},
        optional={"locator": optional_texts, "claims": st.lists(claims, max_size=2)},
    ),
    max_size=2,
)


ENDS = [("",), ("_low",), ("_high",), ("_low", "_high"), ("", "_low"), ("", "_low", "_high")]


@st.composite
def figures(draw):
    """Draw members of counts: best figures alone, bounds alone, all of them, null, none."""
    members = {}
    for name in draw(st.lists(st.sampled_from(COUNTS[:4]), max_size=2, unique=True)):
        ends = draw(st.sampled_from(ENDS))
        numbers = sorted(draw(st.lists(st.integers(0, 30), min_size=3, max_size=3)))
        by_end = dict(zip(("_low", "", "_high"), numbers, strict=True))
        members |= {f"{name}{end}": by_end[end] for end in ends}
        if draw(st.integers(0, 4)) == 0:
            members[f"{name}{ends[0]}"] = None
    return members


@st.composite
def changes(draw):
    """Draw members of a record that are hard to take, each there or not."""
    rest = st.fixed_dictionaries(
        {},
        optional={
            "title": strategies.texts,
            "summary": optional_texts,
            "venue": optional_texts,
            "type": st.sampled_from(["clash", "Rally", "PROTEST", "brawl"]),
            "date": st.sampled_from(list(DATES)),
            "communities": st.lists(entries, min_size=1, max_size=2),
            "police_measures": st.lists(
                st.sampled_from(["tear_gas", "Tear_Gas", "cordon"]), max_size=2
            ),
            "property_damage": st.none() | st.booleans(),
            "episode": st.sampled_from([None, "July 2020 border clashes", "autumn-2020-war"]),
            "sources": sources,
        },
    )
    place = draw(st.sampled_from([{}, *PLACES]))
    return {**draw(rest), **place, **draw(figures())}


def sent(changed, base=None):
    """Return a body with what CHANGED says; members that are `...` are left out."""
    day = date(1900, 1, 1) + timedelta(days=3 * next(_numbers))  # like that of no other
    members = {**(body_of(date=str(day)) if base is None else base), **changed}
    return {name: value for name, value in members.items() if value is not ...}


def entry_of(entry):
    """Return an entry of a community, of which the name alone may be given."""
    return entry if isinstance(entry, dict) else {"community": entry}


def cells_of(body):
    """Return a body as the cells of a row, and what a row can say of it."""
    said = {name: value for name, value in body.items() if name != "geonames_id"}
    said["communities"] = [
        {name: entry[name] for name in ("community", "role") if name in entry}
        for entry in map(entry_of, body["communities"])
    ]
    said["sources"] = [
        {"article": {"url": source["article"]["url"]}}
        for source in body.get("sources", ())
        if isinstance(source["article"], dict) and source["article"].get("url")
    ]
    row = {}
    for name, value in said.items():
        if name == "communities":
            row["community_roles"] = "; ".join(":".join(entry.values()) for entry in value)
        elif name == "sources":
            row["source_urls"] = "; ".join(source["article"]["url"] for source in value)
        elif name == "police_measures":
            row[name] = ";".join(value)
        elif isinstance(value, bool):
            row[name] = str(value).lower()
        else:
            row[name] = "" if value is None else str(value)
    for name in COUNTS:  # an empty cell beside a figure says no more than an absent one
        if said.get(name) is not None:
            for bound in (f"{name}_low", f"{name}_high"):
                if said.get(bound, 0) is None:
                    del said[bound]
    return row, said


def sheet(row, separator, spell):
    """Return a row as a file, its header spelled in some way."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator)
    writer.writerows([[spell(name) for name in row], list(row.values())])
    return buffer.getvalue()


class Judge:
    """Says what of a stored record is not explained by what was GIVEN, its BASE and warnings."""

    def __init__(self, app, terms, given, base, stored, warned, replace):
        self.app, self.terms = app, terms
        self.given, self.base, self.stored, self.warned = given, base, stored, warned
        self.before = {} if base is None or replace else base
        self.replace = replace

    def faults(self):
        """Return the members that are not explained, with what is stored."""
        faults = [
            name for name, rule in RULES.items() if name in self.stored and not rule(self, name)
        ]
        if self.replace:
            faults += [
                f"{name} emptied untold"
                for name in self.base
                if self.base[name] not in (None, [], "not reported")
                and self.stored[name] in (None, [], "not reported")
                and name in RULES
                and name not in self.given
                and not self.is_told(name)
            ]
        return [(name, self.stored.get(name), self.given) for name in faults]

    def is_told(self, name):
        group = PLACE if name in PLACE else (name,)
        return bool(self.warned.intersection(group))

    def named(self, name):
        """Return what was given of a member, else what stood there."""
        return self.given.get(name, self.before.get(name))

    # Rules: whether a member is explained.

    def text(self, name):
        return self.stored[name] == ((self.named(name) or "").strip() or None)

    def word(self, name):
        return self.stored[name] == self.named(name).lower()

    def date(self, name):
        written = self.named(name)
        return self.stored[name] == DATES.get(written, written)

    def same(self, name):
        return self.stored[name] == self.named(name)

    def measures(self, name):
        return self.stored[name] == [word.lower() for word in self.named(name) or []]

    def term(self, name):
        written = self.named(name)
        return self.stored[name] == (written and self.terms.get(written.casefold(), written))

    def figure(self, name):
        """A best figure alone is exact, bounds alone leave the best unknown unless they meet."""
        ends = {end: f"{name}{end}" for end in ("_low", "", "_high")}
        given = {end: self.given[member] for end, member in ends.items() if member in self.given}
        stored = {end: self.stored[member] for end, member in ends.items()}
        if given.keys() == {""}:
            expected = dict.fromkeys(ends, given[""])
        else:
            known = {end: self.before.get(member) for end, member in ends.items()} | given
            if known[""] is None and known["_low"] == known["_high"]:
                known[""] = known["_low"]
            expected = known
        return stored == expected or (
            self.base is not None and self.replace and self._put(ends.values(), stored)
        )

    def _put(self, members, stored):
        # In a PUT a value that stood there counts as not named; then the others decide.
        known = {side.get(member) for side in (self.given, self.base) for member in members}
        return len(set(stored.values())) == 1 or set(stored.values()) <= known

    def entries(self, name):
        written = self.named(name)
        expected = []
        for entry in map(entry_of, written):
            size = entry.get("participants")
            given_bounds = {end: entry.get(f"participants_{end}", size) for end in ("low", "high")}
            expected.append(
                {
                    "community": self.terms.get(entry["community"].casefold()),
                    "role": (entry.get("role") or "participant").lower(),
                    "participants": size,
                    "participants_low": given_bounds["low"],
                    "participants_high": given_bounds["high"],
                    "organisations": [text.strip() for text in entry.get("organisations", [])],
                }
            )
        return self.stored[name] == expected

    def sources(self, name):
        written = self.named(name) or []
        pairs = zip(written, self.stored[name], strict=True)
        return all(self._source(given, stored) for given, stored in pairs)

    def _source(self, given, stored):
        cited, shown = given["article"], stored["article"]
        cited = {"id": cited} if isinstance(cited, str) else cited
        is_held = cited.get("id") == HELD["id"] or cited.get("url") in SAME_ADDRESS
        for member in ("title", "publisher", "published", "url"):
            said = cited.get(member)
            said = DATES.get(said, said) if member == "published" else (said or "").strip() or None
            if is_held:
                differs = said not in (None, HELD[member]) and member != "url"
                if shown[member] != HELD[member] or (differs and "sources" not in self.warned):
                    return False
            elif shown[member] != said:
                return False
        locator = (given.get("locator") or "").strip() or None
        pairs = zip(given.get("claims", []), stored["claims"], strict=True)
        return stored["locator"] == locator and all(self._claim(*pair) for pair in pairs)

    def _claim(self, given, stored):
        texts = {
            name: (given.get(name) or "").strip() or None
            for name in ("text", "scope", "attributed_to")
        }
        community = given.get("community")
        return stored == {
            "field": given["field"],
            "value": given.get("value"),
            "low": given.get("low"),
            "high": given.get("high"),
            **texts,
            "community": community and self.terms.get(community.casefold()),
        }

    def place(self, _):
        """Given, or what the gazetteer has of the one place that goes by the name or id given.

        Whatever of a place is changed, all of it is looked up again; a spot itself stays.
        """
        given, stored, base = self.given, self.stored, self.base or {}
        if base and not given.keys() & set(PLACE):
            return all(stored[member] == self.before.get(member) for member in PLACE)
        city, admin1 = self.named("city"), given.get("admin1")
        known, latitude = self._gazetteer(city), given.get("latitude")  # null is not named
        precision = given.get("geo_precision")
        if self.replace and precision == base.get("geo_precision"):
            precision = None  # as what stood there is not named in a PUT
        explained = {
            "city": fold(stored["city"] or "") == fold(city or "") or known["city"],
            "country": COUNTRIES.get(self.named("country")),
            "geonames_id": given.get("geonames_id") or known["geonames_id"],
            "admin1": DIVISIONS.get(admin1, admin1) or known["admin1"],
            "latitude": known["latitude"] if latitude is None else latitude,
            "longitude": known["longitude"] if latitude is None else given["longitude"],
            "geo_precision": (precision or "city").lower(),
        }
        stands = [name for name in PLACE if stored[name] == base.get(name, ...)]
        if {"city", "country"} <= set(stands) or base.get("geo_precision") in ("exact", "venue"):
            explained |= {name: stored[name] for name in stands}
        return all(
            value is True or self._is_near(stored[name], value) or self.is_told(name)
            for name, value in explained.items()
        )

    def _is_near(self, stored, value):
        is_number = isinstance(value, float) and isinstance(stored, float)
        return stored == (round(value, 4) if is_number else value)

    def _gazetteer(self, city):
        """Return what the gazetteer has of the stored place, if it goes by the name of CITY."""
        stored = self.stored
        with self.app.app_context():
            place = stored["geonames_id"] and db.session.get(Place, stored["geonames_id"])
            if not place:
                return dict.fromkeys(PLACE)
            own = select(PlaceName.name).where(PlaceName.geonames_id == place.geonames_id)
            names = {*db.session.scalars(own), place.folded}
            if city is not None and fold(city) not in names:
                return dict.fromkeys(PLACE)
            return {
                "city": place.name == stored["city"],
                "admin1": stored["admin1"],  # of one spelling: tests/test_divisions.py
                "geonames_id": place.geonames_id,
                "latitude": place.latitude,
                "longitude": place.longitude,
            }


# How each member may come to be what it is (docs/design.md says why).
RULES = {
    "title": Judge.text,  # without blanks around it
    "summary": Judge.text,  # a blank one is null
    "venue": Judge.text,
    "type": Judge.word,  # in any case
    "date": Judge.date,  # in its one form
    "property_damage": Judge.same,
    "police_measures": Judge.measures,
    "episode": Judge.term,  # the id of an id, name or alias
    "communities": Judge.entries,  # the same, a participant unless said, exact sizes
    "sources": Judge.sources,  # a held article shows what is held
    **dict.fromkeys(COUNTS, Judge.figure),  # the three members change as one
    "city": Judge.place,  # the place by the gazetteer: for all members of PLACE
}


@pytest.fixture
def terms(client):
    """Return the ids of communities and episodes by every name, without case."""
    known = {}
    for vocabulary in ("communities", "episodes"):
        for term in client.get(f"/api/v1/{vocabulary}?limit=1000").json["data"]:
            for name in (term["id"], term["name"], *term["aliases"]):
                known[name.casefold()] = term["id"]
    return known


@pytest.fixture
def send(client, editor):
    """Return a function that makes a request and returns its status, ids and told members."""
    assert client.post("/api/v1/articles", json=HELD, headers=editor).status_code == 201

    def request(method, path, body, media_type="application/json", **headers):
        answer = client.open(
            path, method=method, data=body, content_type=media_type, headers={**editor, **headers}
        )
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 300:
            return answer.status_code, [], set()
        notes = json.loads(answer.headers.get("Warnings", "[]"))
        warnings = [note for note in notes if "similar" not in note]
        warnings += answer.json.get("warnings", [])
        ids = answer.json["ids"] if "ids" in answer.json else [answer.json["id"]]
        if any("pointer" not in warning for warning in warnings):
            return answer.status_code, [], set()  # more than a header holds
        pointers = [warning["pointer"] for warning in warnings if warning["pointer"]]
        return answer.status_code, ids, {pointer.split("/")[1] for pointer in pointers}

    return request


untimed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES <= 40,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
)


def _judge(app, client, terms, given, base, answer, *, replace=False):
    status, ids, warned = answer
    event(f"{status}, {len(ids)} taken")
    for id_ in ids:
        stored = client.get(f"{URL}/{id_}").json
        judge = Judge(app, terms, given, base, stored, warned, replace)
        assert judge.faults() == [], warned


@given(changed=changes(), how=st.sampled_from(["json", "ndjson", "array"]))
@untimed
def test_of_a_new_record(app, client, terms, send, changed, how):
    body = sent(changed)
    if how == "json":
        answer = send("POST", f"{URL}?allow_duplicate=true", json.dumps(body))
    elif how == "ndjson":
        answer = send("POST", f"{URL}?on_error=skip", json.dumps(body), "application/x-ndjson")
    else:
        answer = send("POST", "/api/v1/imports", json.dumps([body], ensure_ascii=False))
    _judge(app, client, terms, body, None, answer)


@given(
    changed=changes(),
    separator=st.sampled_from([",", ";", "\t"]),
    spell=st.sampled_from([str, str.title, lambda name: name.upper().replace("_", " ")]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@untimed
def test_of_a_new_row(app, client, terms, send, changed, separator, spell, encoding):
    row, said = cells_of(sent(changed))
    file = sheet(row, separator, spell).encode(encoding)
    answer = send("POST", "/api/v1/imports?on_error=skip", file, "text/csv")
    _judge(app, client, terms, said, None, answer)


FIRST = (
    {},
    {"summary": "A few words.", "venue": "Market", "arrests": 13, "episode": "autumn-2020-war"},
    {"latitude": 50.45, "longitude": 30.52, "geo_precision": "exact", "injuries_low": 3},
    {
        "deaths": 5,
        "deaths_low": None,
        "police_measures": ["cordon"],
        "property_damage": False,
        "sources": [{"article": HELD["id"], "locator": "paragraph 1"}],
        "communities": [{"community": "armenian", "participants": 5}, "azerbaijani"],
    },
)


@pytest.mark.slow
@given(first=st.sampled_from(FIRST), changed=changes(), method=st.sampled_from(["PATCH", "PUT"]))
@untimed
def test_of_a_change(app, client, terms, send, first, changed, method):
    _, (id_,), _ = send("POST", f"{URL}?allow_duplicate=true", json.dumps(sent(first)))
    base = client.get(f"{URL}/{id_}").json
    body = sent(changed, {} if method == "PATCH" else body_of())
    if_match = {"If-Match": str(base["version"])}
    answer = send(method, f"{URL}/{id_}", json.dumps(body), **if_match)
    _judge(app, client, terms, body, base, answer, replace=method == "PUT")
