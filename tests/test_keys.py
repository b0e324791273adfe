"""Keys: whose one is, over HTTP for admins, and by command."""

import pytest
from sqlalchemy import select

from api.database.engines import db
from api.models import ApiKey, IdempotencyKey
from tests.conftest import run

KEYS = "/api/v1/keys"
DESK = {"name": "Border desk", "role": "editor"}


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def created(client, admin, **headers):
    answer = client.post(KEYS, json=DESK, headers={**admin, **headers})
    assert answer.status_code == 201, answer.text
    return answer.json


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("contributor", "post drafts", "publish"),
        ("editor", "publish", "erase"),
        ("admin", "manage keys and releases", None),
    ],
)
def test_a_key_is_told_whose_it_is_and_what_it_may_do(client, request, role, may, may_not):
    headers = request.getfixturevalue(role)
    me = client.get("/api/v1/me", headers=headers).json
    assert (me["name"], me["role"]) == (f"test {role}", role)
    assert me["id"] == headers["Authorization"].split()[1].partition("_")[0]
    assert may in me["may"]
    assert may_not not in me["may"]


def test_without_a_key_there_is_nobody_to_tell_of(client):
    assert client.get("/api/v1/me").status_code == 401


def test_an_admin_creates_a_key_which_works_until_it_is_revoked(client, admin):
    key = created(client, admin)
    assert client.get("/api/v1/me", headers=bearer(key["key"])).json["name"] == "Border desk"
    assert client.delete(f"{KEYS}/{key['id']}", headers=admin).status_code == 204
    assert client.get("/api/v1/me", headers=bearer(key["key"])).status_code == 401
    (listed,) = [one for one in client.get(KEYS, headers=admin).json["data"] if one["revoked_at"]]
    assert listed["id"] == key["id"]
    assert client.delete(f"{KEYS}/{key['id']}", headers=admin).status_code == 404


def test_no_answer_but_the_first_and_no_table_shows_a_key(app, client, admin):
    first = created(client, admin, **{"Idempotency-Key": "one"})
    again = created(client, admin, **{"Idempotency-Key": "one"})
    assert again == {**first, "key": None}
    secret = first["key"].partition("_")[2]
    assert secret not in client.get(KEYS, headers=admin).text
    with app.app_context():
        for model in (ApiKey, IdempotencyKey):
            rows = [dict(row) for row in db.session.execute(select(model.__table__)).mappings()]
            assert rows
            assert secret not in str(rows)


def test_nobody_revokes_the_key_of_the_request(client, admin):
    own = client.get("/api/v1/me", headers=admin).json["id"]
    answer = client.delete(f"{KEYS}/{own}", headers=admin)
    assert answer.status_code == 409
    assert answer.json["type"].endswith("/own-key")
    assert client.get("/api/v1/me", headers=admin).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_keys_are_for_admins(client, editor, method):
    path = f"{KEYS}/b9f59284" if method == "DELETE" else KEYS
    assert client.open(path, method=method, json=DESK, headers=editor).status_code == 403
    assert client.open(path, method=method, json=DESK).status_code == 401


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"role": "owner"}, "/role"),
        ({"role": "public"}, "/role"),
        ({"name": " "}, "/name"),
        ({"name": "a" * 301}, "/name"),
        ({"key": "b9f59284_1"}, "/key"),
    ],
)
def test_a_key_that_cannot_be_is_refused_by_name(client, admin, changes, pointer):
    answer = client.post(KEYS, json={**DESK, **changes}, headers=admin)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json["errors"]] == [pointer]


def test_a_body_of_a_revocation_is_not_ignored(client, admin):
    key = created(client, admin)
    answer = client.delete(f"{KEYS}/{key['id']}", json={"reason": "left"}, headers=admin)
    assert answer.status_code == 422


def add_keys(app, *prefixes):
    with app.app_context():
        for prefix in prefixes:
            db.session.add(
                ApiKey(
                    prefix=prefix, secret_sha256="", name=prefix, role="editor", created_at="2026"
                )
            )
        db.session.commit()


def test_any_unique_beginning_of_a_key_in_use_revokes_it(app, runner):
    add_keys(app, "zz111111", "zz122222", "zz233333")
    several = runner.invoke(args=["keys", "revoke", "zz1"])
    assert several.exit_code == 1
    assert "zz111111, zz122222" in several.output
    assert "Key zz111111" in run(app, "keys", "revoke", "zz11")
    assert "Key zz122222" in run(app, "keys", "revoke", "zz1")  # the other one is revoked
    assert "Key zz233333" in run(app, "keys", "revoke", "zz233333_secret")
    none = runner.invoke(args=["keys", "revoke", "zz"])
    assert "No key in use starts with 'zz'" in none.output


@pytest.mark.parametrize("beginning", ["", "_", "%", "zz_"])
def test_what_is_no_beginning_revokes_nothing(app, runner, beginning):
    add_keys(app, "zz111111", "zz122222")
    assert runner.invoke(args=["keys", "revoke", beginning]).exit_code == 1


def test_the_last_admin_key_has_a_way_back(app, client, admin):
    own = client.get("/api/v1/me", headers=admin).json["id"]
    advice = run(app, "keys", "revoke", own)
    assert advice.endswith("flask --app api keys create NAME --role admin")
    key = run(app, "keys", "create", "new admin", "--role", "admin")
    assert client.get(KEYS, headers=bearer(key)).status_code == 200
