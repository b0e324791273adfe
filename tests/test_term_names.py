"""Communities and episodes are named by id, name or alias, in any case; documents hold the id."""

import json

import pytest

from api.database.transactions import transaction
from api.models import Community
from api.search import term_names
from tests import builders
from tests.problems import problem_of

INCIDENTS = "/api/v1/incidents"
NAMES = {
    "armenian": ["armenian", "Armenian", "ARMENIANS", "Armenians", "Ermeniler", "Հայեր", " Հայ "],
    "azerbaijani": ["Azeris", "азербайджанцы", "Aserbaidschaner", "Azerbaycanlılar"],
    "kurdish": ["Kurds", "Kürtler", "Koerden", "کورد"],
    "hong-konger": ["hong-konger", "Hong Konger", "HONGKONGERS"],
}
EPISODES = ["autumn-2020-war", "Autumn 2020 war", "second karabakh war", "44-day war"]

each_name = pytest.mark.parametrize(
    ("id_", "name"), [(id_, name) for id_, names in NAMES.items() for name in names]
)
each_episode = pytest.mark.parametrize("episode", EPISODES)


@pytest.fixture
def post(client, editor):
    """Return a function that posts an incident, and answers with the record."""

    def send(**changes):
        made = client.post(INCIDENTS, json=builders.incident(**changes), headers=editor)
        assert made.status_code == 201, made.text
        return made.json

    return send


def communities_of(record):
    return [entry["community"] for entry in record["communities"]]


@each_name
def test_a_body_names_a_community_as_it_is_called(post, id_, name):
    claim = {"field": "arrests", "value": 3, "community": name}
    record = post(communities=[name], sources=[{"article": {"title": "A"}, "claims": [claim]}])
    assert communities_of(record) == [id_]
    assert record["sources"][0]["claims"][0]["community"] == id_


@each_episode
def test_a_body_names_an_episode_as_it_is_called(post, episode):
    assert post(episode=episode)["episode"] == "autumn-2020-war"


@each_name
def test_a_filter_names_a_community_as_it_is_called(client, post, id_, name):
    meant = post(communities=[{"community": id_, "role": "target"}])["id"]
    post(communities=["greek"], city="Odesa")
    for value in (name, f"{name}:target", f"{name},Basques"):
        answer = client.get(INCIDENTS, query_string={"community": value})
        assert [record["id"] for record in answer.json["data"]] == [meant]
    assert client.get(INCIDENTS, query_string={"community": f"{name}:organiser"}).json["data"] == []


@each_episode
def test_a_filter_names_an_episode_as_it_is_called(client, post, episode):
    claim = {"field": "arrests", "value": 3, "community": "armenian"}
    sources = [{"article": {"title": "A"}, "claims": [claim]}]
    meant = post(episode="autumn-2020-war", sources=sources)["id"]
    post(city="Odesa")
    query = {"episode": episode}
    assert [r["id"] for r in client.get(INCIDENTS, query_string=query).json["data"]] == [meant]
    query |= {"community": "Ermeniler"}
    assert len(client.get("/api/v1/claims", query_string=query).json["data"]) == 1


def test_a_cursor_leads_on_whatever_the_community_is_called(client, post):
    ids = {post(communities=["Kurds"], city=city)["id"] for city in ("Odesa", "Lviv")}
    first = client.get(f"{INCIDENTS}?community=kurdish&limit=1").json
    following = client.get(first["next"].replace("community=kurdish", "community=Kurds")).json
    assert {first["data"][0]["id"], following["data"][0]["id"]} == ids


def test_one_community_by_two_names_is_named_twice(client, editor):
    body = builders.incident(communities=["Armenians", "armenian"])
    (error,) = problem_of(client.post(INCIDENTS, json=body, headers=editor), 422)["errors"]
    assert (error["pointer"], error["code"]) == ("/communities/1/community", "repeated")


def test_a_change_by_another_name_of_the_same_changes_nothing(client, editor, post):
    sized = {"community": "armenian", "role": "participant", "participants": 40}
    record = post(communities=[sized], episode="autumn-2020-war")
    named = {"communities": [{**sized, "community": "Armenians"}], "episode": "44-day war"}
    headers = {**editor, "If-Match": "*"}
    assert client.patch(record["url"], json=named, headers=headers).json["version"] == 1
    whole = {**record, **named}
    assert client.put(record["url"], json=whole, headers=headers).json["version"] == 1


def test_a_claim_by_another_name_is_not_said_twice(client, editor, post):
    claim = {"field": "arrests", "value": 3, "community": "armenian"}
    record = post(sources=[{"article": {"title": "A"}, "claims": [claim]}])
    source = {
        "article": record["sources"][0]["article"]["id"],
        "claims": [{**claim, "community": "Armenians"}],
    }
    headers = {**editor, "If-Match": "*"}
    answer = client.post(f"{record['url']}/sources", json=source, headers=headers)
    assert answer.json["sources"] == record["sources"]


# In cells


def sheet(client, editor, text, query=""):
    return client.post(
        f"{INCIDENTS}{query}", data=text.encode(), content_type="text/csv", headers=editor
    )


@pytest.mark.parametrize(
    ("cells", "entries"),
    [
        ("Armenians; Azeris,", [("armenian", "participant"), ("azerbaijani", "participant")]),
        (
            "Armenians; Azeris,Armenians:target; Azeris:organiser",
            [("armenian", "target"), ("azerbaijani", "organiser")],
        ),
    ],
)
def test_a_cell_names_communities_as_they_are_called(client, editor, cells, entries):
    header = "title,type,date,city,country,communities,community_roles"
    text = f"{header}\nA,clash,2019-05-04,Kyiv,UA,{cells}\n"
    answer = sheet(client, editor, text)
    record = client.get(f"{INCIDENTS}/{answer.json['ids'][0]}").json
    assert [(entry["community"], entry["role"]) for entry in record["communities"]] == entries


def test_a_cell_by_other_names_leaves_the_entries_as_they_are(client, editor, post):
    record = post(communities=[{"community": "armenian", "role": "target", "participants": 40}])
    text = f"id,version,communities\n{record['id']},1,Armenians\n"
    answer = sheet(client, editor, text, "?on_conflict=update")
    assert (answer.json["unchanged"], answer.json["changed"]) == (1, 0)


@pytest.mark.parametrize("several", ["armenian, azerbaijani", "Armenians,Azeris", "armenian, x"])
def test_several_in_one_cell_are_told_to_be_separated_by_a_semicolon(client, editor, several):
    text = f'title,type,date,city,country,communities\nA,clash,2019-05-04,Kyiv,UA,"{several}"\n'
    (error,) = problem_of(sheet(client, editor, text), 422)["errors"]
    assert "separated by ;" in error["detail"]
    assert "suggestion" not in error


def test_a_blank_after_a_comma_is_named_in_a_filter(client):
    answer = client.get(INCIDENTS, query_string={"community": "armenian, azerbaijani"})
    assert "without a blank" in problem_of(answer, 422)["errors"][0]["detail"]


# What nothing is called


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("armenain", ["armenian"]),
        ("Azerbaijan", ["azerbaijani"]),
        ("Hong Kong", ["hong-konger"]),
        ("Cypriots", ["greek-cypriot", "turkish-cypriot"]),
        ("Romani", ["roma", "romanian"]),
        ("Zambians", []),
        ("Iraqian", []),
        ("Sorbian", []),
        ("people", []),
        ("X", []),
    ],
)
def test_what_is_offered_for_an_unknown_name_exists_and_means_the_same(client, editor, name, meant):
    posted = client.post(INCIDENTS, json=builders.incident(communities=[name]), headers=editor)
    asked = client.get(INCIDENTS, query_string={"community": name})
    for answer in (posted, asked):
        (error,) = problem_of(answer, 422)["errors"]
        offered = [error[member] for member in ("suggestion",) if member in error]
        assert (offered or error.get("suggestions", [])) == meant
        assert all(client.get(f"/api/v1/communities/{id_}").status_code == 200 for id_ in meant)


def test_near_names_are_looked_for_so_often_and_no_oftener(client, editor, monkeypatch):
    asked = []
    near = term_names.TermNames.near
    monkeypatch.setattr(
        term_names.TermNames, "near", lambda self, name: asked.append(name) or near(self, name)
    )
    lines = [builders.incident(communities=[f"nobody {n % 200}"]) for n in range(400)]
    text = "\n".join(map(json.dumps, lines))
    answer = client.post(INCIDENTS, data=text, content_type="application/x-ndjson", headers=editor)
    assert problem_of(answer, 422)["faults"] == 400
    assert len(asked) == len(set(asked)) == 100


# One name belongs to one term


@pytest.mark.parametrize(
    ("body", "holder"),
    [
        ({"id": "kurds", "name": "Frisian"}, "kurdish"),
        ({"id": "frisian", "name": "KURDISH"}, "kurdish"),
        ({"id": "frisian", "name": "Frisian", "aliases": ["Frisians", "Kürtler"]}, "kurdish"),
        ({"id": "frisian", "name": "Frisian", "aliases": ["Ndi Igbo"]}, "igbo"),
    ],
)
def test_what_another_is_called_is_taken(client, editor, body, holder):
    answer = client.post("/api/v1/communities", json=body, headers=editor)
    assert problem_of(answer, 409, "name-taken")["id"] == holder
    assert holder in answer.json["detail"]


def test_a_term_takes_no_name_of_another_by_a_change(client, editor):
    path, headers = "/api/v1/episodes/autumn-2020-war", {**editor, "If-Match": "*"}
    whole = client.get(path).json
    for change in ({"name": "Tovuz clashes"}, {"aliases": ["TAVUSH clashes"]}):
        problem_of(client.patch(path, json=change, headers=headers), 409, "name-taken")
        problem_of(client.put(path, json={**whole, **change}, headers=headers), 409, "name-taken")
    assert client.get(path).json == whole


def test_a_term_may_take_what_it_is_called_itself_or_what_was_given_up(client, editor):
    headers = {**editor, "If-Match": "*"}
    change = {"aliases": ["Kurdish", "Kurds", "KURDS"]}
    assert (
        client.patch("/api/v1/communities/kurdish", json=change, headers=headers).status_code == 200
    )
    body = {"id": "frisian", "name": "Frisian", "aliases": ["Koerden"]}
    assert client.post("/api/v1/communities", json=body, headers=editor).status_code == 201
    assert client.get(f"{INCIDENTS}?community=Koerden").status_code == 200


def test_names_shared_since_before_stand_and_name_neither(client, editor, app):
    with app.app_context(), transaction() as session:
        for community in session.query(Community).filter(Community.id.in_(["greek", "igbo"])):
            community.aliases, community.version = ["Shared"], 2
    headers = {**editor, "If-Match": "*"}
    change = {"description": "Greeks abroad."}
    assert (
        client.patch("/api/v1/communities/greek", json=change, headers=headers).status_code == 200
    )
    posted = client.post(INCIDENTS, json=builders.incident(communities=["Shared"]), headers=editor)
    (error,) = problem_of(posted, 422)["errors"]
    assert (error["code"], error["suggestions"]) == ("ambiguous_community", ["greek", "igbo"])


def test_a_seed_that_another_is_called_like_is_left_out_and_told(app, runner, tmp_path):
    terms = [
        {"id": "kurd", "name": "Kurd", "description": "Kurds abroad."},
        {"id": "frisian", "name": "Frisian", "description": "Frisians abroad."},
    ]
    (tmp_path / "communities.json").write_text(json.dumps(terms))
    (tmp_path / "episodes.json").write_text("[]")
    done = runner.invoke(args=["seed", "--only", "vocabularies", "--from", str(tmp_path)])
    assert done.exit_code == 0
    assert "Left out the community kurd: " in done.output
    assert "Seeds: 1 added" in done.output
