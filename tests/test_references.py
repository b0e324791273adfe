"""What incidents refer to: articles, communities, episodes; and articles named inline."""

import json

import pytest

from api.records import reading
from tests import builders
from tests.problems import fault_pointers, problem_of

INCIDENTS, ARTICLES = "/api/v1/incidents", "/api/v1/articles"
ADDRESS = "https://news.example/2019/05/report"

BODIES = {
    "articles": {"title": "A report", "publisher": "The Paper", "url": ADDRESS},
    "communities": {"id": "frisian", "name": "Frisian", "aliases": ["Frisians"]},
    "episodes": {"id": "spring-2019", "name": "Spring 2019", "description": "A wave."},
}
each_kind = pytest.mark.parametrize("kind", BODIES)


@pytest.fixture
def make(client, editor):
    """Return a function that makes an article, a community or an episode."""

    def send(kind, **changes):
        body = {**BODIES[kind], **changes}
        answer = client.post(f"/api/v1/{kind}", json=body, headers=editor)
        assert answer.status_code == 201, answer.data
        return answer.json

    return send


@pytest.fixture
def cite(client, editor):
    """Return a function that posts an incident that cites articles as they are named."""

    def send(*articles, headers=editor, **changes):
        sources = [{"article": article} for article in articles]
        body = builders.incident(sources=sources, **changes)
        return client.post(f"{INCIDENTS}?allow_duplicate=true", json=body, headers=headers)

    return send


def wave(number):
    return {"id": f"wave-{number}", "name": f"Wave {number}", "aliases": []}


def address(kind, record):
    return f"/api/v1/{kind}/{record['id']}"


# Made, read, changed, deleted


@each_kind
def test_what_is_created_is_read_listed_and_cached(client, editor, kind):
    created = client.post(f"/api/v1/{kind}", json=BODIES[kind], headers=editor)
    assert created.headers["Location"] == address(kind, created.json)
    read = client.get(address(kind, created.json))
    assert read.json == created.json
    assert created.json["version"] == 1
    for name, value in BODIES[kind].items():
        assert read.json[name] == value
    assert read.headers["ETag"] == '"1"'
    not_modified = client.get(address(kind, created.json), headers={"If-None-Match": 'W/"1"'})
    assert not_modified.status_code == 304
    assert created.json in client.get(f"/api/v1/{kind}").json["data"]


@each_kind
def test_a_change_names_its_version(client, editor, make, kind):
    made = make(kind)
    field = "title" if kind == "articles" else "name"
    where = address(kind, made)
    problem_of(client.patch(where, json={field: "Other"}, headers=editor), 428)
    problem_of(client.patch(where, json={field: "Other"}, headers={**editor, "If-Match": "7"}), 412)
    changed = client.patch(where, json={field: "Other", "version": 1}, headers=editor)
    assert (changed.json[field], changed.json["version"]) == ("Other", 2)
    problem_of(client.put(where, json={**made, field: "Third"}, headers=editor), 412)
    again = client.put(where, json=changed.json, headers=editor)
    assert again.json == changed.json


@each_kind
def test_a_put_empties_what_it_leaves_out(client, editor, make, kind):
    made = make(kind)
    body = {"title": "Other"} if kind == "articles" else {"name": "Other"}
    put = client.put(address(kind, made), json=body, headers={**editor, "If-Match": "1"}).json
    if kind == "articles":
        assert (put["title"], put["publisher"], put["url"]) == ("Other", None, None)
    else:
        assert (put["name"], put["aliases"], put["description"]) == ("Other", [], None)


@each_kind
def test_what_is_deleted_is_gone_and_what_never_was_is_not_there(client, editor, make, kind):
    made = make(kind)
    where = address(kind, made)
    assert client.delete(where, headers={**editor, "If-Match": "1"}).status_code == 204
    assert "withdrawn_at" in problem_of(client.get(where), 410, "gone")
    assert made not in client.get(f"/api/v1/{kind}").json["data"]
    problem_of(client.get(f"/api/v1/{kind}/0000000000"), 404)
    problem_of(client.delete(where, headers={**editor, "If-Match": "*"}), 404)


@each_kind
def test_what_is_deleted_may_be_made_again_and_counts_on(client, editor, make, kind):
    made = make(kind)
    client.delete(address(kind, made), headers={**editor, "If-Match": "1"})
    again = make(kind, id=made["id"])
    assert again["version"] == 3
    assert client.get(address(kind, made)).json == again


@each_kind
def test_an_id_is_given_once(client, editor, make, kind):
    made = make(kind)
    body = {**BODIES[kind], "id": made["id"], "url": "https://news.example/other"}
    if kind != "articles":
        del body["url"]
    problem_of(client.post(f"/api/v1/{kind}", json=body, headers=editor), 409, "id-taken")
    answer = client.patch(
        address(kind, made), json={"id": "0000000000"}, headers={**editor, "If-Match": "*"}
    )
    assert fault_pointers(problem_of(answer, 422)) == ["/id"]


@each_kind
def test_contributors_and_the_public_only_read(client, contributor, make, kind):
    made = make(kind)
    for headers, status in ((contributor, 403), ({}, 401)):
        headers = {**headers, "If-Match": "*"}
        problem_of(client.post(f"/api/v1/{kind}", json=BODIES[kind], headers=headers), status)
        for method in ("PUT", "PATCH", "DELETE"):
            problem_of(
                client.open(address(kind, made), method=method, json={}, headers=headers), status
            )


@each_kind
def test_a_post_that_is_sent_again_happens_once(client, editor, kind):
    headers = {**editor, "Idempotency-Key": "first"}
    first = client.post(f"/api/v1/{kind}", json=BODIES[kind], headers=headers)
    again = client.post(f"/api/v1/{kind}", json=BODIES[kind], headers=headers)
    assert (again.status_code, again.data) == (201, first.data)
    other = {**BODIES[kind], "name" if kind != "articles" else "title": "Other"}
    problem_of(
        client.post(f"/api/v1/{kind}", json=other, headers=headers), 422, "idempotency-mismatch"
    )


@each_kind
def test_a_list_is_read_in_pages_that_skip_and_repeat_nothing(client, make, kind):
    before = [one["id"] for one in client.get(f"/api/v1/{kind}?limit=1000").json["data"]]
    for number in range(5):
        made = make(
            kind,
            **({"url": f"{ADDRESS}/{number}"} if kind == "articles" else wave(number)),
        )
        before.append(made["id"])
    seen, following = [], f"/api/v1/{kind}?limit={1 + len(before) // 3}"
    while following:
        page = client.get(following)
        assert page.json["total"] == len(before)
        seen += [one["id"] for one in page.json["data"]]
        following = page.json["next"]
        assert (following is not None) == ("Link" in page.headers)
    assert seen == sorted(before)


def test_a_cursor_of_another_list_is_refused(client, make):
    for number in range(3):
        make("episodes", **wave(number))
    following = client.get("/api/v1/episodes?limit=1").json["next"]
    problem_of(client.get(following.replace("episodes", "communities")), 422)


# The same article


@pytest.mark.parametrize(
    "spelled",
    [
        "https://NEWS.example/2019/05/report",
        "HTTPS://news.example:443/2019/05/report#top",
        f"{ADDRESS}?utm_source=feed&utm_medium=x",
        f"{ADDRESS}?",
    ],
)
def test_an_article_is_recognised_by_its_address_however_it_is_spelled(make, cite, spelled):
    held_ = make("articles")
    made = cite({"url": spelled, "title": None})
    assert made.json["sources"][0]["article"]["id"] == held_["id"]
    assert "Warnings" not in made.headers


@pytest.mark.parametrize(
    "other",
    [
        f"{ADDRESS}/2",
        f"{ADDRESS}?page=2",
        "https://news.example/2019/05/Report",
        "https://www2.news.example/2019/05/report",
        "https://news.example:8443/2019/05/report",
    ],
)
def test_another_address_is_another_article(make, cite, other):
    assert cite({"url": other}).json["sources"][0]["article"]["id"] != make("articles")["id"]


def test_no_two_articles_have_one_address(client, editor, make):
    first, second = make("articles"), make("articles", url=None)
    body = problem_of(client.post(ARTICLES, json={"url": f"{ADDRESS}#x"}, headers=editor), 409)
    assert (body["type"], body["id"]) == ("/problems/address-taken", first["id"])
    answer = client.patch(
        address("articles", second), json={"url": ADDRESS}, headers={**editor, "If-Match": "*"}
    )
    problem_of(answer, 409, "address-taken")


def test_an_inline_copy_never_alters_the_held_article_and_differences_are_told(client, make, cite):
    held_ = make("articles")
    copy = {"url": ADDRESS, "title": "Another title", "publisher": "The Paper", "author": None}
    made = cite(copy)
    assert client.get(address("articles", held_)).json == held_
    assert made.json["sources"][0]["article"]["title"] == "A report"
    (warning,) = json.loads(made.headers["Warnings"])
    assert warning["pointer"] == "/sources/0/article/title"
    assert warning["code"] == "article_differs"
    assert held_["id"] in warning["detail"]


def test_an_inline_copy_with_another_id_and_a_held_address_cites_the_held_one(make, cite):
    held_ = make("articles")
    made = cite({"id": "7zq3m8k2xd", "url": ADDRESS})
    assert made.json["sources"][0]["article"]["id"] == held_["id"]
    assert [w["code"] for w in json.loads(made.headers["Warnings"])] == ["article_held"]


def test_an_id_goes_before_an_address(make, cite):
    first, second = make("articles"), make("articles", url=f"{ADDRESS}/2")
    made = cite({"id": second["id"], "url": ADDRESS})
    assert made.json["sources"][0]["article"]["id"] == second["id"] != first["id"]
    assert [w["pointer"] for w in json.loads(made.headers["Warnings"])] == [
        "/sources/0/article/url"
    ]


def test_an_unknown_id_with_a_title_or_an_address_is_made_and_alone_is_refused(client, cite):
    made = cite({"id": "7zq3m8k2xd", "title": "A report"})
    assert made.json["sources"][0]["article"]["id"] == "7zq3m8k2xd"
    assert client.get(f"{ARTICLES}/7zq3m8k2xd").json["title"] == "A report"
    assert cite({"id": "7zq3m8k2xe", "url": ADDRESS}).status_code == 201
    for unknown in ("0000000000", {"id": "0000000000"}, {"id": "0000000000", "publisher": "P"}):
        body = problem_of(cite(unknown), 422)
        assert fault_pointers(body) == ["/sources/0/article/id"]
        assert body["errors"][0]["code"] == "unknown_article"


def test_an_article_that_is_cited_twice_is_made_once(client, cite):
    made = cite({"url": ADDRESS}, {"url": f"{ADDRESS}#2"}).json
    assert len({source["article"]["id"] for source in made["sources"]}) == 1
    assert client.get(ARTICLES).json["total"] == 1


def test_a_record_may_be_put_back_with_its_embedded_articles(client, editor, cite):
    made = cite({"url": ADDRESS, "title": "A report", "author": "N. N."})
    answer = client.put(made.json["url"], json=made.json, headers=editor)
    assert answer.data == made.data
    assert "Warnings" not in answer.headers
    article = made.json["sources"][0]["article"]
    assert client.get(address("articles", article)).json["author"] == "N. N."


# An article that is corrected


def test_a_corrected_article_is_shown_anew_by_the_records_that_cite_it(
    client, editor, make, cite, contributor
):
    article = make("articles")
    public = cite(article["id"]).json
    draft = cite(article["id"], headers=contributor).json
    other = cite({"title": "Something else"}).json
    before = int(client.get(INCIDENTS).headers["Dataset-Version"])
    answer = client.patch(
        address("articles", article),
        json={"title": "A better title", "reason": "misprint"},
        headers={**editor, "If-Match": "1"},
    )
    assert answer.status_code == 200
    shown = client.get(public["url"]).json
    assert shown["version"] == 2
    assert shown["sources"][0]["article"]["title"] == "A better title"
    history = client.get(f"{public['url']}/versions").json["data"]
    assert (history[1]["action"], history[1]["reason"]) == ("changed", "misprint")
    assert client.get(f"{public['url']}/versions/1").json == public
    drafted = client.get(draft["url"], headers=contributor).json
    assert drafted["sources"][0]["article"]["title"] == "A better title"
    assert client.get(other["url"]).json == other
    # The article and the one public record: drafts are not counted.
    assert int(answer.headers["Dataset-Version"]) == before + 2


def test_a_correction_of_what_records_do_not_show_touches_none(client, editor, make, cite):
    article = make("articles")
    made = cite(article["id"]).json
    client.patch(
        address("articles", article),
        json={"author": "N. N.", "language": "en"},
        headers={**editor, "If-Match": "1"},
    )
    assert client.get(made["url"]).json == made


def test_a_withdrawn_record_shows_the_corrected_article_once_it_is_back(client, editor, make, cite):
    article = make("articles")
    made = cite(article["id"]).json
    client.delete(made["url"], headers={**editor, "If-Match": "1"})
    client.patch(
        address("articles", article),
        json={"title": "A better title"},
        headers={**editor, "If-Match": "1"},
    )
    back = client.post(f"{made['url']}/versions/1/restore", headers={**editor, "If-Match": "*"})
    assert back.status_code == 200, back.data
    assert back.json["sources"][0]["article"]["title"] == "A better title"


def test_more_records_than_a_request_rewrites_are_a_409_that_names_the_command(
    client, editor, make, cite, runner, monkeypatch
):
    monkeypatch.setattr(reading, "MOST_REWRITTEN", 2)
    article = make("articles")
    for _ in range(3):
        cite(article["id"])
    answer = client.patch(
        address("articles", article),
        json={"title": "A better title"},
        headers={**editor, "If-Match": "1"},
    )
    body = problem_of(answer, 409, "too-many-records")
    assert f"articles amend {article['id']} FILE" in body["detail"]
    assert client.get(address("articles", article)).json == article

    changes = ["articles", "amend", article["id"], "-", "--reason", "misprint"]
    result = runner.invoke(args=changes, input='{"title": "A better title"}')
    assert result.exit_code == 0, result.output
    for record in client.get(INCIDENTS).json["data"]:
        assert record["sources"][0]["article"]["title"] == "A better title"
        history = client.get(f"{record['url']}/versions").json["data"]
        assert (history[1]["actor"], history[1]["reason"]) == ("operator", "misprint")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ('{"title": 5}', "/title: This is a number; it takes a text."),
        ('{"title":', "line 1, column 10"),
        ('{"url": "https://news.example/taken"}', "has this address already"),
    ],
)
def test_the_command_says_what_is_wrong_and_changes_nothing(client, make, runner, changes, said):
    article = make("articles")
    make("articles", url="https://news.example/taken")
    result = runner.invoke(args=["articles", "amend", article["id"], "-"], input=changes)
    assert result.exit_code == 1
    assert said in result.output
    assert client.get(address("articles", article)).json == article
    assert runner.invoke(args=["articles", "amend", "nothing", "-"], input="{}").exit_code == 1


# What is cited stays


def test_what_is_cited_is_not_deleted(client, editor, make, cite):
    article, community, episode = make("articles"), make("communities"), make("episodes")
    made = cite(article["id"], communities=["frisian"], episode="spring-2019").json
    three = {"articles": article, "communities": community, "episodes": episode}
    for kind, record in three.items():
        body = problem_of(
            client.delete(address(kind, record), headers={**editor, "If-Match": "*"}), 409
        )
        assert body["type"] == "/problems/still-cited"
        assert "1 record" in body["detail"]
    client.delete(made["url"], headers={**editor, "If-Match": "*"})
    for kind, record in three.items():
        # A withdrawn record may come back, and wants what it refers to.
        problem_of(client.delete(address(kind, record), headers={**editor, "If-Match": "*"}), 409)


def test_a_community_named_by_a_claim_alone_is_not_deleted(client, editor, make):
    make("communities")
    claim = {"field": "arrests", "value": 3, "community": "frisian"}
    body = builders.incident(sources=[{"article": {"title": "A"}, "claims": [claim]}])
    assert client.post(INCIDENTS, json=body, headers=editor).status_code == 201
    problem_of(
        client.delete("/api/v1/communities/frisian", headers={**editor, "If-Match": "*"}), 409
    )


def test_a_renamed_community_touches_no_record(client, editor, make, cite):
    make("communities")
    made = cite({"title": "A"}, communities=["frisian"])
    client.patch(
        "/api/v1/communities/frisian",
        json={"name": "Frisians"},
        headers={**editor, "If-Match": "1"},
    )
    assert client.get(made.json["url"]).data == made.data


def test_an_unknown_community_or_episode_is_named(client, editor):
    body = builders.incident(communities=["armenian", "armenien"], episode="july-2020-border")
    said = problem_of(client.post(INCIDENTS, json=body, headers=editor), 422)
    assert fault_pointers(said) == ["/communities/1/community", "/episode"]
