"""Full-text search: what finds a record, in which order, how it is shown, and to whom.

Every test runs on both engines; that both give the same hits follows from each giving those of
the plain matcher here, which looks at the same tokens.
"""

import base64
import html
import random
import re
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from api.core import clock
from api.database.engines import db
from api.queries import cursors
from api.queries.plans.access_paths import RowEstimates
from api.queries.resolver import resolve
from api.queries.text import ranking
from api.search import indexed_text, tokenizer
from api.search.ast import Or
from api.search.highlighting import highlight
from api.search.parser import parse
from schemas.query.loading import LoadedQuery
from tests.matching import PlainEntry

SEARCH, INCIDENTS = "/api/v1/search", "/api/v1/incidents"


@pytest.fixture
def post(client, editor, incident):
    """Return a function that posts a record and returns it as it is served."""

    def post(headers=editor, **changes):
        body = incident(**changes)
        answer = client.post(f"{INCIDENTS}?allow_duplicate=true", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json

    return post


@pytest.fixture
def titles_of(client):
    """Return a function that searches, and returns the titles of the hits, sorted."""

    def titles_of(q, headers=None, **more):
        answer = client.get(SEARCH, query_string={"q": q, **more}, headers=headers)
        assert answer.status_code == 200, answer.text
        return sorted(hit["incident"]["title"] for hit in answer.json["data"])

    return titles_of


ARTICLE = {"title": "A quiet evening in the suburbs", "publisher": "Gazette of the North"}


def everywhere(incident_with):
    """Make a record that has something in every field that is searched."""
    return incident_with(
        title="Quarrel at a fair",
        summary="Neighbours separated the two sides before nightfall.",
        venue="Harbour Hall",
        city="Chisinau",
        country="MD",
        type="counter_protest",
        communities=[
            {"community": "armenian", "role": "target", "organisations": ["Society of Letters"]}
        ],
        police_measures=["water_cannon"],
        episode="autumn-2020-war",
        sources=[{"article": ARTICLE}],
    )


@pytest.mark.parametrize(
    ("q", "field"),
    [
        ("quarrels", "title"),
        ("separating", "summary"),
        ('"harbour hall"', "venue"),
        ("Chişinău", "city"),
        ("Kishinev", "city"),
        ("Кишинёв", "city"),
        ("Moldova", "country"),
        ("Молдова", "country"),
        ("counter-protest", "type"),
        ("Armenian", "communities"),
        ("Армяне", "communities"),
        ("Arméniens", "communities"),
        ('"Society of Letters"', "communities"),
        ("cannon", "police_measures"),
        ('"autumn 2020"', "episode"),
        ('"Nagorno-Karabakh war"', "episode"),
        ("suburb", "sources"),
        ("gazette", "sources"),
        ("neighb*", "summary"),
    ],
)
def test_a_record_is_found_by_each_of_its_texts_and_names(post, client, q, field):
    everywhere(post)
    post(title="Something else", type="rally", communities=["azerbaijani"])
    answer = client.get(SEARCH, query_string={"q": q}).json
    (hit,) = answer["data"]
    assert hit["incident"]["title"] == "Quarrel at a fair"
    assert field in hit["matched"]
    assert "<mark>" in hit["snippet"]
    assert (answer["total"], answer["ranked"]) == (1, "all")
    assert client.get(INCIDENTS, query_string={"q": q}).json["data"] == [hit["incident"]]


def test_the_words_of_a_query_are_combined(post, titles_of):
    for title in ("Red apple", "Green apple", "Red pear", "A pear that is red"):
        post(title=title)
    assert titles_of("red apple") == ["Red apple"]
    assert titles_of("red -apple") == ["A pear that is red", "Red pear"]
    assert titles_of("green OR pear") == ["A pear that is red", "Green apple", "Red pear"]
    assert titles_of('"red pear"') == ["Red pear"]
    assert titles_of("(red OR green) apple") == ["Green apple", "Red apple"]
    assert titles_of("pear -(red apple)") == ["A pear that is red", "Red pear"]
    assert titles_of("appl*") == ["Green apple", "Red apple"]
    assert titles_of("the red apple") == ["Red apple"]
    assert titles_of('the "the"') == titles_of('"the" the apple') == []
    post(title="The apple")
    assert titles_of('the "the"') == titles_of('"the" the apple') == ["The apple"]


def test_a_phrase_does_not_reach_from_one_text_into_the_next(post, titles_of):
    post(
        title="North",
        venue="South Hall",
        communities=[
            {"community": "armenian", "role": "participant", "organisations": ["East", "West"]}
        ],
    )
    assert titles_of('"south hall"') == ["North"]
    assert titles_of('"north south"') == titles_of('"east west"') == []


def test_what_stands_in_title_or_place_counts_more(post, client):
    post(title="Plain", sources=[{"article": {"title": "Lyon"}}], date="2020-05-05")
    post(title="Plain", summary="Seen from Lyon.", date="2020-05-04")
    post(title="Plain", city="Lyon", country="FR", date="2020-05-03")
    post(title="Lyon", date="2020-05-02")
    post(title="Lyon", city="Lyon", country="FR", summary="Lyon", date="2020-05-01")
    data = client.get(SEARCH, query_string={"q": "lyon"}).json["data"]
    assert [hit["score"] for hit in data] == [1, 0.7, 0.5, 0.2, 0.2]
    assert [hit["incident"]["date"][-1] for hit in data] == ["1", "2", "3", "5", "4"]
    by_relevance = client.get(INCIDENTS, query_string={"q": "lyon", "sort": "relevance"}).json
    assert by_relevance["data"] == [hit["incident"] for hit in data]


def test_hits_of_one_score_come_newest_first(post, client):
    for date in ("2019-01-01", "2021", "2020-06"):
        post(title="Rally", type="rally", date=date)
    data = client.get(SEARCH, query_string={"q": "rally"}).json["data"]
    assert [hit["incident"]["date"] for hit in data] == ["2021", "2020-06", "2019-01-01"]


def test_a_text_query_meets_every_other_filter_and_order(post, client):
    post(title="Rally one", city="Lyon", country="FR", date="2020-03", arrests=3)
    post(title="Rally two", city="Lyon", country="FR", date="2020-02-02", arrests=9)
    post(title="Rally three", date="2020-01-01")
    post(title="Vigil", city="Lyon", country="FR", date="2020-02-03", arrests=1)

    def titles(**query):
        answer = client.get(INCIDENTS, query_string={"q": "rally", **query})
        assert answer.status_code == 200, answer.text
        return [record["title"].removeprefix("Rally ") for record in answer.json["data"]]

    assert titles() == titles(sort="-date") == ["one", "two", "three"]
    assert titles(sort="date") == ["three", "two", "one"]
    assert titles(sort="-arrests") == ["two", "one", "three"]
    assert titles(city="Lyon") == ["one", "two"]
    assert titles(city="Lyon", sort="arrests", min_arrests=2) == ["one", "two"]
    assert titles(date_to="2020-02") == ["two", "three"]
    assert titles(date="2020-03-10") == ["one"]
    assert titles(date="2020-03-10", match="certain") == []
    counted = client.get(INCIDENTS, query_string={"q": "rally", "count": "exact", "limit": 1}).json
    assert counted["total"] == 3


@pytest.mark.parametrize("sort", ["-date", "date", "relevance", "-updated_at", "arrests"])
def test_pages_show_every_hit_once(post, client, sort, monkeypatch):
    monkeypatch.setattr(ranking, "MOST_RANKED", 7)
    dates = random.Random(3).choices(["2020", "2020-01-01", "2019-12-31", "2020-02", "2018"], k=20)
    wanted = [post(title="Rally", date=date, arrests=n % 3)["id"] for n, date in enumerate(dates)]
    post(title="Vigil")
    shown, address = [], f"{INCIDENTS}?{urlencode({'q': 'rally', 'sort': sort, 'limit': 3})}"
    while address:
        page = client.get(address).json
        shown += [record["id"] for record in page["data"]]
        address = page["next"]
    assert sorted(shown) == sorted(wanted)
    if sort in ("-date", "date"):
        whole = client.get(INCIDENTS, query_string={"sort": sort, "limit": 100}).json["data"]
        assert shown == [record["id"] for record in whole if record["title"] == "Rally"]


def test_where_many_match_the_newest_are_ranked_and_the_answer_says_so(post, client, monkeypatch):
    monkeypatch.setattr(ranking, "MOST_RANKED", 3)
    for day in range(1, 9):
        post(title="Rally" if day in (1, 6) else "Walk", summary="Rally", date=f"2020-01-0{day}")
    first = client.get(SEARCH, query_string={"q": "rally", "limit": 2}).json
    assert (first["ranked"], first["total"]) == ("newest 3", None)
    assert [hit["incident"]["date"][-1] for hit in first["data"]] == ["6", "8"]
    # A newcomer among the ranked neither shifts them nor drives one out of the pages.
    post(title="Walk", summary="Rally", date="2020-01-09")
    days, address = [], first["next"]
    while address:
        page = client.get(address).json
        days += [hit["incident"]["date"][-1] for hit in page["data"]]
        address = page["next"]
    assert page["ranked"] == "next 3"
    assert days == ["7", "5", "4", "3", "1", "2"]
    exact = client.get(SEARCH, query_string={"q": "rally", "count": "exact"}).json
    assert exact["total"] == 9


def test_a_cursor_is_good_for_its_own_query_alone(post, client):
    for _ in range(3):
        post(title="Rally walk")
    cursor = client.get(SEARCH, query_string={"q": "rally", "limit": 1}).json["next"]
    cursor = re.search("cursor=([^&]+)", cursor)[1]
    for other in ({"q": "walk"}, {"q": "rally", "country": "UA"}, {"q": "rally OR walk"}):
        answer = client.get(SEARCH, query_string={**other, "cursor": cursor})
        assert answer.status_code == 422
        assert answer.json["errors"][0]["code"] == "bad_cursor"
    for broken in ("x", cursor[:-2], cursor[2:], "WyJyZWxldmFuY2UiXQ"):
        answer = client.get(SEARCH, query_string={"q": "rally", "cursor": broken})
        assert answer.status_code == 422
    *parts, points = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    for forged in (points + 100, 2**31, 2**53 - 1, -2):
        broken = cursors._write(*parts, forged)
        for path in (SEARCH, f"{INCIDENTS}.ndjson"):
            given = {"q": "rally", "cursor": broken}
            given |= {} if path is SEARCH else {"sort": "relevance"}
            answer = client.get(path, query_string=given)
            assert answer.status_code == 422, forged


def test_a_query_that_cannot_be_read_is_a_422_that_shows_where(client):
    for path in (SEARCH, INCIDENTS):
        answer = client.get(path, query_string={"q": 'Moscow "tear gas'})
        assert answer.status_code == 422
        (fault,) = answer.json["errors"]
        assert (fault["parameter"], fault["code"], fault["offset"]) == ("q", "bad_search", 7)
        assert fault["shown"] == 'Moscow "tear gas\n       ^'


def test_search_needs_words_and_so_does_relevance(client):
    answer = client.get(SEARCH)
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "required")
    answer = client.get(SEARCH, query_string={"q": "x", "sort": "date"})
    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, "sort")
    answer = client.get(INCIDENTS, query_string={"sort": "relevance"})
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "needs_words")


def test_sparse_hits_and_unchanged_answers(post, client):
    post(title="Rally")
    query = {"q": "rally", "fields": "id,title"}
    answer = client.get(SEARCH, query_string=query)
    assert list(answer.json["data"][0]["incident"]) == ["id", "title"]
    headers = {"If-None-Match": answer.headers["ETag"]}
    assert client.get(SEARCH, query_string=query, headers=headers).status_code == 304
    post(title="Other")
    assert client.get(SEARCH, query_string=query, headers=headers).status_code == 200


# Near spellings


def test_near_spellings_that_find_something_are_suggested(post, client):
    post(title="Quiet vigil", city="Brussels", country="BE")
    post(title="Loud rally", city="Chisinau", country="MD", type="rally")

    def suggested(q, **more):
        answer = client.get(SEARCH, query_string={"q": q, **more}).json
        assert answer["data"] == []
        return answer["suggestions"]

    assert suggested("Brusels") == ["Brussels"]
    assert suggested("vigil brusels") == ["vigil Brussels"]
    assert suggested("Vijil in Brusels") == ["vigil in Brussels"]
    assert suggested("Armenain rally")[0] == "Armenian rally"
    assert suggested("Кишинёф") == ["Chisinau"]
    assert suggested("rally Brusels") == []
    assert suggested("Brusels", country="MD") == []
    assert suggested("zzzzzzzz") == suggested("vigil rally") == []


# Drafts


def test_drafts_show_to_those_alone_who_may_read_them(post, client, contributor, editor, titles_of):
    post(title="Public zebra", city="Lyon", country="FR")
    draft = post(contributor, title="Hidden zebra okapi", city="Lyon", country="FR")
    post(editor, title="Editor's zebra", status="draft")
    for path in (SEARCH, INCIDENTS):
        for query in ({"q": "zebra"}, {"q": "zebra", "count": "exact"}):
            answer = client.get(path, query_string=query).json
            assert answer["total"] == 1
    assert titles_of("zebra") == ["Public zebra"]
    assert titles_of("zebra", contributor) == ["Hidden zebra okapi", "Public zebra"]
    assert titles_of("zebra", editor) == ["Editor's zebra", "Hidden zebra okapi", "Public zebra"]
    assert titles_of("okapi") == titles_of("oka*") == []
    for q in ("okappi", "okap", "zebro okapi"):
        assert client.get(SEARCH, query_string={"q": q}).json["suggestions"] == []
    answer = client.get(SEARCH, query_string={"q": "okapi"}, headers=editor)
    assert (answer.headers["Cache-Control"], "ETag" in answer.headers) == (
        "private, no-store",
        False,
    )
    headers = {**editor, "If-Match": "*"}
    client.patch(f"{INCIDENTS}/{draft['id']}", json={"status": "published"}, headers=headers)
    assert titles_of("okapi") == ["Hidden zebra okapi"]
    assert client.get(SEARCH, query_string={"q": "okappi"}).json["suggestions"] == ["okapi"]


def test_scores_and_orders_are_the_same_with_and_without_drafts(post, client, contributor):
    for title in ("Zebra", "Zebra crossing", "Crossing"):
        post(title=title, summary="zebra")
    before = client.get(SEARCH, query_string={"q": "zebra crossing"}).json
    for _ in range(5):
        post(contributor, title="Zebra crossing")
    assert client.get(SEARCH, query_string={"q": "zebra crossing"}).json == before


# What changes


def index(app):
    """Read what the indexes hold: entries of the public, entries of the others, words."""
    with app.app_context(), db.engine.connect() as connection:
        columns = "title, place, text, sources" if db.engine.name == "sqlite" else "tokens"
        return [
            sorted(map(tuple, connection.execute(text(f"SELECT {names} FROM {table}"))))
            for table, names in (
                ("search_public", f"rowid, {columns}"),
                ("search_private", f"rowid, {columns}"),
                ("search_words", "DISTINCT word"),
            )
        ]


def change(client, headers, record, **fields):
    path = f"{INCIDENTS}/{record['id']}"
    answer = client.patch(path, json=fields, headers={**headers, "If-Match": "*"})
    assert answer.status_code == 200, answer.text


def test_the_index_follows_every_change(app, post, client, editor, admin, titles_of):
    record = post(title="Zebra", date="2020-05")
    change(client, editor, record, title="Okapi", date="2021-06-07")
    assert (titles_of("zebra"), titles_of("okapi")) == ([], ["Okapi"])
    assert "zebra" not in {word for (word,) in index(app)[2]}

    path, forced = f"{INCIDENTS}/{record['id']}", {**editor, "If-Match": "*"}
    assert client.delete(path, headers=forced).status_code == 204
    assert (titles_of("okapi"), titles_of("okapi", editor)) == ([], [])
    assert titles_of("okapi", editor, status="withdrawn") == ["Okapi"]
    assert index(app)[2] == []

    versions = f"{path}/versions/2/restore"
    assert client.post(versions, json={}, headers=forced).status_code == 200
    assert titles_of("okapi") == ["Okapi"]

    erased = client.post(f"{path}/erase", json={}, headers={**admin, "If-Match": "*"})
    assert erased.status_code in (200, 204), erased.text
    assert index(app) == [[], [], []]


def test_an_article_that_is_corrected_is_found_by_its_new_title(
    app, post, client, editor, titles_of
):
    record = post(title="Vigil", sources=[{"article": {"title": "Zebra crossing"}}])
    article = record["sources"][0]["article"]
    path = f"/api/v1/articles/{article['id']}"
    headers = {**editor, "If-Match": "*"}
    assert client.patch(path, json={"title": "Okapi"}, headers=headers).status_code == 200
    assert (titles_of("zebra"), titles_of("okapi")) == ([], ["Vigil"])


def test_an_article_that_is_erased_is_found_no_more(app, post, client, editor, admin, titles_of):
    record = post(title="Vigil", sources=[{"article": {"title": "Zebra crossing"}}])
    forced = {**editor, "If-Match": "*"}
    assert client.delete(f"{INCIDENTS}/{record['id']}", headers=forced).status_code == 204
    assert titles_of("zebra", editor, status="withdrawn") == ["Vigil"]
    path = f"/api/v1/articles/{record['sources'][0]['article']['id']}/erase"
    erased = client.post(path, json={}, headers={**admin, "If-Match": "*"})
    assert erased.status_code == 200, erased.text
    assert titles_of("zebra", editor, status="withdrawn") == []


def test_a_new_name_or_alias_finds_at_once_and_indexes_nothing(
    app, post, client, editor, titles_of
):
    post(title="Vigil", communities=["armenian"], episode="autumn-2020-war")
    before = index(app)
    path = "/api/v1/communities/armenian"
    headers = {**editor, "If-Match": "*"}
    for name, aliases in (("Hayastani", ["Haykakan people"]), ("Okapi", [])):
        changed = client.patch(path, json={"name": name, "aliases": aliases}, headers=headers)
        assert changed.status_code == 200
        assert titles_of(name) == ["Vigil"]
        assert titles_of("haykakan people") == (["Vigil"] if aliases else [])
        assert titles_of("Armenians") == []
    assert index(app) == before


def test_a_new_name_finds_at_once_though_the_clock_went_back(
    post, client, editor, titles_of, monkeypatch
):
    post(title="Vigil", communities=["armenian"])
    assert titles_of("Hayastani") == []
    monkeypatch.setattr(clock, "now", lambda: "2020-01-01T00:00:00.000Z")
    headers = {**editor, "If-Match": "*"}
    for name in ("Hayastani", "Okapi"):
        client.patch("/api/v1/communities/armenian", json={"name": name}, headers=headers)
        assert titles_of(name) == ["Vigil"]
    assert titles_of("Hayastani") == []


def test_an_index_that_is_built_anew_is_the_same(app, runner, post, client, editor, contributor):
    everywhere(post)
    draft = post(contributor, title="Hidden zebra")
    gone = post(title="Okapi")
    client.delete(f"{INCIDENTS}/{gone['id']}", headers={**editor, "If-Match": "*"})
    change(client, editor, draft, summary="Longer than before.")
    before = index(app)
    assert all(before)
    result = runner.invoke(args=["search", "rebuild"])
    assert result.exit_code == 0, result.output
    assert "3 records" in result.output
    assert index(app) == before


def test_an_entry_that_is_lost_is_missed_and_mended(app, runner, post, client, titles_of):
    record = post(title="Zebra")
    post(title="Okapi")
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("DELETE FROM search_public WHERE rowid & 1099511627775 = 1"))
    assert titles_of("zebra") == []
    result = runner.invoke(args=["documents", "check"])
    assert (result.exit_code, f"{record['id']}: the full-text index" in result.output) == (1, True)
    assert runner.invoke(args=["documents", "rebuild"]).exit_code == 0
    assert titles_of("zebra") == ["Zebra"]
    assert runner.invoke(args=["documents", "check"]).exit_code == 0


def test_an_index_of_another_form_is_refused_until_it_is_built_anew(app, runner, post, client):
    post(title="Zebra")
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE search_state SET form = 'old'"))
    for path in (SEARCH, INCIDENTS):
        answer = client.get(path, query_string={"q": "zebra"})
        assert answer.status_code == 503
        assert "search rebuild" in answer.json["detail"]
    assert client.get(INCIDENTS).status_code == 200
    assert runner.invoke(args=["search", "rebuild"]).exit_code == 0
    assert client.get(SEARCH, query_string={"q": "zebra"}).json["total"] == 1


# Against a plain matcher


WORDS = [
    "red",
    "apple",
    "pears",
    "of",
    "gas",
    "moscow",
    "москва",
    "лион",
    "armenian",
    "1,500",
    "tear",
    "protests",
    "lyon",
    "The",
    "Zürich",
]
TITLES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
CITIES = [("Moscow", "RU"), ("Lyon", "FR"), ("Zürich", "CH"), ("Kyiv", "UA")]


def records(count, seed):
    """Make bodies of records out of few words, so that queries of the same words find some."""
    chance = random.Random(seed)

    def some(most):
        return " ".join(chance.choices(WORDS, k=chance.randint(1, most)))

    for number in range(count):
        city, country = chance.choice(CITIES)
        yield {
            "title": some(4),
            "summary": some(8) if number % 3 else None,
            "city": city,
            "country": country,
            "date": f"20{10 + number % 4}-0{1 + number % 9}-11",
            "type": chance.choice(["protest", "clash", "rally"]),
            "communities": chance.sample(["armenian", "azerbaijani"], chance.randint(1, 2)),
            "sources": [{"article": {"title": some(3)}}] if number % 2 else [],
        }


TERMS = st.one_of(
    st.sampled_from(WORDS),
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(" ".join).map('"{}"'.format),
    st.sampled_from(["prot*", "mosc*", "арм*", "azerb*", "zur*", "150*"]),
    st.sampled_from(["clash", "tear gas", "Azeris", "Россия", "France", "Zurich", "Kiev"]),
)
QUERIES = st.recursive(
    TERMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(" ".join),
        st.lists(inner, min_size=2, max_size=3).map(" OR ".join),
        st.tuples(inner, inner).map("{0[0]} -({0[1]})".format),
        inner.map("({})".format),
    ),
    max_leaves=6,
)


@pytest.mark.slow
def test_hits_scores_and_order_are_those_of_a_plain_matcher(app, post, client):
    by_id = {}
    for body in records(60, seed=7):
        record = post(**body)
        by_id[record["id"]] = record
    with app.app_context(), db.engine.connect() as connection:
        pks = dict(connection.execute(text("SELECT id, pk FROM incidents")).all())
    entries = {
        id_: indexed_text.entry(pks[id_], record["date_start"], record)
        for id_, record in by_id.items()
    }
    numbers = []

    @given(QUERIES)
    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
    @example("moscow OR лион -red")
    @example('"red apple" OR (of -(tear gas))')
    def check(q):
        with app.app_context():
            wanted = resolve(queries_of(q)).criteria["q"].resolved
        plain = {id_: PlainEntry(entry) for id_, entry in entries.items()}
        fitting = [id_ for id_, one in plain.items() if one.matches(wanted.node)]
        scores = {id_: plain[id_].score(wanted.units) for id_ in fitting}
        order = sorted(fitting, key=lambda id_: (-scores[id_], entries[id_].doc_id))
        answer = client.get(SEARCH, query_string={"q": q, "limit": 100}).json
        shown = [(hit["incident"]["id"], hit["score"]) for hit in answer["data"]]
        assert [id_ for id_, _ in shown] == order
        assert [score for _, score in shown] == pytest.approx([scores[id_] for id_ in order])
        assert answer["total"] == len(order)
        assert all(hit["matched"] for hit in answer["data"])
        for sort in ("-date", "-arrests"):
            query = {"q": q, "sort": sort, "limit": 100, "country": "RU,FR"}
            listed = client.get(INCIDENTS, query_string=query).json["data"]
            assert {record["id"] for record in listed} == {
                id_ for id_ in order if by_id[id_]["country"] in ("RU", "FR")
            }
        numbers.append(len(order))

    def queries_of(q):
        return LoadedQuery(criteria={"q": q})

    check()
    assert sum(1 for number in numbers if 0 < number < 60) > 30  # the queries do tell apart


def test_long_texts_match_the_same_on_both_engines(post, titles_of):
    """PostgreSQL keeps 255 places of a word and 16,383 in all; so does the index on SQLite."""
    post(title="Repeated", summary="zebra " * 300 + "okapi")
    post(title="Last", summary=" ".join(f"w{n}" for n in range(1500)) + " okapi zebra")
    assert titles_of("zebra okapi") == ["Last", "Repeated"]
    assert titles_of('"okapi zebra"') == ["Last"]
    assert titles_of('"zebra okapi"') == []


# Snippets


HTML = st.lists(
    st.sampled_from(
        [
            "<b>",
            "</mark>",
            "<mark>",
            "&amp;",
            "&",
            '"',
            "'",
            "<script>a()</script>",
            "red",
            "apple",
            "Red,",
            "\n",
            "…",
            "x" * 50,
        ]
    ),
    min_size=1,
    max_size=80,
).map(" ".join)


@given(HTML, st.sampled_from(["red", "red apple", '"red apple"', "re* OR appl*", "red -x", "app*"]))
@settings(deadline=None)
def test_a_snippet_is_the_text_with_marks_and_nothing_else_that_is_html(summary, q):
    node = Or((parse("red OR appl*"), parse(q.replace("re*", "red*"))))
    shown = highlight(document(title="Plain", summary=summary), node, {})
    bare = re.sub("</?mark>", "", shown.snippet)
    assert not set("<>\"'") & set(bare)
    assert shown.snippet.count("<mark>") == shown.snippet.count("</mark>")
    text_of = html.unescape(bare)
    whole = f"…{summary}… Plain"
    assert text_of.removeprefix("…").removesuffix("…") in whole
    for marked in re.findall("<mark>(.*?)</mark>", shown.snippet):
        assert tokenizer.tokenize(html.unescape(marked))[0] in ("red", "appl")


def document(**changes):
    """Return a document as it is searched."""
    empty = {
        "status": "published",
        "title": None,
        "summary": None,
        "venue": None,
        "city": None,
        "admin1": None,
        "country": "UA",
        "country_name": "Ukraine",
        "geonames_id": None,
        "type": "clash",
        "police_measures": [],
        "communities": [],
        "episode": None,
        "sources": [],
        "tags": [],
        "external_ids": [],
    }
    return {**empty, **changes}


def test_a_snippet_shows_where_most_matches():
    summary = "Red. " + "nothing here " * 60 + "a red apple beside red apples " + "and on " * 80
    shown = highlight(document(title="T", summary=summary), parse("red apple"), {})
    assert shown.snippet.count("<mark>") == 4
    assert shown.snippet.startswith("…")
    assert shown.snippet.endswith("…")
    assert len(re.sub("</?mark>", "", shown.snippet)) < 260
    assert shown.matched == ["summary"]


def test_text_that_is_html_reaches_no_page_as_html(post, client):
    post(title="<img src=x onerror=alert(1)> zebra", city="Lyon", country="FR")
    (hit,) = client.get(SEARCH, query_string={"q": "zebra"}).json["data"]
    assert hit["snippet"] == ("&lt;img src=x onerror=alert(1)&gt; <mark>zebra</mark>")


# Hostile queries


HOSTILE = [
    "NEAR(a b, 5)",
    "a NEAR/2 b",
    "title:a",
    "{title place}: a",
    "^a",
    "a:*",
    "a:A",
    "!a",
    "a & b",
    "a | b",
    "a <-> b",
    "a AND NOT b",
    '"a" + "b"',
    "a'b",
    "a''b",
    "a\\'b",
    "a\\b",
    "%_",
    "a;--",
    "' OR 1=1 --",
    "search_public",
    "rowid",
    "a\tb\r\nc",
    "\u202ea",
    "𝔸𝔹*",
    "’a’",
    "()",
    "((",
    "))",
    "*",
    "**",
    "a**",
    '"*"',
    "-",
    "--",
    "-*",
    "-()",
    "OR",
    "OR OR",
    "a OR",
    "1e309",
    "NULL",
    "😀",
    "ﷺ",
    "a" * 1000,
    "a " * 500,
    "-" * 1000,
    "(" * 500,
    '"' * 999,
    "a* " * 300,
    "é" * 1000,
]


@pytest.mark.slow
@pytest.mark.parametrize("path", [SEARCH, INCIDENTS])
def test_no_query_reaches_the_parser_of_a_database(post, client, path):
    post(title="a b c")
    for q in HOSTILE:
        for more in ({}, {"sort": "relevance"} if path == INCIDENTS else {"count": "exact"}):
            answer = client.get(path, query_string={"q": q, **more})
            assert answer.status_code in (200, 422), (q, answer.text)
    for bad in ("%00", "a%00b", "%ff"):
        assert client.get(f"{path}?q={bad}").status_code == 422


@pytest.mark.slow
def test_any_query_at_all_is_answered_or_refused(post, client):
    post(title="a b c")

    @given(
        st.text(alphabet="abc\"()-*: OR&|!'\\<>^{}%_é東\u0301", max_size=40) | st.text(max_size=30)
    )
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    def check(q):
        assert client.get(SEARCH, query_string={"q": q}).status_code in (200, 422)

    check()


def test_stored_documents_stand_in_the_answer_as_they_are(post, client):
    record = post(title="Zebra")
    answer = client.get(SEARCH, query_string={"q": "zebra"})
    served = client.get(f"{INCIDENTS}/{record['id']}")
    assert served.data in answer.data
    assert orjson.loads(answer.data)["data"][0]["incident"] == served.json


def test_a_status_that_the_public_never_sees_is_no_fault_of_a_search(client, monkeypatch):
    # Filters that keep few of many lead the way.
    monkeypatch.setattr(RowEstimates, "published", lambda _: 1_000_000)
    monkeypatch.setattr(
        RowEstimates,
        "for_paths",
        lambda _, paths, *__: {path: 1000 if path[0] == "q" else 10 for path in paths},
    )
    for way in ("date=2018-12", "country=BE", "community=armenian", "city=Moscow"):
        for address in ("search", "incidents"):
            answer = client.get(f"/api/v1/{address}?q=report&status=withdrawn,draft&{way}")
            assert (answer.status_code, answer.json.get("data")) == (200, []), answer.json
