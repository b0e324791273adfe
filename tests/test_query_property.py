"""Several hundred generated queries mean on both engines what a plain filter in Python means.

`QUERY_EXAMPLES=500` in the environment asks so many of each test (`make queries`), others each time
that `QUERY_SEED` differs; without it the examples are few and always the same.
"""

import os
from functools import lru_cache
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st
from sqlalchemy import select

from api.core.permissions import Actor
from api.database.engines import db
from api.models import ApiKey
from api.queries.filters import incidents
from api.queries.plans import access_paths
from api.queries.resolver import resolve
from api.search import indexed_text
from schemas import dates
from schemas.counts import COUNT_FIELDS
from schemas.query import filters, loading
from schemas.query.filters import FILTERS
from schemas.query.loading import LoadedQuery
from schemas.query.values import GROUPINGS, SORTS
from schemas.vocabulary import EVENT_TYPES, POLICE_MEASURES, ROLES
from tests import matching, oracle, random_records

RECORDS = 320
EXAMPLES = int(os.environ.get("QUERY_EXAMPLES", "80"))
# One order of examples for everyone: what fails on one machine fails on all.
_settings = settings(
    max_examples=EXAMPLES,
    phases=[Phase.generate],
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def fixed(test):
    return seed(int(os.environ.get("QUERY_SEED", "1")))(_settings(test))


ALIASES = {
    "Moscow": ["Moscow"],
    "Москва": ["Moscow"],
    "Kishinev": ["Chisinau"],
    "Кишинёв": ["Chisinau"],
    "Bruxelles": ["Brussels"],
    "brussels": ["Brussels"],
    "Washington, D.C.": ["Washington"],
    "Paris": ["Paris"],
    "somewhere": ["Somewhere"],
    "Elsewhere": ["Élsewhere"],
    "Honolulu": [],
}
NEAR = {"Brussels": "50.8505,4.3488", "Москва": "55.7522,37.6156"}
DAYS = ("2018-12-01", "2018-12-31", "2019-01-01", "2019-12-31", "2020-01-01", "2020-07-12")
DATES = st.sampled_from(
    (
        *DAYS,
        "2018",
        "2019",
        "2020",
        "2018-12",
        "2019-01",
        "2020-07",
        "2019-01-05/2019-02-03",
        "2018-12-30..2020-01-02",
        "..2019-06-01",
        "2020-07-01..",
        "1990",
        "2031",
    )
)
NUMBERS = st.sampled_from(("0", "1", "2", "5", "6", "13", "14", "20", "47", "1000"))
POINTS = ("50.85,4.35", "-16.85,180", "-17,-179.9", "-90,0", "89.9,-60", "0.2,-0.1", "48.9,2.3")
RADII = ("0.5", "12", "30", "400", "5000", "15000", "20016")
TEXTS = (
    "moscow",
    "Кишинёв",
    "report",
    '"report 7"',
    "clash OR rally",
    "report -temoin",
    "brussel*",
    "armenian protest",
    "(betan OR paris) -clash",
    "something happened",
    "water cannon",
    "border",
)
BOXES = (
    "-180,-90,180,90",
    "0,45,10,55",
    "179,-20,-179,-15",
    "179.96,-18,180,-16",
    "-180,-18,-179.9,-16",
    "-1,-1,1,1",
    "-180,-90,180,-89",
    "170,-90,-170,90",
    "4.3,50.8,4.4,50.9",
    "10,0,-10,80",
    "180,-20,180,-10",
    "20,20,21,21",
)


def comma_lists(words, most=3):
    """Join alternatives by commas."""
    return st.lists(st.sampled_from(tuple(words)), min_size=1, max_size=most).map(",".join)


def once(values):
    return values.map(lambda value: [value])


def repeated(values, most=3):
    return st.lists(values, min_size=1, max_size=most)


def parameters(world):
    """Return a strategy of the values of each filter, by its name."""
    ids = sorted({article["id"] for record in world.records for article in oracle.articles(record)})
    times = sorted({record["updated_at"] for record in world.records})
    members = st.builds(
        lambda name, role: f"{name}:{role}" if role else name,
        st.sampled_from(random_records.COMMUNITIES_KNOWN),
        st.sampled_from((None, None, *ROLES)),
    )
    fields = (*COUNT_FIELDS, "property_damage")
    places = sorted({f"geonames-{record['geonames_id'] or 1}" for record in world.records})
    return {
        "q": once(st.sampled_from(TEXTS)),
        "city": once(comma_lists(ALIASES)),
        "admin1": once(comma_lists(("BE-BRU", "US-DC", "US-CA", "DE-BY", "MD-CU"))),
        "place": once(comma_lists(places)),
        "country": once(comma_lists(("RU", "US", "MD", "BE", "FJ", "AQ", "FR", "DE"))),
        "community": repeated(st.lists(members, min_size=1, max_size=3).map(",".join)),
        "role": once(comma_lists(ROLES)),
        "type": once(comma_lists(tuple(EVENT_TYPES)[:5])),
        "episode": once(comma_lists(random_records.EPISODES)),
        "police_measure": repeated(comma_lists(tuple(POLICE_MEASURES)[:5])),
        "id": once(comma_lists([record["id"] for record in world.records])),
        "tag": repeated(comma_lists((*random_records.TAGS, "nowhere")), 2),
        "organisation": repeated(
            comma_lists(("union of one", "LIGUE DEMO", '"Youth, Lyon"', "Nobody")), 2
        ),
        "external_id": once(comma_lists((*random_records.EXTERNAL_IDS, "gdelt:RUS2"))),
        "publisher": once(
            comma_lists(("the example times", "Le Temoin", "DAILY SAMPLE", "Nobody"))
        ),
        "article": once(comma_lists(ids)),
        "status": once(comma_lists(("published", "draft", "withdrawn"))),
        "disputed": once(comma_lists(("true", "false", *fields))),
        "unreported": once(comma_lists(fields)),
        "property_damage": once(comma_lists(("true", "false", "unknown"))),
        "date": once(DATES),
        "date_from": once(DATES),
        "date_to": once(DATES),
        "updated_since": once(st.sampled_from(times)),
        "min_sources": once(st.sampled_from("01234")),
        "bbox": once(st.sampled_from(BOXES)),
        "near": once(st.sampled_from((*POINTS, *NEAR))),
        **{f"{end}_{name}": once(NUMBERS) for end in ("min", "max") for name in COUNT_FIELDS},
    }


def runs_backwards(query):
    """Whether a window ends before it begins."""
    if not {"date_from", "date_to"} <= query.keys():
        return False
    return dates.parse(query["date_from"]).earliest > dates.parse(query["date_to"]).latest


@st.composite
def queries(draw, known, most=4):
    """Draw a query: some KNOWN filters with values, and how dates and bounds are to match."""
    names = draw(st.lists(st.sampled_from(sorted(known)), unique=True, max_size=most))
    query = [(name, value) for name in names for value in draw(known[name])]
    if runs_backwards(dict(query)):  # which is refused
        query = [(name, value) for name, value in query if name != "date_to"]
    given = dict(query)
    for name in COUNT_FIELDS:
        if int(given.get(f"min_{name}", 0)) > int(given.get(f"max_{name}", "1000")):  # likewise
            query.remove((f"max_{name}", given[f"max_{name}"]))
    if "near" in names and draw(st.booleans()):
        query.append(("radius_km", draw(st.sampled_from(RADII))))
    match = draw(st.sampled_from((None, None, "possible", "certain")))
    return query + ([("match", match)] if match else [])


@pytest.fixture
def world(app, database):
    """Fill the database, and return the records with what is needed to ask for them."""
    with app.app_context():
        pk = db.session.scalar(select(ApiKey.pk).filter_by(role="contributor"))
    author = Actor(pk, "contributor", "test contributor")
    records = random_records.fill(app, RECORDS, author)
    cities = {name: list(meant) for name, meant in ALIASES.items()}

    entries = {
        r["id"]: matching.PlainEntry(indexed_text.entry(0, "2000-01-01", r)) for r in records
    }

    @lru_cache
    def wanted(text):
        with app.app_context():
            return resolve(LoadedQuery(criteria={"q": text})).criteria["q"].resolved.node

    def finds(record, text):
        return entries[record["id"]].matches(wanted(text))

    return oracle.World(records, cities, finds)


def with_points(query):
    """Replace names of places by their points, which the reference knows nothing of."""
    return [(name, NEAR.get(value, value) if name == "near" else value) for name, value in query]


def pages(client, query, headers, resource="incidents"):
    """Walk all pages of a query."""
    address = f"/api/v1/{resource}?{urlencode(query)}"
    while address:
        answer = client.get(address, headers=headers)
        assert answer.status_code == 200, answer.json
        yield answer.json
        address = answer.json["next"]


def test_every_filter_is_asked_about():
    record = {
        "id": "b",
        "geonames_id": None,
        "sources": [{"article": {"id": "a"}}],
        "updated_at": "2020-07-24T00:00:00Z",
    }
    assert set(parameters(oracle.World([record]))) == FILTERS


@pytest.mark.slow
def test_every_area_holds_what_lies_in_it(world, client):
    """Circles over the poles and the antimeridian, boxes that end or begin there."""
    circles = [[("near", point), ("radius_km", km)] for point in POINTS for km in RADII]
    for area in [*circles, *([("bbox", box)] for box in BOXES)]:
        for match in ([], [("match", "certain")]):
            query = [*area, *match, ("limit", 1000)]
            answer = client.get(f"/api/v1/incidents?{urlencode(query)}")
            meant = {record["id"] for record in world.matching(query)}
            assert {record["id"] for record in answer.json["data"]} == meant, query


class DrawnPaths:
    """Stands in for the choice of an index: takes whichever a test draws, fitting or not."""

    def __init__(self):
        self.drawn = 0

    def choose(self, _estimates, plan, _criteria, _values):
        paths = [None, *incidents.access_paths(plan.filters, plan.match)]
        if plan.window and not plan.by_date:
            paths.append((plan.window, 0))
        return paths[self.drawn % len(paths)]


@pytest.mark.slow
def test_a_list_holds_what_a_plain_filter_keeps_in_order(world, client, contributor, editor):
    walked(world, client, contributor, editor)


@pytest.mark.slow
def test_a_list_holds_the_same_whichever_index_is_walked(
    world, client, contributor, editor, monkeypatch
):
    drawn = DrawnPaths()
    monkeypatch.setattr(access_paths, "choose", drawn.choose)
    walked(world, client, contributor, editor, drawn)


def walked(world, client, contributor, editor, drawn=None):
    """Compare the pages of generated queries with what a plain filter keeps."""
    callers = {"public": None, "contributor": contributor, "editor": editor}

    @fixed
    @given(
        query=queries(parameters(world)),
        sort=st.sampled_from(sorted({*SORTS} - {"relevance"})),  # that has tests of its own
        limit=st.sampled_from((5, 30, 100, 1000)),
        count=st.booleans(),
        who=st.sampled_from(("public", "public", *callers)),
        path=st.integers(0, 11) if drawn else st.just(0),
    )
    def check(query, sort, limit, count, who, path):
        if drawn:
            drawn.drawn = path
        note(f"{who} {sort} {path}: {urlencode(query)}")
        meant = oracle.sorted_records(world.matching(with_points(query), who), sort)
        controls = [("sort", sort), ("limit", limit)] + ([("count", "exact")] if count else [])
        ids, filtered = [], {name for name, _ in query} - {"match"}
        for page in pages(client, [*query, *controls], callers[who]):
            ids += [record["id"] for record in page["data"]]
            only = len(page["data"]) == len(ids) and page["next"] is None
            assert page["total"] == (len(meant) if count or only or not filtered else None)
        assert ids == [record["id"] for record in meant]

    check()


@pytest.mark.slow
def test_a_document_alone_tells_whether_a_query_means_it(world, app):
    """As what is remembered is brought up to date."""
    known = {name: one for name, one in parameters(world).items() if name != "q"}
    published = [record for record in world.records if record["status"] == "published"]

    @fixed
    @given(query=queries(known))
    def check(query):
        note(urlencode(query))
        given = {name: [v for n, v in query if n == name] for name, _ in query}
        loaded = loading.to_query(loading.load(filters.FilterQuery, given.items()))
        with app.app_context():
            criteria = resolve(loaded).criteria
        kept = [r["id"] for r in published if incidents.matches(r, criteria, loaded.match)]
        assert kept == [record["id"] for record in world.matching(with_points(query))]

    check()


@pytest.mark.slow
def test_a_search_finds_what_a_plain_matcher_finds_among_what_a_plain_filter_keeps(
    world, client, contributor, editor
):
    callers = {"public": None, "contributor": contributor, "editor": editor}
    known = parameters(world)
    texts = known.pop("q")

    @fixed
    @given(
        text=texts,
        query=queries(known, most=2),
        limit=st.sampled_from((7, 50, 1000)),
        count=st.booleans(),
        who=st.sampled_from(("public", "public", *callers)),
    )
    def check(text, query, limit, count, who):
        query = [("q", *text), *query]
        note(f"{who}: {urlencode(query)}")
        meant = {record["id"] for record in world.matching(with_points(query), who)}
        controls = [("limit", limit)] + ([("count", "exact")] if count else [])
        found = []
        for page in pages(client, [*query, *controls], callers[who], "search"):
            found += [hit["incident"]["id"] for hit in page["data"]]
            only = len(page["data"]) == len(found) and page["next"] is None
            assert page["total"] == (len(meant) if count or only else None)
        assert (len(found), set(found)) == (len(meant), meant)

    check()


@pytest.mark.slow
def test_an_overview_counts_what_a_plain_filter_keeps(world, client):
    @fixed
    @given(query=queries(parameters(world)))
    def check(query):
        note(urlencode(query))
        answer = client.get(f"/api/v1/overview?{urlencode(query)}").json
        del answer["dataset_version"]
        assert answer == oracle.overview(world.matching(with_points(query)))

    check()


@pytest.mark.slow
def test_statistics_add_up_what_a_plain_filter_keeps(world, client, contributor, editor):
    callers = {"public": None, "contributor": contributor, "editor": editor}

    @fixed
    @given(
        query=queries(parameters(world)),
        grouping=st.lists(st.sampled_from(GROUPINGS), min_size=1, max_size=2, unique=True),
        who=st.sampled_from(("public", "public", *callers)),
    )
    def check(query, grouping, who):
        if set(grouping[1:]) and set(grouping) <= {"community", "community_pair", "organisation"}:
            return  # which is refused
        note(f"{who} {grouping}: {urlencode(query)}")
        rows, total = oracle.statistics(world.matching(with_points(query), who), grouping)
        controls = [("group_by", ",".join(grouping)), ("limit", "10000")]
        answer = client.get(f"/api/v1/stats?{urlencode([*query, *controls])}", headers=callers[who])
        assert answer.status_code == 200, answer.json
        assert answer.json["data"] == rows
        assert (answer.json["total"], answer.json["rows"]) == (total, len(rows))

    check()
