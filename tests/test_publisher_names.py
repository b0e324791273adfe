"""The filter `publisher`: names with commas, names that nothing has, and what is said of them."""

import json

import pytest

INCIDENTS = "/api/v1/incidents"


def article(name, publisher):
    return {"title": name, "publisher": publisher, "url": f"https://{name}.example/1"}


@pytest.fixture
def post(client, editor, contributor, incident):
    def send(title, publisher, headers=editor):
        sources = [{"article": article(title, publisher)}]
        body = incident(title=title, sources=sources)
        sent = client.post(f"{INCIDENTS}?allow_duplicate=true", json=body, headers=headers)
        assert sent.status_code == 201
        return sent.json

    send("one", "Herald, Lyon")
    send("two", "The Moscow Times")
    send("three", "Tribune")
    send("draft", "Hidden Gazette", contributor)
    return send


@pytest.fixture
def ask(client, post):
    def titles(publisher, headers=None, path=INCIDENTS):
        asked = {"publisher": publisher}
        answer = client.get(path, query_string=asked, headers=headers)
        assert answer.status_code == 200
        warnings = json.loads(answer.headers.get("Warnings", "[]"))
        return [record.get("title") for record in answer.json["data"]], warnings

    return titles


@pytest.mark.parametrize(
    ("publisher", "titles"),
    [
        ('"Herald, Lyon"', ["one"]),
        ('"Herald,Lyon"', ["one"]),
        ('"herald, lyon",Tribune', ["one", "three"]),
        (["tribune", '"HERALD, LYON"'], ["one", "three"]),
        ('"Tribune"', ["three"]),
        ("Herald, Lyon", ["one"]),
    ],
)
def test_a_publisher_with_a_comma_is_quoted(publisher, titles, ask):
    found, warnings = ask(publisher)
    assert (sorted(found), warnings) == (sorted(titles), [])


@pytest.mark.parametrize(
    ("publisher", "near"),
    [
        ("Herald,Lyon", ['"Herald, Lyon"']),
        ("Herald", ['"Herald, Lyon"']),
        ("Moscow Times", ["The Moscow Times"]),
        ("The Moskow Times", ["The Moscow Times"]),
        ("Zzyzx", []),
        ("Hidden Gazette", []),
    ],
)
def test_an_unknown_publisher_is_an_empty_answer_with_near_public_names(publisher, near, ask):
    for path in (INCIDENTS, "/api/v1/claims"):
        titles, (warning,) = ask(publisher, path=path)
        assert (titles, warning["code"]) == ([], "unknown_publisher")
        assert warning["parameter"] == "publisher"
        names = warning["detail"].partition("Near names: ")[2].rstrip(".")
        assert [name for name in names.split("; ") if name] == near


def test_a_known_publisher_beside_an_unknown_one_is_kept(ask):
    titles, (warning,) = ask("Tribune,Zzyzx")
    assert titles == ["three"]
    assert "'Zzyzx'" in warning["detail"]
    assert "Tribune" not in warning["detail"].partition("Near")[0]


def test_a_draft_s_publisher_is_known_to_those_who_may_read_it(ask, contributor, editor):
    assert ask("Hidden Gazette", editor) == (["draft"], [])
    assert ask("Hidden Gazette", contributor) == (["draft"], [])
    titles, (warning,) = ask("Hiden Gazette", editor)
    assert (titles, "Hidden" in warning["detail"]) == ([], False)


def test_a_warning_stays_short(ask):
    _, (warning,) = ask(",".join(f"{number}" * 9 + "х" * 900 for number in range(9)))
    assert len(json.dumps(warning)) < 2048
