"""Imports are listed, and undone as a whole."""

import json

import pytest

from api.imports import reverting
from tests.builders import incident as body_of

NDJSON = "application/x-ndjson"
URL = "/api/v1/incidents"
IMPORTS = "/api/v1/imports"
A, B, C = "aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"


def ndjson(*bodies):
    return "".join(f"{json.dumps(body)}\n" for body in bodies)


@pytest.fixture
def post(client, editor):
    """Return a function that imports records."""

    def send(*bodies, query="?on_conflict=update", key=editor, **headers):
        answer = client.post(
            f"{IMPORTS}{query}",
            data=ndjson(*bodies),
            content_type=NDJSON,
            headers={**key, **headers},
        )
        assert answer.status_code == 200, answer.text
        return answer.json

    return send


@pytest.fixture
def revert(client, editor):
    """Return a function that undoes an import."""

    def send(id_, key=editor, **body):
        return client.post(f"{IMPORTS}/{id_}/revert", json=body, headers=key)

    return send


def test_what_an_import_made_carries_its_id(client, post, editor):
    first = post(body_of(id=A, date="2018-01-01"))
    second = post(body_of(id=A, date="2018-01-01", title="Otherwise"), body_of(id=B))
    versions = client.get(f"{URL}/{A}/versions").json["data"]
    assert [version["import_id"] for version in versions] == [
        first["import_id"],
        second["import_id"],
    ]
    single = client.post(URL, json=body_of(date="2017-01-01"), headers=editor).json
    (version,) = client.get(f"{URL}/{single['id']}/versions").json["data"]
    assert version["import_id"] is None


@pytest.mark.parametrize("media_type", ["application/json", NDJSON, "text/csv"])
def test_imports_take_what_a_post_of_many_takes(client, editor, media_type):
    body = {
        "application/json": json.dumps([body_of()]),
        NDJSON: ndjson(body_of()),
        "text/csv": "title,type,date,city,country,communities\nA,clash,2020,Kyiv,UA,armenian\n",
    }[media_type]
    answer = client.post(IMPORTS, data=body, content_type=media_type, headers=editor)
    assert (answer.status_code, answer.json["created"]) == (200, 1)
    refused = client.post(IMPORTS, data="x", content_type="text/plain", headers=editor)
    assert refused.status_code == 415


def test_imports_are_listed_and_a_contributor_sees_its_own(client, post, editor, contributor):
    ids = [post(body_of(date=f"200{n}-01-01"))["import_id"] for n in range(3)]
    own = post(body_of(), key=contributor)["import_id"]
    listed = client.get(f"{IMPORTS}?limit=2", headers=editor).json
    assert [entry["id"] for entry in listed["data"]] == [own, ids[2]]
    assert listed["data"][0]["created"] == 1
    rest = client.get(listed["next"], headers=editor).json
    assert ([entry["id"] for entry in rest["data"]], rest["next"]) == ([ids[1], ids[0]], None)
    seen = client.get(IMPORTS, headers=contributor).json["data"]
    assert [entry["id"] for entry in seen] == [own]
    assert client.get(IMPORTS).status_code == 401


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_an_import_is_undone(client, post, revert, editor, monkeypatch, batch):
    monkeypatch.setattr(reverting, "BATCH", batch)
    monkeypatch.setattr(reverting, "_NEXT_RECORDS", reverting._NEXT_RECORDS.limit(batch))
    post(body_of(id=A, title="As it was"), body_of(id=B, date="2018-01-01"))
    undone = post(
        body_of(id=A, title="Otherwise"),
        body_of(id=B, date="2018-01-01"),
        body_of(id=C, date="2016-01-01"),
        body_of(date="2015-01-01"),
    )
    outcome = revert(undone["import_id"], reason="The wrong file")
    assert outcome.status_code == 200, outcome.text
    assert outcome.json == {"withdrawn": 2, "restored": 1, "kept": [], "number_of_kept": 0}
    assert client.get(f"{URL}/{A}").json["title"] == "As it was"
    assert client.get(f"{URL}/{C}").status_code == 410
    assert client.get(f"{URL}?count=exact").json["total"] == 2
    versions = client.get(f"{URL}/{A}/versions", headers=editor).json["data"]
    assert versions[-1]["reason"] == "The wrong file"
    assert versions[-1]["import_id"] == undone["import_id"]
    last = client.get("/api/v1/changes?limit=1000").json["data"][-3:]
    assert {change["action"] for change in last} == {"withdrawn", "restored"}
    (entry,) = client.get(f"{IMPORTS}?limit=1", headers=editor).json["data"]
    assert entry["reverted_at"] is not None


def test_an_import_that_was_undone_is_answered_as_then(client, post, revert):
    undone = post(body_of(id=A))["import_id"]
    first = revert(undone)
    assert revert(undone).json == first.json
    assert len(client.get(f"{URL}/{A}/versions").json["data"]) == 2


def test_what_was_cut_off_goes_on(client, post, revert, monkeypatch):
    monkeypatch.setattr(reverting, "BATCH", 2)
    monkeypatch.setattr(reverting, "_NEXT_RECORDS", reverting._NEXT_RECORDS.limit(2))
    undone = post(*[body_of(date=f"20{n:02}-01-01") for n in range(6)])["import_id"]
    whole, calls = reverting._revert_batch, []

    def cut_off(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise reverting.ApiError("conflict", "Cut off.")
        return whole(*arguments)

    monkeypatch.setattr(reverting, "_revert_batch", cut_off)
    assert revert(undone).status_code == 409
    assert client.get(f"{URL}?count=exact").json["total"] == 4
    assert revert(undone).json["withdrawn"] == 6
    assert client.get(f"{URL}?count=exact").json["total"] == 0


def test_what_was_changed_since_stays_and_is_named(client, post, revert, editor):
    undone = post(body_of(id=A), body_of(id=B, date="2018-01-01"), body_of(id=C, date="2016-01-01"))
    forced = {**editor, "If-Match": "*"}
    client.patch(f"{URL}/{A}", json={"title": "Better"}, headers=forced)
    client.delete(f"{URL}/{B}", headers=forced)
    outcome = revert(undone["import_id"]).json
    assert outcome["withdrawn"] == 1
    assert outcome["kept"] == [
        {"id": A, "why": "It was changed since."},
        {"id": B, "why": "It was withdrawn since."},
    ]
    assert client.get(f"{URL}/{A}").json["title"] == "Better"


def test_a_draft_that_an_import_published_is_withdrawn(client, post, revert, editor):
    post(body_of(id=A, status="draft"))
    undone = post(body_of(id=A, status="published"))["import_id"]
    assert client.get(f"{URL}/{A}").status_code == 200
    assert revert(undone).json["withdrawn"] == 1
    assert client.get(f"{URL}/{A}").status_code == 410


def test_a_contributor_undoes_its_own_import_only(client, post, revert, contributor):
    own = post(body_of(id=A), key=contributor)["import_id"]
    other = post(body_of(id=B, date="2018-01-01"))["import_id"]
    assert revert(other, key=contributor).status_code == 404
    assert revert(own, key=contributor).json["withdrawn"] == 1
    assert revert("nosuchid00").status_code == 404
    assert revert(own, key={}).status_code == 401


def test_what_an_editor_published_of_a_contributors_import_stays(
    client, post, revert, contributor, editor
):
    own = post(body_of(id=A), key=contributor)["import_id"]
    client.post(f"{URL}/{A}/publish", json={}, headers={**editor, "If-Match": "*"})
    assert revert(own, key=contributor).json["kept"][0]["id"] == A


def test_an_id_that_only_an_undone_import_made_is_taken_again(client, post, revert):
    line = body_of(id=A, version=4)
    revert(post(line)["import_id"])
    again = post({**line, "title": "Put right"}, query="")
    assert again["created"] == 1
    record = client.get(f"{URL}/{A}").json
    assert (record["title"], record["version"]) == ("Put right", 6)
    assert revert(again["import_id"]).json["withdrawn"] == 1
    assert client.get(f"{URL}/{A}").status_code == 410
    assert post(line, query="")["created"] == 1


def test_an_id_that_an_editor_withdrew_is_not_taken_again(client, post, revert, editor):
    undone = post(body_of(id=A))["import_id"]
    client.delete(f"{URL}/{A}", headers={**editor, "If-Match": "*"})
    revert(undone)
    answer = client.post(URL, data=ndjson(body_of(id=A)), content_type=NDJSON, headers=editor)
    assert answer.status_code == 409


def test_drafts_of_an_undone_import_are_drafts_again(client, post, revert, contributor):
    article = {"id": B, "title": "Report"}
    line = body_of(id=A, sources=[{"article": article}])
    revert(post(line, key=contributor)["import_id"], key=contributor)
    assert post(line, key=contributor)["created"] == 1
    record = client.get(f"{URL}/{A}", headers=contributor).json
    assert (record["status"], record["sources"][0]["article"]["id"]) == ("draft", B)
    assert client.get(f"{URL}/{A}").status_code == 404


def test_commands_list_and_undo_imports(client, runner, tmp_path):
    path = tmp_path / "records.ndjson"
    path.write_text(ndjson(*[body_of(date=f"20{n:02}-01-01") for n in range(5)]))
    result = runner.invoke(args=["import", str(path), "--batch", "2", "--reason", "A move"])
    assert result.exit_code == 0, result.output
    listed = runner.invoke(args=["imports", "list"]).stdout
    (line,) = listed.splitlines()
    assert "5 created" in line
    assert "records.ndjson A move" in line
    id_ = line.split()[0]
    assert id_ in result.stdout
    result = runner.invoke(args=["imports", "revert", id_, "--reason", "A mistake"])
    assert "5 withdrawn, 0 restored, 0 kept." in result.stdout
    assert client.get(f"{URL}?count=exact").json["total"] == 0
    assert runner.invoke(args=["imports", "revert", "nosuchid00"]).exit_code == 1


def test_the_story_of_a_file_from_its_import_to_the_feed(client, editor):
    """Import a spreadsheet, look at what is said of it, undo it, put it right, import it again."""
    since = client.get("/api/v1/changes?limit=1").json["last_seq"]
    header = "id;title;type;date;city;country;communities;arrests;Source;Colour\n"
    rows = [
        f"{A};Clash at a market;clash;2019-05-04;Kyiv;UA;armenian;13;https://a.example/1;red",
        f"{B};The same clash;clash;2019-05-04;Kyiv;UA;armenian;12;https://b.example/2;red",
        f"{C};A rally;rally;2019-05-40;Kyiv;UA;armenian;;https://c.example/3;red",
    ]
    send = {"content_type": "text/csv", "headers": editor}
    first = client.post(f"{IMPORTS}?on_error=skip", data=header + "\n".join(rows), **send).json
    assert (first["created"], first["duplicates"]) == (2, 1)
    assert first["similar"] == [{"line": 3, "ids": [A]}]
    assert [warning["code"] for warning in first["warnings"]] == ["separator", "unknown_column"]
    (rejected,) = first["rejected"]
    assert (rejected["line"], rejected["text"]) == (4, rows[2])

    outcome = client.post(
        f"{IMPORTS}/{first['import_id']}/revert", json={"reason": "Twice the same"}, headers=editor
    ).json
    assert (outcome["withdrawn"], outcome["kept"]) == (2, [])

    right = rejected["text"].replace("05-40", "05-14")
    second = client.post(IMPORTS, data=header + f"{rows[0]}\n{right}", **send).json
    assert (second["created"], second["similar"]) == (2, [])
    record = client.get(f"{URL}/{A}").json
    assert (record["arrests"], record["version"]) == (13, 3)
    assert record["sources"][0]["article"]["url"] == "https://a.example/1"

    feed = client.get(f"/api/v1/changes?since={since}&limit=1000").json["data"]
    changes = [
        (change["id"], change["action"]) for change in feed if change.get("resource") is None
    ]
    assert changes == [
        (A, "created"),
        (B, "created"),
        (A, "withdrawn"),
        (B, "withdrawn"),
        (A, "restored"),
        (C, "created"),
    ]
