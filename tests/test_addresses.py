"""Addresses: spellings of one address are one article; what is another page stays another."""

import pytest
from sqlalchemy import create_engine, text

from api.config import database_url
from schemas.addresses import canonical_address

API = "/api/v1"
PLAIN = "https://news.example/2020/07/report"
SAME = [
    "http://news.example/2020/07/report",
    "https://NEWS.example/2020/07/report",
    "https://www.news.example/2020/07/report",
    "http://www.news.example:80/2020/07/report/",
    "https://news.example:443/2020/07/report",
    "https://news.example/2020/07/report/",
    "https://news.example/2020/07/report#top",
    "https://news.example/2020/07/report?",
    "https://news.example/2020/07/report?utm_source=x&UTM_Medium=y",
    "https://news.example/2020/07/report/?fbclid=Ab-1&gclid=2&yclid=3#x",
    "https://news.example/2020/07/report?mc_cid=1&mc_eid=2&igshid=3&_openstat=4&ysclid=5",
    "https://news.example/2020/07/%72eport",
]
OTHER = [
    "https://news.example/2020/07/Report",
    "https://news.example/2020/07/report/2",
    "https://news.example/2020/07/report?page=2",
    "https://news.example/2020/07/report?ref=5",
    "https://m.news.example/2020/07/report",
    "https://news.example:8443/2020/07/report",
    "https://news.example/2020/07%2Freport",
]


@pytest.mark.parametrize("address", SAME)
def test_spellings_of_one_address_are_one(address):
    assert canonical_address(address) == PLAIN


@pytest.mark.parametrize("address", OTHER)
def test_another_page_has_another_address(address):
    assert canonical_address(address) != PLAIN


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://новости.example/a", "https://xn--b1amnebsh.example/a"),
        (
            "https://n.example/Кишинёв",
            "https://n.example/%d0%9a%D0%B8%D1%88%D0%B8%D0%BD%D1%91%D0%B2",
        ),
        ("https://n.example/a?q=%c3%a9", "https://n.example/a?q=é"),
        ("https://n.example", "http://www.n.example/"),
        ("https://n.example/a?x=1&utm_a=2&y=3", "https://n.example/a?x=1&y=3"),
        ("https://n.example/%zz%", "https://n.example/%zz%"),
    ],
)
def test_encoded_and_plain_are_one(one, other):
    assert canonical_address(one) == canonical_address(other)
    assert canonical_address(canonical_address(one)) == canonical_address(one)


def test_a_host_that_the_dns_cannot_have_stays():
    assert canonical_address("https://é..example/a") == "https://é..example/a"


def test_one_address_is_one_article_and_one_source_however_it_is_written(client, editor, incident):
    sources = [{"article": {"title": "Report", "url": url}} for url in (SAME[3], *SAME)]
    made = client.post(f"{API}/incidents", json=incident(sources=sources), headers=editor)
    assert made.status_code == 201
    assert made.json["number_of_sources"] == 1
    shown = {source["article"]["url"] for source in made.json["sources"]}
    assert shown == {SAME[3]}  # as it was given first
    taken = client.post(f"{API}/articles", json={"url": PLAIN}, headers=editor)
    assert (taken.status_code, taken.json["type"]) == (409, "/problems/address-taken")
    other = client.post(f"{API}/articles", json={"url": OTHER[0]}, headers=editor)
    assert other.status_code == 201


@pytest.fixture
def twins(make_app, incident):
    """Return an application with two articles, made before, whose addresses are equal now."""
    app = make_app()
    for words in (["db", "upgrade"], ["seed", "--only", "vocabularies"]):
        assert app.test_cli_runner().invoke(args=words).exit_code == 0
    made = app.test_cli_runner().invoke(args=["keys", "create", "one", "--role", "admin"])
    headers = {"Authorization": f"Bearer {made.stdout.split()[-1]}"}
    client = app.test_client()
    ids = [
        client.post(f"{API}/articles", json={"url": f"{PLAIN}/{number}"}, headers=headers).json[
            "id"
        ]
        for number in range(2)
    ]
    sources = [{"article": {"id": id_}} for id_ in ids]
    record = client.post(f"{API}/incidents", json=incident(sources=sources), headers=headers).json
    assert record["number_of_sources"] == 2
    engine = create_engine(database_url(app.config["DATABASE_URL"], None))
    with engine.begin() as connection:
        for id_, url in zip(ids, (SAME[0], SAME[5]), strict=True):
            values = {"id": id_, "url": url}
            connection.execute(text("UPDATE articles SET url = :url WHERE id = :id"), values)
    engine.dispose()
    for words in (["db", "downgrade", "0015"], ["db", "upgrade"]):
        result = app.test_cli_runner().invoke(args=words)
        assert result.exit_code == 0, result.output
    return client, headers, ids, record


def test_of_held_articles_that_become_equal_the_older_answers(twins, incident):
    client, headers, (older, _), record = twins
    taken = client.post(f"{API}/articles", json={"url": PLAIN}, headers=headers)
    assert (taken.status_code, older in taken.json["detail"]) == (409, True)
    cited = incident(city="Lviv", sources=[{"article": {"url": PLAIN}}])
    made = client.post(f"{API}/incidents", json=cited, headers=headers).json
    assert made["sources"][0]["article"]["id"] == older
    assert client.get(record["url"]).json == record  # documents stay as they are


def test_equal_articles_count_as_one_source_from_the_next_write_on(twins, incident):
    client, headers, ids, record = twins
    change = {"summary": "Two spellings of one address.", "version": 1}
    changed = client.patch(record["url"], json=change, headers=headers)
    assert changed.status_code == 200
    sources = [{"article": {"id": id_}} for id_ in ids]
    body = incident(city="Batumi", country="GE", sources=sources)
    made = client.post(f"{API}/incidents", json=body, headers=headers).json
    assert [source["article"]["id"] for source in made["sources"]] == ids
    assert made["number_of_sources"] == 1


def test_the_younger_of_equal_articles_is_edited_and_erased_like_any_other(twins):
    client, headers, (_, younger), _ = twins
    path = f"{API}/articles/{younger}"
    for change in ({"title": "Report"}, {"url": SAME[8]}, {"url": OTHER[0]}):
        edited = client.patch(path, json=change, headers={**headers, "If-Match": "*"})
        assert edited.status_code == 200, edited.text
    back = client.patch(path, json={"url": PLAIN}, headers={**headers, "If-Match": "*"})
    assert (back.status_code, back.json["type"]) == (409, "/problems/address-taken")


def test_a_field_of_the_younger_of_equal_articles_is_erased(twins):
    client, headers, (_, younger), _ = twins
    asked = {"fields": ["author"], "code": "legal"}
    erased = client.post(
        f"{API}/articles/{younger}/erase", json=asked, headers={**headers, "If-Match": "*"}
    )
    assert erased.status_code == 200, erased.text


def part(client, headers, path, how):
    """Take the address from an article, in one of the three ways."""
    headers = {**headers, "If-Match": "*"}
    if how == "deleted":
        return client.delete(path, headers=headers)
    if how == "erased":
        return client.post(f"{path}/erase", json={"fields": ["url"]}, headers=headers)
    return client.patch(path, json={"url": OTHER[0]}, headers=headers)


@pytest.mark.parametrize("how", ["deleted", "changed", "erased"])
def test_the_younger_of_equal_articles_takes_over_the_address(how, twins, incident):
    client, headers, (older, younger), record = twins
    if how == "deleted":  # which takes that nothing cites it
        change = {"sources": [{"article": {"id": younger}}], "version": 1}
        assert client.patch(record["url"], json=change, headers=headers).status_code == 200

    answer = part(client, headers, f"{API}/articles/{older}", how)

    assert answer.status_code in (200, 204), answer.text
    taken = client.post(f"{API}/articles", json={"url": PLAIN}, headers=headers)
    assert (taken.status_code, taken.json["id"]) == (409, younger), taken.json
    body = incident(city="Lviv", sources=[{"article": {"url": PLAIN}}])
    made = client.post(f"{API}/incidents", json=body, headers=headers).json
    assert made["sources"][0]["article"]["id"] == younger
